"""Kills a command with SIGKILL when its journal has reached a line, and finishes the job with a second run."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.sandbox.job.end_state import end_state, remains
from tests.sandbox.job.harness import Finished, Kit

GLANCE = 0.002


def prepare(kit: Kit, name: str) -> None:
    kit.init(name, profile__prefix=name, profile__entities=["team"], profile__relationships=[])


def lines_of(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def kill_at(kit: Kit, name: str, line: int, *command: str) -> bool:
    """Starts `apply`, or the command, and kills it once it has written `line` lines of journal.

    False when it had ended before.
    """
    journal = kit.folder / ".setup-kit" / name / "journal.jsonl"
    line += lines_of(journal)
    process = kit.start(*(command or ("apply", "-e", name, "--yes")))
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


def destroy(kit: Kit, name: str, *options: str) -> Finished:
    return kit.run("destroy", "-e", name, "--confirm", name, "--output", "json", *options)


def destroy_trial(kit: Kit, name: str, line: int, options: tuple[str, ...], undisturbed: dict[str, object]) -> str:
    """As `trial`, for `destroy` with these options."""
    prepare(kit, name)
    kit.apply(name).succeeded()
    kill_at(kit, name, line, "destroy", "-e", name, "--confirm", name, *options)
    finished = destroy(kit, name, *options)
    if finished.code != 0:
        return f"killed at line {line}, the second run ended with {finished.code}: {finished.text}"
    state = remains(kit, name)
    if state != undisturbed:
        return f"killed at line {line}, what remains differs: {state} instead of {undisturbed}"
    before = len(own_writes(kit, name))
    third = destroy(kit, name, *options)
    if third.code != 0 or third.json["changes"]:
        return f"killed at line {line}, a third run ended with {third.code}: {third.text}"
    writes = [sent for sent in own_writes(kit, name)[before:] if "setup-kit-operator" not in sent[1]]
    return f"killed at line {line}, a third run still writes: {writes}" if writes else ""


def own_writes(kit: Kit, name: str) -> list[tuple[str, str]]:
    """Writes on what bears the environment's name: other trials may be at work in the same sandbox."""
    return [
        (sent["method"], sent["path"])
        for sent in kit.writes()
        if f"-{name}-" in sent["path"] or sent["path"].endswith(f"rg-{name}")
    ]
