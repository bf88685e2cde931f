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


class ResourceGroups:
    def __init__(self, client: ResourceManagementClient, patience: Patience) -> None:
        self._patience = patience
        self._groups = client.resource_groups

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

    def delete(self, name: str, elapsed: Elapsed = quiet) -> None:
        """Removes the group with all that is in it."""
        with translating(f"Deleting the resource group {name} failed"):
            finish(self._groups.begin_delete(name), elapsed)


def _group(group: models.ResourceGroup) -> Group:
    return Group(name=str(group.name), location=group.location, tags=dict(group.tags or {}))
