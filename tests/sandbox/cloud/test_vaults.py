from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from setup_kit.sandbox import access

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox

LOCATION = "westeurope"


def code_of(error: HttpResponseError) -> str | None:
    return error.error.code if error.error else None


def path_of(group: str, vault: str) -> str:
    return f"/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{vault}"


def body_of(azure: Azure, **properties: Any) -> dict[str, Any]:
    sku = {"family": "A", "name": "standard"}
    tenant = azure.sandbox["tenant_id"]
    return {"location": LOCATION, "properties": {"tenantId": tenant, "sku": sku, "accessPolicies": [], **properties}}


def test_a_vault_is_200_and_registers_its_name(azure: Azure, shared_group: str, name: str) -> None:
    made = azure.arm("PUT", path_of(shared_group, name), body_of(azure), version="2023-07-01")
    assert (made.status_code, made.json()["properties"]["provisioningState"]) == (200, "RegisteringDns")
    assert not {"Azure-AsyncOperation", "Location", "Retry-After"} & set(made.headers)
    kept = azure.vaults.vaults.get(shared_group, name)
    assert kept.properties.provisioning_state == "Succeeded"
    assert kept.properties.vault_uri == made.json()["properties"]["vaultUri"]
    assert azure.arm("PUT", path_of(shared_group, name), body_of(azure), version="2023-07-01").status_code == 200


@pytest.mark.parametrize(("version", "rbac"), [("2023-07-01", False), ("2026-02-01", True), ("2026-05-15", True)])
def test_the_api_version_decides_what_an_unsaid_authorization_is(
    azure: Azure, shared_group: str, name: str, version: str, rbac: bool
) -> None:
    azure.arm("PUT", path_of(shared_group, name), body_of(azure), version=version)
    kept = azure.vaults.vaults.get(shared_group, name)
    assert kept.properties.enable_rbac_authorization is rbac


def test_an_update_that_does_not_say_keeps_the_authorization(azure: Azure, shared_group: str, name: str) -> None:
    azure.vault(shared_group, name, rbac=False)
    azure.arm("PUT", path_of(shared_group, name), body_of(azure), version="2026-05-15")
    assert azure.vaults.vaults.get(shared_group, name).properties.enable_rbac_authorization is False


def test_a_deleted_vault_blocks_its_name_until_it_is_purged(azure: Azure, shared_group: str, name: str) -> None:
    azure.vault(shared_group, name, rbac=True)
    deleted = azure.arm("DELETE", path_of(shared_group, name))
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert azure.arm("DELETE", path_of(shared_group, name)).status_code == 404
    with pytest.raises(HttpResponseError) as refused:
        azure.vault(shared_group, name, rbac=True)
    assert (refused.value.status_code, code_of(refused.value)) == (409, "ConflictError")
    assert azure.vaults.vaults.check_name_availability({"name": name}).name_available is False
    assert name in {each.name for each in azure.vaults.vaults.list_deleted()}
    azure.vaults.vaults.begin_purge_deleted(name, LOCATION).result()
    with pytest.raises(ResourceNotFoundError) as missing:
        azure.vaults.vaults.get_deleted(name, LOCATION)
    assert code_of(missing.value) == "DeletedVaultNotFound"
    azure.vault(shared_group, name, rbac=True)


def test_a_purge_is_accepted_and_polled_by_its_location(azure: Azure, shared_group: str, name: str) -> None:
    azure.vault(shared_group, name, rbac=True)
    azure.vaults.vaults.delete(shared_group, name)
    path = f"/providers/Microsoft.KeyVault/locations/{LOCATION}/deletedVaults/{name}/purge"
    accepted = azure.arm("POST", path)
    assert (accepted.status_code, accepted.content) == (202, b"")
    poll = azure.call("GET", accepted.headers["Location"], azure.sandbox["resource_manager_audience"])
    assert (poll.status_code, poll.json()["status"]) == (200, "Succeeded")


def test_a_recovered_vault_comes_back_with_its_secrets(azure: Azure, shared_group: str, name: str) -> None:
    uri = azure.vault(shared_group, name, rbac=False)
    azure.secrets(uri).set_secret("kept", "value")
    azure.vaults.vaults.delete(shared_group, name)
    recovered = azure.vault(shared_group, name, rbac=True, createMode="recover")
    assert recovered == uri
    assert azure.secrets(uri).get_secret("kept").value == "value"


def test_a_recovered_vault_has_lost_its_role_assignments(azure: Azure, shared_group: str, name: str) -> None:
    uri = azure.vault(shared_group, name, rbac=True)
    scope = f"/subscriptions/{azure.sandbox['subscription_id']}{path_of(shared_group, name)}"
    access.assign(azure.sandbox.state, scope, access.SECRETS_OFFICER, azure.sandbox["object_id"], "ServicePrincipal")
    azure.secrets(uri).set_secret("conn", "value")
    azure.vaults.vaults.delete(shared_group, name)
    azure.vault(shared_group, name, rbac=True, createMode="recover")
    with pytest.raises(HttpResponseError, match="Caller is not authorized"):
        azure.secrets(uri).get_secret("conn")


def test_a_purged_vaults_secrets_are_gone(azure: Azure, shared_group: str, name: str) -> None:
    azure.secrets(azure.vault(shared_group, name, rbac=False)).set_secret("gone", "value")
    azure.vaults.vaults.delete(shared_group, name)
    azure.vaults.vaults.begin_purge_deleted(name, LOCATION).result()
    uri = azure.vault(shared_group, name, rbac=False)
    assert list(azure.secrets(uri).list_properties_of_secrets()) == []


def test_a_name_that_somebody_else_has_is_taken(azure: Azure, sandbox: Sandbox, shared_group: str, name: str) -> None:
    sandbox.state.put("taken-names", f"vault/{name}", {})
    with pytest.raises(HttpResponseError) as refused:
        azure.vault(shared_group, name, rbac=True)
    assert (refused.value.status_code, code_of(refused.value)) == (409, "VaultAlreadyExists")
    assert azure.vaults.vaults.check_name_availability({"name": name}).reason == "AlreadyExists"


@pytest.mark.parametrize("bad", ["ab", "1abc", "a--b", "abc-", "a_b", "x" * 25])
def test_a_name_that_the_cloud_forbids_is_refused(azure: Azure, shared_group: str, bad: str) -> None:
    answer = azure.arm("PUT", path_of(shared_group, bad), body_of(azure))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VaultNameNotValid")
    assert azure.vaults.vaults.check_name_availability({"name": bad}).reason == "AccountNameInvalid"


@pytest.mark.parametrize(
    "properties",
    [{"tenantId": "x"}, {"sku": None}, {"accessPolicies": None}, {"softDeleteRetentionInDays": 5}],
)
def test_properties_that_key_vault_does_not_take_are_refused(
    azure: Azure, shared_group: str, name: str, properties: dict[str, Any]
) -> None:
    answer = azure.arm("PUT", path_of(shared_group, name), body_of(azure, **properties), version="2023-07-01")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_purge_protection_cannot_be_undone(azure: Azure, shared_group: str, name: str) -> None:
    azure.vault(shared_group, name, rbac=True, enablePurgeProtection=True)
    off = azure.arm("PATCH", path_of(shared_group, name), {"properties": {"enablePurgeProtection": False}})
    assert off.status_code == 400
    azure.vaults.vaults.delete(shared_group, name)
    with pytest.raises(HttpResponseError) as refused:
        azure.vaults.vaults.begin_purge_deleted(name, LOCATION).result()
    assert code_of(refused.value) == "MethodNotAllowed"


def permissions(azure: Azure, group: str, vault: str) -> dict[str, list[str]]:
    kept = azure.vaults.vaults.get(group, vault).properties.access_policies
    return {str(each.object_id): sorted(right.value for right in each.permissions.secrets) for each in kept}


def test_access_policies_are_added_replaced_and_removed_one_by_one(azure: Azure, shared_group: str, name: str) -> None:
    azure.vaults.vaults.begin_create_or_update(
        shared_group, name, body_of(azure, enableRbacAuthorization=False)
    ).result()
    one, two = str(uuid.uuid4()), str(uuid.uuid4())

    def change(kind: str, who: str, *secrets: str) -> None:
        policy = {
            "tenantId": azure.sandbox["tenant_id"],
            "objectId": who,
            "permissions": {"secrets": list(secrets)},
        }
        body: Any = {"properties": {"accessPolicies": [policy]}}
        azure.vaults.vaults.update_access_policy(shared_group, name, kind, body)

    change("add", one, "get")
    change("add", two, "get", "list")
    change("add", one, "set", "get")
    assert permissions(azure, shared_group, name) == {one: ["get", "set"], two: ["get", "list"]}
    change("replace", one, "delete")
    change("remove", two, "list")
    assert permissions(azure, shared_group, name) == {one: ["delete"], two: ["get"]}
    change("remove", two, "get")
    assert permissions(azure, shared_group, name) == {one: ["delete"]}


def test_a_patch_leaves_what_it_does_not_name(azure: Azure, shared_group: str, name: str) -> None:
    azure.vault(shared_group, name, rbac=False)
    body: Any = {"tags": {"a": "b"}, "properties": {"enabledForDeployment": True}}
    changed = azure.vaults.vaults.update(shared_group, name, body)
    assert changed.tags == {"a": "b"}
    assert (changed.properties.enabled_for_deployment, len(changed.properties.access_policies)) == (True, 1)


def test_a_secret_written_through_resource_manager_gives_no_value_back(
    azure: Azure, shared_group: str, name: str
) -> None:
    uri = azure.vault(shared_group, name, rbac=False)
    body: Any = {"tags": {"a": "b"}, "properties": {"value": "hush", "contentType": "text"}}
    made = azure.vaults.secrets.create_or_update(shared_group, name, "conn", body)
    assert made.properties.secret_uri == f"{uri}secrets/conn"
    assert made.properties.value is None
    assert azure.vaults.secrets.get(shared_group, name, "conn").properties.value is None
    assert azure.secrets(uri).get_secret("conn").value == "hush"
    with pytest.raises(ResourceNotFoundError):
        azure.vaults.secrets.get(shared_group, name, "other")


def test_vaults_are_listed_by_group_and_in_the_subscription(azure: Azure, shared_group: str, name: str) -> None:
    azure.vault(shared_group, name, rbac=True)
    assert name in {each.name for each in azure.vaults.vaults.list_by_resource_group(shared_group)}
    assert name in {each.name for each in azure.vaults.vaults.list_by_subscription()}
    assert name in {each.name for each in azure.vaults.vaults.list()}
