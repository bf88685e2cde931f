"""The permissions of SQL Server as data: which there are on each class of securables, what implies what, and what the
fixed database roles hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from setup_kit.sandbox.sql.storage.catalog import DATABASE, OBJECT, PRINCIPAL, SCHEMA, TYPE


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A permission as `sys.fn_builtin_permissions` gives it: its code, and what implies it on the same securable and
    on the one that contains it.
    """

    code: str
    covering: str = ""
    parent_covering: str = ""


def _database(code: str, covering: str = "CONTROL") -> BuiltIn:
    return BuiltIn(code, covering)


def _same(code: str) -> BuiltIn:
    """Implied by CONTROL of the securable, and of its parent by the permission of the same name: filled in below."""
    return BuiltIn(code, "CONTROL", "=")


#: The tables of the pages "GRANT Database Permissions", "GRANT Schema Permissions", "GRANT Object Permissions", "GRANT
#: Type Permissions" and "GRANT Database Principal Permissions", as far as a statement of this server asks for them.
TABLES: dict[str, dict[str, BuiltIn]] = {
    "DATABASE": {
        "ALTER": _database("AL"),
        "ALTER ANY DATABASE SCOPED CONFIGURATION": _database("ALDC"),
        "ALTER ANY ROLE": _database("ALRL", "ALTER"),
        "ALTER ANY SCHEMA": _database("ALSM", "ALTER"),
        "ALTER ANY USER": _database("ALUS", "ALTER"),
        "CONNECT": _database("CO"),
        "CONTROL": BuiltIn("CL"),
        "CREATE FUNCTION": _database("CRFN", "ALTER"),
        "CREATE PROCEDURE": _database("CRPR", "ALTER"),
        "CREATE ROLE": _database("CRRL", "ALTER ANY ROLE"),
        "CREATE SCHEMA": _database("CRSM", "ALTER ANY SCHEMA"),
        "CREATE SYNONYM": _database("CRSN", "ALTER"),
        "CREATE TABLE": _database("CRTB", "ALTER"),
        "CREATE TYPE": _database("CRTY", "ALTER"),
        "CREATE VIEW": _database("CRVW", "ALTER"),
        "DELETE": _database("DL"),
        "EXECUTE": _database("EX"),
        "INSERT": _database("IN"),
        "KILL DATABASE CONNECTION": _database("KIDC"),
        "REFERENCES": _database("RF"),
        "SELECT": _database("SL"),
        "SHOWPLAN": _database("SPLN"),
        "TAKE OWNERSHIP": _database("TO"),
        "UPDATE": _database("UP"),
        "VIEW DATABASE PERFORMANCE STATE": _database("VDP", "VIEW DATABASE STATE"),
        "VIEW DATABASE STATE": _database("VWDS"),
        "VIEW DEFINITION": _database("VW"),
    },
    "SCHEMA": {
        "ALTER": BuiltIn("AL", "CONTROL", "ALTER ANY SCHEMA"),
        "CONTROL": BuiltIn("CL", "", "CONTROL"),
        "CREATE SEQUENCE": BuiltIn("CRSO", "ALTER", "ALTER ANY SCHEMA"),
        "DELETE": _same("DL"),
        "EXECUTE": _same("EX"),
        "INSERT": _same("IN"),
        "REFERENCES": _same("RF"),
        "SELECT": _same("SL"),
        "TAKE OWNERSHIP": BuiltIn("TO", "CONTROL", "CONTROL"),
        "UPDATE": _same("UP"),
        "VIEW CHANGE TRACKING": BuiltIn("VWCT", "CONTROL", "CONTROL"),
        "VIEW DEFINITION": _same("VW"),
    },
    "OBJECT": {
        "ALTER": _same("AL"),
        "CONTROL": BuiltIn("CL", "", "CONTROL"),
        "DELETE": _same("DL"),
        "EXECUTE": _same("EX"),
        "INSERT": _same("IN"),
        "REFERENCES": _same("RF"),
        "SELECT": _same("SL"),
        "TAKE OWNERSHIP": BuiltIn("TO", "CONTROL", "CONTROL"),
        "UPDATE": _same("UP"),
        "VIEW CHANGE TRACKING": _same("VWCT"),
        "VIEW DEFINITION": _same("VW"),
    },
    "TYPE": {
        "CONTROL": BuiltIn("CL", "", "CONTROL"),
        "EXECUTE": _same("EX"),
        "REFERENCES": _same("RF"),
        "TAKE OWNERSHIP": BuiltIn("TO", "CONTROL", "CONTROL"),
        "VIEW DEFINITION": _same("VW"),
    },
    "USER": {
        "ALTER": BuiltIn("AL", "CONTROL", "ALTER ANY USER"),
        "CONTROL": BuiltIn("CL", "", "CONTROL"),
        "IMPERSONATE": BuiltIn("IM", "CONTROL", "CONTROL"),
        "VIEW DEFINITION": _same("VW"),
    },
    "ROLE": {
        "ALTER": BuiltIn("AL", "CONTROL", "ALTER ANY ROLE"),
        "CONTROL": BuiltIn("CL", "", "CONTROL"),
        "TAKE OWNERSHIP": BuiltIn("TO", "CONTROL", "CONTROL"),
        "VIEW DEFINITION": _same("VW"),
    },
}
_PARENTS = {"SCHEMA": "DATABASE", "OBJECT": "SCHEMA", "TYPE": "SCHEMA", "USER": "DATABASE", "ROLE": "DATABASE"}
CLASSES = {
    "DATABASE": DATABASE,
    "OBJECT": OBJECT,
    "SCHEMA": SCHEMA,
    "USER": PRINCIPAL,
    "ROLE": PRINCIPAL,
    "TYPE": TYPE,
}

#: Every permission's code, sys.database_permissions.type.
CODES = {name: built_in.code for table in TABLES.values() for name, built_in in table.items()}

ON_PROCEDURES = frozenset({"ALTER", "CONTROL", "EXECUTE", "TAKE OWNERSHIP", "VIEW DEFINITION"})

#: What the fixed database roles hold, and what the two denying ones forbid ("Permissions of fixed database roles").
FIXED_ROLE_PERMISSIONS = {
    "db_owner": ("CONTROL",),
    "db_accessadmin": ("ALTER ANY USER", "CREATE SCHEMA"),
    "db_securityadmin": ("ALTER ANY ROLE", "CREATE SCHEMA", "VIEW DEFINITION"),
    "db_ddladmin": (
        "ALTER ANY SCHEMA", "CREATE FUNCTION", "CREATE PROCEDURE", "CREATE SCHEMA", "CREATE SYNONYM", "CREATE TABLE",
        "CREATE TYPE", "CREATE VIEW", "REFERENCES",
    ),
    "db_datareader": ("SELECT",),
    "db_datawriter": ("INSERT", "UPDATE", "DELETE"),
}  # fmt: skip
FIXED_ROLE_DENIALS = {"db_denydatareader": ("SELECT",), "db_denydatawriter": ("INSERT", "UPDATE", "DELETE")}


@lru_cache(maxsize=1024)
def implying(table: str, permission: str) -> tuple[tuple[str, str], ...]:
    """A permission and all that imply it, each as (table, name)."""
    built_in = TABLES[table].get(permission)
    if built_in is None:
        return ()
    found = {(table, permission): None}
    if built_in.covering:
        found |= dict.fromkeys(implying(table, built_in.covering))
    if built_in.parent_covering:
        above = permission if built_in.parent_covering == "=" else built_in.parent_covering
        above = above if above in TABLES[_PARENTS[table]] else "CONTROL"
        found |= dict.fromkeys(implying(_PARENTS[table], above))
    return tuple(found)


def exists(table: str, permission: str) -> bool:
    """Whether a class has a permission at all."""
    return permission in TABLES[table]


def rows() -> Iterator[tuple[str, str, str, str, str, str]]:
    """The rows of sys.fn_builtin_permissions: class, name, code, what covers it; the parent's class, what covers it
    there.
    """
    for table, names in TABLES.items():
        parent = _PARENTS.get(table, "SERVER")
        for name, found in names.items():
            above = name if found.parent_covering == "=" else found.parent_covering
            yield table, name, found.code, found.covering, parent, above or "CONTROL SERVER"
