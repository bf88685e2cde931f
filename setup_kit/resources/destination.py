"""How the destination database is reached: as the export user where that answers, else as the administrator.

A log-in of the export user with the secret's password proves login, user and password at once, and shows the user its
own grants; the administrator is asked only where it is refused, and to write.
"""

from __future__ import annotations

from setup_kit.azure.secrets import KeptOut
from setup_kit.engine.resource import Resource
from setup_kit.environment import export_names
from setup_kit.environment.models import Authentication, Environment
from setup_kit.resources.secret_state import SecretState
from setup_kit.secret import Secret
from setup_kit.sqlserver.session import Session
from setup_kit.sqlserver.sessions import MASTER, SignInRefused, SqlSessions

_USER = "SELECT name FROM sys.database_principals WHERE name = ?"
_LOGIN = "SELECT name FROM sys.sql_logins WHERE name = ?"


class Destination:
    def __init__(self, environment: Environment, sessions: SqlSessions, secret: Resource[SecretState]) -> None:
        self.database = environment.sql.database.name
        self._name = environment.sql.export_user.name
        self.schema = environment.sql.export_user.schema_name
        self.contained = environment.sql.export_user.authentication is Authentication.CONTAINED
        self.sessions = sessions
        self._secret = secret

    @property
    def user(self) -> str:
        """Which of the export user's two names counts, as the secret says; the file's first one while there is none."""
        observed = self._secret.observed
        return export_names.current(self._name, None if observed is None else observed.user)

    @property
    def password(self) -> Secret | None:
        """The password that the secret holds; None while there is no secret, or none that is known."""
        observed = self._secret.observed
        return None if observed is None else observed.password

    @property
    def unreadable(self) -> KeptOut | None:
        """What keeps this machine from the password that the secret holds; None where it is known, or there is none."""
        observed = self._secret.observed
        return None if observed is None or observed.password is not None else observed.unreadable

    @property
    def undecided(self) -> str | None:
        """The name that the user may have instead, while no secret says which of the two counts; else None."""
        observed = self._secret.observed
        said = observed is not None and observed.unreadable is not None and observed.user != ""
        return export_names.second(self._name) if self.password is None and not said else None

    @property
    def stranger(self) -> str:
        """Why a login or user is not known to be the kit's."""
        if self.unreadable is not None:
            return f"its password was not tried, since {self.unreadable.why}"
        return "its password is not the secret's"

    def as_export_user(self) -> Session | None:
        """None where there is no password yet or the server refuses it."""
        password = self.password
        if password is None:
            return None
        try:
            return self.sessions.export(self.database, self.user, password)
        except SignInRefused:
            return None

    def password_accepted(self) -> bool:
        """Whether the server found the secret's password right, be the database open to the user or not."""
        password = self.password
        if password is None:
            return False
        try:
            self.sessions.export(self.database, self.user, password)
        except SignInRefused as refusal:
            return refusal.password_accepted
        return True

    def reader(self) -> Session:
        return self.as_export_user() or self.administrator()

    def administrator(self) -> Session:
        return self.sessions.admin(self.database)

    def master(self) -> Session:
        return self.sessions.admin(MASTER)

    def has_user(self, name: str) -> bool:
        return bool(self.administrator().rows(_USER, name, doing=f"look for the user {name!r}"))

    def has_login(self, name: str) -> bool:
        """Whether the name is a login's; a contained user is of none."""
        if self.contained:
            return False
        return bool(self.master().rows(_LOGIN, name, doing=f"look for the login {name!r}"))
