"""Table-valued parameters: rows that a caller hands to a procedure or to a text with parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.targets import Target, left_out
from setup_kit.sandbox.sql.execution import writes
from setup_kit.sandbox.sql.storage.catalog import DatabaseObject
from setup_kit.sandbox.sql.tds.parameters import Parameter
from setup_kit.sandbox.sql.values import conversions
from setup_kit.sandbox.sql.values.tables import TableValue
from setup_kit.sandbox.sql.values.types import Converter, Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


#: A table type and the rows for it.
TableArgument = tuple[DatabaseObject, TableValue | None]


def argument(kind: DatabaseObject, given: Parameter | None) -> TableArgument:
    """206 for a value that is no table; a table-valued parameter that is left out is empty."""
    if given is not None and given.table is None and not given.default:
        raise errors.type_clash(given.type.name, kind.name)
    return kind, None if given is None else given.table


def bind(session: Session, name: str, table_type: DatabaseObject, value: TableValue | None) -> None:
    """Make `value` the table `@name` of the scope that has just begun; None is an empty table."""
    table = session.local_tables.create(f"@{name}", table_type.columns, table_type.keys, table_type.checks, kind="TT")
    if value is None or not value.columns:
        return
    if len(value.columns) + len(value.defaulted) != len(table.columns):
        raise errors.error(500, len(value.columns) + len(value.defaulted), len(table.columns))
    target = Target(table, "dbo")
    sent = [column for number, column in enumerate(table.columns) if number not in value.defaulted]
    given = [(number, column) for number, column in enumerate(sent) if column.given]
    columns = [column for _, column in given]
    convert = [
        (number, _converter(conversions.column_converter(value.columns[number], column.type, f"@{name}", column.name)))
        for number, column in given
    ]
    rest, filled, identity = left_out(session.executor.compiler(), target, columns)
    rows = ([change(row[number]) for number, change in convert] for row in value.rows)
    writes.fill(session, target, (*columns, *rest), rows, filled, identity)


def _converter(convert: Converter | None) -> Callable[[Stored], Stored]:
    if convert is None:
        return lambda value: value
    used = convert
    return lambda value: None if value is None else used(value)


def rows_of(session: Session, table: DatabaseObject) -> TableValue:
    """The rows of a table variable, to be handed on."""
    sent = [column for column in table.columns if column.given]
    names = ", ".join(column.physical for column in sent)
    rows = session.connection.execute(f"SELECT {names} FROM {table.stored} ORDER BY rowid").fetchall()  # noqa: S608
    made = frozenset(number for number, column in enumerate(table.columns) if not column.given)
    return TableValue("", "", tuple(column.type for column in sent), rows, made)
