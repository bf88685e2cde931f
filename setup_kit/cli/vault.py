"""setup-kit vault"""

from __future__ import annotations

import click

from setup_kit.cli.look import show as look
from setup_kit.cli.options import Output, environment_option, output_options
from setup_kit.cli.removing import RemovingPart, removal_options, removal_planned, take_away
from setup_kit.cli.work import Consent, Work, carry_out, changing, consent_options, make, planned
from setup_kit.errors import KitError, UsageError

VAULT = "key_vault/*"
ACCESS, SERVICE = "vault_access/*", "vault_access/service"


@click.group()
def vault() -> None:
    """The key vault by itself.

    \b
    Examples:
      setup-kit vault create -e dev
      setup-kit vault grant -e dev
    """


@vault.command()
@environment_option
@consent_options
@output_options
def create(environment: str, consent: Consent, output: Output) -> None:
    """Make the vault as the environment file says; one of this environment that was deleted is recovered.

    \b
    Example:
      setup-kit vault create -e dev
    """
    make(environment, "vault create", [VAULT], consent, output)


@vault.command()
@environment_option
@output_options
def show(environment: str, output: Output) -> None:
    """Show the vault as it is, and who of operator and export service may use its secrets.

    \b
    Example:
      setup-kit vault show -e dev
    """
    look(environment, [VAULT, ACCESS], output)


@vault.command()
@environment_option
@consent_options
@output_options
def grant(environment: str, consent: Consent, output: Output) -> None:
    """Let the export service get the one secret, and whoever runs this write it.

    By role assignment or by access policy, as the environment file says. The secret is made where it is missing.

    \b
    Example:
      setup-kit vault grant -e dev
    """
    make(environment, "vault grant", [ACCESS], consent, output)


@vault.command()
@environment_option
@removal_options
@output_options
def revoke(environment: str, consent: Consent, output: Output) -> None:
    """Take from the export service what lets it get the secret: the export stops, and vault grant gives it back.

    \b
    Example:
      setup-kit vault revoke -e dev
    """
    take_away(environment, "vault revoke", [SERVICE], consent, output)


@vault.command()
@environment_option
@consent_options
@output_options
def recover(environment: str, consent: Consent, output: Output) -> None:
    """Bring back the vault that was deleted, with its secrets. Makes no new one.

    \b
    Example:
      setup-kit vault recover -e dev
    """
    with changing(environment, "vault recover", consent.wait) as session:
        made = planned(session, [VAULT], output)
        state = session.house.vault.observed
        if not made.failures and not made.interrupted and (state is None or not state.soft_deleted):
            raise KitError(
                f"there is no deleted key vault {session.house.vault.name} that could be recovered",
                why="it was never made, or was purged" if state is None else "it is there",
                remedy="setup-kit vault create makes it" if state is None else "",
            )
        work = Work(session, made, destructive=consent.destructive)
        carry_out(work, "vault recover", output, yes=consent.yes)


@vault.command()
@click.argument("name")
@environment_option
@removal_options
@output_options
def purge(name: str, environment: str, consent: Consent, output: Output) -> None:
    """Remove the deleted vault NAME for good, with every secret in it; its name is free again.

    \b
    Example:
      setup-kit vault purge -e dev kv-contoso-export
    """
    with changing(environment, "vault purge", consent.wait) as session:
        node = session.house.vault
        if name != node.name:
            raise UsageError(
                f"the vault of {session.name} is {node.name}, not {name!r}",
                remedy=f"setup-kit vault purge -e {environment} {node.name}; or name the environment that has {name}",
            )
        node.purge = True
        made = removal_planned(session, output, [VAULT])
        if node.observed is not None and not node.observed.soft_deleted:
            raise KitError(
                f"the key vault {name} is not deleted, so it cannot be purged",
                remedy=f"setup-kit destroy -e {environment} --purge {name} takes it away with the rest",
            )
        carry_out(RemovingPart(session, made), "vault purge", output, yes=consent.yes)
