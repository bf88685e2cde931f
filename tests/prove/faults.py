"""Every kind of fault at every call of a full `apply`: ridden out, or told of and continued by the next run."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from setup_kit.sandbox.faults import KINDS, SQL
from tests.sandbox.job.end_state import end_state
from tests.sandbox.job.faulting import Call, calls, provision, trial
from tests.sandbox.job.preloaded import PreloadedKit

WORKERS = 3


@dataclass(frozen=True)
class Kind:
    """A fault with its values."""

    name: str
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1

    def concerns(self, call: Call) -> bool:
        if call.part not in KINDS[self.kind][0]:
            return False
        if self.kind == "failed-operation":
            return call.asynchronous
        if self.kind == "late":
            return call.method == "PUT" and any(word in call.path.lower() for word in ("firewallrules/", "roleassignments/"))
        if self.kind == "expired-token":
            return call.caller != ""
        return True


SOON = {"retry-after-ms": "5"}
FAULTS = (
    Kind("429", "status", {"status": 429, "headers": SOON}),
    Kind("503", "status", {"status": 503, "headers": SOON}),
    Kind("500", "status", {"status": 500}),
    Kind("503 for good", "status", {"status": 503, "headers": SOON}, times=0),
    Kind("403", "status", {"status": 403}),
    Kind("reset before", "reset-before"),
    Kind("reset after", "reset-after"),
    Kind("drip", "drip", {"seconds": 0.2}),
    Kind("truncated", "truncate"),
    Kind("expired token", "expired-token"),
    Kind("failed operation", "failed-operation"),
    Kind("late", "late", {"seconds": 1.0}),
    Kind("SQL 40501", "sql-error", {"number": 40501}),
    Kind("SQL 40197", "sql-error", {"number": 40197}),
    Kind("SQL 229", "sql-error", {"number": 229}),
)


@dataclass(frozen=True)
class Case:
    number: int
    fault: Kind
    call: Call

    @property
    def environment(self) -> str:
        return f"case{self.number:05}"
