"""Trying again: how long, how often, and what is said meanwhile."""

from __future__ import annotations

import pytest

from setup_kit.sqlserver.connection import SqlError
from setup_kit.sqlserver.retry import Retry


class Time:
    """A clock that waiting moves on."""

    def __init__(self, interrupted_after: float = float("inf")) -> None:
        self.now = 0.0
        self.said: list[str] = []
        self.interrupted_after = interrupted_after

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.now >= self.interrupted_after

    def retry(self) -> Retry:
        return Retry(self.wait, self.said.append, lambda: self.now)


AWAY = SqlError(40613, "HY000", "Database 'd' on server 's' is not currently available.")


def test_a_fault_that_passes_is_ridden_out_and_said() -> None:
    time = Time()
    attempts: list[int] = []

    def attempt(number: int) -> str:
        attempts.append(number)
        if number < 4:
            raise AWAY
        return "rows"

    assert time.retry().call(attempt, lambda error: 120, "reading the grants") == "rows"
    assert attempts == [1, 2, 3, 4]
    assert len(time.said) == 3
    assert "reading the grants" in time.said[0]
    assert "not currently available" in time.said[0]


def test_patience_has_an_end_and_the_last_error_is_told() -> None:
    time = Time()

    def attempt(_: int) -> str:
        raise AWAY

    with pytest.raises(SqlError, match="40613"):
        time.retry().call(attempt, lambda error: 120, "connecting")
    assert time.now == pytest.approx(120)
    assert len(time.said) < 30


def test_an_error_that_does_not_pass_is_raised_at_once() -> None:
    time = Time()

    def attempt(_: int) -> str:
        raise SqlError(18456, "28000", "Login failed for user 'x'.")

    with pytest.raises(SqlError, match="18456"):
        time.retry().call(attempt, lambda error: 120 if error.transient else 0, "connecting")
    assert time.now == 0
    assert time.said == []


def test_an_interruption_ends_the_waiting() -> None:
    time = Time(interrupted_after=3)

    def attempt(_: int) -> str:
        raise AWAY

    with pytest.raises(SqlError):
        time.retry().call(attempt, lambda error: 120, "connecting")
    assert time.now < 10
