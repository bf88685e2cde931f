"""The head of a runbook: title, summary, time, roles, and the inputs with their types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from setup_kit.runbooks.condition import parse_condition
from setup_kit.runbooks.inputs import InputError, check_value, given_by_environment
from setup_kit.runbooks.problems import Problem
from setup_kit.runbooks.runbook import Input, Kind

FENCE = "---"
# Lower case, so that an input never is a variable that shell or programs heed; these are, all the same.
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
HEEDED = re.compile(r".*_proxy")


@dataclass(frozen=True)
class Head:
    """`lines` is how many lines of the file it takes, fences included."""

    title: str
    summary: str
    time: str
    roles: tuple[str, ...]
    inputs: Mapping[str, Input]
    lines: int


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    type: str = "string"
    description: str = Field(min_length=1)
    default: str | int | None = None
    choices: list[str] = []
    pattern: str = ""
    minimum: int | None = None
    maximum: int | None = None
    secret: bool = False
    when: str = ""


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field(min_length=1)
    summary: str = Field(min_length=1)
    time: str = ""
    roles: list[str] = []
    inputs: dict[str, _Input] = {}


EMPTY = Head("", "", "", (), {}, 0)


def read_head(lines: list[str]) -> tuple[Head, list[Problem]]:
    """The head that stands between two lines `---` at the start, and what is wrong with it."""
    if not lines or lines[0].rstrip() != FENCE:
        return EMPTY, [Problem(1, "does not start with front matter: a line --- with title, summary, inputs, and ---")]
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        return EMPTY, [Problem(1, "the front matter has no end: a second line ---")]
    try:
        document = yaml.safe_load("\n".join(lines[1:end]))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        return EMPTY, [Problem(line, f"the front matter is not YAML: {error.problem}")]
    except (yaml.YAMLError, ValueError) as error:
        return EMPTY, [Problem(1, f"the front matter is not YAML: {error}")]
    try:
        head = _Head.model_validate(document)
    except ValidationError as error:
        return EMPTY, [_problem(lines, each["loc"], each["msg"]) for each in error.errors()]
    inputs: dict[str, Input] = {}
    problems = []
    for name, written in head.inputs.items():
        try:
            inputs[name] = _input(name, written, inputs)
        except ValueError as error:
            problems.append(_problem(lines, ("inputs", name), str(error)))
    return Head(head.title, head.summary, head.time, tuple(head.roles), inputs, end + 1), problems


def _problem(lines: list[str], place: tuple[Any, ...], message: str) -> Problem:
    """At the line that names the last key of the place that is written there."""
    dotted = ".".join(map(str, place))
    for key in reversed(place):
        for number, line in enumerate(lines, 1):
            if re.match(rf"[\s{{]*{re.escape(str(key))}\s*:", line):
                return Problem(number, f"{dotted}: {message}")
    return Problem(1, f"{dotted}: {message}" if dotted else message)


def _input(name: str, written: _Input, earlier: Mapping[str, Input]) -> Input:
    """Raises ValueError with what is wrong."""
    if not NAME.fullmatch(name) or HEEDED.fullmatch(name):
        raise ValueError("is no name of an input: lower-case letters, digits and _, and none that programs heed")
    kinds = [kind.value for kind in Kind]
    if written.type not in kinds:
        raise ValueError(f"the type {written.type!r} is none of {', '.join(kinds)}")
    kind = Kind(written.type)
    if (kind is Kind.CHOICE) is not bool(written.choices):
        raise ValueError("a choice has choices, and nothing else has")
    if kind is not Kind.INTEGER and (written.minimum, written.maximum) != (None, None):
        raise ValueError("only an integer has a minimum or a maximum")
    if written.pattern and kind is not Kind.STRING:
        raise ValueError("only a string has a pattern")
    try:
        re.compile(written.pattern)
    except re.error as error:
        raise ValueError(f"the pattern is no regular expression: {error}") from None
    if written.secret and written.default is not None:
        raise ValueError("a secret has no default: it would stand in this file")
    condition = parse_condition(written.when) if written.when else None
    above = set(earlier).union(*map(given_by_environment, earlier.values()))
    if condition is not None and condition.name not in above:
        raise ValueError(f"its condition asks for {condition.name}, which is no input above it")
    made = Input(
        name,
        kind,
        " ".join(written.description.split()),
        None if written.default is None else str(written.default),
        tuple(written.choices),
        written.pattern,
        written.minimum,
        written.maximum,
        written.secret,
        condition,
    )
    if made.default and kind is not Kind.ENVIRONMENT:
        try:
            check_value(made, made.default)
        except InputError as error:
            raise ValueError(f"its default is refused: {error.what}") from None
    return made
