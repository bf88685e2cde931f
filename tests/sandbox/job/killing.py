"""Kills `apply` with SIGKILL when its journal has reached a line, and finishes the job with a second run."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.sandbox.job.end_state import end_state
from tests.sandbox.job.harness import Kit

GLANCE = 0.002


def prepare(kit: Kit, name: str) -> None:
    kit.init(name, profile__prefix=name, profile__entities=["team"], profile__relationships=[])


def lines_of(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def kill_at(kit: Kit, name: str, line: int) -> bool:
    """Starts `apply` and kills it once the journal has `line` lines. False when it had ended before."""
    journal = kit.folder / ".setup-kit" / name / "journal.jsonl"
    process = kit.start("apply", "-e", name, "--yes")
    glances = threading.Event()
    while lines_of(journal) < line and process.poll() is None:
        glances.wait(GLANCE)
    in_time = process.poll() is None
    process.kill()
    process.wait()
    return in_time


def trial(kit: Kit, name: str, line: int, undisturbed: dict[str, object]) -> str:
    """One kill at a line of the journal, then the job finished. What went wrong in words; empty when nothing did."""
    prepare(kit, name)
    kill_at(kit, name, line)
    finished = kit.apply(name)
    if finished.code != 0:
        return f"killed at line {line}, the second run ended with {finished.code}: {finished.text}"
    state = end_state(kit, name)
    different = [key for key in undisturbed if state.get(key) != undisturbed[key]]
    if different:
        details = "; ".join(f"{key}: {state[key]} instead of {undisturbed[key]}" for key in different)
        return f"killed at line {line}, the end state differs: {details}"
    before = len(own_writes(kit, name))
    third = kit.apply(name)
    if third.code != 0 or third.json["changes"]:
        return f"killed at line {line}, a third run still changes something: {third.text}"
    writes = own_writes(kit, name)[before:]
    return f"killed at line {line}, a third run still writes: {writes}" if writes else ""


def own_writes(kit: Kit, name: str) -> list[tuple[str, str]]:
    """Writes on what bears the environment's name: other trials may be at work in the same sandbox."""
    return [
        (sent["method"], sent["path"])
        for sent in kit.writes()
        if f"-{name}-" in sent["path"] or sent["path"].endswith(f"rg-{name}")
    ]
