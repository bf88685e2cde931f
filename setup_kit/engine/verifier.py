"""Proves that the world is as wanted: every difference is a finding, every check is run. Changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from setup_kit.engine.events import Event, Happening, Listener
from setup_kit.engine.executor import Temporaries
from setup_kit.engine.graph import ordered, walk
from setup_kit.engine.planner import CheckFailed, Known, Plan, Planned, make_plan
from setup_kit.engine.resource import Action, Change, Check, Finding, Node, Resource, Status, Value, told


def verify_all(
    nodes: Iterable[Node], listener: Listener, stop: threading.Event, *, open_ways: bool = False
) -> tuple[list[Finding], bool]:
    """All findings in the order of the graph, and whether the look was interrupted.

    A check is skipped only where something it needs is absent or could not be read; a difference alone does not keep it
    from running, so that what is missing is named by whoever suffers from it too.
    """
    nodes = ordered(nodes)
    temporaries = Temporaries(listener)
    try:
        plan = make_plan(nodes, listener, stop, temporaries.open if open_ways else None)
        found: dict[Node, list[Finding]] = {node: _of_plan(node, plan) for node in nodes}
        left = [node for node in nodes if isinstance(node, Check) and not node.first and node not in plan.blocked]
        if plan.interrupted:
            found.update({node: _of_left(node) for node in left})
            return _flat(found), True

        def visit(node: Node) -> None:
            if isinstance(node, Check) and not node.first:
                node.report = lambda progress: listener(Event(Happening.PROGRESS, node.address, progress=progress))
                listener(Event(Happening.STARTED, node.address))
                found[node] = _of_check(node, plan)
                listener(Event(Happening.DONE, node.address))

        outcomes = walk(nodes, visit, stop)
        found.update({node: _of_left(node) for node in left if outcomes[node].stopped})
    finally:
        if open_ways:
            temporaries.close_or_raise(nodes)
    return _flat(found), stop.is_set()


def _flat(found: dict[Node, list[Finding]]) -> list[Finding]:
    return [finding for findings in found.values() for finding in findings]


def _of_plan(node: Node, plan: Plan) -> list[Finding]:
    if node in plan.failures:
        return _of_error(node, plan.failures[node])
    if node in plan.blocked:
        blocker = plan.blocked[node]
        return [Finding(node.kind, Status.SKIPPED, node.address, f"not looked at, because {blocker.address} failed")]
    if node in plan.left:
        return _of_left(node)
    if isinstance(node, Resource):
        return _of_resource(plan.planned[node])
    return [finding for finding in plan.findings if finding.resource == node.address]


def _of_left(node: Node) -> list[Finding]:
    if not isinstance(node, Resource | Check):
        return []
    message = "not looked at, because the look was interrupted"
    return [Finding(node.kind, Status.SKIPPED, node.address, message, "run the same command again")]


def _of_resource(planned: Planned) -> list[Finding]:
    resource: Resource[Any] = planned.resource
    if planned.known is Known.DEFERRED:
        name = f"{resource.kind}.unreadable"
        return [Finding(name, Status.FAILED, resource.address, planned.reason, planned.remedy)]
    audit = resource.audit(resource.observed) if resource.observed is not None else []
    unseen = resource.unseen(resource.observed) if resource.observed is not None else None
    if unseen is not None:
        return [*(_of_change(resource, change) for change in planned.changes), unseen, *audit]
    if planned.changes:
        return [_of_change(resource, change) for change in planned.changes] + audit
    evidence = resource.evidence(resource.observed) if resource.observed is not None else "absent, as it should be"
    passed = Finding(resource.kind, Status.PASSED, resource.address, "as the environment file says", evidence=evidence)
    return [passed, *audit]


def _of_change(resource: Resource[Any], change: Change) -> Finding:
    subject = change.target or resource.name
    names = {Action.CREATE: "missing", Action.UPDATE: "differs", Action.DELETE: "superfluous"}
    messages = {
        Action.CREATE: f"{subject} is missing",
        Action.UPDATE: f"{subject} is {_words(change.before)}, wanted is {_words(change.after)}",
        Action.DELETE: f"{subject} is there and should not be",
    }
    message = messages[change.action] + (f" ({change.why})" if change.why else "")
    return Finding(
        f"{resource.kind}.{names[change.action]}",
        Status.FAILED,
        resource.address,
        message,
        "setup-kit apply",
        evidence=f"seen: {_words(change.before)}; wanted: {_wanted(change)}",
        grade=resource.severity(change),
    )


def _wanted(change: Change) -> str:
    """What is made may have no value of its own: then it is only to be there."""
    return "there" if change.action is Action.CREATE and change.after in (None, "") else _words(change.after)


def _words(value: Value) -> str:
    if value is None or value == "":
        return "absent"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(value) or "empty"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "empty"
    return str(value)


def _of_check(node: Check, plan: Plan) -> list[Finding]:
    for need in ordered(node.needs):
        planned = plan.planned.get(need)
        if need in plan.failures or need in plan.blocked:
            reason = "could not be looked at"
        elif planned is not None and planned.known is Known.DEFERRED:
            reason = "could not be read"
        elif planned is not None and planned.resource.observed is None:
            reason = "is not there"
        else:
            continue
        return [Finding(node.kind, Status.SKIPPED, node.address, f"not tried, because {need.address} {reason}")]
    try:
        return node.run()
    except Exception as error:  # noqa: BLE001 - what a check meets is a finding
        return _of_error(node, error)


def _of_error(node: Node, error: Exception) -> list[Finding]:
    if isinstance(error, CheckFailed):
        return list(error.findings)
    met = told(error)
    message = ": ".join(part for part in (met.what, met.why, met.original) if part)
    return [Finding(node.kind, Status.FAILED, node.address, message, met.remedy, link=met.link)]
