"""setup-kit sandbox subscription and setup-kit sandbox policy"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from setup_kit.cli import sandbox_faults  # noqa: F401 - adds its commands to the group
from setup_kit.cli.options import Output, output_options
from setup_kit.cli.sandbox import directory_option, known_folder, sandbox
from setup_kit.errors import KitError, UsageError

if TYPE_CHECKING:
    from setup_kit.sandbox.state import State

STATES = ("Enabled", "Warned", "PastDue", "Disabled", "Deleted")
LIMITS = ("On", "Off", "CurrentPeriodOff")


@sandbox.command()
@directory_option
@click.option("--state", type=click.Choice(STATES, case_sensitive=False), help="The state that Azure has put it in.")
@click.option("--spending-limit", type=click.Choice(LIMITS, case_sensitive=False), help="Whether one is set.")
@click.option(
    "--close", "closed", multiple=True, metavar="REGION[/EDITION]", help="A region without new servers. Repeatable."
)
@click.option("--quota", "quotas", multiple=True, metavar="NAME=LIMIT", help="A limit of each region. Repeatable.")
@click.option("--unregister", multiple=True, metavar="NAMESPACE", help="A resource provider. Repeatable.")
@click.option("--reset", is_flag=True, help="Everything as in a new sandbox, before the rest is set.")
@output_options
def subscription(
    directory: Path,
    state: str | None,
    spending_limit: str | None,
    closed: tuple[str, ...],
    quotas: tuple[str, ...],
    unregister: tuple[str, ...],
    reset: bool,
    output: Output,
) -> None:
    """Set what Azure decides about a sandbox's subscription, in a running sandbox too; prints what holds.

    \b
    Quotas:
      ServerQuota                      logical servers of a region
      RegionalVCoreQuotaForSQLDBAndDW  vCores of a region; 125 DTU are one

    A subscription that is Warned or Disabled takes no changes, a closed region no new servers.

    \b
    Examples:
      setup-kit sandbox subscription --state Disabled
      setup-kit sandbox subscription --close westeurope/Premium
      setup-kit sandbox subscription --quota ServerQuota=0
      setup-kit sandbox subscription --unregister Microsoft.Sql
      setup-kit sandbox subscription --reset
    """
    from setup_kit.sandbox import subscription as subscriptions
    from setup_kit.sandbox.resource_manager.groups import registrations, set_registration

    try:
        limits = {name: int(limit) for name, _, limit in (each.partition("=") for each in quotas)}
    except ValueError as error:
        raise click.BadParameter("it is not NAME=LIMIT, the limit a whole number", param_hint="--quota") from error
    _check_places(closed)
    with _opened(directory) as kept:
        now = subscriptions.Conditions() if reset else subscriptions.conditions(kept)
        try:
            for namespace in registrations(kept) if reset else ():
                set_registration(kept, namespace, True)
            for namespace in unregister:
                set_registration(kept, namespace, False)
            now = replace(
                now,
                state=state or now.state,
                spending_limit=spending_limit or now.spending_limit,
                closed=tuple(dict.fromkeys((*now.closed, *closed))),
                quotas={**now.quotas, **limits},
            )
        except ValueError as error:
            raise UsageError(str(error), remedy="setup-kit sandbox subscription --help") from error
        subscriptions.set_conditions(kept, now)
        document = {**asdict(now), "providers": registrations(kept)}
    if output.json:
        output.document(document)
        return
    click.echo(f"{now.state}, spending limit {now.spending_limit}")
    for name in now.closed:
        click.echo(f"  closed: {name}")
    for name, limit in now.quotas.items():
        click.echo(f"  {name}: {limit}")
    for namespace, registration in document["providers"].items():
        click.echo(f"  {namespace}: {registration}")


@sandbox.group()
def policy() -> None:
    """Assign policies to a sandbox's subscription, which deny resources that are not as they say.

    They hold from the next request on, in a running sandbox too, and stay until they are removed.

    \b
    Examples:
      setup-kit sandbox policy add locations --field location --allow westeurope
      setup-kit sandbox policy list
      setup-kit sandbox policy remove locations
    """


@policy.command()
@click.argument("name")
@directory_option
@click.option("--type", "kind", default="*", metavar="GLOB", help="The resources' type: 'Microsoft.Sql/*'.")
@click.option(
    "--field", default="type", show_default=True, help="What is compared: location, sku.name, properties.version."
)
@click.option("--allow", multiple=True, metavar="VALUE", help="A value that it may have; none when not given.")
@output_options
def add(name: str, directory: Path, kind: str, field: str, allow: tuple[str, ...], output: Output) -> None:
    """Deny resources of a --type whose --field has none of the values of --allow. Replaces one of the same name.

    A resource that has no such field is not denied.

    \b
    Examples:
      setup-kit sandbox policy add locations --field location --allow westeurope
      setup-kit sandbox policy add cheap --field sku.name --allow S0 --allow S1
      setup-kit sandbox policy add no-vaults --type Microsoft.KeyVault/vaults
    """
    from setup_kit.sandbox.subscription import Policy, add_policy

    made = Policy(name, kind, field, allow)
    with _opened(directory) as kept:
        add_policy(kept, made)
    if output.json:
        output.document({"policy": asdict(made)})


@policy.command("list")
@directory_option
@output_options
def list_(directory: Path, output: Output) -> None:
    """List the policies.

    \b
    Example:
      setup-kit sandbox policy list --output json
    """
    from setup_kit.sandbox.subscription import policies

    with _opened(directory) as kept:
        found = policies(kept)
    if output.json:
        output.document({"policies": [asdict(each) for each in found]})
        return
    if not found:
        click.echo("There are no policies.")
    for each in found:
        click.echo(f"{each.name}  {each.type}  {each.field}  {', '.join(each.allow) or 'nothing allowed'}")


@policy.command()
@click.argument("name")
@directory_option
@output_options
def remove(name: str, directory: Path, output: Output) -> None:
    """Remove a policy by its name.

    \b
    Example:
      setup-kit sandbox policy remove locations
    """
    from setup_kit.sandbox.subscription import remove_policy

    with _opened(directory) as kept:
        if not remove_policy(kept, name):
            raise KitError(f"there is no policy {name}", remedy="setup-kit sandbox policy list")
    if output.json:
        output.document({"removed": name})


def _check_places(closed: tuple[str, ...]) -> None:
    """Raises UsageError for regions, and editions of a region, that there are not."""
    from setup_kit.sandbox.resource_manager.groups import LOCATIONS
    from setup_kit.sandbox.resource_manager.sql_tiers import CORES, DTU

    editions = sorted({*DTU, *CORES.values()})
    known = {edition.lower() for edition in editions}
    parts = [(each, *each.lower().partition("/")) for each in closed]
    unknown = [
        each for each, region, slash, edition in parts if region not in LOCATIONS or (slash and edition not in known)
    ]
    if unknown:
        raise UsageError(
            f"there is no region, or edition of one, {', '.join(unknown)}; nothing was closed",
            why=f"regions: {', '.join(sorted(LOCATIONS))}\neditions: {', '.join(editions)}",
            remedy="name one of them: --close westeurope, --close westeurope/Premium",
        )


@contextmanager
def _opened(directory: Path) -> Iterator[State]:
    """The state of a sandbox that has been started at least once."""
    from setup_kit.sandbox.state import State

    kept = State(known_folder(directory) / "state.db")
    try:
        yield kept
    finally:
        kept.close()
