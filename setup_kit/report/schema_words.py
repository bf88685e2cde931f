"""The words that the JSON Schemas (draft 2020-12) of documents are written in."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def document(title: str, **properties: Schema) -> Schema:
    """A whole document, all of whose properties are always there."""
    return {"$schema": DIALECT, "title": title, **object_of(title, optional=(), **properties)}


def number(description: str) -> Schema:
    """A whole one, not below zero."""
    return {"type": "integer", "minimum": 0, "description": description}


def text(description: str) -> Schema:
    return {"type": "string", "description": description}


def flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def moment(description: str) -> Schema:
    return {"type": ["string", "null"], "format": "date-time", "description": description}


def one_of(values: type[StrEnum], description: str) -> Schema:
    return {"enum": [str(value) for value in values], "description": description}


def object_of(description: str, *, optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def list_of(description: str, items: Schema) -> Schema:
    return {"type": "array", "description": description, "items": items}


def counts(description: str, *names: str, optional: tuple[str, ...] = ()) -> Schema:
    count: Schema = {"type": "integer", "minimum": 0}
    return object_of(description, optional=optional, **dict.fromkeys(names, count))


def reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
