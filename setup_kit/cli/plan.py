"""setup-kit plan"""

from __future__ import annotations

from pathlib import Path

import click

from setup_kit.cli.options import (
    Output,
    environment_option,
    finish,
    open_firewall_option,
    output_options,
    target_option,
)
from setup_kit.errors import ExitCode


@click.command()
@environment_option
@target_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 3 when there are changes, 0 when there are none.")
@open_firewall_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep the plan in this file, for setup-kit apply FILE. It holds no secret.",
)
@output_options
def plan(
    environment: str,
    targets: tuple[str, ...],
    detailed_exitcode: bool,
    open_firewall: bool,
    out: Path | None,
    output: Output,
) -> None:
    """Show what `apply` would do. Changes nothing.

    + is made, ~ changes from its old value to its new one, - goes, ? is decided during apply because it cannot be read
    before. What is marked destructive is made only with apply's --allow-destructive.

    \b
    Examples:
      setup-kit plan -e dev
      setup-kit plan -e dev --target 'grants/*' --target key_vault/kv-contoso
      setup-kit plan -e prod --out prod.plan
      setup-kit plan -e prod --detailed-exitcode --output json
    """
    from setup_kit.cli.session import open_session
    from setup_kit.cli.work import planned
    from setup_kit.report.console import show_plan
    from setup_kit.report.documents import plan_document

    with open_session(environment) as session:
        made = planned(session, targets, output, open_ways=open_firewall)
        whole = not made.interrupted and not made.failures
        if out is not None and whole:
            from setup_kit.report.saved_plan import save_plan

            save_plan(out, made, session.loaded, given=environment, targets=targets, open_firewall=open_firewall)
    if output.json:
        output.document(plan_document(session.name, made))
    else:
        show_plan(output.out, session.name, made)
        if out is not None and whole:
            output.err.print(f"The plan is in {out}. Next: setup-kit apply {out}", markup=False)
    if made.interrupted:
        finish(ExitCode.INTERRUPTED)
    if made.failures:
        finish(ExitCode.FAILED)
    if detailed_exitcode and not made.empty:
        finish(ExitCode.CHANGES_PENDING)
