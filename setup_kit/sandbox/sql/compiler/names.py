"""Names in text, as OBJECT_ID and HAS_PERMS_BY_NAME take them, and what they stand for."""

from __future__ import annotations

from setup_kit.sandbox.sql import permissions
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.object_facts import Constraint, constraints
from setup_kit.sandbox.sql.permissions import THE_DATABASE, Securable
from setup_kit.sandbox.sql.storage.catalog import (
    DATABASE,
    OBJECT,
    PRINCIPAL,
    SCHEMA,
    TYPE,
    DatabaseObject,
    fold,
)


def split_name(text: str) -> list[str] | None:
    """The parts of a name such as `dbo.[a]]b]` or `"x".y`; None when it is not one."""
    parts: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] == " ":
            at += 1
        if at < len(text) and text[at] in '["':
            close = "]" if text[at] == "[" else '"'
            at += 1
            part = ""
            while True:
                end = text.find(close, at)
                if end < 0:
                    return None
                part += text[at:end]
                at = end + 1
                if text[at : at + 1] != close:
                    break
                part += close
                at += 1
        else:
            end = text.find(".", at)
            end = len(text) if end < 0 else end
            part = text[at:end].strip(" ")
            at = end
        parts.append(part)
        while at < len(text) and text[at] == " ":
            at += 1
        if at >= len(text):
            return parts
        if text[at] != ".":
            return None
        at += 1


def find_object(runtime: Runtime, name: str) -> DatabaseObject | None:
    """The object of a name in text, if the caller may know of it."""
    parts = split_name(name)
    if not parts or len(parts) > 3:
        return None
    if parts[-1].startswith("#"):
        return runtime.local_tables.find(parts[-1]) if fold(parts[0]) == "tempdb" else None
    if len(parts) == 3 and parts[0] and fold(parts[0]) != fold(runtime.database.name):
        return None
    principal = runtime.catalog.principals[runtime.permissions.principal_id]
    schema = (parts[-2] if len(parts) > 1 else "") or principal.default_schema or "dbo"
    found = runtime.catalog.object(schema, parts[-1])
    if found is None and len(parts) == 1:
        found = runtime.catalog.object("dbo", parts[-1])
    return found if found is not None and runtime.permissions.sees(found) else None


def resolve_securable(runtime: Runtime, name: str | None, class_name: str) -> Securable | None:
    """A securable of HAS_PERMS_BY_NAME or fn_my_permissions; None when there is none of that name."""
    securable_class = permissions.resolve_class(class_name)
    if securable_class == DATABASE:
        parts = split_name(name) if name else [runtime.database.name]
        return THE_DATABASE if parts and fold(parts[-1]) == fold(runtime.database.name) else None
    if name is None:
        return None
    if securable_class == SCHEMA:
        parts = split_name(name)
        schema = runtime.catalog.schema(parts[-1]) if parts else None
        return permissions.of_schema(schema.id) if schema else None
    if securable_class == OBJECT:
        found = find_object(runtime, name)
        return permissions.of_object(found) if found else None
    if securable_class == TYPE:
        found = find_type(runtime, name)
        return permissions.of_object(found) if found else None
    if securable_class == PRINCIPAL:
        parts = split_name(name)
        principal = runtime.catalog.principal(parts[-1]) if parts else None
        is_role = fold(class_name) == "role"
        right = principal is not None and (principal.kind == "R") == is_role
        return permissions.of_principal(principal) if principal is not None and right else None
    return None


def find_type(runtime: Runtime, name: str) -> DatabaseObject | None:
    """The table type or alias type of a name in text, if the caller may know of it."""
    parts = split_name(name)
    if not parts or len(parts) > 2:
        return None
    principal = runtime.catalog.principals[runtime.permissions.principal_id]
    for where in [parts[0]] if len(parts) > 1 else [principal.default_schema or "dbo", "dbo"]:
        schema = runtime.catalog.schema(where)
        found = runtime.catalog.types_by_name.get((schema.id, fold(parts[-1]))) if schema else None
        if found is not None:
            return found if runtime.permissions.sees(found) else None
    return None


def find_constraint(runtime: Runtime, name: str) -> Constraint | None:
    """The constraint of a name in text, if the caller may know of its table."""
    parts = split_name(name)
    if not parts or len(parts) > 2:
        return None
    principal = runtime.catalog.principals[runtime.permissions.principal_id]
    schema = runtime.catalog.schema((parts[0] if len(parts) > 1 else "") or principal.default_schema or "dbo")
    for found in constraints(runtime):
        if schema is not None and found.table.schema_id == schema.id and fold(found.name) == fold(parts[-1]):
            return found
    return None
