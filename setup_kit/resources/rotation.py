"""The rotation of the export user's password: two users in turn, so that the service never holds a dead one.

The user of the other name is made and proven, then a new version of the secret names it: that write is the switch.
Only after it the user before goes. A tag of the secret says how far that is, so that a run that was killed is finished
by the next `rotate` or `apply`, whichever comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from setup_kit.engine.resource import Action, Change, Node, NotReadable, Progress, Resource
from setup_kit.environment import export_names
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources.destination import Destination
from setup_kit.resources.password import make_password
from setup_kit.resources.secret import ConnectionSecret
from setup_kit.resources.secret_state import PREPARING, RETIRING, ROTATION, SecretState
from setup_kit.sqlserver.connection import parse_ado_net
from setup_kit.sqlserver.session import Session
from setup_kit.sqlserver.sessions import SqlSessions
from setup_kit.sqlserver.templates import Batch, render

# Seconds that a string which was read before the switch may still be used: this project's service reads the secret once
# a minute while it exports.
GRACE = 60.0
# Seconds that work under way as the user before may take to end.
WORK = 120.0
PAUSE = 1.0

_SESSIONS = "SELECT session_id FROM sys.dm_exec_sessions WHERE original_login_name = ?"

# What a user may own, and so may not be dropped with: schema and name, each with the template that gives it away.
_OWNED = {
    "give_schema": """
SELECT s.name, s.name FROM sys.schemas AS s
JOIN sys.database_principals AS u ON u.principal_id = s.principal_id WHERE u.name = ?
""",
    "give_object": """
SELECT s.name, o.name FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id
JOIN sys.database_principals AS u ON u.principal_id = o.principal_id WHERE u.name = ?
""",
    "give_type": """
SELECT s.name, t.name FROM sys.types AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
JOIN sys.database_principals AS u ON u.principal_id = t.principal_id WHERE u.name = ?
""",
}


class RotationStart(Resource[str]):
    """Marks the secret before the user is made. Refuses where a user of that name is there that is not the kit's."""

    kind = "rotation_start"

    def __init__(
        self, name: str, environment: Environment, sessions: SqlSessions, secret: ConnectionSecret, *needs: Node
    ) -> None:
        super().__init__(name, needs=(secret, *needs))
        self._destination = Destination(environment, sessions, secret)
        self._secret = secret

    def read(self) -> str | None:
        observed = self._secret.observed
        phase = None if observed is None else observed.tags.get(ROTATION)
        if phase is None and (self._destination.has_user(self.name) or self._destination.has_login(self.name)):
            raise KitError(
                f"the name {self.name!r}, which the export user gets in turn, is taken",
                why="a login or user of that name is there, and no rotation of setup-kit made it",
                remedy="drop it if nobody needs it, or choose another sql.export_user.name",
            )
        return phase

    def diff(self, observed: str | None) -> list[Change]:
        if observed is not None:
            return []
        why = "says what is under way to whoever comes after a run that was killed"
        return [Change(self.address, Action.CREATE, f"tag {ROTATION}", None, PREPARING, why)]

    def apply(self, change: Change) -> str:
        self._secret.mark(PREPARING)
        return PREPARING

    def delete(self, observed: str) -> None:
        self._secret.mark(None)


class NextSecret(Resource[SecretState]):
    """What the secret will hold after the switch; nobody but this run knows it before. Nothing is to be done to it."""

    kind = "next_secret"

    def __init__(self, name: str, database: str, secret: ConnectionSecret, start: RotationStart) -> None:
        super().__init__(name, needs=(secret, start))
        self._database = database
        self._secret = secret
        self._password = make_password(name)

    def read(self) -> SecretState:
        before = self._secret.observed
        if before is None:
            raise NotReadable("there is no secret yet")
        value = self._secret.connection_string(self.name, self._password)
        return SecretState(
            before.uri_without_version,
            value,
            password=self._password,
            user=self.name,
            database=self._database,
            server=parse_ado_net(value).address,
        )

    def diff(self, observed: SecretState | None) -> list[Change]:
        return []

    def apply(self, change: Change) -> SecretState:
        return self.read()

    def delete(self, observed: SecretState) -> None:
        """Nothing of it is anywhere yet."""


class Switch(Resource[str]):
    """The new version of the secret; its state is the user that the secret names."""

    kind = "secret_version"

    def __init__(self, secret: ConnectionSecret, following: NextSecret, needs: Iterable[Node]) -> None:
        super().__init__(secret.name, needs=(secret, following, *needs))
        self._secret = secret
        self._next = following

    def read(self) -> str | None:
        return None if self._secret.observed is None else self._secret.observed.user

    def diff(self, observed: str | None) -> list[Change]:
        if observed == self._next.name:
            return []
        why = "a new version of the secret with a new password; the service follows it, since its profile names none"
        return [Change(self.address, Action.UPDATE, "user", observed, self._next.name, why)]

    def apply(self, change: Change) -> str:
        following = self._next.observed
        if following is None or following.password is None:
            raise KitError(f"the password of {self._next.name!r} is not known", remedy="run: setup-kit rotate")
        return self._secret.switch(self._next.name, following.password).user

    def delete(self, observed: str) -> None:
        """The version goes with its secret."""


@dataclass(frozen=True)
class Leftover:
    """The user that does not count, as far as it is there, and whether the secret is marked with it."""

    name: str
    user: bool
    login: bool
    marked: bool


class RotationEnd(Resource[Leftover]):
    """Takes away the user that does not count any more, or not yet: the one that a rotation left or was making."""

    kind = "rotation"

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        secret: ConnectionSecret,
        database: Resource[Any],
        needs: Iterable[Node],
        *,
        wait: Callable[[float], bool],
        retiring: str | None = None,
    ) -> None:
        """`retiring`: the user that counts still and will not when this is reached; else the secret's mark decides.

        `wait` pauses for some seconds, and returns True when the run is to end early (an Event's `wait`).
        """
        super().__init__(environment.sql.export_user.name, within=database, needs=(secret, *needs))
        self._destination = Destination(environment, sessions, secret)
        self._secret = secret
        self._retiring = retiring
        self._wait = wait
        self.grace = GRACE

    def read(self) -> Leftover | None:
        observed = self._secret.observed
        if observed is None or (self._retiring is None and ROTATION not in observed.tags):
            return None
        name = self._retiring or export_names.other(self.name, observed.user)
        return Leftover(name, self._destination.has_user(name), self._destination.has_login(name), marked=True)

    def diff(self, observed: Leftover | None) -> list[Change]:
        if observed is None:
            return []
        changes = []
        why = "the secret names the other one, and nobody needs this one any more"
        if observed.user:
            changes.append(Change(self.address, Action.DELETE, f"user {observed.name}", observed.name, None, why))
        if observed.login:
            changes.append(Change(self.address, Action.DELETE, f"login {observed.name}", observed.name, None, why))
        if observed.marked:
            why = "nothing is left of the rotation"
            changes.append(Change(self.address, Action.DELETE, f"tag {ROTATION}", "set", None, why))
        return changes

    def apply(self, change: Change) -> Leftover:
        leftover = self.observed
        if leftover is None:
            raise KitError("there is nothing left of a rotation", remedy="run: setup-kit plan")
        name = leftover.name
        if change.target.startswith("tag "):
            self._secret.mark(None)
            return Leftover(name, user=False, login=False, marked=False)
        if change.target.startswith("login "):
            self._destination.master().run(render("drop_login", name=name), doing=f"drop the login {name!r}")
            return Leftover(name, user=False, login=False, marked=True)
        session = self._destination.administrator()
        self._let_go(name)
        self._let_work_end(session, name)
        self._give_away(session, name)
        session.run(render("drop_user", name=name), doing=f"drop the user {name!r}")
        return Leftover(name, user=False, login=leftover.login, marked=True)

    def delete(self, observed: Leftover) -> None:
        """What is left goes by `apply`; there is nothing beyond it."""

    def _let_go(self, name: str) -> None:
        """Waits until whoever read the secret before the switch has read it again."""
        state = self._secret.observed
        if state is None or state.created is None or state.tags.get(ROTATION) != RETIRING:
            return
        left = min(self.grace, self.grace - (datetime.now(UTC) - state.created).total_seconds())
        while left > 0:
            text = "until everybody has read the new version of the secret"
            self.report(
                Progress(self.address, f"user {name}", round(self.grace - left), round(self.grace), text, "seconds")
            )
            self._pause(min(PAUSE, left))
            left -= PAUSE

    def _let_work_end(self, session: Session, name: str) -> None:
        self._destination.sessions.login_changed()  # this run's own sessions
        waited = 0.0
        while True:
            found = session.rows(_SESSIONS, name, doing=f"look for sessions of {name!r}")
            if not found:
                return
            numbers = ", ".join(str(row[0]) for row in found)
            if waited >= WORK:
                raise KitError(
                    f"the user {name!r} cannot go yet: it has {len(found)} open sessions",
                    why=f"somebody still works as it (sessions {numbers}); the secret names the new one already",
                    remedy="run setup-kit rotate --finish when they are over, or end them with KILL first",
                )
            text = f"until its sessions {numbers} are over"
            self.report(Progress(self.address, f"user {name}", int(waited), int(WORK), text, "seconds"))
            self._pause(PAUSE)
            waited += PAUSE

    def _pause(self, seconds: float) -> None:
        if self._wait(seconds):
            raise KitError("stopped before the user that is left over was dropped", remedy="run: setup-kit rotate")

    def _give_away(self, session: Session, name: str) -> None:
        heir = self._destination.user
        for template, query in _OWNED.items():
            for schema, owned in session.rows(query, name, doing=f"look for what {name!r} owns"):
                given: Batch = (
                    render(template, schema=schema, name=heir)
                    if template == "give_schema"
                    else render(template, schema=schema, owned=owned, name=heir)
                )
                session.run(given, doing=f"give {owned!r}, which {name!r} owns, to {heir!r}")
