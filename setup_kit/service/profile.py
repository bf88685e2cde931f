"""Profiles and the status of what they export, as the service keeps and answers them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from setup_kit.service.description import Choice, Description, RetryPolicy


class ProfileState(StrEnum):
    """Names *assumed*: those of the living relative, Dataverse's table `synapselinkprofile`. Deleted ones are gone."""

    INACTIVE = "Inactive"
    ACTIVE = "Active"


class SyncState(StrEnum):
    """How far an entity's initial synchronization is. `InProgress` is the word of `synapselinkprofileentitystate`."""

    NOT_STARTED = "NotStarted"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    WITH_FAILURES = "CompletedWithFailures"

    @property
    def done(self) -> bool:
        return self in {SyncState.COMPLETED, SyncState.WITH_FAILURES}


class MetadataState(StrEnum):
    """Whether an entity's table and metadata are in the destination; names *assumed*, as above."""

    NOT_CREATED = "NotCreated"
    CREATED = "Created"
    FAILURE = "Failure"


class ExportStatus(StrEnum):
    """How the last export of an entity went. All names *assumed*."""

    SUCCESS = "Success"
    FAILED = "Failed"


@dataclass(frozen=True)
class Status:
    """Of one entity or relationship of a profile. Counts are records, the unit in which failures are counted too."""

    type: str
    total: int = 0
    success: int = 0
    failure: int = 0
    last_export: datetime | None = None
    last_status: ExportStatus | None = None
    metadata: MetadataState = MetadataState.NOT_CREATED
    initial: SyncState = SyncState.NOT_STARTED
    delta_link: str | None = None

    def to_wire(self, profile_id: str) -> dict[str, Any]:
        date = self.last_export
        return {
            "Type": self.type,
            "ProfileId": profile_id,
            "TotalNotifications": self.total,
            "SuccessNotifications": self.success,
            "FailureNotifications": self.failure,
            "LastExportDate": date.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if date else None,
            "LastExportStatus": self.last_status,
            "EntityMetadataState": self.metadata,
            "InitialSyncState": self.initial,
        }


@dataclass(frozen=True)
class Profile:
    """`metadata`, `data`: which of the two is active; together they are the profile's activation."""

    id: str
    version: int
    state: ProfileState
    description: Description
    metadata: bool = False
    data: bool = False

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (*self.description.entities, *self.description.relationships)

    def activated(self, *, metadata: bool, data: bool) -> Profile:
        return replace(self, state=ProfileState.ACTIVE, metadata=self.metadata or metadata, data=self.data or data)

    def deactivated(self) -> Profile:
        return replace(self, state=ProfileState.INACTIVE, metadata=False, data=False)

    def to_wire(
        self, names: Mapping[str, str] | None = None, statuses: Mapping[str, Status] | None = None
    ) -> dict[str, Any]:
        """The profile as clients read it; `names`: display names, `statuses`: only when they were asked for."""

        def chosen(choices: tuple[Choice, ...]) -> list[dict[str, Any]]:
            return [
                {
                    "Type": choice.name,
                    "Settings": dict(choice.settings),
                    "LogicalName": choice.name,
                    "DisplayName": (names or {}).get(choice.name, choice.name),
                    "Status": None
                    if statuses is None
                    else statuses.get(choice.name, Status(choice.name)).to_wire(self.id),
                }
                for choice in choices
            ]

        return {
            "Id": self.id,
            "Version": self.version,
            "State": self.state,
            **self.description.to_wire(),
            "Entities": chosen(self.description.entities),
            "Relationships": chosen(self.description.relationships),
        }

    def to_document(self) -> dict[str, Any]:
        """For the store."""
        description = self.description
        return {
            "id": self.id,
            "version": self.version,
            "state": self.state,
            "metadata": self.metadata,
            "data": self.data,
            "name": description.name,
            "organization_id": description.organization_id,
            "organization_url": description.organization_url,
            "key_vault_uri": description.key_vault_uri,
            "prefix": description.prefix,
            "schema": description.schema,
            "retry": [description.retry.maximum, description.retry.interval],
            "write_delete_log": description.write_delete_log,
            "entities": [[choice.name, dict(choice.settings)] for choice in description.entities],
            "relationships": [[choice.name, dict(choice.settings)] for choice in description.relationships],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Profile:
        return cls(
            id=document["id"],
            version=document["version"],
            state=ProfileState(document["state"]),
            metadata=document["metadata"],
            data=document["data"],
            description=Description(
                id=document["id"],
                name=document["name"],
                organization_id=document["organization_id"],
                organization_url=document["organization_url"],
                key_vault_uri=document["key_vault_uri"],
                prefix=document["prefix"],
                schema=document["schema"],
                retry=RetryPolicy(*document["retry"]),
                write_delete_log=document["write_delete_log"],
                entities=tuple(Choice(name, settings) for name, settings in document["entities"]),
                relationships=tuple(Choice(name, settings) for name, settings in document["relationships"]),
            ),
        )
