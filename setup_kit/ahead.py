"""Calls that are begun before their answer is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def begin(call: Callable[[], T]) -> Future[T]:
    """Makes the call in a thread of its own; the answer, or the error, is the future's.

    The process does not wait for the thread when it ends.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - whoever asks for the answer meets it
            future.set_exception(error)

    threading.Thread(target=run, name="ahead", daemon=True).start()
    return future
