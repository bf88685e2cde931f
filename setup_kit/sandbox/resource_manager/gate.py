"""What stops a call that its caller may make: the subscription's state, a lock, a policy."""

from __future__ import annotations

import json
import re

from setup_kit.sandbox import access
from setup_kit.sandbox.resource_manager.arm import ArmError
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.subscription import LOCKS, Policy, conditions, policies

AUTHORIZATION = "/providers/Microsoft.Authorization"
GROUP_TYPE = "Microsoft.Resources/subscriptions/resourceGroups"


def check(state: State, subscription: str, method: str, action: str, path: str, body: Document) -> None:
    """Raises ArmError when a call that changes something is stopped."""
    if method not in ("PUT", "PATCH", "POST", "DELETE") or asks(action):
        return
    _check_state(state, subscription, method)
    _check_locks(state, method, path)
    if method == "PUT":
        _check_policies(state, subscription, path, body)


def asks(action: str) -> bool:
    """Whether an action only asks, whatever its method."""
    return not action or action.lower().endswith(("/read", "/checknameavailability/action"))


def _check_state(state: State, subscription: str, method: str) -> None:
    if method != "DELETE" and conditions(state).read_only:
        raise ArmError(
            409,
            "ReadOnlyDisabledSubscription",
            f"The subscription '{subscription}' is disabled and therefore marked as read only. You cannot perform any"
            " write actions on this subscription until it is re-enabled.",
            gateway=True,
        )


def _check_locks(state: State, method: str, path: str) -> None:
    if "/providers/microsoft.authorization/locks/" in path.lower():
        return
    stopping = ("CanNotDelete", "ReadOnly") if method == "DELETE" else ("ReadOnly",)
    found = [lock for _, lock in state.list(LOCKS) if lock["level"] in stopping and access.covers(lock["scope"], path)]
    if found:
        operation = "delete" if method == "DELETE" else "write"
        scopes = ", ".join(f"'{lock['scope']}'" for lock in found)
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{path}' cannot perform {operation} operation because following scope(s) are locked: {scopes}."
            " Please remove the lock and try again.",
            gateway=True,
        )


def _check_policies(state: State, subscription: str, path: str, body: Document) -> None:
    kind, name = type_of(path)
    if not kind or kind.lower().startswith("microsoft.authorization/"):
        return
    found = [policy for policy in policies(state) if policy.denies({**body, "type": kind, "name": name})]
    if found:
        identifiers = [
            {
                "policyAssignment": {"name": policy.name, "id": assignment_id(subscription, policy)},
                "policyDefinition": {"name": policy.name, "id": definition_id(subscription, policy)},
            }
            for policy in found
        ]
        raise ArmError(
            403,
            "RequestDisallowedByPolicy",
            f"Resource '{name}' was disallowed by policy. Policy identifiers: '{json.dumps(identifiers)}'.",
            gateway=True,
        )


def assignment_id(subscription: str, policy: Policy) -> str:
    return f"/subscriptions/{subscription}{AUTHORIZATION}/policyAssignments/{policy.name}"


def definition_id(subscription: str, policy: Policy) -> str:
    return f"/subscriptions/{subscription}{AUTHORIZATION}/policyDefinitions/{policy.name}"


def type_of(path: str) -> tuple[str, str]:
    """The type and the name of the resource that a path names; empty for one that names none."""
    group = re.fullmatch(r"/subscriptions/[^/]+/resourceGroups/([^/]+)", path, re.IGNORECASE)
    if group:
        return GROUP_TYPE, group[1]
    namespace, *rest = path.rpartition("/providers/")[2].split("/")
    if "/providers/" not in path.lower() or not rest or len(rest) % 2:
        return "", ""
    return "/".join([namespace, *rest[::2]]), rest[-1]
