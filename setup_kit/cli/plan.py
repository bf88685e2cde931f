"""setup-kit plan"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from setup_kit.cli.answer import Answer, of_plan, say
from setup_kit.cli.options import (
    Chosen,
    FileName,
    Output,
    environments_options,
    finish,
    open_firewall_option,
    output_options,
    target_option,
)

if TYPE_CHECKING:
    from setup_kit.cli.session import Session
    from setup_kit.engine.events import Listener


@click.command()
@environments_options
@target_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 3 when there are changes, 0 when there are none.")
@open_firewall_option
@click.option(
    "--out",
    type=FileName(),
    metavar="FILE",
    help="Keep the plan in this file, for setup-kit apply FILE. It holds no secret. Only a plan is replaced by it.",
)
@output_options
def plan(
    chosen: Chosen,
    targets: tuple[str, ...],
    detailed_exitcode: bool,
    open_firewall: bool,
    out: Path | None,
    output: Output,
) -> None:
    """Show what `apply` would do. Changes nothing.

    + is made, ~ changes from its old value to its new one, - goes, ? is decided during apply because it cannot be read
    before. What is marked destructive is made only with apply's --allow-destructive.

    Of several environments a table says what is to be done in each; -v shows the plans themselves, as it is for three
    or fewer. A file of a plan (--out) is of one.

    \b
    Examples:
      setup-kit plan -e dev
      setup-kit plan -e dev --target 'grants/*' --target key_vault/kv-contoso
      setup-kit plan -e prod --out prod.plan
      setup-kit plan -e prod --detailed-exitcode --output json
      setup-kit plan --all
      setup-kit plan -e 'prod-*' -e test --parallel 10
    """
    from setup_kit.cli.session import open_session
    from setup_kit.cli.work import planned

    if chosen.one is None:
        _plan_all(chosen, targets, output, detailed=detailed_exitcode, open_firewall=open_firewall, out=out)
        return
    if out is not None:
        from setup_kit.report.saved_plan import check_replaceable

        check_replaceable(out)
    with open_session(chosen.one) as session:
        made = planned(session, targets, output, open_ways=open_firewall)
        whole = not made.interrupted and not made.failures
        if out is not None and whole:
            from setup_kit.report.saved_plan import save_plan

            save_plan(out, made, session.loaded, given=chosen.one, targets=targets, open_firewall=open_firewall)
    answer = of_plan(session, made, detailed=detailed_exitcode)
    say(answer, output)
    if out is not None and whole and not output.json:
        output.err.print(f"The plan is in {out}. Next: setup-kit apply {out}", markup=False)
    finish(answer.code)


def _plan_all(
    chosen: Chosen,
    targets: tuple[str, ...],
    output: Output,
    *,
    detailed: bool,
    open_firewall: bool,
    out: Path | None,
) -> None:
    from setup_kit.cli.together import look
    from setup_kit.engine.executor import reading
    from setup_kit.engine.selection import select

    if out is not None:
        chosen.one_for("--out")

    def one(session: Session, given: str, listener: Listener) -> Answer:
        nodes = select(session.house.nodes, targets)
        made = reading(nodes, listener, session.stop, open_ways=open_firewall)
        return of_plan(session, made, detailed=detailed)

    look(chosen, "plan", output, one, apart=open_firewall, own=True)
