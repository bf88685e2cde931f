"""A file that a command line writes and a running sandbox reads again whenever it has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


class Watched(Generic[T]):
    """What a file says now. It is looked at on every call, and read when another file has taken its place."""

    def __init__(self, path: Path, parse: Callable[[bytes], T], missing: T) -> None:
        """`parse` makes a value of the file's bytes; `missing` is the value where there is no file."""
        self._path = path
        self._parse = parse
        self._missing = missing
        self._value = missing
        self._seen: tuple[int, int, int] | None = None
        self._lock = threading.Lock()

    def now(self) -> T:
        """Callable from any thread. What `parse` raises for a file that it cannot read is raised once a change."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return self._missing
        # Every writer replaces the file as a whole, so that each change has an inode or a time of its own.
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        with self._lock:
            if seen != self._seen:
                self._seen = seen
                self._value = self._parse(self._path.read_bytes())
            return self._value
