"""The subscription's registration for the resource providers that the kit uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.providers import REGISTERED
from setup_kit.engine.resource import Action, Change, Node, Removal, Resource
from setup_kit.environment.models import Environment
from setup_kit.resources.waiting import elapsed

VAULTS, SERVERS = "Microsoft.KeyVault", "Microsoft.Sql"


def namespaces(environment: Environment) -> tuple[str, ...]:
    """Those that make what the environment has; a machine's SQL Server is no resource of Azure."""
    return (VAULTS, SERVERS) if environment.sql.machine is None else (VAULTS,)


class ProviderRegistrations(Resource[Mapping[str, str]]):
    """The state says for each namespace how its registration stands. Registering costs nothing and is never undone."""

    kind = "provider_registration"

    def __init__(self, environment: Environment, azure: AzureClients, *, needs: Iterable[Node] = ()) -> None:
        super().__init__(str(environment.subscription), needs=needs)
        self._azure = azure
        self._namespaces = namespaces(environment)

    def read(self) -> Mapping[str, str]:
        return {namespace: self._azure.providers.state(namespace) for namespace in self._namespaces}

    def diff(self, observed: Mapping[str, str] | None) -> list[Change]:
        states = observed or {}
        why = "the subscription has not used this resource provider before"
        return [
            Change(self.address, Action.CREATE, namespace, states.get(namespace), REGISTERED, why)
            for namespace in self._namespaces
            if states.get(namespace) != REGISTERED
        ]

    def evidence(self, observed: Mapping[str, str]) -> str:
        return ", ".join(f"{namespace} {state}" for namespace, state in observed.items())

    def apply(self, change: Change) -> Mapping[str, str]:
        self._azure.providers.register(change.target, elapsed(self, change.target))
        return {**(self.observed or {}), change.target: REGISTERED}

    def removal(self, observed: Mapping[str, str]) -> Removal:
        return Removal(kept="others in the subscription may use them")

    def delete(self, observed: Mapping[str, str]) -> None:
        """Leaves the registrations: others in the subscription may use them."""
