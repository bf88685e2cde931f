"""The service's profiles operations: what is exported where, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from setup_kit.errors import KitError
from setup_kit.export_service import reading
from setup_kit.export_service.errors import RefusedError
from setup_kit.export_service.models import Description, Profile, State, Trial
from setup_kit.secret import Secret

if TYPE_CHECKING:
    from setup_kit.export_service.client import ExportServiceClient


class Profiles:
    """Each call may raise UnreachableError or RefusedError."""

    def __init__(self, client: ExportServiceClient) -> None:
        self._client = client

    def listed(self, *, status: bool = False) -> tuple[Profile, ...]:
        """All of the organization's, deleted ones too. With `status`, how far each entity is."""
        query = {"organizationId": self._client.organization_id, "organizationUrl": self._client.organization_url}
        found = self._client.call("GET", self._client.connector, "profiles", {**query, **_status(status)})
        return tuple(reading.profile(item) for item in reading.items(found, "a list of profiles"))

    def find(self, name: str, *, status: bool = False) -> Profile | None:
        """The organization's profile of that name. A deleted one may still be listed, and does not count."""
        found = [p for p in self.listed(status=status) if p.description.name == name and p.state is not State.DELETED]
        if len(found) > 1:
            raise KitError(
                f"the organization has {len(found)} export profiles named {name!r}",
                why="names of profiles are unique in an organization, so it is not known which one is meant",
                remedy="delete all but one of them: " + ", ".join(profile.id for profile in found),
            )
        return found[0] if found else None

    def get(self, profile_id: str, *, status: bool = False) -> Profile | None:
        """None when there is no such profile, or it is deleted."""
        try:
            found = self._client.call("GET", self._client.connector, _path(profile_id), _status(status))
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        profile = reading.profile(found)
        return None if profile.state is State.DELETED else profile

    def validate(self, description: Description, profile_id: str | None = None) -> None:
        """Has the service try everything that a profile needs. Raises RefusedError with a Problem for each fault.

        With `profile_id` the description is meant for that profile, whose own tables are no obstacle *(assumed)*.
        """
        self._client.call("POST", self._client.connector, "profiles/validate", body=description.to_wire(profile_id))

    def create(self, description: Description) -> Profile:
        return reading.profile(
            self._client.call("POST", self._client.connector, "profiles", body=description.to_wire())
        )

    def update(self, profile_id: str, description: Description) -> Profile:
        body = description.to_wire(profile_id)
        return reading.profile(self._client.call("PUT", self._client.connector, _path(profile_id), body=body))

    def delete(self, profile_id: str) -> None:
        """Ends the export. Tables and other objects in the destination stay."""
        self._client.call("DELETE", self._client.connector, _path(profile_id))

    def activate(self, profile_id: str) -> Profile:
        """Begins to replicate metadata and data."""
        return self._post(profile_id, "activate")

    def activate_metadata(self, profile_id: str) -> Profile:
        return self._post(profile_id, "activatemetadata")

    def activate_data(self, profile_id: str) -> Profile:
        return self._post(profile_id, "activatedata")

    def deactivate(self, profile_id: str) -> Profile:
        return self._post(profile_id, "deactivate")

    def test(self, profile_id: str) -> tuple[Trial, ...]:
        """Has the service try everything that an existing profile needs."""
        found = self._client.call("GET", self._client.connector, _path(profile_id, "test"))
        return tuple(reading.trial(item) for item in reading.items(found, "a list of test results"))

    def failures(self, profile_id: str) -> Secret:
        """The URI of the folder with the failed records; whoever has it may read it, so it is a secret."""
        answer = self._client.answer("GET", self._client.connector, _path(profile_id, "failures"))
        # A JSON text or a plain one: no public source shows which.
        found = answer.text.strip().strip('"')
        if not found.startswith("https://"):
            raise KitError(
                "the Data Export Service did not answer with the address of its failure log",
                remedy="look at the profile: setup-kit profile show; then ask whoever runs the service",
            )
        return Secret(found)

    def _post(self, profile_id: str, action: str) -> Profile:
        return reading.profile(self._client.call("POST", self._client.connector, _path(profile_id, action)))


def _path(profile_id: str, action: str = "") -> str:
    path = f"profiles/{quote(profile_id, safe='')}"
    return f"{path}/{action}" if action else path


def _status(wanted: bool) -> dict[str, str]:
    return {"status": "true"} if wanted else {}
