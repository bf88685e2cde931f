"""Firewall rules: region, neighbours, drift."""

from __future__ import annotations

import pytest

from setup_kit.azure.firewall_rules import AZURE_SERVICES, AZURE_SERVICES_ADDRESS, Rule
from setup_kit.engine.resource import Action, Status
from tests.sandbox.azure.conftest import Kit

SERVICE = "data-export-service-west-europe"


@pytest.fixture
def open_kit(kit: Kit) -> Kit:
    """With server and rules as the file says."""
    kit.settle(kit.group, kit.server, kit.firewall)
    return kit


def put(kit: Kit, rule: Rule) -> None:
    kit.azure.firewall_rules.put(kit.group.name, kit.server.name, rule)


def test_the_rules_of_the_file_are_made(open_kit: Kit) -> None:
    assert open_kit.firewall.read() == {
        AZURE_SERVICES: Rule(AZURE_SERVICES, AZURE_SERVICES_ADDRESS, AZURE_SERVICES_ADDRESS),
        SERVICE: Rule(SERVICE, "40.68.252.224", "40.68.252.224"),
        "office": Rule("office", "203.0.113.0", "203.0.113.7"),
    }


@pytest.mark.parametrize("name", [AZURE_SERVICES, SERVICE, "office"])
def test_a_rule_that_went_away_is_named_and_put_back_and_nothing_else(open_kit: Kit, name: str) -> None:
    open_kit.azure.firewall_rules.delete(open_kit.group.name, open_kit.server.name, name)
    before = len(open_kit.requests())
    [change] = open_kit.settle(open_kit.firewall)
    assert (change.action, change.target) == (Action.CREATE, name)
    written = [entry["path"] for entry in open_kit.requests()[before:] if entry["method"] != "GET"]
    assert [path.rpartition("/")[2] for path in written] == [name]
    assert open_kit.drift(open_kit.firewall) == []


def test_a_rule_that_was_changed_says_from_what_to_what(open_kit: Kit) -> None:
    put(open_kit, Rule(SERVICE, "40.68.252.0", "40.68.252.255"))
    [change] = open_kit.settle(open_kit.firewall)
    assert change.action is Action.UPDATE
    assert (change.before, change.after) == ("40.68.252.0 – 40.68.252.255", "40.68.252.224")
    assert "West Europe" in change.why
    assert open_kit.drift(open_kit.firewall) == []


def test_rules_of_others_stay(open_kit: Kit) -> None:
    put(open_kit, Rule("theirs", "198.51.100.1", "198.51.100.1"))
    assert open_kit.drift(open_kit.firewall) == []


def test_azure_services_are_shut_out_when_the_file_says_so(open_kit: Kit) -> None:
    strict = open_kit.but(sql={"firewall": {"allow_azure_services": False}})
    [change] = strict.settle(strict.server, strict.firewall)
    assert (change.action, change.target, change.destructive) == (Action.DELETE, AZURE_SERVICES, True)
    assert AZURE_SERVICES not in strict.firewall.read()


def test_north_america_admits_east_and_west(kit: Kit) -> None:
    american = kit.but(sql={"firewall": {"service_region": "West US", "rules": []}})
    changes = american.firewall.diff({})
    assert {change.target: change.after for change in changes} == {
        AZURE_SERVICES: AZURE_SERVICES_ADDRESS,
        "data-export-service-east-us": "23.96.92.86",
        "data-export-service-west-us": "40.112.139.218",
    }


def test_rules_that_admit_too_much_are_warned_of(open_kit: Kit) -> None:
    put(open_kit, Rule("all", AZURE_SERVICES_ADDRESS, "255.255.255.255"))
    put(open_kit, Rule("data-export-service-japan-east", "13.73.7.177", "13.73.7.177"))
    put(open_kit, Rule("setup-kit-operator-20200101000000-0123abcd-1-1", "198.51.100.1", "198.51.100.1"))
    findings = open_kit.firewall.audit(open_kit.firewall.read())
    assert {finding.check for finding in findings} == {"firewall.open", "firewall.superfluous", "firewall.operator"}


def test_every_rule_that_the_file_does_not_name_is_warned_of_with_its_range_and_the_way_out(open_kit: Kit) -> None:
    put(open_kit, Rule("their rule", "198.51.100.1", "198.51.100.9"))
    [finding] = open_kit.firewall.audit(open_kit.firewall.read())
    assert (finding.check, finding.status) == ("firewall.superfluous", Status.WARNING)
    assert "their rule" in finding.message
    assert "198.51.100.1 – 198.51.100.9" in finding.message
    assert finding.remedy == "setup-kit firewall remove 'their rule'"


def test_a_rule_that_the_file_does_not_name_and_that_admits_azure_says_so(open_kit: Kit) -> None:
    put(open_kit, Rule("portal", AZURE_SERVICES_ADDRESS, AZURE_SERVICES_ADDRESS))
    [finding] = open_kit.firewall.audit(open_kit.firewall.read())
    assert finding.check == "firewall.superfluous"
    assert "Azure" in finding.message


@pytest.mark.parametrize(("end", "warned"), [("198.18.255.255", False), ("198.19.0.0", True)])
def test_a_range_wider_than_a_16_is_warned_of_even_when_the_file_names_it(kit: Kit, end: str, warned: bool) -> None:
    wide = kit.but(sql={"firewall": {"rules": [{"name": "office", "start": "198.18.0.0", "end": end}]}})
    wide.settle(wide.group, wide.server, wide.firewall)
    findings = wide.firewall.audit(wide.firewall.read())
    assert [finding.check for finding in findings] == (["firewall.open"] if warned else [])
    if warned:
        assert f"198.18.0.0 – {end}" in findings[0].message
        assert "sql.firewall.rules" in findings[0].remedy


def test_a_wide_range_that_the_file_does_not_name_is_both(open_kit: Kit) -> None:
    put(open_kit, Rule("half", "0.0.0.1", "127.255.255.255"))
    findings = open_kit.firewall.audit(open_kit.firewall.read())
    assert [finding.check for finding in findings] == ["firewall.open", "firewall.superfluous"]
    assert all("firewall remove half" in finding.remedy for finding in findings)
