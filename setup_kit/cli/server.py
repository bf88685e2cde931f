"""setup-kit server"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from setup_kit.cli.look import show as look
from setup_kit.cli.options import Output, environment_option, output_options
from setup_kit.cli.removing import check_data, include_data_option, removal_options, take_away
from setup_kit.cli.work import Consent, consent_options, make

if TYPE_CHECKING:
    from setup_kit.environment.loading import Loaded

SERVER = "sql_server/*"


def logical(loaded: Loaded) -> Loaded:
    """Refuses an environment whose database is on a machine: there is no server to make, and no firewall to set."""
    from setup_kit.environment.targets import require_logical_server

    return require_logical_server(loaded)


@click.group()
def server() -> None:
    """The logical server by itself.

    \b
    Examples:
      setup-kit server create -e dev
      setup-kit server show -e dev --output json
    """


@server.command()
@environment_option
@consent_options
@output_options
def create(environment: str, consent: Consent, output: Output) -> None:
    """Make the server, and its resource group, as the environment file says; change what differs.

    \b
    Example:
      setup-kit server create -e dev
    """
    make(environment, "server create", [SERVER], consent, output, adjust=logical)


@server.command()
@environment_option
@output_options
def show(environment: str, output: Output) -> None:
    """Show the server as it is: its address, administrators, TLS and tags.

    \b
    Example:
      setup-kit server show -e dev
    """
    look(environment, [SERVER], output, adjust=logical)


@server.command()
@environment_option
@include_data_option
@removal_options
@output_options
def delete(environment: str, include_data: bool, consent: Consent, output: Output) -> None:
    """Delete the server with everything on it, if setup-kit made it and nobody else has a database on it.

    \b
    Example:
      setup-kit server delete -e dev --include-data
    """
    from setup_kit.environment.loading import load

    logical(load(environment))
    check_data("the server", include_data)
    take_away(environment, "server delete", [SERVER], consent, output, include_data=True, adjust=logical)
