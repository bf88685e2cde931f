"""Security functions: permissions, principals, memberships, logins. "Security Functions" of the T-SQL reference."""

from __future__ import annotations

from setup_kit.sandbox.sql import permissions
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.builtin import Entry, entry
from setup_kit.sandbox.sql.compiler.names import resolve_securable
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

_NAME = t.nvarchar(776)


def _has_permission(
    runtime: Runtime, name: str | None, class_name: str | None, permission: str | None, *_: str | None
) -> Stored:
    """HAS_PERMS_BY_NAME: 1, 0, or NULL for a class or a permission that does not exist.

    A column as sub-securable is decided by its table: columns have no permissions of their own here.
    """
    if permission is None:
        return None
    if class_name is None:
        return int(_on_server(runtime, fold(permission))) if name is None else None
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


def _on_server(runtime: Runtime, permission: str) -> bool:
    """A permission of the server; of those that fixed roles have, the two that somebody asks for."""
    if permission == "alter any login":
        return permissions.manages_logins(runtime)
    if permission == "create any database":
        return permissions.manages_databases(runtime)
    return runtime.is_server_administrator


def _user_name(runtime: Runtime, principal_id: int | None = None) -> Stored:
    number = runtime.permissions.principal_id if principal_id is None else principal_id
    found = runtime.catalog.principals.get(number)
    return found.name if found else None


def _principal_id(runtime: Runtime, name: str | None = None) -> Stored:
    if name is None:
        return runtime.permissions.principal_id
    found = runtime.catalog.principal(name)
    return found.id if found else None


def _login_name(runtime: Runtime, sid: bytes | None = None) -> Stored:
    """SUSER_SNAME: the login of a security identification number."""
    if sid is None or sid == runtime.login_sid:
        return runtime.login_name
    return next((login.name for login in runtime.server.logins() if login.sid == sid), None)


def _login_name_by_id(runtime: Runtime, number: int | None = None) -> Stored:
    """SUSER_NAME."""
    if number is None:
        return runtime.login_name
    return next((login.name for login in runtime.server.logins() if login.principal_id == number), None)


def _login_id(runtime: Runtime, name: str | None = None) -> Stored:
    """SUSER_ID: the number of a login; 1 for the server's administrator, who is kept elsewhere (*assumed*)."""
    wanted = runtime.login_name if name is None else name
    found = runtime.server.login(wanted)
    if found is not None:
        return found.principal_id
    return 1 if runtime.is_server_administrator and fold(wanted) == fold(runtime.login_name) else None


def _login_sid(runtime: Runtime, name: str | None = None, *_: int | None) -> Stored:
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
    if found is None or member is None or found.kind != "R" or not runtime.permissions.sees_principal(member.id):
        return None
    return int(found.id in runtime.catalog.roles_of(member.id))


_SERVER_ROLES = frozenset(
    {
        "sysadmin", "serveradmin", "securityadmin", "processadmin", "setupadmin", "bulkadmin", "diskadmin", "dbcreator",
        "public", "##ms_serverstatereader##", "##ms_loginmanager##", "##ms_databasemanager##",
        "##ms_databaseconnector##", "##ms_definitionreader##", "##ms_securitydefinitionreader##",
        "##ms_serverstatemanager##",
    }
)  # fmt: skip


def _is_server_role_member(runtime: Runtime, role: str | None, login: str | None = None) -> Stored:
    if role is None or fold(role) not in _SERVER_ROLES:
        return None
    if login is not None and fold(login) != fold(runtime.login_name):
        found = runtime.server.login(login)
        if found is None:
            return None
        held = runtime.server.server_roles(found.sid)
        return int(fold(role) == "public" or bool(held & {fold(role), "sysadmin"}))
    administrator = runtime.is_server_administrator and runtime.virtual_machine
    return int(fold(role) == "public" or administrator or fold(role) in runtime.server_roles)


TABLE: dict[str, Entry] = {
    "HAS_PERMS_BY_NAME": entry(3, 5, "has_perms_by_name", t.INT, _has_permission, _NAME, _NAME, _NAME, _NAME, _NAME),
    "SUSER_SNAME": entry(0, 1, "suser_sname", t.SYSNAME, _login_name, t.varbinary(85)),
    "SUSER_NAME": entry(0, 1, "suser_name", t.SYSNAME, _login_name_by_id, t.INT),
    "SUSER_ID": entry(0, 1, "suser_id", t.INT, _login_id, _NAME),
    "SUSER_SID": entry(0, 2, "suser_sid", t.varbinary(85), _login_sid, _NAME, t.INT),
    "ORIGINAL_LOGIN": entry(0, 0, "original_login", t.SYSNAME, _login_name),
    "SYSTEM_USER": entry(0, 0, "system_user", t.SYSNAME, _login_name),
    "USER_NAME": entry(0, 1, "user_name", t.SYSNAME, _user_name, t.INT),
    "USER": entry(0, 0, "user", t.SYSNAME, _user_name),
    "CURRENT_USER": entry(0, 0, "current_user", t.SYSNAME, _user_name),
    "SESSION_USER": entry(0, 0, "session_user", t.SYSNAME, _user_name),
    "USER_ID": entry(0, 1, "user_id", t.SMALLINT, _principal_id, _NAME),
    "DATABASE_PRINCIPAL_ID": entry(0, 1, "database_principal_id", t.INT, _principal_id, _NAME),
    "IS_MEMBER": entry(1, 1, "is_member", t.INT, _is_member, _NAME),
    "IS_ROLEMEMBER": entry(1, 2, "is_rolemember", t.INT, _is_role_member, _NAME, _NAME),
    "IS_SRVROLEMEMBER": entry(1, 2, "is_srvrolemember", t.INT, _is_server_role_member, _NAME, _NAME),
}
