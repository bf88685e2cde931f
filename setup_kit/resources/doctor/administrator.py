"""Whether the SQL administrator's password is there and right, where a SQL login administers the logical server."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from setup_kit.engine.resource import Check, Finding, Node, NotReadable, Severity, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources.administrator_password import KIND, PASSWORD_VARIABLE, REMEDY, UNOBTAINABLE
from setup_kit.resources.doctor.outlook import Outlook
from setup_kit.sqlserver.sessions import MASTER, SignInRefused, SqlSessions


class AdministratorPasswordKnown(Check):
    """A server cannot be made without it; on one that is there, only changes in the database take it.

    One that is given is tried with `sessions` where the server is there and lets this machine in.
    """

    kind = KIND

    def __init__(
        self,
        environment: Environment,
        outlook: Outlook,
        *,
        sessions: SqlSessions | None = None,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__(environment.sql.administrator.sql_login or "", needs=needs)
        self._server = environment.sql.address
        self._outlook = outlook
        self._sessions = sessions

    def run(self) -> list[Finding]:
        if os.environ.get(PASSWORD_VARIABLE):
            return [self._tried()]
        if sys.stdin.isatty():
            message, evidence = f"the password of {self.name} is asked for when it is needed", "a terminal is there"
            return [Finding(self.kind, Status.PASSED, self.address, message, evidence=evidence)]
        made = "sql_server" in self._outlook.creations()
        need = "apply makes the server with it" if made else "apply takes it for changes in the database"
        message = f"the password of the SQL administrator {self.name} is not known: {need}"
        status = Status.FAILED if made else Status.WARNING
        return [Finding(self.kind, status, self.address, message, REMEDY, UNOBTAINABLE)]

    def _tried(self) -> Finding:
        given, evidence = f"the password of {self.name} is given", f"{PASSWORD_VARIABLE} is set"
        if self._sessions is None or self._outlook.server() is None:
            return Finding(self.kind, Status.PASSED, self.address, given, evidence=evidence)
        try:
            self._sessions.admin(MASTER)
        except SignInRefused as refusal:
            message = f"the server {self._server} does not take the password that is given: {refusal.what}"
            remedy = f"put the right one into the variable {PASSWORD_VARIABLE}, or set a new one in the portal"
            return Finding(self.kind, Status.FAILED, self.address, message, remedy, refusal.original, link=refusal.link)
        except NotReadable as obstacle:
            return self._untried(f"{given}; not tried, because {obstacle.reason}", obstacle.remedy, evidence)
        except KitError as error:
            return self._untried(f"{given}; not tried: {error.what}: {error.why}", error.remedy, evidence)
        message = f"the server {self._server} takes the password of {self.name}"
        return Finding(self.kind, Status.PASSED, self.address, message, evidence="signed in to master with it")

    def _untried(self, message: str, remedy: str, evidence: str) -> Finding:
        return Finding(self.kind, Status.SKIPPED, self.address, message, remedy, evidence, Severity.INFO)
