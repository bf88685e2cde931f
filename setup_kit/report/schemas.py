"""The JSON Schemas (draft 2020-12) of the documents that `--output json` prints."""

from __future__ import annotations

from typing import Any

from setup_kit.engine.drift import Standing
from setup_kit.engine.resource import Action, Severity, Status
from setup_kit.errors import ExitCode

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def _moment(description: str) -> Schema:
    return {"type": ["string", "null"], "format": "date-time", "description": description}


def _one_of(values: type[Action | Severity | Standing | Status], description: str) -> Schema:
    return {"enum": [str(value) for value in values], "description": description}


def _object(description: str, *, optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _list(description: str, items: Schema) -> Schema:
    return {"type": "array", "description": description, "items": items}


def _counts(description: str, *names: str, optional: tuple[str, ...] = ()) -> Schema:
    count: Schema = {"type": "integer", "minimum": 0}
    return _object(description, optional=optional, **dict.fromkeys(names, count))


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


_ENVIRONMENT = _text("The environment's name.")
_ADDRESS = _text("A resource's address: its kind, a slash, its name.")
_VALUE: Schema = {
    "description": "A value as a person reads it; a secret is ***, what is absent null.",
    "type": ["string", "number", "boolean", "null", "array", "object"],
    "items": {"type": "string"},
    "additionalProperties": {"type": "string"},
}
_DEFINITIONS: dict[str, Schema] = {
    "value": _VALUE,
    "change": _object(
        "One difference between what is wanted and what is there.",
        resource=_ADDRESS,
        action=_one_of(Action, "What is done about it."),
        target=_text("The part of the resource; empty when it is the whole."),
        before=_reference("value"),
        after=_reference("value"),
        why=_text("The reason."),
        destructive=_flag("Whether something or somebody loses what it has by it."),
        detail={
            "type": "object",
            "description": "Further attributes of a thing that is made.",
            "additionalProperties": _reference("value"),
        },
        optional=("detail",),
    ),
    "finding": _object(
        "The outcome of one check.",
        check=_text("What was checked: a stable dotted name."),
        status=_one_of(Status, "How it ended."),
        resource=_ADDRESS,
        message=_text("What was found."),
        severity=_one_of(Severity, "How much it matters while nothing is done about it."),
        evidence=_text("What was seen, in short."),
        remedy=_text("A command or a setting that mends it."),
    ),
    "failure": _object(
        "Why a resource could not be read or changed.",
        resource=_ADDRESS,
        what=_text("What happened, on what."),
        why=_text("The cause, where it is known."),
        remedy=_text("The next step."),
        original=_text("The words of the service, driver or library."),
    ),
    "blocked": _object("What was not reached because something else failed.", resource=_ADDRESS, by=_ADDRESS),
}
_CHANGES = _list("In the order of the graph, needs first.", _reference("change"))
_FINDINGS = _list("In the order of the graph, needs first.", _reference("finding"))
_FAILURES = _list("What could not be read or changed.", _reference("failure"))
_BLOCKED = _list("What was not reached because of a failure.", _reference("blocked"))
_LEFT = _list("What an interrupted run did not reach.", _ADDRESS)
_COUNTED = ("created", "updated", "deleted", "unchanged")

_PLAN = {
    "environment": _ENVIRONMENT,
    "summary": _counts("Changes of each kind, and resources.", *_COUNTED, "deferred"),
    "changes": _CHANGES,
    "deferred": _list(
        "What is decided during apply, because it cannot be read before.",
        _object("One resource.", resource=_ADDRESS, reason=_text("Why it cannot be read.")),
    ),
    "findings": _FINDINGS,
    "failures": _FAILURES,
    "blocked": _BLOCKED,
}
_ENTITY = _object(
    "How far the export of an entity is.",
    entity=_text("Its logical name."),
    initial_sync=_text("State of the initial synchronization."),
    metadata=_text("State of the table's making."),
    # Rows of the initial synchronization; null before it is known.
    total={"type": ["integer", "null"]},
    succeeded={"type": ["integer", "null"]},
    failed={"type": ["integer", "null"]},
    last_export=_moment("When a row of it was last written."),
)
_STATUS = {
    **_PLAN,
    "resources": _list(
        "How far each resource is from the file.",
        _object(
            "One resource.",
            resource=_ADDRESS,
            standing=_one_of(Standing, "How far."),
            differences=_CHANGES,
            reason=_text("Why it could not be read; else empty."),
        ),
    ),
    "profile": {
        "anyOf": [
            _object(
                "The export profile.",
                name=_text("Its name."),
                id=_text("Its id with the service."),
                state=_text("Its state."),
                entities=_list("The exported entities.", _ENTITY),
            ),
            {"type": "null"},
        ]
    },
}
_RESULT = {
    "environment": _ENVIRONMENT,
    "summary": _counts("Changes made of each kind, and resources.", *_COUNTED),
    "changes": _list("What was made, in the order it was done.", _reference("change")),
    "findings": _FINDINGS,
    "failures": _FAILURES,
    "blocked": _BLOCKED,
    "left": _LEFT,
}
_REMOVAL = {
    **_PLAN,
    "summary": _counts("Deletions, and resources.", *_COUNTED, "deferred", optional=("deferred",)),
    "changes": _list("Deletions, planned or made, dependents first.", _reference("change")),
    "along": _list(
        "What goes with what it is in.",
        _object("One resource.", optional=(), **{"resource": _ADDRESS, "with": _ADDRESS}),
    ),
    "kept": _list(
        "What stays, wholly or in part.",
        _object("One resource.", resource=_ADDRESS, why=_text("Why it stays.")),
    ),
    "left": _LEFT,
}
_ROTATION = {
    **_RESULT,
    "rotated": _flag("Whether all of it was done."),
    "reason": _text("Why nothing was to be done."),
    "user": _text("The user that the secret names."),
}
_UNLESS_ROTATED = ("summary", "findings", "failures", "blocked", "left", "reason")
_AUDIT = ("verified_at", "version", "strict", "interrupted", "passed", "provisioned")
_PROBLEM = _object(
    "One thing wrong with the environment file.",
    file=_text("Its path."),
    line={"type": "integer", "minimum": 0, "description": "Counted from 1; 0 where the value came from no file."},
    key=_text("The key, dotted."),
    message=_text("What is wrong."),
)


def _document(title: str, properties: dict[str, Schema], *optional: str) -> Schema:
    body = _object(title, optional=optional, **properties)
    text = str(properties)
    used = {name: each for name, each in _DEFINITIONS.items() if f"#/$defs/{name}'" in text}
    if "change" in used:
        used["value"] = _VALUE
    return {"$schema": DIALECT, "title": title, **body, "$defs": used} if used else {"$schema": DIALECT, **body}


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
            "resources": _list(
                "Each resource that was asked for.",
                _object(
                    "One resource.",
                    resource=_ADDRESS,
                    standing=_one_of(Standing, "How far it is from the file."),
                    state={"description": "What it was seen to be, by kind of resource; null when it is not there."},
                    reason=_text("Why it could not be read; else empty."),
                ),
            ),
            "failures": _FAILURES,
        },
    ),
    "versions": _document(
        "The versions of the secret",
        {
            "environment": _ENVIRONMENT,
            "versions": _list(
                "The newest first.",
                _object(
                    "One version; what it holds is not read.",
                    version=_text("Its id."),
                    created=_moment("When it was written."),
                    enabled=_flag("Whether it may be read."),
                    not_before=_moment("From when on it may be used; null when always."),
                    expires_on=_moment("Until when it may be used; null when for ever."),
                ),
            ),
        },
    ),
    "findings": _document(
        "What was checked, and how it ended",
        {
            "environment": _ENVIRONMENT,
            "verified_at": {"type": "string", "format": "date-time", "description": "When verify looked."},
            "version": _text("The version of setup-kit that looked."),
            "strict": _flag("Whether warnings fail the verification."),
            "interrupted": _flag("Whether the look was interrupted."),
            "passed": _flag("Whether everything was looked at and nothing failed."),
            "summary": _counts("Findings of each status.", *map(str, Status)),
            "findings": _FINDINGS,
            "provisioned": {"type": "object", "description": "What there is, by section, for the report's diagram."},
        },
        *_AUDIT,
    ),
    "error": _document(
        "Why a command failed",
        {
            "error": _object(
                "What happened.",
                what=_text("What happened, on what."),
                why=_text("The cause, where it is known."),
                remedy=_text("The next step: a command or a setting."),
                original=_text("The words of the service, driver or library."),
                exit_code={"enum": [int(code) for code in ExitCode if code], "description": "The command's exit code."},
                problems=_list("Everything that is wrong with the environment file.", _PROBLEM),
                optional=("problems",),
            )
        },
    ),
}
