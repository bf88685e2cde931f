"""The subscription: its state, what its policies and locks forbid, and what the caller may do in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setup_kit.azure.permissions import Permission

if TYPE_CHECKING:
    from setup_kit.azure.rest import Rest

_AUTHORIZATION = "providers/Microsoft.Authorization"


@dataclass(frozen=True)
class Standing:
    """`spending_limit` is On, Off or CurrentPeriodOff; `offer` the quota id, which names what was bought."""

    name: str
    state: str
    tenant_id: str
    spending_limit: str
    offer: str


@dataclass(frozen=True)
class Lock:
    """`level` is CanNotDelete or ReadOnly; it holds for `scope` and all that is inside."""

    name: str
    level: str
    scope: str
    notes: str


@dataclass(frozen=True)
class Denial:
    """A policy that would deny a resource. `expressions`: what it compared, in its own words."""

    assignment: str
    definition: str
    effect: str
    expressions: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.assignment.rpartition("/")[2]


class Subscription:
    def __init__(self, rest: Rest, subscription: str) -> None:
        self._rest = rest
        self.id = subscription
        self.scope = f"/subscriptions/{subscription}"

    def group_scope(self, group: str) -> str:
        return f"{self.scope}/resourceGroups/{group}"

    def standing(self) -> Standing:
        body = self._rest.send(
            "GET", f"{self.scope}?api-version=2022-12-01", f"Reading the subscription {self.id} failed"
        )
        policies = body.get("subscriptionPolicies") or {}
        return Standing(
            name=str(body.get("displayName") or ""),
            state=str(body.get("state") or ""),
            tenant_id=str(body.get("tenantId") or "").lower(),
            spending_limit=str(policies.get("spendingLimit") or ""),
            offer=str(policies.get("quotaId") or ""),
        )

    def permissions(self, scope: str) -> tuple[Permission, ...]:
        """What the caller may do at a scope, whichever of its groups it has that from."""
        path = f"{scope}/{_AUTHORIZATION}/permissions?api-version=2022-04-01"
        return tuple(map(Permission.of, self._rest.all(path, f"Reading what the caller may do at {scope} failed")))

    def locks(self, scope: str) -> tuple[Lock, ...]:
        """The locks at a scope, above it and below it."""
        path = f"{scope}/{_AUTHORIZATION}/locks?api-version=2020-05-01"
        return tuple(map(_lock, self._rest.all(path, f"Reading the locks at {scope} failed")))

    def denials(self, scope: str, content: Mapping[str, Any], api_version: str) -> tuple[Denial, ...]:
        """The policies that would deny a resource of this content, if it were made at this scope. Makes nothing."""
        path = f"{scope}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions?api-version=2022-03-01"
        body = {"resourceDetails": {"resourceContent": dict(content), "apiVersion": api_version}}
        answer = self._rest.send("POST", path, "Asking what the policies would deny failed", body, asks=True)
        result = answer.get("contentEvaluationResult") or {}
        found = (_denial(each) for each in result.get("policyEvaluations") or ())
        return tuple(each for each in found if each is not None)


def _lock(body: dict[str, Any]) -> Lock:
    identifier = str(body.get("id") or "")
    properties = body.get("properties") or {}
    scope = identifier[: identifier.lower().rfind("/providers/microsoft.authorization/")]
    return Lock(
        str(body.get("name") or ""), str(properties.get("level") or ""), scope, str(properties.get("notes") or "")
    )


def _denial(body: dict[str, Any]) -> Denial | None:
    if str(body.get("evaluationResult") or "").lower() != "noncompliant":
        return None
    information = body.get("policyInfo") or {}
    effect = str((body.get("effectDetails") or {}).get("policyEffect") or "Deny")
    if effect.lower() != "deny":
        return None
    details = body.get("evaluationDetails") or {}
    return Denial(
        assignment=str(information.get("policyAssignmentId") or ""),
        definition=str(information.get("policyDefinitionId") or ""),
        effect=effect,
        expressions=tuple(map(_expression, details.get("evaluatedExpressions") or ())),
    )


def _expression(body: dict[str, Any]) -> str:
    target = body.get("targetValue")
    shown = ", ".join(map(str, target)) if isinstance(target, list) else str(target)
    return f"{body.get('expression')} {body.get('expressionValue')!r} {body.get('operator')} [{shown}]"
