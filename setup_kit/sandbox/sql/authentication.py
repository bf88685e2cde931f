"""Who logs in: the server's administrators, SQL logins, contained users, Entra principals."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.server_facts import FirewallRule
from setup_kit.sandbox.sql.execution import logins
from setup_kit.sandbox.sql.execution.session import Identity
from setup_kit.sandbox.sql.permissions import Permissions
from setup_kit.sandbox.sql.storage import catalog
from setup_kit.sandbox.sql.storage.catalog import Catalog, fold
from setup_kit.sandbox.sql.storage.store import Database, ServerStore
from setup_kit.sandbox.sql.tds.login import Login7

ENTRA_ONLY = "Azure Active Directory only authentication is enabled. Please contact your system administrator."
TOKEN_PRINCIPAL = "<token-identified principal>"  # noqa: S105 - SQL Server's own words for who came with a token


class Caller(Protocol):
    """Who an access token speaks for (`setup_kit.sandbox.entra.Caller`)."""

    @property
    def object_id(self) -> str: ...
    @property
    def app_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def groups(self) -> frozenset[str]: ...


class ServerPolicy(Protocol):
    """What Resource Manager holds of a logical server; asked afresh at each login.

    One with an attribute `virtual_machine` that is true stands for a SQL Server on a virtual machine: it has no
    firewall of its own, allows USE, and takes statements on logins and databases in every database.
    """

    @property
    def name(self) -> str: ...
    def firewall_rules(self) -> Sequence[FirewallRule]: ...
    def set_firewall_rule(self, name: str, start: str, end: str) -> None: ...
    def delete_firewall_rule(self, name: str) -> None: ...
    def check_administrator(self, login: str, password: str) -> bool: ...
    def entra_administrator(self) -> str | None: ...
    def entra_only(self) -> bool: ...
    def online(self, database: str) -> bool: ...


def authenticate(
    store: ServerStore, policy: ServerPolicy, check_token: Callable[[str], Caller], login: Login7
) -> tuple[Database, Identity]:
    """The database and the identity of a login; raises 18456, 4060 or 40613, each ending the session."""
    wanted = login.database or "master"
    if login.token is not None:
        return _with_token(store, policy, check_token, login.token, wanted)
    if login.integrated:
        raise errors.error(40607)
    user = _without_server(login.user, policy.name)
    if not user:
        raise errors.login_failed(user, state=122)
    if policy.entra_only():
        raise errors.login_failed(user, ENTRA_ONLY, state=58)
    if policy.check_administrator(user, login.password):
        database = _open(store, policy, wanted, user)
        return database, Identity(user, _administrator_sid(user), catalog.DBO_ID, administrator=True)
    return _with_password(store, policy, user, login.password, login.database)


def _without_server(user: str, server: str) -> str:
    """`user@server`, as old drivers and strings have it, is `user`."""
    name, at, host = user.rpartition("@")
    return name if at and fold(host.partition(".")[0]) == fold(server) else user


def _administrator_sid(name: str) -> bytes:
    return b"\x01\x06\x00\x00\x00\x00\x00\x64" + hashlib.sha256(fold(name).encode()).digest()[:24]


def _open(store: ServerStore, policy: ServerPolicy, name: str, user: str) -> Database:
    database = store.database(name)
    if database is None:
        raise errors.cannot_open_database(name, user)
    if fold(database.name) != "master" and not policy.online(database.name):
        raise errors.database_unavailable(database.name, policy.name, str(uuid.uuid4()).upper())
    return database


def _catalog(store: ServerStore, database: Database) -> Catalog:
    with contextlib.closing(store.connect(database)) as connection:
        return catalog.load(connection)


def _may_connect(
    found: Catalog, principal_id: int, database: Database, user: str, groups: frozenset[int] = frozenset()
) -> None:
    if not Permissions(found, principal_id, database.name, groups).holds("CONNECT"):
        raise errors.cannot_open_database(database.name, user)


def _with_password(
    store: ServerStore, policy: ServerPolicy, user: str, password: str, named: str
) -> tuple[Database, Identity]:
    """A contained user of the database if there is one of that name, else a login of the server."""
    wanted = named or "master"
    database = store.database(wanted)
    if database is not None:
        found = _catalog(store, database)
        contained = found.principal(user)
        if contained is not None and contained.password is not None:
            if not logins.password_matches(password, contained.password):
                raise errors.login_failed(user, state=8)
            _open(store, policy, wanted, user)
            _may_connect(found, contained.id, database, user)
            return database, Identity(contained.name, contained.sid, contained.id, administrator=False)
    login = store.login(user)
    if login is None:
        raise errors.login_failed(user, state=5)
    if not logins.password_matches(password, login.password):
        raise errors.login_failed(user, state=7 if login.disabled else 8)
    if login.disabled:
        raise errors.error(18470, user, "")
    database = _open(store, policy, wanted, user)
    found = _catalog(store, database)
    if "sysadmin" in store.server_roles(login.sid):
        return database, Identity(login.name, login.sid, catalog.DBO_ID, administrator=True)
    if database.owner == login.sid:
        return database, Identity(login.name, login.sid, catalog.DBO_ID, administrator=False)
    guests = getattr(policy, "virtual_machine", False) and fold(database.name) == "master"
    principal_id = found.user_of(login.sid, or_guest=guests)
    if principal_id is None and not named:
        raise errors.no_user_in_default_database(wanted, user)
    if principal_id is None:
        raise errors.cannot_open_database(wanted, user)
    if principal_id != catalog.GUEST_ID:
        _may_connect(found, principal_id, database, user)
    return database, Identity(login.name, login.sid, principal_id, administrator=False)


def _with_token(
    store: ServerStore, policy: ServerPolicy, check_token: Callable[[str], Caller], token: str, wanted: str
) -> tuple[Database, Identity]:
    try:
        caller = check_token(token)
    except Exception as error:
        if not hasattr(error, "code"):  # a refused token has a code; anything else is a fault of ours
            raise
        raise errors.login_failed(TOKEN_PRINCIPAL, state=132) from error
    sid = uuid.UUID(caller.object_id).bytes_le
    administrator = policy.entra_administrator()
    if administrator is not None:
        known = {fold(caller.object_id), *(fold(group) for group in caller.groups)}
        if fold(administrator) in known:
            database = _open(store, policy, wanted, caller.name)
            return database, Identity(caller.name, sid, catalog.DBO_ID, administrator=True)
    wanted_database = store.database(wanted)
    if wanted_database is None:
        raise errors.login_failed(TOKEN_PRINCIPAL, state=133)
    found = _catalog(store, wanted_database)
    users = {user.sid: user.id for user in found.principals.values() if user.authentication == 4}
    own = [users[one] for one in _sids(caller.object_id, caller.app_id) if one in users]
    groups = [users[one] for one in _sids(*sorted(caller.groups)) if one in users]
    if not own and not groups:
        raise errors.login_failed(TOKEN_PRINCIPAL, state=133)
    _open(store, policy, wanted, caller.name)
    identity = Identity(caller.name, sid, (own + groups)[0], administrator=False, groups=frozenset(groups))
    _may_connect(found, identity.principal_id, wanted_database, caller.name, identity.groups)
    return wanted_database, identity


def _sids(*object_ids: str) -> Iterator[bytes]:
    for one in object_ids:
        with contextlib.suppress(ValueError):  # one that is no GUID is nobody's
            yield uuid.UUID(one).bytes_le
