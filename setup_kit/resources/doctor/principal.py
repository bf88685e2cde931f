"""Whether the tenant knows the application of the export service."""

from __future__ import annotations

from collections.abc import Iterable

from setup_kit.azure.clients import AzureClients
from setup_kit.engine.resource import Check, Finding, Node, Status
from setup_kit.environment.models import Environment


class ServicePrincipalThere(Check):
    """A run adds it; that takes a directory role, which no role of the subscription stands for."""

    kind = "service_principal"

    def __init__(self, environment: Environment, azure: AzureClients, *, needs: Iterable[Node] = ()) -> None:
        super().__init__(str(environment.export_service.application_id), needs=needs)
        self._application = environment.export_service.application_id
        self._azure = azure

    def run(self) -> list[Finding]:
        found = self._azure.graph.service_principal(self._application)
        if found is None:
            message = f"the tenant has no service principal of the export service ({self.name}): apply adds it"
            remedy = (
                "apply needs the directory role Cloud Application Administrator for it;"
                f" or have somebody who holds it run: az ad sp create --id {self.name}"
            )
            evidence = f"Microsoft Graph knows no service principal with appId {self.name}"
            return [Finding(self.kind, Status.WARNING, self.address, message, remedy, evidence)]
        message = "the export service's service principal is there"
        evidence = f"{found.name}, object id {found.object_id}"
        return [Finding(self.kind, Status.PASSED, self.address, message, evidence=evidence)]
