"""The service's metadata operations: organizations, what can be exported, privacy terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from setup_kit.errors import KitError
from setup_kit.export_service import reading
from setup_kit.export_service.models import Entity, Relationship, ServedOrganization

if TYPE_CHECKING:
    from setup_kit.export_service.client import ExportServiceClient


class Metadata:
    """Each call may raise UnreachableError or RefusedError."""

    def __init__(self, client: ExportServiceClient) -> None:
        self._client = client

    def organizations(self) -> list[ServedOrganization]:
        """Those that the caller belongs to."""
        found = self._client.call("GET", self._client.discovery, "metadata/organizations")
        return [reading.organization(item) for item in reading.items(found, "a list of organizations")]

    def discover(self) -> ServedOrganization:
        """The organization of this client, as the service knows it."""
        query = {"organizationUrl": self._client.organization_url}
        return reading.organization(self._client.call("GET", self._client.discovery, "metadata/discover", query))

    def connector(self) -> str:
        """The address of the host that serves the organization's profiles; it differs by region."""
        found = self._client.call("GET", self._client.discovery, "metadata/connector", self._organization())
        return reading.organization(found).connector_url

    def entities(self) -> list[Entity]:
        """The public entities that can be exported and are change-tracked."""
        query = {"organizationUrl": self._client.organization_url}
        found = self._client.call("GET", self._client.connector, "metadata/entities", query)
        return [reading.entity(item) for item in reading.items(found, "a list of entities")]

    def relationships(self) -> list[Relationship]:
        """The N:N relationships that can be exported."""
        query = {"organizationUrl": self._client.organization_url}
        found = self._client.call("GET", self._client.connector, "metadata/relationships", query)
        return [reading.relationship(item) for item in reading.items(found, "a list of relationships")]

    def privacy_terms_accepted(self) -> bool:
        """Whether the organization lets the service have its data. *assumed*: the answer is a JSON boolean."""
        found = self._client.call(
            "GET", self._client.discovery, "metadata/hasorgacceptedprivacyterms", self._organization()
        )
        if not isinstance(found, bool):
            raise KitError(
                "the Data Export Service does not say whether its privacy terms are accepted",
                remedy="run the same command again; where it stays, ask whoever runs the service",
                original=str(found)[:500],
            )
        return found

    def accept_privacy_terms(self) -> None:
        """*assumed*: the request has no body."""
        self._client.call("POST", self._client.discovery, "metadata/acceptprivacyterms", self._organization())

    def _organization(self) -> dict[str, str]:
        return {
            "organizationUrl": self._client.organization_url,
            "organizationId": self._client.organization_id,
        }
