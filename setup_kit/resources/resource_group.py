"""The resource group that holds all the rest."""

from __future__ import annotations

from collections.abc import Iterable

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.resource_groups import Group
from setup_kit.engine.resource import Action, Change, Node, Removal, Resource, Severity
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources import tags
from setup_kit.resources.ownership import check_owner, not_own
from setup_kit.resources.waiting import elapsed


class ResourceGroup(Resource[Group]):
    """Made in the environment's location; one that is there may lie elsewhere: what is in it need not."""

    kind = "resource_group"
    holds_data = True

    def __init__(
        self, environment: Environment, azure: AzureClients, *, owner: str, needs: Iterable[Node] = ()
    ) -> None:
        super().__init__(environment.resource_group, needs=needs)
        self._environment = environment
        self._azure = azure
        self._owner = owner

    def read(self) -> Group | None:
        return self._azure.resource_groups.get(self.name)

    def diff(self, observed: Group | None) -> list[Change]:
        if observed is None:
            made = tags.of_new(self._environment, self._owner)
            return [Change(self.address, Action.CREATE, detail={"location": self._environment.location, "tags": made})]
        changes = tags.change(self.address, observed.tags, self._environment.tags)
        check_owner(self, observed.tags, self._owner, changes)
        return changes

    def severity(self, change: Change) -> Severity:
        return Severity.LOW if change.target == tags.TARGET else Severity.HIGH

    def evidence(self, observed: Group) -> str:
        return f"in {observed.location}"

    def apply(self, change: Change) -> Group:
        if change.action is Action.CREATE or self.observed is None:
            made = tags.of_new(self._environment, self._owner)
            return self._azure.resource_groups.put(self.name, self._environment.location, made)
        wanted = tags.merged(self.observed.tags, self._environment.tags)
        return self._azure.resource_groups.put(self.name, self.observed.location, wanted)

    @property
    def own(self) -> bool:
        return self.observed is not None and not not_own(self.observed.tags, self._owner)

    def removal(self, observed: Group) -> Removal:
        """Whether it is empty by then shows when it is deleted; what is surely left in it shows now."""
        kept = not_own(observed.tags, self._owner)
        if kept:
            return Removal(kept=kept)
        foreign = [
            item.name
            for item in self._azure.resource_groups.contents(self.name)
            if not_own(item.tags, self._owner) and not item.inherent
        ]
        if foreign:
            return Removal(kept=f"there is more in it: {', '.join(sorted(foreign))}")
        return Removal((self.deletion("when nothing is left in it"),))

    def delete(self, observed: Group) -> None:
        """Deletes the group when it is empty. Raises KitError where it is not, or not the kit's."""
        if tags.owner_of(observed.tags) is None:
            raise KitError(
                f"The resource group {self.name} was not made by setup-kit and may hold more than this environment",
                remedy=f"look what is in it, then: az group delete --name {self.name}",
            )
        left = [item.name for item in self._azure.resource_groups.contents(self.name) if not item.inherent]
        if left:
            raise KitError(
                f"The resource group {self.name} is not empty, so it is not deleted",
                why=f"there is still {', '.join(sorted(left))}",
                remedy=f"look what that is, then: az group delete --name {self.name}",
            )
        self._azure.resource_groups.delete(self.name, elapsed(self, "deleting"))
