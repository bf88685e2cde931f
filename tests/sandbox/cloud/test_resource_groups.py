from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox


def test_a_group_is_created_and_then_updated(azure: Azure, name: str) -> None:
    body = {"location": "West Europe", "tags": {"owner": "me"}}
    assert azure.arm("PUT", f"/resourcegroups/{name}", body).status_code == 201
    assert azure.arm("PUT", f"/resourceGroups/{name.upper()}", body).status_code == 200
    kept = azure.resources.resource_groups.get(name)
    assert (kept.name, kept.location, kept.tags) == (name, "westeurope", {"owner": "me"})


def test_a_put_replaces_the_tags(azure: Azure, name: str) -> None:
    groups = azure.resources.resource_groups
    groups.create_or_update(name, {"location": "westeurope", "tags": {"a": "1", "b": "2"}})
    groups.create_or_update(name, {"location": "westeurope", "tags": {"b": "3"}})
    assert groups.get(name).tags == {"b": "3"}


def test_a_missing_group_is_named(azure: Azure, name: str) -> None:
    assert azure.resources.resource_groups.check_existence(name) is False
    with pytest.raises(ResourceNotFoundError) as missing:
        azure.resources.resource_groups.get(name)
    error = missing.value.error
    assert error is not None
    assert (error.code, error.message) == ("ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def test_a_missing_group_is_the_answer_for_all_in_it(azure: Azure, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as missing:
        azure.sql.servers.get(name, "server")
    assert missing.value.error is not None
    assert missing.value.error.code == "ResourceGroupNotFound"


def test_an_unknown_region_is_refused(azure: Azure, name: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        azure.resources.resource_groups.create_or_update(name, {"location": "atlantis"})
    assert refused.value.error is not None
    assert refused.value.error.code == "LocationNotAvailableForResourceGroup"


def test_deleting_a_group_takes_its_resources_along(azure: Azure, name: str) -> None:
    azure.resources.resource_groups.create_or_update(name, {"location": "westeurope"})
    azure.server(name, name)
    azure.vault(name, name, rbac=True)
    kinds = sorted(str(each.type) for each in azure.resources.resources.list_by_resource_group(name))
    assert kinds == ["Microsoft.KeyVault/vaults", "Microsoft.Sql/servers", "Microsoft.Sql/servers/databases"]
    azure.resources.resource_groups.begin_delete(name).result()
    assert azure.resources.resource_groups.check_existence(name) is False
    assert azure.sql.servers.check_name_availability({"name": name, "type": "Microsoft.Sql/servers"}).available
    assert azure.vaults.vaults.get_deleted(name, "westeurope").name == name


def test_a_call_without_a_token_is_sent_to_the_authority(sandbox: Sandbox) -> None:
    url = f"{sandbox['resource_manager']}/subscriptions?api-version=2022-12-01"
    answer = requests.get(url, verify=sandbox["ca_file"], timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationFailed")
    sign_in = f"{sandbox['authority']}/{sandbox['tenant_id']}"
    assert answer.headers["WWW-Authenticate"].startswith(f'Bearer authorization_uri="{sign_in}", error="invalid_token"')
    assert answer.headers["x-ms-failure-cause"] == "gateway"


def test_a_token_for_another_audience_is_refused(azure: Azure) -> None:
    url = f"{azure.sandbox['resource_manager']}/subscriptions?api-version=2022-12-01"
    answer = azure.call("GET", url, "https://vault.azure.net")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


def test_an_application_without_a_role_is_told_what_it_may_not(stranger: Azure, shared_group: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        stranger.sql.servers.get(shared_group, "server")
    error = refused.value.error
    assert error is not None
    assert (refused.value.status_code, error.code) == (403, "AuthorizationFailed")
    assert f"The client '{stranger.client_id}' with object id" in str(error.message)
    assert "to perform action 'Microsoft.Sql/servers/read' over scope '/subscriptions/" in str(error.message)


@pytest.mark.parametrize(
    ("path", "version", "status", "code"),
    [
        ("/resourceGroups", "", 400, "MissingApiVersionParameter"),
        ("/resourceGroups", "yesterday", 400, "InvalidApiVersionParameter"),
        ("/providers/Microsoft.Compute", "2024-07-01", 404, "InvalidResourceNamespace"),
        ("/resourceGroups/g/providers/Microsoft.Compute/disks/d", "2024-07-01", 501, "NotImplementedInSandbox"),
    ],
)
def test_a_call_that_cannot_be_answered_says_why(azure: Azure, path: str, version: str, status: int, code: str) -> None:
    answer = azure.arm("GET", path, version=version)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_another_subscription_is_not_there(azure: Azure) -> None:
    url = f"{azure.sandbox['resource_manager']}/subscriptions/{uuid.uuid4()}/resourceGroups?api-version=2024-07-01"
    answer = azure.call("GET", url, azure.sandbox["resource_manager_audience"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "SubscriptionNotFound")


def test_a_body_that_is_not_json_is_not_quoted_back(azure: Azure, name: str) -> None:
    token = azure.token(azure.sandbox["resource_manager_audience"])
    url = f"{azure.sandbox['resource_manager']}/subscriptions/{azure.sandbox['subscription_id']}/resourceGroups/{name}"
    answer = requests.put(
        url + "?api-version=2024-07-01",
        data='{"password": "hush',
        headers={"Authorization": f"Bearer {token}"},
        verify=azure.sandbox["ca_file"],
        timeout=30,
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")
    assert "hush" not in answer.text


def test_a_provider_that_is_not_registered_says_so_until_it_is(
    azure: Azure, sandbox: Sandbox, shared_group: str, name: str
) -> None:
    sandbox.state.put("resource-providers", "microsoft.keyvault", {"state": "NotRegistered"})
    try:
        assert azure.resources.providers.get("Microsoft.KeyVault").registration_state == "NotRegistered"
        with pytest.raises(HttpResponseError) as refused:
            azure.vault(shared_group, name, rbac=True)
        assert (refused.value.status_code, error_code(refused.value)) == (409, "MissingSubscriptionRegistration")
    finally:
        azure.resources.providers.register("Microsoft.KeyVault")
    assert azure.resources.providers.get("microsoft.keyvault").registration_state == "Registered"


def error_code(error: Any) -> str:
    return str(error.error.code)
