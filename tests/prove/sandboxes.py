"""Sandboxes for trials side by side: a trial has one for itself, and one that has served many is left for a new one."""

from __future__ import annotations

import itertools
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from tests.sandbox.job.preloaded import PreloadedKit

LIFE = 50  # trials: a sandbox grows slower with the environments in it

T = TypeVar("T")


class Sandboxes(Generic[T]):
    """`begin` makes a new sandbox ready; what it returns is handed to every trial beside the sandbox."""

    def __init__(self, folder: Path, begin: Callable[[PreloadedKit], T]) -> None:
        self._folder = folder
        self._begin = begin
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._idle: list[tuple[PreloadedKit, T, int]] = []

    @contextmanager
    def one(self) -> Iterator[tuple[PreloadedKit, T]]:
        """A sandbox that nobody else uses while it is entered."""
        with self._lock:
            number = next(self._numbers)
            kit, ready, used = self._idle.pop() if self._idle else (None, None, 0)
        if kit is not None and used == LIFE:
            kit.close()
            kit = None
        if kit is None or ready is None:
            kit, used = PreloadedKit(self._folder / f"sandbox{number}"), 0
            ready = self._begin(kit)
        try:
            yield kit, ready
        finally:
            with self._lock:
                self._idle.append((kit, ready, used + 1))

    def close(self) -> None:
        for kit, _, _ in self._idle:
            kit.close()


@contextmanager
def sandboxes(begin: Callable[[PreloadedKit], T]) -> Iterator[Sandboxes[T]]:
    with tempfile.TemporaryDirectory(prefix="setup-kit-prove-") as folder:
        made = Sandboxes(Path(folder), begin)
        try:
            yield made
        finally:
            made.close()
