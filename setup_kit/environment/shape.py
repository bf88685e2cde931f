"""What the models know of a key: which keys a section has, and which section lies below one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from pydantic.fields import FieldInfo

from setup_kit.environment.models import Environment, Section


def keys(section: type[Section]) -> dict[str, FieldInfo]:
    """The keys of a section as the file spells them, in order."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def section_below(annotation: Any) -> type[Section] | None:
    """The section that a value of this type is, or (for a list) that each of its items is."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for part in get_args(annotation):
        found = section_below(part)
        if found is not None:
            return found
    return None


def walk(section: type[Section] = Environment, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of the file, as the keys that lead to it."""
    for name, field in keys(section).items():
        yield (*above, name)
        below = section_below(field.annotation)
        if below is not None:
            yield from walk(below, (*above, name))


@cache
def homes() -> dict[str, tuple[tuple[str, ...], ...]]:
    """For the name of a key, every place it has in the file."""
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for key in walk():
        found[key[-1]] = (*found.get(key[-1], ()), key)
    return found
