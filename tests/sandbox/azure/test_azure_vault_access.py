"""Who may use the secret: named when missing, given, waited for."""

from __future__ import annotations

import pytest

from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.role_assignments import SECRETS_OFFICER, SECRETS_USER
from setup_kit.engine.resource import NotReadable, Progress
from setup_kit.sandbox import access
from setup_kit.sandbox.resource_manager.vaults import VAULTS
from setup_kit.sandbox.tenant import Tenant
from tests.sandbox.azure.conftest import WRITES, Kit


@pytest.fixture
def roles(kit: Kit) -> Kit:
    kit.settle()
    return kit


@pytest.fixture
def policies(policy_kit: Kit) -> Kit:
    policy_kit.settle()
    return policy_kit


def drop_roles(kit: Kit, role: str) -> None:
    """Takes a role away from everybody on this kit's vault."""
    for each in access.assignments(kit.sandbox.state):
        if kit.vault.name in each["scope"] and each["role"] == role:
            kit.sandbox.state.delete(access.ASSIGNMENTS, each["id"].lower())


def set_policies(kit: Kit, policies: list[dict[str, object]]) -> list[dict[str, object]]:
    """Replaces the vault's access policies; returns those it had."""
    vault = kit.sandbox.state.get(VAULTS, kit.vault.name)
    assert vault is not None
    had: list[dict[str, object]] = vault["properties"]["accessPolicies"]
    kit.sandbox.state.put(
        VAULTS, kit.vault.name, {**vault, "properties": {**vault["properties"], "accessPolicies": policies}}
    )
    return had


def policy(kit: Kit, object_id: str, *permissions: str) -> dict[str, object]:
    return {
        "tenantId": kit.sandbox["tenant_id"],
        "objectId": object_id,
        "permissions": {"secrets": list(permissions)},
    }


def written(kit: Kit, since: int) -> list[str]:
    return [entry["path"] for entry in kit.requests()[since:] if entry["method"] in WRITES]


def test_the_services_role_reaches_the_one_secret_and_no_other(roles: Kit) -> None:
    assert roles.principal.observed is not None
    held = [
        each
        for each in access.assignments(roles.sandbox.state)
        if each["principal"] == roles.principal.observed.object_id and roles.vault.name in each["scope"]
    ]
    assert [(each["role"], each["scope"].rpartition("/vaults/")[2]) for each in held] == [
        (SECRETS_USER, f"{roles.vault.name}/secrets/data-export-connection")
    ]


def test_the_services_lost_role_is_named_and_given_back_and_nothing_else(roles: Kit) -> None:
    drop_roles(roles, SECRETS_USER)
    before = len(roles.requests())
    [change] = roles.settle()
    assert change.resource == "vault_access/service"
    assert change.target == "role Key Vault Secrets User"
    assert change.after == "on the secret data-export-connection"
    assert len(written(roles, before)) == 1
    assert roles.drift() == []


def test_the_services_lost_policy_is_named_and_given_back_and_nothing_else(policies: Kit) -> None:
    assert policies.principal.observed is not None
    had = set_policies(policies, [])
    mine = [each for each in had if each["objectId"] != policies.principal.observed.object_id]
    set_policies(policies, mine)
    before = len(policies.requests())
    [change] = policies.settle()
    assert (change.resource, change.target) == ("vault_access/service", "secret permission get")
    assert len(written(policies, before)) == 1
    assert policies.drift() == []


def test_the_service_is_given_exactly_get(policies: Kit) -> None:
    assert policies.principal.observed is not None
    vault = policies.vault.read()
    assert vault is not None
    assert vault.policies[policies.principal.observed.object_id] == {"get"}


def test_policies_of_others_stay(policies: Kit) -> None:
    somebody = "aaaaaaaa-0000-0000-0000-000000000001"
    set_policies(policies, [policy(policies, somebody, "list")])
    policies.settle()
    vault = policies.vault.read()
    assert vault is not None
    assert vault.policies[somebody] == {"list"}
    assert len(vault.policies) == 3


def test_more_than_get_is_warned_of_and_left(policies: Kit) -> None:
    assert policies.principal.observed is not None
    had = set_policies(policies, [])
    set_policies(policies, [*had, policy(policies, policies.principal.observed.object_id, "get", "list", "purge")])
    assert policies.drift() == []
    assert policies.service_access.observed is not None
    [finding] = policies.service_access.audit(policies.service_access.observed)
    assert "list, purge" in finding.message


def test_a_wider_role_is_enough_and_warned_of(roles: Kit) -> None:
    assert roles.principal.observed is not None
    assert roles.vault.observed is not None
    drop_roles(roles, SECRETS_USER)
    access.assign(
        roles.sandbox.state,
        roles.vault.observed.id,
        SECRETS_USER,
        roles.principal.observed.object_id,
        "ServicePrincipal",
    )
    assert roles.drift() == []
    assert roles.service_access.observed is not None
    [finding] = roles.service_access.audit(roles.service_access.observed)
    assert "Key Vault Secrets User" in finding.message


def test_a_role_on_another_secret_is_not_enough(roles: Kit) -> None:
    assert roles.principal.observed is not None
    assert roles.vault.observed is not None
    drop_roles(roles, SECRETS_USER)
    access.assign(
        roles.sandbox.state,
        f"{roles.vault.observed.id}/secrets/data-export-connection-2",
        SECRETS_USER,
        roles.principal.observed.object_id,
        "ServicePrincipal",
    )
    assert [change.resource for change in roles.drift()] == ["vault_access/service"]


def test_the_operator_without_a_role_cannot_read_the_secret_yet(roles: Kit) -> None:
    drop_roles(roles, SECRETS_OFFICER)
    [change] = roles.drift(roles.vault, roles.operator_access)
    assert change.target == "role Key Vault Secrets Officer"
    with pytest.raises(NotReadable):
        roles.secret.read()
    roles.settle(roles.vault, roles.operator_access)
    assert roles.drift() == []


def test_the_operator_without_a_policy_is_given_get_and_set(policies: Kit) -> None:
    had = set_policies(policies, [])
    set_policies(policies, [each for each in had if each["objectId"] != policies.sandbox["object_id"]])
    [change] = policies.settle(policies.vault, policies.operator_access)
    assert change.target == "secret permission get, set"
    vault = policies.vault.read()
    assert vault is not None
    assert vault.policies[policies.sandbox["object_id"]] == {"get", "set"}


@pytest.mark.parametrize("authorization", ["rbac", "access_policy"])
def test_what_the_operators_group_has_is_enough(kit: Kit, authorization: str) -> None:
    kit = kit.but(key_vault={"authorization": authorization})
    kit.settle(kit.group, kit.vault)
    assert kit.vault.observed is not None
    group = kit.sandbox["sql_administrators"]["object_id"]
    if authorization == "rbac":
        access.assign(kit.sandbox.state, kit.vault.observed.id, SECRETS_OFFICER, group, "Group")
    else:
        set_policies(kit, [policy(kit, group, "get", "set")])
    assert kit.drift(kit.vault, kit.operator_access) == []


def test_a_permission_is_waited_for_by_trying_so_that_no_second_run_is_needed(policies: Kit) -> None:
    assert policies.operator_access.granted
    had = set_policies(policies, [])
    told: list[Progress] = []

    def propagate(progress: Progress) -> None:
        told.append(progress)
        set_policies(policies, had)

    policies.secret.report = propagate
    assert policies.secret.read() is not None
    [progress] = told
    assert progress.resource == policies.secret.address
    assert "does not hold yet" in progress.text


def test_a_principal_that_is_not_known_yet_is_waited_for(roles: Kit) -> None:
    assert roles.vault.observed is not None
    tenant = Tenant(roles.sandbox.state, roles.sandbox["tenant_id"])
    principal = "bbbbbbbb-0000-0000-0000-000000000001"
    told: list[AzureRefusal] = []

    def replicate(waited: float, refusal: AzureRefusal) -> None:
        told.append(refusal)
        roles.sandbox.state.put(
            "service-principals", principal, {"app_id": principal, "display_name": "New", "roles": []}
        )

    made = roles.azure.role_assignments.create(
        roles.vault.observed.id, SECRETS_USER, principal, "ServicePrincipal", replicate
    )
    assert [refusal.code for refusal in told] == ["PrincipalNotFound"]
    assert made.principal_id == principal
    again = roles.azure.role_assignments.create(
        roles.vault.observed.id, SECRETS_USER, principal, "ServicePrincipal", replicate
    )
    assert again.role == SECRETS_USER
    tenant.remove_principal(principal)


def test_what_was_given_is_taken_away(roles: Kit) -> None:
    for resource in (roles.service_access, roles.operator_access):
        assert resource.observed is not None
        resource.delete(resource.observed)
    assert [change.resource for change in roles.drift(roles.vault, roles.operator_access)] == ["vault_access/operator"]
    with pytest.raises(NotReadable):
        roles.secret.read()
