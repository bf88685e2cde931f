"""PRIMARY KEY, UNIQUE, CHECK, FOREIGN KEY and DEFAULT constraints: added and dropped."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.compiler.sources import table_source
from setup_kit.sandbox.sql.execution import integrity
from setup_kit.sandbox.sql.execution.objects import resolve
from setup_kit.sandbox.sql.language import dialect
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.language.cursor import Cursor
from setup_kit.sandbox.sql.storage import layout
from setup_kit.sandbox.sql.storage.catalog import (
    Check,
    Column,
    DatabaseObject,
    ForeignKey,
    Key,
    fold,
)
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter
from setup_kit.sandbox.sql.values import types as t

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


def add(session: Session, table: DatabaseObject, definition: so.Constraint) -> None:
    """Add one to a table of the catalog; the rows that are there must keep it."""
    name = definition.name
    if name is not None:
        _refuse_taken(session, table, name)
    writer = CatalogWriter(session.connection)
    table = session.catalog_now().objects[table.id]
    match definition:
        case so.KeyDefinition():
            made = make_key(table, definition)
            if made.kind == "PK" and any(key.kind == "PK" for key in table.keys):
                raise errors.error(1779, table.name)
            key = writer.add_key(table.id, made.name, made.kind, made.columns)
            create_index(session, table, key)
        case so.CheckDefinition():
            check = make_check(session, table, definition)
            check = writer.add_check(table.id, check.name, check.text, check.columns)
            integrity.verify_all(session, table, check)
        case so.ForeignKeyDefinition():
            foreign_key = writer.add_foreign_key(table.id, _make_foreign_key(session, table, definition))
            integrity.verify_all(session, table, foreign_key)
        case so.DefaultDefinition():
            _add_default(session, table, definition)


def _refuse_taken(session: Session, table: DatabaseObject, name: str) -> None:
    """2714: a constraint's name is one of its schema's names."""
    for held in session.catalog_now().objects.values():
        if held.schema_id != table.schema_id or held.is_type:
            continue
        rules: list[Key | Check | ForeignKey] = [*held.checks, *held.foreign_keys]
        rules += [key for key in held.keys if key.kind in ("PK", "UQ")]
        if fold(held.name) == fold(name) or any(fold(rule.name) == fold(name) for rule in rules):
            raise errors.object_exists(name)


def create_index(session: Session, table: DatabaseObject, key: Key, where: str = "") -> None:
    """1505 when rows have the same key."""
    try:
        layout.create_index(session.connection, table, key, where)
    except sqlite3.IntegrityError:
        schema = session.catalog.schemas[table.schema_id].name
        raise errors.SqlError(
            1505, "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name "
            f"'{schema}.{table.name}' and the index name '{key.name}'.",
        ) from None  # fmt: skip


def key_columns(table: DatabaseObject, names: Sequence[str]) -> list[Column]:
    """1911 for a column that is not there, 1919 for one that cannot be in a key."""
    columns = []
    for name in names:
        column = table.columns_by_name.get(fold(name))
        if column is None:
            raise errors.error(1911, name)
        if column.computed is not None:
            raise unsupported.refused("key on a computed column")
        if column.type.length == t.MAX:
            raise errors.error(1919, column.name, table.name)
        columns.append(column)
    return columns


def make_key(table: DatabaseObject, definition: so.KeyDefinition) -> Key:
    """A primary key or unique constraint, without its number (8111 for a primary key on columns that take NULL)."""
    columns = key_columns(table, definition.columns)
    if definition.kind == "PK" and any(column.nullable for column in columns):
        raise errors.error(8111, table.name)
    label = definition.name or f"{definition.kind}__{table.name[:8]}__{abs(table.id):08X}{columns[0].id:04X}"
    return Key(0, label, definition.kind, tuple(column.id for column in columns))


def make_check(session: Session, table: DatabaseObject, definition: so.CheckDefinition) -> Check:
    """A CHECK constraint, without its number; 207 for a column that is not there."""
    compiler = session.executor.compiler()
    node = dialect.parse_expression(Cursor(definition.text).tokens, definition.text)
    compiler.condition(node, Scope(sources=[table_source(compiler, table, table.name, "k")]))
    columns = [table.columns_by_name[fold(name)].id for name in definition.columns]
    label = definition.name or f"CK__{table.name[:9]}__{abs(table.id) + len(table.checks) + len(definition.text):08X}"
    return Check(0, label, definition.text, tuple(columns))


def _make_foreign_key(session: Session, table: DatabaseObject, definition: so.ForeignKeyDefinition) -> ForeignKey:
    parent = resolve(session, definition.table, "U")
    label = definition.name or f"FK__{table.name[:9]}__{table.id + len(table.foreign_keys):08X}"
    if parent is None or parent.is_local:
        raise _refused(errors.error(1767, label, definition.table))
    session.permissions.require("REFERENCES", p.of_object(parent))
    if "SET DEFAULT" in (definition.on_delete, definition.on_update) or definition.on_update != "NO ACTION":
        raise unsupported.refused("FOREIGN KEY ON UPDATE, SET DEFAULT")
    columns = key_columns(table, definition.columns)
    wanted = [fold(name) for name in definition.references]
    by_id = {column.id: fold(column.name) for column in parent.columns}
    for key in parent.keys:
        names = [by_id[number] for number in key.columns]
        if key.kind == "IX" or len(key.columns) != len(columns):
            continue
        if (not wanted and key.kind == "PK") or (wanted and sorted(names) == sorted(wanted)):
            order = wanted or names
            numbers = tuple(parent.columns_by_name[name].id for name in order)
            own = tuple(column.id for column in columns)
            return ForeignKey(0, label, own, parent.id, numbers, definition.on_delete, definition.on_update)
    if wanted:
        raise _refused(errors.error(1776, definition.table, label))
    raise _refused(errors.error(1773, label, definition.table))


def _refused(error: errors.SqlError) -> errors.SqlError:
    error.also.append(errors.error(1750))
    return error


def _add_default(session: Session, table: DatabaseObject, definition: so.DefaultDefinition) -> None:
    column = table.columns_by_name.get(fold(definition.column))
    if column is None:
        raise errors.error(1752, definition.column, table.name)
    if column.default_text is not None:
        raise _refused(errors.error(1781))
    label = definition.name or default_name(table.name, column.name, column.id)
    changed = replace(column, default_name=label, default_text=definition.text)
    CatalogWriter(session.connection).change_column(table.id, changed)


def default_name(table: str, column: str, number: int) -> str:
    return f"DF__{table[:9]}__{column[:5]}__{number:08X}"


def drop(session: Session, table: DatabaseObject, name: str, *, if_exists: bool) -> None:
    """3728 when the table has none of that name."""
    writer = CatalogWriter(session.connection)
    wanted = fold(name)
    key = next((k for k in table.keys if k.kind in ("PK", "UQ") and fold(k.name) == wanted), None)
    rules: list[Check | ForeignKey] = [*table.checks, *table.foreign_keys]
    rule = next((r for r in rules if fold(r.name) == wanted), None)
    default = next((c for c in table.columns if c.default_name and fold(c.default_name) == wanted), None)
    if key is not None:
        for child, held in session.catalog.references_to(table.id):
            if set(held.references) == set(key.columns):
                raise errors.error(3725, key.name, child.name, held.name)
        layout.drop_index(session.connection, table, key)
        writer.remove_key(key.id)
    elif rule is not None:
        writer.remove_constraint(rule.id)
    elif default is not None:
        writer.change_column(table.id, replace(default, default_name=None, default_text=None))
    elif not if_exists:
        error = errors.error(3728, name)
        error.also.append(errors.error(3727))
        raise error


def add_local_key(session: Session, table: DatabaseObject, key: Key, where: str = "") -> None:
    """A key or index of a #table."""
    key = replace(key, id=-(abs(table.id) * 1000 + len(table.keys)))
    create_index(session, table, key, where)
    session.local_tables.replace(replace(table, keys=(*table.keys, key)))
