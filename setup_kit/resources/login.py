"""The SQL login of the export user, in `master`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from setup_kit.engine.resource import Action, Change, Finding, Node, NotReadable, Removal, Resource, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources.destination import Destination
from setup_kit.resources.secret_state import SecretState
from setup_kit.secret import Secret
from setup_kit.sqlserver.session import Session
from setup_kit.sqlserver.sessions import SqlSessions
from setup_kit.sqlserver.templates import render

# authentication_type in sys.database_principals: the user is one of a login of the server.
OF_LOGIN = 1

_OWN_LOGIN = "SELECT authentication_type FROM sys.database_principals WHERE name = ? AND name = USER_NAME()"
_LOGIN = "SELECT is_disabled FROM sys.sql_logins WHERE name = ?"

PASSWORD = "password"  # noqa: S105 - the name of what changes
ENABLED = "enabled"

# A password's before and after, in words: its value is nobody's business.
OTHERS, SECRETS = "not the secret's", "the secret's"


@dataclass(frozen=True)
class LoginState:
    """`proven`: the password that the server was seen to accept; None when the secret's was refused.

    A disabled login is refused whatever its password, so `proven` says nothing of one; nor where the secret's was not
    `tried`, because it cannot be read.
    """

    name: str
    proven: Secret | None
    enabled: bool = True
    tried: bool = True


class ExportLogin(Resource[LoginState]):
    kind = "login"

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        server: Resource[Any],
        secret: Resource[SecretState],
        operator_rule: Node,
        *,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__(environment.sql.export_user.name, within=server, needs=(secret, operator_rule, *needs))
        self._destination = Destination(environment, sessions, secret)
        self.rests_on = secret
        self._server = server

    def read(self) -> LoginState | None:
        password = self._destination.password
        session = self._destination.as_export_user()
        if session is not None:
            rows = session.rows(
                _OWN_LOGIN, self._destination.user, doing=f"read how {self._destination.user!r} signs in"
            )
            if rows and rows[0][0] == OF_LOGIN:
                return LoginState(self._destination.user, password)
        master = self._destination.master()
        found = self._found(master, self._destination.user)
        if not found:
            other = self._destination.undecided
            if other is not None and self._found(master, other):
                raise NotReadable(f"the login {other!r} exists; whether it is the one shows once the secret is there")
            return None
        if password is None:
            if self._destination.unreadable is not None:
                return LoginState(self._destination.user, None, enabled=not found[0][0], tried=False)
            raise NotReadable(
                f"the login {self._destination.user!r} exists; whether its password is the secret's shows once the"
                " secret is there"
            )
        # A contained user of the same name is found before the login, so its log-in says nothing about the login.
        accepted = session is None and self._destination.password_accepted()
        return LoginState(self._destination.user, password if accepted else None, enabled=not found[0][0])

    def _found(self, master: Session, name: str) -> list[Any]:
        return master.rows(_LOGIN, name, doing=f"look for the login {name!r}")

    def diff(self, observed: LoginState | None) -> list[Change]:
        if observed is None:
            return [
                Change(
                    self.address,
                    Action.CREATE,
                    after=self._destination.user,
                    why="the export service signs in to the server with it",
                    detail={PASSWORD: self._destination.password},
                )
            ]
        if not observed.enabled:
            why = "a disabled login is refused by the server; if its password is not the secret's, it is set as well"
            return [Change(self.address, Action.UPDATE, ENABLED, False, True, why)]
        password = self._destination.password
        if password is None and not observed.tried:
            # It is taken as it is: the service's own validation tells whether it is right.
            return []
        if password is None or observed.proven != password:
            why = "the server does not accept the password that the secret in Key Vault holds"
            return [Change(self.address, Action.UPDATE, PASSWORD, OTHERS, SECRETS, why)]
        return []

    def unseen(self, observed: LoginState) -> Finding | None:
        return untried(self, self._destination, tried=observed.tried)

    def evidence(self, observed: LoginState) -> str:
        return "enabled; the server accepts the secret's password" if observed.enabled else "disabled"

    def apply(self, change: Change) -> LoginState:
        if change.target == ENABLED:
            return self._enable()
        password = self._password()
        if change.action is Action.CREATE:
            batch = render("create_login", name=self._destination.user, password=password)
            self._destination.master().run(batch, doing=f"create the login {self._destination.user!r}")
        else:
            self._set_password(password)
        self._destination.sessions.login_changed()
        return LoginState(self._destination.user, password)

    def _enable(self) -> LoginState:
        self._destination.master().run(
            render("enable_login", name=self._destination.user),
            doing=f"enable the login {self._destination.user!r}",
        )
        self._destination.sessions.login_changed()
        enabled = self.read()
        if enabled is not None and not self.diff(enabled):
            return enabled
        password = self._password()
        self._set_password(password)
        self._destination.sessions.login_changed()
        return LoginState(self._destination.user, password)

    def _password(self) -> Secret:
        password = self._destination.password
        if password is None:
            raise KitError(
                f"the login {self._destination.user!r} cannot get its password",
                why="the secret in Key Vault holds none",
                remedy="run: setup-kit apply, which writes it anew",
            )
        return password

    def _set_password(self, password: Secret) -> None:
        batch = render("alter_login_password", name=self._destination.user, password=password)
        self._destination.master().run(batch, doing=f"set the password of the login {self._destination.user!r}")

    def find(self) -> LoginState | None:
        """Looks for its password only where that tells whose the login is."""
        name = self._destination.user
        rows = self._found(self._destination.master(), name)
        if not rows:
            return None
        accepted = not self._server.own and self._destination.password_accepted()
        return LoginState(name, self._destination.password if accepted else None, enabled=not rows[0][0])

    def removal(self, observed: LoginState) -> Removal:
        """A login has no tag: on a server that was there before, it is the kit's if it has the secret's password."""
        if self._server.own or observed.proven is not None:
            return Removal((self.deletion(called=observed.name),))
        return Removal(kept=f"not known to be made by setup-kit: {self._destination.stranger}")

    def delete(self, observed: LoginState) -> None:
        self._destination.sessions.login_changed()  # which ends this run's own sessions of it
        self._destination.master().run(
            render("drop_login", name=observed.name), doing=f"drop the login {observed.name!r}"
        )
        self._destination.sessions.login_changed()


def untried(node: Node, destination: Destination, *, tried: bool) -> Finding | None:
    """That the secret's password was not tried, because it could not be read; None where it was."""
    kept_out = destination.unreadable
    if tried or kept_out is None:
        return None
    message = f"it is there; whether it has the secret's password was not tried, since {kept_out.why}"
    return Finding(f"{node.kind}.password", Status.SKIPPED, node.address, message, kept_out.remedy)
