"""Logins and databases of the server, and settings of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors, permissions, unsupported
from setup_kit.sandbox.sql.compiler import views_server
from setup_kit.sandbox.sql.execution import logins
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_security as ss
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter
from setup_kit.sandbox.sql.storage.store import SERVER_ROLES

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


def execute(session: Session, statement: s.Statement) -> None:
    """Statements on the server itself: outside transactions, in Azure SQL Database in master only (5001)."""
    anywhere = session.virtual_machine or isinstance(statement, ss.AlterDatabase)
    if not anywhere and fold(session.database.name) != "master":
        raise errors.must_be_in_master()
    match statement:
        case ss.CreateLogin():
            _create_login(session, statement)
        case ss.AlterLogin():
            _alter_login(session, statement)
        case ss.DropLogin():
            _drop_login(session, statement)
        case ss.AlterServerRole():
            _alter_server_role(session, statement)
        case ss.CreateDatabase():
            _create_database(session, statement)
        case ss.DropDatabase():
            _drop_database(session, statement)
        case ss.AlterDatabase():
            _alter_database(session, statement)


def _is_administrator(session: Session, login: str) -> bool:
    """Whether it is the administrator who asks: the server keeps no login of that name."""
    return session.is_server_administrator and fold(session.login_name) == fold(login)


def _create_login(session: Session, statement: ss.CreateLogin) -> None:
    if not permissions.manages_logins(session):
        raise errors.not_permitted()
    logins.check_name(statement.login, azure=not session.virtual_machine)
    if session.server.login(statement.login) is not None or _is_administrator(session, statement.login):
        raise errors.login_exists(statement.login)
    password = statement.password or ""
    logins.check_password(statement.login, password, azure=not session.virtual_machine)
    if not session.server.create_login(statement.login, logins.hash_password(password)):
        raise errors.login_exists(statement.login)


def _alter_login(session: Session, statement: ss.AlterLogin) -> None:
    found = session.server.login(statement.login)
    own = found is not None and found.sid == session.login_sid
    if found is None or not (permissions.manages_logins(session) or own):
        raise errors.not_found("alter", "login", statement.login)
    if statement.password is not None:
        if not permissions.manages_logins(session) and not (
            statement.old_password and logins.password_matches(statement.old_password, found.password)
        ):
            raise errors.not_found("alter", "login", statement.login)
        logins.check_password(found.name, statement.password, azure=not session.virtual_machine)
        session.server.alter_login(found.name, password=logins.hash_password(statement.password))
        return
    if not permissions.manages_logins(session):
        raise errors.not_found("alter", "login", statement.login)
    if statement.disabled is not None:
        session.server.alter_login(found.name, disabled=statement.disabled)
    if statement.new_name is not None:
        logins.check_name(statement.new_name, azure=not session.virtual_machine)
        if session.server.login(statement.new_name) is not None:
            raise errors.login_exists(statement.new_name)
        session.server.rename_login(found.name, statement.new_name)


def _drop_login(session: Session, statement: ss.DropLogin) -> None:
    found = session.server.login(statement.login)
    if found is None or not permissions.manages_logins(session):
        raise errors.not_found("drop", "login", statement.login)
    if session.instance.is_logged_in(found.sid):
        raise errors.error(15434, found.name)
    session.server.drop_login(found.name)


def _alter_server_role(session: Session, statement: ss.AlterServerRole) -> None:
    """By a member of the role or by sysadmin: 15151, as for a role or a login that is not there."""
    role = fold(statement.role)
    if not session.virtual_machine:
        raise unsupported.refused("ALTER SERVER ROLE")
    if role not in SERVER_ROLES or not (session.is_server_administrator or role in session.server_roles):
        raise errors.not_found("alter", "server role", statement.role)
    member = session.server.login(statement.member)
    if member is None:
        raise errors.not_found("add" if statement.add else "drop", "server principal", statement.member)
    session.server.change_server_role(role, member.sid, add=statement.add)


def _create_database(session: Session, statement: ss.CreateDatabase) -> None:
    if not permissions.manages_databases(session):
        raise errors.permission_denied_in_database("CREATE DATABASE", "master")
    if statement.contained:
        _check_contained(session, "CREATE DATABASE", "create")
    if session.server.database(statement.database) is not None:
        raise errors.error(1801, statement.database)
    session.server.create_database(statement.database, session.login_sid)
    made = session.server.database(statement.database)
    if statement.contained and made is not None:
        session.server.set_containment(made.id, partial=True)


def _check_contained(session: Session, label: str, verb: str) -> None:
    """Only a machine has containment to set, and only where the server admits contained users (12824)."""
    if not session.virtual_machine:
        raise unsupported.refused(label, "CONTAINMENT")
    if not session.contained_authentication:
        raise errors.error(12824, "contained database authentication", verb)


def _drop_database(session: Session, statement: ss.DropDatabase) -> None:
    found = session.server.database(statement.database)
    if found is None and statement.if_exists:
        return
    if found is None or fold(found.name) == "master" or not permissions.manages_databases(session):
        raise errors.error(3701, "drop", "database", statement.database, state=2)
    if session.virtual_machine and any(each.database.id == found.id for each in session.sessions()):
        raise errors.error(3702, found.name)
    session.instance.drop_database(found.name)


def _alter_database(session: Session, statement: ss.AlterDatabase) -> None:
    name = statement.database or session.database.name
    found = session.server.database(name)
    here = found is not None and found.id == session.database.id
    allowed = session.is_server_administrator or (here and session.permissions.holds("ALTER"))
    from_here = here or session.virtual_machine or fold(session.database.name) == "master"
    if found is None or not allowed or not from_here:
        error = errors.error(5011, name)
        error.also.append(errors.error(5069))
        raise error
    if statement.option == "CONTAINMENT":
        _check_contained(session, "ALTER DATABASE", "alter")
        session.server.set_containment(found.id, partial=statement.value == "PARTIAL")
    elif statement.option == "USER":
        if not session.virtual_machine:
            raise unsupported.refused("ALTER DATABASE", f"SET {statement.value}")
        session.instance.take_alone(found, session, alone=statement.value == "SINGLE_USER")
    else:
        session.server.set_read_committed_snapshot(found.id, on=statement.value == "ON")


def alter_scoped_configuration(session: Session, statement: ss.AlterScopedConfiguration) -> None:
    if not session.permissions.holds("ALTER ANY DATABASE SCOPED CONFIGURATION"):
        raise errors.not_permitted()
    if statement.option not in views_server.SCOPED_CONFIGURATIONS:
        raise unsupported.refused("ALTER DATABASE SCOPED CONFIGURATION", statement.option)
    value = {"ON": "1", "OFF": "0", "PRIMARY": ""}.get(statement.value, statement.value)
    switch = statement.option != "MAXDOP"
    if not value.isdigit() or (switch and value not in ("0", "1")) or int(value) > 32767:
        raise errors.incorrect_syntax(statement.value)
    CatalogWriter(session.connection).set_option(statement.option, int(value))
