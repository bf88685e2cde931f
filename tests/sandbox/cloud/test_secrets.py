from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from setup_kit.sandbox import access
from setup_kit.sandbox.tenant import SERVICE_APP_ID, Tenant

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox


@pytest.fixture(scope="module")
def vault(azure: Azure, shared_group: str) -> str:
    """A vault with access policies, of which the administrator has all."""
    return azure.vault(shared_group, f"p{uuid.uuid4().hex[:12]}", rbac=False)


@pytest.fixture(scope="module")
def rbac_vault(azure: Azure, shared_group: str) -> tuple[str, str]:
    """The name and URI of a vault with roles, which nobody has been given any."""
    name = f"r{uuid.uuid4().hex[:12]}"
    return name, azure.vault(shared_group, name, rbac=True)


def inner_code(error: HttpResponseError) -> str:
    response: Any = error.response
    return str(response.json()["error"]["innererror"]["code"])


def object_id(sandbox: Sandbox, client: Azure) -> str:
    principal = Tenant(sandbox.state, sandbox["tenant_id"]).principal_of(client.client_id)
    assert principal is not None
    return principal.object_id


def test_a_call_without_a_token_is_challenged(sandbox: Sandbox, vault: str) -> None:
    answer = requests.get(f"{vault}secrets?api-version=7.6", verify=sandbox["ca_file"], timeout=30)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization="{sandbox["authority"]}/{sandbox["tenant_id"]}", resource="https://vault.azure.net"'
    )
    assert answer.json()["error"]["message"].startswith("AKV10000: Request is missing a Bearer or PoP token.")


def test_answers_carry_key_vaults_headers(sandbox: Sandbox, vault: str) -> None:
    answer = requests.get(f"{vault}secrets?api-version=7.6", verify=sandbox["ca_file"], timeout=30)
    assert answer.headers["x-ms-keyvault-region"] == "westeurope"
    assert {"x-ms-keyvault-service-version", "x-ms-keyvault-network-info"} <= set(map(str.lower, answer.headers))


def test_a_secret_has_versions_tags_and_a_content_type(azure: Azure, vault: str, name: str) -> None:
    client = azure.secrets(vault)
    first = client.set_secret(name, "one", tags={"a": "b"}, content_type="text/plain")
    second = client.set_secret(name, "two")
    assert client.get_secret(name).value == "two"
    kept = client.get_secret(name, first.properties.version)
    assert (kept.value, kept.properties.tags, kept.properties.content_type) == ("one", {"a": "b"}, "text/plain")
    versions = {each.version for each in client.list_properties_of_secret_versions(name)}
    assert versions == {first.properties.version, second.properties.version}
    assert kept.id == f"{vault}secrets/{name}/{first.properties.version}"


def test_an_update_changes_attributes_and_tags_and_no_value(azure: Azure, vault: str, name: str) -> None:
    client = azure.secrets(vault)
    client.set_secret(name, "one", tags={"a": "b"})
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    client.update_secret_properties(name, tags={"c": "d"}, expires_on=ends)
    kept = client.get_secret(name)
    assert (kept.value, kept.properties.tags, kept.properties.expires_on) == ("one", {"c": "d"}, ends)


def test_a_disabled_secret_gives_no_value(azure: Azure, vault: str, name: str) -> None:
    client = azure.secrets(vault)
    client.set_secret(name, "one", enabled=False)
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret(name)
    assert (refused.value.status_code, inner_code(refused.value)) == (403, "SecretDisabled")


def test_an_expired_secret_still_gives_its_value(azure: Azure, vault: str, name: str) -> None:
    client = azure.secrets(vault)
    client.set_secret(name, "one", expires_on=datetime.now(UTC) - timedelta(days=1))
    assert client.get_secret(name).value == "one"


def test_a_missing_secret_is_secretnotfound(azure: Azure, vault: str, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as missing:
        azure.secrets(vault).get_secret(name)
    assert missing.value.error is not None
    assert missing.value.error.code == "SecretNotFound"


def test_a_deleted_secret_blocks_its_name_and_can_be_recovered(azure: Azure, vault: str, name: str) -> None:
    client = azure.secrets(vault)
    client.set_secret(name, "one")
    assert client.begin_delete_secret(name).result().name == name
    assert client.get_deleted_secret(name).recovery_id == f"{vault}deletedsecrets/{name}"
    assert name in {each.name for each in client.list_deleted_secrets()}
    with pytest.raises(ResourceExistsError) as refused:
        client.set_secret(name, "two")
    assert inner_code(refused.value) == "ObjectIsDeletedButRecoverable"
    client.begin_recover_deleted_secret(name).wait()
    assert client.get_secret(name).value == "one"


def test_a_purged_secret_is_gone(azure: Azure, vault: str, name: str) -> None:
    client = azure.secrets(vault)
    client.set_secret(name, "one")
    client.begin_delete_secret(name).wait()
    client.purge_deleted_secret(name)
    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_secret(name)
    client.set_secret(name, "two")
    assert len(list(client.list_properties_of_secret_versions(name))) == 1


def test_many_secrets_come_in_pages(azure: Azure, shared_group: str, name: str) -> None:
    client = azure.secrets(azure.vault(shared_group, name, rbac=False))
    for number in range(7):
        client.set_secret(f"s{number}", "x")
    pages = client.list_properties_of_secrets(max_page_size=3).by_page()
    assert [[each.name for each in page] for page in pages] == [["s0", "s1", "s2"], ["s3", "s4", "s5"], ["s6"]]


@pytest.mark.parametrize(
    ("value", "tags"), [("x" * 25601, {}), ("x", {str(number): "" for number in range(16)}), ("x", {"k" * 257: ""})]
)
def test_what_is_too_much_for_key_vault_is_refused(
    azure: Azure, vault: str, name: str, value: str, tags: dict[str, str]
) -> None:
    with pytest.raises(HttpResponseError) as refused:
        azure.secrets(vault).set_secret(name, value, tags=tags)
    assert refused.value.status_code == 400


def test_an_access_policy_lets_do_what_it_names_and_no_more(
    azure: Azure, sandbox: Sandbox, stranger: Azure, shared_group: str, name: str
) -> None:
    uri = azure.vault(shared_group, name, rbac=False)
    azure.secrets(uri).set_secret("conn", "value")
    with pytest.raises(HttpResponseError) as refused:
        stranger.secrets(uri).get_secret("conn")
    assert (refused.value.status_code, inner_code(refused.value)) == (403, "AccessDenied")
    assert "does not have secrets get permission on key vault" in str(refused.value)
    policy = {
        "tenantId": sandbox["tenant_id"],
        "objectId": object_id(sandbox, stranger),
        "permissions": {"secrets": ["Get"]},
    }
    azure.vaults.vaults.update_access_policy(shared_group, name, "add", {"properties": {"accessPolicies": [policy]}})
    assert stranger.secrets(uri).get_secret("conn").value == "value"
    for forbidden in (
        lambda: stranger.secrets(uri).set_secret("conn", "x"),
        lambda: list(stranger.secrets(uri).list_properties_of_secrets()),
    ):
        with pytest.raises(HttpResponseError) as refused:
            forbidden()
        assert inner_code(refused.value) == "AccessDenied"


def test_a_policy_of_a_group_is_its_members(azure: Azure, sandbox: Sandbox, shared_group: str, name: str) -> None:
    policy = {
        "tenantId": sandbox["tenant_id"],
        "objectId": sandbox["sql_administrators"]["object_id"],
        "permissions": {"secrets": ["all"]},
    }
    uri = azure.vault(shared_group, name, rbac=False, accessPolicies=[policy])
    assert azure.secrets(uri).set_secret("conn", "value").value == "value"


def test_with_roles_policies_are_ignored(azure: Azure, rbac_vault: tuple[str, str]) -> None:
    vault, uri = rbac_vault
    with pytest.raises(HttpResponseError) as refused:
        azure.secrets(uri).set_secret("conn", "value")
    assert (refused.value.status_code, inner_code(refused.value)) == (403, "ForbiddenByRbac")
    message = str(refused.value)
    assert f"oid={azure.sandbox['object_id']}" in message
    assert "Action: 'Microsoft.KeyVault/vaults/secrets/setSecret/action'" in message
    assert f"/providers/microsoft.keyvault/vaults/{vault}/secrets/conn'" in message
    assert "please observe propagation time" in message


@pytest.mark.parametrize("level", ["secret", "vault", "group", "subscription"])
def test_a_role_holds_at_every_scope_above_the_secret(
    azure: Azure, sandbox: Sandbox, stranger: Azure, shared_group: str, rbac_vault: tuple[str, str], level: str
) -> None:
    vault, uri = rbac_vault
    subscription = f"/subscriptions/{sandbox['subscription_id']}"
    group = f"{subscription}/resourceGroups/{shared_group}"
    resource = f"{group}/providers/Microsoft.KeyVault/vaults/{vault}"
    scope = {
        "secret": resource + "/secrets/conn",
        "vault": resource,
        "group": group,
        "subscription": subscription,
    }[level]
    kept: set[str] = set()
    for who, role in ((azure, access.SECRETS_OFFICER), (stranger, access.SECRETS_USER)):
        kept.add(access.assign(sandbox.state, scope, role, object_id(sandbox, who), "ServicePrincipal"))
    try:
        azure.secrets(uri).set_secret("conn", level)
        assert stranger.secrets(uri).get_secret("conn").value == level
        with pytest.raises(HttpResponseError):
            stranger.secrets(uri).set_secret("conn", "mine")
    finally:
        for each in kept:
            sandbox.state.delete(access.ASSIGNMENTS, each.lower())
    with pytest.raises(HttpResponseError):
        stranger.secrets(uri).get_secret("conn")


def test_a_vault_of_another_tenant_does_not_know_the_issuer(azure: Azure, shared_group: str, name: str) -> None:
    other = str(uuid.uuid4())
    uri = azure.vault(shared_group, name, rbac=True, tenantId=other)
    answer = azure.call("GET", f"{uri}secrets?api-version=7.6", "https://vault.azure.net")
    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("AKV10032: Invalid issuer.")
    assert f'/{other}"' in answer.headers["WWW-Authenticate"]


def test_a_token_for_something_else_is_refused(azure: Azure, vault: str) -> None:
    answer = azure.call("GET", f"{vault}secrets?api-version=7.6", azure.sandbox["resource_manager_audience"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")


def test_a_vaults_firewall_keeps_this_machine_out(azure: Azure, shared_group: str, name: str) -> None:
    uri = azure.vault(shared_group, name, rbac=False, networkAcls={"defaultAction": "Deny", "ipRules": []})
    with pytest.raises(HttpResponseError) as refused:
        azure.secrets(uri).get_secret("conn")
    assert inner_code(refused.value) == "ForbiddenByFirewall"


@pytest.mark.parametrize(
    ("properties", "word"),
    [
        ({"networkAcls": {"defaultAction": "Deny", "bypass": "None", "ipRules": []}}, "ForbiddenByFirewall"),
        ({"networkAcls": {"defaultAction": "Deny", "bypass": "None", "ipRules": [{"value": "127.0.0.1"}]}}, None),
        ({"publicNetworkAccess": "Disabled"}, "ForbiddenByConnection"),
    ],
)
def test_rules_or_no_public_network_decide_who_is_let_in(
    azure: Azure, shared_group: str, name: str, properties: dict[str, Any], word: str | None
) -> None:
    client = azure.secrets(azure.vault(shared_group, name, rbac=False, **properties))
    if word is None:
        assert client.set_secret("conn", "value").value == "value"
        return
    with pytest.raises(HttpResponseError) as refused:
        client.set_secret("conn", "value")
    assert (refused.value.status_code, inner_code(refused.value)) == (403, word)


@pytest.mark.parametrize(
    ("properties", "admitted"),
    [
        ({"networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices", "ipRules": []}}, True),
        ({"networkAcls": {"defaultAction": "Deny", "bypass": "None", "ipRules": [{"value": "40.68.252.224"}]}}, True),
        ({"networkAcls": {"defaultAction": "Deny", "bypass": "None", "ipRules": [{"value": "127.0.0.1"}]}}, False),
        ({"publicNetworkAccess": "Disabled"}, True),
    ],
    ids=["trusted", "its address", "another address", "trusted without a public network"],
)
def test_the_export_service_passes_a_vaults_firewall_as_a_trusted_one_or_by_its_address(
    azure: Azure, sandbox: Sandbox, shared_group: str, name: str, properties: dict[str, Any], admitted: bool
) -> None:
    tenant = Tenant(sandbox.state, sandbox["tenant_id"])
    application = tenant.application(SERVICE_APP_ID)
    assert application is not None
    service = type(azure)(sandbox, SERVICE_APP_ID, application["secret"])
    policy = {
        "tenantId": sandbox["tenant_id"],
        "objectId": object_id(sandbox, service),
        "permissions": {"secrets": ["get"]},
    }
    uri = azure.vault(shared_group, name, rbac=False, accessPolicies=[policy], **properties)
    body: Any = {"properties": {"value": "value"}}
    azure.vaults.secrets.create_or_update(shared_group, name, "conn", body)
    if admitted:
        assert service.secrets(uri).get_secret("conn").value == "value"
        return
    with pytest.raises(HttpResponseError) as refused:
        service.secrets(uri).get_secret("conn")
    assert inner_code(refused.value) == "ForbiddenByFirewall"
    assert "Client address: 40.68.252.224" in str(refused.value)


def test_values_are_in_the_private_state_and_nowhere_else(
    azure: Azure, sandbox: Sandbox, vault: str, name: str
) -> None:
    azure.secrets(vault).set_secret(name, "hush-hush-hush")
    azure.secrets(vault).get_secret(name)
    holders = {
        path.name for path in sandbox.directory.rglob("*") if path.is_file() and b"hush-hush-hush" in path.read_bytes()
    }
    assert holders <= {"state.db", "state.db-wal"}
    assert {(sandbox.directory / each).stat().st_mode & 0o777 for each in holders} == {0o600}
