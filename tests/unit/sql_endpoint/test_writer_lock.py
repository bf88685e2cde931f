"""The lock that one writer of a database holds."""

from __future__ import annotations

import threading
import time

import pytest

from setup_kit.sandbox.sql.errors import Cancelled
from setup_kit.sandbox.sql.storage.store import WriterLock


def never() -> bool:
    return False


def test_a_wait_lasts_as_long_as_was_asked_however_often_the_lock_changes_hands() -> None:
    lock = WriterLock()
    assert lock.acquire(never)
    stop = threading.Event()

    def hand_on() -> None:
        while not stop.is_set():
            lock.release()
            lock.acquire(never)

    thread = threading.Thread(target=hand_on)
    thread.start()
    begun = time.monotonic()
    got = lock.acquire(never, 0.5)
    waited = time.monotonic() - begun
    stop.set()
    if got:
        lock.release()
    thread.join(10)
    assert got or waited >= 0.5


def test_a_wait_without_a_bound_is_called_off() -> None:
    lock = WriterLock()
    assert lock.acquire(never)
    called = threading.Event()
    threading.Timer(0.1, called.set).start()
    with pytest.raises(Cancelled):
        lock.acquire(called.is_set)
