"""SIGKILL at each line of the journal of a `rotate`; a second run must end like an undisturbed one."""

from __future__ import annotations

import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import lines_of, prepare
from tests.sandbox.job.rotating import rotate, settled, trial

WORKERS = 2


def rotation_killed_at_every_line(share: float, seed: int) -> bool:
    """Every fifth is finished by `apply`, which waits a minute where the user before is not dropped yet."""
    with tempfile.TemporaryDirectory(prefix="setup-kit-prove-") as folder:
        kit = Kit(Path(folder))
        try:
            boundaries = max([_boundaries(kit, f"turn{worker}") for worker in range(WORKERS)])
            lines = list(range(1, boundaries + 1))
            picked = sorted(random.Random(seed).sample(lines, max(1, round(len(lines) * share))))
            with ThreadPoolExecutor(WORKERS) as pool:
                found = pool.map(lambda worker: _work(kit, f"turn{worker}", picked[worker::WORKERS]), range(WORKERS))
                failures = [text for texts in found for text in texts]
        finally:
            kit.close()
    for text in failures:
        print(text, flush=True)
    held = len(picked) - len(failures)
    print(
        f"rotate killed at a journal line, then run again: {held} of {len(picked)} as undisturbed ({boundaries} lines)"
    )
    return not failures


def _boundaries(kit: Kit, name: str) -> int:
    """Provisions, rotates once undisturbed, and counts the lines of that."""
    prepare(kit, name)
    kit.apply(name).succeeded()
    journal = kit.folder / ".setup-kit" / name / "journal.jsonl"
    before = lines_of(journal)
    rotate(kit, name).succeeded()
    return lines_of(journal) - before


def _work(kit: Kit, name: str, lines: list[int]) -> list[str]:
    expected = settled(kit, name)
    found = [trial(kit, name, line, expected, "apply" if line % 5 == 0 else "rotate") for line in lines]
    return [text for text in found if text]
