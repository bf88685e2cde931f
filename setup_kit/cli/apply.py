"""setup-kit apply"""

from __future__ import annotations

import sys

import click

from setup_kit.cli.options import Output, environment_option, finish, output_options
from setup_kit.errors import ExitCode, UsageError


@click.command()
@environment_option
@click.option("--yes", is_flag=True, help="Do not ask; make the changes.")
@output_options
def apply(environment: str, yes: bool, output: Output) -> None:
    """Make the changes that `plan` shows, prove them, and see the first synchronization through.

    What is as the file says stays untouched: run it again at any time, also after a failure or a kill, to finish the
    job. A temporary firewall rule for this machine is added when the database cannot be reached otherwise, and removed
    at the end.

    \b
    Examples:
      setup-kit apply -e dev
      setup-kit apply -e prod --yes --output json
    """
    from setup_kit.cli.session import open_session, stoppable
    from setup_kit.engine.executor import Temporaries, execute, reading
    from setup_kit.engine.journal import Journal
    from setup_kit.engine.tell import tell_all
    from setup_kit.report.console import show_plan, show_result
    from setup_kit.report.documents import plan_document, result_document

    with open_session(environment, ask_password=sys.stdin.isatty()) as session:
        with stoppable(session.stop), output.progress() as progress:
            made = reading(session.house.nodes, progress, session.stop)
        if not output.json:
            show_plan(output.out, session.name, made)
        if made.interrupted or made.failures:
            if output.json:
                output.document(plan_document(session.name, made))
            finish(ExitCode.INTERRUPTED if made.interrupted else ExitCode.FAILED)
        if not made.empty and not yes and not confirmed(session.name):
            output.err.print("Nothing was changed.")
            finish(ExitCode.FAILED)
        with Journal(session.journal, "apply") as journal, stoppable(session.stop), output.progress() as progress:
            listener = tell_all(journal, progress)
            result = execute(made, listener, Temporaries(listener), session.stop)
    if output.json:
        output.document(result_document(session.name, result))
    else:
        show_result(output.out, result)
    if result.interrupted:
        finish(ExitCode.INTERRUPTED)
    if not result.succeeded:
        finish(ExitCode.FAILED)


def confirmed(name: str) -> bool:
    """Asks before the changes are made. Raises UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm the changes", remedy="pass --yes to make them without asking")
    return click.confirm(f"Make these changes to {name}?", err=True)
