"""Views on principals and permissions. "Security Catalog Views" of the SQL Server documentation."""

from __future__ import annotations

from setup_kit.sandbox.sql import builtin_permissions
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.names import resolve_securable
from setup_kit.sandbox.sql.compiler.object_facts import type_id
from setup_kit.sandbox.sql.compiler.views import Registry, Rows
from setup_kit.sandbox.sql.storage.catalog import DATABASE, OBJECT, PRINCIPAL, SCHEMA, TYPE, fold
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

REGISTRY = Registry()

_PRINCIPAL_TYPES = {"S": "SQL_USER", "R": "DATABASE_ROLE", "E": "EXTERNAL_USER", "X": "EXTERNAL_GROUP"}
_AUTHENTICATIONS = {0: "NONE", 1: "INSTANCE", 2: "DATABASE", 4: "EXTERNAL"}


@REGISTRY.view(
    "sys.database_principals",
    "name sysname, principal_id int, type char(1), type_desc nvarchar(60), default_schema_name sysname, "
    "create_date datetime, modify_date datetime, owning_principal_id int, sid varbinary(85), is_fixed_role bit, "
    "authentication_type int, authentication_type_desc nvarchar(60), default_language_name sysname = NULL, "
    "default_language_lcid int = NULL, allow_encrypted_value_modifications bit = 0",
)
def _database_principals(runtime: Runtime) -> Rows:
    for found in runtime.catalog.principals.values():
        if runtime.permissions.sees_principal(found.id):
            created = t.round_to_datetime(found.created)
            yield (
                found.name, found.id, found.kind, _PRINCIPAL_TYPES[found.kind], found.default_schema, created, created,
                found.owner if found.kind == "R" else None, found.sid or None,
                int(found.kind == "R" and found.fixed and found.id != 0), found.authentication,
                _AUTHENTICATIONS[found.authentication],
            )  # fmt: skip


@REGISTRY.view("sys.database_role_members", "role_principal_id int, member_principal_id int")
def _role_members(runtime: Runtime) -> Rows:
    for role, member in sorted(runtime.catalog.memberships):
        if runtime.permissions.sees_members(role, member):
            yield role, member


@REGISTRY.view(
    "sys.database_permissions",
    "class tinyint, class_desc nvarchar(60), major_id int, minor_id int = 0, grantee_principal_id int, "
    "grantor_principal_id int, type char(4), permission_name nvarchar(128), state char(1), state_desc nvarchar(60)",
)
def _database_permissions(runtime: Runtime) -> Rows:
    classes = {
        DATABASE: "DATABASE", SCHEMA: "SCHEMA", OBJECT: "OBJECT_OR_COLUMN", PRINCIPAL: "DATABASE_PRINCIPAL",
        TYPE: "TYPE",
    }  # fmt: skip
    states = {"G": "GRANT", "W": "GRANT_WITH_GRANT_OPTION", "D": "DENY"}
    for row in runtime.catalog.permissions:
        if runtime.permissions.sees_permission(row):
            major = type_id(runtime.catalog.objects[row.major_id]) if row.securable_class == TYPE else row.major_id
            yield (
                row.securable_class, classes[row.securable_class], major, row.grantee, row.grantor,
                builtin_permissions.CODES[row.permission].ljust(4), row.permission, row.state, states[row.state],
            )  # fmt: skip


@REGISTRY.view("sys.schemas", "name sysname, schema_id int, principal_id int")
def _schemas(runtime: Runtime) -> Rows:
    for schema in runtime.catalog.schemas.values():
        yield schema.name, schema.id, schema.owner


@REGISTRY.view(
    "sys.sysusers",
    "uid smallint, status smallint, name sysname, sid varbinary(85), roles varbinary(2048) = NULL, "
    "createdate datetime, updatedate datetime, altuid smallint, password varbinary(256) = NULL, gid smallint, "
    "environ varchar(255) = NULL, hasdbaccess int, islogin int, isntname int = 0, isntgroup int = 0, isntuser int = 0, "
    "issqluser int, isaliased int = 0, issqlrole int, isapprole int = 0",
)
def _sysusers(runtime: Runtime) -> Rows:
    for found in runtime.catalog.principals.values():
        if runtime.permissions.sees_principal(found.id):
            role = found.kind == "R"
            created = t.round_to_datetime(found.created)
            yield (
                found.id, 0, found.name, found.sid or None, created, created, found.owner if role else None,
                found.id if role else 0, int(not role and found.authentication > 0), int(not role),
                int(found.kind == "S"), int(role),
            )  # fmt: skip


@REGISTRY.view(
    "sys.fn_my_permissions",
    "entity_name sysname, subentity_name sysname = '', permission_name nvarchar(60)",
    arguments=2,
)
def _my_permissions(runtime: Runtime, securable: Stored, securable_class: Stored) -> Rows:
    """Effective permissions of the caller on a securable; none for one that does not exist."""
    if securable_class is None or fold(str(securable_class)) == "server":
        return
    found = resolve_securable(runtime, None if securable is None else str(securable), str(securable_class))
    if found is None:
        return
    held = runtime.permissions
    for name in held.applicable(found):
        if held.holds(name, found):
            yield (str(securable_class).lower() if found.securable_class == DATABASE else securable), name


@REGISTRY.view(
    "sys.fn_builtin_permissions",
    "class_desc nvarchar(60), permission_name nvarchar(60), type varchar(4), covering_permission_name nvarchar(60), "
    "parent_class_desc nvarchar(60), parent_covering_permission_name nvarchar(60)",
    arguments=1,
)
def _builtin_permissions(runtime: Runtime, securable_class: Stored) -> Rows:
    """The permissions this server knows, of one class, or of all for '' and DEFAULT (NULL)."""
    wanted = fold(str(securable_class or ""))
    for row in builtin_permissions.rows():
        if wanted in ("", "default", fold(row[0])):
            yield row
