"""Whether what an earlier export left stands in the way of the profile that is to be made."""

from __future__ import annotations

import shlex
from typing import Any

from setup_kit import known_errors
from setup_kit.engine.resource import Check, Finding, Node, NotReadable, Resource, Status
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.models import Profile
from setup_kit.resources.destination import Destination
from setup_kit.resources.profile import wanted_description
from setup_kit.resources.replication import exported_tables, tables_there


class LeftTables(Check):
    """Says before anything is made what the service would refuse once all else is: a profile whose tables are there."""

    kind = "left_tables"
    first = True

    def __init__(
        self,
        environment: Environment,
        export_client: ExportServiceClient,
        profile: Resource[Profile],
        database: Resource[Any],
        destination: Destination,
        needs: tuple[Node, ...],
    ) -> None:
        """`needs`: what the way into the database rests on."""
        super().__init__(environment.profile.name, needs=(profile, database, *needs))
        self._environment = environment
        self._client = export_client
        self._profile = profile
        self._database = database
        self._destination = destination

    def run(self) -> list[Finding]:
        """As `look`, of a profile that was read."""
        return self.look() if self._profile.observed is None else []

    def alone(self) -> list[Finding]:
        """As `run`, where the database was read and the profile was not. Raises KitError where the service does."""
        if self._database.observed is None or self._client.profiles.find(self.name) is not None:
            return []
        return self.look()

    def look(self) -> list[Finding]:
        """A finding where there is a table of the profile, or where it is not known whether there is."""
        if self._database.observed is None:
            return []
        try:
            tables = exported_tables(wanted_description(self._environment, ""), self._client)
            there = tables_there(self._destination.reader(), self._environment.profile.schema_name)
        except NotReadable as obstacle:
            return [self._unknown(obstacle.reason, obstacle.remedy)]
        except KitError as error:
            return [self._unknown(error.what, error.remedy)]
        left = [table for table in tables if table.table.casefold() in there]
        if not left:
            return []
        labels = ", ".join(table.label for table in left)
        entities = " ".join(shlex.quote(table.entity) for table in left)
        known = known_errors.meaning("service", "TableExists", entities=entities)
        message = f"the service will refuse the profile {self.name!r}, because what it would make is there: {labels}"
        evidence = f"no profile of this name, {len(left)} of its {len(tables)} tables"
        check = f"{self.kind}.table_exists"
        link = known.words["link"]
        return [Finding(check, Status.FAILED, self.address, message, known.remedy, evidence, link=link)]

    def _unknown(self, why: str, remedy: str) -> Finding:
        message = f"not known whether tables of an earlier export are in the way of the profile, since {why}"
        return Finding(self.kind, Status.SKIPPED, self.address, message, remedy)
