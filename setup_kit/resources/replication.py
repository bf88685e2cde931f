"""Looks at both ends of the export: whether the tables are in the destination, and the rows in them.

The service counts what it wrote and never looks again. A database made anew, a table dropped, rows deleted: only the
destination itself shows it.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from setup_kit.engine.resource import Check, Finding, NotReadable, Progress, Status
from setup_kit.environment.models import Activate, Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.models import Description, EntityStatus, MetadataState, Profile, State
from setup_kit.export_service.organization import OrganizationClient
from setup_kit.resources.destination import Destination
from setup_kit.resources.initial_sync import InitialSync
from setup_kit.resources.profile import ExportProfile, table_name, wanted_description
from setup_kit.sqlserver.quoting import quote_identifier
from setup_kit.sqlserver.session import Session

log = logging.getLogger(__name__)

# The source is counted by reading all keys, 5,000 a request. More than one request is only sent where rows seem lost.
QUICKLY_COUNTED = 5_000
COUNTED_AT_ONCE = 4


@dataclass(frozen=True)
class Replicated:
    """Rows of one entity or N:N relationship, here and there."""

    name: str
    table: str
    source: int
    destination: int


@dataclass(frozen=True)
class ExportedTable:
    """Where `name`, an entity or an N:N relationship, goes. `entity` holds its rows at the source."""

    name: str
    entity: str
    schema: str
    table: str

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.table}"


def exported_tables(description: Description, client: ExportServiceClient) -> list[ExportedTable]:
    """The tables of a profile. Raises KitError for a relationship that the service does not know."""
    wanted = {name: name for name in description.entities}
    if description.relationships:
        known = {found.schema_name: found.intersect_entity for found in client.metadata.relationships()}
        for name in description.relationships:
            if name not in known:
                raise KitError(
                    f"the service does not know the relationship {name}",
                    remedy="see which it knows: setup-kit org relationships",
                )
            wanted[name] = known[name]
    return [
        ExportedTable(name, entity, description.schema, table_name(description.prefix, entity))
        for name, entity in wanted.items()
    ]


def tables_there(session: Session, schema: str) -> frozenset[str]:
    """The names of the schema's tables, case-folded: the destination's collation does not tell case apart."""
    query = (
        "SELECT t.name FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id WHERE LOWER(s.name) = ?"
    )
    rows = session.rows(query, schema.lower(), doing=f"list the tables of the schema {schema!r}")
    return frozenset(str(row[0]).casefold() for row in rows)


def count_at_destination(session: Session, table: ExportedTable) -> int:
    qualified = f"{quote_identifier(table.schema)}.{quote_identifier(table.table)}"
    rows = session.rows(
        f"SELECT COUNT_BIG(*) FROM {qualified}",  # noqa: S608 - quoted
        doing=f"count the rows of {table.label}",
    )
    return int(rows[0][0])


def count_replicated(
    environment: Environment, organization: OrganizationClient, client: ExportServiceClient, destination: Destination
) -> list[Replicated]:
    """One entry for each entity and relationship of the profile, all rows counted.

    Raises KitError when one of the tables is missing, NotReadable when the database is not reached.
    """
    tables = exported_tables(wanted_description(environment, ""), client)
    session = destination.reader()
    there = tables_there(session, environment.profile.schema_name)
    found = []
    for table in tables:
        if table.table.casefold() not in there:
            raise KitError(
                f"the table {table.label} is missing in the destination",
                remedy="see how far the export is: setup-kit status; have it made: setup-kit apply",
            )
        source = organization.count_rows(table.entity)
        found.append(Replicated(table.name, table.table, source, count_at_destination(session, table)))
    return found


class Replication(Check):
    """What the service says it has written is in the destination.

    Rows fewer than the service wrote may be rows that were deleted at the source since: they are only missed where the
    source has more as well.
    """

    kind = "replication"

    def __init__(
        self,
        environment: Environment,
        export_client: ExportServiceClient,
        profile: ExportProfile,
        organization: OrganizationClient,
        destination: Destination,
        sync: InitialSync,
    ) -> None:
        super().__init__(environment.profile.name, needs=(profile, sync))
        self._activate = environment.profile.activate
        self._client = export_client
        self._profile = profile
        self._organization = organization
        self._destination = destination
        self._sync = sync

    def due(self) -> bool:
        """Whether a table is gone: a run that has nothing else to do must not end well then."""
        observed = self._profile.observed
        if self._activate is Activate.NONE or observed is None or observed.state is not State.ACTIVE:
            return False
        try:
            there = tables_there(self._destination.reader(), observed.description.schema)
        except NotReadable as obstacle:
            log.info("not known whether the tables are there: %s", obstacle.reason)
            return False
        tables = exported_tables(observed.description, self._client)
        return any(table.table.casefold() not in there for table in tables)

    def run(self) -> list[Finding]:
        if self._activate is Activate.NONE:
            return [self._finding("", Status.SKIPPED, "the profile is not to be active, so nothing is exported")]
        observed = self._profile.observed
        found = self._sync.seen
        if found is None and observed is not None:
            found = self._client.profiles.get(observed.id, status=True)
        if found is None:
            return [self._finding("", Status.SKIPPED, "the profile is not there, so nothing is exported")]
        if found.state is not State.ACTIVE:
            message = f"the profile is in state {found.state}, so nothing is exported"
            return [self._finding("", Status.SKIPPED, message)]
        try:
            return self._compare(found)
        except NotReadable as obstacle:
            return [self._finding("", Status.SKIPPED, obstacle.reason, obstacle.remedy)]

    def _compare(self, found: Profile) -> list[Finding]:
        statuses = {status.name: status for status in found.statuses}
        tables = [
            (table, statuses.get(table.name, EntityStatus(table.name)))
            for table in exported_tables(found.description, self._client)
        ]
        # What the first synchronization lost, its own finding says.
        tables = [(table, status) for table, status in tables if not status.lost]
        findings = []
        with ThreadPoolExecutor(COUNTED_AT_ONCE) as pool:
            # Those that are counted at the source whatever is found at the destination, beside looking there.
            counting = {
                table.name: pool.submit(self._organization.count_rows, table.entity)
                for table, status in tables
                if self._activate is not Activate.METADATA and status.total <= QUICKLY_COUNTED
            }
            session = self._destination.reader()
            there = tables_there(session, found.description.schema)
            for done, (table, status) in enumerate(tables):
                self.report(Progress(self.address, "tables", done, len(tables), table.name, unit="tables"))
                if table.table.casefold() not in there:
                    findings.append(self._absent(table, status))
                elif self._activate is Activate.METADATA:
                    findings.append(self._finding("", Status.PASSED, f"{table.name}: the table {table.label} is there"))
                else:
                    rows = count_at_destination(session, table)
                    findings.append(self._rows(table, status, rows, counting.get(table.name)))
        return findings

    def _absent(self, table: ExportedTable, status: EntityStatus) -> Finding:
        exported = status.initial_sync.over and self._activate is not Activate.METADATA
        if not exported and status.metadata is not MetadataState.CREATED:
            return self._finding("", Status.SKIPPED, f"{table.name}: the service has not made its table yet")
        message = (
            f"the table {table.label} is missing in the destination although the service says that {table.name} was"
            f" {'exported' if exported else 'given its table'}"
        )
        seen = f"initial synchronization {status.initial_sync}, metadata {status.metadata}; no table {table.label}"
        return self._finding("missing", Status.FAILED, message, self._anew, seen)

    def _rows(
        self, table: ExportedTable, status: EntityStatus, destination: int, counting: Future[int] | None
    ) -> Finding:
        written = status.succeeded
        seen = f"{table.label}: {destination:,} rows; the service wrote {written:,}"
        fewer = destination < written
        if not fewer and max(destination, status.total) > QUICKLY_COUNTED:
            message = (
                f"{table.name}: {destination:,} rows at the destination; the service says that it wrote {written:,}"
            )
            return self._finding("", Status.PASSED, message, evidence=seen)
        try:
            source = counting.result() if counting is not None else self._organization.count_rows(table.entity)
        except KitError as error:
            log.info("the rows of %s at the source are not known: %s", table.name, error)
            message = (
                f"{table.name}: {destination:,} rows in {table.label}, the service says that it wrote {written:,};"
                f" not counted at the source, because {error.what}"
            )
            return self._finding("uncounted", Status.WARNING if fewer else Status.SKIPPED, message, error.remedy, seen)
        if destination == source:
            return self._finding(
                "", Status.PASSED, f"{table.name}: {source:,} rows at the source and at the destination", evidence=seen
            )
        if not status.initial_sync.over:
            message = (
                f"{table.name}: {source:,} rows at the source and {destination:,} at the destination; its first"
                " synchronization is not over"
            )
            return self._finding("", Status.SKIPPED, message, evidence=seen)
        if fewer and destination < source:
            message = (
                f"{table.name}: {destination:,} rows in {table.label} although the service says that it wrote"
                f" {written:,}; there are {source:,} at the source"
            )
            return self._finding("fewer", Status.FAILED, message, self._anew, seen)
        message = f"{table.name}: {source:,} rows at the source, {destination:,} at the destination"
        remedy = "none where rows were added or deleted at the source since; see also the profile's failures"
        return self._finding("differs", Status.WARNING, message, remedy, seen)

    @property
    def _anew(self) -> str:
        identifier = self._profile.observed.id if self._profile.observed is not None else "<id>"
        return (
            f"have the profile deleted through the service (DELETE profiles/{identifier}), drop what is left of its"
            " tables, then run: setup-kit apply, which makes it anew"
        )

    def _finding(self, what: str, status: Status, message: str, remedy: str = "", evidence: str = "") -> Finding:
        check = f"{self.kind}.{what}" if what else self.kind
        return Finding(check, status, self.address, message, remedy, evidence)
