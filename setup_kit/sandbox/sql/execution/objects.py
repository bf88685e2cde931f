"""Finding objects by name, and room for new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors, permissions
from setup_kit.sandbox.sql.execution import system_procedures
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.storage.catalog import DatabaseObject, fold
from setup_kit.sandbox.sql.values.types import SqlType

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


@dataclass(frozen=True)
class DeclaredType:
    """What a declared type is: a type and whether it takes NULL, with `alias` the id of an alias type; or `table`."""

    type: SqlType
    nullable: bool = True
    alias: int | None = None
    table: DatabaseObject | None = None


def resolve_type(session: Session, written: SqlType | s.Name, ordinal: int) -> DeclaredType:
    """2715 for the name of a type that there is not."""
    if isinstance(written, SqlType):
        return DeclaredType(written)
    found = resolve(session, written, "TT") or resolve(session, written, "AT")
    if found is None:
        raise errors.unknown_type(ordinal, str(written))
    if found.kind == "TT":
        return DeclaredType(SqlType("table"), table=found)
    base = found.columns[0]
    return DeclaredType(base.type, base.nullable, found.id)


def require_type(session: Session, permission: str, found: DatabaseObject) -> None:
    """A table type is used with EXECUTE, an alias type in a table with REFERENCES; or by a procedure of its owner."""
    if session.catalog.owner_of(found) != session.chain_owner:
        session.permissions.require(permission, permissions.of_object(found))


def resolve(session: Session, name: s.Name, kind: str) -> DatabaseObject | None:
    """A table U, view V, procedure P, table type TT or alias type AT: in the schema given, else in the default schema,
    then in dbo; a #table is the session's own.
    """
    if kind == "U" and name.name.startswith("#"):
        return session.local_tables.find(name.name)
    schemas = [name.schema] if name.schema else [session.default_schema, "dbo"]
    for schema in schemas:
        found = session.catalog.schema(schema)
        if found is None:
            continue
        names = session.catalog.types_by_name if kind in ("TT", "AT") else session.catalog.objects_by_name
        held = names.get((found.id, fold(name.name)))
        if held is not None and held.kind == kind:
            return held
    return None


def new_object_schema(session: Session, name: s.Name, permission: str, *, kind: str) -> int:
    """The schema in which a new object goes: 262, 2760 or 2714 when it may not."""
    if fold(name.schema or "") in ("sys", "information_schema"):
        raise errors.schema_refused(name.schema or "")
    schema_id = session.permissions.require_create(permission, name.schema or session.default_schema)
    names = session.catalog.types_by_name if kind in ("TT", "AT") else session.catalog.objects_by_name
    taken = (schema_id, fold(name.name)) in names
    if not taken and kind not in ("TT", "AT"):
        keys = (key for o in session.catalog.objects.values() if o.schema_id == schema_id for key in o.keys)
        taken = any(fold(key.name) == fold(name.name) for key in keys if key.kind in ("PK", "UQ"))
    if taken and kind in ("TT", "AT"):
        raise errors.error(219, name)
    if taken:
        raise errors.object_exists(name.name)
    return schema_id


def find_procedure(session: Session, name: s.Name) -> tuple[str, int | None, so.CreateProcedure]:
    """A procedure that the caller may execute, its schema and its owner. A system procedure, which has none, is found
    under `dbo` too.
    """
    if fold(name.schema or "sys") in ("sys", "dbo"):
        system = system_procedures.find(name.name)
        if system is not None:
            return "sys", None, system
    catalog = session.catalog_now()
    for schema in [name.schema] if name.schema else [session.default_schema, "dbo"]:
        found = catalog.object(schema, name.name)
        if found is not None and found.kind == "P":
            owner = catalog.owner_of(found)
            if owner != session.chain_owner:
                session.permissions.require("EXECUTE", permissions.of_object(found))
            definition = parser.parse_batch(found.definition or "")[0]
            assert isinstance(definition, so.CreateProcedure)  # noqa: S101 - nothing else is kept as its definition
            return catalog.schemas[found.schema_id].name, owner, definition
    raise errors.unknown_procedure(str(name))
