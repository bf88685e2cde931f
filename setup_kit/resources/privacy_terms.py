"""The organization's consent that the Data Export Service may have its data."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from setup_kit.engine.resource import Action, Change, Node, Removal, Resource
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient


class PrivacyTerms(Resource[bool]):
    """Its state is True where the terms are accepted, None where they are not."""

    kind = "privacy_terms"

    def __init__(
        self, environment: Environment, export_client: ExportServiceClient, *, needs: Iterable[Node] = ()
    ) -> None:
        super().__init__(urlsplit(environment.dynamics.organization_url).netloc, needs=needs)
        self._client = export_client

    def read(self) -> bool | None:
        return self._client.metadata.privacy_terms_accepted() or None

    def diff(self, observed: bool | None) -> list[Change]:
        if observed:
            return []
        return [
            Change(
                self.address,
                Action.CREATE,
                after="accepted",
                why="consents, for the organization, that the Data Export Service copies its data out of Dynamics 365;"
                " the service has no operation that takes the consent back",
            )
        ]

    def evidence(self, observed: bool) -> str:
        return "accepted" if observed else "not accepted"

    def apply(self, change: Change) -> bool:
        self._client.metadata.accept_privacy_terms()
        if not self._client.metadata.privacy_terms_accepted():
            raise KitError(
                "the Data Export Service took the acceptance of its privacy terms, but says they are not accepted",
                remedy="run apply again; if it stays so, whoever runs the service must look at its log",
            )
        return True

    def removal(self, observed: bool) -> Removal:
        return Removal(kept="the service has no operation that takes the consent back")

    def delete(self, observed: bool) -> None:
        """Consent once given stays: the service has no operation that takes it back."""
