"""The JSON Schemas of what the commands org, profile and failures print."""

from __future__ import annotations

from setup_kit.export_service.models import MetadataState, State, SyncState
from setup_kit.report.schema_words import Schema, document, flag, list_of, moment, number, object_of, one_of, text

_ENVIRONMENT = text("The environment's name.")
_NAMES = text("A logical name.")
_ORGANIZATION = object_of(
    "An organization, as the service knows it.",
    name=text("Its display name."),
    url=text("Its address."),
    id=text("Its id."),
    connector_url=text("The host that serves its profiles."),
    error_category=number("The category of the service's complaint about it; 0 for none."),
    error_code=number("Its code; 0 for none."),
    error=text("The complaint; empty for none."),
)
_ENTITY = object_of(
    "An entity of the organization.",
    entity=text("Its logical name."),
    display_name=text("Its display name."),
    change_tracking={
        "enum": ["on", "off", "not possible"],
        "description": "Whether its changes are tracked, or can be.",
    },
    offered=flag("Whether the service exports it."),
    in_file=flag("Whether it is among profile.entities."),
)
_RELATIONSHIP = object_of(
    "An N:N relationship.",
    relationship=text("Its schema name."),
    entities=list_of("Its two ends.", _NAMES),
    intersect_entity=text("The entity that holds its pairs."),
    in_file=flag("Whether it is among profile.relationships."),
)
_STATUS = object_of(
    "How far an entity, or a relationship, is.",
    entity=text("Its name."),
    initial_sync=one_of(SyncState, "State of the first synchronization."),
    metadata=one_of(MetadataState, "State of the table's making."),
    total=number("Records that the service has read."),
    succeeded=number("Those of them that it has written."),
    failed=number("Those that it could not write."),
    last_export=moment("When a record of it was last written."),
    last_export_status=text("How that ended; empty where nothing was."),
)
_PROFILE = object_of(
    "An export profile.",
    name=text("Its name."),
    id=text("Its id with the service."),
    version=text("Its version with the service."),
    state=one_of(State, "Its state."),
    organization_id=text("The organization's id."),
    organization_url=text("The organization's address."),
    entities=list_of("The exported entities.", _NAMES),
    key_vault_uri=text("Where the secret with the connection string is; what it holds is never shown."),
    relationships=list_of("The exported relationships.", text("A schema name.")),
    prefix=text("What the tables' names begin with."),
    schema=text("The tables' schema."),
    retry_count=number("How often a record that failed is tried again."),
    interval_seconds=number("Seconds between two of these tries."),
    delete_log=flag("Whether deleted records are listed in a table."),
    statuses=list_of("How far each is; empty in a list of profiles.", _STATUS),
)
_KNOWN = {"type": ["string", "null"], "description": "The name of the reason, where it is a known one."}
_TEXT = text("The service's own words.")
_ENTRIES = number("Entries of the log.")

SERVICE_SCHEMAS: dict[str, Schema] = {
    "organizations": document(
        "The organizations that the caller belongs to",
        environment=_ENVIRONMENT,
        organizations=list_of("As the service lists them.", _ORGANIZATION),
    ),
    "organization": document("The environment's organization", environment=_ENVIRONMENT, organization=_ORGANIZATION),
    "connector": document(
        "The host that serves the profiles", environment=_ENVIRONMENT, connector_url=text("Its address.")
    ),
    "entities": document(
        "What can be exported", environment=_ENVIRONMENT, entities=list_of("By logical name.", _ENTITY)
    ),
    "relationships": document(
        "What can be exported", environment=_ENVIRONMENT, relationships=list_of("By schema name.", _RELATIONSHIP)
    ),
    "privacy": document(
        "The organization's consent",
        environment=_ENVIRONMENT,
        accepted=flag("Whether the service may have the organization's data."),
    ),
    "profiles": document(
        "The organization's profiles",
        environment=_ENVIRONMENT,
        profiles=list_of("Those too that the environment file does not name.", _PROFILE),
    ),
    "profile": document("The profile", environment=_ENVIRONMENT, profile=_PROFILE),
    "failures": document(
        "Entries of the failure log",
        environment=_ENVIRONMENT,
        failures=list_of(
            "The newest last.",
            object_of(
                "One entry.",
                entity=_NAMES,
                record={"type": ["string", "null"], "description": "The record's id; null for the whole entity."},
                notified=moment("When the change was noticed; null where none set it off."),
                change=text("What was to be exported: New, Update, Delete, Trigger Initial Export, …"),
                reason=_TEXT,
                known=_KNOWN,
            ),
        ),
        left_out=number("Older entries that are not among them."),
    ),
    "failure-counts": document(
        "The failure log, counted",
        environment=_ENVIRONMENT,
        entries=_ENTRIES,
        failures=list_of(
            "By entity and reason, the most first.",
            object_of(
                "Failures of one entity for one reason.",
                entity=_NAMES,
                known=_KNOWN,
                meaning=text("What it means; empty where it is not known."),
                text=_TEXT,
                entries=_ENTRIES,
                records=number("Different records."),
                first=moment("When the first of their changes was noticed."),
                last=moment("When the last of their changes was noticed."),
            ),
        ),
    ),
    "failure-reasons": document(
        "The reasons in the failure log, explained",
        environment=_ENVIRONMENT,
        reasons=list_of(
            "The most entries first.",
            object_of(
                "One reason.",
                reason=text("Its name; unknown where it is not known."),
                entries=_ENTRIES,
                entities=list_of("Whose entries have it.", _NAMES),
                text=_TEXT,
                meaning=text("What it means."),
                why=text("The cause."),
                remedy=text("What to do."),
                link=text("The address of a page to read on, where one is known."),
                command=text("The next command."),
            ),
        ),
    ),
    "failure-files": document(
        "The files of the failure log that were downloaded",
        environment=_ENVIRONMENT,
        folder=text("Where they are."),
        files=list_of(
            "By name.",
            object_of("One file.", name=text("Its path in the folder."), size=number("Its size in bytes.")),
        ),
    ),
}
