"""Where the database of an environment is: the nodes that stand for it, by whether it is a logical server or a machine.

`way` is what must be open before SQL is spoken: the operator's firewall rule, or the machine itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from setup_kit.azure.clients import AzureClients
from setup_kit.clouds import Cloud
from setup_kit.engine.resource import Node
from setup_kit.environment.models import Environment
from setup_kit.resources.database import Database
from setup_kit.resources.firewall import FirewallRules
from setup_kit.resources.machine_database import MachineDatabase
from setup_kit.resources.operator_rule import OperatorRule
from setup_kit.resources.resource_group import ResourceGroup
from setup_kit.resources.secret import ConnectionSecret
from setup_kit.resources.sql_machine import SqlMachine
from setup_kit.resources.sql_server import SqlServer
from setup_kit.secret import Secret
from setup_kit.sqlserver.sessions import SqlSessions


@dataclass(frozen=True)
class Place:
    """`firewall` is None for a machine, whose network is not the kit's."""

    server: SqlServer | SqlMachine
    firewall: FirewallRules | None
    way: Node
    database: Database | MachineDatabase


def server_of(
    environment: Environment,
    cloud: Cloud,
    azure: AzureClients,
    group: ResourceGroup,
    password: Callable[[], Secret],
    *,
    owner: str,
    needs: Iterable[Node],
    made_after: Iterable[Node],
) -> SqlServer | SqlMachine:
    """`needs` come before either; `made_after` before a server, which is made."""
    if environment.sql.machine is not None:
        return SqlMachine(environment.sql.machine, cloud, needs=needs)
    return SqlServer(environment, azure, group, password, owner=owner, needs=made_after)


def address_of(server: SqlServer | SqlMachine) -> str | None:
    """Where it listens: a machine where the file says, a logical server where Azure says, None while it does not."""
    if isinstance(server, SqlMachine):
        return server.name
    return server.observed.fqdn if server.observed is not None else None


def place_of(
    environment: Environment,
    azure: AzureClients,
    server: SqlServer | SqlMachine,
    sessions: SqlSessions,
    secret: ConnectionSecret,
    *,
    owner: str,
) -> Place:
    if isinstance(server, SqlMachine):
        return Place(server, None, server, MachineDatabase(environment, sessions, server, secret, owner=owner))
    firewall = FirewallRules(environment, azure, server)
    rule = OperatorRule(environment, azure, server, firewall, sessions)
    return Place(server, firewall, rule, Database(environment, azure, server, owner=owner))
