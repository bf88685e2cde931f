"""setup-kit apply"""

from __future__ import annotations

from pathlib import Path

import click

from setup_kit.cli.options import Output, optional_environment_option, output_options, target_option
from setup_kit.cli.work import Consent, Work, carry_out, changing, consent_options, make, planned
from setup_kit.errors import UsageError


@click.command()
@click.argument("plan_file", metavar="[FILE]", required=False, type=click.Path(dir_okay=False, path_type=Path))
@optional_environment_option
@target_option
@consent_options
@output_options
def apply(
    plan_file: Path | None, environment: str | None, targets: tuple[str, ...], consent: Consent, output: Output
) -> None:
    """Make the changes that `plan` shows, prove them, and see the first synchronization through.

    What is as the file says stays untouched: run it again at any time, also after a failure or a kill, to finish the
    job. A temporary firewall rule for this machine is added when the database cannot be reached otherwise, and removed
    at the end. One run at a time works on an environment.

    With FILE, which plan --out wrote, exactly the changes of that plan are made, without asking, since they were seen;
    when the world or the environment file has moved since then, nothing is, and what moved is named.

    \b
    Examples:
      setup-kit apply -e dev
      setup-kit apply -e dev --target 'grants/*'
      setup-kit apply -e prod --yes --output json
      setup-kit apply prod.plan
    """
    if plan_file is not None:
        _apply_saved(plan_file, environment, targets, consent, output)
    elif environment is None:
        raise click.UsageError("Missing option '-e' / '--environment', or the FILE of a saved plan.")
    else:
        make(environment, "apply", targets, consent, output)


def _apply_saved(
    path: Path, environment: str | None, targets: tuple[str, ...], consent: Consent, output: Output
) -> None:
    from setup_kit.report.saved_plan import read_plan

    saved = read_plan(path)
    if targets or environment not in (None, saved.given):
        raise UsageError(
            f"{path} says itself of which environment and targets it is",
            why=f"environment {saved.given}, targets: {', '.join(saved.targets) or 'all'}",
            remedy=f"run setup-kit apply {path}, without other targets or another environment",
        )
    with changing(saved.given, "apply", consent.wait) as session:
        saved.check_made_of(session.loaded)
        made = planned(session, saved.targets, output, open_ways=saved.open_firewall)
        if not made.interrupted and not made.failures:
            saved.check_still(made)
        carry_out(Work(session, made, destructive=consent.destructive), "apply", output, yes=True)
