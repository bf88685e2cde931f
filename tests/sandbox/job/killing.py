"""Kills a command with SIGKILL at one of its boundaries, and finishes the job with a second run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from setup_kit.sandbox import faults
from setup_kit.sandbox.faults import Fault
from setup_kit.sandbox.requests import REQUESTS
from tests.sandbox.job.end_state import end_state, remains
from tests.sandbox.job.harness import Finished, Kit

GLANCE = 0.002
# Seconds that each request takes, so that a glance falls between any two that wait for one another.
SLOW = 0.02

JOURNAL, CALLS = "journal", "calls"


@dataclass(frozen=True)
class Boundary:
    """The moment at which a command has written so many lines of its journal, or has had so many calls answered.

    `calls` are requests and SQL batches: those in the log of a sandbox that nobody else is using.
    """

    of: str
    number: int

    def __str__(self) -> str:
        return f"line {self.number} of the journal" if self.of == JOURNAL else f"call {self.number}"


def prepare(kit: Kit, name: str) -> None:
    kit.init(name, profile__prefix=name, profile__entities=["team"], profile__relationships=[])


def lines_of(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def log_of(kit: Kit, name: str, of: str) -> Path:
    """The file whose lines are a command's boundaries."""
    return kit.folder / ".setup-kit" / name / "journal.jsonl" if of == JOURNAL else kit.sandbox_folder / REQUESTS


def kill_at(kit: Kit, name: str, at: Boundary, *command: str) -> bool:
    """Starts `apply`, or the command, and kills it at a boundary. False when it had ended before."""
    log = log_of(kit, name, at.of)
    until = lines_of(log) + at.number
    glances = threading.Event()
    with slowed(kit, at):
        process = kit.start(*(command or ("apply", "-e", name, "--yes")))
        while lines_of(log) < until and process.poll() is None:
            glances.wait(GLANCE)
        in_time = process.poll() is None
        process.kill()
        process.wait()
    return in_time


@contextmanager
def slowed(kit: Kit, at: Boundary) -> Iterator[None]:
    """While it is entered, calls come one by one, where they are what is counted."""
    if at.of == JOURNAL:
        yield
        return
    faults.add(kit.sandbox_folder, Fault("drip", seconds=SLOW))
    try:
        yield
    finally:
        faults.clear(kit.sandbox_folder)


def trial(kit: Kit, name: str, at: Boundary, undisturbed: dict[str, object]) -> str:
    """One kill at a boundary, then the job finished. What went wrong in words; empty when nothing did."""
    prepare(kit, name)
    kill_at(kit, name, at)
    finished = kit.apply(name)
    if finished.code != 0:
        return f"killed at {at}, the second run ended with {finished.code}: {finished.text}"
    state = end_state(kit, name)
    different = [key for key in undisturbed if state.get(key) != undisturbed[key]]
    if different:
        details = "; ".join(f"{key}: {state[key]} instead of {undisturbed[key]}" for key in different)
        return f"killed at {at}, the end state differs: {details}"
    before = len(own_writes(kit, name))
    third = kit.apply(name)
    if third.code != 0 or third.json["changes"]:
        return f"killed at {at}, a third run still changes something: {third.text}"
    writes = own_writes(kit, name)[before:]
    return f"killed at {at}, a third run still writes: {writes}" if writes else ""


def destroy(kit: Kit, name: str, *options: str) -> Finished:
    return kit.run("destroy", "-e", name, "--confirm", name, "--output", "json", *options)


def destroy_trial(kit: Kit, name: str, at: Boundary, options: tuple[str, ...], undisturbed: dict[str, object]) -> str:
    """As `trial`, for `destroy` with these options."""
    prepare(kit, name)
    kit.apply(name).succeeded()
    kill_at(kit, name, at, "destroy", "-e", name, "--confirm", name, *options)
    finished = destroy(kit, name, *options)
    if finished.code != 0:
        return f"killed at {at}, the second run ended with {finished.code}: {finished.text}"
    state = remains(kit, name)
    if state != undisturbed:
        return f"killed at {at}, what remains differs: {state} instead of {undisturbed}"
    before = len(own_writes(kit, name))
    third = destroy(kit, name, *options)
    if third.code != 0 or third.json["changes"]:
        return f"killed at {at}, a third run ended with {third.code}: {third.text}"
    writes = [sent for sent in own_writes(kit, name)[before:] if "setup-kit-operator" not in sent[1]]
    return f"killed at {at}, a third run still writes: {writes}" if writes else ""


def own_writes(kit: Kit, name: str) -> list[tuple[str, str]]:
    """Writes on what bears the environment's name: other trials may be at work in the same sandbox."""
    return [
        (sent["method"], sent["path"])
        for sent in kit.writes()
        if f"-{name}-" in sent["path"] or sent["path"].endswith(f"rg-{name}")
    ]
