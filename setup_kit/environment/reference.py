"""Every key of the environment file as people look it up: what it is for, its type, default, rules and an example."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import annotated_types
from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from setup_kit.environment import shape
from setup_kit.environment.inheritance import EXTENDS
from setup_kit.environment.models import Environment, Section
from setup_kit.environment.writing import scalar

GUID = UUID("11111111-2222-3333-4444-555555555555")


@dataclass(frozen=True)
class Key:
    """`name` is dotted, a list's items marked with []; `example` is YAML of the key alone, in its place in the file.

    `default` is None where there is none: the key is required then, unless it is a section whose keys have defaults.
    """

    name: str
    type: str
    description: str
    required: bool
    default: str | None
    rules: tuple[str, ...]
    source: str
    example: str


def keys() -> tuple[Key, ...]:
    """All keys, in the order of a file."""
    extends = Key(
        EXTENDS,
        "text",
        "Another environment file, relative to this one, that gives whatever this one leaves out.",
        required=False,
        default="none",
        rules=("Mappings are laid over each other key by key; a list replaces the other file's list.",),
        source="",
        example=f"{EXTENDS}: base.yaml",
    )
    return (extends, *_section(Environment, (), ()))


def _section(section: type[Section], above: tuple[str, ...], frames: tuple[str, ...]) -> Iterator[Key]:
    """`frames` are the lines of YAML that the section stands below, outermost first."""
    checked = _rules_of_section(section)
    for name, field in shape.keys(section).items():
        below = shape.section_below(field.annotation)
        listed = below is not None and get_origin(field.annotation) is tuple
        path = (*above, name)
        docstrings = [*_docstrings(field.annotation, field.metadata), *checked.get(name, ())]
        own = _rules_of_section(below).get("", ()) if below is not None else ()
        rules, sources = _told([*docstrings, *own])
        yield Key(
            name=".".join(path),
            type=_type(field.annotation, name),
            description=(field.description or "").strip(),
            required=field.is_required(),
            default=_default(field),
            rules=(*rules, *_bounds(field)),
            source="; ".join(sources),
            example="\n".join(_framed(frames, _lines(name, field))),
        )
        if below is not None:
            inner = (*above, f"{name}[]" if listed else name)
            yield from _section(below, inner, (*frames, f"{name}:", *(["-"] if listed else [])))


def _framed(frames: tuple[str, ...], lines: list[str]) -> list[str]:
    """The lines below the keys that lead to them; a frame "-" makes an item of a list of them."""
    framed = lines
    for frame in reversed(frames):
        if frame == "-":
            framed = [f"- {framed[0]}", *(f"  {line}" for line in framed[1:])]
        else:
            framed = [frame, *(f"  {line}" for line in framed)]
    return framed


def _lines(name: str, field: FieldInfo) -> list[str]:
    """The key with an example as its value; of a section its first keys that are required, or all when none is."""
    section = shape.section_below(field.annotation)
    if section is None or name == "cloud":
        return [f"{name}: {_flow(_example(field))}"]
    inner = shape.keys(section)
    wanted = {key: each for key, each in inner.items() if each.is_required()} or inner
    if section.__name__ == "Administrator":
        wanted = dict(list(wanted.items())[:1])
    elif section.__name__ == "Sql":  # one of the two places of a database
        wanted = {"server": inner["server"]} | wanted
    lines = [line for key, each in wanted.items() for line in _lines(key, each)]
    if get_origin(field.annotation) is tuple:
        lines = [f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]
    return [f"{name}:", *(f"  {line}" for line in lines)]


def _example(field: FieldInfo) -> Any:
    if field.examples:
        return field.examples[0]
    if field.annotation is UUID:
        return GUID if field.is_required() else field.default
    return field.default


def _flow(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(scalar(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {scalar(each)}' for key, each in value.items())}}}"
    return scalar(value)


def _default(field: FieldInfo) -> str | None:
    if field.is_required() or isinstance(field.default, Section):
        return None
    return "none" if field.default in (None, "", (), {}) else _flow(field.default)


_NAMES = {str: "text", int: "whole number", bool: "true or false", UUID: "GUID", dict: "mapping of text to text"}


def _type(annotation: Any, name: str) -> str:
    if name == "cloud":
        return f"one of {_either(_literals(annotation))}, or a section"
    literals = _literals(annotation)
    if literals:
        return literals[0] if len(literals) == 1 else f"one of {_either(literals)}"
    origin = get_origin(annotation) or annotation
    section = shape.section_below(annotation)
    if origin is tuple:
        return "list of sections" if section is not None else "list of text"
    if section is not None:
        return "section"
    if origin not in _NAMES:
        origin = next(_type_of(each) for each in get_args(annotation) if each is not type(None))
    return _NAMES[origin]


def _type_of(annotation: Any) -> Any:
    return get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation


def _literals(annotation: Any) -> list[str]:
    """The words that the value is one of."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(each.value) for each in annotation]
    if get_origin(annotation) is Literal:
        return [str(each) for each in get_args(annotation)]
    if get_origin(annotation) is tuple:
        return []
    return [word for each in get_args(annotation) for word in _literals(each)]


def _either(words: list[str]) -> str:
    return ", ".join(words)


def _docstrings(annotation: Any, metadata: Any) -> Iterator[str]:
    """What the functions say that check a value, or each of a list's values."""
    for each in metadata:
        if isinstance(each, AfterValidator):
            yield inspect.getdoc(each.func) or ""
    for part in get_args(annotation):
        if not (isinstance(part, type) and issubclass(part, Section)):
            yield from _docstrings(part, getattr(part, "__metadata__", ()))


def _bounds(field: FieldInfo) -> Iterator[str]:
    low = next((each.ge for each in field.metadata if isinstance(each, annotated_types.Ge)), None)
    high = next((each.le for each in field.metadata if isinstance(each, annotated_types.Le)), None)
    if low is not None and high is not None:
        yield f"From {low} to {high}."
    if any(isinstance(each, annotated_types.MinLen) for each in field.metadata):
        yield "At least one."


def _rules_of_section(section: type[Section]) -> dict[str, tuple[str, ...]]:
    """What the section's own checks say, by the key they are about, or by "" for the section as a whole."""
    decorators = section.__pydantic_decorators__
    found: dict[str, tuple[str, ...]] = {}

    def add(key: str, function: Any) -> None:
        text = inspect.getdoc(function)
        if text:
            found[key] = (*found.get(key, ()), text)

    aliases = {name: field.alias or name for name, field in section.model_fields.items()}
    for field_check in decorators.field_validators.values():
        for name in field_check.info.fields:
            add(aliases[name], field_check.func)
    for whole in decorators.model_validators.values():
        add("", whole.func)
    return found


def _told(docstrings: list[str]) -> tuple[list[str], list[str]]:
    """Rules, each a sentence or two, and where they come from."""
    rules: list[str] = []
    sources: list[str] = []
    for text in docstrings:
        rule, source = _split(text)
        if rule and rule not in rules:
            rules.append(rule)
        if source and source not in sources:
            sources.append(source)
    return rules, sources


_SOURCE = re.compile(r"Source: (.*)", re.DOTALL)


def _split(docstring: str) -> tuple[str, str]:
    """The rule, which is a docstring's first paragraph, and its source, which follows it."""
    rule, _, rest = docstring.partition("\n\n")
    source = _SOURCE.search(rest)
    return " ".join(rule.split()), " ".join(source[1].split()) if source is not None else ""
