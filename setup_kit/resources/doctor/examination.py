"""The checks of one environment, each with what it needs to make sense."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from setup_kit.azure.clients import AzureClients
from setup_kit.clouds import Cloud
from setup_kit.engine.events import Listener
from setup_kit.engine.examination import examine_all
from setup_kit.engine.resource import Finding, Node
from setup_kit.environment.models import Environment
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.organization import OrganizationClient
from setup_kit.identity import Identity
from setup_kit.resources.doctor.administrator import AdministratorPasswordKnown
from setup_kit.resources.doctor.governance import Locks, Policies
from setup_kit.resources.doctor.hosts import OwnHosts
from setup_kit.resources.doctor.leftovers import Leftovers
from setup_kit.resources.doctor.machine import Machine
from setup_kit.resources.doctor.outlook import Outlook
from setup_kit.resources.doctor.principal import ServicePrincipalThere
from setup_kit.resources.doctor.reach import Reach
from setup_kit.resources.doctor.regions import Providers, SqlRegion
from setup_kit.resources.doctor.rights import Rights
from setup_kit.resources.doctor.subscription import SubscriptionOpen
from setup_kit.resources.preflight import Preflight
from setup_kit.resources.sign_in import SignIn
from setup_kit.sqlserver.sessions import SqlSessions


def examine(
    environment: Environment,
    cloud: Cloud,
    identity: Identity,
    azure: AzureClients,
    organization: OrganizationClient,
    export_client: ExportServiceClient,
    nodes: Iterable[Node],
    listener: Listener,
    stop: threading.Event,
    sessions: SqlSessions | None = None,
) -> tuple[list[Finding], bool]:
    """Everything at once, and whether it was interrupted. Each failed finding has a remedy. Changes nothing.

    `nodes` are the environment's graph, from which is read what a run would make.
    What rests on signing in is skipped where that fails, since each of it would only say so again.
    """
    sign_in = SignIn(environment, identity)
    needs = (sign_in,)
    outlook = Outlook(nodes, stop)
    by_login = environment.sql.machine is None and environment.sql.administrator.sql_login is not None
    checks = (
        Machine(pinned_certificate=cloud.sql_certificate is not None),
        Reach(environment, cloud, export_client.discovery),
        sign_in,
        SubscriptionOpen(environment, azure, needs=needs),
        Providers(environment, azure, outlook, needs=needs),
        Rights(environment, identity, azure, outlook, needs=needs),
        Policies(environment, azure, outlook, needs=needs),
        Locks(environment, azure, needs=needs),
        *([SqlRegion(environment, azure, outlook, needs=needs)] if environment.sql.machine is None else []),
        *([AdministratorPasswordKnown(environment, outlook, sessions=sessions, needs=needs)] if by_login else []),
        ServicePrincipalThere(environment, azure, needs=needs),
        Preflight(environment, azure, organization, export_client, sessions=sessions, needs=needs),
        OwnHosts(environment, cloud, outlook, needs=needs),
        Leftovers(environment.profile.name, nodes, outlook, needs=needs),
    )
    return examine_all(checks, listener, stop)
