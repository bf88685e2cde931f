"""The password of the SQL administrator: from the variable or from the person, never from a file."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from setup_kit.engine.graph import dependents
from setup_kit.engine.planner import Plan
from setup_kit.engine.resource import Finding, Severity, Status, Temporary
from setup_kit.errors import UsageError
from setup_kit.resources.sql_server import SqlServer
from setup_kit.secret import Secret

PASSWORD_VARIABLE = "SETUP_KIT_SQL_ADMIN_PASSWORD"  # noqa: S105 - a variable's name
REMEDY = f"put it into the variable {PASSWORD_VARIABLE}; it is never stored"


KIND = "sql_administrator"
UNOBTAINABLE = f"{PASSWORD_VARIABLE} is not set, and there is no terminal at which to ask"


def obtainable() -> bool:
    """Whether the password is given, or somebody is there to be asked for it."""
    return bool(os.environ.get(PASSWORD_VARIABLE)) or sys.stdin.isatty()


class AdministratorPassword:
    """Asked for once, when it is needed. Safe to ask from many threads."""

    def __init__(self, login: str | None, ask: Callable[[str], str] | None) -> None:
        """`login`: the SQL administrator's, None where a group of Microsoft Entra administers; `ask` asks a person."""
        self._login = login
        self._ask = ask
        self._lock = threading.Lock()
        self._given: Secret | None = None

    def __call__(self) -> Secret:
        """Raises UsageError where it is not known and nobody can be asked."""
        with self._lock:
            if self._given is None:
                self._given = self._find()
            return self._given

    def _find(self) -> Secret:
        value = os.environ.get(PASSWORD_VARIABLE)
        if value:
            return Secret(value)
        if self._ask is None or self._login is None:
            raise self._unknown()
        return Secret(self._ask(self._login))

    def refuse_without(self, plan: Plan) -> None:
        """Raises UsageError where the changes of a plan take the password, and it cannot be had."""
        if self._login is None or self._ask is not None or os.environ.get(PASSWORD_VARIABLE):
            return
        if _takes_password(plan):
            raise self._unknown("nothing was changed: what is planned takes it")

    def warnings(self, plan: Plan) -> list[Finding]:
        """That what is planned takes the password, where a run from here could not have it; nobody is asked."""
        if self._login is None or obtainable() or not _takes_password(plan):
            return []
        message = f"the password of the SQL administrator {self._login} is not known, and apply does not begin without"
        return [Finding(KIND, Status.WARNING, f"{KIND}/{self._login}", message, REMEDY, UNOBTAINABLE, Severity.HIGH)]

    def _unknown(self, why: str = "") -> UsageError:
        return UsageError(f"the password of the SQL administrator {self._login} is not known", why=why, remedy=REMEDY)


def _takes_password(plan: Plan) -> bool:
    """Whether a server is to be made, or a way into the database opened, which begins with the administrator."""
    working = {node for node, planned in plan.planned.items() if planned.has_work}
    if any(isinstance(node, SqlServer) and node.observed is None for node in working):
        return True
    needing = dependents(plan.nodes)
    return any(needing[node] & working for node in plan.nodes if isinstance(node, Temporary))
