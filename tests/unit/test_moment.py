"""Moments as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from setup_kit.moment import readable


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 11, 29, 15, 5, 5, 718_000, UTC), "2026-11-29T15:05:05.718000+00:00", "2026-11-29T16:05:05+01:00"],
)
def test_every_moment_is_told_in_utc_to_the_second(moment: datetime | str) -> None:
    assert readable(moment) == "2026-11-29 15:05:05"


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_moment_is_no_text(nothing: str | None) -> None:
    assert readable(nothing) == ""
