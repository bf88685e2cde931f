from __future__ import annotations

import pytest

from setup_kit.sandbox import settling

GROUP = "/subscriptions/s/resourceGroups/g"


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        (f"{GROUP}/providers/Microsoft.Sql/servers/S/firewallRules/Me", ["firewall-rule/s/me"]),
        (f"{GROUP}/providers/Microsoft.KeyVault/vaults/V", ["access-policy/v/o"]),
        (f"{GROUP}/providers/Microsoft.KeyVault/vaults/V/accessPolicies/add", ["access-policy/v/o"]),
        (f"{GROUP}/providers/Microsoft.Sql/servers/S", []),
        (GROUP, []),
    ],
)
def test_what_a_request_makes_that_may_settle(path: str, keys: list[str]) -> None:
    assert settling.keys(path, ["O"]) == keys


def test_a_role_assignment_settles_at_whatever_scope() -> None:
    path = f"{GROUP}/providers/Microsoft.KeyVault/vaults/v/providers/Microsoft.Authorization/roleAssignments/A"
    assert settling.keys(path, []) == [settling.role_assignment(path)]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"properties": 1}', b'{"properties": {"accessPolicies": 7}}'])
def test_a_body_without_policies_has_none(body: bytes) -> None:
    assert settling.policies_in(body) == []


def test_policies_are_found_by_whom_they_are_for() -> None:
    body = b'{"properties": {"accessPolicies": [{"objectId": "o", "permissions": {}}, 1]}}'
    assert settling.policies_in(body) == ["o"]
