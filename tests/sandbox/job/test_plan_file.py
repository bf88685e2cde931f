"""A plan kept in a file, drift, and documents held to their schemas, through the installed command."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from setup_kit.report.schemas import SCHEMAS
from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.owner import Owner

NAME = "filed"
RULES = "firewall_rules/*"


@pytest.fixture(scope="session")
def environment(kit: Kit) -> dict[str, Any]:
    """A server with its firewall rules, made by a plan that was kept in a file."""
    made = kit.init(NAME)
    kit.run("plan", "-e", NAME, "--target", RULES, "--out", "first.plan").succeeded()
    kit.run("apply", "first.plan").succeeded()
    return made


def document(schema: str, finished: Finished) -> Any:
    found = finished.json
    Draft202012Validator(SCHEMAS[schema]).validate(found)
    return found


def test_a_kept_plan_is_carried_out_once(kit: Kit, environment: dict[str, Any]) -> None:
    assert kit.folder.joinpath("first.plan").stat().st_mode & 0o777 == 0o600
    before = len(kit.writes())
    again = kit.run("apply", "first.plan")
    assert again.code == 1
    assert f"- create sql_server/{environment['sql']['server']}" in again.err
    assert len(kit.writes()) == before


def test_a_plan_is_refused_by_name_when_the_world_has_moved(kit: Kit, environment: dict[str, Any]) -> None:
    owner = Owner(kit, environment)
    office = f"{owner.server}/firewallRules/data-export-service-west-europe"
    address = owner.manage("GET", office)
    owner.manage("DELETE", office)
    planned = document("plan", kit.run("plan", "-e", NAME, "--target", RULES, "--out", "b.plan", "--output", "json"))
    assert [change["target"] for change in planned["changes"]] == ["data-export-service-west-europe"]
    changed = {"properties": {"startIpAddress": "192.0.2.1", "endIpAddress": "192.0.2.1"}}
    owner.manage("PUT", office, changed)

    refused = kit.run("apply", "b.plan", "--output", "json")
    assert refused.code == 1
    moved = document("error", refused)["error"]["why"]
    server = environment["sql"]["server"]
    wanted = address["properties"]["startIpAddress"]
    assert f"- create firewall_rules/{server} data-export-service-west-europe: null → {wanted}" in moved
    assert f"+ update firewall_rules/{server} data-export-service-west-europe: 192.0.2.1 → {wanted}" in moved
    assert owner.manage("GET", office)["properties"]["startIpAddress"] == "192.0.2.1"

    status = document("status", kit.run("status", "-e", NAME, "--output", "json"))
    standing = {each["resource"]: each["standing"] for each in status["resources"]}
    assert standing[f"sql_server/{server}"] == "as the file says"
    assert standing[f"firewall_rules/{server}"] == "differs"
    assert standing["grants/dataexport"] == "missing"
    text = kit.run("status", "-e", NAME).succeeded().out
    assert f"~ data-export-service-west-europe: 192.0.2.1 → {wanted}" in text

    result = kit.run("apply", "-e", NAME, "--target", RULES, "--yes", "--output", "json").succeeded()
    assert document("result", result)["summary"]["updated"] == 1


def test_a_plan_is_refused_when_the_environment_file_has_changed(kit: Kit, environment: dict[str, Any]) -> None:
    kit.run("plan", "-e", NAME, "--target", RULES, "--out", "c.plan").succeeded()
    kit.edit(NAME, profile__prefix="other")
    refused = kit.run("apply", "c.plan")
    assert refused.code == 1
    assert f"{NAME}.yaml says something else" in refused.err


def test_a_kept_plan_takes_no_other_targets(kit: Kit, environment: dict[str, Any]) -> None:
    refused = kit.run("apply", "first.plan", "--target", "grants/*")
    assert refused.code == 2
    assert RULES in refused.err
