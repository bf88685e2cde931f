"""Firewall rules, role assignments and access policies that are made at once and hold only after a while."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence

from setup_kit.sandbox.state import State

SETTLING = "settling"  # key: as below; from: when it holds, in seconds since 1970

_RULE = re.compile(r".*/servers/([^/]+)/firewallrules/([^/]+)")
_VAULT = re.compile(r".*/vaults/([^/]+)(/accesspolicies/add)?")
_ASSIGNMENT = re.compile(r".*/providers/microsoft\.authorization/roleassignments/[^/]+")


def firewall_rule(server: str, name: str) -> str:
    return f"firewall-rule/{server}/{name}".lower()


def access_policy(vault: str, object_id: str) -> str:
    return f"access-policy/{vault}/{object_id}".lower()


def role_assignment(identifier: str) -> str:
    return f"role-assignment{identifier}".lower()


def keys(path: str, policies: Sequence[str]) -> list[str]:
    """What a PUT to Resource Manager makes that may settle; `policies` are the object ids in its body."""
    path = path.lower().rstrip("/")
    if _ASSIGNMENT.fullmatch(path):
        return [role_assignment(path)]
    if rule := _RULE.fullmatch(path):
        return [firewall_rule(rule[1], rule[2])]
    if vault := _VAULT.fullmatch(path):
        return [access_policy(vault[1], each) for each in policies]
    return []


def policies_in(data: bytes) -> list[str]:
    """The object ids of the access policies in a request's body; none in one that Resource Manager will refuse."""
    try:
        body = json.loads(data or b"{}")
    except ValueError:
        return []
    properties = body.get("properties") if isinstance(body, dict) else None
    given = properties.get("accessPolicies") if isinstance(properties, dict) else None
    policies = given if isinstance(given, list) else []
    return [str(each["objectId"]) for each in policies if isinstance(each, dict) and "objectId" in each]


def delay(state: State, key: str, seconds: float) -> None:
    """Let what has this key hold only in so many seconds."""
    state.put(SETTLING, key, {"from": time.time() + seconds})


def holds(state: State, key: str) -> bool:
    """Whether it is past the time at which what has this key begins to hold."""
    found = state.get(SETTLING, key)
    return found is None or time.time() >= float(found["from"])
