"""setup-kit doctor"""

from __future__ import annotations

import click

from setup_kit.cli.options import Output, environment_option, finish, output_options
from setup_kit.errors import ExitCode


@click.command()
@environment_option
@output_options
def doctor(environment: str, output: Output) -> None:
    """Look for everything that would stop `apply`, all at once. Changes nothing.

    This machine's driver and clock, the reach of every host, the sign-in and its tenant; the subscription's state,
    policies, locks and resource providers; whether you may make each call that a run will make; regions, quotas and
    names; the service principal, the organization's version and the change tracking of each entity. Each finding has a
    severity, what was seen, and what helps. Exits with 1 when something must be mended first.

    \b
    Examples:
      setup-kit doctor -e dev
      setup-kit doctor -e dev --output json
    """
    from setup_kit.cli.session import open_session, stoppable
    from setup_kit.report.console import show_findings
    from setup_kit.report.documents import findings_document, for_environment

    with open_session(environment) as session, stoppable(session.stop), output.progress() as progress:
        found, interrupted = session.house.examine(progress, session.stop)
    findings = for_environment(found, environment)
    document = findings_document(session.name, findings)
    counts = document["summary"]
    if output.json:
        output.document(document)
    else:
        show_findings(output.out, findings)
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        output.out.print(
            f"{counts['passed']} passed, {counts['failed']} failed, {counts['warning']} warnings{skipped}."
        )
        if not counts["failed"] and not interrupted:
            output.out.print(f"Next: setup-kit plan -e {environment}", markup=False)
    if interrupted:
        finish(ExitCode.INTERRUPTED)
    if counts["failed"]:
        finish(ExitCode.FAILED)
