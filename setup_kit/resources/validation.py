"""Has the Data Export Service itself try all that the profile needs, before the profile is made."""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections.abc import Callable, Iterable

from setup_kit import known_errors
from setup_kit.engine.resource import Check, Finding, Node, Progress, Resource, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.errors import Problem, RefusedError
from setup_kit.resources.profile import ConnectionSecret, ExportProfile, secret_uri, table_name, wanted_description

# What may pass by itself after a run has opened the way: role assignments take up to ten minutes to hold, firewall
# rules five. The codes are this project's service's, *assumed*.
SETTLING = frozenset({"SecretUnreadable", "KeyVaultUnreachable", "Firewall"})
PATIENCE_SECONDS = 600.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0

_TABLE_EXISTS = "TableExists"

# For a problem that is not known.
_REMEDY = "setup-kit apply, which mends what it made; else mend it by hand"


class ProfileValidation(Check):
    """One finding for each thing that the service finds missing, named as the service names it."""

    kind = "profile_validation"

    def __init__(
        self,
        environment: Environment,
        export_client: ExportServiceClient,
        secret: ConnectionSecret,
        *,
        needs: Iterable[Node] = (),
        patience: float = PATIENCE_SECONDS,
        wait: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`needs`: all that the service will try.

        `patience` (seconds) may be set to 0 later on, to ask once.

        `wait` pauses for some seconds, and returns True when the run is to end early (an Event's `wait`).
        """
        own = (secret,) if isinstance(secret, Node) else ()
        super().__init__(environment.profile.name, needs=(*own, *needs))
        self._environment = environment
        self._client = export_client
        self._secret = secret
        self.patience = patience
        self.profile: ExportProfile | None = None  # which needs this check; what it has read need not be asked again
        self._wait = wait or threading.Event().wait
        self._clock = clock

    def run(self) -> list[Finding]:
        uri = secret_uri(self._secret)
        if not uri:
            message = "there is no secret yet whose connection string the service could try"
            return [Finding("profile_validation", Status.SKIPPED, self.address, message, "run: setup-kit apply")]
        description = wanted_description(self._environment, uri)
        # A profile that is there already: its own tables are no obstacle to it.
        seen = self.profile.seen if self.profile is not None else None
        existing = seen[0] if seen is not None else self._client.profiles.find(self.name)
        begun = self._clock()
        pause = FIRST_PAUSE
        while True:
            try:
                self._client.profiles.validate(description, existing.id if existing else None)
            except RefusedError as refusal:
                if refusal.status in (401, 403) or refusal.status >= 500:
                    raise
                waited = self._clock() - begun
                if waited + pause > self.patience or not self._may_settle(refusal.problems):
                    return self._findings(refusal)
                text = f"waiting for permissions and rules to hold: {refusal.problems[0].message}"
                self.report(Progress(self.address, self.name, int(waited), int(self.patience), text, "seconds"))
                if self._wait(pause):
                    raise KitError(
                        "stopped waiting for what the service cannot reach yet", remedy="run the same command again"
                    ) from refusal
                pause = min(pause * 1.5, LONGEST_PAUSE)
            else:
                message = f"the Data Export Service finds all that the profile {self.name!r} needs"
                evidence = f"asked to validate {description.key_vault_uri}"
                return [Finding("profile_validation", Status.PASSED, self.address, message, evidence=evidence)]

    def _may_settle(self, problems: tuple[Problem, ...]) -> bool:
        """Whether the service is only kept out by what is there already and does not hold yet."""
        if not problems or any(problem.code not in SETTLING for problem in problems):
            return False
        return not any(isinstance(need, Resource) and need.diff(need.observed) for need in self.needs)

    def _findings(self, refusal: RefusedError) -> list[Finding]:
        problems = refusal.problems or (Problem("", "", refusal.message or refusal.original),)
        entities = " ".join(shlex.quote(self._entity(each)) for each in problems if each.code == _TABLE_EXISTS)
        return [self._finding(problem, refusal.status, entities) for problem in problems]

    def _entity(self, problem: Problem) -> str:
        """The entity whose table, "schema.prefix_entity", a problem is about."""
        table = problem.target.rpartition(".")[2].lower()
        return table.removeprefix(table_name(self._environment.profile.prefix, "").lower())

    def _finding(self, problem: Problem, status: int, entities: str) -> Finding:
        known = known_errors.find("service", problem.code, entities=entities)
        return Finding(
            check=f"profile_validation.{_snake(problem.code)}" if problem.code else "profile_validation",
            status=Status.FAILED,
            resource=self.address,
            message=_sentence(problem),
            remedy=known.remedy if known else _REMEDY,
            evidence=" ".join(part for part in (f"the service answers {status}", problem.code) if part),
            link=known.words["link"] if known else "",
        )


def _sentence(problem: Problem) -> str:
    """The service's sentence; it begins with the thing concerned where it does not name it."""
    if problem.target and problem.target not in problem.message:
        return f"{problem.target}: {problem.message}" if problem.message else problem.target
    return problem.message


def _snake(code: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", code).lower()
