"""A subscription's state, quotas, policies and locks, and what its callers may do, over Microsoft's own clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError

from setup_kit.sandbox import access, subscription
from setup_kit.sandbox.subscription import Conditions, Policy
from setup_kit.sandbox.tenant import Tenant

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox


@contextmanager
def conditions(sandbox: Sandbox, **wanted: Any) -> Iterator[None]:
    subscription.set_conditions(sandbox.state, Conditions(**wanted))
    try:
        yield
    finally:
        subscription.set_conditions(sandbox.state, Conditions())


@contextmanager
def policy(sandbox: Sandbox, made: Policy) -> Iterator[None]:
    subscription.add_policy(sandbox.state, made)
    try:
        yield
    finally:
        assert subscription.remove_policy(sandbox.state, made.name)


@contextmanager
def lock(azure: Azure, group: str, level: str) -> Iterator[str]:
    path = f"/resourceGroups/{group}/providers/Microsoft.Authorization/locks/held"
    body = {"properties": {"level": level, "notes": "until Monday"}}
    assert azure.arm("PUT", path, body, version="2020-05-01").status_code in (200, 201)
    try:
        yield path
    finally:
        assert azure.arm("DELETE", path, version="2020-05-01").status_code == 200


def code(error: Any) -> str:
    return str(error.value.error.code)


@pytest.mark.parametrize("state", ["Warned", "Disabled"])
def test_a_subscription_that_is_not_enabled_says_so_and_takes_no_changes(
    azure: Azure, sandbox: Sandbox, shared_group: str, name: str, state: str
) -> None:
    with conditions(sandbox, state=state, spending_limit="On"):
        told = azure.arm("GET", "", version="2022-12-01").json()
        assert told["state"] == state
        assert told["subscriptionPolicies"]["spendingLimit"] == "On"
        refused = azure.arm("PUT", f"/resourceGroups/{name}", {"location": "westeurope"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ReadOnlyDisabledSubscription")
        assert azure.arm("GET", f"/resourceGroups/{shared_group}").status_code == 200
        free = azure.sql.servers.check_name_availability({"name": name, "type": "Microsoft.Sql/servers"})
        assert free.available
    assert azure.arm("PUT", f"/resourceGroups/{name}", {"location": "westeurope"}).status_code == 201
    assert azure.arm("DELETE", f"/resourceGroups/{name}").status_code == 202


def test_a_bill_that_is_not_paid_stops_nothing_yet(azure: Azure, sandbox: Sandbox, name: str) -> None:
    with conditions(sandbox, state="PastDue"):
        assert azure.arm("PUT", f"/resourceGroups/{name}", {"location": "westeurope"}).status_code == 201
    assert azure.arm("DELETE", f"/resourceGroups/{name}").status_code == 202


def test_a_policy_denies_what_it_said_it_would(azure: Azure, sandbox: Sandbox, shared_group: str, name: str) -> None:
    made = Policy("locations", "Microsoft.Sql/servers", "location", ("North Europe",))
    question = f"/resourceGroups/{shared_group}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
    content = {"type": "Microsoft.Sql/servers", "location": "westeurope"}
    asked = {"resourceDetails": {"resourceContent": content, "apiVersion": "2023-08-01"}}
    with policy(sandbox, made):
        answer = azure.arm("POST", question, asked, version="2022-03-01").json()
        (denial,) = answer["contentEvaluationResult"]["policyEvaluations"]
        assert denial["evaluationResult"] == "NonCompliant"
        assert denial["policyInfo"]["policyAssignmentId"].endswith("/policyAssignments/locations")
        (expression,) = denial["evaluationDetails"]["evaluatedExpressions"]
        assert (expression["expressionValue"], expression["targetValue"]) == ("westeurope", ["North Europe"])
        with pytest.raises(HttpResponseError) as refused:
            azure.server(shared_group, name)
        assert (refused.value.status_code, code(refused)) == (403, "RequestDisallowedByPolicy")
        content["location"] = "northeurope"
        answer = azure.arm("POST", question, asked, version="2022-03-01").json()
        assert answer["contentEvaluationResult"]["policyEvaluations"] == []
        content["type"] = "Microsoft.KeyVault/vaults"
        azure.vault(shared_group, name, rbac=True)
    azure.server(shared_group, name)
    azure.sql.servers.begin_delete(shared_group, name).result()


def test_a_lock_lets_nothing_be_deleted_or_nothing_be_changed(azure: Azure, shared_group: str, name: str) -> None:
    azure.server(shared_group, name)
    server = f"/resourceGroups/{shared_group}/providers/Microsoft.Sql/servers/{name}"
    rule = {"properties": {"startIpAddress": "10.0.0.1", "endIpAddress": "10.0.0.2"}}
    with lock(azure, shared_group, "CanNotDelete") as path:
        listed = azure.arm("GET", "/providers/Microsoft.Authorization/locks", version="2020-05-01").json()["value"]
        (held,) = [each for each in listed if each["id"].endswith(path)]
        assert held["properties"] == {"level": "CanNotDelete", "notes": "until Monday"}
        assert azure.arm("PUT", f"{server}/firewallRules/r", rule, version="2023-08-01").status_code == 200
        refused = azure.arm("DELETE", f"{server}/firewallRules/r", version="2023-08-01")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ScopeLocked")
    with lock(azure, shared_group, "ReadOnly"):
        refused = azure.arm("PUT", f"{server}/firewallRules/r", rule, version="2023-08-01")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ScopeLocked")
        assert azure.arm("GET", server, version="2023-08-01").status_code == 200
    azure.sql.servers.begin_delete(shared_group, name).result()


def test_what_a_caller_may_do_is_what_its_roles_say(
    azure: Azure, sandbox: Sandbox, stranger: Azure, shared_group: str
) -> None:
    assert list(stranger.roles.permissions.list_for_resource_group(shared_group)) == []
    (owner,) = azure.roles.permissions.list_for_resource_group(shared_group)
    assert (owner.actions, owner.not_actions) == (["*"], [])
    principal = Tenant(sandbox.state, sandbox["tenant_id"]).principal_of(stranger.client_id)
    assert principal is not None
    role = next(each for each in access.ROLES.values() if each.name == "Key Vault Contributor")
    group = f"/subscriptions/{sandbox['subscription_id']}/resourceGroups/{shared_group}"
    access.assign(sandbox.state, group, role.id, principal.object_id, "ServicePrincipal")
    (given,) = stranger.roles.permissions.list_for_resource_group(shared_group)
    assert given.actions == list(role.actions)
    above = stranger.arm("GET", "/providers/Microsoft.Authorization/permissions", version="2022-04-01")
    assert above.json() == {"value": []}


def test_a_region_says_what_it_offers(azure: Azure, sandbox: Sandbox, shared_group: str, name: str) -> None:
    def objectives(region: Any) -> dict[str, str]:
        (version,) = region.supported_server_versions
        editions = [each for each in version.supported_editions for each in each.supported_service_level_objectives]
        return {each.name: each.status for each in editions}

    offered = azure.sql.capabilities.list_by_location("westeurope", include="supportedEditions")
    assert offered.status == "Available"
    assert {"Basic", "S0", "P1", "GP_Gen5_2", "GP_S_Gen5_1", "BC_Gen5_4", "HS_Gen5_8"} <= set(objectives(offered))
    assert set(objectives(offered).values()) == {"Available"}
    with conditions(sandbox, closed=("westeurope/Premium", "northeurope")):
        statuses = objectives(azure.sql.capabilities.list_by_location("westeurope"))
        assert (statuses["P1"], statuses["S0"]) == ("Disabled", "Available")
        closed = azure.sql.capabilities.list_by_location("northeurope")
        assert closed.status == "Disabled" and "restricted" in closed.reason
        body: Any = {
            "location": "northeurope",
            "properties": {"administratorLogin": "boss", "administratorLoginPassword": "Very-Secret-1"},
        }
        with pytest.raises(HttpResponseError) as refused:
            azure.sql.servers.begin_create_or_update(shared_group, name, body).result()
        assert code(refused) == "RegionDoesNotAllowProvisioning"


def test_a_quota_counts_and_is_kept(azure: Azure, sandbox: Sandbox, shared_group: str, name: str) -> None:
    def usage(quota: str) -> tuple[float, float]:
        found = {each.name: each.properties for each in azure.sql.subscription_usages.list_by_location("westeurope")}
        return found[quota].current_value, found[quota].limit

    used, limit = usage("ServerQuota")
    cores, _ = usage("RegionalVCoreQuotaForSQLDBAndDW")
    assert limit == 250
    azure.server(shared_group, name)
    body: Any = {"location": "westeurope", "sku": {"name": "GP_Gen5_4"}}
    azure.sql.databases.begin_create_or_update(shared_group, name, "counted", body).result()
    assert usage("ServerQuota")[0] == used + 1
    assert usage("RegionalVCoreQuotaForSQLDBAndDW")[0] == cores + 4
    with conditions(sandbox, quotas={"ServerQuota": int(used + 1)}), pytest.raises(HttpResponseError) as refused:
        azure.server(shared_group, f"{name}-more")
    assert (refused.value.status_code, code(refused)) == (400, "40652")
    azure.sql.servers.begin_delete(shared_group, name).result()


@pytest.mark.parametrize("wanted", [{"state": "Sleepy"}, {"spending_limit": "Maybe"}, {"quotas": {"Cats": 1}}])
def test_conditions_that_there_are_not_are_refused(wanted: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Sleepy|Maybe|Cats"):
        Conditions(**wanted)
