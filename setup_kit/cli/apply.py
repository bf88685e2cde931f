"""setup-kit apply"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from setup_kit.cli.options import Chosen, FileName, Output, environments_options, output_options, target_option
from setup_kit.cli.work import Consent, Work, carry_out, changing, consent_options, make, planned
from setup_kit.errors import UsageError

if TYPE_CHECKING:
    from setup_kit.cli.session import Session
    from setup_kit.engine.events import Listener


@click.command()
@click.argument("plan_file", metavar="[FILE]", required=False, type=FileName())
@environments_options
@target_option
@consent_options
@output_options
def apply(plan_file: Path | None, chosen: Chosen, targets: tuple[str, ...], consent: Consent, output: Output) -> None:
    """Make the changes that `plan` shows, prove them, and see the first synchronization through.

    What is as the file says stays untouched: run it again at any time, also after a failure or a kill, to finish the
    job. A temporary firewall rule for this machine is added when the database cannot be reached otherwise, and removed
    at the end; what a kill leaves of it, the next run removes. One run at a time, of those in one folder, works on an
    environment.

    With FILE, which plan --out wrote, exactly the changes of that plan are made, without asking, since they were seen;
    when the environment file says something else by now, or other changes are needed, none is, and that is named.

    Several environments are planned side by side, shown in one table and asked about once; then each is changed for
    itself, with its own journal and lock. What fails in one stops no other. Two that name the same secret, export user
    or profile are refused; those that share a server or a vault go one after the other.

    \b
    Examples:
      setup-kit apply -e dev
      setup-kit apply -e dev --target 'grants/*'
      setup-kit apply -e prod --yes --output json
      setup-kit apply prod.plan
      setup-kit apply -e 'prod-*' --parallel 10
      setup-kit apply --all --yes --output json
    """
    if plan_file is not None:
        _apply_saved(plan_file, chosen, targets, consent, output)
    elif not chosen.given and not chosen.every:
        raise click.UsageError("Missing option '-e' / '--environment', --all, or the FILE of a saved plan.")
    elif chosen.one is not None:
        make(chosen.one, "apply", targets, consent, output)
    else:
        _apply_all(chosen, targets, consent, output)


def _apply_all(chosen: Chosen, targets: tuple[str, ...], consent: Consent, output: Output) -> None:
    from setup_kit.cli.together import change
    from setup_kit.engine.executor import reading
    from setup_kit.engine.selection import select

    def prepare(session: Session, listener: Listener) -> Work:
        made = reading(select(session.house.nodes, targets), listener, session.stop)
        return Work(session, made, destructive=consent.destructive)

    change(chosen, "apply", output, prepare, consent)


def _apply_saved(path: Path, chosen: Chosen, targets: tuple[str, ...], consent: Consent, output: Output) -> None:
    from setup_kit.report.saved_plan import read_plan

    saved = read_plan(path)
    if targets or chosen.every or chosen.given not in ((), (saved.given,)):
        raise UsageError(
            f"{path} says itself of which environment and targets it is",
            why=f"environment {saved.given}, targets: {', '.join(saved.targets) or 'all'}",
            remedy=f"leave other targets and another environment out: apply {path} needs none",
        )
    with changing(saved.given, "apply", consent.wait) as session:
        saved.check_made_of(session.loaded)
        made = planned(session, saved.targets, output, open_ways=saved.open_firewall)
        if not made.interrupted and not made.failures:
            saved.check_still(made)
        carry_out(Work(session, made, destructive=consent.destructive), "apply", output, yes=True)
