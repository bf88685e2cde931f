"""Follows asynchronous operations to their end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from azure.core.polling import LROPoller

T = TypeVar("T")

# Called now and then with the seconds since the operation began.
Elapsed = Callable[[float], None]

_REPORT_SECONDS = 5.0


def quiet(seconds: float) -> None:
    return None


def finish(poller: LROPoller[T], elapsed: Elapsed = quiet) -> T:
    """The operation's result. Raises what azure-core raises for one that failed, which may have answered 200."""
    begun = time.monotonic()
    while not poller.done():
        poller.wait(_REPORT_SECONDS)
        elapsed(time.monotonic() - begun)
    return poller.result()
