"""CREATE, ALTER and DROP of schemas, tables, indexes, views, procedures and types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.compiler.compiler import refuse_order
from setup_kit.sandbox.sql.compiler.queries import Queries
from setup_kit.sandbox.sql.execution import ownership, tables
from setup_kit.sandbox.sql.execution.objects import new_object_schema, resolve, resolve_type
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.storage.catalog import Column, DatabaseObject
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_KINDS = {"TABLE": "U", "VIEW": "V", "PROCEDURE": "P", "TYPE": "TT"}


def execute(session: Session, statement: s.Statement) -> None:
    """Carry out one definition inside the session's write transaction."""
    match statement:
        case so.CreateTable():
            tables.create_table(session, statement)
        case so.AlterTable():
            tables.alter_table(session, statement)
        case so.DropObject():
            for name in statement.names:
                drop_object(session, statement.kind, name, if_exists=statement.if_exists)
        case s.Truncate():
            tables.truncate(session, statement)
        case so.CreateIndex():
            tables.create_index(session, statement)
        case so.DropIndex():
            tables.drop_index(session, statement)
        case so.CreateView():
            create_view(session, statement)
        case so.CreateProcedure():
            create_procedure(session, statement)
        case so.CreateType():
            create_type(session, statement)
        case so.CreateAliasType():
            create_alias_type(session, statement)
        case so.CreateSchema():
            create_schema(session, statement)
        case so.DropSchema():
            drop_schema(session, statement)


# Schemas


def create_schema(session: Session, statement: so.CreateSchema) -> None:
    catalog = session.catalog
    try:
        if not session.permissions.holds("CREATE SCHEMA"):
            raise errors.not_permitted()
        if catalog.schema(statement.schema) is not None:
            raise errors.object_exists(statement.schema)
        owner = session.permissions.principal_id
        if statement.owner is not None:
            owner = ownership.find_owner(session, statement.owner).id
    except errors.SqlError as error:
        error.also.append(errors.error(2759))
        raise
    CatalogWriter(session.connection).add_schema(statement.schema, owner)


def drop_schema(session: Session, statement: so.DropSchema) -> None:
    schema = session.catalog.schema(statement.schema)
    if schema is None and statement.if_exists:
        return
    held = session.permissions
    if schema is None or not (held.holds("CONTROL", p.of_schema(schema.id)) or held.holds("ALTER ANY SCHEMA")):
        raise errors.not_found("drop", "schema", statement.schema)
    if schema.id < 5 or schema.id >= 16384:
        raise errors.not_found("drop", "schema", statement.schema)
    inside = next((o for o in session.catalog.objects.values() if o.schema_id == schema.id), None)
    if inside is not None:
        raise errors.error(3729, "drop schema", schema.name, inside.name)
    CatalogWriter(session.connection).remove_schema(schema.id)


# Any object


def drop_object(session: Session, kind: str, name: s.Name, *, if_exists: bool) -> None:
    """CONTROL of it or ALTER on its schema is needed: 3701, of a type 218."""
    found = resolve(session, name, _KINDS[kind])
    if found is None and kind == "TYPE":
        found = resolve(session, name, "AT")
    if found is None and if_exists:
        return
    if found is not None and found.is_local:
        session.local_tables.drop(name.name)
        return
    held = session.permissions
    allowed = found is not None and (
        held.holds("CONTROL", p.of_object(found)) or held.holds("ALTER", p.of_schema(found.schema_id))
    )
    if kind == "TYPE" and not allowed:
        raise errors.error(218, name)
    if found is None:
        raise errors.cannot_drop(kind.lower(), str(name))
    if not allowed:
        raise errors.may_not("drop", kind.lower(), name.name)
    if found.is_type:
        _refuse_used(session, found, name)
    if found.kind == "U":
        if any(child.id != found.id for child, _ in session.catalog_now().references_to(found.id)):
            raise errors.error(3726, name)
        session.connection.execute(f"DROP TABLE {found.stored}")
        session.connection.execute("DELETE FROM meta WHERE key = ?", (f"identity.{found.id}",))
    CatalogWriter(session.connection).remove_object(found.id)


def _refuse_used(session: Session, found: DatabaseObject, name: s.Name) -> None:
    """3732 for a type that a table's column or a procedure's parameter has."""
    for other in session.catalog_now().objects.values():
        used = any(column.alias == found.id for column in other.columns)
        if other.kind == "P":
            statement = parser.parse_batch(other.definition or "")[0]
            given = statement.parameters if isinstance(statement, so.CreateProcedure) else ()
            named = [parameter.type for parameter in given if isinstance(parameter.type, s.Name)]
            types = [resolve(session, written, found.kind) for written in named]
            used = any(held is not None and held.id == found.id for held in types)
        if used:
            raise errors.error(3732, name, other.name)


# Views, procedures, types


def _replaced(session: Session, name: s.Name, kind: str, *, alter: bool, or_alter: bool) -> DatabaseObject | None:
    """The object that ALTER or CREATE OR ALTER changes; 208 or 3701 when it may not."""
    if not alter and not or_alter:
        return None
    found = resolve(session, name, kind)
    if found is None:
        if alter:
            raise errors.invalid_object(str(name))
        return None
    if not session.permissions.holds("ALTER", p.of_object(found)):
        raise errors.may_not("alter", {"V": "view", "P": "procedure"}[kind], name.name)
    return found


def create_view(session: Session, statement: so.CreateView) -> None:
    existing = _replaced(session, statement.view, "V", alter=statement.alter, or_alter=statement.or_alter)
    schema_id = existing.schema_id if existing else new_object_schema(session, statement.view, "CREATE VIEW", kind="V")
    schema = session.catalog.schemas[schema_id].name
    found = Queries(session.catalog, session.database.name, schema, {}).query(refuse_order(statement.query))
    names = statement.columns or tuple(column.name for column in found.columns)
    if len(names) != len(found.columns):
        raise errors.error(8158, statement.view.name)
    for number, name in enumerate(names, 1):
        if not name:
            raise errors.error(4511, number)
    columns = [
        Column(number, name, column.type, column.nullable)
        for number, (name, column) in enumerate(zip(names, found.columns, strict=True), 1)
    ]
    writer = CatalogWriter(session.connection)
    if existing is not None:
        for column in existing.columns:
            writer.remove_column(existing.id, column.id)
        writer.modify_object(existing.id, statement.definition)
        writer.add_columns(existing.id, columns)
        return
    number = writer.add_object(schema_id, statement.view.name, "V", statement.definition)
    writer.add_columns(number, columns)


def _check_parameters(session: Session, statement: so.CreateProcedure) -> None:
    """2715, and 352 and 346: a table-valued parameter is READONLY, and nothing else is."""
    for number, parameter in enumerate(statement.parameters, 1):
        is_table = resolve_type(session, parameter.type, number).table is not None
        if is_table and not parameter.readonly:
            raise errors.error(352, f"@{parameter.name}")
        if parameter.readonly and not is_table:
            raise errors.error(346, f"@{parameter.name}")


def create_procedure(session: Session, statement: so.CreateProcedure) -> None:
    name = statement.procedure
    _check_parameters(session, statement)
    existing = _replaced(session, name, "P", alter=statement.alter, or_alter=statement.or_alter)
    writer = CatalogWriter(session.connection)
    if existing is not None:
        writer.modify_object(existing.id, statement.definition)
        return
    schema_id = new_object_schema(session, name, "CREATE PROCEDURE", kind="P")
    writer.add_object(schema_id, name.name, "P", statement.definition)


def create_type(session: Session, statement: so.CreateType) -> None:
    """A table type; its constraints have no names, and foreign keys are not for it."""
    schema_id = new_object_schema(session, statement.type, "CREATE TYPE", kind="TT")
    name = statement.type.name
    columns = tables.make_columns(session, statement.columns, statement.constraints, name)
    if any(isinstance(rule, so.ForeignKeyDefinition) for rule in statement.constraints):
        raise errors.incorrect_syntax("REFERENCES")
    keys, checks = tables.local_rules(
        session, DatabaseObject(-1, schema_id, name, "TT", 0, 0, columns=tuple(columns)), statement.constraints
    )
    writer = CatalogWriter(session.connection)
    number = writer.add_object(schema_id, name, "TT")
    writer.add_columns(number, columns)
    for key in keys:
        writer.add_key(number, key.name, key.kind, key.columns)
    for check in checks:
        writer.add_check(number, check.name, check.text, check.columns)


def create_alias_type(session: Session, statement: so.CreateAliasType) -> None:
    schema_id = new_object_schema(session, statement.type, "CREATE TYPE", kind="AT")
    writer = CatalogWriter(session.connection)
    number = writer.add_object(schema_id, statement.type.name, "AT")
    writer.add_columns(number, [Column(1, statement.type.name, statement.base, statement.nullable)])
