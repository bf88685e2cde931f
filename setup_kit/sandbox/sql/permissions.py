"""Who may do what: the one place where every statement, every `HAS_PERMS_BY_NAME` and every list of permissions asks.

After "Permissions (Database Engine)" of the SQL Server documentation, its summary of the permission check algorithm:
dbo passes; so does who owns the securable. Else the permission, or one that implies it on the securable or on what
contains it (an object's schema, a schema's database), must be granted to the principal or to a role it is in, and none
of these may be denied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from setup_kit.sandbox.sql import builtin_permissions, errors
from setup_kit.sandbox.sql.builtin_permissions import BuiltIn
from setup_kit.sandbox.sql.storage.catalog import (
    DATABASE,
    DBO_ID,
    FIXED_ROLES,
    OBJECT,
    PRINCIPAL,
    SCHEMA,
    TYPE,
    Catalog,
    DatabaseObject,
    Permission,
    Principal,
    fold,
)


@dataclass(frozen=True, slots=True)
class Securable:
    """A class of sys.database_permissions with its `major_id`: the database (0), an object (1), a schema (3), a
    principal (4), a type (6).
    """

    securable_class: int
    id: int = 0


THE_DATABASE = Securable(DATABASE)


def of_schema(schema_id: int) -> Securable:
    return Securable(SCHEMA, schema_id)


def of_object(found: DatabaseObject) -> Securable:
    return Securable(TYPE if found.is_type else OBJECT, found.id)


def of_principal(found: Principal) -> Securable:
    return Securable(PRINCIPAL, found.id)


class ServerCaller(Protocol):
    """Who asks for something of the server itself: a session."""

    @property
    def virtual_machine(self) -> bool: ...
    @property
    def is_server_administrator(self) -> bool: ...
    @property
    def server_roles(self) -> frozenset[str]: ...
    @property
    def permissions(self) -> Permissions: ...


def _has_server_role(caller: ServerCaller, server_role: str, master_role: str) -> bool:
    """On a virtual machine a server role; in Azure SQL Database a role of `master`, which is asked there."""
    if caller.is_server_administrator:
        return True
    if caller.virtual_machine:
        return server_role in caller.server_roles
    held = caller.permissions
    return fold(held.database) == "master" and held.in_role(master_role)


def manages_logins(caller: ServerCaller) -> bool:
    return _has_server_role(caller, "securityadmin", "loginmanager")


def manages_databases(caller: ServerCaller) -> bool:
    return _has_server_role(caller, "dbcreator", "dbmanager")


class Permissions:
    """What one principal may do in one database, by one picture of its catalog."""

    def __init__(
        self, catalog: Catalog, principal_id: int, database: str, groups: frozenset[int] = frozenset()
    ) -> None:
        """`groups`: users of Entra groups that the principal is in."""
        self.catalog = catalog
        self.principal_id = principal_id
        self.database = database
        users = {principal_id} | (groups & catalog.principals.keys())
        self.tokens = frozenset(users).union(*(catalog.roles_of(user) for user in users))
        self._granted: set[tuple[Securable, str]] = set()
        self._grantable: dict[tuple[Securable, str], int] = {}  # with the principal that has the grant option
        self._denied: set[tuple[Securable, str]] = set()
        for token in self.tokens:
            for row in catalog.permissions_by_grantee.get(token, ()):
                self._take(row)
        for role, number in FIXED_ROLES.items():
            if number in self.tokens:
                self._granted |= {
                    (THE_DATABASE, name) for name in builtin_permissions.FIXED_ROLE_PERMISSIONS.get(role, ())
                }
                self._denied |= {(THE_DATABASE, name) for name in builtin_permissions.FIXED_ROLE_DENIALS.get(role, ())}
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
                self._grantable[held] = row.grantee

    @property
    def is_dbo(self) -> bool:
        return self.principal_id == DBO_ID

    def in_role(self, role: str) -> bool:
        found = self.catalog.principal(role)
        return self.is_dbo or (found is not None and found.id in self.tokens)

    def owns(self, securable: Securable) -> bool:
        """Whether it belongs to the principal or to a role it is in: who owns it can be denied nothing on it."""
        return self.owner(securable) in self.tokens

    def owner(self, securable: Securable) -> int | None:
        """The principal that a securable belongs to; None for a user, which nobody owns."""
        catalog = self.catalog
        match securable.securable_class:
            case 0:
                return DBO_ID
            case 3:
                return catalog.schemas[securable.id].owner
            case 4:
                found = catalog.principals[securable.id]
                return found.owner if found.kind == "R" else None
            case _:
                return catalog.owner_of(catalog.objects[securable.id])

    def holds(self, permission: str, securable: Securable = THE_DATABASE) -> bool:
        if self.is_dbo:
            return True
        key = (securable, permission)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._decide(permission, securable)
        return known

    def _decide(self, permission: str, securable: Securable) -> bool:
        if self.owns(securable):
            return True
        implying = set(self._space(permission, securable))
        return not implying & self._denied and bool(implying & self._granted)

    def grantor(self, permission: str, securable: Securable, *, denies: bool = False) -> int | None:
        """In whose name the principal may grant, deny or revoke it: the owner's, as dbo, db_securityadmin, owner or by
        CONTROL (CONNECT as db_accessadmin too); its own or its role's, by the grant option, which gives no right to
        deny. None when it may not.
        """
        connects = permission == "CONNECT" and self.in_role("db_accessadmin")
        if self.is_dbo or connects or self.in_role("db_securityadmin") or self.holds("CONTROL", securable):
            return self.owner(securable) or DBO_ID
        implying = set(self._space(permission, securable))
        if denies or implying & self._denied:
            return None
        # The option counts on the securable itself only: one on its schema does not reach it.
        found = (self._grantable[held] for held in implying if held in self._grantable and held[0] == securable)
        return next(found, None)

    def holds_any(self, securable: Securable) -> bool:
        """Whether the principal holds anything on it, which makes its metadata visible."""
        return any(self.holds(permission, securable) for permission in self.applicable(securable))

    def table(self, securable: Securable) -> str:
        """The name of its class as GRANT … ON writes it: DATABASE, SCHEMA, OBJECT, TYPE, USER or ROLE."""
        if securable.securable_class == PRINCIPAL:
            return "ROLE" if self.catalog.principals[securable.id].kind == "R" else "USER"
        return next(name for name, number in builtin_permissions.CLASSES.items() if number == securable.securable_class)

    def applicable(self, securable: Securable) -> Mapping[str, BuiltIn]:
        """The permissions that exist on a securable."""
        table = builtin_permissions.TABLES[self.table(securable)]
        if securable.securable_class != OBJECT:
            return table
        procedure = self.catalog.objects[securable.id].kind == "P"
        return {
            name: held
            for name, held in table.items()
            if (name in builtin_permissions.ON_PROCEDURES if procedure else name != "EXECUTE")
        }

    def _space(self, permission: str, securable: Securable) -> Iterator[tuple[Securable, str]]:
        """The permission itself and all that imply it, on this securable and on those that contain it."""
        securables = {"DATABASE": THE_DATABASE, self.table(securable): securable}
        if securable.securable_class in (OBJECT, TYPE):
            securables["SCHEMA"] = of_schema(self.catalog.objects[securable.id].schema_id)
        for table, name in builtin_permissions.implying(self.table(securable), permission):
            yield securables[table], name

    # What statements ask; each raises the error that SQL Server raises.

    def require(self, permission: str, securable: Securable = THE_DATABASE) -> None:
        """229 on an object or a type, 262 in the database, 15151 on a schema."""
        if self.holds(permission, securable):
            return
        if securable.securable_class == DATABASE:
            raise errors.permission_denied_in_database(permission, self.database)
        if securable.securable_class == SCHEMA:
            raise errors.not_found("alter", "schema", self.catalog.schemas[securable.id].name)
        found = self.catalog.objects[securable.id]
        schema = self.catalog.schemas[found.schema_id].name
        raise errors.permission_denied_on_object(permission, found.name, self.database, schema)

    def require_all(self, wanted: Iterable[tuple[str, Securable]]) -> None:
        """All that are missing are told at once, SELECT first."""
        missing: list[errors.SqlError] = []
        for permission, securable in sorted(dict.fromkeys(wanted), key=lambda one: one[0] != "SELECT"):
            try:
                self.require(permission, securable)
            except errors.SqlError as error:
                missing.append(error)
        if missing:
            missing[0].also.extend(missing[1:])
            raise missing[0]

    def require_create(self, permission: str, schema_name: str) -> int:
        """To create an object: the permission in the database (262) and ALTER on the schema (2760); gives its id."""
        self.require(permission)
        schema = self.catalog.schema(schema_name)
        if schema is None or not self.holds("ALTER", of_schema(schema.id)):
            raise errors.schema_refused(schema_name)
        return schema.id

    def may_stand_for(self, found: Principal) -> bool:
        """Whether the principal may make another the owner of something: IMPERSONATE on a user; membership in a role,
        or ALTER on it.
        """
        if found.id in self.tokens:
            return True
        return self.holds("ALTER" if found.kind == "R" else "IMPERSONATE", of_principal(found))

    # Metadata visibility

    def sees(self, found: DatabaseObject) -> bool:
        return self.holds_any(of_object(found))

    def sees_principal(self, principal_id: int) -> bool:
        """Itself, its roles, those that are fixed, and those on which it holds anything."""
        found = self.catalog.principals[principal_id]
        return principal_id in self.tokens or found.fixed or self.holds_any(of_principal(found))

    def sees_members(self, role: int, member: int) -> bool:
        """sys.database_role_members: one's own membership; every other with VIEW DEFINITION on the role."""
        return member in self.tokens or self.holds("VIEW DEFINITION", Securable(PRINCIPAL, role))

    def sees_permission(self, row: Permission) -> bool:
        """One's own and those of one's roles; those of other principals with anything on them."""
        if row.grantee in self.tokens or row.grantor in self.tokens:
            return True
        return self.holds_any(Securable(PRINCIPAL, row.grantee))


def canonical(permission: str, securable: Securable, permissions: Permissions) -> str | None:
    """The permission's name as it is written here, or None where the securable has no such permission."""
    wanted = " ".join(permission.upper().split())
    return wanted if wanted in permissions.applicable(securable) else None


def resolve_class(name: str) -> int | None:
    """The securable class of HAS_PERMS_BY_NAME and fn_my_permissions."""
    return builtin_permissions.CLASSES.get(fold(name).upper())
