"""The JSON Schemas (draft 2020-12) of the documents that `--output json` prints."""

from __future__ import annotations

from collections.abc import Mapping

from setup_kit.engine.drift import Standing
from setup_kit.engine.resource import Action, Severity, Status
from setup_kit.errors import ExitCode
from setup_kit.report.schema_words import (
    DIALECT,
    Schema,
    counts,
    flag,
    list_of,
    moment,
    object_of,
    one_of,
    reference,
    text,
)
from setup_kit.report.service_schemas import SERVICE_SCHEMAS

_ENVIRONMENT = text("The environment's name.")
_ADDRESS = text("A resource's address: its kind, a slash, its name.")
_VALUE: Schema = {
    "description": "A value as a person reads it; a secret is ***, what is absent null.",
    "type": ["string", "number", "boolean", "null", "array", "object"],
    "items": {"type": "string"},
    "additionalProperties": {"type": "string"},
}
_DEFINITIONS: dict[str, Schema] = {
    "value": _VALUE,
    "change": object_of(
        "One difference between what is wanted and what is there.",
        resource=_ADDRESS,
        action=one_of(Action, "What is done about it."),
        target=text("The part of the resource; empty when it is the whole."),
        before=reference("value"),
        after=reference("value"),
        why=text("The reason."),
        destructive=flag("Whether something or somebody loses what it has by it."),
        detail={
            "type": "object",
            "description": "Further attributes of a thing that is made.",
            "additionalProperties": reference("value"),
        },
        optional=("detail",),
    ),
    "finding": object_of(
        "The outcome of one check.",
        check=text("What was checked: a stable dotted name."),
        status=one_of(Status, "How it ended."),
        resource=_ADDRESS,
        message=text("What was found."),
        severity=one_of(Severity, "How much it matters while nothing is done about it."),
        evidence=text("What was seen, in short."),
        remedy=text("A command or a setting that mends it."),
        link=text("The address of a page to read on, where one is known."),
    ),
    "failure": object_of(
        "Why a resource could not be read or changed.",
        resource=_ADDRESS,
        what=text("What happened, on what."),
        why=text("The cause, where it is known."),
        remedy=text("The next step."),
        link=text("The address of a page to read on, where one is known."),
        original=text("The words of the service, driver or library."),
    ),
    "blocked": object_of("What was not reached because something else failed.", resource=_ADDRESS, by=_ADDRESS),
}
_CHANGES = list_of("In the order of the graph, needs first.", reference("change"))
_FINDINGS = list_of("In the order of the graph, needs first.", reference("finding"))
_FAILURES = list_of("What could not be read or changed.", reference("failure"))
_BLOCKED = list_of("What was not reached because of a failure.", reference("blocked"))
_LEFT = list_of("What an interrupted run did not reach.", _ADDRESS)
_INTERRUPTED = flag("Whether it was interrupted before all was done or looked at.")
_COUNTED = ("created", "updated", "deleted", "unchanged")

_PLAN = {
    "environment": _ENVIRONMENT,
    "summary": counts("Changes of each kind, and resources.", *_COUNTED, "deferred"),
    "changes": _CHANGES,
    "deferred": list_of(
        "What is decided during apply, because it cannot be read before.",
        object_of("One resource.", resource=_ADDRESS, reason=text("Why it cannot be read.")),
    ),
    "findings": _FINDINGS,
    "failures": _FAILURES,
    "blocked": _BLOCKED,
    "left": _LEFT,
    "interrupted": _INTERRUPTED,
}
_ENTITY = object_of(
    "How far the export of an entity is.",
    entity=text("Its logical name."),
    initial_sync=text("State of the initial synchronization."),
    metadata=text("State of the table's making."),
    # Rows of the initial synchronization; null before it is known.
    total={"type": ["integer", "null"]},
    succeeded={"type": ["integer", "null"]},
    failed={"type": ["integer", "null"]},
    last_export=moment("When a row of it was last written."),
)
_STATUS = {
    **_PLAN,
    "resources": list_of(
        "How far each resource is from the file.",
        object_of(
            "One resource.",
            resource=_ADDRESS,
            standing=one_of(Standing, "How far."),
            differences=_CHANGES,
            reason=text("Why it could not be read; else empty."),
        ),
    ),
    "profile": {
        "anyOf": [
            object_of(
                "The export profile.",
                name=text("Its name."),
                id=text("Its id with the service."),
                state=text("Its state."),
                entities=list_of("The exported entities.", _ENTITY),
            ),
            {"type": "null"},
        ]
    },
}
_RESULT = {
    "environment": _ENVIRONMENT,
    "summary": counts("Changes made of each kind, and resources.", *_COUNTED),
    "changes": list_of("What was made, in the order it was done.", reference("change")),
    "findings": _FINDINGS,
    "failures": _FAILURES,
    "blocked": _BLOCKED,
    "left": _LEFT,
    "interrupted": _INTERRUPTED,
}
_REMOVAL = {
    **_PLAN,
    "summary": counts("Deletions, and resources.", *_COUNTED, "deferred", optional=("deferred",)),
    "changes": list_of("Deletions, planned or made, dependents first.", reference("change")),
    "along": list_of(
        "What goes with what it is in.",
        object_of("One resource.", optional=(), **{"resource": _ADDRESS, "with": _ADDRESS}),
    ),
    "kept": list_of(
        "What stays, wholly or in part.",
        object_of("One resource.", resource=_ADDRESS, why=text("Why it stays.")),
    ),
}
_ROTATION = {
    **_RESULT,
    "rotated": flag("Whether all of it was done."),
    "reason": text("Why nothing was to be done."),
    "user": text("The user that the secret names."),
}
_UNLESS_ROTATED = ("summary", "findings", "failures", "blocked", "left", "interrupted", "reason")
_EXIT_CODE: Schema = {"enum": list(map(int, ExitCode)), "description": "An exit code of the command."}
_AUDIT = ("verified_at", "version", "strict", "interrupted", "passed", "provisioned")
_PROBLEM = object_of(
    "One thing wrong with the environment file.",
    file=text("Its path."),
    line={"type": "integer", "minimum": 0, "description": "Counted from 1; 0 where the value came from no file."},
    key=text("The key, dotted."),
    message=text("What is wrong."),
)


def _document(title: str, properties: dict[str, Schema], *optional: str) -> Schema:
    body = object_of(title, optional=optional, **properties)
    written = str(properties)
    used = {name: each for name, each in _DEFINITIONS.items() if f"#/$defs/{name}'" in written}
    if "change" in used:
        used["value"] = _VALUE
    return {"$schema": DIALECT, "title": title, **body, "$defs": used} if used else {"$schema": DIALECT, **body}


def _together(of: Mapping[str, Schema]) -> Schema:
    """Of several environments: each has, as a document, what the same command prints of it alone."""
    alone = [{key: value for key, value in each.items() if key not in ("$schema", "$defs")} for each in of.values()]
    ending = object_of(
        "How the command ended on one environment.",
        environment=_ENVIRONMENT,
        exit_code=_EXIT_CODE,
        result=text("How it ended, in short."),
        counts={
            "type": "object",
            "description": "What was counted, by what it is: changes, findings, resources.",
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
        seconds={"type": "number", "minimum": 0, "description": "How long it took."},
        next=text("The command to type next; empty where there is none."),
        document={
            "description": f"As schema {', '.join(of)} says; null where it was not begun.",
            "anyOf": [*alone, {"type": "null"}],
        },
    )
    body = object_of(
        "How a command ended on several environments.",
        command=text("The command."),
        exit_code={**_EXIT_CODE, "description": "The command's: the worst of all, as setup-kit help exit-codes says."},
        environments=list_of("In the order in which they were named, those of a pattern by name.", ending),
    )
    return {"$schema": DIALECT, "title": "How a command ended on several environments", **body, "$defs": _DEFINITIONS}


SCHEMAS: dict[str, Schema] = {
    "plan": _document("What setup-kit would do", _PLAN),
    "result": _document("What a run of setup-kit did", _RESULT),
    "removal": _document("What goes and what stays", _REMOVAL, "left"),
    "rotation": _document("What a rotation did", _ROTATION, *_UNLESS_ROTATED),
    "status": _document("Where an environment stands", _STATUS),
    "states": _document(
        "What resources were seen to be",
        {
            "environment": _ENVIRONMENT,
            "resources": list_of(
                "Each resource that was asked for.",
                object_of(
                    "One resource.",
                    resource=_ADDRESS,
                    standing=one_of(Standing, "How far it is from the file."),
                    state={"description": "What it was seen to be, by kind of resource; null when it is not there."},
                    reason=text("Why it could not be read; else empty."),
                ),
            ),
            "failures": _FAILURES,
        },
    ),
    "versions": _document(
        "The versions of the secret",
        {
            "environment": _ENVIRONMENT,
            "versions": list_of(
                "The newest first.",
                object_of(
                    "One version; what it holds is not read.",
                    version=text("Its id."),
                    created=moment("When it was written."),
                    enabled=flag("Whether it may be read."),
                    not_before=moment("From when on it may be used; null when always."),
                    expires_on=moment("Until when it may be used; null when for ever."),
                ),
            ),
        },
    ),
    "findings": _document(
        "What was checked, and how it ended",
        {
            "environment": _ENVIRONMENT,
            "verified_at": {"type": "string", "format": "date-time", "description": "When verify looked."},
            "version": text("The version of setup-kit that looked."),
            "strict": flag("Whether warnings fail the verification."),
            "interrupted": flag("Whether the look was interrupted."),
            "passed": flag("Whether everything was looked at and nothing failed."),
            "summary": counts("Findings of each status.", *map(str, Status)),
            "findings": _FINDINGS,
            "provisioned": {"type": "object", "description": "What there is, by section, for the report's diagram."},
        },
        *_AUDIT,
    ),
    "error": _document(
        "Why a command failed",
        {
            "error": object_of(
                "What happened.",
                what=text("What happened, on what."),
                why=text("The cause, where it is known."),
                remedy=text("The next step: a command or a setting."),
                link=text("The address of a page to read on, where one is known."),
                original=text("The words of the service, driver or library."),
                exit_code={"enum": [int(code) for code in ExitCode if code], "description": "The command's exit code."},
                problems=list_of("Everything that is wrong with the environment file.", _PROBLEM),
                optional=("problems",),
            )
        },
    ),
    **SERVICE_SCHEMAS,
}
SCHEMAS["environments"] = _together(
    {name: SCHEMAS[name] for name in ("plan", "result", "rotation", "status", "findings", "error")}
)
