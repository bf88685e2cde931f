"""How long `setup-kit demo` takes, and how much memory all its processes hold together."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from tests.bench.figures import Figure

COMMAND = str(Path(sys.executable).with_name("setup-kit"))
MEBIBYTE = 1024 * 1024
PAUSE = 0.05


def demo_time_and_memory() -> list[Figure]:
    begun = time.perf_counter()
    process = subprocess.Popen([COMMAND, "demo"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    peak = Peak(process.pid)
    said = process.communicate()[1]
    elapsed = time.perf_counter() - begun
    held = peak.end()
    if process.returncode != 0:
        raise SystemExit(f"setup-kit demo ended with {process.returncode}:\n{said}")
    return [
        Figure("setup-kit demo", elapsed, 60, "s", "after set-up, start to end"),
        Figure("its memory", held / MEBIBYTE, 500, "MiB", "resident, sum over all processes, highest of samples"),
    ]


class Peak:
    """Samples the resident memory of a process and all below it until it is told to end."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._ended = threading.Event()
        self._highest = 0
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def end(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._highest

    def _sample(self) -> None:
        while not self._ended.wait(PAUSE):
            total = 0
            try:
                for process in (self._root, *self._root.children(recursive=True)):
                    total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            self._highest = max(self._highest, total)
