"""Azure's patterns of actions, against a second reading of what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.azure.permissions import Permission, allows, matches
from setup_kit.resources.rights import ROLES, smallest_role
from setup_kit.sandbox import access

SEGMENTS = st.sampled_from(["Microsoft.Sql", "servers", "databases", "read", "write", "a", "[b]", "?", ".", "action"])
ACTIONS = st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join)
PATTERNS = st.lists(st.one_of(SEGMENTS, st.sampled_from(["*", "**", "s*s"])), min_size=1, max_size=5).map("/".join)


def fits(pattern: str, action: str) -> bool:
    """Letter by letter: a star takes none or one more."""
    reached = {0}
    for letter in pattern:
        if letter == "*":
            reached = set(range(min(reached), len(action) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(action) and action[at] == letter}
    return len(action) in reached


@given(pattern=PATTERNS, action=ACTIONS)
def test_a_star_is_any_text_and_nothing_else_is_special(pattern: str, action: str) -> None:
    assert matches(pattern, action) == fits(pattern.lower(), action.lower())


@given(pattern=PATTERNS, action=ACTIONS)
def test_upper_and_lower_case_are_the_same(pattern: str, action: str) -> None:
    assert matches(pattern.upper(), action.lower()) == matches(pattern, action)


PERMISSIONS = st.builds(Permission, *(st.lists(PATTERNS, max_size=3).map(tuple) for _ in range(4)))


@given(first=st.lists(PERMISSIONS, max_size=4), more=PERMISSIONS, action=ACTIONS, data=st.booleans())
def test_one_more_role_never_takes_a_right_away(
    first: list[Permission], more: Permission, action: str, data: bool
) -> None:
    together = allows([*first, more], action, data=data)
    assert together == (allows(first, action, data=data) or allows([more], action, data=data))


@given(permission=PERMISSIONS, action=ACTIONS)
def test_actions_and_data_actions_are_apart(permission: Permission, action: str) -> None:
    assert allows([permission], action) == allows([Permission(permission.actions, permission.not_actions)], action)
    mirrored = Permission((), (), permission.actions, permission.not_actions)
    assert allows([mirrored], action, data=True) == allows([permission], action)


def test_what_a_role_takes_back_another_gives() -> None:
    contributor = Permission(("*",), ("Microsoft.Authorization/*/Write",))
    assert not allows([contributor], "Microsoft.Authorization/roleAssignments/write")
    assert allows([contributor], "Microsoft.Authorization/roleAssignments/read")
    both = [contributor, Permission(("Microsoft.Authorization/roleAssignments/write",))]
    assert allows(both, "Microsoft.Authorization/roleAssignments/write")


def test_many_stars_take_no_time() -> None:
    assert not matches("*" * 5000 + "x", "a" * 5000)


@pytest.mark.parametrize(
    ("action", "role"),
    [
        ("Microsoft.Sql/servers/read", "Reader"),
        ("Microsoft.Sql/servers/databases/write", "SQL DB Contributor"),
        ("Microsoft.Sql/servers/write", "SQL Server Contributor"),
        ("Microsoft.Sql/servers/firewallRules/delete", "SQL Server Contributor"),
        ("Microsoft.KeyVault/vaults/write", "Key Vault Contributor"),
        ("Microsoft.KeyVault/vaults/accessPolicies/write", "Key Vault Contributor"),
        ("Microsoft.KeyVault/register/action", "Key Vault Contributor"),
        ("Microsoft.Authorization/roleAssignments/write", "Role Based Access Control Administrator"),
        ("Microsoft.Resources/subscriptions/resourceGroups/write", "Contributor"),
        ("Microsoft.Sql/register/action", "Contributor"),
    ],
)
def test_the_smallest_role_that_has_an_action_is_named(action: str, role: str) -> None:
    assert smallest_role(action) == role
    there = next(each for each in access.ROLES.values() if each.name == role)
    assert allows([Permission(there.actions, there.not_actions)], action)


def test_the_smallest_role_for_a_secret_is_named() -> None:
    action = "Microsoft.KeyVault/vaults/secrets/setSecret/action"
    assert smallest_role(action, data=True) == "Key Vault Secrets Officer"


def test_the_roles_are_known_to_the_sandbox_too() -> None:
    assert {name for name, _ in ROLES} <= {role.name for role in access.ROLES.values()}
