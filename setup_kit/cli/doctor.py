"""setup-kit doctor"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from setup_kit.cli.answer import Answer, tell
from setup_kit.cli.options import Chosen, Output, environments_options, output_options
from setup_kit.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from setup_kit.cli.session import Session
    from setup_kit.engine.events import Listener


@click.command()
@environments_options
@output_options
def doctor(chosen: Chosen, output: Output) -> None:
    """Look for everything that would stop `apply`, all at once. Changes nothing.

    This machine's driver and clock, the reach of every host, the sign-in and its tenant; the subscription's state,
    policies, locks and resource providers; whether you may make each call that a run will make; regions, quotas and
    names; the service principal, the organization's version and the change tracking of each entity. Each finding has a
    severity, what was seen, and what helps. Exits with 1 when something must be mended first.

    \b
    Examples:
      setup-kit doctor -e dev
      setup-kit doctor -e dev --output json
      setup-kit doctor -e 'prod-*' --parallel 10
    """
    from setup_kit.cli.session import open_session, stoppable

    if chosen.one is None:
        from setup_kit.cli.together import look

        look(chosen, "doctor", output, _examined)
    else:
        with open_session(chosen.one) as session, stoppable(session.stop), output.progress() as progress:
            answer = _examined(session, chosen.one, progress)
        tell(answer, output)


def _examined(session: Session, given: str, listener: Listener) -> Answer:
    from setup_kit.engine.resource import Status
    from setup_kit.report.console import counted, show_findings
    from setup_kit.report.documents import findings_document, for_environment

    found, interrupted = session.house.examine(listener, session.stop)
    findings = for_environment(found, given)
    document = findings_document(session.name, findings)
    counts = document["summary"]
    failed = [finding for finding in findings if finding.status is Status.FAILED]

    def show(console: Console) -> None:
        show_findings(console, findings)
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        warnings = counted(counts["warning"], "warning")
        console.print(f"{counts['passed']} passed, {counts['failed']} failed, {warnings}{skipped}.")
        if not failed and not interrupted:
            console.print(f"Next: setup-kit plan -e {given}", markup=False)

    code, word, next_ = ExitCode.DONE, "ready", "plan"
    if failed:
        code, word, next_ = ExitCode.FAILED, "failed", "doctor"
    if interrupted:
        code, word, next_ = ExitCode.INTERRUPTED, "interrupted", "doctor"
    trouble = (lambda console: show_findings(console, failed)) if failed else None
    return Answer(
        code, document, show, trouble, word, {key: counts[key] for key in ("passed", "warning", "failed")}, next_
    )
