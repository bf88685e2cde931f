"""The environment file as a JSON Schema, for editors and for the reference."""

from __future__ import annotations

from typing import Any

from setup_kit.environment import shape
from setup_kit.environment.inheritance import EXTENDS
from setup_kit.environment.models import Environment, Section, Sql

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Draft 2020-12. What is required is asked only of a file that extends no other, since its parent may hold it."""
    schema = Environment.model_json_schema(by_alias=True, mode="validation")
    _tidy(schema)
    for section in schema["$defs"].values():
        section.pop("required", None)
    schema.pop("required", None)
    definitions = schema.pop("$defs")
    properties = {
        "extends": {
            "type": "string",
            "minLength": 1,
            "description": "Another environment file, relative to this one, that gives whatever this one leaves out.",
            "examples": ["base.yaml"],
        },
        **schema.pop("properties"),
    }
    return {
        "$schema": DIALECT,
        "title": "Environment file of setup-kit",
        **schema,
        "properties": properties,
        "if": {"required": [EXTENDS]},
        "else": _required(Environment),
        "$defs": definitions,
    }


def _tidy(node: Any) -> None:
    """Takes out the titles that only repeat a key, and gives a section's lists and mappings no defaults to insert."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        if isinstance(node.get("default"), dict) or node.get("default", "") is None:
            del node["default"]
        for each in node.values():
            _tidy(each)
    elif isinstance(node, list):
        for each in node:
            _tidy(each)


def _required(section: type[Section]) -> dict[str, Any]:
    """What must be there, on this level and below it; said of mappings only, so that a cloud's name passes too."""
    fields = shape.keys(section)
    below: dict[str, Any] = {}
    for key, field in fields.items():
        inner = shape.section_below(field.annotation)
        demands = _required(inner) if inner is not None else {}
        if demands:
            below[key] = {"items": demands} if str(field.annotation).startswith("tuple") else demands
    demanded: dict[str, Any] = {}
    required = [key for key, field in fields.items() if field.is_required()]
    if required:
        demanded["required"] = required
    if section is Sql:
        demanded["oneOf"] = [{"required": ["server"]}, {"required": ["machine"]}]
    if below:
        demanded["properties"] = below
    return demanded
