"""Variables on their way into a column."""

from __future__ import annotations

from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.storage.catalog import Column
from setup_kit.sandbox.sql.values import conversions
from setup_kit.sandbox.sql.values.types import Converter, SqlType, Stored


class Intake:
    """How values of whatever type come into a column."""

    __slots__ = ("_column", "_known", "_table")

    def __init__(self, table: str, column: Column) -> None:
        self._table = table  # with its database and schema, as messages have it
        self._column = column
        self._known: dict[SqlType, Converter | None] = {}

    def converter(self, kind: SqlType) -> Converter | None:
        """For values of a type that are not NULL; None when they go in as they are."""
        if kind not in self._known:
            if len(self._known) > 256:
                self._known.clear()
            column = self._column
            self._known[kind] = conversions.column_converter(kind, column.type, self._table, column.name)
        return self._known[kind]

    def take(self, value: Stored, kind: SqlType) -> Stored:
        convert = self.converter(kind)
        return value if value is None or convert is None else convert(value)


class Given:
    """The slot of a variable that goes into a column. There are many of these: they are kept small."""

    __slots__ = ("intake", "name")

    def __init__(self, name: str, intake: Intake) -> None:
        self.name = name
        self.intake = intake

    def __call__(self, runtime: Runtime) -> Stored:
        return self.intake.take(runtime.variables[self.name], runtime.variable_types[self.name])
