"""Reads the Data Export Service's answers, tolerantly.

Names of fields in any case, enumerations as names or as numbers, null for what was not set, fields that are not known
passed over. The numbers are those of the service's living relative, Azure Synapse Link, as the choices of Dataverse's
tables `synapselinkprofile` and `synapselinkprofileentitystate` list them; 3 for a deleted profile is the service's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from setup_kit.errors import KitError
from setup_kit.export_service.models import (
    Description,
    Entity,
    EntityStatus,
    MetadataState,
    Profile,
    Relationship,
    ServedOrganization,
    State,
    SyncState,
    Trial,
)

Name = TypeVar("Name", bound=StrEnum)

STATES = {
    0: State.INACTIVE,
    1: State.ACTIVE,
    2: State.ERROR,
    3: State.DELETED,
    4: State.ABORTING,
    5: State.ABORTED,
    6: State.SUSPENDED,
    7: State.SUSPENDING,
    8: State.DEACTIVATED,
}
SYNC_STATES = {
    0: SyncState.NONE,
    1: SyncState.NOT_STARTED,
    2: SyncState.IN_PROGRESS,
    4: SyncState.COMPLETED,
    8: SyncState.COMPLETED_WITH_FAILURES,
    16: SyncState.REQUESTED,
    32: SyncState.PAUSED,
    64: SyncState.POST_PROCESSING,
}
METADATA_STATES = {
    0: MetadataState.NONE,
    1: MetadataState.NOT_CREATED,
    2: MetadataState.CREATING,
    4: MetadataState.RELATING,
    8: MetadataState.CREATED,
    16: MetadataState.FAILURE,
}


def enumeration(numbers: Mapping[int, Name], value: object) -> Name:
    """The member that a name in any case, a number, or a number as text stands for; null stands for 0.


    A word or number that is not known is the member `Unknown`: the service may learn words that this kit has not.
    """
    kind = type(numbers[0])
    if value is None or value == "":
        return numbers[0]
    text = str(value).strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return numbers.get(int(text), kind("Unknown"))
    return next((member for member in kind if member.lower() == text.lower()), kind("Unknown"))


def organization(document: object) -> ServedOrganization:
    fields = _fields(document, "an organization")
    return ServedOrganization(
        name=_text(fields, "organizationname"),
        url=_text(fields, "organizationurl"),
        id=_text(fields, "organizationid"),
        connector_url=_text(fields, "connectorurl"),
        error_category=_number(fields, "errorcategory"),
        error_code=_number(fields, "errorcode"),
        error=_text(fields, "errormessage"),
    )


def entity(document: object) -> Entity:
    fields = _fields(document, "an entity")
    return Entity(_text(fields, "logicalname"), _text(fields, "displayname"))


def relationship(document: object) -> Relationship:
    fields = _fields(document, "a relationship")
    return Relationship(
        schema_name=_text(fields, "schemaname"),
        entities=(_text(fields, "entity1logicalname"), _text(fields, "entity2logicalname")),
        intersect_entity=_text(fields, "intersectentityname"),
    )


def profile(document: object) -> Profile:
    fields = _fields(document, "a profile")
    retry = _fields(fields.get("retrypolicy") or {}, "a retry policy")
    entities = items(fields.get("entities"), "the entities of a profile")
    relationships = items(fields.get("relationships"), "the relationships of a profile")
    return Profile(
        id=_text(fields, "id"),
        version=_text(fields, "version"),
        state=enumeration(STATES, fields.get("state")),
        description=Description(
            name=_text(fields, "name"),
            organization_id=_text(fields, "organizationid"),
            organization_url=_text(fields, "organizationurl"),
            entities=tuple(_exported_name(item) for item in entities),
            relationships=tuple(_exported_name(item) for item in relationships),
            key_vault_uri=_text(fields, "destinationkeyvaulturi"),
            prefix=_text(fields, "destinationprefix"),
            schema=_text(fields, "destinationschemaname") or "dbo",
            retry_count=_number(retry, "maxretrycount", 12),
            interval_seconds=_number(retry, "intervalinseconds", 5),
            delete_log=_text(fields, "writedeletelog").lower() == "true",
        ),
        statuses=tuple(status for item in (*entities, *relationships) if (status := _status(item)) is not None),
    )


def trial(document: object) -> Trial:
    """*assumed*: the shape of one test's result."""
    fields = _fields(document, "the result of a test")
    return Trial(_text(fields, "name"), fields.get("succeeded") is True, _text(fields, "message"))


def items(document: object, what: str) -> list[object]:
    """A JSON list; null is an empty one."""
    if document is None:
        return []
    if not isinstance(document, list):
        raise _misread(what, document)
    return document


def moment(text: str) -> datetime | None:
    """An ISO 8601 date-time, taken as UTC where it names no zone; .NET's first moment of all means "never"."""
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
        return None if found.year == 1 else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _exported_name(item: object) -> str:
    """Of an entity or relationship in a profile; a bare string stands for itself."""
    if isinstance(item, str):
        return item
    fields = _fields(item, "an entity of a profile")
    return _text(fields, "type") or _text(fields, "logicalname") or _text(fields, "schemaname")


def _status(item: object) -> EntityStatus | None:
    if isinstance(item, str):
        return None
    found = _fields(item, "an entity of a profile").get("status")
    if found is None:
        return None
    fields = _fields(found, "the status of an entity")
    return EntityStatus(
        name=_exported_name(item) or _text(fields, "type"),
        total=_number(fields, "totalnotifications"),
        succeeded=_number(fields, "successnotifications"),
        failed=_number(fields, "failurenotifications"),
        last_export=moment(_text(fields, "lastexportdate")),
        last_export_status=_text(fields, "lastexportstatus"),
        metadata=enumeration(METADATA_STATES, fields.get("entitymetadatastate")),
        initial_sync=enumeration(SYNC_STATES, fields.get("initialsyncstate")),
    )


def _fields(document: object, what: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _misread(what, document)
    return {str(name).lower(): value for name, value in document.items()}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return "" if value is None else str(value)


def _number(fields: Mapping[str, Any], name: str, default: int = 0) -> int:
    value = fields.get(name)
    if value is None:
        return default
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise _misread(f"the number {name}", value) from None


def _misread(what: str, document: object) -> KitError:
    return KitError(
        f"the Data Export Service answered something that is not {what}",
        why="its contract, or this kit's reading of it, has changed",
        remedy="run the same command again; where it stays, ask whoever runs the service",
        original=str(document)[:500],
    )
