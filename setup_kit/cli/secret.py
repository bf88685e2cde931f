"""setup-kit secret"""

from __future__ import annotations

import click

from setup_kit.cli.look import check as look_into
from setup_kit.cli.look import show as look
from setup_kit.cli.options import Output, environment_option, open_firewall_option, output_options
from setup_kit.cli.work import Consent, carry_out, changing, consent_options, planned

SECRET, ACCESS, PROOF = "secret/*", "vault_access/service", "proof/*"


@click.group()
def secret() -> None:
    """The secret with the connection string, by itself. Its value is never shown.

    \b
    Examples:
      setup-kit secret set -e dev
      setup-kit secret versions -e dev
      setup-kit secret check -e dev
    """


@secret.command("set")
@environment_option
@consent_options
@output_options
def set_(environment: str, consent: Consent, output: Output) -> None:
    """Write a new version of the secret, as the environment file says, with the password of the one before.

    A password is made only where there is none yet.

    \b
    Example:
      setup-kit secret set -e dev
    """
    with changing(environment, "secret set", consent) as session:
        session.house.secret.renew = True
        carry_out(session, "secret set", planned(session, [SECRET], output), consent, output)


@secret.command()
@environment_option
@output_options
def show(environment: str, output: Output) -> None:
    """Show what the secret says, but for its value and its password: server, database, user, tags, dates.

    \b
    Example:
      setup-kit secret show -e dev
    """
    look(environment, [SECRET], output)


@secret.command()
@environment_option
@output_options
def versions(environment: str, output: Output) -> None:
    """List the secret's versions, the newest first: when each was made, whether it is enabled, when it ends.

    \b
    Example:
      setup-kit secret versions -e dev
    """
    from setup_kit.cli.session import open_session
    from setup_kit.report.console import show_table
    from setup_kit.report.states import plain

    with open_session(environment) as session:
        found = [plain(version) for version in session.house.secret_versions()]
    if output.json:
        output.document({"environment": session.name, "versions": found})
    else:
        columns = ["version", "created", "enabled", "not_before", "expires_on"]
        rows = [["" if each[column] is None else each[column] for column in columns] for each in found]
        show_table(output.out, "", columns, rows)


@secret.command()
@environment_option
@open_firewall_option
@output_options
def check(environment: str, open_firewall: bool, output: Output) -> None:
    """Prove the secret: it is enabled and unexpired, the export service may get it, and its string logs in.

    Changes nothing. Exits with 4 when anything is missing or fails.

    \b
    Example:
      setup-kit secret check -e dev
    """
    look_into(environment, [SECRET, ACCESS, PROOF], output, open_firewall=open_firewall)
