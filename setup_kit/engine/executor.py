"""Carries out a plan: each node when its own needs are met, as many at once as are ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from setup_kit.engine.events import Event, Happening, Listener
from setup_kit.engine.graph import Outcome, dependents, ordered, walk
from setup_kit.engine.planner import Known, Plan, make_plan, run_check
from setup_kit.engine.resource import Change, Check, Finding, Node, Resource, Temporary
from setup_kit.errors import KitError


@dataclass(frozen=True)
class Result:
    """What a run did: the changes made, what stayed as it was, what failed and what was not reached because of it."""

    made: tuple[Change, ...]
    unchanged: tuple[Resource[Any], ...]
    findings: tuple[Finding, ...]
    failures: Mapping[Node, Exception]
    blocked: Mapping[Node, Node]
    left: tuple[Node, ...] = ()  # not reached because the run was interrupted
    interrupted: bool = False
    close_failures: Mapping[Node, Exception] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        return not self.failures and not self.interrupted and not self.close_failures


class Temporaries:
    """The temporary ways of one run: each opened once, when first needed, and all closed at the end."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._locks: dict[Temporary, threading.Lock] = {}
        self._opened: set[Temporary] = set()

    def open(self, node: Temporary) -> None:
        with self._lock:
            lock = self._locks.setdefault(node, threading.Lock())
        with lock:
            if node in self._opened:
                return
            self._listener(Event(Happening.STARTED, node.address))
            opened = node.open()
            self._listener(Event(Happening.OPENED if opened else Happening.UNCHANGED, node.address))
            self._opened.add(node)

    def close(self, nodes: Iterable[Node]) -> dict[Node, Exception]:
        """Closes all, those of a killed run included; one that cannot be closed does not keep the others open."""
        failures: dict[Node, Exception] = {}
        closed: list[Temporary] = []
        for node in ordered(nodes):
            if not isinstance(node, Temporary) or (node.within is not None and node.within.observed is None):
                continue
            try:
                if node.close():
                    closed.append(node)
            except Exception as error:  # noqa: BLE001 - reported as a failure of the run
                failures[node] = error
        # Told afterwards: whatever a listener meets, all were closed.
        for node in closed:
            self._listener(Event(Happening.CLOSED, node.address))
        for failed, reason in failures.items():
            self._listener(Event(Happening.FAILED, failed.address, text=str(reason)))
        return failures

    def close_or_raise(self, nodes: Iterable[Node]) -> None:
        """As `close`, for a command whose result has no place for such a failure: raises the first."""
        for failure in self.close(nodes).values():
            raise failure


def reading(nodes: Iterable[Node], listener: Listener, stop: threading.Event, *, open_ways: bool = False) -> Plan:
    """A plan; with `open_ways` temporary ways are opened while it reads, and closed again."""
    nodes = list(nodes)
    if not open_ways:
        return make_plan(nodes, listener, stop)
    temporaries = Temporaries(listener)
    try:
        return make_plan(nodes, listener, stop, temporaries.open)
    finally:
        temporaries.close_or_raise(nodes)


class DestructiveChanges(KitError):  # noqa: N818 - what they are
    """Changes by which something or somebody loses what it has, and that nobody has allowed."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self.changes = tuple(changes)
        super().__init__(
            "what is destructive is made only when it is allowed; it was not",
            why="\n".join(f"{f'{change.resource} {change.target}'.rstrip()}: {change.why}" for change in self.changes),
            remedy="run the same command with --allow-destructive to make these changes too",
        )


def refuse_destructive(changes: Iterable[Change]) -> None:
    """Raises DestructiveChanges when there are such among the changes."""
    destructive = [change for change in changes if change.destructive]
    if destructive:
        raise DestructiveChanges(destructive)


class _Run:
    def __init__(self, plan: Plan, listener: Listener, temporaries: Temporaries, *, destructive: bool) -> None:
        self.plan = plan
        self.destructive = destructive
        self.listener = listener
        self.temporaries = temporaries
        self.made: list[Change] = []
        self.unchanged: list[Resource[Any]] = []
        self.findings: list[Finding] = []
        self.changed: set[Node] = set()
        self._dependents = dependents(plan.nodes)

    def visit(self, node: Node) -> None:
        node.report = lambda progress: self.listener(Event(Happening.PROGRESS, node.address, progress=progress))
        if isinstance(node, Resource):
            self._resource(node)
        elif isinstance(node, Temporary):
            if self._has_work_beyond(node):
                self.temporaries.open(node)
        elif isinstance(node, Check) and self._must_run(node):
            begun = time.monotonic()
            self.listener(Event(Happening.STARTED, node.address))
            self.findings.extend(run_check(node, self.listener))
            self.listener(Event(Happening.DONE, node.address, seconds=time.monotonic() - begun))

    def _resource(self, node: Resource[Any]) -> None:
        planned = self.plan.planned[node]
        begun = time.monotonic()
        if planned.known is Known.DEFERRED:
            self._open_ways(node)
            node.observed = node.read()
        changes = node.diff(node.observed)
        if not changes:
            self.unchanged.append(node)
            self.listener(Event(Happening.UNCHANGED, node.address))
            return
        if not self.destructive:
            # A plan that could not read the resource could not ask about them.
            refuse_destructive(changes)
        self.listener(Event(Happening.STARTED, node.address))
        self._open_ways(node)
        self.changed.add(node)
        for step in [changes] if node.together else [[change] for change in changes]:
            step_begun = time.monotonic()
            for change in step:
                self.listener(Event(Happening.CHANGE_STARTED, node.address, change=change))
            node.observed = node.apply_all(step)
            elapsed = time.monotonic() - step_begun
            for change in step:
                self.made.append(change)
                self.listener(Event(Happening.CHANGE_DONE, node.address, change=change, seconds=elapsed))
        self.listener(Event(Happening.DONE, node.address, seconds=time.monotonic() - begun))

    def _open_ways(self, node: Node) -> None:
        for need in node.needs:
            if isinstance(need, Temporary):
                self.temporaries.open(need)

    def _must_run(self, node: Check) -> bool:
        if node.first:
            return False
        reached = {need for need in self.plan.nodes if node in self._dependents[need]}
        return bool(reached & self.changed) or self._has_work_beyond(node) or node.due()

    def _has_work_beyond(self, node: Node) -> bool:
        planned = self.plan.planned
        return any(planned[other].has_work for other in self._dependents[node] if other in planned)


def execute(
    plan: Plan, listener: Listener, temporaries: Temporaries, stop: threading.Event, *, destructive: bool = False
) -> Result:
    """Makes the changes of a plan and ends by closing every temporary way, whatever happened.

    A node's failure does not raise: it is in the result. Unless `destructive`, a resource with a destructive change
    fails before any of its changes is made.
    """
    run = _Run(plan, listener, temporaries, destructive=destructive)

    def visit(node: Node) -> None:
        try:
            run.visit(node)
        except Exception as error:
            listener(Event(Happening.FAILED, node.address, text=str(error)))
            raise

    begun = time.monotonic()
    listener(Event(Happening.RUN_STARTED))
    try:
        outcomes = walk(plan.nodes, visit, stop)
    finally:
        close_failures = temporaries.close(plan.nodes)
    for node, outcome in outcomes.items():
        if outcome.blocked_by is not None:
            listener(Event(Happening.BLOCKED, node.address, text=f"{outcome.blocked_by.address} failed"))
    result = Result(
        made=tuple(run.made),
        unchanged=tuple(run.unchanged),
        findings=tuple(run.findings),
        failures={node: outcome.error for node, outcome in outcomes.items() if outcome.error is not None},
        blocked=_blocked(outcomes),
        left=tuple(node for node, outcome in outcomes.items() if outcome.stopped),
        interrupted=stop.is_set() and not all(outcome.done for outcome in outcomes.values()),
        close_failures=close_failures,
    )
    ending = "interrupted" if result.interrupted else "succeeded" if result.succeeded else "failed"
    listener(Event(Happening.RUN_ENDED, text=ending, seconds=time.monotonic() - begun))
    return result


def _blocked(outcomes: Mapping[Node, Outcome]) -> dict[Node, Node]:
    return {node: outcome.blocked_by for node, outcome in outcomes.items() if outcome.blocked_by is not None}
