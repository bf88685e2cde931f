"""What Azure SQL Database offers to the subscription in a region, and how much of its quotas is used there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setup_kit.azure.errors import translating
from setup_kit.azure.words import plain

if TYPE_CHECKING:
    from azure.mgmt.sql import SqlManagementClient

# By "View and request quotas for Azure SQL".
SERVERS = "ServerQuota"
CORES = "RegionalVCoreQuotaForSQLDBAndDW"

_OPEN = ("available", "default", "visible", "")


@dataclass(frozen=True)
class Offer:
    """Whether something is offered, and Azure's own sentence why not."""

    open: bool
    reason: str = ""


@dataclass(frozen=True)
class Region:
    """`objectives`: service objective in lower case → whether the region offers it to the subscription."""

    offer: Offer
    objectives: Mapping[str, Offer]


@dataclass(frozen=True)
class Usage:
    """`limit` is None where there is none."""

    name: str
    title: str
    used: float
    limit: float | None


class SqlLocations:
    def __init__(self, client: SqlManagementClient) -> None:
        self._client = client

    def region(self, location: str) -> Region:
        with translating(f"Asking what Azure SQL offers in {location} failed"):
            found = self._client.capabilities.list_by_location(location, include="supportedEditions")
        objectives: dict[str, Offer] = {}
        for version in found.supported_server_versions or ():
            for edition in version.supported_editions or ():
                whole = _offer(edition)
                for objective in edition.supported_service_level_objectives or ():
                    own = _offer(objective)
                    objectives[str(objective.name).lower()] = own if whole.open else whole
        return Region(_offer(found), objectives)

    def usages(self, location: str) -> tuple[Usage, ...]:
        with translating(f"Reading the quotas of Azure SQL in {location} failed"):
            return tuple(_usage(each) for each in self._client.subscription_usages.list_by_location(location))


def _offer(capability: Any) -> Offer:
    return Offer(plain(capability.status).lower() in _OPEN, capability.reason or "")


def _usage(usage: Any) -> Usage:
    properties = usage.properties
    limit = properties.limit if properties else None
    return Usage(
        name=str(usage.name),
        title=(properties.display_name if properties else None) or str(usage.name),
        used=(properties.current_value if properties else None) or 0.0,
        limit=None if limit is None or limit < 0 else limit,
    )
