"""SIGKILL at every boundary of a command: each line of its journal, each request, each SQL batch."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tests.prove.sandboxes import Sandboxes
from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.killing import CALLS, JOURNAL, Boundary, lines_of, log_of, slowed

WORKERS = 3

T = TypeVar("T")


def boundaries_of(kit: Kit, name: str, command: Callable[[], Finished]) -> list[Boundary]:
    """All that an undisturbed command has."""
    logs = {of: log_of(kit, name, of) for of in (JOURNAL, CALLS)}
    before = {of: lines_of(log) for of, log in logs.items()}
    with slowed(kit, Boundary(CALLS, 0)):
        command().succeeded()
    return [Boundary(of, number) for of, log in logs.items() for number in range(1, lines_of(log) - before[of] + 1)]


def killed(
    title: str,
    among: Sandboxes[T],
    boundaries: list[Boundary],
    trial: Callable[[Kit, T, str, Boundary], str],
    share: float,
    seed: int,
) -> bool:
    """A trial at each boundary, or at a share of them. `trial(kit, ready, name, boundary)` says what went wrong."""
    begun = time.perf_counter()
    picked = random.Random(seed).sample(boundaries, max(1, round(len(boundaries) * share)))

    def work(at: Boundary) -> str:
        with among.one() as (kit, ready):
            return trial(kit, ready, f"{at.of}{at.number}", at)

    with ThreadPoolExecutor(WORKERS) as pool:
        failures = [text for text in pool.map(work, picked) if text]
    for text in failures:
        print(text, flush=True)
    counts = {of: sum(at.of == of for at in boundaries) for of in (JOURNAL, CALLS)}
    print(
        f"{title} killed, then run again: {len(picked) - len(failures)} of {len(picked)} as undisturbed"
        f" ({counts[JOURNAL]} lines of the journal, {counts[CALLS]} requests and SQL batches),"
        f" {time.perf_counter() - begun:.0f} s",
        flush=True,
    )
    return not failures
