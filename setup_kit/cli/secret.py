"""setup-kit secret"""

from __future__ import annotations

import click

from setup_kit.cli.look import check as look_into
from setup_kit.cli.look import show as look
from setup_kit.cli.options import Output, environment_option, open_firewall_option, output_options
from setup_kit.cli.removing import RemovingPart, removal_options, removal_planned, take_away
from setup_kit.cli.work import Consent, Work, carry_out, changing, consent_options, planned
from setup_kit.errors import KitError, UsageError

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

    A password is made only where there is none yet. Where the vault's network rules keep this machine from reading the
    one before, `setup-kit rotate` makes a new one instead.

    \b
    Example:
      setup-kit secret set -e dev
    """
    with changing(environment, "secret set", consent.wait) as session:
        session.house.secret.renew = True
        work = Work(session, planned(session, [SECRET], output), destructive=consent.destructive)
        carry_out(work, "secret set", output, yes=consent.yes)


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
    from setup_kit.moment import readable
    from setup_kit.report.console import show_table, shown
    from setup_kit.report.states import plain

    with open_session(environment) as session:
        found = [plain(version) for version in session.house.secret_versions()]
    if output.json:
        output.document({"environment": session.name, "versions": found})
    else:
        columns = ["version", "created (UTC)", "enabled", "not before (UTC)", "expires on (UTC)"]
        rows = [
            [
                each["version"],
                readable(each["created"]),
                shown(each["enabled"]),
                readable(each["not_before"]),
                readable(each["expires_on"]),
            ]
            for each in found
        ]
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


@secret.command()
@environment_option
@removal_options
@output_options
def delete(environment: str, consent: Consent, output: Output) -> None:
    """Delete the secret, if setup-kit made it: the export stops. It can be recovered while the vault keeps it.

    \b
    Example:
      setup-kit secret delete -e dev
    """
    take_away(environment, "secret delete", [SECRET], consent, output)


@secret.command()
@environment_option
@consent_options
@output_options
def recover(environment: str, consent: Consent, output: Output) -> None:
    """Bring back the secret that was deleted, with its password. Makes no new one.

    \b
    Example:
      setup-kit secret recover -e dev
    """
    with changing(environment, "secret recover", consent.wait) as session:
        made = planned(session, [SECRET], output)
        state = session.house.secret.observed
        if not made.failures and not made.interrupted and (state is None or not state.recoverable):
            raise KitError(
                f"no deleted secret {session.house.secret.name} is to be seen that could be recovered",
                why="it is there" if state is not None else "; ".join(item.reason for item in made.deferred),
                remedy="" if state is not None else "setup-kit secret set makes it",
            )
        work = Work(session, made, destructive=consent.destructive)
        carry_out(work, "secret recover", output, yes=consent.yes)


@secret.command()
@click.argument("name")
@environment_option
@removal_options
@output_options
def purge(name: str, environment: str, consent: Consent, output: Output) -> None:
    """Remove the deleted secret NAME for good, and with it the password.

    \b
    Example:
      setup-kit secret purge -e dev data-export-connection
    """
    with changing(environment, "secret purge", consent.wait) as session:
        node = session.house.secret
        if name != node.name:
            raise UsageError(
                f"the secret of {session.name} is {node.name}, not {name!r}",
                remedy=f"setup-kit secret purge -e {environment} {node.name}; or name the environment that has {name}",
            )
        node.purge = True
        made = removal_planned(session, output, [SECRET])
        if node.observed is not None and not node.observed.recoverable:
            raise KitError(
                f"the secret {name} is not deleted, so it cannot be purged",
                remedy=f"setup-kit secret delete -e {environment}, then purge it",
            )
        carry_out(RemovingPart(session, made), "secret purge", output, yes=consent.yes)
