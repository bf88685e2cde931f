"""A table as a value: what a client sends as a table-valued parameter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from setup_kit.sandbox.sql.values.types import SqlType, Stored


@dataclass(frozen=True, slots=True)
class TableValue:
    """`schema` and `type_name` are as the client gave them, and perhaps empty.

    `columns` are the types of the values in `rows`, which may be gone through again and again. `defaulted` are
    positions of columns for which there are no values, in the order of the table type: they take their defaults.
    """

    schema: str
    type_name: str
    columns: tuple[SqlType, ...]
    rows: Iterable[tuple[Stored, ...]]
    defaulted: frozenset[int] = frozenset()
