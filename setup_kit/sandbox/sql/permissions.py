"""Who may do what: the one place where every statement, every `HAS_PERMS_BY_NAME` and every list of permissions asks.

After "Permissions (Database Engine)" of the SQL Server documentation: a permission is held when it, or one that covers
it, is granted to the principal or to a role it is in, and none of these is denied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.storage.catalog import (
    DATABASE,
    DBO_ID,
    FIXED_ROLES,
    OBJECT,
    SCHEMA,
    Catalog,
    DatabaseObject,
    Permission,
    fold,
)

#: Permission names with the codes of sys.database_permissions.type.
DATABASE_PERMISSIONS = {
    "ALTER": "AL", "ALTER ANY DATABASE SCOPED CONFIGURATION": "ALDC", "ALTER ANY ROLE": "ALRL",
    "ALTER ANY SCHEMA": "ALSM", "ALTER ANY USER": "ALUS", "CONNECT": "CO", "CONTROL": "CL", "CREATE FUNCTION": "CRFN",
    "CREATE PROCEDURE": "CRPR", "CREATE ROLE": "CRRL", "CREATE SCHEMA": "CRSM", "CREATE SYNONYM": "CRSN",
    "CREATE TABLE": "CRTB", "CREATE TYPE": "CRTY", "CREATE VIEW": "CRVW", "DELETE": "DL", "EXECUTE": "EX",
    "INSERT": "IN", "KILL DATABASE CONNECTION": "KIDC", "REFERENCES": "RF", "SELECT": "SL", "SHOWPLAN": "SPLN",
    "TAKE OWNERSHIP": "TO", "UPDATE": "UP", "VIEW DATABASE STATE": "VWDS", "VIEW DEFINITION": "VW",
}  # fmt: skip
SCHEMA_PERMISSIONS = {
    "ALTER": "AL", "CONTROL": "CL", "CREATE SEQUENCE": "CRSO", "DELETE": "DL", "EXECUTE": "EX", "INSERT": "IN",
    "REFERENCES": "RF", "SELECT": "SL", "TAKE OWNERSHIP": "TO", "UPDATE": "UP", "VIEW CHANGE TRACKING": "VWCT",
    "VIEW DEFINITION": "VW",
}  # fmt: skip
TABLE_PERMISSIONS = {
    name: code for name, code in SCHEMA_PERMISSIONS.items() if name not in ("CREATE SEQUENCE", "EXECUTE")
}
PROCEDURE_PERMISSIONS = {
    name: SCHEMA_PERMISSIONS[name] for name in ("ALTER", "CONTROL", "EXECUTE", "TAKE OWNERSHIP", "VIEW DEFINITION")
}
CODES = DATABASE_PERMISSIONS | SCHEMA_PERMISSIONS

#: What covers a permission of the database besides CONTROL. Else ALTER covers every ALTER ANY and CREATE.
_COVERED_IN_DATABASE = {"CREATE SCHEMA": ("ALTER ANY SCHEMA", "ALTER"), "CREATE ROLE": ("ALTER ANY ROLE", "ALTER")}

#: What the fixed database roles hold, and what the two denying ones forbid.
_FIXED_ROLE_PERMISSIONS = {
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
_FIXED_ROLE_DENIALS = {"db_denydatareader": ("SELECT",), "db_denydatawriter": ("INSERT", "UPDATE", "DELETE")}


@dataclass(frozen=True, slots=True)
class Securable:
    """The database (class 0), a schema (3) or an object (1); a table type counts as an object here."""

    securable_class: int
    id: int = 0


THE_DATABASE = Securable(DATABASE)


def of_schema(schema_id: int) -> Securable:
    return Securable(SCHEMA, schema_id)


def of_object(found: DatabaseObject) -> Securable:
    return Securable(OBJECT, found.id)


class Permissions:
    """What one principal may do in one database, by one picture of its catalog."""

    def __init__(self, catalog: Catalog, principal_id: int, database: str) -> None:
        self.catalog = catalog
        self.principal_id = principal_id
        self.database = database
        self.tokens = frozenset({principal_id}) | catalog.roles_of(principal_id)
        self._granted: set[tuple[Securable, str]] = set()
        self._grantable: set[tuple[Securable, str]] = set()
        self._denied: set[tuple[Securable, str]] = set()
        for token in self.tokens:
            for row in catalog.permissions_by_grantee.get(token, ()):
                self._take(row)
        for role, number in FIXED_ROLES.items():
            if number in self.tokens:
                self._granted |= {(THE_DATABASE, name) for name in _FIXED_ROLE_PERMISSIONS.get(role, ())}
                self._denied |= {(THE_DATABASE, name) for name in _FIXED_ROLE_DENIALS.get(role, ())}
        for schema in catalog.schemas.values():
            if schema.owner in self.tokens:
                self._granted.add((of_schema(schema.id), "CONTROL"))
        self._known: dict[tuple[Securable, str], bool] = {}

    def _take(self, row: Permission) -> None:
        held = (Securable(row.securable_class, row.major_id), row.permission)
        if row.state == "D":
            self._denied.add(held)
        else:
            self._granted.add(held)
            if row.state == "W":
                self._grantable.add(held)

    @property
    def is_dbo(self) -> bool:
        return self.principal_id == DBO_ID

    def in_role(self, role: str) -> bool:
        found = self.catalog.principal(role)
        return self.is_dbo or (found is not None and found.id in self.tokens)

    def holds(self, permission: str, securable: Securable = THE_DATABASE) -> bool:
        if self.is_dbo:
            return True
        key = (securable, permission)
        known = self._known.get(key)
        if known is None:
            covering = set(self._covering(permission, securable))
            known = not covering & self._denied and bool(covering & self._granted)
            self._known[key] = known
        return known

    def may_grant(self, permission: str, securable: Securable) -> bool:
        """Whether the principal may grant, deny or revoke it: CONTROL of the securable, or the grant option."""
        if self.is_dbo or self.in_role("db_securityadmin"):
            return True
        covering = set(self._covering(permission, securable))
        return self.holds("CONTROL", securable) or (not covering & self._denied and bool(covering & self._grantable))

    def holds_any(self, securable: Securable) -> bool:
        """Whether the principal holds anything on it, which makes its metadata visible."""
        return any(self.holds(permission, securable) for permission in self.applicable(securable))

    def applicable(self, securable: Securable) -> dict[str, str]:
        """The permissions that exist on a securable, with their codes."""
        if securable.securable_class == DATABASE:
            return DATABASE_PERMISSIONS
        if securable.securable_class == SCHEMA:
            return SCHEMA_PERMISSIONS
        found = self.catalog.objects.get(securable.id)
        return PROCEDURE_PERMISSIONS if found is not None and found.kind == "P" else TABLE_PERMISSIONS

    def _covering(self, permission: str, securable: Securable) -> Iterator[tuple[Securable, str]]:
        """The permission itself and everything that covers it."""
        yield securable, permission
        yield securable, "CONTROL"
        if securable.securable_class == DATABASE:
            if permission == "CONNECT" or permission in ("ALTER", "CONTROL"):
                return
            default = ("ALTER",) if permission.startswith(("ALTER ANY", "CREATE")) else ()
            for name in _COVERED_IN_DATABASE.get(permission, default):
                yield THE_DATABASE, name
            return
        if securable.securable_class == OBJECT:
            found = self.catalog.objects.get(securable.id)
            if found is None:
                return
            yield from self._covering(permission, of_schema(found.schema_id))
            return
        if permission in ("ALTER", "CREATE SEQUENCE"):
            if permission == "CREATE SEQUENCE":
                yield securable, "ALTER"
            yield THE_DATABASE, "ALTER ANY SCHEMA"
            yield THE_DATABASE, "ALTER"
        if permission in DATABASE_PERMISSIONS and permission != "ALTER":
            yield THE_DATABASE, permission
        yield THE_DATABASE, "CONTROL"

    # What statements ask; each raises the error that SQL Server raises.

    def require(self, permission: str, securable: Securable = THE_DATABASE) -> None:
        """229 on an object, 262 in the database, 15151 on a schema."""
        if self.holds(permission, securable):
            return
        if securable.securable_class == DATABASE:
            raise errors.permission_denied_in_database(permission, self.database)
        if securable.securable_class == SCHEMA:
            raise errors.not_found("alter", "schema", self.catalog.schemas[securable.id].name)
        found = self.catalog.objects[securable.id]
        schema = self.catalog.schemas[found.schema_id].name
        raise errors.permission_denied_on_object(permission, found.name, self.database, schema)

    def require_create(self, permission: str, schema_name: str) -> int:
        """To create an object: the permission in the database (262) and ALTER on the schema (2760); gives its id."""
        self.require(permission)
        schema = self.catalog.schema(schema_name)
        if schema is None or not self.holds("ALTER", of_schema(schema.id)):
            raise errors.schema_refused(schema_name)
        return schema.id

    def sees(self, found: DatabaseObject) -> bool:
        return self.holds_any(of_object(found))

    def sees_principal(self, principal_id: int) -> bool:
        if principal_id in self.tokens or self.catalog.principals[principal_id].fixed:
            return True
        return any(self.holds(name) for name in ("VIEW DEFINITION", "ALTER ANY USER", "ALTER ANY ROLE"))

    def sees_permission(self, row: Permission) -> bool:
        return row.grantee in self.tokens or row.grantor in self.tokens or self.holds("VIEW DEFINITION")


def canonical(permission: str, securable: Securable, permissions: Permissions) -> str | None:
    """The permission's name as it is written here, or None where the securable has no such permission."""
    wanted = " ".join(permission.upper().split())
    return wanted if wanted in permissions.applicable(securable) else None


def resolve_class(name: str) -> int | None:
    """The securable class of HAS_PERMS_BY_NAME and fn_my_permissions."""
    return {"database": DATABASE, "schema": SCHEMA, "object": OBJECT}.get(fold(name))
