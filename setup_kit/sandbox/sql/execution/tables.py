"""CREATE TABLE, ALTER TABLE, TRUNCATE TABLE and indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.compiler.queries import Queries
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.compiler.sources import table_source
from setup_kit.sandbox.sql.execution import constraints
from setup_kit.sandbox.sql.execution.objects import new_object_schema, require_type, resolve, resolve_type
from setup_kit.sandbox.sql.language import dialect
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.language.cursor import Cursor
from setup_kit.sandbox.sql.storage import layout
from setup_kit.sandbox.sql.storage.catalog import (
    DBO_SCHEMA,
    Check,
    Column,
    DatabaseObject,
    ForeignKey,
    Key,
    fold,
)
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter
from setup_kit.sandbox.sql.values import conversions
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_MOST_COLUMNS = 1024


def make_columns(
    session: Session,
    definitions: Sequence[so.ColumnDefinition],
    rules: Sequence[so.Constraint],
    table: str,
    known: Sequence[Column] = (),
) -> list[Column]:
    """Columns with their numbers, behind those that the table has (`known`).

    Those of the primary key do not take NULL. 2705 for a name that comes twice.
    """
    primary = {fold(c) for key in rules if isinstance(key, so.KeyDefinition) and key.kind == "PK"
               for c in key.columns}  # fmt: skip
    seen: set[str] = set()
    columns: list[Column] = []
    first = max((column.id for column in known), default=0) + 1
    for number, definition in enumerate(definitions, first):
        if fold(definition.name) in seen:
            raise errors.error(2705, definition.name, table)
        seen.add(fold(definition.name))
        if definition.computed is None:
            columns.append(_make_column(session, definition, number, table, fold(definition.name) in primary))
        else:
            columns.append(_make_computed(session, definition, number, table, [*known, *columns]))
    return columns


def _make_column(
    session: Session, definition: so.ColumnDefinition, number: int, table: str, in_key: bool
) -> Column:  # fmt: skip
    found = resolve_type(session, definition.type, number)
    kind, nullable, alias = found.type, definition.nullable, found.alias
    if alias is not None:
        require_type(session, "REFERENCES", session.catalog.objects[alias])
    if found.table is not None:
        raise errors.error(350, definition.name)
    if in_key and nullable:
        raise errors.error(8111, table)
    if definition.identity and (kind.name not in t.INTEGERS or kind.name == "bit"):
        raise errors.error(2749, definition.name)
    if nullable is None:
        nullable = found.nullable and not (in_key or definition.identity)
    label = definition.default_name
    if definition.default_text is not None and label is None:
        label = constraints.default_name(table, definition.name, number)
    text = definition.default_text
    return Column(number, definition.name, kind, nullable, definition.identity, label, text, alias=alias)


def _make_computed(
    session: Session, definition: so.ColumnDefinition, number: int, table: str, known: Sequence[Column]
) -> Column:  # fmt: skip
    """A computed column, with the type that its expression has over the columns before it."""
    text = definition.computed or ""
    compiler = session.executor.compiler()
    others = DatabaseObject(-1, DBO_SCHEMA, table, "U", 0, 0, columns=tuple(known))
    node = dialect.parse_expression(Cursor(text).tokens, text)
    value = compiler.value(node, Scope(sources=[table_source(compiler, others, table, "k")]))
    nullable = value.nullable if definition.nullable is None else definition.nullable
    return Column(number, definition.name, value.type, nullable, computed=text)


def create_table(session: Session, statement: so.CreateTable) -> None:
    name = statement.table
    if name.name.startswith("#"):
        create_local(session, name.name, statement.columns, statement.constraints)
        return
    schema_id = new_object_schema(session, name, "CREATE TABLE", kind="U")
    columns = make_columns(session, statement.columns, statement.constraints, name.name)
    add_table(session, schema_id, name.name, columns)
    table = resolve_now(session, schema_id, name.name)
    for definition in statement.constraints:
        constraints.add(session, table, definition)


def add_table(session: Session, schema_id: int, name: str, columns: Sequence[Column]) -> None:
    """A table of the catalog, with nothing but columns."""
    if len(columns) > _MOST_COLUMNS:
        raise errors.error(1702, columns[_MOST_COLUMNS].name, name, 1024)
    writer = CatalogWriter(session.connection)
    number = writer.add_object(schema_id, name, "U")
    writer.add_columns(number, columns)
    table = DatabaseObject(number, schema_id, name, "U", 0, 0, columns=tuple(columns))
    layout.create_table(session.connection, table)


def resolve_now(session: Session, schema_id: int, name: str) -> DatabaseObject:
    return session.catalog_now().objects_by_name[schema_id, fold(name)]


def create_local(
    session: Session, name: str, definitions: Sequence[so.ColumnDefinition], rules: Sequence[so.Constraint]
) -> DatabaseObject:  # fmt: skip
    """A #table or a table variable."""
    columns = make_columns(session, definitions, rules, name)
    table = DatabaseObject(-1, DBO_SCHEMA, name, "U", 0, 0, columns=tuple(columns))
    keys, checks = local_rules(session, table, rules)
    return session.local_tables.create(name, columns, keys, checks)


def local_rules(
    session: Session, table: DatabaseObject, rules: Sequence[so.Constraint]
) -> tuple[list[Key], list[Check]]:
    """Keys and CHECK constraints of a table that is not in the catalog; a foreign key of a #table has no effect."""
    keys = [constraints.make_key(table, rule) for rule in rules if isinstance(rule, so.KeyDefinition)]
    checks = [constraints.make_check(session, table, rule) for rule in rules if isinstance(rule, so.CheckDefinition)]
    if sum(key.kind == "PK" for key in keys) > 1:
        raise errors.error(8110, table.name)
    return keys, checks


def _altered(session: Session, name: s.Name) -> DatabaseObject:
    """A table that is to be changed: 4902 when it is not there, 1088 when the caller may not."""
    found = resolve(session, name, "U")
    if found is None:
        raise errors.cannot_find_object(str(name))
    if not found.is_local and not session.permissions.holds("ALTER", p.of_object(found)):
        raise errors.cannot_find_index_object(name.name, 13)
    return found


def alter_table(session: Session, statement: so.AlterTable) -> None:
    table = _altered(session, statement.table)
    if table.is_local:
        _alter_local(session, table, statement)
        return
    if statement.add_columns:
        _add_columns(session, table, statement)
    for definition in statement.add_constraints:
        constraints.add(session, table, definition)
    if statement.alter_column is not None:
        _alter_column(session, table, statement.alter_column)
    for name in statement.drop_columns:
        _drop_column(session, session.catalog_now().objects[table.id], name, if_exists=statement.if_exists)
    for name in statement.drop_constraints:
        constraints.drop(session, session.catalog_now().objects[table.id], name, if_exists=statement.if_exists)
    CatalogWriter(session.connection).modify_object(table.id)


def _alter_local(session: Session, table: DatabaseObject, statement: so.AlterTable) -> None:
    """ALTER TABLE of a #table."""
    if statement.alter_column is not None or statement.drop_columns or statement.drop_constraints:
        raise unsupported.refused("ALTER TABLE of a temporary table")
    columns = make_columns(session, statement.add_columns, statement.add_constraints, table.name, table.columns)
    add_physical_columns(session, table, columns, table.name)
    table = replace(table, columns=(*table.columns, *columns))
    keys, checks = local_rules(session, table, statement.add_constraints)
    session.local_tables.replace(replace(table, checks=(*table.checks, *checks)))
    for key in keys:
        held = session.local_tables.find(table.name)
        assert held is not None  # noqa: S101 - it has just been changed
        constraints.add_local_key(session, held, key)


def _add_columns(session: Session, table: DatabaseObject, statement: so.AlterTable) -> None:
    columns = make_columns(session, statement.add_columns, statement.add_constraints, table.name, table.columns)
    add_physical_columns(session, table, columns, str(statement.table))
    CatalogWriter(session.connection).add_columns(table.id, columns)


def add_physical_columns(
    session: Session, table: DatabaseObject, columns: Sequence[Column], shown: str
) -> None:  # fmt: skip
    """2705 for a name that the table has, 4901 for NOT NULL without a DEFAULT while it has rows."""
    for column in columns:
        if fold(column.name) in table.columns_by_name:
            raise errors.error(2705, column.name, shown, state=4)
        if column.identity is not None:
            raise unsupported.refused("ALTER TABLE ADD … IDENTITY")
        empty = session.connection.execute(f"SELECT 1 FROM {table.stored} LIMIT 1").fetchone() is None  # noqa: S608
        if not column.nullable and column.default_text is None and column.computed is None and not empty:
            raise errors.error(4901, column.name, table.name)
        fills = not column.nullable and column.default_text is not None
        if fills and not empty and not table.is_local:
            session.permissions.require("UPDATE", p.of_object(table))
        session.connection.execute(f"ALTER TABLE {table.stored} ADD COLUMN {layout.declared([column])}")
        if fills:
            value = constant_default(session, column)
            session.connection.execute(f"UPDATE {table.stored} SET {column.physical} = ?", (value,))  # noqa: S608


def constant_default(session: Session, column: Column) -> Stored:
    """The value of a column's DEFAULT now."""
    text = column.default_text or ""
    compiler = Queries(session.catalog, session.database.name, "dbo", {})
    node = dialect.parse_expression(Cursor(text).tokens, text)
    bound = compiler.program.convert(compiler.value(node, Scope()), column.type)
    if bound.slot is None:
        raise unsupported.refused("DEFAULT with a condition", text)
    return bound.slot(session)


def _alter_column(session: Session, table: DatabaseObject, definition: so.ColumnDefinition) -> None:
    """Another type or nullability: every value is converted first, so that none is lost in silence."""
    column = table.columns_by_name.get(fold(definition.name))
    if column is None:
        raise errors.error(4924, "ALTER TABLE ALTER COLUMN", definition.name, table.name)
    resolved = resolve_type(session, definition.type, 1)
    if resolved.alias is not None:
        require_type(session, "REFERENCES", session.catalog.objects[resolved.alias])
    if any(column.id in key.columns for key in table.keys) and resolved.type != column.type:
        raise errors.error(
            5074, "object", next(k.name for k in table.keys if column.id in k.columns), "column", column.name
        )
    if column.computed is not None or definition.computed is not None:
        raise errors.error(4928, column.name, "COMPUTED")
    kind = resolved.type
    nullable = definition.nullable if definition.nullable is not None else True
    table_name = f"{session.database.name}.{session.catalog.schemas[table.schema_id].name}.{table.name}"
    convert = conversions.column_converter(column.type, kind, table_name, column.name)
    rows = session.connection.execute(f"SELECT rowid, {column.physical} FROM {table.stored}").fetchall()  # noqa: S608
    changed = []
    for row_id, value in rows:
        if value is None and not nullable:
            raise errors.null_refused(column.name, table_name, "UPDATE")
        if value is not None and convert is not None:
            changed.append((convert(value), row_id))
    session.connection.executemany(
        f"UPDATE {table.stored} SET {column.physical} = ? WHERE rowid = ?",  # noqa: S608 - our own names
        changed,
    )
    changed_column = replace(column, type=kind, nullable=nullable, alias=resolved.alias)
    CatalogWriter(session.connection).change_column(table.id, changed_column)


def _drop_column(session: Session, table: DatabaseObject, name: str, *, if_exists: bool) -> None:
    column = table.columns_by_name.get(fold(name))
    if column is None:
        if if_exists:
            return
        raise errors.error(4924, "ALTER TABLE DROP COLUMN", name, table.name)
    rules: list[Key | Check | ForeignKey] = [*table.keys, *table.checks, *table.foreign_keys]
    for rule in rules:
        if column.id in rule.columns:
            raise errors.error(5074, "object", rule.name, "column", column.name)
    if column.default_name is not None:
        raise errors.error(5074, "object", column.default_name, "column", column.name)
    if len(session.catalog_now().objects[table.id].columns) == 1:
        raise errors.error(4923, column.name, table.name)
    session.connection.execute(f"ALTER TABLE {table.stored} DROP COLUMN {column.physical}")
    CatalogWriter(session.connection).remove_column(table.id, column.id)


def truncate(session: Session, statement: s.Truncate) -> None:
    found = resolve(session, statement.table, "U")
    refused = errors.cannot_find_index_object(statement.table.name, 7)
    if found is None:
        raise errors.error(4701, statement.table.name)
    if not found.is_local and not session.permissions.holds("ALTER", p.of_object(found)):
        raise refused
    if session.catalog.references_to(found.id):
        raise errors.error(4712, statement.table)
    session.connection.execute(f"DELETE FROM {found.stored}")  # noqa: S608 - our own name
    if found.is_local:
        session.connection.execute("DELETE FROM temp.local_identity WHERE id = ?", (found.id,))
    else:
        session.connection.execute("DELETE FROM meta WHERE key = ?", (f"identity.{found.id}",))


def create_index(session: Session, statement: so.CreateIndex) -> None:
    table = resolve(session, statement.table, "U")
    if table is None or not (table.is_local or session.permissions.holds("ALTER", p.of_object(table))):
        raise errors.cannot_find_index_object(str(statement.table))
    if any(fold(key.name) == fold(statement.index) for key in table.keys):
        raise errors.error(1913, statement.index, "table", statement.table)
    numbers = [column.id for column in constraints.key_columns(table, statement.columns)]
    where = _filter(table, statement) if statement.where is not None else ""
    kind = "UI" if statement.unique else "IX"
    if table.is_local:
        constraints.add_local_key(session, table, Key(0, statement.index, kind, tuple(numbers)), where)
        return
    key = CatalogWriter(session.connection).add_key(table.id, statement.index, kind, numbers)
    constraints.create_index(session, table, key, where)


def _filter(table: DatabaseObject, statement: so.CreateIndex) -> str:
    """The filter of an index: without UNIQUE it changes nothing; with it, only tests for NULL are carried out."""
    text = statement.where or ""
    parts = []
    condition = dialect.parse_expression(Cursor(text).tokens, text)
    for node in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        test = node.this if isinstance(node, exp.Not) else node
        if not isinstance(test, exp.Is) or not isinstance(test.expression, exp.Null):
            if statement.unique:
                raise unsupported.refused("filtered unique index")
            return ""
        column = table.columns_by_name.get(fold(test.this.name))
        if column is None:
            raise errors.error(1911, test.this.name)
        parts.append(f"{column.physical} IS {'NOT ' if isinstance(node, exp.Not) else ''}NULL")
    return " AND ".join(parts)


def drop_index(session: Session, statement: so.DropIndex) -> None:
    table = resolve(session, statement.table, "U")
    key = next((k for k in table.keys if fold(k.name) == fold(statement.index)), None) if table else None
    if key is None and statement.if_exists:
        return
    if table is None or key is None:
        raise errors.cannot_drop("index", f"{statement.table}.{statement.index}")
    if not table.is_local and not session.permissions.holds("ALTER", p.of_object(table)):
        raise errors.cannot_find_index_object(f"{statement.table}.{statement.index}", 9)
    if key.kind in ("PK", "UQ"):
        raise errors.error(
            3723, f"{statement.table}.{statement.index}", f"{('PRIMARY' if key.kind == 'PK' else 'UNIQUE')} KEY"
        )
    layout.drop_index(session.connection, table, key)
    if table.is_local:
        session.local_tables.replace(replace(table, keys=tuple(k for k in table.keys if k is not key)))
    else:
        CatalogWriter(session.connection).remove_key(key.id)
