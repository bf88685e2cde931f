"""What a system view is, and the registry in which the modules `views_…` and `information_schema` list theirs.

Rows are made from the picture of the catalog each time a statement reads them, and only those that the caller may see
("Metadata Visibility Configuration" of the SQL Server documentation).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from setup_kit.sandbox.sql.language.cursor import make_type
from setup_kit.sandbox.sql.tds.tokens import Column
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

Rows = Iterable[Sequence[Stored]]

#: The collation of every database here, and of the catalog.
COLLATION = "SQL_Latin1_General_CP1_CI_AS"

_COLUMN = re.compile(
    r"\s*(?P<name>\w+) (?P<type>\w+)(?:\((?P<facets>[\w,]+)\))?(?: = (?P<value>[^,]*?))?\s*(?:,|$)", re.DOTALL
)


@dataclass(frozen=True)
class SystemView:
    """A view of schema sys or INFORMATION_SCHEMA; with `arguments` a table function.

    `rows` takes the runtime and the arguments, and gives the columns that have no constant value.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    constants: tuple[tuple[int, Stored], ...]
    make_rows: Callable[..., Rows]
    arguments: int = 0

    @property
    def key(self) -> str:
        return f"{self.schema}.{self.name}".lower()

    @property
    def table(self) -> str:
        return f"{self.schema}_{self.name}".lower()

    def rows(self, *context: object) -> Iterator[Sequence[Stored]]:
        """Whole rows; `context` is the runtime and the arguments."""
        for row in self.make_rows(*context):
            if not self.constants:
                yield row
                continue
            whole = list(row)
            for index, value in self.constants:
                whole.insert(index, value)
            yield whole


class Registry:
    """Views or functions by their folded `schema.name`."""

    def __init__(self) -> None:
        self.entries: dict[str, SystemView] = {}

    def view(
        self, name: str, columns: str, *, arguments: int = 0
    ) -> Callable[[Callable[..., Rows]], Callable[..., Rows]]:
        """Register the rows of `schema.name`. `columns` is written as in CREATE TABLE, `name type` each; those with
        `= value` behind are the same in every row and left out of the rows.
        """

        def register(make_rows: Callable[..., Rows]) -> Callable[..., Rows]:
            schema, _, label = name.partition(".")
            shown, constants = _read(columns)
            found = SystemView(schema, label, shown, constants, make_rows, arguments)
            self.entries[found.key] = found
            return make_rows

        return register

    def empty(self, name: str, columns: str) -> None:
        """Register a view that has no rows here, since nothing can be made that it would show."""
        self.view(name, columns)(lambda runtime: ())


def _read(text: str) -> tuple[tuple[Column, ...], tuple[tuple[int, Stored], ...]]:
    columns: list[Column] = []
    constants: list[tuple[int, Stored]] = []
    at = 0
    while at < len(text):
        match = _COLUMN.match(text, at)
        if match is None:
            raise ValueError(f"not a column of a system view: {text[at : at + 60]!r}")
        facets = [t.MAX if part == "max" else int(part) for part in (match["facets"] or "").split(",") if part]
        kind = make_type(match["type"], facets)
        if match["value"] is not None:
            constants.append((len(columns), _constant(match["value"], kind)))
        columns.append(Column(match["name"], kind))
        at = match.end()
    return tuple(columns), tuple(constants)


def _constant(text: str, kind: SqlType) -> Stored:
    if text == "NULL":
        return None
    if kind.name in t.FLOATS:
        return float(text)
    return int(text) if kind.name in t.INTEGERS else text.strip("'")
