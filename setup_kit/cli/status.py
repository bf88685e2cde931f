"""setup-kit status"""

from __future__ import annotations

import click

from setup_kit.cli.options import Output, environment_option, finish, output_options
from setup_kit.errors import ExitCode


@click.command()
@environment_option
@output_options
def status(environment: str, output: Output) -> None:
    """Show where an environment stands: each resource against the file, and how far each entity's export is.

    A resource is as the file says, differs, is missing, or is unreadable from here.

    \b
    Example:
      setup-kit status -e dev
    """
    from setup_kit.cli.session import open_session, stoppable
    from setup_kit.engine.executor import reading
    from setup_kit.report.console import show_drift, show_failures, show_table
    from setup_kit.report.documents import status_document

    with open_session(environment) as session:
        with stoppable(session.stop), output.progress() as progress:
            made = reading(session.house.nodes, progress, session.stop)
        profile = session.house.profile_status()
    if output.json:
        output.document(status_document(session.name, made, profile))
    else:
        show_drift(output.out, session.name, made)
        show_failures(output.out, made.failures, made.blocked)
        if profile is None:
            output.out.print("There is no profile yet.")
        else:
            output.out.print(f"\nProfile {profile['name']}: {profile['state']}")
            columns = ["entity", "initial sync", "total", "succeeded", "failed", "last export"]
            rows = [
                [e["entity"], e["initial_sync"], e["total"], e["succeeded"], e["failed"], e["last_export"] or ""]
                for e in profile["entities"]
            ]
            show_table(output.out, "", columns, rows)
    if made.interrupted:
        finish(ExitCode.INTERRUPTED)
    if made.failures:
        finish(ExitCode.FAILED)
