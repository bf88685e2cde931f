"""The export of one entity or N:N relationship: its table, its metadata, all of its records."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from setup_kit.service import metadata
from setup_kit.service.dataverse import Organization, Page, find_relationship
from setup_kit.service.description import Description
from setup_kit.service.destination import Destination, read_connection_string
from setup_kit.service.errors import OutsideError
from setup_kit.service.failure_log import Failure, FailureLog, Folder
from setup_kit.service.profile import ExportStatus, MetadataState, Profile, Status, SyncState
from setup_kit.service.store import Store
from setup_kit.service.tables import Table, entity_table, sql_time
from setup_kit.service.vault import Vaults
from setup_kit.service.writer import EntityFailedError, Writer, check_cancelled
from setup_kit.sqlserver.connection import ConnectionString, ConnectionStringError, SqlError

INITIAL = "Trigger Initial Export"

ALREADY_EXISTS = 2714
TARGET_SECONDS = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Source:
    """Where the records come from and where they go."""

    definition: Mapping[str, Any]
    table: Table


class EntityExport:
    """One pass over a profile; `run` is called for each entity, from several threads."""

    def __init__(
        self,
        *,
        profile: Profile,
        organization: Organization,
        store: Store,
        failure_log: FailureLog,
        vaults: Vaults,
        certificate: Path | None,
        cancelled: threading.Event,
    ) -> None:
        self._profile = profile
        self._description: Description = profile.description
        self._organization = organization
        self._store = store
        self._failure_log = failure_log
        self._vaults = vaults
        self._certificate = certificate
        self._cancelled = cancelled
        # Entities share the metadata tables, and two may share a global option set.
        self._metadata_lock = threading.Lock()
        self._metadata_ready = False
        self._target_lock = threading.Lock()
        self._read: tuple[float, ConnectionString | None] = (0.0, None)

    def run(self, name: str) -> None:
        """Exports one entity as far as the profile asks; what goes wrong ends in its status and the failure log."""
        before = self._store.statuses(self._profile.id).get(name, Status(name))
        # It failed, and was asked for again by an activation.
        refresh = before.failure > 0 and before.initial is SyncState.NOT_STARTED
        try:
            self._retried(lambda: self._export(name, refresh))
        except SqlError as error:
            self._fail(name, error.message, refresh)
        except (EntityFailedError, OutsideError, ConnectionStringError) as error:
            self._fail(name, str(error), refresh)

    def _export(self, name: str, refresh: bool) -> None:
        status = self._store.statuses(self._profile.id).get(name, Status(name))
        source = self._source(name)
        with self._connect() as destination:
            if status.metadata is not MetadataState.CREATED and self._profile.metadata:
                self._make(destination, source, name)
                status = replace(status, metadata=MetadataState.CREATED)
                self._store.save_status(self._profile.id, status)
            if not self._profile.data or status.initial.done:
                return
            destination.empty(source.table, self._description.schema)
        self._load(source, replace(Status(name), metadata=status.metadata, initial=SyncState.IN_PROGRESS), refresh)

    def _source(self, name: str) -> _Source:
        entity = name
        if any(choice.name == name for choice in self._description.relationships):
            found = find_relationship(name, self._organization.relationships())
            if found is None:
                raise EntityFailedError(f"There is no N:N relationship named '{name}'.")
            entity = found.intersect
        definition = self._organization.definition(entity)
        return _Source(definition, entity_table(self._description.table(entity), definition))

    def _connect(self) -> Destination:
        return Destination(self._target(), self._certificate)

    def _target(self) -> ConnectionString:
        """Reads the secret, at most once a minute: long enough for a start, short enough for a rotation."""
        with self._target_lock:
            read_at, target = self._read
            if target is None or time.monotonic() - read_at > TARGET_SECONDS:
                reading = self._vaults.read(self._description.key_vault_uri, self._description.organization_id or "")
                if reading.problems or reading.value is None:
                    raise EntityFailedError(" ".join(problem.message for problem in reading.problems))
                target = read_connection_string(reading.value)
                self._read = (time.monotonic(), target)
            return target

    def _make(self, destination: Destination, source: _Source, choice: str) -> None:
        schema, own = self._description.schema, self._store.tables(self._profile.id)
        with self._metadata_lock:
            existing = destination.objects(schema)
            if not self._metadata_ready:
                wanted = list(metadata.tables(self._description.prefix).values())
                if self._description.write_delete_log:
                    wanted.append(metadata.delete_log(self._description.prefix))
                missing = [table for table in wanted if table.name.lower() not in existing]
                if missing:
                    destination.create(missing, schema)
                self._metadata_ready = True
        name = source.table.name
        if name.lower() in existing:
            if name.lower() not in own:
                raise EntityFailedError(f"There is already an object named '{name}' in the database.")
        else:
            # First noted, then made: a service that is killed in between finds its own table again.
            self._store.add_table(self._profile.id, name, choice)
            try:
                destination.create([source.table], schema)
            except SqlError as error:
                if error.number == ALREADY_EXISTS:
                    self._store.remove_table(self._profile.id, name)
                raise
        self._describe(destination, source)

    def _describe(self, destination: Destination, source: _Source) -> None:
        entity = source.definition["LogicalName"]
        primary_ids = {facts.logical_name: facts.primary_id for facts in self._organization.entities().values()}
        tables = metadata.tables(self._description.prefix)
        fillings = metadata.fillings(
            source.definition,
            self._organization.option_sets(entity),
            primary_ids,
            frozenset(column.name for column in source.table.columns),
            sql_time(_now()),
        )
        with self._metadata_lock:
            destination.fill(tables, self._description.schema, fillings)

    def _load(self, source: _Source, status: Status, refresh: bool) -> None:
        self._store.save_status(self._profile.id, status)
        with Writer(
            connect=self._connect,
            entity=status.type,
            table=source.table,
            schema=self._description.schema,
            retry=self._description.retry,
            cancelled=self._cancelled,
        ) as writer:
            for page in self._organization.pages(source.definition["EntitySetName"]):
                check_cancelled(self._cancelled)
                failures = writer.write(page.rows)
                status = self._counted(status, page, failures)
                self._failure_log.write(self._profile.id, failures, refresh=refresh)
                self._store.save_status(self._profile.id, status)
        done = SyncState.WITH_FAILURES if status.failure else SyncState.COMPLETED
        self._store.save_status(self._profile.id, replace(status, initial=done))

    def _counted(self, status: Status, page: Page, failures: Sequence[Failure]) -> Status:
        return replace(
            status,
            total=status.total + len(page.rows),
            success=status.success + len(page.rows) - len(failures),
            failure=status.failure + len(failures),
            last_export=_now(),
            last_status=ExportStatus.FAILED if failures else ExportStatus.SUCCESS,
            delta_link=page.delta,
        )

    def _fail(self, name: str, reason: str, refresh: bool) -> None:
        _log.warning("profile %s: %s failed: %s", self._profile.id, name, reason)
        status = self._store.statuses(self._profile.id).get(name, Status(name))
        made = status.metadata is MetadataState.CREATED
        folder = Folder.DATA if made else Folder.METADATA
        failure = Failure(name, None, None, INITIAL, reason, folder)
        self._failure_log.write(self._profile.id, [failure], refresh=refresh)
        self._store.save_status(
            self._profile.id,
            replace(
                status,
                failure=status.failure + 1,
                last_export=_now(),
                last_status=ExportStatus.FAILED,
                metadata=status.metadata if made else MetadataState.FAILURE,
                initial=SyncState.WITH_FAILURES if self._profile.data else status.initial,
            ),
        )

    def _retried(self, work: Callable[[], None]) -> None:
        """The profile's retry policy, for what may pass: transient errors of SQL Server, an organization's silence."""
        policy = self._description.retry
        for attempt in range(policy.maximum + 1):
            check_cancelled(self._cancelled)
            try:
                work()
            except (SqlError, OutsideError) as error:
                if not _passing(error) or attempt == policy.maximum:
                    raise
                _log.info("profile %s: retry %s after: %s", self._profile.id, attempt + 1, error)
                self._cancelled.wait(policy.interval)
            else:
                return


def _passing(error: SqlError | OutsideError) -> bool:
    if isinstance(error, SqlError):
        return error.transient
    return error.status in {0, 429, 500, 502, 503, 504}


def _now() -> datetime:
    return datetime.now(UTC)
