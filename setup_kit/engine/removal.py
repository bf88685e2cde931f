"""Takes things away: reads what is there, says what of it goes and why the rest stays, deletes dependents first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from setup_kit.engine.events import Event, Happening, Listener
from setup_kit.engine.executor import Result, Temporaries
from setup_kit.engine.graph import Outcome, ordered, walk
from setup_kit.engine.planner import Known, Plan, Planned, run_check
from setup_kit.engine.resource import Change, Check, Finding, Node, NotReadable, Removal, Resource, Temporary

DATA = "holds data: only --include-data takes it away"


@dataclass(frozen=True)
class RemovalPlan(Plan):
    """A plan of deletions, dependents first.

    `kept` says why something stays, wholly or in part; `along` what goes with what it is in.
    """

    kept: Mapping[Node, str] = field(default_factory=dict)
    along: Mapping[Node, Node] = field(default_factory=dict)
    include_data: bool = False
    whole: bool = True  # of an environment, not of parts that were named

    @property
    def complete(self) -> bool:
        """Whether all was looked at."""
        return not self.interrupted and not self.failures and not self.deferred


def make_removal(
    nodes: Iterable[Node],
    listener: Listener,
    stop: threading.Event,
    *,
    only: Sequence[Node] | None = None,
    include_data: bool = False,
    opening: Callable[[Temporary], None] | None = None,
) -> RemovalPlan:
    """Reads all that can be read, needs first, and decides of each resource whether it goes. Changes nothing.

    With `only`, of these, and what is in them goes along; all else is left. Without, what rests on something of another
    environment is left as well. With `opening`, temporary ways are opened
    so that more can be read.
    """
    nodes = ordered(nodes) if only is None else _with_contents(only, nodes)
    planned: dict[Node, Planned] = {}
    findings: list[Finding] = []
    kept: dict[Node, str] = {}
    going: dict[Node, Node] = {}  # what goes as a whole, and what it goes with: itself, or what it lives in

    def visit(node: Node) -> None:
        if isinstance(node, Resource):
            listener(Event(Happening.STARTED, node.address))
            decide(node)
            listener(Event(Happening.DONE, node.address))
        elif isinstance(node, Temporary):
            if opening is not None and _alive(node.within) and node.within not in going:
                opening(node)
        elif isinstance(node, Check) and node.before_removal:
            findings.extend(run_check(node, listener))

    def decide(node: Resource[Any]) -> None:
        goes_along = node.within in going and not node.outlives
        if goes_along and any(isinstance(need, Temporary) for need in node.needs):
            # No way is opened to look at what goes with what it is in.
            going[node] = going[node.within] if node.within is not None else node
            planned[node] = Planned(node, Known.ABSENT)
            return
        planned[node] = _look(node, planned)
        if goes_along and node.within is not None:
            going[node] = going[node.within]
            planned[node] = Planned(node, Known.READ)
        elif (only is None or node in only) and planned[node].known is Known.READ and node.observed is not None:
            removal = _removal(node, include_data=include_data, whole=only is None)
            planned[node] = Planned(node, Known.READ, removal.changes)
            if removal.kept:
                kept[node] = removal.kept
            if any(not change.target for change in removal.changes):
                going[node] = node

    outcomes = walk(nodes, visit, stop)
    return RemovalPlan(
        nodes=tuple(reversed(nodes)),
        planned={
            node: planned[node]
            for node in reversed(nodes)
            if node in planned and (only is None or node in only or node in going)
        },
        findings=tuple(findings),
        failures={node: outcome.error for node, outcome in outcomes.items() if outcome.error is not None},
        blocked=_blocked(outcomes),
        interrupted=stop.is_set() and not all(outcome.done for outcome in outcomes.values()),
        kept={node: kept[node] for node in nodes if node in kept},
        along={
            node: going[node]
            for node in nodes
            if node in going and going[node] is not node and isinstance(node, Resource) and node.observed is not None
        },
        include_data=include_data,
        whole=only is None,
    )


def remove(plan: RemovalPlan, listener: Listener, temporaries: Temporaries, stop: threading.Event) -> Result:
    """Makes the deletions of a plan, each when all that needs its resource is gone; closes every temporary way.

    A node's failure does not raise: it is in the result, and keeps what its resource needs.
    """
    made: list[Change] = []

    def visit(node: Node) -> None:
        node.report = lambda progress: listener(Event(Happening.PROGRESS, node.address, progress=progress))
        if not isinstance(node, Resource):
            return
        try:
            _take_away(node, plan, listener, temporaries, made)
        except Exception as error:
            text = error.reason if isinstance(error, NotReadable) else str(error)
            listener(Event(Happening.FAILED, node.address, text=text))
            raise

    begun = time.monotonic()
    listener(Event(Happening.RUN_STARTED))
    try:
        outcomes = walk(plan.nodes, visit, stop, backwards=True)
    finally:
        close_failures = temporaries.close(plan.nodes)
    blocked = _blocked(outcomes)
    for node, blocker in blocked.items():
        listener(Event(Happening.BLOCKED, node.address, text=f"{blocker.address} failed"))
    result = Result(
        made=tuple(made),
        unchanged=tuple(node for node in plan.kept if isinstance(node, Resource)),
        findings=plan.findings,
        failures={node: outcome.error for node, outcome in outcomes.items() if outcome.error is not None},
        blocked={node: blocker for node, blocker in blocked.items() if _has_work(node, plan)},
        left=tuple(node for node, outcome in outcomes.items() if outcome.stopped and _has_work(node, plan)),
        interrupted=stop.is_set() and not all(outcome.done for outcome in outcomes.values()),
        close_failures=close_failures,
    )
    ending = "interrupted" if result.interrupted else "succeeded" if result.succeeded else "failed"
    listener(Event(Happening.RUN_ENDED, text=ending, seconds=time.monotonic() - begun))
    return result


def _take_away(
    node: Resource[Any], plan: RemovalPlan, listener: Listener, temporaries: Temporaries, made: list[Change]
) -> None:
    if not _has_work(node, plan):
        return
    begun = time.monotonic()
    listener(Event(Happening.STARTED, node.address))
    for need in node.needs:
        if isinstance(need, Temporary):
            temporaries.open(need)
    changes = plan.planned[node].changes
    if plan.planned[node].known is Known.DEFERRED:
        node.observed = node.find()
        found = node.observed is not None
        changes = _removal(node, include_data=plan.include_data, whole=plan.whole).changes if found else ()
    for change in changes:
        change_begun = time.monotonic()
        listener(Event(Happening.CHANGE_STARTED, node.address, change=change))
        if change.target:
            node.observed = node.apply(change)
        else:
            node.delete(node.observed)
            node.observed = None
        made.append(change)
        elapsed = time.monotonic() - change_begun
        listener(Event(Happening.CHANGE_DONE, node.address, change=change, seconds=elapsed))
    listener(Event(Happening.DONE, node.address, seconds=time.monotonic() - begun))


def _with_contents(only: Sequence[Node], nodes: Iterable[Node]) -> list[Node]:
    """Those nodes and what they need, and what is in them, so far as nothing else is needed to look at it."""
    scope = ordered(only)
    inside = set(only)
    for node in ordered(nodes):
        known = isinstance(node, Resource) and node not in scope
        if known and node.within in inside and all(need in scope for need in node.needs):
            inside.add(node)
            scope.append(node)
    return scope


def _look(node: Resource[Any], planned: Mapping[Node, Planned]) -> Planned:
    outer = node.within
    if outer is not None:
        if planned[outer].known is Known.DEFERRED:
            return Planned(node, Known.DEFERRED, reason=planned[outer].reason, remedy=planned[outer].remedy)
        if not _alive(outer):
            return Planned(node, Known.ABSENT)
    try:
        node.observed = node.find()
    except NotReadable as obstacle:
        return Planned(node, Known.DEFERRED, reason=obstacle.reason, remedy=obstacle.remedy)
    return Planned(node, Known.READ)


def _alive(node: Resource[Any] | None) -> bool:
    return node is None or (node.observed is not None and node.lives(node.observed))


def _removal(node: Resource[Any], *, include_data: bool, whole: bool) -> Removal:
    base = node.rests_on
    if whole and base is not None and base.made_for_another:
        return Removal(kept=f"{base.address} was {base.made_for_another}")
    if node.holds_data and not include_data:
        return Removal(kept=DATA)
    return node.removal(node.observed)


def _has_work(node: Node, plan: Plan) -> bool:
    return node in plan.planned and plan.planned[node].has_work


def _blocked(outcomes: Mapping[Node, Outcome]) -> dict[Node, Node]:
    return {node: outcome.blocked_by for node, outcome in outcomes.items() if outcome.blocked_by is not None}
