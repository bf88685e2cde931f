"""One client for each service of Azure, made when it is first asked for."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from setup_kit.ahead import begin
from setup_kit.azure import pipeline
from setup_kit.azure.databases import Databases
from setup_kit.azure.firewall_rules import FirewallRules
from setup_kit.azure.graph import Graph
from setup_kit.azure.key_vaults import KeyVaults
from setup_kit.azure.managed_secrets import ManagedSecrets
from setup_kit.azure.patience import Patience
from setup_kit.azure.providers import Providers
from setup_kit.azure.resource_groups import ResourceGroups
from setup_kit.azure.rest import Rest
from setup_kit.azure.role_assignments import RoleAssignments
from setup_kit.azure.secrets import Secrets
from setup_kit.azure.sql_locations import SqlLocations
from setup_kit.azure.sql_servers import SqlServers
from setup_kit.azure.subscription import Subscription
from setup_kit.azure.vault_secrets import VaultSecrets
from setup_kit.azure.words import group_of
from setup_kit.identity import Identity, scope_of

if TYPE_CHECKING:
    from azure.core.pipeline.transport import RequestsTransport
    from azure.mgmt.authorization.v2022_04_01 import AuthorizationManagementClient
    from azure.mgmt.keyvault import KeyVaultManagementClient
    from azure.mgmt.resource.resources import ResourceManagementClient
    from azure.mgmt.sql import SqlManagementClient

    from setup_kit.clouds import Cloud

T = TypeVar("T")

# One for all there are: making a client imports its SDK, and Python finds deadlocks between the imports of two threads.
_MAKING = threading.RLock()


class AzureClients:
    """For one subscription, as one identity. Safe to use from many threads.

    `wait(seconds)` pauses, and says whether the run is to end early.
    """

    def __init__(
        self,
        identity: Identity,
        cloud: Cloud,
        subscription: UUID | str,
        *,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.identity = identity
        self.cloud = cloud
        self.subscription = str(subscription)
        self.patience = Patience(wait)
        self._made: dict[str, Any] = {}

    @property
    def resource_groups(self) -> ResourceGroups:
        return self._once("resource_groups", lambda: ResourceGroups(self._resources(), self.patience))

    @property
    def providers(self) -> Providers:
        return self._once("providers", lambda: Providers(self._resources(), self.patience))

    @property
    def sql_servers(self) -> SqlServers:
        return self._once("sql_servers", lambda: SqlServers(self._sql(), self.patience))

    @property
    def firewall_rules(self) -> FirewallRules:
        return self._once("firewall_rules", lambda: FirewallRules(self._sql(), self.patience))

    @property
    def databases(self) -> Databases:
        return self._once("databases", lambda: Databases(self._sql(), self.patience))

    @property
    def key_vaults(self) -> KeyVaults:
        return self._once("key_vaults", lambda: KeyVaults(self._key_vault(), self.patience))

    @property
    def role_assignments(self) -> RoleAssignments:
        return self._once(
            "role_assignments", lambda: RoleAssignments(self._authorization(), self.subscription, self.patience)
        )

    @property
    def sql_locations(self) -> SqlLocations:
        return self._once("sql_locations", lambda: SqlLocations(self._sql()))

    @property
    def subscriptions(self) -> Subscription:
        return self._once("subscriptions", lambda: Subscription(self._manager(), self.subscription))

    @property
    def graph(self) -> Graph:
        return self._once("graph", lambda: Graph(self.identity.credential, self.cloud, self._transport()))

    def secrets(self, vault_uri: str) -> Secrets:
        """The data plane of the vault at this address."""

        def make() -> Secrets:
            _settle_secrets()
            return Secrets(vault_uri, self.identity.credential, self.cloud, self._transport(), self.patience)

        return self._once(f"secrets {vault_uri}", make)

    def vault_secrets(self, vault_id: str, vault_uri: str, *, restricted: bool) -> VaultSecrets:
        """The secrets of a vault by whichever way is open. `restricted`: it does not admit every network."""

        def make() -> VaultSecrets:
            name = vault_id.rpartition("/")[2]
            managed = ManagedSecrets(self._key_vault(), group_of(vault_id), name, self.patience)
            return VaultSecrets(name, self.secrets(vault_uri), managed, restricted=restricted)

        return self._once(f"vault secrets {vault_uri} {restricted}", make)

    def prepare(self) -> None:
        """Begins to load the SDKs, and to fetch the token for a vault, as its client will ask for it."""
        self.identity.prepare(self.cloud.vault_audience, enable_cae=True)
        begin(self.make_all)

    def make_all(self) -> None:
        """Loads the SDKs and makes their clients, one after another, behind what a sign-in loads."""
        import azure.identity  # noqa: F401

        for make in (self._key_vault, self._resources, self._sql, self._authorization, _settle_secrets):
            with _MAKING:
                make()

    def close(self) -> None:
        """Ends the kept connections; none of the clients works afterwards."""
        with _MAKING:
            transport = self._made.get("transport")
        if transport is not None:
            transport.close()

    def _once(self, name: str, make: Callable[[], T]) -> T:
        with _MAKING:
            if name not in self._made:
                self._made[name] = make()
            return cast(T, self._made[name])

    def _transport(self) -> RequestsTransport:
        return self._once("transport", lambda: pipeline.transport(self.cloud))

    def _options(self) -> dict[str, Any]:
        credential = self.identity.credential
        scope = scope_of(self.cloud.resource_manager_audience)
        return {
            "credential": credential,
            "subscription_id": self.subscription,
            "base_url": self.cloud.resource_manager,
            "credential_scopes": [scope],
            "policies": pipeline.policies(credential, scope),
            "transport": self._transport(),
            "polling_interval": pipeline.POLLING_INTERVAL,
        }

    def _manager(self) -> Rest:
        scope = scope_of(self.cloud.resource_manager_audience)
        return Rest(self.cloud.resource_manager, self.identity.credential, scope, self._transport())

    def _resources(self) -> ResourceManagementClient:
        def make() -> ResourceManagementClient:
            from azure.mgmt.resource.resources import ResourceManagementClient, models

            _settle_all(models)
            return ResourceManagementClient(**self._options())

        return self._once("resources", make)

    def _sql(self) -> SqlManagementClient:
        def make() -> SqlManagementClient:
            from azure.mgmt.sql import SqlManagementClient, models

            _settle(models.Server, models.ServerProperties, models.ServerExternalAdministrator)
            _settle(models.Database, models.DatabaseProperties, models.Sku)
            _settle(models.FirewallRule, models.ServerFirewallRuleProperties)
            _settle(models.CheckNameAvailabilityRequest, models.CheckNameAvailabilityResponse)
            _settle(models.ServerUpdate, models.DatabaseUpdate, models.DatabaseUpdateProperties)
            _settle(models.ServerAzureADAdministrator, models.AdministratorProperties)
            _settle(models.LocationCapabilities, models.ServerVersionCapability, models.EditionCapability)
            _settle(models.ServiceObjectiveCapability, models.SubscriptionUsage, models.SubscriptionUsageProperties)
            return SqlManagementClient(**self._options())

        return self._once("sql", make)

    def _key_vault(self) -> KeyVaultManagementClient:
        def make() -> KeyVaultManagementClient:
            from azure.mgmt.keyvault import KeyVaultManagementClient, models

            _settle_all(models)
            return KeyVaultManagementClient(**self._options())

        return self._once("key_vault", make)

    def _authorization(self) -> AuthorizationManagementClient:
        def make() -> AuthorizationManagementClient:
            from azure.mgmt.authorization.v2022_04_01 import AuthorizationManagementClient

            return AuthorizationManagementClient(**self._options())

        return self._once("authorization", make)


def _settle(*models: type[object]) -> None:
    """Makes one of each: the SDKs work out a model's fields with the first of it, and are not safe when two threads do
    so at once: both go on with what has come as a bare dict.
    """
    for model in models:
        model.__new__(model)


def _settle_all(module: ModuleType) -> None:
    """All the models of a package that has few."""
    _settle(*(each for each in vars(module).values() if isinstance(each, type) and hasattr(each, "as_dict")))


def _settle_secrets() -> None:
    import azure.keyvault.secrets  # noqa: F401

    with contextlib.suppress(ImportError, AttributeError):  # a later version of the SDK may have them elsewhere
        from azure.keyvault.secrets._generated import models

        _settle_all(models)
