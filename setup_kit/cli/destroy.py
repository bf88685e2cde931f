"""setup-kit destroy"""

from __future__ import annotations

import sys

import click

from setup_kit.cli.options import Output, environment_option, output_options
from setup_kit.cli.removing import Removing, removal_planned, tell_left
from setup_kit.cli.work import carry_out, changing, wait_option
from setup_kit.errors import UsageError


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
@wait_option
@output_options
def destroy(
    environment: str,
    dry_run: bool,
    confirm: str | None,
    drop_objects: bool,
    include_data: bool,
    purge: tuple[str, ...],
    wait: float,
    output: Output,
) -> None:
    """Take an environment down: what the kit made, and nothing else.

    Shows everything first, and asks for the environment's name. The profile is deactivated and deleted; user, login,
    firewall rules, the service's access and the vault with its secret go. Data stays unless you say otherwise, and so
    does what rests on the secret of another environment: a profile of yours that does goes by setup-kit profile delete.
    To look into the database, a temporary firewall rule for this machine is added where it is needed, and removed at
    the end. Run it again at any time, also after a failure or a kill, to finish the job. It takes one environment,
    whose name is typed: several go one by one.

    \b
    Examples:
      setup-kit destroy -e dev --dry-run
      setup-kit destroy -e dev
      setup-kit destroy -e dev --drop-objects
      setup-kit destroy -e dev --include-data --purge kv-dev --confirm dev
    """
    with changing(environment, "destroy", wait, drop_objects=drop_objects) as session:
        if confirm is not None:
            check_name(session.name, confirm)
        session.house.purge(purge)
        made = removal_planned(session, output, include_data=include_data, open_ways=True)
        carry_out(_Destruction(session, made), "destroy", output, yes=confirm is not None, dry_run=dry_run)
        if not drop_objects:
            tell_left(session, made, output)


class _Destruction(Removing):
    def confirmed(self) -> bool:
        """Asks for the environment's name. Raises UsageError where nobody can answer."""
        name = self.session.name
        if not sys.stdin.isatty():
            raise UsageError(
                "nobody is there to confirm the removal", remedy=f"pass --confirm {name} to make it without asking"
            )
        answer: str = click.prompt(f"Type the environment's name, {name}, to take it down", err=True)
        return answer.strip() == name


def check_name(name: str, confirm: str) -> None:
    """Raises UsageError where another name was given than the environment's."""
    if confirm != name:
        raise UsageError(
            f"--confirm says {confirm!r}, and the environment is {name!r}: nothing was changed",
            remedy=f"if it is {name} that is to go: --confirm {name}",
        )
