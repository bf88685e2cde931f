from __future__ import annotations

from pathlib import Path

import pytest

from setup_kit.sandbox import access
from setup_kit.sandbox.state import State

VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/vault"
GET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
SET = "Microsoft.KeyVault/vaults/secrets/setSecret/action"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state.db")


@pytest.mark.parametrize(
    "scope", ["", "/subscriptions/S", "/subscriptions/s/resourcegroups/G", VAULT.upper(), VAULT + "/secrets/x"]
)
def test_a_role_reaches_down_from_its_scope_whatever_the_case(state: State, scope: str) -> None:
    access.assign(state, scope, access.SECRETS_USER, "me", "ServicePrincipal")
    assert access.allowed(state, {"me"}, VAULT + "/secrets/x", GET, data=True)


@pytest.mark.parametrize("scope", ["/subscriptions/other", VAULT + "2", VAULT + "/secrets/x2", VAULT[:-1]])
def test_a_role_does_not_reach_its_neighbours(state: State, scope: str) -> None:
    access.assign(state, scope, access.SECRETS_USER, "me", "ServicePrincipal")
    assert not access.allowed(state, {"me"}, VAULT + "/secrets/x", GET, data=True)


def test_a_secrets_user_reads_and_does_not_write(state: State) -> None:
    access.assign(state, VAULT, access.SECRETS_USER, "me", "ServicePrincipal")
    assert not access.allowed(state, {"me"}, VAULT, SET, data=True)


def test_an_owner_may_do_everything_but_see_data(state: State) -> None:
    access.assign(state, "/subscriptions/s", access.OWNER, "me", "ServicePrincipal")
    assert access.allowed(state, {"me"}, VAULT, "Microsoft.KeyVault/vaults/write")
    assert not access.allowed(state, {"me"}, VAULT, GET, data=True)


def test_a_contributor_gives_no_roles(state: State) -> None:
    contributor = next(role.id for role in access.ROLES.values() if role.name == "Contributor")
    access.assign(state, "/subscriptions/s", contributor, "me", "ServicePrincipal")
    assert access.allowed(state, {"me"}, VAULT, "Microsoft.Sql/servers/write")
    assert not access.allowed(state, {"me"}, VAULT, "Microsoft.Authorization/roleAssignments/write")


def test_a_right_comes_through_a_group(state: State) -> None:
    access.assign(state, VAULT, access.SECRETS_OFFICER, "group", "Group")
    assert access.allowed(state, {"me", "group"}, VAULT, SET, data=True)
