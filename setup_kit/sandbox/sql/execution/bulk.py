"""Bulk load: INSERT BULK, then the rows in a message of their own.

What BULK INSERT's page of the T-SQL reference says of the options holds here: without KEEP_NULLS a NULL takes the
column's default, without KEEP_IDENTITY identity values are made anew, without CHECK_CONSTRAINTS no CHECK and no FOREIGN
KEY constraint is looked at, which takes ALTER on the table. There are no triggers, and a table is always locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from setup_kit.sandbox.sql import errors, permissions
from setup_kit.sandbox.sql.compiler.bound import Slot
from setup_kit.sandbox.sql.compiler.outputs import Insert
from setup_kit.sandbox.sql.compiler.targets import Target, default_slot, find_target, left_out
from setup_kit.sandbox.sql.execution import integrity, writes
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.storage.catalog import Column, fold
from setup_kit.sandbox.sql.tds.bulk import BulkColumn, BulkLoad
from setup_kit.sandbox.sql.values import conversions
from setup_kit.sandbox.sql.values.types import Converter, Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_Row = Sequence[Stored]


def prepare(session: Session, statement: s.InsertBulk) -> None:
    """Check that the rows may come: 208, 207, 229, 1088; they follow in the next message."""
    with session.transactions.reads():
        session.catalog_now()
        _columns(session, statement, _target(session, statement))
    session.bulk = statement


def load(session: Session, rows: s.BulkRows) -> int:
    """Insert the rows of a bulk load's message; how many. All of them or none."""
    statement, session.bulk = session.bulk, None
    if statement is None:
        raise errors.ProtocolError("a bulk load without INSERT BULK")
    with session.transactions.writes():
        session.catalog_now()
        incoming = BulkLoad(rows.source)
        plan = _plan(session, statement, incoming.columns)
        shaped = plan.shape(session, incoming.rows())
        table = plan.insert.target.table
        before = integrity.last_row(session, table)
        count = writes.load_rows(session, plan.insert, shaped)
        if "CHECK_CONSTRAINTS" in statement.options:
            integrity.verify_after(session, table, before)
    return count


def _target(session: Session, statement: s.InsertBulk) -> Target:
    node = exp.table_(statement.table.name, db=statement.table.schema, quoted=True)
    target = find_target(session.executor.compiler(), node)
    securable = permissions.of_object(target.table)
    session.permissions.require("INSERT", securable)
    keeps_identity = "KEEP_IDENTITY" in statement.options and any(c.identity for c in target.table.columns)
    constrained = bool(target.table.checks or target.table.foreign_keys)
    skips_constraints = constrained and "CHECK_CONSTRAINTS" not in statement.options
    if (keeps_identity or skips_constraints) and not session.permissions.holds("ALTER", securable):
        raise errors.cannot_find_index_object(str(statement.table))
    return target


def _columns(session: Session, statement: s.InsertBulk, target: Target) -> list[Column]:
    found = []
    for name in statement.columns:
        column = target.table.columns_by_name.get(fold(name))
        if column is None:
            raise errors.invalid_column(name)
        if column in found:
            raise errors.error(264, name)
        found.append(column)
    return found


@dataclass(frozen=True)
class _Plan:
    """How rows as they come become rows of the table.

    `dropped` are positions of values that are not taken; `converters` and `defaults` (for NULL) go by position.
    """

    insert: Insert
    dropped: tuple[int, ...]
    converters: tuple[tuple[int, Converter], ...]
    defaults: tuple[tuple[int, Slot], ...]
    filled: tuple[Slot, ...]

    def shape(self, session: Session, rows: Iterable[_Row]) -> Iterable[_Row]:
        if not (self.dropped or self.converters or self.defaults or self.filled):
            return rows
        return self._shape(session, rows)

    def _shape(self, session: Session, rows: Iterable[_Row]) -> Iterator[_Row]:
        for given in rows:
            row = list(given)
            for at in self.dropped:
                del row[at]
            for at, convert in self.converters:
                value = row[at]
                if value is not None:
                    row[at] = convert(value)
            if self.defaults and None in row:
                for at, slot in self.defaults:
                    if row[at] is None:
                        row[at] = slot(session)
            for slot in self.filled:
                row.append(slot(session))
            yield row


def _plan(session: Session, statement: s.InsertBulk, incoming: Sequence[BulkColumn]) -> _Plan:
    target = _target(session, statement)
    named = _columns(session, statement, target)
    if len(incoming) != len(named):
        raise _wrong_type(min(len(incoming), len(named)) + 1)
    compiler = session.executor.compiler()
    shown = f"{session.database.name}.{target.shown}"
    keeps_identity = "KEEP_IDENTITY" in statement.options
    dropped = [at for at, column in enumerate(named) if column.identity and not keeps_identity]
    given = [(number, c, wire) for number, (c, wire) in enumerate(zip(named, incoming, strict=True), 1)
             if keeps_identity or not c.identity]  # fmt: skip
    columns = [column for _, column, _ in given]
    converters: list[tuple[int, Converter]] = []
    defaults: list[tuple[int, Slot]] = []
    for at, (number, column, wire) in enumerate(given):
        try:
            convert = conversions.column_converter(wire.info.type, column.type, shown, column.name)
        except errors.SqlError as error:
            raise _wrong_type(number) from error
        if convert is not None:
            converters.append((at, convert))
        if column.default_text is not None and "KEEP_NULLS" not in statement.options:
            defaults.append((at, default_slot(compiler, target, column)))
    rest, filled, identity = left_out(compiler, target, columns)
    kept = identity if identity in columns else None
    insert = Insert(compiler.program, target, (*columns, *rest), identity=None if kept is not None else identity)
    return _Plan(insert, tuple(reversed(dropped)), tuple(converters), tuple(defaults), filled)


def _wrong_type(number: int) -> errors.SqlError:
    return errors.error(4816, number)
