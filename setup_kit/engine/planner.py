"""Reads every resource and compares it with what is wanted. Changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from setup_kit.engine.events import Event, Happening, Listener
from setup_kit.engine.graph import Outcome, ordered, walk
from setup_kit.engine.resource import Change, Check, Finding, Node, NotReadable, Resource, Status, Temporary
from setup_kit.errors import KitError


class Known(StrEnum):
    """How the planner came to know a resource's state."""

    READ = "read"
    ABSENT = "absent"  # what it lives in is not there
    DEFERRED = "deferred"  # cannot be read from here yet


@dataclass(frozen=True)
class Planned:
    resource: Resource[Any]
    known: Known
    changes: tuple[Change, ...] = ()
    reason: str = ""
    remedy: str = ""

    @property
    def has_work(self) -> bool:
        return bool(self.changes) or self.known is Known.DEFERRED


@dataclass(frozen=True)
class Plan:
    """What `apply` would do. `failures` are nodes that could not be read at all, `blocked` what depends on them.

    `left` is what was not reached because the look was interrupted.
    """

    nodes: tuple[Node, ...]
    planned: Mapping[Node, Planned]
    findings: tuple[Finding, ...] = ()
    failures: Mapping[Node, Exception] = field(default_factory=dict)
    blocked: Mapping[Node, Node] = field(default_factory=dict)
    left: tuple[Node, ...] = ()
    interrupted: bool = False

    @property
    def changes(self) -> list[Change]:
        return [change for node in self.nodes if node in self.planned for change in self.planned[node].changes]

    @property
    def deferred(self) -> list[Planned]:
        return [item for item in self.planned.values() if item.known is Known.DEFERRED]

    @property
    def unchanged(self) -> list[Resource[Any]]:
        return [item.resource for item in self.planned.values() if not item.has_work]

    @property
    def empty(self) -> bool:
        return not self.changes and not self.deferred


class CheckFailed(KitError):  # noqa: N818 - the outcome of a check
    """A check found something that stops what depends on it."""

    def __init__(self, node: Node, findings: Iterable[Finding]) -> None:
        self.findings = tuple(finding for finding in findings if finding.status is Status.FAILED)
        super().__init__(
            f"{node.address}: " + "; ".join(finding.message for finding in self.findings),
            remedy="; ".join(dict.fromkeys(finding.remedy for finding in self.findings if finding.remedy)),
        )


def make_plan(
    nodes: Iterable[Node],
    listener: Listener,
    stop: threading.Event,
    opening: Callable[[Temporary], None] | None = None,
    *,
    checks: bool = True,
) -> Plan:
    """Reads all that can be read, side by side: each thing when those that its reading looks at were read.

    With `opening`, temporary ways are opened so that more can be read. Without `checks`, what is checked before a run
    is not, for those who only look.
    """
    nodes = ordered(nodes)
    planned: dict[Node, Planned] = {}
    findings: list[Finding] = []

    def visit(node: Node) -> None:
        if isinstance(node, Resource):
            listener(Event(Happening.STARTED, node.address))
            planned[node] = _compare(node, planned)
            unseen = node.unseen(node.observed) if node.observed is not None else None
            if unseen is not None:
                findings.append(unseen)
                listener(Event(Happening.FINDING, node.address, finding=unseen))
            listener(Event(Happening.DONE, node.address))
        elif isinstance(node, Temporary):
            if opening is not None and _lives(node, planned):
                opening(node)
        elif isinstance(node, Check) and node.first and checks:
            listener(Event(Happening.STARTED, node.address))
            findings.extend(run_check(node, listener))

    # A temporary way is a change, which the checks come before.
    beside = {node for node in nodes if isinstance(node, Check) and node.beside and opening is None}
    outcomes = walk(nodes, visit, stop, waits={node: _waits(node, beside) for node in nodes})
    # What was read without waiting for all it needs counts for nothing where one of these failed.
    for node in nodes:
        missed = [need for need in node.needs if not outcomes[need].done]
        if missed:
            blocker = next((need for need in missed if not outcomes[need].stopped), None)
            root = blocker and (outcomes[blocker].blocked_by or blocker)
            outcomes[node] = Outcome(blocked_by=root, stopped=root is None)
            planned.pop(node, None)
    in_order = {node: planned[node] for node in nodes if node in planned}
    return Plan(
        nodes=tuple(nodes),
        planned=in_order,
        findings=tuple(findings),
        failures={node: outcome.error for node, outcome in outcomes.items() if outcome.error is not None},
        blocked={node: outcome.blocked_by for node, outcome in outcomes.items() if outcome.blocked_by is not None},
        left=tuple(node for node in nodes if outcomes[node].stopped),
        interrupted=stop.is_set() and not all(outcome.done for outcome in outcomes.values()),
    )


def run_check(node: Check, listener: Listener) -> list[Finding]:
    """Runs a check, tells what it found, and raises CheckFailed when anything failed."""
    findings = node.run()
    for finding in findings:
        listener(Event(Happening.FINDING, node.address, finding=finding))
    if any(finding.status is Status.FAILED for finding in findings):
        raise CheckFailed(node, findings)
    return findings


def _waits(node: Node, beside: Collection[Node]) -> list[Node]:
    """What must have been read, or been checked, before a node can be."""
    awaited = node.needs if node.reads_after is None else node.reads_after
    return [other for need in awaited for other in (need.needs if need in beside else (need,))]


def _lives(node: Node, planned: Mapping[Node, Planned]) -> bool:
    return node.within is None or (node.within.observed is not None and planned[node.within].known is Known.READ)


def _compare(node: Resource[Any], planned: Mapping[Node, Planned]) -> Planned:
    if node.within is not None:
        outer = planned[node.within]
        if outer.known is Known.DEFERRED:
            return Planned(node, Known.DEFERRED, reason=outer.reason, remedy=outer.remedy)
        if node.within.observed is None:
            return Planned(node, Known.ABSENT, tuple(node.diff(None)))
    try:
        node.observed = node.read()
    except NotReadable as obstacle:
        return Planned(node, Known.DEFERRED, reason=obstacle.reason, remedy=obstacle.remedy)
    return Planned(node, Known.READ, tuple(node.diff(node.observed)))
