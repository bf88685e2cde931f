"""Whether the SQL administrator's password can be had, where a SQL login administers the logical server."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from setup_kit.engine.resource import Check, Finding, Node, Status
from setup_kit.environment.models import Environment
from setup_kit.resources.administrator_password import KIND, PASSWORD_VARIABLE, REMEDY, UNOBTAINABLE
from setup_kit.resources.doctor.outlook import Outlook


class AdministratorPasswordKnown(Check):
    """A server cannot be made without it; on one that is there, only changes in the database take it."""

    kind = KIND

    def __init__(self, environment: Environment, outlook: Outlook, *, needs: Iterable[Node] = ()) -> None:
        super().__init__(environment.sql.administrator.sql_login or "", needs=needs)
        self._outlook = outlook

    def run(self) -> list[Finding]:
        if os.environ.get(PASSWORD_VARIABLE):
            message, evidence = f"the password of {self.name} is given", f"{PASSWORD_VARIABLE} is set"
            return [Finding(self.kind, Status.PASSED, self.address, message, evidence=evidence)]
        if sys.stdin.isatty():
            message, evidence = f"the password of {self.name} is asked for when it is needed", "a terminal is there"
            return [Finding(self.kind, Status.PASSED, self.address, message, evidence=evidence)]
        made = "sql_server" in self._outlook.creations()
        need = "apply makes the server with it" if made else "apply takes it for changes in the database"
        message = f"the password of the SQL administrator {self.name} is not known: {need}"
        status = Status.FAILED if made else Status.WARNING
        return [Finding(self.kind, status, self.address, message, REMEDY, UNOBTAINABLE)]
