"""Resource groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from setup_kit.azure.errors import AzureRefusal, translating
from setup_kit.azure.patience import Patience, busy
from setup_kit.azure.polling import Elapsed, finish, quiet

if TYPE_CHECKING:
    from azure.mgmt.resource.resources import ResourceManagementClient, models


@dataclass(frozen=True)
class Group:
    name: str
    location: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Content:
    """A resource in a group. `inherent`: it is there and goes with another one, as `master` with its server."""

    name: str
    type: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def inherent(self) -> bool:
        return self.type.lower() == "microsoft.sql/servers/databases" and self.name.lower().endswith("/master")


class ResourceGroups:
    def __init__(self, client: ResourceManagementClient, patience: Patience) -> None:
        self._patience = patience
        self._groups = client.resource_groups
        self._resources = client.resources

    def get(self, name: str) -> Group | None:
        try:
            with translating(f"Reading the resource group {name} failed"):
                return _group(self._groups.get(name))
        except AzureRefusal as refusal:
            if refusal.is_any("ResourceGroupNotFound"):
                return None
            raise

    def put(self, name: str, location: str, tags: Mapping[str, str]) -> Group:
        """Makes the group, or replaces its tags. Its location never changes."""
        from azure.mgmt.resource.resources import models

        body = models.ResourceGroup(location=location, tags=dict(tags))

        def put() -> Group:
            with translating(f"Writing the resource group {name} failed"):
                return _group(self._groups.create_or_update(name, body))

        return self._patience.out(put, busy)

    def contents(self, name: str) -> list[Content]:
        """The resources in the group; none where there is no group."""
        try:
            with translating(f"Listing what is in the resource group {name} failed"):
                return [
                    Content(str(each.name), str(each.type), dict(each.tags or {}))
                    for each in self._resources.list_by_resource_group(name)
                ]
        except AzureRefusal as refusal:
            if refusal.is_any("ResourceGroupNotFound"):
                return []
            raise

    def delete(self, name: str, elapsed: Elapsed = quiet) -> None:
        """Removes the group with all that is in it."""
        with translating(f"Deleting the resource group {name} failed"):
            finish(self._groups.begin_delete(name), elapsed)


def _group(group: models.ResourceGroup) -> Group:
    return Group(name=str(group.name), location=group.location, tags=dict(group.tags or {}))
