"""Databases of logical servers, as Resource Manager sees them: size and price, not contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from setup_kit.azure.errors import AzureRefusal, translating
from setup_kit.azure.patience import Patience, busy
from setup_kit.azure.polling import Elapsed, finish, quiet
from setup_kit.azure.words import plain

if TYPE_CHECKING:
    from azure.mgmt.sql import SqlManagementClient, models


@dataclass(frozen=True)
class Database:
    """`sku` is the service objective ("P1", "GP_Gen5_2"); `max_bytes` its largest size, None where it has none."""

    name: str
    sku: str
    tier: str
    max_bytes: int | None
    location: str
    status: str = ""
    pool: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class Databases:
    def __init__(self, client: SqlManagementClient, patience: Patience) -> None:
        self._patience = patience
        self._databases = client.databases

    def get(self, group: str, server: str, name: str) -> Database | None:
        try:
            with translating(f"Reading the database {name} failed"):
                return _database(self._databases.get(group, server, name))
        except AzureRefusal as refusal:
            if refusal.not_found and refusal.is_any(
                "ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound"
            ):
                return None
            raise

    def list(self, group: str, server: str) -> tuple[Database, ...]:
        """All but `master`."""
        with translating(f"Listing the databases of {server} failed"):
            found = [_database(each) for each in self._databases.list_by_server(group, server)]
        return tuple(each for each in found if each.name.lower() != "master")

    def create(
        self,
        group: str,
        server: str,
        name: str,
        *,
        location: str,
        sku: str,
        max_bytes: int | None,
        tags: Mapping[str, str],
        elapsed: Elapsed = quiet,
    ) -> Database:
        from azure.mgmt.sql import models

        properties = models.DatabaseProperties(max_size_bytes=max_bytes) if max_bytes is not None else None
        body = models.Database(location=location, sku=models.Sku(name=sku), tags=dict(tags), properties=properties)

        def create() -> Database:
            with translating(f"Creating the database {name} failed"):
                poller = self._databases.begin_create_or_update(group, server, name, body)
                return _database(finish(poller, elapsed))

        return self._patience.out(create, busy)

    def update(
        self,
        group: str,
        server: str,
        name: str,
        *,
        sku: str | None = None,
        max_bytes: int | None = None,
        tags: Mapping[str, str] | None = None,
        elapsed: Elapsed = quiet,
    ) -> Database:
        """Changes what is given and nothing else; `tags` are replaced as a whole."""
        from azure.mgmt.sql import models

        body = models.DatabaseUpdate()
        if sku is not None:
            body.sku = models.Sku(name=sku)
        if max_bytes is not None:
            body.properties = models.DatabaseUpdateProperties(max_size_bytes=max_bytes)
        if tags is not None:
            body.tags = dict(tags)

        def update() -> Database:
            with translating(f"Changing the database {name} failed"):
                return _database(finish(self._databases.begin_update(group, server, name, body), elapsed))

        return self._patience.out(update, busy)

    def delete(self, group: str, server: str, name: str, elapsed: Elapsed = quiet) -> None:
        def delete() -> None:
            with translating(f"Deleting the database {name} failed"):
                finish(self._databases.begin_delete(group, server, name), elapsed)

        self._patience.out(delete, busy)


def _database(database: models.Database) -> Database:
    properties = database.properties
    sku = database.sku
    objective = None
    if properties is not None:
        # While it is scaled the current objective is still the old one.
        objective = properties.requested_service_objective_name or properties.current_service_objective_name
    return Database(
        name=database.name or "",
        sku=objective or (sku.name if sku else ""),
        tier=(sku.tier if sku else None) or "",
        max_bytes=properties.max_size_bytes if properties else None,
        location=database.location,
        status=plain(properties.status if properties else None),
        pool=((properties.elastic_pool_id if properties else None) or "").rpartition("/")[2],
        tags=dict(database.tags or {}),
    )
