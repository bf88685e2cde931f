"""Built-in functions that tell about the server, the session, the catalog and permissions; @@variables."""

from __future__ import annotations

from collections.abc import Callable

from setup_kit.sandbox.sql import errors, permissions
from setup_kit.sandbox.sql.compiler.bound import Bound, Program, Runtime
from setup_kit.sandbox.sql.permissions import THE_DATABASE, Securable
from setup_kit.sandbox.sql.storage.catalog import DATABASE, OBJECT, SCHEMA, DatabaseObject, fold
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

#: What Azure SQL Database says of itself; the last line says that this is a rehearsal.
PRODUCT_VERSION = (12, 0, 2000)
VERSION_TEXT = (
    "Microsoft SQL Azure (RTM) - 12.0.2000.8 \n\tJan  1 2026 00:00:00 \n\tCopyright (C) 2025 Microsoft Corporation\n"
    "\t(setup-kit sandbox: a rehearsal, not SQL Server)\n"
)
_SERVER_PROPERTIES: dict[str, Stored] = {
    "collation": "SQL_Latin1_General_CP1_CI_AS", "edition": "SQL Azure", "engineedition": 5, "editionid": 1674378470,
    "productversion": "12.0.2000.8", "productlevel": "RTM", "productmajorversion": "12", "isintegratedsecurityonly": 0,
    "issingleuser": 0, "lcid": 1033, "isfulltextinstalled": 0, "isclustered": 0, "ishadrenabled": 0,
}  # fmt: skip


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
    if len(parts) == 3 and parts[0] and fold(parts[0]) != fold(runtime.database.name):
        return None
    principal = runtime.catalog.principals[runtime.permissions.principal_id]
    schema = (parts[-2] if len(parts) > 1 else "") or principal.default_schema or "dbo"
    found = runtime.catalog.object(schema, parts[-1])
    if found is None and len(parts) == 1:
        found = runtime.catalog.object("dbo", parts[-1])
    return found if found is not None and runtime.permissions.sees(found) else None


# Permissions


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
    return None


def has_permission(runtime: Runtime, name: str | None, class_name: str | None, permission: str | None) -> Stored:
    """HAS_PERMS_BY_NAME: 1, 0, or NULL for a class or a permission that does not exist."""
    if permission is None:
        return None
    if class_name is None:
        return int(runtime.is_server_administrator) if name is None else None
    if fold(class_name) == "server":
        return int(runtime.is_server_administrator)
    if permissions.resolve_class(class_name) is None:
        return None
    securable = resolve_securable(runtime, name, class_name)
    if securable is None:
        return 0
    held = runtime.permissions
    if fold(permission) == "any":
        return int(held.holds_any(securable))
    known = permissions.canonical(permission, securable, held)
    return None if known is None else int(held.holds(known, securable))


# Names and numbers of the catalog


def _user_name(runtime: Runtime, principal_id: int | None = None) -> Stored:
    number = runtime.permissions.principal_id if principal_id is None else principal_id
    found = runtime.catalog.principals.get(number)
    return found.name if found else None


def _principal_id(runtime: Runtime, name: str | None = None) -> Stored:
    if name is None:
        return runtime.permissions.principal_id
    found = runtime.catalog.principal(name)
    return found.id if found else None


def _schema_name(runtime: Runtime, schema_id: int | None = None) -> Stored:
    if schema_id is None:
        return runtime.catalog.principals[runtime.permissions.principal_id].default_schema or "dbo"
    found = runtime.catalog.schemas.get(schema_id)
    return found.name if found else None


def _schema_id(runtime: Runtime, name: str | None = None) -> Stored:
    found = runtime.catalog.schema(str(_schema_name(runtime)) if name is None else name)
    return found.id if found else None


_OBJECT_TYPES = {"U": "U", "V": "V", "P": "P"}


def _object_id(runtime: Runtime, name: str | None, kind: str | None = None) -> Stored:
    found = find_object(runtime, name) if name is not None else None
    if found is None or (kind is not None and found.kind != _OBJECT_TYPES.get(kind.strip().upper())):
        return None
    return found.id


def _object_name(runtime: Runtime, object_id: int | None) -> Stored:
    found = runtime.catalog.objects.get(object_id) if object_id is not None else None
    return found.name if found is not None and runtime.permissions.sees(found) else None


def _object_schema_name(runtime: Runtime, object_id: int | None) -> Stored:
    found = runtime.catalog.objects.get(object_id) if object_id is not None else None
    visible = found is not None and runtime.permissions.sees(found)
    return runtime.catalog.schemas[found.schema_id].name if found is not None and visible else None


def _column_length(runtime: Runtime, table: str | None, column: str | None) -> Stored:
    found = find_object(runtime, table) if table is not None else None
    held = found.columns_by_name.get(fold(column)) if found is not None and column is not None else None
    return held.type.max_length if held else None


def _column_name(runtime: Runtime, object_id: int | None, column_id: int | None) -> Stored:
    found = runtime.catalog.objects.get(object_id) if object_id is not None else None
    return next((c.name for c in found.columns if c.id == column_id), None) if found else None


def _type_name(runtime: Runtime, type_id: int | None) -> Stored:
    return next((name for name, number in t.SYSTEM_TYPE_IDS.items() if number == type_id), None)


def _type_id(runtime: Runtime, name: str | None) -> Stored:
    parts = split_name(name) if name else None
    return t.SYSTEM_TYPE_IDS.get(parts[-1].lower()) if parts else None


def _database_name(runtime: Runtime, database_id: int | None = None) -> Stored:
    if database_id is None or database_id == runtime.database.id:
        return runtime.database.name
    return next((found.name for found in runtime.server.databases() if found.id == database_id), None)


def _database_id(runtime: Runtime, name: str | None = None) -> Stored:
    found = runtime.database if name is None else runtime.server.database(name)
    return found.id if found else None


def _has_database_access(runtime: Runtime, name: str | None) -> Stored:
    found = runtime.server.database(name) if name is not None else None
    return None if found is None else int(found.id == runtime.database.id)


def _login_name(runtime: Runtime, sid: bytes | None = None) -> Stored:
    if sid is None or sid == runtime.login_sid:
        return runtime.login_name
    return next((login.name for login in runtime.server.logins() if login.sid == sid), None)


def _login_sid(runtime: Runtime, name: str | None = None) -> Stored:
    if name is None or fold(name) == fold(runtime.login_name):
        return runtime.login_sid
    found = runtime.server.login(name)
    return found.sid if found else None


def _is_member(runtime: Runtime, role: str | None) -> Stored:
    found = runtime.catalog.principal(role) if role is not None else None
    return int(runtime.permissions.in_role(found.name)) if found is not None and found.kind == "R" else None


def _is_role_member(runtime: Runtime, role: str | None, principal: str | None = None) -> Stored:
    if principal is None:
        return _is_member(runtime, role)
    found, member = (runtime.catalog.principal(name or "") for name in (role, principal))
    if found is None or member is None or found.kind != "R":
        return None
    return int(found.id in runtime.catalog.roles_of(member.id))


def _is_server_role_member(runtime: Runtime, role: str | None, login: str | None = None) -> Stored:
    if role is None or fold(role) not in ("sysadmin", "public", "##ms_serverstatereader##", "##ms_loginmanager##"):
        return None
    return int(fold(role) == "public")


def _server_property(runtime: Runtime, name: str | None) -> Stored:
    if name is None:
        return None
    if fold(name) in ("servername", "machinename", "instancename"):
        return runtime.server.name if fold(name) == "servername" else None
    return _SERVER_PROPERTIES.get(fold(name))


def _database_property(runtime: Runtime, database: str | None, name: str | None) -> Stored:
    found = runtime.server.database(database) if database is not None else None
    if found is None or name is None:
        return None
    values: dict[str, Stored] = {
        "status": "ONLINE", "updateability": "READ_WRITE", "useraccess": "MULTI_USER", "recovery": "FULL",
        "collation": "SQL_Latin1_General_CP1_CI_AS", "edition": "GeneralPurpose", "version": 957,
        "serviceobjective": "GP_S_Gen5_2",
    }  # fmt: skip
    return values.get(fold(name))


def _connection_property(runtime: Runtime, name: str | None) -> Stored:
    values: dict[str, Stored] = {
        "net_transport": "TCP", "protocol_type": "TSQL", "auth_scheme": "SQL", "physical_net_transport": "TCP",
    }  # fmt: skip
    return values.get(fold(name)) if name is not None else None


def _caught(index: int) -> Callable[[Runtime], Stored]:
    return lambda runtime: runtime.caught[-1][index] if runtime.caught else None


def _table_entry(
    least: int, most: int, label: str, kind: SqlType, function: Callable[..., Stored], *inputs: SqlType
) -> tuple[int, int, Callable[[Program, list[Bound]], Bound]]:
    """A function whose arguments are converted to `inputs` and whose answer depends on the session."""

    def compile_(program: Program, values: list[Bound]) -> Bound:
        converted = [program.convert(value, target) for value, target in zip(values, inputs, strict=False)]
        return program.apply(label, function, kind, *converted)

    return least, most, compile_


_NAME = t.nvarchar(776)

TABLE = {
    "HAS_PERMS_BY_NAME": _table_entry(3, 5, "has_perms_by_name", t.INT, has_permission, _NAME, _NAME, _NAME),
    "DB_NAME": _table_entry(0, 1, "db_name", t.SYSNAME, _database_name, t.INT),
    "DB_ID": _table_entry(0, 1, "db_id", t.SMALLINT, _database_id, _NAME),
    "HAS_DBACCESS": _table_entry(1, 1, "has_dbaccess", t.INT, _has_database_access, _NAME),
    "SUSER_SNAME": _table_entry(0, 1, "suser_sname", t.SYSNAME, _login_name, t.varbinary(85)),
    "SUSER_NAME": _table_entry(0, 0, "suser_name", t.SYSNAME, _login_name),
    "SUSER_SID": _table_entry(0, 2, "suser_sid", t.varbinary(85), _login_sid, _NAME),
    "ORIGINAL_LOGIN": _table_entry(0, 0, "original_login", t.SYSNAME, _login_name),
    "SYSTEM_USER": _table_entry(0, 0, "system_user", t.SYSNAME, _login_name),
    "USER_NAME": _table_entry(0, 1, "user_name", t.SYSNAME, _user_name, t.INT),
    "USER": _table_entry(0, 0, "user", t.SYSNAME, _user_name),
    "CURRENT_USER": _table_entry(0, 0, "current_user", t.SYSNAME, _user_name),
    "SESSION_USER": _table_entry(0, 0, "session_user", t.SYSNAME, _user_name),
    "USER_ID": _table_entry(0, 1, "user_id", t.SMALLINT, _principal_id, _NAME),
    "DATABASE_PRINCIPAL_ID": _table_entry(0, 1, "database_principal_id", t.INT, _principal_id, _NAME),
    "SCHEMA_NAME": _table_entry(0, 1, "schema_name", t.SYSNAME, _schema_name, t.INT),
    "SCHEMA_ID": _table_entry(0, 1, "schema_id", t.INT, _schema_id, _NAME),
    "OBJECT_ID": _table_entry(1, 2, "object_id", t.INT, _object_id, _NAME, t.nvarchar(10)),
    "OBJECT_NAME": _table_entry(1, 1, "object_name", t.SYSNAME, _object_name, t.INT),
    "OBJECT_SCHEMA_NAME": _table_entry(1, 1, "object_schema_name", t.SYSNAME, _object_schema_name, t.INT),
    "COL_LENGTH": _table_entry(2, 2, "col_length", t.SMALLINT, _column_length, _NAME, _NAME),
    "COL_NAME": _table_entry(2, 2, "col_name", t.SYSNAME, _column_name, t.INT, t.INT),
    "TYPE_NAME": _table_entry(1, 1, "type_name", t.SYSNAME, _type_name, t.INT),
    "TYPE_ID": _table_entry(1, 1, "type_id", t.INT, _type_id, _NAME),
    "IS_MEMBER": _table_entry(1, 1, "is_member", t.INT, _is_member, _NAME),
    "IS_ROLEMEMBER": _table_entry(1, 2, "is_rolemember", t.INT, _is_role_member, _NAME, _NAME),
    "IS_SRVROLEMEMBER": _table_entry(1, 2, "is_srvrolemember", t.INT, _is_server_role_member, _NAME, _NAME),
    "SERVERPROPERTY": _table_entry(1, 1, "serverproperty", t.VARIANT, _server_property, _NAME),
    "DATABASEPROPERTYEX": _table_entry(2, 2, "databasepropertyex", t.VARIANT, _database_property, _NAME, _NAME),
    "CONNECTIONPROPERTY": _table_entry(1, 1, "connectionproperty", t.VARIANT, _connection_property, _NAME),
    "APP_NAME": _table_entry(0, 0, "app_name", t.SYSNAME, lambda runtime: runtime.application),
    "HOST_NAME": _table_entry(0, 0, "host_name", t.SYSNAME, lambda runtime: runtime.client_host),
    "SCOPE_IDENTITY": _table_entry(0, 0, "scope_identity", t.decimal(38, 0), lambda runtime: runtime.identity),
    "XACT_STATE": _table_entry(0, 0, "xact_state", t.SMALLINT, lambda runtime: int(runtime.transaction_depth > 0)),
    "ERROR_NUMBER": _table_entry(0, 0, "error_number", t.INT, _caught(0)),
    "ERROR_SEVERITY": _table_entry(0, 0, "error_severity", t.INT, _caught(1)),
    "ERROR_STATE": _table_entry(0, 0, "error_state", t.INT, _caught(2)),
    "ERROR_MESSAGE": _table_entry(0, 0, "error_message", t.nvarchar(4000), _caught(3)),
    "ERROR_LINE": _table_entry(0, 0, "error_line", t.INT, _caught(4)),
    "ERROR_PROCEDURE": _table_entry(0, 0, "error_procedure", t.SYSNAME, _caught(5)),
}

_VARIABLES: dict[str, tuple[SqlType, Callable[[Runtime], Stored]]] = {
    "VERSION": (t.nvarchar(300), lambda runtime: VERSION_TEXT),
    "SPID": (t.SMALLINT, lambda runtime: runtime.spid),
    "TRANCOUNT": (t.INT, lambda runtime: runtime.transaction_depth),
    "ROWCOUNT": (t.INT, lambda runtime: runtime.row_count),
    "ERROR": (t.INT, lambda runtime: runtime.last_error),
    "IDENTITY": (t.decimal(38, 0), lambda runtime: runtime.identity),
    "SERVERNAME": (t.SYSNAME, lambda runtime: runtime.server.name),
    "SERVICENAME": (t.SYSNAME, lambda runtime: None),
    "LANGUAGE": (t.SYSNAME, lambda runtime: "us_english"),
    "DATEFIRST": (t.TINYINT, lambda runtime: 7),
    "MICROSOFTVERSION": (t.INT, lambda runtime: 0x0C0007D0),
    "MAX_PRECISION": (t.TINYINT, lambda runtime: 38),
    "TEXTSIZE": (t.INT, lambda runtime: int(runtime.options.get("TEXTSIZE", "2147483647"))),
    "LOCK_TIMEOUT": (t.INT, lambda runtime: int(runtime.options.get("LOCK_TIMEOUT", "-1"))),
    "NESTLEVEL": (t.INT, lambda runtime: 0),
    "OPTIONS": (t.INT, lambda runtime: 5432),
    "FETCH_STATUS": (t.INT, lambda runtime: 0),
}


def variable(program: Program, name: str) -> Bound:
    """An @@variable; 40513 for one that is not known here."""
    found = _VARIABLES.get(name.upper())
    if found is None:
        raise errors.SqlError(
            40513, f"Server variable '@@{name}' is not supported in this version of SQL Server.", ends_batch=True
        )
    kind, slot = found
    return program.from_slot(slot, kind)
