from __future__ import annotations

import pytest

from setup_kit.sandbox.latency import SECONDS, Latency


def test_no_factor_is_no_delay() -> None:
    assert {Latency().seconds(operation) for operation in SECONDS} == {0.0}


def test_a_factor_scales_the_clouds_time() -> None:
    assert Latency(0.1).seconds("server.create") == pytest.approx(7.5)


def test_an_operation_that_nobody_timed_is_an_error() -> None:
    with pytest.raises(KeyError):
        Latency(1).seconds("server.dance")


@pytest.mark.parametrize(
    ("factor", "header"),
    [
        (1.0, {"Retry-After": "15"}),
        (0.02, {"retry-after-ms": "300"}),
        (0.1, {"retry-after-ms": "1500"}),
        (0.0, {"retry-after-ms": "1"}),
    ],
)
def test_retry_after_is_whole_seconds_or_milliseconds_and_never_nothing(factor: float, header: dict[str, str]) -> None:
    assert Latency(factor).retry_after(15) == header


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="negative"):
        Latency(-1)
