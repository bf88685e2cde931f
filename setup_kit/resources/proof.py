"""Proves that the export service will get in: signs in with the very string that the secret holds.

Then each of the thirteen permissions is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from setup_kit.engine.resource import Check, Finding, Node, NotReadable, Resource, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources.destination import Destination
from setup_kit.resources.secret_state import SecretState
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import ConnectionString, ConnectionStringError, parse_ado_net
from setup_kit.sqlserver.grants import GRANTS, Scope
from setup_kit.sqlserver.quoting import quote_identifier
from setup_kit.sqlserver.session import Session
from setup_kit.sqlserver.sessions import SqlSessions

_APPLY = "setup-kit apply"


class LoginProof(Check):
    kind = "proof"

    def __init__(
        self,
        environment: Environment,
        sessions: SqlSessions,
        secret: Resource[SecretState],
        needs: Iterable[Node],
    ) -> None:
        """`needs`: everything that the service's log-in rests on, the operator's temporary rule among it."""
        super().__init__(environment.sql.export_user.name, needs=(secret, *needs))
        self._destination = Destination(environment, sessions, secret)
        self._sessions = sessions
        self._secret = secret

    def run(self) -> list[Finding]:
        try:
            state = self._secret.read()
        except NotReadable as obstacle:
            return [self._finding("proof.secret", Status.SKIPPED, obstacle.reason, obstacle.remedy)]
        if state is None or state.recoverable:
            return [self._finding("proof.secret", Status.FAILED, "there is no secret to sign in with", _APPLY)]
        if state.unreadable is not None:
            message = (
                f"nobody signs in from here, since {state.unreadable.why}: the export service's own validation proves"
                " it instead"
            )
            return [self._finding("proof.secret", Status.SKIPPED, message, state.unreadable.remedy)]
        if state.value is None:
            message = "the secret is disabled: nobody can read the connection string from it"
            return [self._finding("proof.secret", Status.FAILED, message, _APPLY)]
        try:
            given = self._given(state.value)
        except KitError as error:
            return [self._finding("proof.secret", Status.FAILED, error.what, error.remedy or _APPLY)]
        try:
            session = self._sessions.prove(given)
        except NotReadable as obstacle:
            return [self._finding("proof.login", Status.SKIPPED, obstacle.reason, obstacle.remedy)]
        except KitError as error:
            message = f"{error.what}: {error.why}" if error.why else error.what
            return [self._finding("proof.login", Status.FAILED, message, error.remedy)]
        try:
            return [
                self._finding(
                    "proof.login",
                    Status.PASSED,
                    f"{given.user!r} signs in with the secret's connection string",
                    evidence=f"{given.address}, database {given.database}",
                ),
                *self._grants(session),
            ]
        finally:
            session.close()

    def _given(self, value: Secret) -> ConnectionString:
        """The connection string of the secret. Raises KitError when it does not lead to the destination."""
        try:
            given = parse_ado_net(value)
        except ConnectionStringError as error:
            raise KitError(f"the secret holds no usable connection string: {error}", remedy=f"run: {_APPLY}") from error
        for what, found, wanted in (
            ("server", str(given.address), str(self._sessions.address)),
            ("database", given.database, self._destination.database),
            ("user", given.user or "", self._destination.user),
        ):
            if found.casefold() != wanted.casefold():
                raise KitError(
                    f"the secret's connection string names the {what} {found!r}, not {wanted!r}",
                    remedy=f"run: {_APPLY}",
                )
        if given.password is None:
            raise KitError("the secret's connection string holds no password", remedy=f"run: {_APPLY}")
        return given

    def _grants(self, session: Session) -> list[Finding]:
        """One query, a column a grant: HAS_PERMS_BY_NAME answers 1, 0, or NULL where the securable is not seen."""
        securable = {Scope.DATABASE: self._destination.database, Scope.SCHEMA: self._destination.schema}
        columns = ", ".join("HAS_PERMS_BY_NAME(?, ?, ?)" for _ in GRANTS)
        parameters = [
            text
            for grant in GRANTS
            for text in (quote_identifier(securable[grant.scope]), grant.scope.name, grant.permission)
        ]
        doing = f"ask what {self._destination.user!r} may do"
        (held,) = session.rows(f"SELECT {columns}", *parameters, doing=doing)
        findings = []
        for grant, answer in zip(GRANTS, held, strict=True):
            label = grant.label(self._destination.schema)
            if answer == 1:
                message = f"{self._destination.user!r} may: {label}"
                findings.append(self._finding("proof.grant", Status.PASSED, message, "", "HAS_PERMS_BY_NAME answers 1"))
            else:
                message = f"the user {self._destination.user!r} lacks {label}"
                seen = "HAS_PERMS_BY_NAME answers 0" if answer == 0 else "HAS_PERMS_BY_NAME does not see it"
                findings.append(self._finding("proof.grant", Status.FAILED, message, _APPLY, seen))
        return findings

    def _finding(self, check: str, status: Status, message: str, remedy: str = "", evidence: str = "") -> Finding:
        return Finding(check, status, self.address, message, remedy, evidence)
