"""Microsoft Graph, as far as the kit asks it: service principals by application id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.rest import Rest
from setup_kit.identity import scope_of

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import RequestsTransport

    from setup_kit.clouds import Cloud


@dataclass(frozen=True)
class Principal:
    """An application's presence in the tenant. `object_id` is what policies and roles are given to."""

    object_id: str
    application_id: str
    name: str
    enabled: bool = True


class Graph:
    def __init__(self, credential: TokenCredential, cloud: Cloud, transport: RequestsTransport) -> None:
        self._rest = Rest(cloud.graph, credential, scope_of(cloud.graph_audience), transport)

    def service_principal(self, application_id: UUID) -> Principal | None:
        try:
            body = self._rest.send(
                "GET",
                f"/v1.0/servicePrincipals(appId='{application_id}')?$select=id,appId,displayName,accountEnabled",
                f"Reading the service principal of the application {application_id} failed",
            )
        except AzureRefusal as refusal:
            if refusal.not_found:
                return None
            raise
        return _principal(body)

    def create_service_principal(self, application_id: UUID) -> Principal:
        """Brings an application of another tenant into this one, which needs a directory role."""
        body = self._rest.send(
            "POST",
            "/v1.0/servicePrincipals",
            f"Adding the application {application_id} to the tenant failed",
            {"appId": str(application_id)},
        )
        return _principal(body)

    def delete_service_principal(self, object_id: str) -> None:
        self._rest.send(
            "DELETE", f"/v1.0/servicePrincipals/{object_id}", f"Removing the service principal {object_id} failed"
        )


def _principal(body: dict[str, Any]) -> Principal:
    return Principal(
        object_id=str(body["id"]).lower(),
        application_id=str(body["appId"]).lower(),
        name=str(body.get("displayName") or ""),
        enabled=bool(body.get("accountEnabled", True)),
    )
