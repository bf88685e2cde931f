"""Waiting with a bound."""

from __future__ import annotations

import pytest

from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.patience import Patience


class Service:
    """Refuses the first calls, then answers."""

    def __init__(self, refusals: int) -> None:
        self.left = refusals
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise AzureRefusal("not yet", code="Busy", status=409)
        return "done"


class Pauses:
    """Takes no time; `end` says after how many pauses the run is ended."""

    def __init__(self, end: int | None = None) -> None:
        self.lengths: list[float] = []
        self.end = end

    def __call__(self, seconds: float) -> bool:
        self.lengths.append(seconds)
        return self.end is not None and len(self.lengths) >= self.end


def test_what_passes_is_waited_for_with_growing_pauses() -> None:
    pauses, service = Pauses(), Service(8)
    assert Patience(pauses).out(service, lambda refusal: 600.0) == "done"
    assert pauses.lengths == sorted(pauses.lengths)
    assert pauses.lengths[-1] == 10.0


def test_what_does_not_pass_is_raised_at_once() -> None:
    service = Service(1)
    with pytest.raises(AzureRefusal):
        Patience(Pauses()).out(service, lambda refusal: 0.0)
    assert service.calls == 1


def test_a_bound_that_would_be_passed_ends_the_waiting() -> None:
    service = Service(99)
    with pytest.raises(AzureRefusal):
        Patience(Pauses()).out(service, lambda refusal: 0.5)
    assert service.calls == 1


def test_a_run_that_is_ended_waits_no_longer() -> None:
    service = Service(99)
    with pytest.raises(AzureRefusal):
        Patience(Pauses(end=2)).out(service, lambda refusal: 600.0)
    assert service.calls == 2


def test_each_wait_is_told_with_its_reason() -> None:
    told: list[str] = []
    Patience(Pauses()).out(Service(2), lambda refusal: 600.0, lambda waited, refusal: told.append(refusal.code))
    assert told == ["Busy", "Busy"]
