"""Microsoft.PolicyInsights' question what policies would deny, and Microsoft.Authorization/locks."""

from __future__ import annotations

from setup_kit.sandbox import access
from setup_kit.sandbox.resource_manager.arm import Answer, ArmError, Call, Route, bad_content
from setup_kit.sandbox.resource_manager.authorization import parse_conditions
from setup_kit.sandbox.resource_manager.gate import AUTHORIZATION, assignment_id, definition_id
from setup_kit.sandbox.resource_manager.groups import check_registered
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.subscription import LOCKS, Policy, policies

POLICY_INSIGHTS = "Microsoft.PolicyInsights"


class Governance:
    def __init__(self, state: State, subscription: str) -> None:
        self._state = state
        self._subscription = subscription

    def routes(self) -> list[Route]:
        locks = "{scope*}" + AUTHORIZATION + "/locks"
        one, action = locks + "/{name}", "Microsoft.Authorization/locks/"
        return [
            Route(
                "POST",
                "{scope*}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions",
                "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
                "arm.get",
                self._restrictions,
            ),
            Route("GET", locks, action + "read", "arm.get", self._list),
            Route("PUT", one, action + "write", "arm.get", self._put),
            Route("DELETE", one, action + "delete", "arm.get", self._delete),
        ]

    async def _restrictions(self, call: Call) -> Answer:
        check_registered(self._state, POLICY_INSIGHTS, self._subscription)
        details = call.body.get("resourceDetails")
        content = details.get("resourceContent") if isinstance(details, dict) else None
        if not isinstance(content, dict) or not content.get("type"):
            raise bad_content("'resourceDetails.resourceContent' is not a resource with a type")
        if call.body.get("pendingFields"):
            raise ArmError(501, "NotImplementedInSandbox", "The sandbox does not know pendingFields.")
        found = [self._denial(policy, content) for policy in policies(self._state) if policy.denies(content)]
        return Answer(200, {"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": found}})

    def _denial(self, policy: Policy, content: Document) -> Document:
        value = policy.value(content)
        return {
            "policyInfo": {
                "policyDefinitionId": definition_id(self._subscription, policy),
                "policyAssignmentId": assignment_id(self._subscription, policy),
            },
            "evaluationResult": "NonCompliant",
            "evaluationDetails": {
                "evaluatedExpressions": [
                    {
                        "result": "True",
                        "expressionKind": "Field",
                        "expression": policy.field,
                        "path": policy.field,
                        "expressionValue": value,
                        "targetValue": list(policy.allow),
                        "operator": "NotIn",
                    }
                ]
            },
            "effectDetails": {"policyEffect": "Deny"},
        }

    async def _list(self, call: Call) -> Answer:
        scope = call.name("scope") or "/"
        found = [
            lock
            for _, lock in self._state.list(LOCKS)
            if access.covers(lock["scope"], scope) or access.covers(scope, lock["scope"])
        ]
        for name, _ in parse_conditions(call.query.get("$filter", "")):
            if name != "atscope":
                raise ArmError(400, "UnsupportedFilter", f"The filter '{name}' is not supported for locks.")
            found = [lock for lock in found if access.covers(lock["scope"], scope)]
        return Answer(200, {"value": [_body(lock) for lock in found]})

    async def _put(self, call: Call) -> Answer:
        level = call.properties.get("level")
        if level not in ("CanNotDelete", "ReadOnly"):
            raise ArmError(400, "LockLevelNotValid", f"The lock level '{level}' is not valid.", gateway=True)
        scope, name = call.name("scope").rstrip("/"), call.name("name")
        lock: Document = {
            "id": f"{scope}{AUTHORIZATION}/locks/{name}",
            "name": name,
            "scope": scope,
            "level": level,
            "notes": str(call.properties.get("notes") or ""),
        }
        known = self._state.get(LOCKS, lock["id"].lower()) is not None
        self._state.put(LOCKS, lock["id"].lower(), lock)
        return Answer(200 if known else 201, _body(lock))

    async def _delete(self, call: Call) -> Answer:
        key = f"{call.name('scope').rstrip('/')}{AUTHORIZATION}/locks/{call.name('name')}".lower()
        known = self._state.get(LOCKS, key) is not None
        self._state.delete(LOCKS, key)
        return Answer(200 if known else 204)


def _body(lock: Document) -> Document:
    return {
        "id": lock["id"],
        "type": "Microsoft.Authorization/locks",
        "name": lock["name"],
        "properties": {"level": lock["level"], "notes": lock["notes"]},
    }
