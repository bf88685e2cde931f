"""Faults that logins and statements meet on purpose: the endpoint is told of them, and has them happen."""

from __future__ import annotations

import uuid
from typing import Protocol

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.errors import SqlError
from setup_kit.sandbox.sql.messages import Message

#: From this class on an error ends the connection ("Database Engine error severities").
_FATAL = 20

#: Errors of Azure SQL Database under load ("Troubleshoot transient connection errors"), which only a fault raises here.
_TEXTS = {
    10929: Message(
        20,
        "Resource ID: %d. The %ls minimum guarantee is %d, maximum limit is %d, and the current usage for the database "
        "is %d. However, the server is currently too busy to support requests greater than %d for this database. See "
        "http://go.microsoft.com/fwlink/?LinkId=267637 for assistance. Otherwise, please try again later.",
    ),
    40197: Message(
        17, "The service has encountered an error processing your request. Please try again. Error code %d.",
        ends_session=True,
    ),
    40501: Message(
        20, "The service is currently busy. Retry the request after 10 seconds. Incident ID: %ls. Code: %d."
    ),
    49918: Message(16, "Cannot process request. Not enough resources to process request."),
    49919: Message(16, "Cannot process create or update request. Too many create or update operations in progress."),
    49920: Message(16, "Cannot process request. Too many operations in progress."),
}  # fmt: skip


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
    arguments = _arguments(number, server, database, spid)
    try:
        found = errors.error(number, *arguments, severity=severity, state=state)
    except KeyError:
        unknown = Message(16, f"Error {number}, which a fault of the sandbox raises; its text is not known here.")
        message = _TEXTS.get(number, unknown)
        found = SqlError(
            number, message.fill(*arguments), severity or message.severity, state or message.state,
            ends_batch=True, ends_session=message.ends_session,
        )  # fmt: skip
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
        return 1, "request", 200, 200, 200, 200
    if number == 40197:
        return (4221,)
    if number == 40501:
        return str(uuid.uuid4()).upper(), 524289
    return database, server, str(uuid.uuid4()).upper()
