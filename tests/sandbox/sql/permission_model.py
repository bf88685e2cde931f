"""SQL Server's permission check as its documentation describes it, in the plainest way, to measure the endpoint by.

Pages are those of the SQL Server documentation, below https://learn.microsoft.com/sql/. A right is written as GRANT
writes it: "SELECT ON dbo.t", "ALTER ON SCHEMA::dbo", "EXECUTE ON TYPE::dbo.tt", "CREATE TABLE"; the name of a fixed
database role stands for membership in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: What implies a permission on each class, as "PERMISSION" on the same securable and "PERMISSION ^" on its container.
#: t-sql/statements/grant-database-permissions-transact-sql, "Implied by database permission".
_DATABASE = {
    "ALTER": ["CONTROL"], "ALTER ANY DATABASE SCOPED CONFIGURATION": ["CONTROL"], "ALTER ANY ROLE": ["ALTER"],
    "ALTER ANY SCHEMA": ["ALTER"], "ALTER ANY USER": ["ALTER"], "CONTROL": [], "CREATE PROCEDURE": ["ALTER"],
    "CREATE ROLE": ["ALTER ANY ROLE"], "CREATE SCHEMA": ["ALTER ANY SCHEMA"], "CREATE TABLE": ["ALTER"],
    "CREATE TYPE": ["ALTER"], "CREATE VIEW": ["ALTER"], "DELETE": ["CONTROL"], "EXECUTE": ["CONTROL"],
    "INSERT": ["CONTROL"], "REFERENCES": ["CONTROL"], "SELECT": ["CONTROL"], "TAKE OWNERSHIP": ["CONTROL"],
    "UPDATE": ["CONTROL"], "VIEW DATABASE PERFORMANCE STATE": ["VIEW DATABASE STATE"],
    "VIEW DATABASE STATE": ["CONTROL"], "VIEW DEFINITION": ["CONTROL"],
}  # fmt: skip
#: t-sql/statements/grant-schema-permissions-transact-sql
_SCHEMA = {
    "ALTER": ["CONTROL", "ALTER ANY SCHEMA ^"], "CONTROL": ["CONTROL ^"], "DELETE": ["CONTROL", "DELETE ^"],
    "EXECUTE": ["CONTROL", "EXECUTE ^"], "INSERT": ["CONTROL", "INSERT ^"], "REFERENCES": ["CONTROL", "REFERENCES ^"],
    "SELECT": ["CONTROL", "SELECT ^"], "TAKE OWNERSHIP": ["CONTROL", "CONTROL ^"], "UPDATE": ["CONTROL", "UPDATE ^"],
    "VIEW DEFINITION": ["CONTROL", "VIEW DEFINITION ^"],
}  # fmt: skip
#: t-sql/statements/grant-object-permissions-transact-sql
_OBJECT = {
    "ALTER": ["CONTROL", "ALTER ^"], "CONTROL": ["CONTROL ^"], "DELETE": ["CONTROL", "DELETE ^"],
    "EXECUTE": ["CONTROL", "EXECUTE ^"], "INSERT": ["CONTROL", "INSERT ^"], "REFERENCES": ["CONTROL", "REFERENCES ^"],
    "SELECT": ["CONTROL", "SELECT ^"], "TAKE OWNERSHIP": ["CONTROL", "CONTROL ^"], "UPDATE": ["CONTROL", "UPDATE ^"],
    "VIEW DEFINITION": ["CONTROL", "VIEW DEFINITION ^"],
}  # fmt: skip
#: t-sql/statements/grant-type-permissions-transact-sql
_TYPE = {
    "CONTROL": ["CONTROL ^"], "EXECUTE": ["CONTROL", "EXECUTE ^"], "REFERENCES": ["CONTROL", "REFERENCES ^"],
    "TAKE OWNERSHIP": ["CONTROL", "CONTROL ^"], "VIEW DEFINITION": ["CONTROL", "VIEW DEFINITION ^"],
}  # fmt: skip
#: t-sql/statements/grant-database-principal-permissions-transact-sql
_USER = {"ALTER": ["CONTROL", "ALTER ANY USER ^"], "CONTROL": ["CONTROL ^"], "IMPERSONATE": ["CONTROL", "CONTROL ^"]}
_ROLE = {"ALTER": ["CONTROL", "ALTER ANY ROLE ^"], "CONTROL": ["CONTROL ^"], "TAKE OWNERSHIP": ["CONTROL", "CONTROL ^"]}
IMPLIED = {"DATABASE": _DATABASE, "SCHEMA": _SCHEMA, "OBJECT": _OBJECT, "TYPE": _TYPE, "USER": _USER, "ROLE": _ROLE}

#: relational-databases/security/authentication-access/database-level-roles, "Permissions of fixed database roles"
ROLE_GRANTS = {
    "db_owner": ["CONTROL"],
    "db_accessadmin": ["ALTER ANY USER", "CREATE SCHEMA"],
    "db_securityadmin": ["ALTER ANY ROLE", "CREATE SCHEMA", "VIEW DEFINITION"],
    "db_ddladmin": ["ALTER ANY SCHEMA", "CREATE PROCEDURE", "CREATE TABLE", "CREATE TYPE", "CREATE VIEW", "REFERENCES"],
    "db_datareader": ["SELECT"],
    "db_datawriter": ["INSERT", "UPDATE", "DELETE"],
}
ROLE_DENIALS = {"db_denydatareader": ["SELECT"], "db_denydatawriter": ["INSERT", "UPDATE", "DELETE"]}


def split(right: str) -> tuple[str, str, str]:
    """Permission, class and name: "SELECT ON dbo.t" is SELECT, OBJECT, dbo.t."""
    permission, _, on = right.partition(" ON ")
    if not on:
        return permission, "DATABASE", ""
    kind, mark, name = on.partition("::")
    return (permission, kind, name) if mark else (permission, "OBJECT", on)


def joined(permission: str, kind: str, name: str) -> str:
    if kind == "DATABASE":
        return permission
    return f"{permission} ON {name}" if kind == "OBJECT" else f"{permission} ON {kind}::{name}"


def _container(kind: str, name: str) -> tuple[str, str]:
    return ("SCHEMA", name.partition(".")[0]) if kind in ("OBJECT", "TYPE") else ("DATABASE", "")


def implying(right: str) -> Iterator[str]:
    """The right, and every one that implies it."""
    permission, kind, name = split(right)
    yield right
    for other in IMPLIED[kind].get(permission, []):
        above, mark, _ = other.partition(" ^")
        yield from implying(joined(above, *(_container(kind, name) if mark else (kind, name))))


def holds(right: str, *held: Mapping[str, str]) -> bool:
    """The check of relational-databases/security/permissions-database-engine, "Summary of the permission check
    algorithm": fails when the permission is denied anywhere in the permission space, directly or by implication,
    passes when it is granted there. `held` says, for the user and for each role it is in, "GRANT" or "DENY" of a right,
    "MEMBER" of a fixed role.
    """
    granted: set[str] = set()
    denied: set[str] = set()
    for one, state in [pair for holder in held for pair in holder.items()]:
        (denied if state == "DENY" else granted).add(one)
        granted.update(ROLE_GRANTS.get(one, []))
        denied.update(ROLE_DENIALS.get(one, []))
    if right in granted and right in ROLE_GRANTS:
        return True
    space = set(implying(right))
    return not space & denied and bool(space & granted)
