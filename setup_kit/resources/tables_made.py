"""Follows the making of the tables of a profile: all that there is to follow where it is active for metadata."""

from __future__ import annotations

from setup_kit.engine.resource import Finding, Status
from setup_kit.export_service.models import EntityStatus, MetadataState, Profile
from setup_kit.resources.initial_sync import InitialSync


class TablesMade(InitialSync):
    """An entity is done when its table is made, or cannot be."""

    kind = "tables_made"

    def _unfinished(self, found: Profile) -> tuple[EntityStatus, ...]:
        known = {status.name: status for status in found.statuses}
        exported = (*found.description.entities, *found.description.relationships)
        every = [known.get(name, EntityStatus(name)) for name in exported]
        return tuple(
            status for status in every if status.metadata not in (MetadataState.CREATED, MetadataState.FAILURE)
        )

    def _findings(self, found: Profile, unfinished: tuple[EntityStatus, ...]) -> list[Finding]:
        return [self._of(status) for status in found.statuses if status not in unfinished] + [
            self._finding(status, Status.FAILED, "its table is not made yet", "setup-kit profile watch --metadata")
            for status in unfinished
        ]

    def _of(self, status: EntityStatus) -> Finding:
        if status.metadata is MetadataState.CREATED:
            return self._finding(status, Status.PASSED, "its table is made")
        remedy = "setup-kit failures explain has the reason; when it is mended: setup-kit profile activate --again"
        return self._finding(status, Status.FAILED, "the service could not make its table", remedy)

    def _finding(self, status: EntityStatus, outcome: Status, message: str, remedy: str = "") -> Finding:
        evidence = f"metadata {status.metadata}"
        return Finding(self.kind, outcome, self.address, f"{status.name}: {message}", remedy, evidence)
