"""What a runbook is, once its Markdown has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from setup_kit.runbooks.condition import Condition
from setup_kit.runbooks.expectation import Expectation


class Kind(StrEnum):
    """What an input holds: any line of text, a whole number, one of several words, an environment that exists."""

    STRING = "string"
    INTEGER = "integer"
    CHOICE = "choice"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Input:
    """A question to whoever runs the runbook. Commands find the answer in the variable `name`.

    `default` None: it must be answered. `condition`: only asked where that holds, and empty elsewhere.
    """

    name: str
    kind: Kind
    description: str
    default: str | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    minimum: int | None = None
    maximum: int | None = None
    secret: bool = False
    condition: Condition | None = None


@dataclass(frozen=True)
class Prose:
    text: str


@dataclass(frozen=True)
class Caution:
    """What a step destroys or interrupts; it is confirmed before the step's first command."""

    text: str


@dataclass(frozen=True)
class Command:
    """One `sh` block: lines of POSIX shell that run together. `line` counts from 1 in the file."""

    script: str
    line: int
    expectation: Expectation
    condition: Condition | None = None


Part = Prose | Caution | Command


@dataclass(frozen=True)
class Step:
    """A heading with at least one command below it. `number` counts from 1; `slug` is the heading's anchor."""

    number: int
    title: str
    slug: str
    line: int
    parts: tuple[Part, ...]

    @property
    def commands(self) -> tuple[Command, ...]:
        return tuple(part for part in self.parts if isinstance(part, Command))

    @property
    def opening(self) -> int:
        """How many parts stand above the first command."""
        return next(index for index, part in enumerate(self.parts) if isinstance(part, Command))

    @property
    def caution(self) -> str:
        return "\n".join(part.text for part in self.parts if isinstance(part, Caution))


@dataclass(frozen=True)
class Runbook:
    """`digest` is the SHA-256 of the file's bytes; `introduction` is the text above the first step."""

    name: str
    path: Path
    title: str
    summary: str
    time: str
    roles: tuple[str, ...]
    inputs: Mapping[str, Input]
    introduction: str
    steps: tuple[Step, ...]
    text: str
    digest: str
