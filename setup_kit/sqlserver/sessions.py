"""The connections of one run: as the server's administrator and as the export user, each logged in once."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from setup_kit import known_errors
from setup_kit.engine.resource import NotReadable
from setup_kit.errors import KitError
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import (
    CANNOT_OPEN_DATABASE,
    FIREWALL,
    LOGIN_FAILED,
    Connection,
    ConnectionString,
    DriverMissingError,
    SqlAddress,
    SqlError,
    connect,
)
from setup_kit.sqlserver.errors import PASSWORD_ACCEPTED, REFUSED, driver_error, kit_error
from setup_kit.sqlserver.retry import Retry
from setup_kit.sqlserver.session import TRANSIENT_PATIENCE, Session

log = logging.getLogger(__name__)

MASTER = "master"

# Seconds. A database that was just made may not open yet: an estimate.
DATABASE_PATIENCE = 60.0
REACH = 15.0

TIMED_OUT = "HYT00"  # SQLSTATE


class NotAdmitted(NotReadable):
    """The server's firewall does not admit this machine. `address` is the one that the server saw."""

    def __init__(self, server: str, address: str | None) -> None:
        seen = f"your address {address}" if address else "your address"
        super().__init__(
            f"the firewall of {server} does not admit {seen}",
            "apply opens a temporary rule by itself, plan and verify with --open-firewall; or add a rule for it to"
            " sql.firewall.rules",
        )
        self.address = address


class SignInRefused(KitError):  # noqa: N818 - an answer that callers act upon
    """The server was reached and did not let this login in, or not into this database."""

    def __init__(self, error: SqlError, explained: KitError) -> None:
        super().__init__(
            explained.what,
            why=explained.why,
            remedy=explained.remedy,
            link=explained.link,
            original=explained.original,
        )
        self.number = error.number

    @property
    def password_accepted(self) -> bool:
        """The password was found right; it is the database that is closed to the login."""
        return self.number in PASSWORD_ACCEPTED


@dataclass(frozen=True)
class EntraAdministrator:
    """`name` of the group that is the server's administrator; `token()` of one of its members, for SQL's audience."""

    name: str
    token: Callable[[], Secret]


@dataclass(frozen=True)
class SqlAdministrator:
    login: str
    password: Callable[[], Secret]


def _log(text: str) -> None:
    log.info("%s", text)


class SqlSessions:
    """For one run and one SQL Server; may be used from many threads.

    `server()`: the server's fullyQualifiedDomainName, None while it is not known. `certificate`: a sandbox's, to be
    pinned. `unreached`: what to do where nothing answers, if another thing. `wait`, `say`, `clock`: see Retry.
    """

    def __init__(
        self,
        server: Callable[[], str | None],
        administrator: EntraAdministrator | SqlAdministrator,
        *,
        certificate: Path | None = None,
        unreached: str = "",
        wait: Callable[[float], bool] | None = None,
        say: Callable[[str], None] = _log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._administrator = administrator
        self._certificate = certificate
        self._unreached = unreached
        self._retry = Retry(wait if wait is not None else threading.Event().wait, say, clock)
        self._clock = clock
        self._lock = threading.Lock()
        self._admin: dict[str, Session] = {}
        self._export: dict[tuple[str, str, Secret], _ExportSession] = {}
        self._rule_added: float | None = None
        self._login_changed: float | None = None

    def admin(self, database: str) -> Session:
        """The administrator's session in `database`, logged in.

        Raises NotAdmitted where the firewall refuses, SignInRefused, KitError.
        """
        with self._lock:
            session = self._admin.get(database)
            if session is None:
                label = f"{database} on {self._name()} as administrator"
                session = self._admin[database] = Session(label, lambda: self._admit(database), self._retry)
        session.open()
        return session

    def export(self, database: str, user: str, password: Secret) -> Session:
        """The export user's session in `database`, logged in; a refusal is remembered until `login_changed`.

        Raises NotAdmitted where the firewall refuses, SignInRefused where the login is, KitError.
        """
        key = (database, user, password)
        with self._lock:
            session = self._export.get(key)
            if session is None:
                label = f"{database} on {self._name()} as {user}"
                address = self.address
                session = self._export[key] = _ExportSession(
                    label,
                    lambda: self._log_in(address, label, database, user=user, password=password),
                    self._retry,
                )
        session.open()
        return session

    def prove(self, connection_string: ConnectionString) -> Session:
        """A session of its own, logged in with exactly what a connection string says; the caller closes it.

        Where this run has made or changed the login, a refusal is waited out for a while.
        Raises NotAdmitted, SignInRefused, KitError.
        """
        given = connection_string
        if given.user is None or given.password is None:
            raise KitError("the connection string names no user or no password", remedy="run: setup-kit apply")
        label = f"{given.database} on {given.address.host} as {given.user}"
        user, password = given.user, given.password

        def log_in() -> Connection:
            return self._log_in(
                given.address, label, given.database, user=user, password=password, patience=self._fresh_login
            )

        session = Session(label, log_in, self._retry)
        session.open()
        return session

    @property
    def address(self) -> SqlAddress:
        """Where the server listens. Raises NotReadable while it is not known."""
        return SqlAddress.parse(self._known())

    def refused_address(self) -> str | None:
        """The address of this machine that the server's firewall refuses; None when it is admitted."""
        try:
            self.admin(MASTER)
        except NotAdmitted as refusal:
            if refusal.address is None:
                raise
            return refusal.address
        return None

    def rule_added(self) -> None:
        """From now on a refusal by the firewall is waited out: a rule that was just added takes a while to hold."""
        self._rule_added = self._clock()

    def login_changed(self) -> None:
        """Forgets what the export user was told: this run has made or changed its login or user."""
        with self._lock:
            self._login_changed = self._clock()
            sessions = list(self._export.values())
            self._export.clear()
        for session in sessions:
            session.close()

    def close(self) -> None:
        with self._lock:
            sessions = [*self._admin.values(), *self._export.values()]
            self._admin.clear()
            self._export.clear()
        for session in sessions:
            session.close()

    def _admit(self, database: str) -> Connection:
        who = self._administrator
        label = f"{database} on {self._name()} as administrator"

        def patience(error: SqlError) -> float:
            # The server's administrator may open every database there is: one that was just made opens soon.
            return DATABASE_PATIENCE if error.number == CANNOT_OPEN_DATABASE else 0.0

        if isinstance(who, SqlAdministrator):
            return self._log_in(
                self.address,
                label,
                database,
                user=who.login,
                password=who.password(),
                patience=patience,
                remedy=f"give the password of {who.login!r}, the administrator of {self._name()}",
            )
        return self._log_in(
            self.address,
            label,
            database,
            token=who.token(),
            patience=patience,
            remedy=f"sign in as a member of {who.name!r}, the Microsoft Entra administrator of {self._name()}",
        )

    def _fresh_login(self, error: SqlError) -> float:
        changed = self._login_changed
        if changed is None or error.number not in {LOGIN_FAILED, CANNOT_OPEN_DATABASE}:
            return 0.0
        return known_errors.ridden_out("sql", error.number)

    def _fresh_rule(self) -> float:
        """How much longer a refusal by the firewall may be because a rule does not hold yet."""
        added = self._rule_added
        return 0.0 if added is None else added + known_errors.ridden_out("sql", FIREWALL) - self._clock()

    def _log_in(
        self,
        address: SqlAddress,
        label: str,
        database: str,
        *,
        user: str | None = None,
        password: Secret | None = None,
        token: Secret | None = None,
        patience: Callable[[SqlError], float] = lambda error: 0.0,
        remedy: str = "",
    ) -> Connection:
        _reach(address, label, self._unreached)
        begun = self._clock()

        def attempt(_: int) -> Connection:
            return connect(
                address,
                database,
                user=user,
                password=password,
                access_token=token,
                certificate=self._certificate,
            )

        def bounded(error: SqlError) -> float:
            if error.number == FIREWALL:
                rest = self._fresh_rule()
                # The retries count from a moment of their own: no rest is no patience, however late that moment was.
                return self._clock() - begun + rest if rest > 0 else 0.0
            if error.state == TIMED_OUT:
                # Within its time the driver has tried again by itself.
                return 0.0
            return TRANSIENT_PATIENCE if error.transient else patience(error)

        try:
            return self._retry.call(attempt, bounded, label)
        except DriverMissingError as error:
            raise driver_error(error) from error
        except SqlError as error:
            if error.number == FIREWALL:
                raise NotAdmitted(address.host, error.client_address) from error
            refused = error.number in REFUSED
            explained = kit_error(error, f"could not sign in to {label}", remedy=remedy if refused else "")
            raise (SignInRefused(error, explained) if refused else explained) from error

    def _name(self) -> str:
        return self._known().partition(",")[0]

    def _known(self) -> str:
        server = self._server()
        if server is None:
            raise NotReadable("the logical server does not exist yet")
        return server


def _reach(address: SqlAddress, label: str, remedy: str) -> None:
    """Raises KitError when nothing listens there; the driver would say nothing but that its time was up."""
    try:
        with socket.create_connection((address.host, address.port), timeout=REACH):
            return
    except OSError as error:
        raise KitError(
            f"could not sign in to {label}",
            why=f"{address.host}, port {address.port}, is not reached from here",
            remedy=remedy or "see that sql.server is right and that the network lets you out to that port",
            original=error.strerror or str(error),
        ) from error


class _ExportSession(Session):
    """Remembers a refusal, so that the resources that read through it ask once."""

    def __init__(self, label: str, connect: Callable[[], Connection], retry: Retry) -> None:
        super().__init__(label, connect, retry)
        self._refusal: SignInRefused | None = None

    def open(self) -> None:
        with self._lock:
            if self._refusal is not None:
                raise self._refusal
            try:
                super().open()
            except SignInRefused as refusal:
                self._refusal = refusal
                raise
