"""How long steps took in earlier runs, by the journals: what a run may tell of how long it will take."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from setup_kit.engine.events import Event, Happening

# The end of a journal is enough, and so are the newest journals of other environments.
RECENT_BYTES = 256 * 1024
OTHERS = 20

Step = tuple[str, str]


class Durations:
    """Seconds of finished steps. A step is a change (a resource's address and the action) or a check (its address)."""

    def __init__(self) -> None:
        self._seconds: dict[Step, list[float]] = defaultdict(list)

    def add(self, step: Step, seconds: float) -> None:
        address, action = step
        self._seconds[step].append(seconds)
        # Of an address that was never seen, others of its kind tell.
        self._seconds[address.partition("/")[0], action].append(seconds)

    def expected(self, event: Event) -> float | None:
        """The median of what the step took that an event starts; None where no earlier run had it."""
        if event.happening not in (Happening.STARTED, Happening.CHANGE_STARTED):
            return None
        action = str(event.change.action) if event.change is not None else ""
        own = self._seconds.get((event.resource, action))
        found = own or self._seconds.get((event.resource.partition("/")[0], action))
        return median(found) if found else None


def learn(journal: Path) -> Durations:
    """From an environment's journal, and from those of the environments beside it."""
    others = [path for path in journal.parent.parent.glob(f"*/{journal.name}") if path != journal and path.is_file()]
    others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    durations = Durations()
    for path in (journal, *others[:OTHERS]):
        for step, seconds in _steps(_lines(path)):
            durations.add(step, seconds)
    return durations


def _steps(lines: Iterable[str]) -> Iterator[tuple[Step, float]]:
    changing: set[tuple[str, str]] = set()
    for line in lines:
        entry = _entry(line)
        address, seconds, run = entry.get("resource"), entry.get("seconds"), str(entry.get("run"))
        if not isinstance(address, str) or not isinstance(seconds, int | float):
            continue
        if entry.get("event") == Happening.CHANGE_DONE:
            changing.add((run, address))
            yield (address, str(entry.get("change", {}).get("action"))), float(seconds)
        elif entry.get("event") == Happening.DONE and (run, address) not in changing:
            yield (address, ""), float(seconds)


def _entry(line: str) -> dict[str, Any]:
    """A killed run may have left half a line."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - RECENT_BYTES))
        return file.read().decode("utf-8", "replace").splitlines()
