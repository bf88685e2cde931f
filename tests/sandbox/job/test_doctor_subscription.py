"""`setup-kit doctor` where the subscription, the caller's rights or the region stand in the way."""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from setup_kit.sandbox import access
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.ports import PORTS
from setup_kit.sandbox.resource_manager import ResourceManager
from setup_kit.sandbox.tenant import READERS, Tenant
from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.owner import Owner

DIRECT = {"NO_PROXY": "*", "no_proxy": "*"}


def look(kit: Kit, name: str, **variables: str) -> Finished:
    return kit.run("doctor", "-e", name, "--output", "json", variables=DIRECT | variables)


def findings(done: Finished, check: str) -> list[dict[str, Any]]:
    every: list[dict[str, Any]] = done.json["findings"]
    return [each for each in every if each["check"] == check or each["check"].startswith(f"{check}.")]


def the(done: Finished, check: str) -> dict[str, Any]:
    """The one finding of this check; whole, whatever its status."""
    (found,) = [each for each in findings(done, check) if each["check"] == check]
    assert found["severity"]
    assert found["evidence"]
    assert found["remedy"] or found["status"] == "passed"
    return found


@contextmanager
def decided(kit: Kit, *words: str) -> Iterator[None]:
    """While it is entered, this is so of the sandbox's subscription."""
    kit.run("sandbox", "subscription", *words).succeeded()
    try:
        yield
    finally:
        kit.run("sandbox", "subscription", "--reset").succeeded()


@contextmanager
def policy(kit: Kit, name: str, *words: str) -> Iterator[None]:
    kit.run("sandbox", "policy", "add", name, *words).succeeded()
    try:
        yield
    finally:
        kit.run("sandbox", "policy", "remove", name).succeeded()


def somebody(kit: Kit, *roles: str, scope: str = "") -> dict[str, str]:
    """The variables of an application of the tenant that has these built-in roles in the subscription."""
    state = kit.state()
    tenant = Tenant(state, kit.document["tenant_id"])
    client = str(uuid.uuid4())
    secret = tenant.add_application(client, "Somebody")
    principal = tenant.add_principal(client, "Somebody", roles=(READERS,))
    identifiers = {role.name: role.id for role in access.ROLES.values()}
    for role in roles:
        where = scope or f"/subscriptions/{kit.document['subscription_id']}"
        access.assign(state, where, identifiers[role], principal.object_id, "ServicePrincipal")
    state.close()
    return {"AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": secret}


def missing(done: Finished) -> dict[str, str]:
    """Each action that is missing, with the role that is suggested for it."""
    found = {}
    for each in findings(done, "rights.missing"):
        assert each["status"] == "failed" and each["evidence"]
        action = re.search(r"may not do (\S+), which (\S+) needs", each["message"])
        role = re.search(r"--role '?([A-Za-z ]+?)'? --scope (\S+);", each["remedy"])
        assert action and role, each
        found[action[1]] = role[1]
    return found


def test_a_subscription_of_ones_own_passes_everywhere(kit: Kit) -> None:
    kit.init("sub-well")
    done = look(kit, "sub-well").succeeded()
    for check in (
        *("subscription.state", "subscription.tenant", "subscription.spending_limit", "policies", "locks", "rights"),
        *("sql_region", "sql_region.sku", "sql_region.servers", "sql_region.vcores"),
    ):
        assert the(done, check)["status"] == "passed", check
    assert {each["status"] for each in findings(done, "providers")} == {"passed"}
    # What is not there yet has no address to reach.
    assert {each["status"] for each in findings(done, "own_hosts")} == {"skipped"}


def test_an_environment_that_is_there_passes_everywhere_too(kit: Kit, dev: str) -> None:
    done = look(kit, dev).succeeded()
    for check in ("subscription.state", "policies", "locks", "rights", "sql_region"):
        assert the(done, check)["status"] == "passed", check
    hosts = findings(done, "own_hosts")
    assert [each["status"] for each in hosts] == ["passed", "passed"]
    assert any("11000 to 11999" in each["evidence"] for each in hosts)


@pytest.mark.parametrize(
    ("state", "status", "code"), [("Disabled", "failed", 1), ("Warned", "failed", 1), ("PastDue", "warning", 0)]
)
def test_a_subscription_that_takes_no_changes_is_found(kit: Kit, state: str, status: str, code: int) -> None:
    name = f"sub-{state.lower()}"
    kit.init(name)
    with decided(kit, "--state", state):
        found = the(look(kit, name).failed(code), "subscription.state")
        assert found["status"] == status
        assert f"state {state}" in found["evidence"]
        if code:
            applied = kit.apply(name).failed(1)
            assert "ReadOnlyDisabledSubscription" in applied.text
    assert the(look(kit, name).succeeded(), "subscription.state")["status"] == "passed"


def test_a_spending_limit_is_warned_of(kit: Kit) -> None:
    kit.init("sub-limit")
    with decided(kit, "--spending-limit", "On"):
        found = the(look(kit, "sub-limit").succeeded(), "subscription.spending_limit")
    assert (found["status"], found["severity"]) == ("warning", "low")


def test_providers_that_are_not_registered_are_named(kit: Kit) -> None:
    kit.init("sub-providers")
    with decided(kit, "--unregister", "Microsoft.Sql", "--unregister", "microsoft.keyvault"):
        done = look(kit, "sub-providers").succeeded()
        stranger = look(kit, "sub-providers", **somebody(kit, "Reader")).failed(1)
    warned = [each for each in findings(done, "providers.registration") if each["status"] == "warning"]
    assert ["Microsoft.KeyVault" in each["message"] for each in warned] == [True, False]
    assert all("az provider register --namespace Microsoft." in each["remedy"] for each in warned)
    # Registering takes a right of its own.
    assert {"Microsoft.KeyVault/register/action", "Microsoft.Sql/register/action"} <= set(missing(stranger))


def test_a_policy_that_denies_what_is_to_be_made_is_named(kit: Kit) -> None:
    kit.init("sub-policy", sql__database__sku="P1")
    with (
        policy(kit, "our-regions", "--type", "Microsoft.*/*", "--field", "location", "--allow", "North Europe"),
        policy(kit, "cheap-only", "--field", "sku.name", "--type", "Microsoft.Sql/*", "--allow", "S0"),
    ):
        done = look(kit, "sub-policy").failed(1)
        kit.apply("sub-policy").failed(1)
    denied = findings(done, "policies.denied")
    assert all(each["status"] == "failed" and "/policyAssignments/" in each["evidence"] for each in denied)
    messages = "\n".join(each["message"] for each in denied)
    for kind in ("Microsoft.Sql/servers ", "Microsoft.Sql/servers/databases ", "Microsoft.KeyVault/vaults "):
        assert f"our-regions denies the {kind}" in messages
    assert "cheap-only denies the Microsoft.Sql/servers/databases" in messages
    assert "location 'westeurope' NotIn [North Europe]" in messages
    assert all("az policy exemption create" in each["remedy"] for each in denied)
    assert the(look(kit, "sub-policy").succeeded(), "policies")["status"] == "passed"


def test_policies_that_nobody_may_ask_about_are_skipped_not_passed(kit: Kit) -> None:
    kit.init("sub-unasked")
    with decided(kit, "--unregister", "Microsoft.PolicyInsights"):
        found = the(look(kit, "sub-unasked").succeeded(), "policies")
    assert found["status"] == "skipped"
    assert "az provider register --namespace Microsoft.PolicyInsights" in found["remedy"]


def test_locks_at_the_group_are_named(kit: Kit) -> None:
    environment = kit.init("sub-locks")
    owner = Owner(kit, environment)
    owner.call(
        "PUT",
        f"{kit.document['resource_manager']}{owner.group}",
        kit.document["resource_manager_audience"],
        {"location": "westeurope"},
        **{"api-version": "2022-09-01"},
    )
    lock = f"{owner.group}/providers/Microsoft.Authorization/locks/frozen"
    version = {"api-version": "2020-05-01"}
    for level, check, status, code in (
        ("CanNotDelete", "locks.no_deletion", "warning", 0),
        ("ReadOnly", "locks.read_only", "failed", 1),
    ):
        owner.manage("PUT", lock, {"properties": {"level": level, "notes": "audit week"}}, **version)
        found = the(look(kit, "sub-locks").failed(code), check)
        assert found["status"] == status
        assert "audit week" in found["evidence"]
        assert f"az lock delete --name frozen --resource-group {environment['resource_group']}" in found["remedy"]
    assert "ScopeLocked" in kit.apply("sub-locks").failed(1).text
    owner.manage("DELETE", lock, **version)
    assert the(look(kit, "sub-locks").succeeded(), "locks")["status"] == "passed"


def test_each_action_that_the_caller_may_not_do_is_named_with_the_smallest_role_for_it(kit: Kit) -> None:
    kit.init("sub-nothing")
    assert missing(look(kit, "sub-nothing", **somebody(kit)).failed(1)) == {
        "Microsoft.Resources/subscriptions/resourceGroups/read": "Reader",
        "Microsoft.Resources/subscriptions/resourceGroups/write": "Contributor",
        "Microsoft.KeyVault/register/action": "Key Vault Contributor",
        "Microsoft.Sql/register/action": "Contributor",
        "Microsoft.Sql/servers/read": "Reader",
        "Microsoft.Sql/servers/write": "SQL Server Contributor",
        "Microsoft.Sql/servers/databases/read": "Reader",
        "Microsoft.Sql/servers/databases/write": "SQL DB Contributor",
        "Microsoft.Sql/servers/firewallRules/read": "Reader",
        "Microsoft.Sql/servers/firewallRules/write": "SQL Server Contributor",
        "Microsoft.Sql/servers/firewallRules/delete": "SQL Server Contributor",
        "Microsoft.KeyVault/vaults/read": "Reader",
        "Microsoft.KeyVault/vaults/write": "Key Vault Contributor",
        "Microsoft.Authorization/roleAssignments/read": "Reader",
        "Microsoft.Authorization/roleAssignments/write": "Role Based Access Control Administrator",
        "Microsoft.KeyVault/vaults/secrets/getSecret/action": "Key Vault Secrets Officer",
        "Microsoft.KeyVault/vaults/secrets/setSecret/action": "Key Vault Secrets Officer",
    }


def test_a_contributor_lacks_only_the_giving_of_roles(kit: Kit) -> None:
    kit.init("sub-contributor")
    variables = somebody(kit, "Contributor")
    assert set(missing(look(kit, "sub-contributor", **variables).failed(1))) == {
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "Microsoft.KeyVault/vaults/secrets/setSecret/action",
    }
    both = somebody(kit, "Contributor", "Role Based Access Control Administrator")
    assert missing(look(kit, "sub-contributor", **both)) == {}


def test_a_vault_with_access_policies_takes_no_giving_of_roles(kit: Kit) -> None:
    kit.init("sub-classic", key_vault__authorization="access_policy")
    assert missing(look(kit, "sub-classic", **somebody(kit, "Contributor"))) == {}
    reader = missing(look(kit, "sub-classic", **somebody(kit, "Reader")).failed(1))
    assert "Microsoft.KeyVault/vaults/accessPolicies/write" in reader
    assert not any("roleAssignments" in action or "secrets" in action for action in reader)


def test_what_the_suggested_roles_allow_is_enough(kit: Kit) -> None:
    """Whoever gets each role that is named lacks nothing any more."""
    kit.init("sub-enough")
    named = missing(look(kit, "sub-enough", **somebody(kit)).failed(1))
    assert missing(look(kit, "sub-enough", **somebody(kit, *sorted(set(named.values()))))) == {}


def test_where_all_is_there_only_what_is_still_to_be_done_takes_rights(kit: Kit, dev: str) -> None:
    """Who may read everything and works with the secret lacks the temporary firewall rule alone."""
    reader = somebody(kit, "Reader", "Key Vault Secrets Officer")
    assert set(missing(look(kit, dev, **reader).failed(1))) == {
        "Microsoft.Sql/servers/firewallRules/write",
        "Microsoft.Sql/servers/firewallRules/delete",
    }


# What helps where it is allowed, and is done without where it is not; or what everybody may ask.
HELPING = {
    "",
    "*/read",
    "Microsoft.KeyVault/checkNameAvailability/read",
    "Microsoft.KeyVault/deletedVaults/read",
    "Microsoft.Sql/checkNameAvailability/action",
}


def test_every_call_of_a_full_apply_is_among_the_rights_that_are_looked_for(kit: Kit) -> None:
    profile = {"profile__entities": ["account"], "profile__relationships": [], "profile__prefix": "sub"}
    kit.init("sub-complete", **profile, sql__firewall__rules=[])
    looked_for = set(the(look(kit, "sub-complete").succeeded(), "rights")["evidence"].split(", "))
    before = len(kit.requests())
    kit.apply("sub-complete").succeeded()
    state = kit.state()
    manager: Any = ResourceManager(
        state,
        Tenant(state, kit.document["tenant_id"]),
        cast(Any, None),
        Latency(),
        kit.document["subscription_id"],
        cast(Any, None),
        address="",
        sign_in="",
    )
    taken = set()
    for each in kit.requests()[before:]:
        if each["part"] == "resource-manager":
            route, _ = manager._router._route(each["method"], each["path"])
            taken.add(route.action)
    state.close()
    assert taken - HELPING <= looked_for
    assert "Microsoft.Sql/servers/firewallRules/delete" in taken  # the temporary rule


def test_a_region_that_is_closed_and_one_that_there_is_not(kit: Kit) -> None:
    kit.init("sub-closed")
    with decided(kit, "--close", "westeurope"):
        done = look(kit, "sub-closed").failed(1)
    found = the(done, "sql_region.closed")
    assert found["status"] == "failed" and "restricted" in found["evidence"]
    kit.init("sub-nowhere", location="westeuropa")
    regions = findings(look(kit, "sub-nowhere").failed(1), "providers.region")
    assert [each["status"] for each in regions] == ["failed", "failed"]
    assert all("was westeurope" in each["remedy"] for each in regions)


def test_a_sku_that_the_region_does_not_offer(kit: Kit) -> None:
    kit.init("sub-sku", sql__database__sku="P1")
    with decided(kit, "--close", "westeurope/Premium"):
        found = the(look(kit, "sub-sku").failed(1), "sql_region.sku")
    assert found["status"] == "failed"
    assert "az sql db list-editions --location westeurope" in found["remedy"]
    assert the(look(kit, "sub-sku").succeeded(), "sql_region.sku")["status"] == "passed"


def test_quotas_that_are_used_up(kit: Kit) -> None:
    kit.init("sub-quota", sql__database__sku="GP_Gen5_4")
    with decided(kit, "--quota", "ServerQuota=0", "--quota", "RegionalVCoreQuotaForSQLDBAndDW=3"):
        done = look(kit, "sub-quota").failed(1)
        assert "exceed server quota" in kit.apply("sub-quota").failed(1).text
    servers, cores = the(done, "sql_region.servers"), the(done, "sql_region.vcores")
    assert (servers["status"], cores["status"]) == ("failed", "failed")
    assert "4 more needed" in cores["evidence"]
    assert "Help + support" in servers["remedy"]


def test_a_vault_or_a_server_that_is_not_reached(kit: Kit) -> None:
    kit.init("sub-hosts")
    environment = kit.edit("sub-hosts")
    kit.run("apply", "-e", "sub-hosts", "--yes", "--target", "sql_server/*", "--target", "key_vault/*").succeeded()
    state = kit.state()
    port = f"server/{environment['sql']['server']}"
    kept = state.get(PORTS, port)
    assert kept is not None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    fault = ("fault", "add", "reset-before", "--part", "key-vault", "--path", "/")
    identifier = kit.run("sandbox", *fault).succeeded().out.strip()
    state.put(PORTS, port, {"port": nobody})
    try:
        done = look(kit, "sub-hosts").failed(1)
    finally:
        state.put(PORTS, port, kept)
        state.close()
        kit.run("sandbox", "fault", "remove", identifier).succeeded()
    vault, server = the(done, "own_hosts.http"), the(done, "own_hosts.tcp")
    assert (vault["resource"], vault["status"]) == (f"key_vault/{environment['key_vault']['name']}", "failed")
    assert (server["resource"], server["status"]) == (f"sql_server/{environment['sql']['server']}", "failed")
    assert f"port {nobody}" in server["message"]
    assert "11000 to 11999" in server["remedy"]


def test_the_subscription_can_be_told_and_set_as_it_was(kit: Kit) -> None:
    with decided(kit, "--state", "warned", "--close", "westus", "--quota", "ServerQuota=1"):
        text = kit.run("sandbox", "subscription").succeeded().out
        assert text.startswith("Warned, spending limit Off\n  closed: westus\n  ServerQuota: 1\n")
    told = kit.run("sandbox", "subscription", "--output", "json").succeeded().json
    assert (told["state"], told["closed"], told["quotas"]) == ("Enabled", [], {})
    assert set(told["providers"].values()) == {"Registered"}
    for words in (("--quota", "ServerQuota=many"), ("--quota", "Cats=1"), ("--unregister", "Microsoft.Cats")):
        kit.run("sandbox", "subscription", *words).failed(2)
    with policy(kit, "told", "--field", "location", "--allow", "westeurope"):
        (listed,) = kit.run("sandbox", "policy", "list", "--output", "json").succeeded().json["policies"]
        assert (listed["name"], listed["allow"]) == ("told", ["westeurope"])
    kit.run("sandbox", "policy", "remove", "told").failed(1)
