"""What a command says last leads on: not in a circle, and not past what stands in the way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.job.harness import Kit
from tests.sandbox.job.owner import Owner

NAME = "leadson"
OUTSIDE: dict[str, Any] = {"sql__firewall__rules": []}  # no rule for this machine
LEFT = "setup-kit-operator-20200101000000-0badcafe-1-1"


@pytest.fixture(scope="module")
def owner(kit: Kit) -> Owner:
    document = kit.init(NAME, profile__prefix="Lead", profile__entities=["team"], profile__relationships=[], **OUTSIDE)
    kit.apply(NAME).succeeded()
    return Owner(kit, document)


def last(text: str) -> str:
    return text.strip().splitlines()[-1]


def findings(document: Any, check: str) -> list[Any]:
    return [each for each in document["findings"] if each["check"] == check]


def test_a_verification_that_the_firewall_kept_out_leads_to_a_look_with_a_rule(kit: Kit, owner: Owner) -> None:
    verified = kit.run("verify", "-e", NAME).failed(4)
    assert last(verified.out).startswith(f"Next: setup-kit verify --open-firewall -e {NAME},")
    kit.run("verify", "--open-firewall", "-e", NAME).succeeded()


def test_a_rule_that_a_killed_run_left_is_named_by_status_and_list(kit: Kit, owner: Owner) -> None:
    rule = {"properties": {"startIpAddress": "203.0.113.9", "endIpAddress": "203.0.113.9"}}
    owner.manage("PUT", f"{owner.server}/firewallRules/{LEFT}", rule)
    said = "of a run that goes on, or was killed (the next apply removes it then): " + LEFT
    for command in (["firewall", "list"], ["status"]):
        shown = kit.run(*command, "-e", NAME, variables={"COLUMNS": "400"}).succeeded().out
        assert said in shown, shown
    kit.apply(NAME).succeeded()
    assert LEFT not in kit.run("firewall", "list", "-e", NAME).succeeded().out


def test_tables_that_a_deleted_profile_left_are_told_before_anything_is_made(kit: Kit, owner: Owner) -> None:
    dropping = f"setup-kit profile drop-objects -e {NAME} team;"
    deleted = kit.run("profile", "delete", "-e", NAME, "--yes", variables={"COLUMNS": "400"}).succeeded()
    assert dropping in deleted.err
    unseen = findings(kit.run("plan", "-e", NAME, "--output", "json").succeeded().json, "left_tables")
    assert [each["status"] for each in unseen] == ["skipped"]
    assert "--open-firewall" in unseen[0]["remedy"]

    verified = kit.run("verify", "-e", NAME, variables={"COLUMNS": "400"}).failed(4)
    assert last(verified.out).startswith("Next: setup-kit verify --open-firewall")
    verified = kit.run("verify", "--open-firewall", "-e", NAME, variables={"COLUMNS": "400"}).failed(4)
    assert last(verified.out).startswith(f"Next: setup-kit profile drop-objects team -e {NAME},")

    (found,) = findings(
        kit.run("plan", "--open-firewall", "-e", NAME, "--output", "json").failed(1).json, "left_tables.table_exists"
    )
    assert dropping in found["remedy"]
    assert "dbo.Lead_team" in found["message"]

    with owner.admitted():
        assert dropping in kit.run("doctor", "-e", NAME, variables={"COLUMNS": "400"}).failed(1).out
        writes = len(kit.writes())
        kit.apply(NAME).failed(1)
        assert len(kit.writes()) == writes


def test_what_destroy_says_of_the_tables_that_stay_makes_way_for_the_next_apply(kit: Kit, owner: Owner) -> None:
    kit.run("profile", "drop-objects", "-e", NAME, "team", "--yes").succeeded()
    kit.apply(NAME).succeeded()
    told = kit.run("destroy", "-e", NAME, "--confirm", NAME, variables={"COLUMNS": "400"}).succeeded().err
    command = last(told).split("setup-kit ")[1].split(";")[0]
    assert command == f"profile drop-objects -e {NAME} team"
    kit.run(*command.split(), "--yes").succeeded()
    kit.apply(NAME).succeeded()
