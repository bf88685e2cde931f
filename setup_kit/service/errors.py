"""What the service answers when it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True)
class Problem:
    """One thing that stands in the way: a code for programs, the exact thing concerned, a sentence for people."""

    code: str
    target: str
    message: str

    def to_wire(self) -> dict[str, str]:
        # The members of an error's Details are *assumed*.
        return {"Code": self.code, "Target": self.target, "Message": self.message}


class ServiceError(Exception):
    """Becomes the error body `{"CorrelationId", "Message", "Details"}` with `status`."""

    def __init__(self, status: int, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.status = int(status)
        self.message = message
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> ServiceError:
        """All problems of one request: every sentence in the message, every problem in the details."""
        return cls(HTTPStatus.BAD_REQUEST, " ".join(problem.message for problem in problems), problems)

    def to_wire(self, correlation_id: str) -> dict[str, object]:
        details = [problem.to_wire() for problem in self.problems]
        return {"CorrelationId": correlation_id, "Message": self.message, "Details": details}


def bad_request(message: str) -> ServiceError:
    return ServiceError(HTTPStatus.BAD_REQUEST, message)


def not_found(message: str) -> ServiceError:
    return ServiceError(HTTPStatus.NOT_FOUND, message)


def forbidden(message: str) -> ServiceError:
    return ServiceError(HTTPStatus.FORBIDDEN, message)


class OutsideError(Exception):
    """Something that the service needs refused it or did not answer: `what` is unwell, and why. Holds no secret."""

    def __init__(self, what: str, why: str, status: int = 0) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why
        self.status = status
