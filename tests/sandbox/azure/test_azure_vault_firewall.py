"""A vault whose network rules keep this machine out: what is seen, what is written, what is said of the service."""

from __future__ import annotations

from typing import Any

import pytest

from setup_kit.engine.resource import Finding, Status
from setup_kit.errors import KitError
from setup_kit.sandbox.key_vault.store import Secrets as Store
from setup_kit.sandbox.resource_manager.vaults import VAULTS
from tests.sandbox.azure.conftest import WRITES, Kit

DENY: dict[str, Any] = {"defaultAction": "Deny", "bypass": "AzureServices", "ipRules": []}
NONE: dict[str, Any] = {**DENY, "bypass": "None"}


def close(kit: Kit, **properties: Any) -> None:
    vault = kit.sandbox.state.get(VAULTS, kit.vault.name)
    assert vault is not None
    kit.sandbox.state.put(VAULTS, kit.vault.name, {**vault, "properties": {**vault["properties"], **properties}})


def network(kit: Kit) -> Finding | None:
    kit.vault.observed = kit.vault.read()
    assert kit.vault.observed is not None
    found = [each for each in kit.vault.audit(kit.vault.observed) if each.check == "key_vault.network"]
    return found[0] if found else None


@pytest.fixture
def closed(kit: Kit) -> Kit:
    kit.settle(kit.principal, kit.group, kit.server, kit.vault)
    close(kit, networkAcls=DENY)
    return kit


def test_the_operator_is_given_no_permission_that_would_not_help(closed: Kit) -> None:
    before = len(closed.requests())
    assert [change.resource for change in closed.settle(closed.vault, closed.operator_access, closed.secret)] == [
        closed.secret.address
    ]
    asked = closed.requests()[before:]
    assert [each["method"] for each in asked if "/secrets/" in each["path"] and each["method"] in WRITES] == ["PUT"]
    assert closed.operator_access.observed is not None
    assert "none is needed" in closed.operator_access.evidence(closed.operator_access.observed)
    # Once refused, the vault's own address is not asked again.
    assert len([each for each in asked if each["part"] == "key-vault" and each["status"] == 403]) == 1


def test_what_this_run_wrote_it_knows_and_another_run_does_not(closed: Kit) -> None:
    closed.settle(closed.vault, closed.operator_access, closed.secret)
    known = closed.secret.read()
    assert known is not None
    assert known.password is not None
    assert closed.secret.unseen(known) is None
    later = closed.but()
    assert later.drift(later.server, later.vault, later.operator_access, later.secret) == []
    assert later.secret.observed is not None
    assert (later.secret.observed.value, later.secret.observed.user) == (None, "dataexport")
    unseen = later.secret.unseen(later.secret.observed)
    assert unseen is not None
    assert unseen.status is Status.SKIPPED
    # Somebody else's version is not this run's any more.
    Store(closed.sandbox.state, closed.vault.name).set(closed.secret.name, "theirs", None, {}, {})
    overwritten = closed.secret.read()
    assert overwritten is not None
    assert (overwritten.value, overwritten.user) == (None, "")


def test_rules_that_came_while_the_vault_was_made_do_not_stop_the_run(kit: Kit) -> None:
    kit.settle(kit.principal, kit.group, kit.server, kit.vault)
    [change] = kit.drift(kit.operator_access)
    close(kit, networkAcls=DENY)
    kit.operator_access.observed = kit.operator_access.apply(change)
    kit.settle(kit.secret)
    assert len(Store(kit.sandbox.state, kit.vault.name).versions(kit.secret.name)[1]) == 1


def test_a_deleted_secret_that_resource_manager_cannot_recover_is_named(closed: Kit) -> None:
    closed.settle(closed.vault, closed.operator_access, closed.secret)
    Store(closed.sandbox.state, closed.vault.name).delete(closed.secret.name, 7)
    with pytest.raises(KitError) as refused:
        closed.settle(closed.secret)
    assert "still holds its name" in refused.value.what
    assert f"az keyvault secret recover --vault-name {closed.vault.name}" in refused.value.remedy


def test_a_vault_that_does_not_answer_is_passed_through_resource_manager_where_it_has_no_public_network(
    closed: Kit,
) -> None:
    close(closed, publicNetworkAccess="Disabled")
    closed.drift(closed.server, closed.vault)
    assert closed.vault.observed is not None
    # As the name of a vault with a private endpoint leads nowhere outside its network.
    uri = "https://127.0.0.1:9/"
    secrets = closed.azure.vault_secrets(closed.vault.observed.id, uri, restricted=True)
    assert secrets.get(closed.secret.name) is None
    assert secrets.kept_out is not None
    assert "private endpoint" in secrets.kept_out.remedy


def test_no_network_rule_is_no_finding(closed: Kit) -> None:
    close(closed, networkAcls={"defaultAction": "Allow"})
    assert network(closed) is None


def test_rules_that_do_not_name_the_services_addresses_are_warned_of_with_the_command_that_does(closed: Kit) -> None:
    close(closed, networkAcls=NONE)
    american = closed.but(sql={"firewall": {"service_region": "East US"}})
    found = network(american)
    assert found is not None
    assert found.status is Status.WARNING
    assert "23.96.92.86 (East US), 40.112.139.218 (West US)" in found.message
    assert "trusted" not in found.message
    assert found.remedy == (
        f"az keyvault network-rule add --name {closed.vault.name} --ip-address 23.96.92.86 40.112.139.218"
    )
    assert "default action Deny; bypass None; addresses: none" in found.evidence


def test_that_trusted_services_pass_is_said_and_promises_nothing(closed: Kit) -> None:
    found = network(closed)
    assert found is not None
    assert (found.status, "its own validation tells" in found.message) == (Status.WARNING, True)


def test_rules_that_name_the_services_addresses_pass(closed: Kit) -> None:
    close(closed, networkAcls={**NONE, "ipRules": [{"value": "40.68.252.0/24"}]})
    found = network(closed)
    assert found is not None
    assert (found.status, "West Europe" in found.message) == (Status.PASSED, True)
