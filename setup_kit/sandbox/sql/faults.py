"""Faults that logins and statements meet on purpose: the endpoint is told of them, and has them happen."""

from __future__ import annotations

import uuid
from typing import Protocol

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.errors import SqlError
from setup_kit.sandbox.sql.messages import MESSAGES

#: From this class on an error ends the connection ("Database Engine error severities").
_FATAL = 20


class Fault(Protocol):
    """`kind` is sql-error, reset-before, reset-after or drip (`setup_kit.sandbox.faults.Fault`); the values are 0 where
    the error's own are to be taken.
    """

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def severity(self) -> int: ...
    @property
    def state(self) -> int: ...
    @property
    def seconds(self) -> float: ...


class Faults(Protocol):
    """Says which fault a login or statement meets (`setup_kit.sandbox.faults.Faults`)."""

    @property
    def active(self) -> bool: ...
    def meet(self, part: str, method: str, path: str, caller: str) -> Fault | None: ...


class NoFaults:
    """Nothing meets any."""

    active = False

    def meet(self, part: str, method: str, path: str, caller: str) -> Fault | None:
        return None


def error_of(fault: Fault, server: str, database: str, spid: int) -> SqlError:
    """The error that a fault of the kind sql-error stands for; a number that is not listed has a text that says so."""
    number, severity, state = fault.number, fault.severity or None, fault.state or None
    if number not in MESSAGES:
        text = f"Error {number}, which a fault of the sandbox raises; its text is not known here."
        found = SqlError(number, text, severity or 16, state or 1, ends_batch=True)
    else:
        found = errors.error(number, *_arguments(number, server, database, spid), severity=severity, state=state)
    found.ends_session = found.ends_session or found.severity >= _FATAL
    return found


def killed() -> SqlError:
    """What ends the statement whose connection is broken off; its client does not see it."""
    found = errors.error(596)
    found.ends_session = True
    return found


def _arguments(number: int, server: str, database: str, spid: int) -> tuple[object, ...]:
    if number == 1205:
        return spid, "lock"
    if number in (10928, 10929):
        return 1, "request", 200
    if number in (40197, 40501):
        return number, str(uuid.uuid4()).upper(), 1
    return database, server, str(uuid.uuid4()).upper()
