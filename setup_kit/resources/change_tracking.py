"""Whether the organization tracks the changes of an entity, without which it cannot be exported."""

from __future__ import annotations

import difflib

from setup_kit.engine.resource import Action, Change, Removal, Resource
from setup_kit.errors import KitError
from setup_kit.export_service.organization import OrganizationClient, TableDefinition


class ChangeTracking(Resource[TableDefinition]):
    """Only ever switched on: others than the export service may rest on it."""

    kind = "change_tracking"

    def __init__(self, entity: str, organization: OrganizationClient) -> None:
        super().__init__(entity)
        self._organization = organization

    def read(self) -> TableDefinition | None:
        """Raises KitError where the organization has no such entity."""
        found = self._organization.table(self.name)
        if found is None:
            known = [table.logical_name for table in self._organization.tables()]
            close = difflib.get_close_matches(self.name.lower(), known, n=1)
            raise KitError(
                f"the organization has no entity {self.name}",
                remedy=(f"was {close[0]} meant? " if close else "") + "setup-kit org entities --all lists them",
            )
        return found

    def diff(self, observed: TableDefinition | None) -> list[Change]:
        """Raises KitError where it cannot be switched on."""
        if observed is None or observed.tracks_changes:
            return []
        if not observed.can_track_changes:
            raise KitError(
                f"change tracking cannot be switched on for the entity {self.name}",
                why="the organization's managed property CanChangeTrackingBeEnabled forbids it",
                remedy="leave it out of profile.entities: it cannot be exported",
            )
        why = "lets the export service follow its changes; its definition is published, with what else waits in it"
        return [Change(self.address, Action.UPDATE, "tracked", False, True, why)]

    def apply(self, change: Change) -> TableDefinition | None:
        self._organization.track_changes(self.name)
        found = self.read()
        if found is None or not found.tracks_changes:
            raise KitError(
                f"the organization took the change of {self.name} and published it, but does not track its changes",
                remedy="run the same command again; if it stays so, switch on Track changes in the table's properties",
            )
        return found

    def evidence(self, observed: TableDefinition) -> str:
        return "tracked" if observed.tracks_changes else "not tracked"

    def removal(self, observed: TableDefinition) -> Removal:
        return Removal(kept="others may rest on it")

    def delete(self, observed: TableDefinition) -> None:
        """It stays on: others may rest on it."""
