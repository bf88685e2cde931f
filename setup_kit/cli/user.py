"""setup-kit user"""

from __future__ import annotations

import click

from setup_kit.cli.look import check as look
from setup_kit.cli.options import Output, environment_option, open_firewall_option, output_options
from setup_kit.cli.removing import removal_options, take_away
from setup_kit.cli.work import Consent, consent_options, make

LOGIN, USER, GRANTS, PROOF = "login/*", "user/*", "grants/*", "proof/*"


@click.group()
def user() -> None:
    """The SQL user that the export service works as, by itself.

    \b
    Examples:
      setup-kit user create -e dev
      setup-kit user grants -e dev
      setup-kit user check -e dev
    """


@user.command()
@environment_option
@consent_options
@output_options
def create(environment: str, consent: Consent, output: Output) -> None:
    """Make the user, and its login, with the password that the secret holds; the secret is made where it is missing.

    \b
    Example:
      setup-kit user create -e dev
    """
    make(environment, "user create", [USER], consent, output)


@user.command()
@environment_option
@consent_options
@output_options
def grants(environment: str, consent: Consent, output: Output) -> None:
    """Give the user the thirteen grants that the export service needs, where it lacks them.

    \b
    Example:
      setup-kit user grants -e dev
    """
    make(environment, "user grants", [GRANTS], consent, output)


@user.command()
@environment_option
@removal_options
@output_options
def drop(environment: str, consent: Consent, output: Output) -> None:
    """Drop the user and its login, if setup-kit made them. The secret stays, and user create makes them again from it.

    To look for them, a temporary firewall rule for this machine is added where it is needed, and removed at the end.

    \b
    Example:
      setup-kit user drop -e dev
    """
    take_away(environment, "user drop", [USER, *_login(environment)], consent, output, open_ways=True)


@user.command()
@environment_option
@open_firewall_option
@output_options
def check(environment: str, open_firewall: bool, output: Output) -> None:
    """Prove the user: log in with the very string that the secret holds, and ask for each grant. Changes nothing.

    Exits with 4 when anything is missing or fails.

    \b
    Example:
      setup-kit user check -e dev
    """
    look(environment, [*_login(environment), USER, GRANTS, PROOF], output, open_firewall=open_firewall)


def _login(environment: str) -> list[str]:
    """The address pattern of the user's login; none where the user is contained."""
    from setup_kit.environment.loading import load
    from setup_kit.environment.models import Authentication

    contained = load(environment).environment.sql.export_user.authentication is Authentication.CONTAINED
    return [] if contained else [LOGIN]
