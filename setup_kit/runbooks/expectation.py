"""What a command must answer: its exit code, words in its output, values in its JSON, and within what time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

# How much of a JSON value is shown when it is not the expected one.
SHOWN = 300


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Expectation:
    """`json` maps JMESPath expressions (those of `az --query`) on standard output to the values they must have.

    `within` is the seconds for which the command is repeated until all this holds, with pauses of `every` seconds;
    None: it is run once, for as long as it takes.
    """

    exit: int = 0
    text: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    json: Mapping[str, Any] = field(default_factory=dict)
    within: int | None = None
    every: int = 5

    def __str__(self) -> str:
        parts = [f"exit code {self.exit}"]
        parts += [f"the text {text!r}" for text in self.text]
        parts += [f"no text {text!r}" for text in self.absent]
        parts += [f"{query} = {json.dumps(value)}" for query, value in self.json.items()]
        return ", ".join(parts) + (f", within {self.within} s" if self.within is not None else "")

    def misses(self, answer: Answer) -> list[str]:
        """What of it does not hold, each as a sentence; empty when everything does."""
        missed = []
        if answer.code != self.exit:
            missed.append(f"expected exit code {self.exit}, seen {answer.code}")
        missed += [
            f"expected the text {text!r}, not seen" for text in self.text if text not in answer.out + "\n" + answer.err
        ]
        missed += [f"expected no text {text!r}, seen" for text in self.absent if text in answer.out + "\n" + answer.err]
        return missed + (self._wrong_values(answer.out) if self.json else [])

    def _wrong_values(self, out: str) -> list[str]:
        try:
            document = json.loads(out)
        except ValueError:
            return [f"expected one JSON document on standard output, seen {_short(out)!r}"]
        wrong = []
        for query, expected in self.json.items():
            try:
                seen = jmespath.search(query, document)
            except jmespath.exceptions.JMESPathError as error:
                wrong.append(f"expected {query} = {json.dumps(expected)}, but {error}")
                continue
            # To Python 1 is True; to JSON it is not.
            if seen != expected or isinstance(seen, bool) is not isinstance(expected, bool):
                wrong.append(f"expected {query} = {json.dumps(expected)}, seen {_short(json.dumps(seen))}")
        return wrong


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


class _Written(BaseModel):
    """The `yaml expect` block as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    exit: int = Field(default=0, ge=0, le=255)
    text: str | list[str] = []
    absent: str | list[str] = []
    json_: dict[str, Any] = Field(default={}, alias="json")
    within: int | None = Field(default=None, ge=1, le=86_400)
    every: int = Field(default=5, ge=1, le=3_600)


def parse_expectation(text: str) -> Expectation:
    """The expectation of a `yaml expect` block. Raises ValueError with a sentence for a person."""
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"the expectation is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict) or not document:
        raise ValueError("the expectation holds nothing; give exit, text, absent, json, within or every")
    try:
        written = _Written.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"the expectation's {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if "every" in document and written.within is None:
        raise ValueError("the expectation's every has no meaning without within")
    for query in written.json_:
        try:
            jmespath.compile(query)
        except jmespath.exceptions.JMESPathError as error:
            raise ValueError(f"the expectation's json: {query} is no JMESPath: {str(error).splitlines()[0]}") from None
    texts, absent = _listed(written.text), _listed(written.absent)
    if "" in (*texts, *absent):
        raise ValueError("the expectation's text and absent are not empty")
    return Expectation(written.exit, texts, absent, written.json_, written.within, written.every)


def _listed(words: str | list[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)
