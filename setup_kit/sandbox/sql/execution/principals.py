"""Users and roles of a database."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.execution import administration, grants, logins, ownership
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_security as ss
from setup_kit.sandbox.sql.permissions import Permissions
from setup_kit.sandbox.sql.storage.catalog import (
    DATABASE,
    DBO_ID,
    FIXED_ROLES,
    PUBLIC_ID,
    Permission,
    Principal,
    fold,
)
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


def execute(session: Session, statement: s.Statement) -> bool:
    """A statement on the database's principals and permissions, inside the write transaction; False for any other."""
    match statement:
        case ss.CreateUser():
            _create_user(session, statement)
        case ss.AlterUser():
            _alter_user(session, statement)
        case ss.DropUser():
            _drop_user(session, statement)
        case ss.CreateRole():
            _create_role(session, statement)
        case ss.AlterRole():
            _alter_role(session, statement)
        case ss.DropRole():
            _drop_role(session, statement)
        case ss.ChangePermissions():
            grants.change_permissions(session, statement)
        case ss.AlterAuthorization():
            ownership.alter_authorization(session, statement)
        case ss.AlterSchema():
            ownership.transfer(session, statement)
        case ss.AlterScopedConfiguration():
            administration.alter_scoped_configuration(session, statement)
        case _:
            return False
    return True


# Users


def external_sid(object_id: str) -> bytes:
    """The sid of an Entra principal: its object (or application) id as bytes."""
    return uuid.UUID(object_id).bytes_le


def _check_user_name(session: Session, name: str) -> None:
    if "\\" in name:
        raise errors.error(15006, name)
    if session.catalog.principal(name) is not None:
        raise errors.principal_exists(name)


def _create_user(session: Session, statement: ss.CreateUser) -> None:
    if not session.permissions.holds("ALTER ANY USER"):
        raise errors.not_permitted()
    _check_user_name(session, statement.user)
    kind, password = "S", None
    if statement.external:
        kind, authentication = "E", 4
        if statement.object_id is None:
            raise unsupported.refused("FROM EXTERNAL PROVIDER without OBJECT_ID")
        try:
            sid = external_sid(statement.object_id)
        except ValueError:
            raise errors.incorrect_syntax(statement.object_id) from None
    elif statement.password is not None:
        there = session.server.database(session.database.name)
        contained = not session.virtual_machine or (there is not None and there.contained)
        if fold(session.database.name) == "master" or not contained:
            raise errors.error(33233)
        logins.check_password(statement.user, statement.password, azure=not session.virtual_machine)
        authentication, password = 2, logins.hash_password(statement.password)
        sid = b"\x01\x05\x00\x00\x00\x00\x00\x09" + secrets.token_bytes(20)
    elif statement.login is not None:
        login = session.server.login(statement.login)
        if login is None:
            raise errors.error(15007, statement.login)
        if any(found.sid == login.sid for found in session.catalog.principals.values()):
            raise errors.error(15063)
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
    if found is None or found.kind == "R":
        raise errors.not_found(verb, "user", name)
    return found


def _alter_user(session: Session, statement: ss.AlterUser) -> None:
    """A name or a password needs ALTER ANY USER, a login CONTROL of the database, a default schema ALTER on the user;
    one's own default schema nothing, one's own password the old one.
    """
    found = _find_user(session, statement.user, "alter")
    held = session.permissions
    refused = errors.not_found("alter", "user", statement.user)
    manages, own = held.holds("ALTER ANY USER"), found.id == held.principal_id
    alters = held.holds("ALTER", p.of_principal(found))
    if not (own or manages or alters):
        raise refused
    if found.fixed:
        raise errors.error(15150, "alter", "user", found.name)
    values: dict[str, str | bytes | int] = {}
    if statement.password is not None:
        if found.password is None:
            raise errors.error(33234, "PASSWORD")
        known = statement.old_password and logins.password_matches(statement.old_password, found.password)
        if not manages and not (own and known):
            raise refused
        logins.check_password(found.name, statement.password, azure=not session.virtual_machine)
        values["password"] = logins.hash_password(statement.password)
    if statement.login is not None:
        if not held.holds("CONTROL"):
            raise refused
        values["sid"] = _other_login(session, found, statement.login)
    if statement.default_schema is not None:
        if not (own or alters):
            raise refused
        values["default_schema"] = statement.default_schema
    if statement.new_name is not None:
        controls = Permissions(session.catalog, found.id, session.database.name).holds("CONTROL")
        if not manages or (controls and not held.holds("CONTROL")):
            raise refused
        if fold(statement.new_name) != fold(found.name):
            _check_user_name(session, statement.new_name)
        values["name"] = statement.new_name
    CatalogWriter(session.connection).change_principal(found.id, **values)


def _other_login(session: Session, found: Principal, name: str) -> bytes:
    """The sid of the login that a user is to be of."""
    login = session.server.login(name)
    if login is None:
        raise errors.error(15007, name)
    if found.authentication != 1:
        raise errors.error(33016)
    if any(o.sid == login.sid and o.id != found.id for o in session.catalog.principals.values()):
        raise errors.error(15063)
    return login.sid


def _drop_user(session: Session, statement: ss.DropUser) -> None:
    found = session.catalog.principal(statement.user)
    if found is None and statement.if_exists:
        return
    if found is None or found.kind == "R" or not session.permissions.holds("ALTER ANY USER"):
        raise errors.not_found("drop", "user", statement.user)
    _drop_principal(session, found, "user")


def _drop_principal(session: Session, found: Principal, kind: str) -> None:
    """One that is not fixed (15150), owns nothing (15138, 15183, 15421) and has granted nothing (15284)."""
    catalog = session.catalog
    if found.fixed:
        raise errors.error(15150, "drop", kind, found.name)
    if any(schema.owner == found.id for schema in catalog.schemas.values()):
        raise errors.error(15138, "schema")
    if any(role.owner == found.id and role.kind == "R" for role in catalog.principals.values()):
        raise errors.error(15421)
    if any(held.owner == found.id for held in catalog.objects.values()):
        raise errors.error(15183)
    if any(row.grantor == found.id and row.grantee != found.id for row in catalog.permissions):
        raise errors.error(15284)
    CatalogWriter(session.connection).remove_principal(found.id)


# Roles


def _create_role(session: Session, statement: ss.CreateRole) -> None:
    if not session.permissions.holds("CREATE ROLE"):
        raise errors.not_permitted()
    _check_user_name(session, statement.role)
    owner = session.permissions.principal_id
    if statement.owner is not None:
        owner = ownership.find_owner(session, statement.owner).id
    sid = b"\x01\x05\x00\x00\x00\x00\x00\x09\x04" + secrets.token_bytes(19)
    CatalogWriter(session.connection).add_principal(statement.role, "R", sid=sid, authentication=0, owner=owner)


def _find_role(session: Session, name: str, verb: str) -> Principal:
    """A role that the caller may change: ALTER on it (CONTROL to drop it); a fixed role in db_owner only."""
    found = session.catalog.principal(name)
    if found is None or found.kind != "R":
        raise errors.not_found(verb, "role", name)
    held = session.permissions
    if found.fixed:
        allowed = held.in_role("db_owner")
    elif verb == "drop":
        allowed = held.holds("ALTER ANY ROLE") or held.holds("CONTROL", p.of_principal(found))
    else:
        allowed = held.holds("ALTER", p.of_principal(found))
    if not allowed:
        raise errors.not_found(verb, "role", name)
    return found


def _alter_role(session: Session, statement: ss.AlterRole) -> None:
    role = _find_role(session, statement.role, "alter")
    writer = CatalogWriter(session.connection)
    if role.id == PUBLIC_ID:
        raise errors.error(15081)
    if statement.new_name is not None:
        if role.fixed:
            raise errors.error(15150, "alter", "role", role.name)
        _check_user_name(session, statement.new_name)
        writer.change_principal(role.id, name=statement.new_name)
        return
    name = statement.add if statement.add is not None else statement.drop or ""
    member = session.catalog.principal(name)
    if member is None:
        raise errors.not_found("add" if statement.add else "drop", "principal", name)
    if member.id == DBO_ID or (member.fixed and member.id not in FIXED_ROLES.values()):
        raise errors.error(15405, name)
    if statement.add is not None:
        if member.id == role.id or member.id in session.catalog.roles_of(role.id):
            raise errors.error(15413)
        writer.add_member(role.id, member.id)
    else:
        writer.remove_member(role.id, member.id)


def _drop_role(session: Session, statement: ss.DropRole) -> None:
    if session.catalog.principal(statement.role) is None and statement.if_exists:
        return
    role = _find_role(session, statement.role, "drop")
    if any(of == role.id for of, _ in session.catalog.memberships):
        raise errors.error(15144)
    _drop_principal(session, role, "role")
