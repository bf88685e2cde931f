"""setup-kit verify"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from setup_kit.cli.options import Output, Span, environment_option, finish, open_firewall_option, output_options
from setup_kit.errors import ExitCode


@click.command()
@environment_option
@open_firewall_option
@click.option(
    "--fresh",
    type=Span(),
    default="24h",
    metavar="SPAN",
    show_default=True,
    help="How long a change of the organization may wait for its export: 90m, 24h, 7d.",
)
@click.option("--strict", is_flag=True, help="Warnings fail the verification, too.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write the report as one HTML file, with a diagram of what there is; to read, to print, to attach.",
)
@output_options
def verify(
    environment: str, open_firewall: bool, fresh: timedelta, strict: bool, html: Path | None, output: Output
) -> None:
    """Prove that everything is as the environment file says and that the export works. Changes nothing.

    Every grant, firewall rule, permission and setting is compared, neither missing nor more than was asked for; the
    export user logs in with the very string that the secret holds; the export service validates the profile. Each
    finding has a severity, the evidence, and the command that mends it. Exits with 4 when anything fails.

    \b
    Examples:
      setup-kit verify -e dev
      setup-kit verify -e prod --strict --html audit.html
      setup-kit verify -e prod --fresh 2h --output json
    """
    from setup_kit.cli.session import open_session, stoppable
    from setup_kit.engine.verifier import verify_all
    from setup_kit.report.console import show_findings
    from setup_kit.report.documents import for_environment, verification_document

    if html is not None:
        from setup_kit.report.html import check_writable, write_verification

        check_writable(html)
    with (
        open_session(environment, patient=False, fresh=fresh) as session,
        stoppable(session.stop),
        output.progress() as progress,
    ):
        found, interrupted = verify_all(session.house.nodes, progress, session.stop, open_ways=open_firewall)
        findings = for_environment(found, environment)
        facts = session.house.provisioned()
    document = verification_document(
        session.name, findings, facts, strict=strict, interrupted=interrupted, at=datetime.now(UTC)
    )
    if html is not None:
        write_verification(html, document)
    if output.json:
        output.document(document)
    else:
        counts = document["summary"]
        show_findings(output.out, findings)
        words = ", ".join(f"{counts[word]} {word}" for word in ("passed", "failed", "warning", "skipped"))
        output.out.print(f"{words}.")
        if html is not None:
            output.err.print(f"The report is in {html}.", markup=False)
    if interrupted:
        finish(ExitCode.INTERRUPTED)
    if not document["passed"]:
        if not output.json:
            output.out.print(f"Next: setup-kit apply -e {environment}, which mends what it can; then verify again.")
        finish(ExitCode.VERIFICATION_FAILED)
