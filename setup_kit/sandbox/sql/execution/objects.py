"""Finding objects by name, and room for new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.storage.catalog import DatabaseObject, fold

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


def resolve(session: Session, name: s.Name, kind: str) -> DatabaseObject | None:
    """A table U, view V, procedure P or table type TT: in the schema given, else in the default schema, then in dbo."""
    schemas = [name.schema] if name.schema else [session.default_schema, "dbo"]
    for schema in schemas:
        found = session.catalog.schema(schema)
        if found is None:
            continue
        names = session.catalog.types_by_name if kind == "TT" else session.catalog.objects_by_name
        held = names.get((found.id, fold(name.name)))
        if held is not None and held.kind == kind:
            return held
    return None


def new_object_schema(session: Session, name: s.Name, permission: str, *, kind: str) -> int:
    """The schema in which a new object goes: 262, 2760 or 2714 when it may not."""
    schema_id = session.permissions.require_create(permission, name.schema or session.default_schema)
    names = session.catalog.types_by_name if kind == "TT" else session.catalog.objects_by_name
    taken = (schema_id, fold(name.name)) in names
    if not taken and kind != "TT":
        keys = (key for o in session.catalog.objects.values() if o.schema_id == schema_id for key in o.keys)
        taken = any(fold(key.name) == fold(name.name) for key in keys if key.kind in ("PK", "UQ"))
    if taken and kind == "TT":
        raise errors.SqlError(219, f"The type '{name}' already exists, or you do not have permission to create it.")
    if taken:
        raise errors.object_exists(name.name)
    return schema_id
