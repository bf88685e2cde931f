"""Arguments of a call: which declared parameter takes which of the values given, and what goes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.errors import SqlError
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.tds.parameters import Parameter
from setup_kit.sandbox.sql.values.conversions import converter
from setup_kit.sandbox.sql.values.types import SqlType, Stored


@dataclass(frozen=True)
class Outcome:
    """What a call leaves: its return code, and what output parameters hold, by their position among those given."""

    status: int = 0
    outputs: Mapping[int, tuple[SqlType, Stored]] = field(default_factory=dict)


#: Errors of single values: where they go into a parameter all of them are 8114.
_OF_VALUES = frozenset((220, 235, 241, 242, 245, 248, 8115, 8169))


def coerce(kind: SqlType, value: Stored, target: SqlType) -> Stored:
    """A parameter's value as the type it is declared with."""
    if value is None or kind == target:
        return value
    convert = converter(kind, target)
    try:
        return convert(value) if convert is not None else value
    except SqlError as error:
        if error.number in _OF_VALUES:
            raise errors.type_conversion_failed(kind.name, target.name) from error
        raise


def given_value(parameter: Parameter, target: SqlType) -> Stored:
    """The value given for a parameter that is declared as `target`; 206 for a table."""
    if parameter.table is not None:
        raise errors.type_clash(parameter.table.type_name or "table", target.name)
    return coerce(parameter.type, parameter.value, target)


def match(label: str, declared: Sequence[str], given: Sequence[Parameter]) -> list[int | None]:
    """For each declared name the position among `given` of what it takes: by name, else by position.

    8144 for too many, 8145 for a name that is not declared, 8143 for one that comes twice.
    """
    if len(given) > len(declared):
        raise errors.error(8144, label)
    places: list[int | None] = [None] * len(declared)
    numbers: dict[str, int] | None = None
    for at, parameter in enumerate(given):
        number = at
        if parameter.name:
            numbers = numbers or {fold(name): place for place, name in enumerate(declared)}
            found = numbers.get(fold(parameter.name.removeprefix("@")))
            if found is None:
                raise errors.error(8145, parameter.name, label)
            number = found
        if places[number] is not None:
            raise errors.error(8143, f"@{declared[number]}")
        places[number] = at
    return places


def leading(label: str, names: Sequence[str], given: Sequence[Parameter], least: int) -> list[Parameter]:
    """The first arguments of a system procedure in the order of `names`; 201 where one of the `least` first is missing.

    What follows them belongs to the statement that the procedure runs.
    """
    places = match(label, names, given[: len(names)])
    for name, place in zip(names[:least], places, strict=False):
        if place is None:
            raise missing(label, name)
    return [given[place] for place in places if place is not None]


def missing(label: str, name: str) -> SqlError:
    return errors.error(201, label, f"@{name}")


def check_output(name: str, given: Parameter, *, declared: bool) -> None:
    """8162 for a value that is wanted back of a parameter that gives none."""
    if given.output and not declared:
        raise errors.error(8162, f"@{name}")
