"""Waiting, with a bound, for what Azure has promised but not yet made true."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from setup_kit.azure.errors import AzureRefusal

T = TypeVar("T")

# Called with the seconds waited so far and why.
Report = Callable[[float, AzureRefusal], None]

# Seconds. "Role assignments can take up to ten minutes to take effect" (Azure RBAC's troubleshooting page).
PERMISSION = 600.0
# Another operation on the same resource.
BUSY = 300.0
# An answer that broke off: what is sent again comes to the same; an estimate.
BROKEN = 30.0
# The name of a vault that was just made spreads through DNS; an estimate.
NAME = 120.0

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0


def _quiet(waited: float, refusal: AzureRefusal) -> None:
    return None


class Patience:
    """`wait(seconds)` pauses and says whether the run is to end: then nothing is tried again."""

    def __init__(self, wait: Callable[[float], bool] | None = None) -> None:
        self.wait = wait if wait is not None else threading.Event().wait

    def out(self, call: Callable[[], T], bound: Callable[[AzureRefusal], float], report: Report = _quiet) -> T:
        """Calls until it is not refused, with growing pauses.

        `bound` says for how many seconds since the first call such a refusal may still pass; 0 for one that will not.
        """
        begun = time.monotonic()
        pause = _FIRST_PAUSE
        while True:
            try:
                return call()
            except AzureRefusal as refusal:
                waited = time.monotonic() - begun
                if waited + pause > bound(refusal):
                    raise
                report(waited, refusal)
                if self.wait(pause):
                    raise
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def busy(refusal: AzureRefusal) -> float:
    """The bound for writes, by PUT or DELETE, to a resource that others may be changing."""
    if refusal.broken_off:
        return BROKEN
    return BUSY if refusal.in_progress else 0.0
