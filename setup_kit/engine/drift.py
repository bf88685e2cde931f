"""How far each resource is from what the environment file says, as a plan saw it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from setup_kit.engine.planner import Known, Plan, Planned
from setup_kit.engine.resource import Change, Node, Resource
from setup_kit.errors import KitError


class Standing(StrEnum):
    AS_WANTED = "as the file says"
    DIFFERS = "differs"
    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Drift:
    """`changes` are what would close the difference; `reason` says why it could not be read, or what else is there."""

    resource: str
    standing: Standing
    changes: tuple[Change, ...] = ()
    reason: str = ""


def drift(plan: Plan) -> list[Drift]:
    """One for each resource of the plan, in its order."""
    return [_of(node, plan) for node in plan.nodes if isinstance(node, Resource)]


def _of(node: Resource[Any], plan: Plan) -> Drift:
    if node in plan.planned:
        return _of_planned(plan.planned[node])
    return Drift(node.address, Standing.UNREADABLE, reason=_reason(node, plan))


def _of_planned(planned: Planned) -> Drift:
    address = planned.resource.address
    if planned.known is Known.DEFERRED:
        return Drift(address, Standing.UNREADABLE, reason=planned.reason)
    observed = planned.resource.observed
    beyond = planned.resource.beyond(observed) if observed is not None else ""
    if not planned.changes:
        return Drift(address, Standing.AS_WANTED, reason=beyond)
    absent = planned.known is Known.ABSENT or observed is None
    return Drift(address, Standing.MISSING if absent else Standing.DIFFERS, planned.changes, beyond)


def _reason(node: Node, plan: Plan) -> str:
    error = plan.failures.get(node)
    if isinstance(error, KitError):
        return error.what
    if error is not None:
        return f"{type(error).__name__}: {error}"
    if node in plan.left:
        return "not looked at, because the look was interrupted"
    blocker = plan.blocked.get(node)
    return f"not reached because of {blocker.address}" if blocker is not None else "not reached"
