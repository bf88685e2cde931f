"""Every document of --output json is as its schema says."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from setup_kit.cli.schema import DOCUMENTS
from setup_kit.engine.drift import Standing, drift
from setup_kit.engine.executor import Result
from setup_kit.engine.planner import Plan
from setup_kit.engine.removal import RemovalPlan
from setup_kit.engine.resource import Finding, Resource, Severity, Status
from setup_kit.environment.loading import load
from setup_kit.errors import KitError
from setup_kit.report.documents import (
    error_document,
    findings_document,
    plan_document,
    result_document,
    status_document,
    verification_document,
)
from setup_kit.report.removal import removal_document
from setup_kit.report.schemas import SCHEMAS

FINDINGS = [
    Finding("grants", Status.PASSED, "grants/x", "as wanted"),
    Finding("grants.more", Status.FAILED, "grants/x", "CONTROL", "REVOKE", "seen", Severity.LOW),
]
PROFILE = {
    "name": "contoso",
    "id": "1",
    "state": "Active",
    "entities": [
        {
            "entity": "account",
            "initial_sync": "Completed",
            "metadata": "Completed",
            "total": 3,
            "succeeded": 3,
            "failed": None,
            "last_export": None,
        }
    ],
}


def check(name: str, document: dict[str, Any]) -> None:
    # As a program reads it, not as Python holds it.
    Draft202012Validator(SCHEMAS[name]).validate(json.loads(json.dumps(document)))


def test_the_command_offers_every_schema_and_each_is_one() -> None:
    assert set(DOCUMENTS) == {"environment", *SCHEMAS}
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def test_every_property_says_what_it_is_or_refers_to_what_does() -> None:
    def properties(schema: Any) -> list[dict[str, Any]]:
        found = []
        if isinstance(schema, dict):
            found += list(schema.get("properties", {}).values())
            for each in schema.values():
                found += properties(each)
        elif isinstance(schema, list):
            for each in schema:
                found += properties(each)
        return found

    for name, schema in SCHEMAS.items():
        for each in properties(schema):
            assert {"description", "$ref", "anyOf"} & set(each) or each["type"] in ("integer", ["integer", "null"]), (
                name
            )


def test_a_plan_and_a_status_are_as_their_schemas_say(full_plan: Plan) -> None:
    check("plan", plan_document("dev", full_plan))
    check("status", status_document("dev", full_plan, PROFILE))
    check("status", status_document("dev", full_plan, None))


def test_a_result_is_as_its_schema_says(full_plan: Plan) -> None:
    result = Result(
        made=tuple(full_plan.changes),
        unchanged=(),
        findings=tuple(FINDINGS),
        failures=full_plan.failures,
        blocked=full_plan.blocked,
        left=full_plan.nodes,
    )
    check("result", result_document("dev", result))


def test_a_removal_is_as_its_schema_says_before_and_after(full_plan: Plan) -> None:
    right, _, differing, *_ = (node for node in full_plan.nodes if isinstance(node, Resource))
    facts = {field.name: getattr(full_plan, field.name) for field in fields(full_plan)}
    plan = RemovalPlan(**facts, kept={right: "holds data"}, along={differing: right})
    before = removal_document("dev", plan)
    check("removal", before)
    result = Result(tuple(plan.changes), (), (), plan.failures, plan.blocked, left=plan.nodes)
    check("removal", before | result_document("dev", result))
    check("rotation", {**result_document("dev", result), "rotated": False, "user": "dataexport"})


def test_findings_are_as_their_schema_says_with_a_verdict_and_without() -> None:
    check("findings", findings_document("dev", FINDINGS))
    verdict = verification_document("dev", FINDINGS, {}, strict=True, interrupted=False, at=datetime.now(UTC))
    check("findings", verdict)


def test_errors_are_as_their_schema_says(tmp_path: Path) -> None:
    check("error", error_document(KitError("it failed", why="why", remedy="mend it", link="https://x", original="[x]")))
    (tmp_path / "bad.yaml").write_text("version: 2\n", encoding="utf-8")
    with pytest.raises(KitError) as refused:
        load("bad.yaml", tmp_path)
    document = error_document(refused.value)
    assert document["error"]["problems"]
    check("error", document)


def test_a_document_with_a_word_too_many_is_not(full_plan: Plan) -> None:
    document = {**plan_document("dev", full_plan), "more": 1}
    assert not Draft202012Validator(SCHEMAS["plan"]).is_valid(document)


def test_the_standing_of_each_resource_is_said(full_plan: Plan) -> None:
    assert {each.resource.removeprefix("thing/"): each.standing for each in drift(full_plan)} == {
        "right": Standing.AS_WANTED,
        "missing": Standing.MISSING,
        "differing": Standing.DIFFERS,
        "hidden": Standing.UNREADABLE,
        "failed": Standing.UNREADABLE,
        "blocked": Standing.UNREADABLE,
    }
    assert {each.reason for each in drift(full_plan) if each.standing is Standing.UNREADABLE} == {
        "the firewall is closed",
        "it failed",
        "not reached because of thing/failed",
    }
