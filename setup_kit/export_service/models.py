"""What the Data Export Service says and is told, as values; `reading.py` makes them from its answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """A profile's state."""

    INACTIVE = "Inactive"
    ACTIVE = "Active"
    ERROR = "Error"
    DELETED = "Deleted"
    ABORTING = "Aborting"
    ABORTED = "Aborted"
    SUSPENDED = "Suspended"
    SUSPENDING = "Suspending"
    DEACTIVATED = "Deactivated"
    UNKNOWN = "Unknown"

    @property
    def broken(self) -> bool:
        """Nothing more will come by itself."""
        return self in (State.ERROR, State.ABORTING, State.ABORTED, State.SUSPENDING, State.SUSPENDED)


class SyncState(StrEnum):
    """How far an entity's initial synchronization is."""

    NONE = "None"
    NOT_STARTED = "NotStarted"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    COMPLETED_WITH_FAILURES = "CompletedWithFailures"
    REQUESTED = "RequestedInitialData"
    PAUSED = "Paused"
    POST_PROCESSING = "PostProcessing"
    UNKNOWN = "Unknown"

    @property
    def over(self) -> bool:
        return self in (SyncState.COMPLETED, SyncState.COMPLETED_WITH_FAILURES)

    @property
    def begun(self) -> bool:
        return self not in (SyncState.NONE, SyncState.NOT_STARTED)


class MetadataState(StrEnum):
    """Whether an entity's table is there."""

    NONE = "None"
    NOT_CREATED = "NotCreated"
    CREATING = "MetadataCreating"
    RELATING = "RelationshipCreating"
    CREATED = "Created"
    FAILURE = "Failure"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class ServedOrganization:
    """An organization as the service knows it. `error` is the service's complaint about it, empty when it has none."""

    name: str
    url: str
    id: str
    connector_url: str
    error_category: int = 0
    error_code: int = 0
    error: str = ""


@dataclass(frozen=True)
class Entity:
    """An entity that can be exported."""

    logical_name: str
    display_name: str = ""


@dataclass(frozen=True)
class Relationship:
    """An N:N relationship that can be exported; `entities` are the logical names of its two ends."""

    schema_name: str
    entities: tuple[str, str] = ("", "")
    intersect_entity: str = ""


@dataclass(frozen=True)
class EntityStatus:
    """How far an entity or a relationship is. The counts are of records; `last_export` is in UTC."""

    name: str
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    last_export: datetime | None = None
    last_export_status: str = ""
    metadata: MetadataState = MetadataState.NONE
    initial_sync: SyncState = SyncState.NONE

    @property
    def lost(self) -> bool:
        """It failed as a whole, before the first record: no table, or nothing could be read or written."""
        if self.metadata is MetadataState.FAILURE:
            return True
        return self.initial_sync is SyncState.COMPLETED_WITH_FAILURES and self.total == 0


@dataclass(frozen=True)
class Description:
    """What is to be exported, and where to: the body that creates, updates or validates a profile.

    `key_vault_uri` is the secret's URI without a version; the service compares it case-sensitively.
    `interval_seconds` lies between two tries of a record that failed.
    """

    name: str
    organization_id: str
    organization_url: str
    entities: tuple[str, ...]
    key_vault_uri: str
    relationships: tuple[str, ...] = ()
    prefix: str = ""
    schema: str = "dbo"
    retry_count: int = 12
    interval_seconds: int = 5
    delete_log: bool = True

    def to_wire(self, profile_id: str | None = None) -> dict[str, Any]:
        """The JSON object that the service takes. An entity's `Settings` is never null: the service refused that."""
        return {
            "Id": profile_id,
            "Version": None,
            "State": None,
            "OrganizationUrl": self.organization_url,
            "OrganizationId": self.organization_id,
            "Name": self.name,
            "Entities": [{"Type": name, "Settings": {}} for name in self.entities],
            # *assumed*: the field's name, and that its entries look like those of entities
            "Relationships": [{"Type": name, "Settings": {}} for name in self.relationships],
            "DestinationType": "sqlazure",
            "DestinationKeyVaultUri": self.key_vault_uri,
            "DestinationPrefix": self.prefix,
            "DestinationSchemaName": self.schema,
            "RetryPolicy": {
                "MaxRetryCount": self.retry_count,
                "IntervalInSeconds": self.interval_seconds,
                "Backoff": "Simple",
            },
            "WriteDeleteLog": self.delete_log,
        }


@dataclass(frozen=True)
class Profile:
    """A profile that the service holds. `statuses` is empty unless it was asked for."""

    id: str
    version: str
    state: State
    description: Description
    statuses: tuple[EntityStatus, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Trial:
    """One of the tests that the service made on a profile."""

    name: str
    succeeded: bool
    message: str = ""
