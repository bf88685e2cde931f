"""What happens during a plan or a run, as it happens: for the journal and for the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from setup_kit.engine.resource import Change, Finding, Progress


class Happening(StrEnum):
    RUN_STARTED = "run_started"
    STARTED = "started"
    UNCHANGED = "unchanged"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    CHANGE_STARTED = "change_started"
    CHANGE_DONE = "change_done"
    FINDING = "finding"
    PROGRESS = "progress"
    OPENED = "opened"
    CLOSED = "closed"
    RUN_ENDED = "run_ended"


@dataclass(frozen=True)
class Event:
    """`resource` is an address, empty for the run as a whole; `seconds` the time a node or a change took."""

    happening: Happening
    resource: str = ""
    change: Change | None = None
    finding: Finding | None = None
    progress: Progress | None = None
    text: str = ""
    seconds: float | None = None


Listener = Callable[[Event], None]
