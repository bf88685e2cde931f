"""setup-kit verify"""

from __future__ import annotations

import click

from setup_kit.cli.options import Output, environment_option, finish, output_options
from setup_kit.errors import ExitCode


@click.command()
@environment_option
@click.option(
    "--open-firewall",
    is_flag=True,
    help="Let this machine reach the database through a temporary firewall rule, removed at the end.",
)
@output_options
def verify(environment: str, open_firewall: bool, output: Output) -> None:
    """Prove that everything is as the environment file says and that the export works. Changes nothing.

    Every grant, firewall rule, permission and setting is compared; the export user logs in with the very string that
    the secret holds; the export service validates the profile. Exits with 4 when anything is missing or fails.

    \b
    Examples:
      setup-kit verify -e dev
      setup-kit verify -e prod --output json
    """
    from setup_kit.cli.session import open_session, stoppable
    from setup_kit.engine.verifier import verify_all
    from setup_kit.report.console import show_findings
    from setup_kit.report.documents import findings_document

    with open_session(environment, patient=False) as session, stoppable(session.stop), output.progress() as progress:
        findings, interrupted = verify_all(session.house.nodes, progress, session.stop, open_ways=open_firewall)
    document = findings_document(session.name, findings)
    counts = document["summary"]
    if output.json:
        output.document(document)
    else:
        show_findings(output.out, findings)
        output.out.print(
            ", ".join(f"{counts[word]} {word}" for word in ("passed", "failed", "warning", "skipped")) + "."
        )
    if interrupted:
        finish(ExitCode.INTERRUPTED)
    if counts["failed"]:
        if not output.json:
            output.out.print(f"Next: setup-kit apply -e {session.name}, which mends what it can; then verify again.")
        finish(ExitCode.VERIFICATION_FAILED)
