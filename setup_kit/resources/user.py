"""The export user in the destination database: of the login of its name, or contained with a password of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from setup_kit.engine.resource import Action, Change, Finding, Node, NotReadable, Removal, Resource
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources.destination import Destination
from setup_kit.resources.login import OF_LOGIN, OTHERS, PASSWORD, SECRETS, ExportLogin, untried
from setup_kit.resources.secret_state import SecretState
from setup_kit.secret import Secret
from setup_kit.sqlserver.session import Session
from setup_kit.sqlserver.sessions import SqlSessions
from setup_kit.sqlserver.templates import render

_USER = """
SELECT create_date, type, authentication_type, default_schema_name, sid, USER_NAME()
FROM sys.database_principals WHERE name = ?
"""
_LOGIN = "SELECT sid FROM sys.sql_logins WHERE name = ?"

# authentication_type in sys.database_principals: the user has a password of its own.
_CONTAINED = 2

LOGIN = "login"
DEFAULT_SCHEMA = "default_schema"
AUTHENTICATION = "authentication"


@dataclass(frozen=True)
class UserState:
    """`created` tells a user that was dropped and made again from the one before (its principal_id may be the same).

    `of_login`: tied to the login of its own name (never so when contained). `proven`: the password that the server was
    seen to accept for a contained user; it says nothing where the secret's was not `tried`, because it cannot be read.
    """

    name: str
    created: datetime
    contained: bool
    of_login: bool
    default_schema: str | None
    proven: Secret | None = None
    tried: bool = True


class ExportUser(Resource[UserState]):
    kind = "user"

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        database: Resource[Any],
        login: ExportLogin | None,
        secret: Resource[SecretState],
        operator_rule: Node,
        *,
        needs: Iterable[Node] = (),
    ) -> None:
        own = [node for node in (login, secret, operator_rule) if node is not None]
        super().__init__(environment.sql.export_user.name, within=database, needs=(*own, *needs))
        self._destination = Destination(environment, sessions, secret)
        self.rests_on = secret
        self._database = database

    def read(self) -> UserState | None:
        session = self._destination.as_export_user()
        if session is not None:
            rows = self._rows(session)
            # Signed in as another user of this login, it may not see the one that is looked for.
            if rows and rows[0][5].casefold() == self._destination.user.casefold():
                return self._state(rows[0], of_login=rows[0][2] == OF_LOGIN, accepted=True)
        administrator = self._destination.administrator()
        rows = self._rows(administrator)
        if not rows:
            other = self._destination.undecided
            if other is not None and self._rows(administrator, other):
                raise NotReadable(f"the user {other!r} exists; whether it is the one shows once the secret is there")
            return None
        of_login = rows[0][2] == OF_LOGIN and self._login_sid() == bytes(rows[0][4])
        accepted = self._destination.password_accepted()
        if self._destination.contained and rows[0][2] == _CONTAINED and self._destination.password is None:
            if self._destination.unreadable is not None:
                return replace(self._state(rows[0], of_login=of_login, accepted=False), tried=False)
            raise NotReadable(
                f"the user {self._destination.user!r} exists; whether its password is the secret's shows once the"
                " secret is there"
            )
        return self._state(rows[0], of_login=of_login, accepted=accepted)

    def diff(self, observed: UserState | None) -> list[Change]:
        wanted = self._destination
        if observed is None:
            detail: dict[str, Any] = {DEFAULT_SCHEMA: wanted.schema}
            if wanted.contained:
                detail[PASSWORD] = wanted.password
            why = "the export service works in the destination database as this user"
            return [Change(self.address, Action.CREATE, after=self._destination.user, why=why, detail=detail)]
        if observed.contained != wanted.contained:
            return [
                Change(
                    self.address,
                    Action.UPDATE,
                    AUTHENTICATION,
                    _authentication(observed.contained),
                    _authentication(wanted.contained),
                    "SQL Server does not turn one into the other: the user is dropped and created, its grants too",
                    destructive=True,
                )
            ]
        changes = []
        taken_as_it_is = wanted.password is None and not observed.tried
        proven = wanted.password is not None and observed.proven == wanted.password
        if wanted.contained and not taken_as_it_is and not proven:
            why = "the server does not accept the password that the secret in Key Vault holds"
            changes.append(Change(self.address, Action.UPDATE, PASSWORD, OTHERS, SECRETS, why))
        if not wanted.contained and not observed.of_login:
            why = "the user belongs to another login, or to one that is gone: nobody can sign in as it"
            changes.append(Change(self.address, Action.UPDATE, LOGIN, "another", self._destination.user, why))
        if observed.default_schema != wanted.schema:
            why = "names without a schema must mean the destination schema"
            changes.append(
                Change(self.address, Action.UPDATE, DEFAULT_SCHEMA, observed.default_schema, wanted.schema, why)
            )
        return changes

    def unseen(self, observed: UserState) -> Finding | None:
        return untried(self, self._destination, tried=observed.tried)

    def evidence(self, observed: UserState) -> str:
        how = "contained" if observed.contained else "of the login of its name"
        return f"{how}, default schema {observed.default_schema}, made on {observed.created:%Y-%m-%d}"

    def apply(self, change: Change) -> UserState:
        session = self._destination.administrator()
        schema = self._destination.schema
        if change.target == DEFAULT_SCHEMA:
            batch = render("alter_user_default_schema", name=self._destination.user, schema=schema)
            session.run(batch, doing=f"set the default schema of the user {self._destination.user!r}")
        elif change.target == LOGIN:
            session.run(
                render("alter_user_login", name=self._destination.user),
                doing=f"tie the user {self._destination.user!r} to the login of its name",
            )
        elif change.target == PASSWORD:
            batch = render("alter_user_password", name=self._destination.user, password=self._password())
            session.run(batch, doing=f"set the password of the user {self._destination.user!r}")
        else:
            if change.target == AUTHENTICATION:
                self._drop(session)
            self._create(session)
        self._destination.sessions.login_changed()
        if change.action is Action.UPDATE and change.target != AUTHENTICATION and self.observed is not None:
            return self._after(self.observed, change)
        return self._state(self._rows(session)[0], of_login=not self._destination.contained, accepted=True)

    def find(self) -> UserState | None:
        rows = self._rows(self._destination.administrator())
        if not rows:
            return None
        accepted = not self._database.own and self._destination.password_accepted()
        state = self._state(rows[0], of_login=rows[0][2] == OF_LOGIN, accepted=False)
        return replace(state, proven=self._destination.password if accepted else None)

    def removal(self, observed: UserState) -> Removal:
        """As a login, a user has no tag: see there."""
        if self._database.own or observed.proven is not None:
            return Removal((self.deletion("with its grants", called=observed.name),))
        return Removal(kept=f"not known to be made by setup-kit: {self._destination.stranger}")

    def delete(self, observed: UserState) -> None:
        self._destination.sessions.login_changed()
        self._drop(self._destination.administrator())
        self._destination.sessions.login_changed()

    def _after(self, before: UserState, change: Change) -> UserState:
        if change.target == DEFAULT_SCHEMA:
            return replace(before, default_schema=self._destination.schema)
        if change.target == LOGIN:
            return replace(before, of_login=True)
        return replace(before, proven=self._destination.password)

    def _create(self, session: Session) -> None:
        schema = self._destination.schema
        if self._destination.contained:
            batch = render(
                "create_contained_user", name=self._destination.user, password=self._password(), schema=schema
            )
        else:
            batch = render("create_user", name=self._destination.user, schema=schema)
        session.run(batch, doing=f"create the user {self._destination.user!r}")

    def _drop(self, session: Session) -> None:
        session.run(render("drop_user", name=self._destination.user), doing=f"drop the user {self._destination.user!r}")

    def _password(self) -> Secret:
        password = self._destination.password
        if password is None:
            raise KitError(
                f"the user {self._destination.user!r} cannot get its password",
                why="the secret in Key Vault holds none",
                remedy="run: setup-kit apply, which writes it anew",
            )
        return password

    def _rows(self, session: Session, name: str = "") -> list[Any]:
        name = name or self._destination.user
        return session.rows(_USER, name, doing=f"look for the user {name!r}")

    def _state(self, row: Any, *, of_login: bool, accepted: bool) -> UserState:
        created, kind, authentication, default_schema, _, _ = row
        if kind.strip() != "S":
            raise KitError(
                f"the name {self._destination.user!r} is taken in database {self._destination.database!r}",
                why=f"it is that of another kind of principal (type {kind.strip()} in sys.database_principals)",
                remedy="choose another name for sql.export_user.name, or drop that principal",
            )
        contained = authentication == _CONTAINED
        return UserState(
            self._destination.user,
            created,
            contained,
            of_login,
            default_schema,
            self._destination.password if contained and accepted else None,
        )

    def _login_sid(self) -> bytes | None:
        rows = self._destination.master().rows(
            _LOGIN, self._destination.user, doing=f"look for the login {self._destination.user!r}"
        )
        return bytes(rows[0][0]) if rows else None


def _authentication(contained: bool) -> str:
    return "contained" if contained else "login"
