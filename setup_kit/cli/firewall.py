"""setup-kit firewall"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from setup_kit.cli.look import show as look
from setup_kit.cli.options import Output, environment_option, output_options
from setup_kit.cli.removing import Removing, removal_options, removal_planned
from setup_kit.cli.server import logical
from setup_kit.cli.work import Consent, carry_out, changing, consent_options, make
from setup_kit.errors import KitError

if TYPE_CHECKING:
    from setup_kit.environment.loading import Loaded

RULES = "firewall_rules/*"


class RuleName(click.ParamType[str]):
    """A firewall rule's name; completes to those of the environment file that is named before it."""

    name = "rule"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from setup_kit.environment.loading import load

        try:
            rules = load(ctx.params.get("environment") or "").environment.sql.firewall.rules
        except KitError:
            return []
        return [CompletionItem(rule.name) for rule in rules if rule.name.startswith(incomplete)]


@click.group()
def firewall() -> None:
    """The logical server's firewall rules by themselves.

    \b
    Examples:
      setup-kit firewall list -e dev
      setup-kit firewall add -e dev office 203.0.113.8 203.0.113.15
    """


@firewall.command("list")
@environment_option
@output_options
def list_(environment: str, output: Output) -> None:
    """List all rules that the server has, those too that the environment file does not name.

    \b
    Example:
      setup-kit firewall list -e dev
    """
    look(environment, [RULES], output, adjust=logical)


@firewall.command()
@click.argument("name")
@click.argument("start")
@click.argument("end", required=False)
@environment_option
@consent_options
@output_options
def add(name: str, start: str, end: str | None, environment: str, consent: Consent, output: Output) -> None:
    """Admit the IPv4 addresses from START to END, or START alone, by the rule NAME.

    Rules of the environment file that are missing are made as well. Put the rule into the file, as is told at the end:
    verify calls rules superfluous that the file does not name.

    \b
    Example:
      setup-kit firewall add -e dev office 203.0.113.8 203.0.113.15
    """
    from setup_kit.environment.amending import with_rule

    _make(environment, "firewall add", lambda loaded: with_rule(loaded, name, start, end or start), consent, output)


@firewall.command()
@click.argument("name", type=RuleName())
@environment_option
@removal_options
@output_options
def remove(name: str, environment: str, consent: Consent, output: Output) -> None:
    """Remove the rule NAME, whoever made it. One that the environment file asks for, apply makes again.

    Exits with 1 when the server has no rule of this name, and the environment file asks for none.

    \b
    Example:
      setup-kit firewall remove -e dev office
    """
    from setup_kit.environment.problems import displayed

    with changing(environment, "firewall remove", consent.wait, adjust=logical) as session:
        rules = session.house.firewall
        assert rules is not None  # noqa: S101 - a logical server has one
        rules.taking = name
        made = removal_planned(session, output, [RULES])
        if made.complete:
            rules.refuse_unknown(name)
        carry_out(Removing(session, made), "firewall remove", output, yes=consent.yes)
        if rules.names(name):
            path = displayed(session.loaded.path)
            output.err.print(
                f"{path} still asks for the rule {name}: take it out, or apply makes it again.", markup=False
            )


@firewall.command()
@click.option("--region", help="Region of the organization; by default what sql.firewall.service_region says.")
@environment_option
@consent_options
@output_options
def allow_service(region: str | None, environment: str, consent: Consent, output: Output) -> None:
    """Admit the addresses that the export service calls from in a region.

    \b
    Examples:
      setup-kit firewall allow-service -e dev
      setup-kit firewall allow-service -e dev --region "West Europe"
    """
    from setup_kit.environment.amending import amended
    from setup_kit.errors import UsageError

    def admit(loaded: Loaded) -> Loaded:
        wanted = region or loaded.environment.sql.firewall.service_region
        if wanted is None:
            raise UsageError(
                "the region whose addresses are to be admitted is not known",
                remedy="pass --region, or set 'sql.firewall.service_region' in the environment file",
            )
        return amended(loaded, service_region=wanted)

    _make(environment, "firewall allow-service", admit, consent, output)


@firewall.command()
@environment_option
@consent_options
@output_options
def allow_azure(environment: str, consent: Consent, output: Output) -> None:
    """Admit every address of Azure, other customers' included.

    \b
    Example:
      setup-kit firewall allow-azure -e dev
    """
    from setup_kit.environment.amending import amended

    _make(
        environment, "firewall allow-azure", lambda loaded: amended(loaded, allow_azure_services=True), consent, output
    )


def _make(environment: str, command: str, amend: Callable[[Loaded], Loaded], consent: Consent, output: Output) -> None:
    """As `make`, then tells what the environment file must say for it to stay so."""
    told: list[str] = []

    def adjust(loaded: Loaded) -> Loaded:
        from setup_kit.environment.amending import lines
        from setup_kit.environment.problems import displayed

        after = amend(logical(loaded))
        text = lines(loaded, after)
        if text:
            told.append(f"Put this into {displayed(loaded.path)}, or verify will call it superfluous:\n\n{text}")
        return after

    make(environment, command, [RULES], consent, output, adjust=adjust)
    for text in told:
        output.err.print(text, markup=False)
