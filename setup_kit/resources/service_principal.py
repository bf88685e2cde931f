"""The Data Export Service's presence in the tenant."""

from __future__ import annotations

from collections.abc import Iterable

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.graph import Principal
from setup_kit.engine.resource import Action, Change, Finding, Node, Removal, Resource, Status
from setup_kit.environment.models import SERVICE_APPLICATION_ID, Environment
from setup_kit.errors import KitError


class ServicePrincipal(Resource[Principal]):
    """Access policies and roles are given to its object id, which is another one in each tenant."""

    kind = "service_principal"

    def __init__(self, environment: Environment, azure: AzureClients, *, needs: Iterable[Node] = ()) -> None:
        super().__init__("data-export-service", needs=needs)
        self._application = environment.export_service.application_id
        self._tenant = environment.tenant
        self._azure = azure

    def read(self) -> Principal | None:
        return self._azure.graph.service_principal(self._application)

    def diff(self, observed: Principal | None) -> list[Change]:
        if observed is not None:
            return []
        return [
            Change(
                self.address,
                Action.CREATE,
                after=str(self._application),
                why="adds the application of the Data Export Service to your tenant, so that it can be given access;"
                " this needs the directory role Cloud Application Administrator",
            )
        ]

    def evidence(self, observed: Principal) -> str:
        return f"{observed.name}, object id {observed.object_id}"

    def apply(self, change: Change) -> Principal:
        try:
            return self._azure.graph.create_service_principal(self._application)
        except AzureRefusal as refusal:
            if refusal.is_any("Request_MultipleObjectsWithSameKeyValue"):
                principal = self.read()
                if principal is not None:
                    return principal
            if refusal.status == 403:
                raise KitError(
                    refusal.what,
                    why=refusal.why,
                    remedy="have somebody with the directory role Cloud Application Administrator run:"
                    f" az ad sp create --id {self._application}",
                    original=refusal.original,
                ) from refusal
            if refusal.status == 400:
                raise self._unknown(refusal) from refusal
            raise

    def _unknown(self, refusal: AzureRefusal) -> KitError:
        remedy = "set 'export_service.application_id' to the application under which your export service runs"
        why = "Microsoft Entra knows no application with this id that other tenants may use"
        if self._application == SERVICE_APPLICATION_ID:
            why += "; Microsoft's hosted service was shut down in November 2022"
        return KitError(refusal.what, why=why, remedy=remedy, original=refusal.original)

    def audit(self, observed: Principal) -> list[Finding]:
        if observed.enabled:
            return []
        return [
            Finding(
                "service_principal.disabled",
                Status.FAILED,
                self.address,
                f"sign-in is switched off for {observed.name}: the service gets no token in this tenant",
                f"az ad sp update --id {observed.object_id} --set accountEnabled=true",
                f"accountEnabled is false for {observed.object_id}",
            )
        ]

    def removal(self, observed: Principal) -> Removal:
        return Removal(kept="everything in the tenant that uses the service needs it")

    def delete(self, observed: Principal) -> None:
        self._azure.graph.delete_service_principal(observed.object_id)
