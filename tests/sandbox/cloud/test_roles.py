from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError

from setup_kit.sandbox.access import SECRETS_OFFICER, SECRETS_USER
from setup_kit.sandbox.tenant import Tenant

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox


def code_of(error: HttpResponseError) -> str | None:
    return error.error.code if error.error else None


@pytest.fixture
def somebody(sandbox: Sandbox) -> str:
    """The object id of a new principal."""
    return Tenant(sandbox.state, sandbox["tenant_id"]).add_principal(str(uuid.uuid4()), "Somebody").object_id


def assign(azure: Azure, scope: str, role: str, principal: str, name: str = "", kind: str = "ServicePrincipal") -> Any:
    definition = (
        f"/subscriptions/{azure.sandbox['subscription_id']}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    )
    properties = {"roleDefinitionId": definition, "principalId": principal, "principalType": kind}
    return azure.roles.role_assignments.create(scope, name or str(uuid.uuid4()), {"properties": properties})


def scope_of(azure: Azure, group: str, rest: str = "") -> str:
    return f"/subscriptions/{azure.sandbox['subscription_id']}/resourceGroups/{group}{rest}"


@pytest.mark.parametrize(("name", "role"), [("Key Vault Secrets User", SECRETS_USER), ("Owner", None)])
def test_a_role_is_found_by_its_name(azure: Azure, shared_group: str, name: str, role: str | None) -> None:
    scope = scope_of(azure, shared_group)
    (found,) = azure.roles.role_definitions.list(scope, filter=f"roleName eq '{name}'")
    assert found.role_name == name
    assert role in (None, found.name)
    assert azure.roles.role_definitions.get(scope, found.name).id == found.id


def test_an_assignment_is_201_and_can_be_repeated_by_its_name(azure: Azure, shared_group: str, somebody: str) -> None:
    scope, name = scope_of(azure, shared_group), str(uuid.uuid4())
    made = assign(azure, scope, SECRETS_USER, somebody, name)
    assert (made.name, made.principal_id, made.principal_type) == (name, somebody, "ServicePrincipal")
    assert assign(azure, scope, SECRETS_USER, somebody, name).id == made.id
    with pytest.raises(HttpResponseError) as refused:
        assign(azure, scope, SECRETS_USER, somebody)
    assert (refused.value.status_code, code_of(refused.value)) == (409, "RoleAssignmentExists")


def test_a_principal_that_nobody_knows_is_refused(azure: Azure, shared_group: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        assign(azure, scope_of(azure, shared_group), SECRETS_USER, str(uuid.uuid4()))
    assert (refused.value.status_code, code_of(refused.value)) == (400, "PrincipalNotFound")


def test_a_principal_of_another_kind_is_refused(azure: Azure, shared_group: str, somebody: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        assign(azure, scope_of(azure, shared_group), SECRETS_USER, somebody, kind="Group")
    assert code_of(refused.value) == "UnmatchedPrincipalType"


def test_assignments_are_listed_above_at_and_below_a_scope(azure: Azure, shared_group: str, somebody: str) -> None:
    vault = scope_of(azure, shared_group, "/providers/Microsoft.KeyVault/vaults/nobodys")
    below = assign(azure, vault + "/secrets/conn", SECRETS_USER, somebody)
    at = assign(azure, vault, SECRETS_OFFICER, somebody)
    above = assign(azure, scope_of(azure, shared_group), SECRETS_USER, somebody)

    def listed(condition: str) -> set[str]:
        return {each.id for each in azure.roles.role_assignments.list_for_scope(vault, filter=condition)}

    assert listed(f"principalId eq '{somebody}'") == {below.id, at.id, above.id}
    assert listed(f"atScope() and principalId eq '{somebody}'") == {at.id, above.id}
    azure.roles.role_assignments.delete_by_id(at.id)
    assert listed(f"assignedTo('{somebody}')") == {below.id, above.id}


def test_an_assignment_to_a_group_is_its_members_too(azure: Azure, shared_group: str) -> None:
    scope = scope_of(azure, shared_group)
    group = azure.sandbox["sql_administrators"]["object_id"]
    made = assign(azure, scope, SECRETS_USER, group, kind="Group")
    found = azure.roles.role_assignments.list_for_scope(scope, filter=f"assignedTo('{azure.sandbox['object_id']}')")
    held = {each.id for each in found}
    azure.roles.role_assignments.delete_by_id(made.id)
    assert made.id in held


def test_a_right_that_is_given_holds_and_ends_when_it_is_taken(
    azure: Azure, stranger: Azure, sandbox: Sandbox, shared_group: str
) -> None:
    reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    principal = Tenant(sandbox.state, sandbox["tenant_id"]).principal_of(stranger.client_id)
    assert principal is not None
    made = assign(azure, scope_of(azure, shared_group), reader, principal.object_id)
    assert stranger.resources.resource_groups.get(shared_group).name == shared_group
    with pytest.raises(HttpResponseError) as refused:
        stranger.resources.resource_groups.create_or_update(shared_group, {"location": "westeurope"})
    assert code_of(refused.value) == "AuthorizationFailed"
    azure.roles.role_assignments.delete_by_id(made.id)
    with pytest.raises(HttpResponseError):
        stranger.resources.resource_groups.get(shared_group)


def test_a_missing_assignment_is_named(azure: Azure, shared_group: str) -> None:
    name = str(uuid.uuid4())
    with pytest.raises(HttpResponseError) as missing:
        azure.roles.role_assignments.get(scope_of(azure, shared_group), name)
    assert code_of(missing.value) == "RoleAssignmentNotFound"
    path = f"/resourceGroups/{shared_group}/providers/Microsoft.Authorization/roleAssignments/{name}"
    assert azure.arm("DELETE", path, version="2022-04-01").status_code == 204
