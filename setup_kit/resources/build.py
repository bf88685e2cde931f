"""Builds the graph of one environment: every resource and check, wired to what it needs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.secrets import Version
from setup_kit.clouds import Cloud
from setup_kit.engine.events import Listener
from setup_kit.engine.planner import make_plan
from setup_kit.engine.resource import Finding, Node
from setup_kit.environment.cloud import cloud_of
from setup_kit.environment.loading import Loaded
from setup_kit.environment.models import Authentication, Environment
from setup_kit.errors import UsageError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.organization import OrganizationClient
from setup_kit.identity import Identity
from setup_kit.resources.activation import Activation
from setup_kit.resources.administrator_password import AdministratorPassword
from setup_kit.resources.database_options import DatabaseOptions
from setup_kit.resources.destination import Destination
from setup_kit.resources.exported_objects import ExportedObjects
from setup_kit.resources.firewall import FirewallRules
from setup_kit.resources.freshness import Freshness
from setup_kit.resources.grants import Grants
from setup_kit.resources.initial_sync import InitialSync
from setup_kit.resources.left_tables import LeftTables
from setup_kit.resources.login import ExportLogin
from setup_kit.resources.operator_vault_access import OperatorVaultAccess
from setup_kit.resources.place import address_of, place_of, server_of
from setup_kit.resources.preflight import Preflight
from setup_kit.resources.privacy_terms import PrivacyTerms
from setup_kit.resources.profile import ExportProfile
from setup_kit.resources.proof import LoginProof
from setup_kit.resources.providers import ProviderRegistrations
from setup_kit.resources.provisioned import Facts, provisioned
from setup_kit.resources.replication import Replicated, Replication, count_replicated
from setup_kit.resources.resource_group import ResourceGroup
from setup_kit.resources.rotation import RotationEnd
from setup_kit.resources.rotation_graph import rotation
from setup_kit.resources.schema import ExportSchema
from setup_kit.resources.secret import ConnectionSecret
from setup_kit.resources.secret_renewal import SecretRenewal
from setup_kit.resources.service_principal import ServicePrincipal
from setup_kit.resources.sign_in import SignIn
from setup_kit.resources.sql_machine import REACH
from setup_kit.resources.user import ExportUser
from setup_kit.resources.validation import ProfileValidation
from setup_kit.resources.vault import Vault
from setup_kit.resources.vault_access import ServiceVaultAccess
from setup_kit.resources.vault_readers import VaultReaders
from setup_kit.secret import Secret
from setup_kit.sqlserver.sessions import EntraAdministrator, SqlAdministrator, SqlSessions


@dataclass(frozen=True)
class House:
    """The graph of one environment and the clients it works through. `nodes` holds all, in no particular order."""

    nodes: tuple[Node, ...]
    environment: Environment
    cloud: Cloud
    azure: AzureClients
    sessions: SqlSessions
    password: AdministratorPassword
    organization: OrganizationClient
    export_client: ExportServiceClient
    vault: Vault
    secret: ConnectionSecret
    firewall: FirewallRules | None  # None where the database is on a machine
    destination: Destination
    rotation_end: RotationEnd
    rotation: Callable[[], tuple[Node, ...]]  # the nodes of a rotation from the user that the secret was read to name

    def close(self) -> None:
        """Ends all connections."""
        self.sessions.close()
        self.export_client.close()
        self.organization.close()
        self.azure.close()

    def examine(self, listener: Listener, stop: threading.Event) -> tuple[list[Finding], bool]:
        """What `doctor` finds, and whether it was interrupted."""
        # Nothing else needs it, and it brings much along.
        from setup_kit.resources.doctor.examination import examine

        clients = (self.azure.identity, self.azure, self.organization, self.export_client)
        return examine(self.environment, self.cloud, *clients, self.nodes, listener, stop, self.sessions)

    def purge(self, names: Iterable[str]) -> None:
        """Has a removal delete the vault, or the secret, of these names for good.

        Raises UsageError for any other name.
        """
        for name in names:
            if name not in (self.vault.name, self.secret.name):
                raise UsageError(
                    f"nothing of this environment that can be purged is called {name!r}",
                    remedy=f"its vault is {self.vault.name}, its secret {self.secret.name}",
                )
            if name == self.vault.name:
                self.vault.purge = True
            if name == self.secret.name:
                # A deleted vault keeps what is in it, so the secret does not just go with it.
                self.secret.purge = self.secret.outlives = True

    def profile_status(self) -> dict[str, Any] | None:
        """Name and state of the profile, and how far each entity is; None when there is no profile."""
        found = self.export_client.profiles.find(self.environment.profile.name)
        profile = self.export_client.profiles.get(found.id, status=True) if found is not None else None
        if profile is None:
            return None
        return {
            "name": profile.description.name,
            "id": profile.id,
            "state": str(profile.state),
            "entities": [
                {
                    "entity": status.name,
                    "initial_sync": str(status.initial_sync),
                    "metadata": str(status.metadata),
                    "total": status.total,
                    "succeeded": status.succeeded,
                    "failed": status.failed,
                    "last_export": status.last_export.isoformat() if status.last_export else None,
                }
                for status in profile.statuses
            ],
        }

    def provisioned(self) -> Facts:
        """What the environment consists of, as the last plan or verification saw it."""
        return provisioned(self.environment, self.nodes)

    def secret_versions(self) -> list[Version]:
        """The versions of the secret, the newest first."""
        for failure in make_plan([self.secret], lambda event: None, threading.Event(), checks=False).failures.values():
            raise failure
        return self.secret.versions()

    def replicated(self) -> list[Replicated]:
        """Rows at the source and at the destination, counted there as the export user."""
        for failure in make_plan([self.secret], lambda event: None, threading.Event()).failures.values():
            raise failure
        return count_replicated(self.environment, self.organization, self.export_client, self.destination)


def build(
    loaded: Loaded,
    stop: threading.Event,
    *,
    ask_password: Callable[[str], str] | None = None,
    patient: bool = True,
    fresh: timedelta | None = None,
    drop_objects: bool = False,
    identity: Identity | None = None,
) -> House:
    """The graph of an environment. Sends nothing.

    `stop` ends waits early. `ask_password` is asked for the password of a SQL administrator when the variable
    SETUP_KIT_SQL_ADMIN_PASSWORD does not hold it. With `patient` false, checks look once instead of waiting.
    With `fresh`, how long a change may wait for its export, the graph has the checks of an audit as well.
    `identity` is one that was made for the same cloud and tenant, to sign in once for several environments.
    With `drop_objects`, what the service made in the destination is part of the graph, for a removal.
    """
    environment = loaded.environment
    cloud = cloud_of(environment)
    identity = identity or Identity(cloud, str(environment.tenant))
    azure = AzureClients(identity, cloud, environment.subscription, wait=stop.wait)
    organization = OrganizationClient(identity, cloud, environment.dynamics.organization_url)
    export_client = ExportServiceClient(
        identity,
        cloud,
        organization_url=environment.dynamics.organization_url,
        organization_id=str(environment.dynamics.organization_id),
        application_id=str(environment.export_service.application_id),
    )
    owner = loaded.name
    password = AdministratorPassword(environment.sql.administrator.sql_login, ask_password)
    sessions = _sessions(environment, cloud, identity, lambda: address_of(server), password, stop)

    # Before anything is made: who asks, and whether everything that is not ours is as it must be.
    sign_in = SignIn(environment, identity, meanwhile=(export_client.prepare, azure.prepare))
    preflight = Preflight(environment, azure, organization, export_client, sessions=sessions, needs=(sign_in,))
    terms = PrivacyTerms(environment, export_client, needs=(preflight,))
    principal = ServicePrincipal(environment, azure, needs=(preflight,))
    group = ResourceGroup(environment, azure, owner=owner, needs=(preflight,))
    registrations = ProviderRegistrations(environment, azure, needs=(preflight,))

    # Server and vault side by side.
    server = server_of(
        environment, cloud, azure, group, password, owner=owner, needs=(preflight,), made_after=(registrations,)
    )
    vault = Vault(environment, azure, group, owner=owner, needs=(registrations,))
    operator_access = OperatorVaultAccess(environment, azure, vault, identity)

    # The secret before the login: whenever a run ends, the vault knows the password that the login has or will get.
    secret = ConnectionSecret(environment, azure, vault, operator_access, server, owner=owner)
    service_access = ServiceVaultAccess(environment, azure, vault, secret, principal)
    place = place_of(environment, azure, server, sessions, secret, owner=owner)
    firewall, operator_rule, database = place.firewall, place.way, place.database

    options = DatabaseOptions(environment, sessions, database, secret, operator_rule)
    contained = environment.sql.export_user.authentication is Authentication.CONTAINED
    renewal = SecretRenewal(environment, sessions, secret, database if contained else server, operator_rule)
    login = None if contained else ExportLogin(environment, sessions, server, secret, operator_rule, needs=(renewal,))
    custom = environment.sql.export_user.schema_name.lower() != "dbo"
    schema = ExportSchema(environment, sessions, database, secret, operator_rule) if custom else None
    user = ExportUser(environment, sessions, database, login, secret, operator_rule, needs=(renewal,))
    grants = Grants(environment, sessions, user, schema, secret, operator_rule)
    proof = LoginProof(environment, sessions, secret, (grants, options, operator_rule))

    objects = ExportedObjects(environment, sessions, database, schema, secret, operator_rule) if drop_objects else None
    if schema is not None:
        schema.dropping = objects

    # The service has its own try at everything before it is given a profile.
    wait = stop.wait
    optional = tuple(node for node in (firewall, objects) if node is not None)
    reachable: tuple[Node, ...] = (proof, service_access, terms, *optional)
    validation = ProfileValidation(environment, export_client, secret, needs=reachable, wait=wait)
    profile = ExportProfile(environment, export_client, secret, needs=(validation,))
    validation.profile = profile
    activation = Activation(environment, export_client, profile, organization)
    sync = InitialSync(environment, export_client, profile, organization, needs=(activation,), wait=wait)
    destination = Destination(environment, sessions, secret)
    replication = Replication(environment, export_client, profile, organization, destination, sync)
    left = LeftTables(environment, export_client, profile, database, destination, (secret, operator_rule))
    audits: tuple[Node, ...] = ()
    if fresh is not None:
        readers = VaultReaders(environment, identity, vault, operator_access, service_access, principal)
        late = Freshness(environment, export_client, profile, organization, allowed=fresh, needs=(sync,))
        audits = (readers, late)
    rotation_end = RotationEnd(environment, sessions, secret, database, (proof, validation, operator_rule), wait=wait)
    rotate = partial(
        rotation,
        environment,
        sessions,
        export_client,
        secret,
        server=server,
        database=database,
        schema=schema,
        operator_rule=operator_rule,
        wait=wait,
    )
    if not patient:
        validation.patience = sync.patience = 0.0

    return House(
        nodes=(replication, group, vault, operator_rule, rotation_end, left, *audits),
        environment=environment,
        cloud=cloud,
        azure=azure,
        sessions=sessions,
        password=password,
        organization=organization,
        export_client=export_client,
        vault=vault,
        secret=secret,
        firewall=firewall,
        destination=destination,
        rotation_end=rotation_end,
        rotation=rotate,
    )


def _sessions(
    environment: Environment,
    cloud: Cloud,
    identity: Identity,
    server: Callable[[], str | None],
    password: Callable[[], Secret],
    stop: threading.Event,
) -> SqlSessions:
    group = environment.sql.administrator.entra_group
    login = environment.sql.administrator.sql_login
    administrator: EntraAdministrator | SqlAdministrator
    if group is not None:
        administrator = EntraAdministrator(group.name, lambda: identity.token(cloud.sql_audience))
    else:
        administrator = SqlAdministrator(login or "", password)
    return SqlSessions(
        server,
        administrator,
        certificate=cloud.sql_certificate,
        unreached=REACH if environment.sql.machine is not None else "",
        wait=stop.wait,
    )
