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

    This machine's driver, the sign-in and its tenant, the reach of every host, the names, the service principal, the
    organization's version and the change tracking of each entity. Exits with 1 when something must be mended first.

    \b
    Example:
      setup-kit doctor -e dev
    """
    from setup_kit.cli.session import open_session
    from setup_kit.report.console import show_findings
    from setup_kit.report.documents import findings_document

    with open_session(environment) as session:
        findings = session.house.examine()
    document = findings_document(session.name, findings)
    if output.json:
        output.document(document)
    else:
        show_findings(output.out, findings)
        counts = document["summary"]
        output.out.print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['warning']} warnings.")
        if not counts["failed"]:
            output.out.print(f"Next: setup-kit plan -e {session.name}")
    if document["summary"]["failed"]:
        finish(ExitCode.FAILED)
