"""Whether what changed at the source has reached the destination in time."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from setup_kit.engine.resource import Check, Finding, Node, Status
from setup_kit.environment.models import Activate, Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.models import EntityStatus, Profile, State
from setup_kit.export_service.organization import OrganizationClient
from setup_kit.resources.profile import ExportProfile

log = logging.getLogger(__name__)


class Freshness(Check):
    """An entity is stale when a row of it has changed since its last export and has waited longer than is allowed.

    The last export's age alone says nothing: where nobody changes anything, there is nothing to export.
    """

    kind = "freshness"

    def __init__(
        self,
        environment: Environment,
        export_client: ExportServiceClient,
        profile: ExportProfile,
        organization: OrganizationClient,
        *,
        allowed: timedelta,
        needs: Iterable[Node] = (),
    ) -> None:
        """`allowed`: how long a change may wait for its export."""
        super().__init__(environment.profile.name, needs=(profile, *needs))
        self._exports_data = environment.profile.activate in (Activate.ALL, Activate.DATA)
        self._client = export_client
        self._profile = profile
        self._organization = organization
        self._allowed = allowed

    def run(self) -> list[Finding]:
        observed = self._profile.observed
        found = self._client.profiles.get(observed.id, status=True) if observed is not None else None
        if found is None or not self._exports_data or found.state is not State.ACTIVE:
            message = "the profile exports no data now, so nothing can be late"
            return [Finding(self.kind, Status.SKIPPED, self.address, message)]
        before = datetime.now(UTC) - self._allowed
        return [self._of(status, found, before) for status in found.statuses if status.last_export is not None]

    def _of(self, status: EntityStatus, found: Profile, before: datetime) -> Finding:
        last = status.last_export
        seen = f"last export {last:%Y-%m-%d %H:%M:%S} UTC ({status.last_export_status or 'no status'})"
        if last is None or last >= before:
            message = f"{status.name}: exported within {words(self._allowed)}"
            return Finding(self.kind, Status.PASSED, self.address, message, evidence=seen)
        if status.name in found.description.relationships:
            # The rows of an N:N relationship do not say when they were made.
            message = f"{status.name}: not known to be late: its rows do not say when they changed"
            return Finding(self.kind, Status.SKIPPED, self.address, message, evidence=seen)
        try:
            waiting = self._organization.changed_between(status.name, last, before)
        except KitError as error:
            log.info("whether changes of %s wait is not known: %s", status.name, error)
            message = f"{status.name}: not known to be late: {error.what}"
            return Finding(f"{self.kind}.unknown", Status.WARNING, self.address, message, error.remedy, seen)
        if waiting is None:
            message = f"{status.name}: nothing has waited longer than {words(self._allowed)}"
            return Finding(self.kind, Status.PASSED, self.address, message, evidence=seen)
        message = f"{status.name}: a change of {waiting:%Y-%m-%d %H:%M} UTC is not exported yet"
        remedy = (
            "setup-kit status, which shows how far it is; then ask whoever runs the export service whether it works"
        )
        return Finding(f"{self.kind}.stale", Status.FAILED, self.address, message, remedy, seen)


def words(span: timedelta) -> str:
    """A span as the command line takes it: 90m, 24h, 7d."""
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0 and not (unit == "d" and seconds == size):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
