"""setup-kit vault"""

from __future__ import annotations

import click

from setup_kit.cli.look import show as look
from setup_kit.cli.options import Output, environment_option, output_options
from setup_kit.cli.work import Consent, consent_options, make

VAULT = "key_vault/*"
ACCESS = "vault_access/*"


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
