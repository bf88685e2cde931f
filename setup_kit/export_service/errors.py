"""What the Data Export Service refuses, and why."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from setup_kit.errors import KitError


@dataclass(frozen=True)
class Problem:
    """One entry of an error body's `Details`.

    `code` is the service's word for the kind of problem, `target` the exact thing it is about ("INSERT on schema dbo");
    both are empty where the service sent a plain text.
    """

    code: str
    target: str
    message: str


@dataclass(frozen=True)
class ErrorBody:
    """`{"CorrelationId", "Message", "Details"}`; `message` is the body itself where it was nothing of the kind."""

    message: str
    correlation_id: str
    problems: tuple[Problem, ...]


class RefusedError(KitError):
    """The service answered with an error. `problems` are the single things it named, perhaps none."""

    def __init__(
        self, what: str, status: int, body: ErrorBody, *, why: str = "", remedy: str = "", link: str = ""
    ) -> None:
        original = "; ".join([body.message, *(f"{p.code} {p.target}: {p.message}".strip(" :") for p in body.problems)])
        if body.correlation_id:
            original += f" (correlation id {body.correlation_id})"
        super().__init__(what, why=why or body.message, remedy=remedy, link=link, original=f"HTTP {status}: {original}")
        self.status = status
        self.message = body.message
        self.problems = body.problems
        self.correlation_id = body.correlation_id


class UnreachableError(KitError):
    """A host did not answer, or what answered is not what was expected there."""


# A service that quotes a connection string or a shared access signature must not put it on our screen.
_CONFIDENTIAL = re.compile(r"(?i)\b(password|pwd|sig)\s*=\s*(\"[^\"]*\"|'[^']*'|[^;&\s]+)")


def without_secrets(text: str) -> str:
    """The text with the values of passwords and signatures struck out."""
    return _CONFIDENTIAL.sub(r"\1=***", text)


def read_error(text: str) -> ErrorBody:
    """Reads an error's body. `Details` may be a list of objects *(assumed)* or texts, one object, a text, or null."""
    text = without_secrets(text)
    try:
        document = json.loads(text)
    except ValueError:
        return ErrorBody(text.strip()[:500], "", ())
    if not isinstance(document, dict):
        return ErrorBody(str(document)[:500], "", ())
    fields = {str(name).lower(): value for name, value in document.items()}
    return ErrorBody(
        message=str(fields.get("message") or ""),
        correlation_id=str(fields.get("correlationid") or ""),
        problems=_problems(fields.get("details")),
    )


def _problems(details: Any) -> tuple[Problem, ...]:
    if details is None or details == "":
        return ()
    if isinstance(details, str):
        return (Problem("", "", details),)
    if isinstance(details, dict):
        fields = {str(name).lower(): value for name, value in details.items()}
        return (
            Problem(
                code=str(fields.get("code") or ""),
                target=str(fields.get("target") or ""),
                message=str(fields.get("message") or fields.get("description") or ""),
            ),
        )
    if isinstance(details, list):
        return tuple(problem for entry in details for problem in _problems(entry))
    return (Problem("", "", str(details)),)
