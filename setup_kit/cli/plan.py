"""setup-kit plan"""

from __future__ import annotations

import click

from setup_kit.cli.options import Output, environment_option, finish, output_options, target_option
from setup_kit.errors import ExitCode


@click.command()
@environment_option
@target_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 3 when there are changes, 0 when there are none.")
@click.option(
    "--open-firewall",
    is_flag=True,
    help="Let this machine reach the database through a temporary firewall rule, removed at the end, to read more.",
)
@output_options
def plan(
    environment: str, targets: tuple[str, ...], detailed_exitcode: bool, open_firewall: bool, output: Output
) -> None:
    """Show what `apply` would do. Changes nothing.

    \b
    Examples:
      setup-kit plan -e dev
      setup-kit plan -e dev --target 'grants/*' --target key_vault/kv-contoso
      setup-kit plan -e prod --detailed-exitcode --output json
    """
    from setup_kit.cli.session import open_session
    from setup_kit.cli.work import planned
    from setup_kit.report.console import show_plan
    from setup_kit.report.documents import plan_document

    with open_session(environment) as session:
        made = planned(session, targets, output, open_ways=open_firewall)
    if output.json:
        output.document(plan_document(session.name, made))
    else:
        show_plan(output.out, session.name, made)
    if made.interrupted:
        finish(ExitCode.INTERRUPTED)
    if made.failures:
        finish(ExitCode.FAILED)
    if detailed_exitcode and not made.empty:
        finish(ExitCode.CHANGES_PENDING)
