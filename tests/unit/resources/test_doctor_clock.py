"""How far the clock is off, from what hosts said."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.engine.resource import Finding, Severity, Status
from setup_kit.resources.doctor.clock import Skew, judged, measured

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)


def finding(*skews: Skew) -> Finding:
    return judged(skews, "machine/clock")


@given(
    ahead=st.floats(-86400, 86400),
    fraction=st.floats(0, 0.999),
    there=st.floats(0, 30),
    back=st.floats(0, 30),
)
def test_the_true_skew_is_within_what_is_said_of_it(ahead: float, fraction: float, there: float, back: float) -> None:
    """Wherever in the round trip, and wherever within its second, the host wrote its header."""
    wrote = NOW.timestamp() + fraction
    asked, answered = wrote + ahead - there, wrote + ahead + back
    skew = measured("host", asked, answered, format_datetime(NOW, usegmt=True))
    assert skew is not None
    assert abs(skew.seconds - ahead) <= skew.uncertainty + 1e-5


@pytest.mark.parametrize("header", ["", "yesterday", "Sun, 29 Nov 2026 12:00:00", "Sun, 99 Nov 2026 12:00:00 GMT"])
def test_a_header_that_is_no_time_measures_nothing(header: str) -> None:
    assert measured("host", 0, 1, header) is None


@pytest.mark.parametrize(
    ("seconds", "uncertainty", "status"),
    [
        (0.2, 0.5, Status.PASSED),
        (60, 0.5, Status.PASSED),
        (61, 0.5, Status.WARNING),
        (-299, 0.5, Status.WARNING),
        (301, 0.5, Status.FAILED),
        (-3600, 0.5, Status.FAILED),
        (310, 20, Status.WARNING),  # a slow way: it may be less than five minutes
        (70, 20, Status.PASSED),
    ],
)
def test_over_a_minute_warns_and_over_five_fails(seconds: float, uncertainty: float, status: Status) -> None:
    found = finding(Skew("the authority", seconds, uncertainty))
    assert found.status is status
    assert f"{seconds:+.1f} s ± {uncertainty:.1f} s" in found.evidence
    assert bool(found.remedy) is (status is not Status.PASSED)


def test_which_way_the_clock_is_wrong_is_told() -> None:
    assert "6 min 03 s ahead" in finding(Skew("a", 363, 0.5)).message
    assert "6 min 03 s behind" in finding(Skew("a", -363, 0.5)).message


def test_one_host_with_a_wrong_clock_is_not_this_machines_fault() -> None:
    found = finding(Skew("the authority", 4000, 0.5), Skew("Resource Manager", 0.1, 0.6))
    assert found.status is Status.PASSED
    assert "the authority: +4000.0 s" in found.evidence


def test_without_an_answer_nothing_is_claimed() -> None:
    found = finding()
    assert (found.status, found.severity) == (Status.SKIPPED, Severity.LOW)
