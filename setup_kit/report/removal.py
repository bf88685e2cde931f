"""What a removal would take away and what it leaves, on a console and as JSON."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.markup import escape

from setup_kit.engine.removal import RemovalPlan
from setup_kit.engine.resource import Status
from setup_kit.report.console import interrupted_text, show_changes, show_failures, show_findings
from setup_kit.report.documents import Document, plan_document


def show_removal(console: Console, environment: str, plan: RemovalPlan) -> None:
    """What goes, grouped by resource; what stays and why; the counts."""
    show_findings(console, [finding for finding in plan.findings if finding.status is not Status.PASSED])
    if not plan.empty:
        console.print(f"[bold]Removal from {escape(environment)}[/], in this order\n")
    for address, changes in groupby(plan.changes, key=lambda change: change.resource):
        show_changes(console, address, list(changes))
    for item in plan.deferred:
        console.print(
            f"  [cyan]?[/] {escape(item.resource.address)}  decided during the removal: {escape(item.reason)}"
        )
    for node, outer in plan.along.items():
        console.print(f"  [red]-[/] {escape(node.address)}  goes with {escape(outer.address)}")
    for node, why in plan.kept.items():
        console.print(f"  [green]=[/] {escape(node.address)}  [bright_black]stays: {escape(why)}[/]")
    console.print()
    show_failures(console, plan.failures, plan.blocked)
    if plan.interrupted:
        console.print(interrupted_text(plan))
        return
    if plan.failures:
        return
    if plan.empty:
        console.print(f"[green]Nothing to remove.[/] {len(plan.kept)} resources stay.")
    else:
        console.print(f"{len(plan.changes)} to delete, {len(plan.kept)} stay, wholly or in part.")


def removal_document(environment: str, plan: RemovalPlan) -> Document:
    """A plan's document, whose changes are deletions in their order, with what goes `along` and what is `kept`."""
    return plan_document(environment, plan) | {
        "along": [{"resource": node.address, "with": outer.address} for node, outer in plan.along.items()],
        "kept": [{"resource": node.address, "why": why} for node, why in plan.kept.items()],
    }
