"""Has the Data Export Service itself sign in with what the secret holds now, where it has a profile to do it for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from setup_kit.engine.resource import Check, Finding, Node, Progress, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient

# Seconds. A login that was just made may be refused for a while by the database's own copy.
PATIENCE = 120.0
PAUSE = 5.0


class ServiceProof(Check):
    """One finding for each trial of the service's own `profiles/{id}/test`."""

    kind = "service_proof"

    def __init__(
        self,
        environment: Environment,
        export_client: ExportServiceClient,
        *,
        needs: Iterable[Node],
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        """`wait` pauses for some seconds, and returns True when the run is to end early (an Event's `wait`)."""
        super().__init__(environment.profile.name, needs=needs)
        self._client = export_client
        self._wait = wait or threading.Event().wait

    def run(self) -> list[Finding]:
        found = self._client.profiles.find(self.name)
        if found is None:
            message = f"the service has no profile {self.name!r} to sign in for"
            return [Finding(self.kind, Status.SKIPPED, self.address, message)]
        begun = time.monotonic()
        while True:
            trials = self._client.profiles.test(found.id)
            failed = [trial for trial in trials if not trial.succeeded]
            waited = time.monotonic() - begun
            if not failed or waited > PATIENCE:
                break
            text = f"waiting for the login to hold: {failed[0].message}"
            self.report(Progress(self.address, self.name, int(waited), int(PATIENCE), text, "seconds"))
            if self._wait(PAUSE):
                raise KitError(
                    "stopped waiting for what the service cannot reach yet", remedy="run the same command again"
                )
        return [
            Finding(
                self.kind,
                Status.PASSED if trial.succeeded else Status.FAILED,
                self.address,
                f"the service tests {trial.name}" + (f": {trial.message}" if trial.message else ""),
                "" if trial.succeeded else "mend it, then run: setup-kit rotate, which finishes what is left",
            )
            for trial in trials
        ]
