"""A session's thread: what it is given runs one after another, and the loop that asked hears of the end."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class SessionThread:
    """Begun with the first work. Lighter than an executor: a request costs one way there and one back."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._begun = False

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """The result of `work`, for the running loop; cancelling it does not stop what runs."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]  # a result where there is no error

        def perform() -> None:
            result, error = None, None
            try:
                result = work()
            except BaseException as found:  # noqa: BLE001 - handed to whoever waits
                error = found
            with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits any more
                loop.call_soon_threadsafe(settle, result, error)

        if not self._begun:
            self._begun = True
            threading.Thread(target=self._serve, name=self._name, daemon=True).start()
        self._work.put(perform)
        return future

    def end(self) -> None:
        """The thread ends when it has done what it was given."""
        self._work.put(None)

    def _serve(self) -> None:
        while (perform := self._work.get()) is not None:
            perform()
