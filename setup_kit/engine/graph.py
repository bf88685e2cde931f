"""Walks nodes in the order of their needs, as many at once as are ready."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from graphlib import TopologicalSorter

from setup_kit.engine.resource import Node

# Nodes mostly wait for a network; this many waits at once are more than any environment's graph is wide.
WORKERS = 16


@dataclass(frozen=True)
class Outcome:
    """How a visit ended: with `error`, or not made because the need `blocked_by` failed or the walk was `stopped`."""

    error: Exception | None = None
    blocked_by: Node | None = None
    stopped: bool = False

    @property
    def done(self) -> bool:
        return self.error is None and self.blocked_by is None and not self.stopped


def ordered(nodes: Iterable[Node]) -> list[Node]:
    """All nodes and what they need, needs first; the order is the same each time."""
    reached: dict[Node, None] = {}

    def reach(node: Node) -> None:
        if node not in reached:
            for need in node.needs:
                reach(need)
            reached[node] = None

    for node in nodes:
        reach(node)
    return list(reached)


def dependents(nodes: Iterable[Node]) -> dict[Node, set[Node]]:
    """For each node everything that needs it, directly or not."""
    found: dict[Node, set[Node]] = {node: set() for node in nodes}
    for node in reversed(list(found)):
        for need in node.needs:
            found[need] |= {node} | found[node]
    return found


def walk(
    nodes: Iterable[Node],
    visit: Callable[[Node], None],
    stop: threading.Event,
    *,
    backwards: bool = False,
    waits: Mapping[Node, Sequence[Node]] | None = None,
) -> dict[Node, Outcome]:
    """Visits every node when all its needs were visited with success. `nodes` must hold all their needs.

    With `backwards` a node is visited when all that need it were. `waits` names what each node waits for where that is
    not all it needs.

    A failed visit blocks only what depends on it. Once `stop` is set no new visit begins, those in flight end, and what
    was not visited has an outcome with `stopped`. The outcomes are in the order of `nodes`.
    """
    nodes = list(nodes)
    needs: Mapping[Node, Sequence[Node]] = waits if waits is not None else {node: node.needs for node in nodes}
    if backwards:
        needs = {node: [other for other in nodes if node in other.needs] for node in nodes}
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    outcomes: dict[Node, Outcome] = {}
    finished: queue.SimpleQueue[tuple[Node, Exception | None]] = queue.SimpleQueue()
    in_flight = 0

    def run(node: Node) -> None:
        try:
            visit(node)
        except Exception as error:  # noqa: BLE001 - every failure is an outcome of the walk and is reported there
            finished.put((node, error))
        except BaseException as error:
            # Whatever ends a visit, the walk must hear of it, or it would wait for ever.
            finished.put((node, RuntimeError(f"ended by {type(error).__name__}: {error}")))
            raise
        else:
            finished.put((node, None))

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="walk") as pool:
        while sorter.is_active():
            for node in sorter.get_ready():
                blocker = next((need for need in needs[node] if not outcomes[need].done), None)
                if stop.is_set():
                    outcomes[node] = Outcome(stopped=True)
                elif blocker is not None:
                    root = outcomes[blocker].blocked_by or blocker
                    outcomes[node] = Outcome(blocked_by=root, stopped=outcomes[blocker].stopped)
                else:
                    in_flight += 1
                    pool.submit(run, node)
                    continue
                sorter.done(node)
            if in_flight:
                ended, error = finished.get()
                in_flight -= 1
                outcomes[ended] = Outcome(error=error)
                sorter.done(ended)
    # As the nodes were given, not as their visits happened to end.
    return {node: outcomes[node] for node in nodes}
