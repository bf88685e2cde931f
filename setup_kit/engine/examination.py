"""Looks around before anything is planned: every check is run, side by side, and none stops another."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from setup_kit.engine.events import Event, Happening, Listener
from setup_kit.engine.graph import ordered, walk
from setup_kit.engine.planner import CheckFailed
from setup_kit.engine.resource import Check, Finding, Node, Status, told
from setup_kit.errors import KitError


def examine_all(checks: Iterable[Check], listener: Listener, stop: threading.Event) -> tuple[list[Finding], bool]:
    """All findings in the order of the graph, and whether the look was interrupted.

    What needs a check that failed is skipped, since it would only say the same again.
    """
    nodes = ordered(checks)
    found: dict[Node, list[Finding]] = {}

    def visit(node: Node) -> None:
        if not isinstance(node, Check):
            raise TypeError(f"{node.address} is no check")
        listener(Event(Happening.STARTED, node.address))
        found[node] = _run(node)
        for finding in found[node]:
            listener(Event(Happening.FINDING, node.address, finding=finding))
        listener(Event(Happening.DONE, node.address))
        if any(finding.status is Status.FAILED for finding in found[node]):
            raise CheckFailed(node, found[node])

    outcomes = walk(nodes, visit, stop)
    for node in nodes:
        if node not in found:
            blocker = outcomes[node].blocked_by
            why = f"{blocker.address} failed" if blocker is not None else "the look was interrupted"
            message, remedy = f"not looked at, because {why}", "mend that first, then run the same command again"
            found[node] = [Finding(node.kind, Status.SKIPPED, node.address, message, remedy)]
    interrupted = any(outcome.stopped for outcome in outcomes.values())
    # What several checks met is said once.
    return list(dict.fromkeys(finding for node in nodes for finding in found[node])), interrupted


def _run(check: Check) -> list[Finding]:
    try:
        return check.run()
    except Exception as error:  # noqa: BLE001 - whatever a check meets is a finding, and stops no other
        return [failed(check.kind, check.address, told(error))]


def failed(check: str, resource: str, error: KitError) -> Finding:
    """A failed finding from an error."""
    message = error.what
    if error.why:
        message += f": {error.why}"
    if error.original and error.original not in message:
        message += f" ({error.original})"
    remedy = error.remedy or "mend what it says, then run the same command again"
    return Finding(check, Status.FAILED, resource, message, remedy, error.original or error.why, link=error.link)
