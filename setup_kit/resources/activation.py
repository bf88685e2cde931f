"""Whether the profile is active, and for what: metadata (tables and columns), data, or both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from setup_kit.engine.resource import Action, Change, Node, Removal, Resource
from setup_kit.environment.models import Activate, Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.models import Profile, State
from setup_kit.export_service.organization import OrganizationClient


@dataclass(frozen=True)
class ActivationState:
    """`data`: rows are exported, not only the tables made; False wherever `active` is.

    `lost` names what failed as a whole. The service tries it again when the profile is activated again.
    """

    active: bool
    data: bool
    lost: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        if not self.active:
            return "inactive"
        text = "active" if self.data else "active for metadata only"
        return f"{text}, without {', '.join(self.lost)}" if self.lost else text


class Activation(Resource[ActivationState]):
    """The service says that a profile is active, but not whether for data too.

    It is where the first synchronization of any entity has begun. Where none has, the organization is asked whether
    there is anything to export at all: if there are rows and none of them moves, the profile is active for metadata.
    """

    kind = "activation"
    outlives = True  # an active profile is not deleted under the service's hands

    def __init__(
        self,
        environment: Environment,
        export_client: ExportServiceClient,
        profile: Resource[Profile],
        organization: OrganizationClient,
        *,
        wanted: Activate | None = None,
        again: bool = False,
        needs: Iterable[Node] = (),
    ) -> None:
        """`wanted` where it is not what the environment file says. `again`: activate one that is active, too."""
        super().__init__(environment.profile.name, within=profile, needs=needs)
        self._wanted = wanted or environment.profile.activate
        self._again = again
        self._client = export_client
        self._profile = profile
        self.rests_on = profile.rests_on
        self._organization = organization

    def read(self) -> ActivationState | None:
        found = self._profile.observed
        if found is None or not found.statuses:
            found = self._client.profiles.get(self._id(), status=True)
        if found is None:
            return None
        if found.state is not State.ACTIVE:
            return ActivationState(active=False, data=False)
        lost = tuple(status.name for status in found.statuses if status.lost)
        return ActivationState(active=True, data=self._exports_data(found), lost=lost)

    def diff(self, observed: ActivationState | None) -> list[Change]:
        wanted = _STATES[self._wanted]
        there = observed or ActivationState(active=False, data=False)
        if there == wanted and not (self._again and there.active):
            return []
        why = (
            _AGAIN
            if there == wanted
            else {
                Activate.ALL: "makes the tables, exports all rows, then every change as it happens",
                Activate.DATA: "exports all rows, then every change as it happens",
                Activate.METADATA: "makes the tables and follows changes of columns; exports no rows",
                Activate.NONE: "stops the export; tables, rows and the profile stay",
            }[self._wanted]
        )
        return [Change(self.address, Action.UPDATE, before=there.words, after=wanted.words, why=why)]

    def evidence(self, observed: ActivationState) -> str:
        return observed.words

    def apply(self, change: Change) -> ActivationState:
        profiles = self._client.profiles
        if self._wanted is Activate.ALL:
            profiles.activate(self._id())
        elif self._wanted is Activate.DATA:
            profiles.activate_data(self._id())
        else:
            if self.observed is not None and self.observed.active:
                profiles.deactivate(self._id())
            if self._wanted is Activate.METADATA:
                profiles.activate_metadata(self._id())
        return _STATES[self._wanted]

    def find(self) -> ActivationState | None:
        """Without asking what it is active for."""
        found = self._client.profiles.get(self._id())
        return ActivationState(active=found.state is State.ACTIVE, data=False) if found is not None else None

    def removal(self, observed: ActivationState) -> Removal:
        return Removal((self.deletion("ends the export"),) if observed.active else ())

    def delete(self, observed: ActivationState) -> None:
        if observed.active:
            self._client.profiles.deactivate(self._id())

    def _id(self) -> str:
        if self._profile.observed is None:
            raise KitError(
                f"the profile {self.name!r} is not there, so it cannot be activated", remedy="run: setup-kit apply"
            )
        return self._profile.observed.id

    def _exports_data(self, found: Profile) -> bool:
        if any(status.initial_sync.begun for status in found.statuses):
            return True
        if self._wanted is Activate.METADATA:
            return False
        return not any(self._organization.has_rows(name) for name in found.description.entities)


_AGAIN = "exports entities that had failures anew, from an empty table; the others go on"
_STATES = {
    Activate.ALL: ActivationState(active=True, data=True),
    Activate.DATA: ActivationState(active=True, data=True),
    Activate.METADATA: ActivationState(active=True, data=False),
    Activate.NONE: ActivationState(active=False, data=False),
}
