"""A new password where the export user is to be made and the one that the secret holds cannot be read."""

from __future__ import annotations

from typing import Any

from setup_kit.engine.resource import Action, Change, Node, NotReadable, Removal, Resource
from setup_kit.environment.models import Environment
from setup_kit.resources.destination import Destination
from setup_kit.resources.secret import ConnectionSecret
from setup_kit.resources.secret_changes import VERSION
from setup_kit.sqlserver.sessions import SqlSessions

# authentication_type in sys.database_principals: the user has a password of its own.
_CONTAINED = "SELECT name FROM sys.database_principals WHERE name = ? AND authentication_type = 2"


class SecretRenewal(Resource[str]):
    """A vault whose network rules keep this machine out takes a secret by Resource Manager and does not give it back.

    What is there is left as it is while nobody needs the password here. The state says who does, in a sentence; it is
    empty where nobody does, which is so wherever the secret can be read.
    """

    kind = "secret_renewal"

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        secret: ConnectionSecret,
        within: Resource[Any],
        operator_rule: Node,
    ) -> None:
        """`within`: what the password is kept in beside the vault, the server of a login or a user's database."""
        super().__init__(secret.name, within=within, needs=(secret, operator_rule))
        self._destination = Destination(environment, sessions, secret)
        self._secret = secret

    def read(self) -> str:
        self._secret.check_answers()
        kept_out = self._destination.unreadable
        if kept_out is None:
            return ""
        user, other = self._destination.user, self._destination.undecided
        if self._destination.contained:
            doing = f"look for the user {user!r}"
            if self._destination.administrator().rows(_CONTAINED, user, doing=doing):
                return ""
            if other is None or not self._destination.has_user(other):
                return f"the user {user!r} is to be made with a password"
        else:
            if self._destination.has_login(user):
                return ""
            if other is None or not self._destination.has_login(other):
                return f"the login {user!r} is to be made"
        raise NotReadable(
            f"{other!r} is there and {user!r} is not, and which of them the secret names is not known: {kept_out.why}",
            f"drop {other!r} if the export does not use it; or, to see the secret: {kept_out.remedy}",
        )

    def diff(self, observed: str | None) -> list[Change]:
        kept_out = self._destination.unreadable
        needed = f"the user {self._destination.user!r} is to be made" if observed is None else observed
        if kept_out is None or not needed:
            return []
        why = f"{needed}, and the password that the secret holds cannot be read: {kept_out.why}"
        after = "a new one with a new password"
        return [Change(self.address, Action.UPDATE, VERSION, "the newest", after, why)]

    def apply(self, change: Change) -> str:
        self._secret.renew_password()
        return ""

    def evidence(self, observed: str) -> str:
        return "no new password is needed"

    def find(self) -> str:
        """Nobody needs a password of what is taken away."""
        return ""

    def removal(self, observed: str) -> Removal:
        return Removal()

    def delete(self, observed: str) -> None:
        """Its version goes with the secret."""
