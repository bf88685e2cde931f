"""setup-kit destroy"""

from __future__ import annotations

import sys

import click

from setup_kit.cli.options import Output, environment_option, finish, output_options
from setup_kit.errors import ExitCode, UsageError


@click.command()
@environment_option
@click.option("--dry-run", is_flag=True, help="Show what would go; change nothing.")
@click.option("--confirm", metavar="NAME", help="The environment's name, for scripts; it is asked for otherwise.")
@click.option(
    "--drop-objects", is_flag=True, help="Drop the profile's tables, types and procedures in the destination."
)
@click.option("--include-data", is_flag=True, help="Delete the database, the server and the resource group as well.")
@click.option(
    "--purge",
    multiple=True,
    metavar="NAME",
    help="Delete the vault, or the secret, of this name for good; it could be recovered otherwise. May be repeated.",
)
@output_options
def destroy(
    environment: str,
    dry_run: bool,
    confirm: str | None,
    drop_objects: bool,
    include_data: bool,
    purge: tuple[str, ...],
    output: Output,
) -> None:
    """Take an environment down: what the kit made, and nothing else.

    Shows everything first, and asks for the environment's name. The profile is deactivated and deleted; user, login,
    firewall rules, the service's access and the vault with its secret go. Data stays unless you say otherwise. To look
    into the database, a temporary firewall rule for this machine is added where it is needed, and removed at the end.
    Run it again at any time, also after a failure or a kill, to finish the job.

    \b
    Examples:
      setup-kit destroy -e dev --dry-run
      setup-kit destroy -e dev
      setup-kit destroy -e dev --drop-objects
      setup-kit destroy -e dev --include-data --purge kv-dev --confirm dev --output json
    """
    from setup_kit.cli.session import open_session, stoppable
    from setup_kit.engine.executor import Temporaries
    from setup_kit.engine.journal import Journal
    from setup_kit.engine.removal import make_removal, remove
    from setup_kit.engine.tell import tell_all
    from setup_kit.report.console import show_result
    from setup_kit.report.documents import result_document
    from setup_kit.report.removal import removal_document, show_removal

    with open_session(environment, ask_password=sys.stdin.isatty(), drop_objects=drop_objects) as session:
        if confirm is not None:
            check_name(session.name, confirm)
        session.house.purge(purge)
        temporaries = Temporaries(lambda event: None)
        try:
            with stoppable(session.stop), output.progress() as progress:
                made = make_removal(
                    session.house.nodes, progress, session.stop, include_data=include_data, opening=temporaries.open
                )
        finally:
            temporaries.close_or_raise(session.house.nodes)
        if not output.json:
            show_removal(output.out, session.name, made)
        if dry_run or made.interrupted or made.failures:
            if output.json:
                output.document(removal_document(session.name, made))
            failed = ExitCode.FAILED if made.failures else ExitCode.DONE
            finish(ExitCode.INTERRUPTED if made.interrupted else failed)
        if not made.empty and confirm is None and not confirmed(session.name):
            output.err.print("That is another name: nothing was changed.")
            finish(ExitCode.FAILED)
        with Journal(session.journal, "destroy") as journal, stoppable(session.stop), output.progress() as progress:
            listener = tell_all(journal, progress)
            result = remove(made, listener, Temporaries(listener), session.stop)
    if output.json:
        output.document(removal_document(session.name, made) | result_document(session.name, result))
    else:
        show_result(output.out, result)
    if result.interrupted:
        finish(ExitCode.INTERRUPTED)
    if not result.succeeded:
        finish(ExitCode.FAILED)


def check_name(name: str, confirm: str) -> None:
    """Raises UsageError where another name was given than the environment's."""
    if confirm != name:
        raise UsageError(
            f"--confirm says {confirm!r}, and the environment is {name!r}: nothing was changed",
            remedy=f"if it is {name} that is to go: --confirm {name}",
        )


def confirmed(name: str) -> bool:
    """Asks for the environment's name. Raises UsageError where nobody can answer."""
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is there to confirm the removal", remedy=f"pass --confirm {name} to make it without asking"
        )
    answer: str = click.prompt(f"Type the environment's name, {name}, to take it down", err=True)
    return answer.strip() == name
