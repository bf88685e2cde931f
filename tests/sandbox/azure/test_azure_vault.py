"""The key vault: its model is never flipped, deleted ones are recovered when they are ours."""

from __future__ import annotations

import pytest

from setup_kit.azure.clients import AzureClients
from setup_kit.engine.resource import Action, NotReadable
from setup_kit.errors import KitError
from setup_kit.resources.vault import Vault
from setup_kit.sandbox import access
from setup_kit.sandbox.resource_manager.sql_servers import TAKEN
from setup_kit.sandbox.resource_manager.vaults import VAULTS
from tests.sandbox.azure.conftest import OWNER, Kit


def test_the_model_is_said_whichever_it_is(kit: Kit, policy_kit: Kit) -> None:
    kit.settle(kit.group, kit.vault)
    other = policy_kit.but(key_vault={"name": f"{kit.vault.name}-p"})
    other.settle(other.group, other.vault)
    assert kit.vault.observed is not None
    assert other.vault.observed is not None
    assert (kit.vault.observed.rbac, other.vault.observed.rbac) == (True, False)
    assert kit.vault.observed.ready


def test_a_vault_of_the_other_model_is_refused_and_left_alone(kit: Kit) -> None:
    kit.settle(kit.group, kit.vault)
    other = kit.but(key_vault={"authorization": "access_policy"}, tags={"new": "tag"})
    before = kit.sandbox.state.get(VAULTS, kit.vault.name)
    with pytest.raises(KitError) as refused:
        other.settle(other.group, other.vault)
    assert "Azure RBAC" in refused.value.what
    assert "set 'key_vault.authorization' to rbac" in refused.value.remedy
    assert kit.sandbox.state.get(VAULTS, kit.vault.name) == before


def test_new_tags_do_not_flip_the_model(policy_kit: Kit) -> None:
    policy_kit.settle(policy_kit.group, policy_kit.vault)
    tagged = policy_kit.but(tags={"new": "tag"})
    [change] = tagged.settle(tagged.vault)
    assert change.after == {"new": "tag"}
    observed = tagged.vault.read()
    assert observed is not None
    assert not observed.rbac


def test_a_deleted_vault_of_ours_is_recovered_with_its_secrets(kit: Kit) -> None:
    kit.settle()
    assert kit.secret.observed is not None
    password = kit.secret.observed.password
    kit.azure.key_vaults.delete(kit.group.name, kit.vault.name)
    [change] = kit.drift(kit.vault)
    assert (change.action, change.before, change.after) == (Action.CREATE, "deleted", "recovered")
    assert "recovered with its secrets" in change.why
    with pytest.raises(NotReadable):
        kit.secret.read()
    kit.settle(kit.vault, kit.operator_access, kit.secret, kit.service_access)
    assert kit.secret.observed.password == password
    assert kit.drift() == []


def test_it_is_recovered_even_when_its_resource_group_went_with_it(kit: Kit) -> None:
    kit.settle(kit.group, kit.vault)
    kit.azure.resource_groups.delete(kit.group.name)
    changes = kit.settle(kit.group, kit.vault)
    assert [change.after for change in changes] == [None, "recovered"]
    assert kit.drift(kit.vault) == []


def test_a_deleted_vault_of_another_group_is_refused(kit: Kit) -> None:
    kit.settle(kit.group, kit.vault)
    kit.azure.key_vaults.delete(kit.group.name, kit.vault.name)
    other = kit.but(resource_group=f"{kit.group.name}-other")
    other.settle(other.group)
    with pytest.raises(KitError) as refused:
        other.drift(other.vault)
    assert kit.group.name in refused.value.what
    assert "az keyvault purge" in refused.value.remedy


def test_a_name_that_somebody_else_has_is_refused(kit: Kit) -> None:
    kit.sandbox.state.put(TAKEN, f"vault/{kit.vault.name}", {})
    with pytest.raises(KitError) as refused:
        kit.drift(kit.vault)
    assert "already in use" in refused.value.original
    assert "key_vault.name" in refused.value.remedy


def test_a_vault_still_being_registered_is_waited_for(kit: Kit) -> None:
    kit.settle(kit.group, kit.vault)
    state = kit.sandbox.state
    vault = state.get(VAULTS, kit.vault.name)
    assert vault is not None
    state.put(VAULTS, kit.vault.name, {**vault, "state": "RegisteringDns"})
    [change] = kit.drift(kit.vault)
    assert (change.target, change.before) == ("registration", "under way")
    with pytest.raises(NotReadable):
        kit.secret.read()
    # The report comes before each pause: that is when the cloud is done.
    kit.vault.report = lambda progress: state.put(VAULTS, kit.vault.name, {**vault, "state": "Succeeded"})
    settled = kit.vault.apply(change)
    assert settled is not None and settled.ready
    assert kit.drift(kit.vault) == []


def test_a_vault_of_another_tenant_is_refused(kit: Kit) -> None:
    kit.settle(kit.group, kit.vault)
    state = kit.sandbox.state
    vault = state.get(VAULTS, kit.vault.name)
    assert vault is not None
    elsewhere = {**vault["properties"], "tenantId": "11111111-2222-3333-4444-555555555555"}
    state.put(VAULTS, kit.vault.name, {**vault, "properties": elsewhere})
    with pytest.raises(KitError, match="belongs to the tenant 11111111"):
        kit.drift(kit.vault)


def test_who_has_a_role_in_the_resource_group_alone_can_do_without_asking_for_names(
    kit: Kit, stranger: AzureClients
) -> None:
    kit.settle(kit.group)
    caller = stranger.identity.caller().object_id
    scope = f"/subscriptions/{kit.sandbox['subscription_id']}/resourceGroups/{kit.group.name}"
    access.assign(kit.sandbox.state, scope, access.OWNER, caller, "ServicePrincipal")
    theirs = Kit(kit.sandbox, kit.environment, stranger)
    assert theirs.settle(theirs.group, theirs.server, theirs.vault)
    assert theirs.drift(theirs.group, theirs.server, theirs.vault) == []


def test_a_vault_made_for_another_environment_is_used_and_not_changed(kit: Kit) -> None:
    kit.settle(kit.group, kit.vault)
    assert Vault(kit.environment, kit.azure, kit.group, owner="other").diff(kit.vault.observed) == []
    tagged = kit.but(tags={"department": "finance"})
    other = Vault(tagged.environment, kit.azure, kit.group, owner="other")
    with pytest.raises(KitError) as refused:
        other.diff(other.read())
    assert OWNER in refused.value.what


def test_a_deleted_vault_of_another_environment_is_not_recovered(kit: Kit) -> None:
    kit.settle(kit.group, kit.vault)
    kit.azure.key_vaults.delete(kit.group.name, kit.vault.name)
    other = Vault(kit.environment, kit.azure, kit.group, owner="other")
    with pytest.raises(KitError, match=OWNER):
        other.diff(other.read())
