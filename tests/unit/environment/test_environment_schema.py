from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from setup_kit.environment import shape
from setup_kit.environment.loading import load
from setup_kit.environment.models import Endpoints, Environment, Section
from setup_kit.environment.problems import EnvironmentFileError
from setup_kit.environment.schema import DIALECT, json_schema

SCHEMA = json_schema()

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "object": dict,
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
}
# What the check below understands; anything else in the schema would be a rule that nobody tests.
KEYWORDS = {
    *("$schema", "title", "description", "examples", "default", "$defs", "$ref", "type", "properties", "required"),
    *("additionalProperties", "items", "enum", "const", "pattern", "minLength", "maxLength", "minimum", "maximum"),
    *("minItems", "anyOf", "oneOf", "if", "else", "format"),
}


def faults(value: Any, schema: Any, at: str = "") -> Iterator[str]:
    """Where the value breaks the schema: draft 2020-12, as much of it as the schema uses."""
    if schema is False:
        yield at
    if not isinstance(schema, dict):
        return
    assert schema.keys() <= KEYWORDS, schema.keys() - KEYWORDS
    if "$ref" in schema:
        yield from faults(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], at)
    if "type" in schema:
        fits = isinstance(value, TYPES[schema["type"]])
        if not fits or (schema["type"] == "integer" and isinstance(value, bool)):
            yield at
            return
    if ("enum" in schema and value not in schema["enum"]) or ("const" in schema and value != schema["const"]):
        yield at
    if isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value):
            yield at
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9):
            yield at
        if schema.get("format") == "uuid" and not re.fullmatch(
            r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value
        ):
            yield at
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield at
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield at
        for position, item in enumerate(value):
            yield from faults(item, schema.get("items"), f"{at}[{position}]")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        yield from (f"{at}.{key}" for key in schema.get("required", ()) if key not in value)
        for key, each in value.items():
            yield from faults(each, properties.get(key, schema.get("additionalProperties")), f"{at}.{key}")
    for word in ("anyOf", "oneOf"):
        if word in schema and not any(not list(faults(value, each)) for each in schema[word]):
            yield at
    if "if" in schema and list(faults(value, schema["if"])):
        yield from faults(value, schema["else"], at)


def test_the_schema_says_what_it_is_and_is_json() -> None:
    assert SCHEMA["$schema"] == DIALECT == "https://json-schema.org/draft/2020-12/schema"
    assert "setup-kit" in SCHEMA["title"]
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_a_good_file_passes(good: str) -> None:
    assert list(faults(yaml.safe_load(good), SCHEMA)) == []


@pytest.mark.parametrize(
    ("was", "becomes", "at"),
    [
        ("tenant: 1", "tennant: 1", ".tennant"),
        ("tenant: 1", "tennant: 1", ".tenant"),
        ("location: westeurope", "location: 12", ".location"),
        ("server: sql-contoso", "server: SQL", ".sql.server"),
        ("name: kv-contoso", "name: kv--contoso", ".key_vault.name"),
        ("prefix: crm", "prefix: abcdefghijklmno", ".profile.prefix"),
        ("prefix: crm", "schema: a_b", ".profile.schema"),
        ("prefix: crm", "retry: {count: 21}", ".profile.retry.count"),
        ("prefix: crm", "delete_log: 1", ".profile.delete_log"),
        ("prefix: crm", "activate: some", ".profile.activate"),
        ("[account, contact]", "[]", ".profile.entities"),
        ("[account, contact]", "[Account]", ".profile.entities[0]"),
        ("West Europe", "Norway East", ".sql.firewall.service_region"),
        ("        end: 203.0.113.7\n", "", ".sql.firewall.rules[0].end"),
        ("cloud: public", "cloud: azure", ".cloud"),
        ("cloud: public", "cloud: {}", ".cloud.authority"),
        ("https://contoso", "http://contoso", ".dynamics.organization_url"),
        ("organization_id: 1", "organization_id: x", ".dynamics.organization_id"),
        ("database:\n    name: crm-export", "database: {name: a, sku: p1}", ".sql.database.sku"),
        ("database:\n    name: crm-export", "database: {name: a, maxdop: -1}", ".sql.database.maxdop"),
    ],
)
def test_a_bad_file_fails_where_the_loader_refuses_it_too(
    good: str, write: Callable[..., Path], was: str, becomes: str, at: str
) -> None:
    text = good.replace(was, becomes)
    assert at in list(faults(yaml.safe_load(text), SCHEMA))
    with pytest.raises(EnvironmentFileError):
        load(str(write(text)))


def test_a_file_that_extends_another_may_leave_anything_out() -> None:
    assert list(faults({"extends": "base.yaml", "sql": {"database": {"sku": "S3"}}}, SCHEMA)) == []
    assert list(faults({"extends": "base.yaml", "sql": {"databse": {}}}, SCHEMA)) == [".sql.databse"]


def sections(section: type[Section] = Environment) -> Iterator[type[Section]]:
    yield section
    for field in shape.keys(section).values():
        below = shape.section_below(field.annotation)
        if below is not None:
            yield from sections(below)


@pytest.mark.parametrize("section", list(sections()))
def test_every_key_is_described(section: type[Section]) -> None:
    for key, field in shape.keys(section).items():
        assert field.description and field.description.endswith("."), f"{section.__name__}.{key}"


@pytest.mark.parametrize("section", list(sections()))
def test_every_example_is_one_that_would_be_taken(section: type[Section]) -> None:
    for key, field in shape.keys(section).items():
        for example in field.examples or ():
            definition = SCHEMA if section is Environment else SCHEMA["$defs"][section.__name__]
            assert list(faults(example, definition["properties"][key])) == []


def test_a_cloud_of_ones_own_is_among_the_sections() -> None:
    assert Endpoints in set(sections())
