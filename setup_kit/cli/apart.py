"""What commands do on a few resources apart from the environment's graph: plan them, and show what was found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from setup_kit.cli.options import Output, finish
from setup_kit.cli.session import Session, stoppable
from setup_kit.errors import ExitCode

if TYPE_CHECKING:
    from setup_kit.engine.planner import Plan
    from setup_kit.engine.removal import RemovalPlan
    from setup_kit.engine.resource import Finding, Node


def planned_apart(session: Session, nodes: Iterable[Node], output: Output) -> Plan:
    """The plan for these nodes alone. Changes nothing."""
    from setup_kit.engine.executor import reading

    with stoppable(session.stop), output.progress() as progress:
        return reading(nodes, progress, session.stop)


def removal_apart(session: Session, nodes: Iterable[Node], taken: Iterable[Node], output: Output) -> RemovalPlan:
    """The removal of those of these nodes that are to be taken away. Changes nothing."""
    from setup_kit.engine.removal import make_removal

    with stoppable(session.stop), output.progress() as progress:
        return make_removal(nodes, progress, session.stop, only=tuple(taken))


def tell_findings(
    session: Session, given: str, findings: Iterable[Finding], output: Output, *, strict: bool = False
) -> None:
    """Prints findings; `given` is how the environment was named on the command line.

    Ends with 4 when one failed or could not be had, with `strict` also when one is a warning.
    """
    from setup_kit.engine.resource import Status
    from setup_kit.report.console import show_findings
    from setup_kit.report.documents import findings_document, for_environment

    found = for_environment(findings, given)
    if output.json:
        output.document(findings_document(session.name, found))
    else:
        show_findings(output.out, found)
    bad = {Status.FAILED, Status.SKIPPED} | ({Status.WARNING} if strict else set())
    if any(finding.status in bad for finding in found):
        finish(ExitCode.VERIFICATION_FAILED)
