"""What names mean at one place in a query, and what a compiled query is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound
from setup_kit.sandbox.sql.storage.catalog import DatabaseObject, fold
from setup_kit.sandbox.sql.tds.tokens import Column


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query's text and the columns it gives."""

    sql: str
    columns: tuple[Column, ...]

    def named(self, *names: str) -> str:
        """The query with its columns under these names."""
        return f'WITH "named"({", ".join(names)}) AS ({self.sql}) SELECT * FROM "named"'  # noqa: S608 - compiled


@dataclass(frozen=True)
class Source:
    """A table, view or subquery in FROM, under its alias."""

    alias: str
    columns: tuple[tuple[str, Bound], ...]
    object: DatabaseObject | None = None
    schema: str = ""
    label: str = ""  # its alias in the text for SQLite
    written: str = ""  # as errors name it, where that is not the alias


@dataclass
class Scope:
    """What names mean at one place: the sources here, and around it those of the enclosing query."""

    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    common: dict[str, Compiled] = field(default_factory=dict)
    uses_aggregates: bool = False
    ungrouped: list[tuple[str, str]] = field(default_factory=list)  # text and name of columns outside aggregates
    _depth: int = 0

    @contextlib.contextmanager
    def inside_aggregate(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def column(self, name: str, table: str = "", schema: exp.Expr | None = None) -> Bound:
        """207, 209 or 4104 when the name does not stand for exactly one column."""
        wanted, qualifier = fold(name), fold(table)
        found: list[tuple[Source, Bound]] = []
        known_source = False
        for source in self.sources:
            if qualifier and not self._is_called(source, qualifier, schema):
                continue
            known_source = True
            found += [(source, bound) for label, bound in source.columns if fold(label) == wanted]
        if len(found) > 1:
            raise errors.ambiguous_column(name)
        if found:
            source, bound = found[0]
            if not self._depth:
                self.ungrouped.append((bound.sql, f"{source.written or source.alias}.{bound.name}"))
            return bound
        if self.parent is not None and not (qualifier and known_source):
            return self.parent.column(name, table, schema)
        if qualifier and not known_source:
            raise errors.unbound_identifier(f"{table}.{name}")
        raise errors.invalid_column(name)

    @staticmethod
    def _is_called(source: Source, qualifier: str, schema: exp.Expr | None) -> bool:
        if schema is not None:
            return (
                source.object is not None
                and fold(source.object.name) == qualifier
                and source.schema == fold(schema.name)
            )
        return fold(source.alias) == qualifier

    def common_table(self, name: str) -> Compiled | None:
        found = self.common.get(fold(name))
        return found if found is not None else (self.parent.common_table(name) if self.parent else None)
