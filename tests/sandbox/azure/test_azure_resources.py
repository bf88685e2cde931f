"""The Azure resources together: made once, then left alone."""

from __future__ import annotations

from setup_kit.engine.resource import Action
from tests.sandbox.azure.conftest import OWNER, WRITES, Kit


def test_everything_is_made_once_and_a_second_look_finds_no_difference(kit: Kit) -> None:
    made = kit.settle()
    assert {change.resource.partition("/")[0] for change in made} >= {
        "resource_group",
        "sql_server",
        "firewall_rules",
        "database",
        "key_vault",
        "vault_access",
        "secret",
    }
    before = len(kit.requests())
    assert kit.drift() == []
    asked = kit.requests()[before:]
    assert not [entry for entry in asked if entry["method"] in WRITES]
    assert len({(entry["method"], entry["path"]) for entry in asked}) == len(asked), "something was read twice"


def test_a_vault_with_access_policies_is_set_up_the_same_way(policy_kit: Kit) -> None:
    policy_kit.settle()
    assert policy_kit.drift() == []
    assert policy_kit.vault.observed is not None
    assert not policy_kit.vault.observed.rbac


def test_what_the_kit_makes_says_for_which_environment(kit: Kit) -> None:
    kit.settle()
    for resource in (kit.group, kit.server, kit.database, kit.vault, kit.secret):
        assert resource.observed is not None
        assert resource.observed.tags["setup-kit"] == OWNER


def test_tags_are_added_to_those_that_are_there(kit: Kit) -> None:
    kit.azure.resource_groups.put(kit.group.name, "northeurope", {"cost centre": "7", "Department": "marketing"})
    [change] = kit.settle(kit.group)
    assert (change.action, change.target) == (Action.UPDATE, "tags")
    assert change.before == {"Department": "marketing"}
    assert change.after == {"department": "sales"}
    observed = kit.group.read()
    assert observed is not None
    assert observed.tags == {"cost centre": "7", "Department": "sales"}
    assert observed.location == "northeurope"
    assert kit.drift(kit.group) == []


def test_tags_changed_behind_its_back_are_named_and_mended(kit: Kit) -> None:
    kit.settle(kit.group, kit.server, kit.database, kit.vault)
    group, name = kit.group.name, kit.server.name
    kit.azure.sql_servers.update(group, name, tags={"mine": "1"})
    kit.azure.databases.update(group, name, kit.database.name, tags={"mine": "1"})
    kit.azure.key_vaults.set_tags(group, kit.vault.name, {"mine": "1"})
    changes = kit.settle(kit.server, kit.database, kit.vault)
    assert [(change.resource, change.target) for change in changes] == [
        (resource.address, "tags") for resource in (kit.server, kit.database, kit.vault)
    ]
    for resource in (kit.server, kit.database, kit.vault):
        observed = resource.read()
        assert observed is not None
        assert observed.tags == {"mine": "1", "department": "sales"}
