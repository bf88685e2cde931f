"""setup-kit database"""

from __future__ import annotations

import click

from setup_kit.cli.look import show as look
from setup_kit.cli.options import Output, environment_option, output_options
from setup_kit.cli.removing import check_data, include_data_option, removal_options, take_away
from setup_kit.cli.work import Consent, consent_options, make

DATABASE = "database/*"
OPTIONS = "database_options/*"


@click.group()
def database() -> None:
    """The destination database by itself.

    \b
    Examples:
      setup-kit database create -e dev
      setup-kit database options -e dev
    """


@database.command()
@environment_option
@consent_options
@output_options
def create(environment: str, consent: Consent, output: Output) -> None:
    """Make the database as the environment file says; change its service objective, size or tags where they differ.

    \b
    Example:
      setup-kit database create -e dev
    """
    make(environment, "database create", [DATABASE], consent, output)


@database.command()
@environment_option
@output_options
def show(environment: str, output: Output) -> None:
    """Show the database as it is: its service objective, size, place and tags.

    \b
    Example:
      setup-kit database show -e dev
    """
    look(environment, [DATABASE], output)


@database.command()
@environment_option
@include_data_option
@removal_options
@output_options
def delete(environment: str, include_data: bool, consent: Consent, output: Output) -> None:
    """Delete the database with all its data, if setup-kit made it.

    \b
    Example:
      setup-kit database delete -e dev --include-data
    """
    check_data("the database", include_data)
    take_away(environment, "database delete", [DATABASE], consent, output, include_data=True)


@database.command()
@environment_option
@consent_options
@output_options
def options(environment: str, consent: Consent, output: Output) -> None:
    """Set the options of the database as the environment file says: read committed snapshot and MAXDOP.

    \b
    Example:
      setup-kit database options -e dev
    """
    make(environment, "database options", [OPTIONS], consent, output)
