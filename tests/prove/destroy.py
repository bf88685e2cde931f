"""SIGKILL at each line of the journal of a `destroy`; a second run must leave what an undisturbed one leaves."""

from __future__ import annotations

import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.sandbox.job.end_state import remains
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import destroy, destroy_trial, lines_of, prepare

WORKERS = 2
# What stays and what goes differs between these, and with it the order.
WAYS = {"kept": ("--drop-objects",), "whole": ("--include-data",)}


def destroy_killed_at_every_line(share: float, seed: int) -> bool:
    chosen = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="setup-kit-prove-") as folder:
        kit = Kit(Path(folder))
        try:
            held = [_one_way(kit, name, options, share, chosen) for name, options in WAYS.items()]
        finally:
            kit.close()
    return all(held)


def _one_way(kit: Kit, way: str, options: tuple[str, ...], share: float, chosen: random.Random) -> bool:
    prepare(kit, way)
    kit.apply(way).succeeded()
    journal = kit.folder / ".setup-kit" / way / "journal.jsonl"
    before = lines_of(journal)
    destroy(kit, way, *options).succeeded()
    boundaries = lines_of(journal) - before
    expected = remains(kit, way)
    lines = list(range(1, boundaries + 1))
    picked = sorted(chosen.sample(lines, max(1, round(len(lines) * share))))

    def trial(line: int) -> str:
        return destroy_trial(kit, f"{way}{line}", line, options, expected)

    with ThreadPoolExecutor(WORKERS) as pool:
        failures = [text for text in pool.map(trial, picked) if text]
    for text in failures:
        print(text, flush=True)
    print(
        f"destroy {' '.join(options)} killed at a journal line, then run again: {len(picked) - len(failures)} of"
        f" {len(picked)} as undisturbed ({boundaries} lines)",
        flush=True,
    )
    return not failures
