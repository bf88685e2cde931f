"""Faults: which requests and SQL statements of a sandbox are to fail, when, and how.

Rules are in DIR/faults.json, which a running sandbox reads again when it changes. How often a rule has matched is
counted by the sandbox's process alone, so a restart counts from the beginning.
"""

from __future__ import annotations

import contextlib
import fcntl
import fnmatch
import json
import logging
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from setup_kit.sandbox.files import write_private
from setup_kit.sandbox.watched import Watched

logger = logging.getLogger(__name__)

FAULTS = "faults.json"
SQL = "sql"
HTTP_PARTS = ("entra", "resource-manager", "graph", "key-vault", "dataverse", "export-service")
PARTS = (*HTTP_PARTS, SQL)

#: Each kind: the parts that can have it, and the values that it needs.
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "status": (HTTP_PARTS, ("status",)),
    "reset-before": (PARTS, ()),
    "reset-after": (PARTS, ()),
    "drip": (PARTS, ("seconds",)),
    "truncate": (HTTP_PARTS, ()),
    "expired-token": (tuple(part for part in HTTP_PARTS if part != "entra"), ()),
    "failed-operation": (("resource-manager",), ()),
    "late": (("resource-manager",), ("seconds",)),
    "sql-error": ((SQL,), ("number",)),
}
#: Values of a kind that may be left out.
_OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "status": ("headers", "code"),
    "failed-operation": ("code",),
    "sql-error": ("severity", "state"),
}


class FaultError(ValueError):
    """A rule that cannot be: the text says why."""


@dataclass(frozen=True)
class Fault:
    """One rule. `method`, `path` and `caller` are globs whose case does not matter and whose `*` takes slashes too.

    In SQL, `method` is a statement's class as the request log has it (LOGIN, CREATE USER, …) or its first words, and
    `path` is `/server/database`. Of the requests that match, `after` are left alone, then `times` meet the fault (0:
    all of them), each with the probability `share`, which `seed` and the request's place among the matches decide.
    """

    kind: str
    id: str = ""
    part: str = "*"
    method: str = "*"
    path: str = "*"
    caller: str = "*"
    after: int = 0
    times: int = 0
    share: float = 1.0
    seed: int = 0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    seconds: float = 0.0
    number: int = 0
    severity: int = 0  # 0: the number's own
    state: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(f"there is no fault of the kind {self.kind!r}; there are {', '.join(KINDS)}")
        parts, needed = KINDS[self.kind]
        if self.part != "*" and self.part not in PARTS:
            raise FaultError(f"there is no part {self.part!r}; there are {', '.join(PARTS)}")
        if self.part != "*" and self.part not in parts:
            raise FaultError(f"{self.kind} is not a fault of {self.part}, but of {', '.join(parts)}")
        for name in needed:
            if not getattr(self, name):
                raise FaultError(f"{self.kind} needs {name}")
        for name in ("status", "headers", "code", "seconds", "number", "severity", "state"):
            if getattr(self, name) and name not in (*needed, *_OPTIONAL.get(self.kind, ())):
                raise FaultError(f"{self.kind} has no {name}")
        if self.status and not 400 <= self.status <= 599:
            raise FaultError("status is from 400 to 599")
        if not 0 < self.share <= 1:
            raise FaultError("share is more than 0 and at most 1")
        if self.after < 0 or self.times < 0 or self.seconds < 0 or self.number < 0:
            raise FaultError("after, times, seconds and number are not negative")
        if not (0 <= self.severity <= 25 and 0 <= self.state <= 255):
            raise FaultError("severity is from 0 to 25, state from 0 to 255")

    def matches(self, part: str, method: str, path: str, caller: str) -> bool:
        """Whether a request is one that this rule is about."""
        if self.part not in ("*", part) or part not in KINDS[self.kind][0]:
            return False
        named = _like(method, self.method) or (part == SQL and _like(method, f"{self.method} *"))
        return named and _like(path, self.path) and _like(caller, self.caller)

    def strikes(self, index: int, met: int) -> bool:
        """Whether the match number `index` (from 0) meets the fault, when `met` earlier ones did."""
        if index < self.after or (self.times and met >= self.times):
            return False
        # A generator of its own for each match: the answer depends on nothing that happened before.
        return self.share >= 1 or random.Random(f"{self.seed}/{index}").random() < self.share  # noqa: S311

    def document(self) -> dict[str, Any]:
        """The rule as JSON has it, without what is not said."""
        defaults = {each.name: each.default for each in fields(self)}
        return {key: value for key, value in asdict(self).items() if value != defaults[key] and value != {}}


def _like(text: str, pattern: str) -> bool:
    return pattern == "*" or fnmatch.fnmatchcase(text.lower(), pattern.lower())


class Faults:
    """The rules of a running sandbox, with the counts of what they matched; safe from any thread."""

    def __init__(self, directory: Path) -> None:
        self._rules: Watched[tuple[Fault, ...]] = Watched(directory / FAULTS, _read, ())
        self._matched: Counter[str] = Counter()
        self._met: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def active(self) -> bool:
        """Whether there are any rules now."""
        return bool(self._rules.now())

    def meet(self, part: str, method: str, path: str, caller: str) -> Fault | None:
        """The fault that a request meets, if any: the first rule that strikes. Every rule that matches counts it."""
        rules = self._rules.now()
        if not rules:
            return None
        found: Fault | None = None
        with self._lock:
            for rule in rules:
                if not rule.matches(part, method, path, caller):
                    continue
                index = self._matched[rule.id]
                self._matched[rule.id] += 1
                if found is None and rule.strikes(index, self._met[rule.id]):
                    self._met[rule.id] += 1
                    found = rule
        return found


def _read(data: bytes) -> tuple[Fault, ...]:
    try:
        return tuple(_parse(data)[1])
    except (ValueError, TypeError, KeyError):
        logger.exception("%s cannot be read; there are no faults until it is mended", FAULTS)
        return ()


def _parse(data: bytes) -> tuple[int, list[Fault]]:
    document = json.loads(data)
    return int(document["next"]), [Fault(**each) for each in document["faults"]]


# What the command line does with the file


def listed(directory: Path) -> list[Fault]:
    """The rules in a sandbox's directory, oldest first."""
    return _load(directory)[1]


def add(directory: Path, fault: Fault) -> Fault:
    """Add a rule and return it with its id, which no other rule of this directory ever had."""
    with _changing(directory):
        number, kept = _load(directory)
        made = replace(fault, id=f"f{number}")
        _store(directory, number + 1, [*kept, made])
    return made


def remove(directory: Path, identifier: str) -> bool:
    """Remove a rule; False when there is none of that id."""
    with _changing(directory):
        number, kept = _load(directory)
        rest = [fault for fault in kept if fault.id != identifier]
        _store(directory, number, rest)
    return len(rest) < len(kept)


def clear(directory: Path) -> int:
    """Remove every rule; how many there were."""
    with _changing(directory):
        number, kept = _load(directory)
        _store(directory, number, [])
    return len(kept)


def _load(directory: Path) -> tuple[int, list[Fault]]:
    try:
        return _parse((directory / FAULTS).read_bytes())
    except FileNotFoundError:
        return 1, []
    except (ValueError, TypeError, KeyError) as error:
        raise FaultError(f"{directory / FAULTS} cannot be read: {error}") from error


def _store(directory: Path, number: int, faults: list[Fault]) -> None:
    document = {"next": number, "faults": [fault.document() for fault in faults]}
    write_private(directory / FAULTS, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())


@contextlib.contextmanager
def _changing(directory: Path) -> Iterator[None]:
    """One writer at a time."""
    lock = os.open(directory / "faults.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
