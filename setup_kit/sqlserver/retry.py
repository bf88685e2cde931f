"""Tries again, at growing intervals, as long as an error is worth it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from setup_kit.sqlserver.connection import SqlError

T = TypeVar("T")

_FIRST = 0.5
_LONGEST = 10.0


@dataclass(frozen=True)
class Retry:
    """`wait(seconds)` waits, and answers True when the run is being interrupted (`threading.Event().wait` does).

    `say(text)` tells a person why it takes so long. `clock` gives seconds.
    """

    wait: Callable[[float], bool]
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic

    def call(self, attempt: Callable[[int], T], patience: Callable[[SqlError], float], doing: str) -> T:
        """What `attempt(number)` returns, number from 1.

        `patience(error)`: for how many seconds since the first attempt the error is worth another; the last one is
        raised when they are over.
        """
        begun = self.clock()
        pause = _FIRST
        number = 1
        while True:
            try:
                return attempt(number)
            except SqlError as error:
                left = begun + patience(error) - self.clock()
                if left <= 0:
                    raise
                self.say(f"{doing}: {error.message} Trying again for up to {max(1, round(left))} s.")
                if self.wait(min(pause, left)):
                    raise
            pause = min(pause * 2, _LONGEST)
            number += 1
