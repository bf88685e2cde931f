"""What commands do that look at a few resources of an environment: show what they are, or check them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from setup_kit.cli.answer import addressed
from setup_kit.cli.options import Output, finish
from setup_kit.cli.session import open_session, stoppable
from setup_kit.errors import ExitCode

if TYPE_CHECKING:
    from setup_kit.cli.session import Adjust


def show(environment: str, targets: Iterable[str], output: Output, *, adjust: Adjust | None = None) -> None:
    """Prints what the resources of these address patterns are. Ends with 1 where one is not there or not readable."""
    from setup_kit.engine.planner import make_plan
    from setup_kit.engine.selection import select
    from setup_kit.report.states import present, show_states, states_document

    with open_session(environment, adjust=adjust) as session:
        nodes = select(session.house.nodes, targets)
        with stoppable(session.stop), output.progress() as progress:
            made = addressed(make_plan(nodes, progress, session.stop, checks=False), session)
    document = states_document(session.name, made, nodes)
    if output.json:
        output.document(document)
    else:
        show_states(output.out, made, document)
    if made.interrupted:
        output.err.print("[yellow]Interrupted.[/] Run the same command again.")
        finish(ExitCode.INTERRUPTED)
    if not present(document):
        finish(ExitCode.FAILED)


def check(environment: str, targets: Iterable[str], output: Output, *, open_firewall: bool) -> None:
    """Proves the resources of these address patterns, as `verify` does. Ends with 4 when something fails."""
    from setup_kit.engine.resource import Status
    from setup_kit.engine.selection import select
    from setup_kit.engine.verifier import verify_all
    from setup_kit.report.console import show_findings
    from setup_kit.report.documents import findings_document, for_environment

    with (
        open_session(environment, patient=False) as session,
        stoppable(session.stop),
        output.progress() as progress,
    ):
        nodes = select(session.house.nodes, targets)
        found, interrupted = verify_all(nodes, progress, session.stop, open_ways=open_firewall)
    wanted = {node.address for node in nodes}
    findings = [finding for finding in found if finding.resource in wanted]
    if any(finding.status is Status.SKIPPED for finding in findings):
        # Whatever kept them from being looked at.
        findings = [finding for finding in found if finding.resource in wanted or finding.status is Status.FAILED]
    findings = for_environment(findings, environment)
    if output.json:
        output.document(findings_document(session.name, findings))
    else:
        show_findings(output.out, findings)
    if interrupted:
        output.err.print("[yellow]Interrupted.[/] Run the same command again.")
        finish(ExitCode.INTERRUPTED)
    if any(finding.status in (Status.FAILED, Status.SKIPPED) for finding in findings):
        finish(ExitCode.VERIFICATION_FAILED)
