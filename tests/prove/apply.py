"""SIGKILL at each line of the journal of a full `apply`; a second run must end like an undisturbed one."""

from __future__ import annotations

import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.sandbox.job.end_state import end_state
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import lines_of, prepare, trial

WORKERS = 2


def killed_at_every_line(share: float, seed: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="setup-kit-prove-") as folder:
        kit = Kit(Path(folder))
        try:
            prepare(kit, "undisturbed")
            kit.apply("undisturbed").succeeded()
            expected = end_state(kit, "undisturbed")
            boundaries = lines_of(kit.folder / ".setup-kit" / "undisturbed" / "journal.jsonl")
            lines = list(range(1, boundaries + 1))
            picked = sorted(random.Random(seed).sample(lines, max(1, round(len(lines) * share))))
            with ThreadPoolExecutor(WORKERS) as pool:
                failures = [text for text in pool.map(lambda at: trial(kit, f"kill{at}", at, expected), picked) if text]
        finally:
            kit.close()
    for text in failures:
        print(text, flush=True)
    held = len(picked) - len(failures)
    print(
        f"apply killed at a journal line, then run again: {held} of {len(picked)} as undisturbed ({boundaries} lines)"
    )
    return not failures
