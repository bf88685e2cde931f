"""CREATE TABLE, ALTER TABLE, TRUNCATE TABLE and indexes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.compiler.queries import Queries
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.execution import writes
from setup_kit.sandbox.sql.execution.objects import new_object_schema, resolve
from setup_kit.sandbox.sql.language import dialect
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.cursor import Cursor
from setup_kit.sandbox.sql.storage.catalog import CatalogWriter, Column, DatabaseObject, Key, fold
from setup_kit.sandbox.sql.values import conversions
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_MOST_COLUMNS = 1024


def make_columns(
    definitions: Sequence[s.ColumnDefinition], keys: Sequence[s.KeyDefinition], table: str, first: int = 1
) -> list[Column]:
    """Columns with their numbers; those of the primary key do not take NULL. 2705 for a name that comes twice."""
    primary = {fold(name) for key in keys if key.kind == "PK" for name in key.columns}
    seen: set[str] = set()
    columns = []
    for number, definition in enumerate(definitions, first):
        if fold(definition.name) in seen:
            raise errors.error(2705, definition.name, table)
        seen.add(fold(definition.name))
        in_key = fold(definition.name) in primary
        if in_key and definition.nullable:
            raise errors.error(8111, table)
        if definition.identity and (definition.type.name not in t.INTEGERS or definition.type.name == "bit"):
            raise errors.error(2749, definition.name)
        nullable = definition.nullable if definition.nullable is not None else not (in_key or definition.identity)
        label = definition.default_name
        if definition.default_text is not None and label is None:
            label = f"DF__{table[:9]}__{definition.name[:5]}__{number:08X}"
        columns.append(
            Column(
                number, definition.name, definition.type, nullable, definition.identity, label, definition.default_text
            )
        )
    return columns


def create_table(session: Session, statement: s.CreateTable) -> None:
    name = statement.table
    if name.name.startswith("#"):  # in brackets too, as SQL Server has it
        raise errors.unsupported("temporary table")
    schema_id = new_object_schema(session, name, "CREATE TABLE", kind="U")
    columns = make_columns(statement.columns, statement.keys, name.name)
    if len(columns) > _MOST_COLUMNS:
        raise errors.error(1702, columns[_MOST_COLUMNS].name, name.name, 1024)
    writer = CatalogWriter(session.connection)
    number = writer.add_object(schema_id, name.name, "U")
    writer.add_columns(number, columns)
    table = DatabaseObject(number, schema_id, name.name, "U", 0, 0, columns=tuple(columns))
    session.connection.execute(f"CREATE TABLE main.{table.physical} ({_declared(columns)})")
    for key in statement.keys:
        add_key(session, table, key)


def _declared(columns: Iterable[Column]) -> str:
    """Columns as SQLite takes them: without a type, so that values stay as they are; with their type's collation."""
    return ", ".join(f"{c.physical} {(name := t.collation_of(c.type)) and f'COLLATE {name}'}" for c in columns)


def add_key(session: Session, table: DatabaseObject, definition: s.KeyDefinition) -> None:
    """A primary key or unique constraint, over the table's columns as given (1779, 1911, 1505)."""
    columns = []
    for name in definition.columns:
        column = table.columns_by_name.get(fold(name))
        if column is None:
            raise errors.error(1911, name)
        if column.type.length == t.MAX:
            raise errors.error(1919, column.name, table.name)
        columns.append(column)
    if definition.kind == "PK":
        if any(key.kind == "PK" for key in session.catalog_now().objects[table.id].keys):
            raise errors.error(1779, table.name)
        if any(column.nullable for column in columns):
            raise errors.error(8111, table.name)
    writer = CatalogWriter(session.connection)
    label = definition.name or f"{definition.kind}__{table.name[:8]}__{table.id:08X}{columns[0].id:04X}"
    key = writer.add_key(table.id, label, definition.kind, [column.id for column in columns])
    _create_physical_index(session, table, key)


def _create_physical_index(session: Session, table: DatabaseObject, key: Key) -> None:
    try:
        session.connection.execute(writes.unique_index(table.physical, key, table.columns))
    except sqlite3.IntegrityError:
        schema = session.catalog.schemas[table.schema_id].name
        raise errors.SqlError(
            1505, "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name "
            f"'{schema}.{table.name}' and the index name '{key.name}'.",
        ) from None  # fmt: skip


def _altered(session: Session, name: s.Name) -> DatabaseObject:
    """A table that is to be changed: 4902 when it is not there, 1088 when the caller may not."""
    found = resolve(session, name, "U")
    if found is None:
        raise errors.cannot_find_object(str(name))
    if not session.permissions.holds("ALTER", p.of_object(found)):
        raise errors.cannot_find_index_object(name.name, 13)
    return found


def alter_table(session: Session, statement: s.AlterTable) -> None:
    table = _altered(session, statement.table)
    writer = CatalogWriter(session.connection)
    if statement.add_columns:
        _add_columns(session, table, statement)
        table = session.catalog_now().objects[table.id]
    for definition in statement.add_keys:
        add_key(session, table, definition)
    if statement.alter_column is not None:
        _alter_column(session, table, statement.alter_column)
    for name in statement.drop_columns:
        _drop_column(session, table, name, if_exists=statement.if_exists)
    for name in statement.drop_constraints:
        key = next((k for k in table.keys if k.kind in ("PK", "UQ") and fold(k.name) == fold(name)), None)
        default = next((c for c in table.columns if c.default_name and fold(c.default_name) == fold(name)), None)
        if key is not None:
            session.connection.execute(f"DROP INDEX main.{key.physical}")
            writer.remove_key(key.id)
        elif default is not None:
            writer.change_column(table.id, replace(default, default_name=None, default_text=None))
        elif not statement.if_exists:
            raise errors.error(3728, name)
    writer.modify_object(table.id)


def _add_columns(session: Session, table: DatabaseObject, statement: s.AlterTable) -> None:
    first = max(column.id for column in table.columns) + 1
    columns = make_columns(statement.add_columns, statement.add_keys, table.name, first)
    for column in columns:
        if fold(column.name) in table.columns_by_name:
            raise errors.error(2705, column.name, statement.table, state=4)
        if column.identity is not None:
            raise errors.unsupported("ALTER TABLE ADD … IDENTITY")
        empty = session.connection.execute(f"SELECT 1 FROM main.{table.physical} LIMIT 1").fetchone() is None  # noqa: S608
        if not column.nullable and column.default_text is None and not empty:
            raise errors.error(4901, column.name, table.name)
        session.connection.execute(f"ALTER TABLE main.{table.physical} ADD COLUMN {_declared([column])}")
        if not column.nullable and column.default_text is not None:
            value = constant_default(session, column)
            session.connection.execute(f"UPDATE main.{table.physical} SET {column.physical} = ?", (value,))  # noqa: S608
    CatalogWriter(session.connection).add_columns(table.id, columns)


def constant_default(session: Session, column: Column) -> Stored:
    """The value of a column's DEFAULT now."""
    text = column.default_text or ""
    compiler = Queries(session.catalog, session.database.name, "dbo", {})
    node = dialect.parse_expression(Cursor(text).tokens, text)
    bound = compiler.program.convert(compiler.value(node, Scope()), column.type)
    if bound.slot is None:
        raise errors.unsupported(f"DEFAULT {text}")
    return bound.slot(session)


def _alter_column(session: Session, table: DatabaseObject, definition: s.ColumnDefinition) -> None:
    """Another type or nullability: every value is converted first, so that none is lost in silence."""
    column = table.columns_by_name.get(fold(definition.name))
    if column is None:
        raise errors.error(4924, "ALTER TABLE ALTER COLUMN", definition.name, table.name)
    if any(column.id in key.columns for key in table.keys) and definition.type != column.type:
        raise errors.error(
            5074, "object", next(k.name for k in table.keys if column.id in k.columns), "column", column.name
        )
    nullable = definition.nullable if definition.nullable is not None else True
    table_name = f"{session.database.name}.{session.catalog.schemas[table.schema_id].name}.{table.name}"
    convert = conversions.column_converter(column.type, definition.type, table_name, column.name)
    rows = session.connection.execute(f"SELECT rowid, {column.physical} FROM main.{table.physical}").fetchall()  # noqa: S608
    changed = []
    for row_id, value in rows:
        if value is None and not nullable:
            raise errors.null_refused(column.name, table_name, "UPDATE")
        if value is not None and convert is not None:
            changed.append((convert(value), row_id))
    session.connection.executemany(
        f"UPDATE main.{table.physical} SET {column.physical} = ? WHERE rowid = ?",  # noqa: S608 - our own names
        changed,
    )
    CatalogWriter(session.connection).change_column(table.id, replace(column, type=definition.type, nullable=nullable))


def _drop_column(session: Session, table: DatabaseObject, name: str, *, if_exists: bool) -> None:
    column = table.columns_by_name.get(fold(name))
    if column is None:
        if if_exists:
            return
        raise errors.error(4924, "ALTER TABLE DROP COLUMN", name, table.name)
    for key in table.keys:
        if column.id in key.columns:
            raise errors.error(5074, "object", key.name, "column", column.name)
    if column.default_name is not None:
        raise errors.error(5074, "object", column.default_name, "column", column.name)
    if len(session.catalog_now().objects[table.id].columns) == 1:
        raise errors.error(4923, column.name, table.name)
    session.connection.execute(f"ALTER TABLE main.{table.physical} DROP COLUMN {column.physical}")
    CatalogWriter(session.connection).remove_column(table.id, column.id)


def truncate(session: Session, statement: s.Truncate) -> None:
    found = resolve(session, statement.table, "U")
    refused = errors.cannot_find_index_object(statement.table.name, 7)
    if found is None:
        raise errors.error(4701, statement.table.name)
    if not session.permissions.holds("ALTER", p.of_object(found)):
        raise refused
    session.connection.execute(f"DELETE FROM main.{found.physical}")  # noqa: S608 - our own name
    session.connection.execute("DELETE FROM meta WHERE key = ?", (f"identity.{found.id}",))


def create_index(session: Session, statement: s.CreateIndex) -> None:
    table = resolve(session, statement.table, "U")
    if table is None or not session.permissions.holds("ALTER", p.of_object(table)):
        raise errors.cannot_find_index_object(str(statement.table))
    if any(fold(key.name) == fold(statement.index) for key in table.keys):
        raise errors.error(1913, statement.index, "table", statement.table)
    numbers = []
    for name in statement.columns:
        column = table.columns_by_name.get(fold(name))
        if column is None:
            raise errors.error(1911, name)
        numbers.append(column.id)
    key = CatalogWriter(session.connection).add_key(
        table.id, statement.index, "UI" if statement.unique else "IX", numbers
    )
    _create_physical_index(session, table, key)


def drop_index(session: Session, statement: s.DropIndex) -> None:
    table = resolve(session, statement.table, "U")
    key = next((k for k in table.keys if fold(k.name) == fold(statement.index)), None) if table else None
    if key is None and statement.if_exists:
        return
    if table is None or key is None:
        raise errors.cannot_drop("index", f"{statement.table}.{statement.index}")
    if not session.permissions.holds("ALTER", p.of_object(table)):
        raise errors.cannot_find_index_object(f"{statement.table}.{statement.index}", 9)
    if key.kind in ("PK", "UQ"):
        raise errors.error(
            3723, f"{statement.table}.{statement.index}", f"{('PRIMARY' if key.kind == 'PK' else 'UNIQUE')} KEY"
        )
    session.connection.execute(f"DROP INDEX main.{key.physical}")
    CatalogWriter(session.connection).remove_key(key.id)
