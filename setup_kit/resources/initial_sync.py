"""Follows the first synchronization of the profile until every entity is done."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from setup_kit.engine.resource import Check, Finding, Node, Progress, Resource, Status
from setup_kit.environment.models import Activate, Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.models import EntityStatus, MetadataState, Profile, SyncState
from setup_kit.export_service.organization import OrganizationClient

log = logging.getLogger(__name__)

# Seconds between two looks: a share of what has passed, so that its end is not noticed much later than it came.
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
SHARE = 0.15

# A first synchronization of a large organization takes days; one that stands still this long is stuck.
PATIENCE_SECONDS = 7 * 24 * 3600.0
STALL_SECONDS = 30 * 60.0

Wait = Callable[[float], bool]


class InitialSync(Check):
    """An entity is done when its initial synchronization is Completed or CompletedWithFailures, or failed as a whole.

    One without rows may stay NotStarted for ever. It is taken for done when nothing is to come: its table is made, the
    service has no records of it to write, every other entity is done, and the organization itself says that the entity
    has no rows.
    """

    kind = "initial_sync"

    def __init__(
        self,
        environment: Environment,
        export_client: ExportServiceClient,
        profile: Resource[Profile],
        organization: OrganizationClient,
        *,
        exports_data: bool | None = None,
        needs: Iterable[Node] = (),
        patience: float = PATIENCE_SECONDS,
        stall: float = STALL_SECONDS,
        wait: Wait | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`exports_data` where it is not as the environment file says. `needs`: the activation.

        `patience` (seconds) may be set to 0 later on, to look once and report.

        `wait` pauses for some seconds, and returns True when the run is to end early (an Event's `wait`).
        """
        super().__init__(environment.profile.name, needs=(profile, *needs))
        wanted = environment.profile.activate in (Activate.ALL, Activate.DATA)
        self._exports_data = wanted if exports_data is None else exports_data
        self._client = export_client
        self._profile = profile
        self._organization = organization
        self.patience = patience
        self._stall = stall
        self._wait = wait or threading.Event().wait
        self._clock = clock
        self._empty: dict[str, bool] = {}
        self.seen: Profile | None = None  # as `run` saw it last

    def due(self) -> bool:
        """A synchronization that an earlier run did not see the end of, or that could not begin for an entity.

        As the plan read the profile: whatever has changed it since makes this check run anyway.
        """
        observed = self._profile.observed
        if not self._exports_data or observed is None:
            return False
        found = observed if observed.statuses else self._look()
        return bool(self._unfinished(found)) or any(status.lost for status in found.statuses)

    def run(self) -> list[Finding]:
        """Raises KitError when the synchronization stands still, or the profile is in a state that ends it."""
        if not self._exports_data:
            message = "the profile is not to export data, so there is no first synchronization"
            return [Finding("initial_sync", Status.SKIPPED, self.address, message)]
        begun = moved = self._clock()
        found = self._look()
        while unfinished := self._unfinished(found):
            self._stop_when_broken(found)
            now = self._clock()
            if now - begun >= self.patience:
                return self._findings(found, unfinished)
            if now - moved >= self._stall:
                raise self._stuck(unfinished)
            pause = min(max(FIRST_PAUSE, SHARE * (now - begun)), LONGEST_PAUSE)
            if self._wait(min(pause, self.patience - (now - begun))):
                raise KitError(
                    "stopped waiting for the first synchronization, which goes on by itself",
                    remedy="see how far it is: setup-kit status; wait for its end: setup-kit apply",
                )
            before = unfinished
            found = self._look()
            if self._unfinished(found) != before:
                moved = self._clock()
        self.seen = found
        return self._findings(found, ())

    def _look(self) -> Profile:
        """The profile with the status of everything it exports; each is reported."""
        if self._profile.observed is None:
            raise KitError(
                f"the profile {self.name!r} is not there, so nothing is synchronized", remedy="run: setup-kit apply"
            )
        found = self._client.profiles.get(self._profile.observed.id, status=True)
        if found is None:
            raise KitError(
                f"the profile {self.name!r} was deleted while its first synchronization was followed",
                remedy="run: setup-kit apply",
            )
        for status in found.statuses:
            # While it goes on, the service's total is what it has read so far: no measure of the whole.
            total = status.total if status.initial_sync.over else None
            self.report(Progress(self.address, status.name, status.succeeded, total, str(status.initial_sync)))
        return found

    def _unfinished(self, found: Profile) -> tuple[EntityStatus, ...]:
        reported = {status.name for status in found.statuses}
        exported = (*found.description.entities, *found.description.relationships)
        silent = tuple(EntityStatus(name) for name in exported if name not in reported)
        rest = tuple(status for status in (*found.statuses, *silent) if not _ended(status))
        # Whether nothing is to come is only asked once all that is left has not begun.
        if all(_may_be_empty(status) for status in rest):
            return tuple(status for status in rest if not self._is_empty(status.name, found))
        return rest

    def _is_empty(self, name: str, found: Profile) -> bool:
        """Whether the organization has no row of it. One that cannot be asked counts as not empty."""
        if name not in self._empty:
            try:
                table = self._intersect_of(name) if name in found.description.relationships else name
                self._empty[name] = not self._organization.has_rows(table)
            except KitError as error:
                log.info("whether %s has rows is not known: %s", name, error)
                return False
        return self._empty[name]

    def _intersect_of(self, relationship: str) -> str:
        for known in self._client.metadata.relationships():
            if known.schema_name == relationship:
                return known.intersect_entity
        raise KitError(
            f"the service does not know the relationship {relationship}",
            remedy="see which it knows: setup-kit org relationships",
        )

    def _stop_when_broken(self, found: Profile) -> None:
        if found.state.broken:
            raise KitError(
                f"the first synchronization of the profile {self.name!r} ended: the profile is in state {found.state}",
                why="; ".join(_describe(status) for status in found.statuses if not status.initial_sync.over),
                remedy="setup-kit failures explain has the reasons; mend them, then run: setup-kit apply",
            )

    def _stuck(self, unfinished: tuple[EntityStatus, ...]) -> KitError:
        return KitError(
            f"the first synchronization has stood still for {self._stall / 60:.0f} minutes:"
            f" {', '.join(status.name for status in unfinished)} not done",
            why="; ".join(_describe(status) for status in unfinished),
            remedy="look at the database's size and load and at the profile's failures; run setup-kit apply to wait on",
        )

    def _findings(self, found: Profile, unfinished: tuple[EntityStatus, ...]) -> list[Finding]:
        left = {status.name for status in unfinished}
        findings = []
        for status in found.statuses:
            if status.name in left:
                continue
            if status.lost:
                unmade = status.metadata is MetadataState.FAILURE
                what = "could not make its table in the destination" if unmade else "could not export any of it"
                findings.append(
                    Finding(
                        "initial_sync.lost",
                        Status.FAILED,
                        self.address,
                        f"{status.name}: the service {what}",
                        evidence=_describe(status),
                        remedy="setup-kit failures explain has the reason, setup-kit verify shows what the service"
                        " lacks; when it is mended, run: setup-kit apply, which has it tried again",
                    )
                )
            elif status.initial_sync is SyncState.COMPLETED_WITH_FAILURES or status.failed:
                findings.append(
                    Finding(
                        "initial_sync.failures",
                        Status.WARNING,
                        self.address,
                        f"{status.name}: {status.failed:,} of {status.total:,} records could not be written",
                        evidence=_describe(status),
                        remedy="setup-kit failures explain, which says of each reason what to do; a record is tried"
                        " again when it or its schema changes",
                    )
                )
            else:
                message = (
                    f"{status.name}: {status.succeeded:,} records" if status.total else f"{status.name}: no records"
                )
                findings.append(
                    Finding("initial_sync", Status.PASSED, self.address, message, evidence=_describe(status))
                )
        for status in unfinished:
            findings.append(
                Finding(
                    "initial_sync.unfinished",
                    Status.FAILED,
                    self.address,
                    f"{status.name} is not synchronized yet: {_describe(status)}",
                    evidence=_describe(status),
                    remedy="wait for its end: setup-kit apply",
                )
            )
        return findings


def _ended(status: EntityStatus) -> bool:
    return status.initial_sync.over or status.lost


def _may_be_empty(status: EntityStatus) -> bool:
    return not status.initial_sync.begun and status.total == 0 and status.metadata is MetadataState.CREATED


def _describe(status: EntityStatus) -> str:
    text = f"{status.name} {status.initial_sync}, {status.succeeded:,} of {status.total:,} records"
    if status.failed:
        text += f", {status.failed:,} failed"
    return f"{text}, last export {status.last_export_status}" if status.last_export_status else text
