"""How the destination database is reached: as the export user where that answers, else as the administrator.

A log-in of the export user with the secret's password proves login, user and password at once, and shows the user its
own grants; the administrator is asked only where it is refused, and to write.
"""

from __future__ import annotations

from setup_kit.engine.resource import Resource
from setup_kit.environment import export_names
from setup_kit.environment.models import Authentication, Environment
from setup_kit.resources.secret import SecretState
from setup_kit.secret import Secret
from setup_kit.sqlserver.session import Session
from setup_kit.sqlserver.sessions import MASTER, SignInRefused, SqlSessions


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
    def undecided(self) -> str | None:
        """The name that the user may have instead, while no secret says which of the two counts; else None."""
        return export_names.second(self._name) if self.password is None else None

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
