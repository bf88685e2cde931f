"""Logins, users, roles, GRANT, DENY, REVOKE and the settings of a database."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors, logins, system_views
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql import statements as s
from setup_kit.sandbox.sql.catalog import (
    DATABASE,
    DBO_ID,
    FIXED_ROLES,
    INFORMATION_SCHEMA_ID,
    PUBLIC_ID,
    SCHEMA,
    SYS_ID,
    CatalogWriter,
    Permission,
    Principal,
    fold,
)
from setup_kit.sandbox.sql.permissions import Securable

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.session import Session


def execute_server(session: Session, statement: s.Statement) -> None:
    """Statements on the server itself: outside transactions, in master only (5001)."""
    if fold(session.database.name) != "master" and not isinstance(statement, s.AlterDatabase):
        raise errors.must_be_in_master()
    match statement:
        case s.CreateLogin():
            _create_login(session, statement)
        case s.AlterLogin():
            _alter_login(session, statement)
        case s.DropLogin():
            _drop_login(session, statement)
        case s.CreateDatabase():
            _create_database(session, statement)
        case s.DropDatabase():
            _drop_database(session, statement)
        case s.AlterDatabase():
            _alter_database(session, statement)


def execute(session: Session, statement: s.Statement) -> None:
    """Statements on the database's principals and permissions, inside the session's write transaction."""
    match statement:
        case s.CreateUser():
            _create_user(session, statement)
        case s.AlterUser():
            _alter_user(session, statement)
        case s.DropUser():
            _drop_user(session, statement)
        case s.CreateRole():
            _create_role(session, statement)
        case s.AlterRole():
            _alter_role(session, statement)
        case s.DropRole():
            _drop_role(session, statement)
        case s.ChangePermissions():
            _change_permissions(session, statement)
        case s.AlterScopedConfiguration():
            _alter_scoped_configuration(session, statement)


# The server


def _manages_logins(session: Session) -> bool:
    return session.is_server_administrator or session.permissions.in_role("loginmanager")


def _create_login(session: Session, statement: s.CreateLogin) -> None:
    if not _manages_logins(session):
        raise errors.not_permitted()
    logins.check_name(statement.login)
    if session.server.login(statement.login) is not None:
        raise errors.login_exists(statement.login)
    password = statement.password or ""
    logins.check_password(statement.login, password)
    if not session.server.create_login(statement.login, logins.hash_password(password)):
        raise errors.login_exists(statement.login)


def _alter_login(session: Session, statement: s.AlterLogin) -> None:
    found = session.server.login(statement.login)
    own = found is not None and found.sid == session.login_sid
    if found is None or not (_manages_logins(session) or own):
        raise errors.not_found("alter", "login", statement.login)
    if statement.password is not None:
        if not _manages_logins(session) and not (
            statement.old_password and logins.password_matches(statement.old_password, found.password)
        ):
            raise errors.SqlError(15151, f"Cannot alter the login '{statement.login}', because it does not exist or you "
                                  "do not have permission.")  # fmt: skip
        logins.check_password(found.name, statement.password)
        session.server.alter_login(found.name, password=logins.hash_password(statement.password))
        return
    if not _manages_logins(session):
        raise errors.not_found("alter", "login", statement.login)
    if statement.disabled is not None:
        session.server.alter_login(found.name, disabled=statement.disabled)
    if statement.new_name is not None:
        logins.check_name(statement.new_name)
        if session.server.login(statement.new_name) is not None:
            raise errors.login_exists(statement.new_name)
        session.server.rename_login(found.name, statement.new_name)


def _drop_login(session: Session, statement: s.DropLogin) -> None:
    found = session.server.login(statement.login)
    if found is None or not _manages_logins(session):
        raise errors.not_found("drop", "login", statement.login)
    if session.instance.is_logged_in(found.sid):
        raise errors.SqlError(15434, f"Could not drop login '{found.name}' as the user is currently logged in.")
    session.server.drop_login(found.name)


def _manages_databases(session: Session) -> bool:
    return session.is_server_administrator or session.permissions.in_role("dbmanager")


def _create_database(session: Session, statement: s.CreateDatabase) -> None:
    if not _manages_databases(session):
        raise errors.permission_denied_in_database("CREATE DATABASE", "master")
    if session.server.database(statement.database) is not None:
        raise errors.SqlError(
            1801, f"Database '{statement.database}' already exists. Choose a different database name.", 16, 3
        )
    session.server.create_database(statement.database)


def _drop_database(session: Session, statement: s.DropDatabase) -> None:
    found = session.server.database(statement.database)
    if found is None and statement.if_exists:
        return
    if found is None or fold(found.name) == "master" or not _manages_databases(session):
        raise errors.SqlError(
            3701, f"Cannot drop the database '{statement.database}', because it does not exist or you do not have "
            "permission.", 11,
        )  # fmt: skip
    session.instance.drop_database(found.name)


def _alter_database(session: Session, statement: s.AlterDatabase) -> None:
    name = statement.database or session.database.name
    found = session.server.database(name)
    here = found is not None and found.id == session.database.id
    allowed = session.is_server_administrator or (here and session.permissions.holds("ALTER"))
    if found is None or not allowed or not (here or fold(session.database.name) == "master"):
        error = errors.SqlError(
            5011, f"User does not have permission to alter database '{name}', the database does not exist, or the "
            "database is not in a state that allows access checks.", 14, 9, ends_batch=True,
        )  # fmt: skip
        error.also.append(errors.SqlError(5069, "ALTER DATABASE statement failed."))
        raise error
    session.server.set_read_committed_snapshot(found.id, on=statement.value == "ON")


def _alter_scoped_configuration(session: Session, statement: s.AlterScopedConfiguration) -> None:
    if not session.permissions.holds("ALTER ANY DATABASE SCOPED CONFIGURATION"):
        raise errors.not_permitted()
    if statement.option not in system_views.SCOPED_CONFIGURATIONS:
        raise errors.unsupported_option(statement.option)
    value = {"ON": "1", "OFF": "0", "PRIMARY": ""}.get(statement.value, statement.value)
    switch = statement.option != "MAXDOP"
    if not value.isdigit() or (switch and value not in ("0", "1")) or int(value) > 32767:
        raise errors.incorrect_syntax(statement.value)
    CatalogWriter(session.connection).set_option(statement.option, int(value))


# Users


def external_sid(object_id: str) -> bytes:
    """The sid of an Entra principal: its object (or application) id as bytes."""
    return uuid.UUID(object_id).bytes_le


def _check_user_name(session: Session, name: str) -> None:
    if "\\" in name:
        raise errors.SqlError(15006, f"'{name}' is not a valid name because it contains invalid characters.")
    if session.catalog.principal(name) is not None:
        raise errors.principal_exists(name)


def _create_user(session: Session, statement: s.CreateUser) -> None:
    if not session.permissions.holds("ALTER ANY USER"):
        raise errors.not_permitted()
    _check_user_name(session, statement.user)
    kind, password = "S", None
    if statement.external:
        kind, authentication = "E", 4
        if statement.object_id is None:
            raise errors.unsupported_option("FROM EXTERNAL PROVIDER without OBJECT_ID")
        try:
            sid = external_sid(statement.object_id)
        except ValueError:
            raise errors.incorrect_syntax(statement.object_id) from None
    elif statement.password is not None:
        if fold(session.database.name) == "master":
            raise errors.SqlError(
                33233, "You can only create a user with a password in a contained database.", ends_batch=True
            )
        logins.check_password(statement.user, statement.password)
        authentication, password = 2, logins.hash_password(statement.password)
        sid = b"\x01\x05\x00\x00\x00\x00\x00\x09" + secrets.token_bytes(20)
    elif statement.login is not None:
        login = session.server.login(statement.login)
        if login is None:
            raise errors.SqlError(15007, f"'{statement.login}' is not a valid login or you do not have permission.")
        if any(found.sid == login.sid for found in session.catalog.principals.values()):
            raise errors.SqlError(15063, "The login already has an account under a different user name.")
        authentication, sid = 1, login.sid
    else:
        authentication, sid = 0, b"\x01\x05\x00\x00\x00\x00\x00\x09" + secrets.token_bytes(20)
    writer = CatalogWriter(session.connection)
    number = writer.add_principal(
        statement.user, kind, sid=sid, authentication=authentication, password=password,
        default_schema=statement.default_schema or "dbo",
    )  # fmt: skip
    writer.set_permission(Permission(DATABASE, 0, number, DBO_ID, "CONNECT", "G"))


def _find_user(session: Session, name: str, verb: str) -> Principal:
    found = session.catalog.principal(name)
    if found is None or found.kind == "R" or not session.permissions.sees_principal(found.id):
        raise errors.not_found(verb, "user", name)
    return found


def _alter_user(session: Session, statement: s.AlterUser) -> None:
    found = _find_user(session, statement.user, "alter")
    manages = session.permissions.holds("ALTER ANY USER")
    own = found.id == session.permissions.principal_id
    if not manages and not own:
        raise errors.not_found("alter", "user", statement.user)
    if found.fixed:
        raise errors.SqlError(15150, f"Cannot alter the user '{found.name}'.")
    values: dict[str, str | bytes | int] = {}
    if statement.password is not None:
        if found.password is None:
            raise errors.SqlError(
                33234, "The parameter PASSWORD cannot be provided for users that cannot authenticate in a database."
            )
        known = statement.old_password and logins.password_matches(statement.old_password, found.password)
        if not manages and not known:
            raise errors.not_found("alter", "user", statement.user)
        logins.check_password(found.name, statement.password)
        values["password"] = logins.hash_password(statement.password)
    elif not manages and (statement.login is not None or statement.new_name is not None):
        raise errors.not_found("alter", "user", statement.user)
    if statement.login is not None:
        login = session.server.login(statement.login)
        if login is None:
            raise errors.SqlError(15007, f"'{statement.login}' is not a valid login or you do not have permission.")
        if found.authentication != 1:
            raise errors.SqlError(33016, "The user cannot be remapped to a login. Remapping can only be done for users "
                                  "that were mapped to Windows or SQL logins.")  # fmt: skip
        if any(o.sid == login.sid and o.id != found.id for o in session.catalog.principals.values()):
            raise errors.SqlError(15063, "The login already has an account under a different user name.")
        values["sid"] = login.sid
    if statement.default_schema is not None:
        values["default_schema"] = statement.default_schema
    if statement.new_name is not None:
        if fold(statement.new_name) != fold(found.name):
            _check_user_name(session, statement.new_name)
        values["name"] = statement.new_name
    CatalogWriter(session.connection).change_principal(found.id, **values)


def _drop_user(session: Session, statement: s.DropUser) -> None:
    found = session.catalog.principal(statement.user)
    if found is None and statement.if_exists:
        return
    if found is None or found.kind == "R" or not session.permissions.holds("ALTER ANY USER"):
        raise errors.not_found("drop", "user", statement.user)
    _drop_principal(session, found, "user")


def _drop_principal(session: Session, found: Principal, kind: str) -> None:
    if found.fixed:
        raise errors.SqlError(15150, f"Cannot drop the {kind} '{found.name}'.")
    if any(schema.owner == found.id for schema in session.catalog.schemas.values()):
        raise errors.SqlError(15138, "The database principal owns a schema in the database, and cannot be dropped.")
    if any(row.grantor == found.id and row.grantee != found.id for row in session.catalog.permissions):
        raise errors.SqlError(
            15284, "The database principal has granted or denied permissions to objects in the database and cannot be "
            "dropped.",
        )  # fmt: skip
    CatalogWriter(session.connection).remove_principal(found.id)


# Roles


def _create_role(session: Session, statement: s.CreateRole) -> None:
    session.permissions.require("CREATE ROLE")
    _check_user_name(session, statement.role)
    owner = session.permissions.principal_id
    if statement.owner is not None:
        owner = _find_user(session, statement.owner, "find").id
    sid = b"\x01\x05\x00\x00\x00\x00\x00\x09\x04" + secrets.token_bytes(19)
    CatalogWriter(session.connection).add_principal(statement.role, "R", sid=sid, authentication=0, owner=owner)


def _find_role(session: Session, name: str, verb: str) -> Principal:
    """A role that the caller may change: ALTER ANY ROLE, for fixed roles CONTROL of the database."""
    found = session.catalog.principal(name)
    if found is None or found.kind != "R":
        raise errors.not_found(verb, "role", name)
    needed = "CONTROL" if found.fixed else "ALTER ANY ROLE"
    if found.owner not in session.permissions.tokens and not session.permissions.holds(needed):
        raise errors.not_found(verb, "role", name)
    return found


def _alter_role(session: Session, statement: s.AlterRole) -> None:
    role = _find_role(session, statement.role, "alter")
    writer = CatalogWriter(session.connection)
    if role.id == PUBLIC_ID:
        raise errors.SqlError(15081, "Membership of the public role cannot be changed.")
    if statement.new_name is not None:
        if role.fixed:
            raise errors.SqlError(15150, f"Cannot alter the role '{role.name}'.")
        _check_user_name(session, statement.new_name)
        writer.change_principal(role.id, name=statement.new_name)
        return
    name = statement.add if statement.add is not None else statement.drop or ""
    member = session.catalog.principal(name)
    if member is None:
        raise errors.not_found("add" if statement.add else "drop", "principal", name)
    if member.id == DBO_ID or (member.fixed and member.id not in FIXED_ROLES.values()):
        raise errors.SqlError(15405, f"Cannot use the special principal '{name}'.", 11)
    if statement.add is not None:
        if member.id == role.id or member.id in session.catalog.roles_of(role.id):
            raise errors.SqlError(15413, "Cannot make a role a member of itself.")
        writer.add_member(role.id, member.id)
    else:
        writer.remove_member(role.id, member.id)


def _drop_role(session: Session, statement: s.DropRole) -> None:
    if session.catalog.principal(statement.role) is None and statement.if_exists:
        return
    role = _find_role(session, statement.role, "drop")
    if any(of == role.id for of, _ in session.catalog.memberships):
        raise errors.SqlError(15144, "The role has members. It must be empty before it can be dropped.")
    _drop_principal(session, role, "role")


# Permissions


def _find_securable(session: Session, statement: s.ChangePermissions) -> Securable:
    name = statement.securable
    if statement.securable_class == DATABASE:
        if name is not None and fold(name.name) != fold(session.database.name):
            raise errors.not_found("find", "database", name.name)
        return p.THE_DATABASE
    assert name is not None  # noqa: S101 - only the database is left out
    if statement.securable_class == SCHEMA:
        schema = session.catalog.schema(name.name)
        securable = p.of_schema(schema.id) if schema else None
        kind = "schema"
    else:
        found = session.catalog.object(name.schema or session.default_schema, name.name)
        if found is None and name.schema is None:
            found = session.catalog.object("dbo", name.name)
        securable = p.of_object(found) if found else None
        kind = "object"
    if securable is None or not session.permissions.holds_any(securable):
        raise errors.not_found("find", kind, name.name)
    return securable


def _change_permissions(session: Session, statement: s.ChangePermissions) -> None:
    securable = _find_securable(session, statement)
    names = []
    for written in statement.permissions:
        name = p.canonical(written, securable, session.permissions)
        if name is None:
            if " ".join(written.split()) in p.CODES:
                raise errors.SqlError(
                    4606, f"Granted or revoked privilege {written} is not compatible with object.", ends_batch=True
                )
            raise errors.incorrect_syntax(written)
        names.append(name)
    for name in names:
        if not session.permissions.may_grant(name, securable):
            _refuse_grant(session, statement, securable)
    grantees = []
    for written in statement.principals:
        found = session.catalog.principal(written)
        if found is None or not session.permissions.sees_principal(found.id):
            raise errors.not_found("find", "user", written)
        if found.id in (DBO_ID, INFORMATION_SCHEMA_ID, SYS_ID, session.permissions.principal_id):
            raise errors.SqlError(
                4624, "Cannot grant, deny, or revoke permissions to sa, dbo, entity owner, information_schema, sys, or "
                "yourself.",
            )  # fmt: skip
        if found.id in FIXED_ROLES.values():
            raise errors.SqlError(4617, "Cannot grant, deny or revoke permissions to or from special roles.")
        grantees.append(found.id)
    _write_permissions(session, statement, securable, names, grantees)


def _write_permissions(
    session: Session, statement: s.ChangePermissions, securable: Securable, names: list[str], grantees: list[int]
) -> None:
    writer = CatalogWriter(session.connection)
    grantor = DBO_ID if session.permissions.holds("CONTROL") else session.permissions.principal_id
    for grantee in grantees:
        for name in names:
            if statement.label == "REVOKE":
                writer.remove_permission(securable.securable_class, securable.id, grantee, name)
                continue
            state = "D" if statement.label == "DENY" else "W" if statement.grant_option else "G"
            writer.set_permission(Permission(securable.securable_class, securable.id, grantee, grantor, name, state))


def _refuse_grant(session: Session, statement: s.ChangePermissions, securable: Securable) -> None:
    """4613 on the database; 15151 for a securable that the caller has no hold of."""
    if securable.securable_class == DATABASE:
        raise errors.SqlError(4613, "Grantor does not have GRANT permission.")
    kind = "schema" if securable.securable_class == SCHEMA else "object"
    raise errors.not_found("find", kind, statement.securable.name if statement.securable else "")
