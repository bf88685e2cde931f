"""The record of what was done: one JSON line an event, in `.setup-kit/<environment>/journal.jsonl`."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from setup_kit.engine.events import Event, Happening
from setup_kit.engine.resource import Change
from setup_kit.secret import Secret


def change_document(change: Change) -> dict[str, Any]:
    """A change as JSON; secrets are `***`."""
    document: dict[str, Any] = {
        "resource": change.resource,
        "action": str(change.action),
        "target": change.target,
        "before": _plain(change.before),
        "after": _plain(change.after),
        "why": change.why,
        "destructive": change.destructive,
    }
    if change.detail:
        document["detail"] = {key: _plain(value) for key, value in change.detail.items()}
    return document


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Secret) else value


class Journal:
    """Appends events to a file that only its owner may read.

    Every line is with the operating system before the call returns, so that a killed run leaves what it did.
    """

    def __init__(self, path: Path, command: str) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._command = command
        self._run = uuid4().hex[:12]
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def __call__(self, event: Event) -> None:
        # Row counts that move many times a second are for the screen; what a run did is kept.
        if event.happening is Happening.PROGRESS:
            return
        line: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "run": self._run,
            "command": self._command,
            "event": str(event.happening),
        }
        if event.resource:
            line["resource"] = event.resource
        if event.change is not None:
            line["change"] = change_document(event.change)
        if event.finding is not None:
            line["finding"] = {
                "check": event.finding.check,
                "status": str(event.finding.status),
                "resource": event.finding.resource,
                "message": event.finding.message,
            }
        if event.text:
            line["text"] = event.text
        if event.seconds is not None:
            line["seconds"] = round(event.seconds, 3)
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        with self._lock:
            os.write(self._file, data)
