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
