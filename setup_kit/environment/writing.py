"""An environment as a YAML file that people read: the keys in order, each under a line that says what it is for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from enum import Enum
from typing import Any
from uuid import UUID

import yaml
from pydantic.fields import FieldInfo

from setup_kit.environment import shape, targets
from setup_kit.environment.document import Path_
from setup_kit.environment.models import Environment, Section

WIDTH = 110


def render(environment: Environment, heading: str = "") -> str:
    """The YAML text, with `heading` as comment on top. Loading it gives an equal environment."""
    left_out = targets.left_out(machine=environment.sql.machine is not None)
    lines = [*_comment(heading, ""), "", *_section(environment, "", (), left_out)]
    return "\n".join(lines).strip("\n") + "\n"


def _section(section: Section, indent: str, above: Path_, left_out: frozenset[Path_]) -> Iterator[str]:
    values = {field.alias or name: getattr(section, name) for name, field in type(section).model_fields.items()}
    for key, field in shape.keys(type(section)).items():
        if (*above, key) in left_out:
            continue
        value = values[key]
        if not indent and isinstance(value, Section):
            yield ""
        yield from _comment(field.description or "", indent)
        if value is None:
            yield from _example(key, field, indent)
        elif isinstance(value, Section):
            yield f"{indent}{key}:"
            yield from _section(value, indent + "  ", (*above, key), left_out)
        elif isinstance(value, dict) and value:
            yield f"{indent}{key}:"
            yield from (f"{indent}  {scalar(name)}: {scalar(text)}" for name, text in value.items())
        elif isinstance(value, tuple) and value:
            yield f"{indent}{key}:"
            for item in value:
                yield from _item(item, indent + "  ")
        else:
            yield f"{indent}{key}: {'[]' if value == () else scalar(value)}"


def _item(item: Any, indent: str) -> Iterator[str]:
    if not isinstance(item, Section):
        yield f"{indent}- {scalar(item)}"
        return
    start = "- "
    for name, field in type(item).model_fields.items():
        yield f"{indent}{start}{field.alias or name}: {scalar(getattr(item, name))}"
        start = "  "


def _example(key: str, field: FieldInfo, indent: str) -> Iterator[str]:
    if field.examples:
        yield f"{indent}# {key}: {scalar(field.examples[0])}"
    else:
        yield f"{indent}# {key}:"


def _comment(text: str, indent: str) -> Iterator[str]:
    for paragraph in text.splitlines():
        yield from (f"{indent}# {line}" for line in textwrap.wrap(paragraph, WIDTH - len(indent)) or [""])


def scalar(value: object) -> str:
    """A YAML scalar on one line that is read back as this very value."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, UUID):
        value = str(value)
    if isinstance(value, str) and (not value.isprintable() or value != value.strip()):
        return _dumped(value, '"')
    text = _dumped(value, None)
    return text if "\n" not in text else _dumped(value, '"')


def _dumped(value: object, style: str | None) -> str:
    text = yaml.safe_dump(value, default_style=style, allow_unicode=True, width=2**31, explicit_end=False)
    return str(text).removesuffix("...\n").removesuffix("\n")
