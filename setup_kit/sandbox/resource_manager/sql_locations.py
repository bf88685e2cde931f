"""Microsoft.Sql/locations: what a region offers to the subscription, and how much of its quotas is used."""

from __future__ import annotations

from typing import Any

from setup_kit.sandbox.resource_manager.arm import Answer, Call, Route, same_location
from setup_kit.sandbox.resource_manager.groups import check_location
from setup_kit.sandbox.resource_manager.sql_servers import DATABASES, SERVERS
from setup_kit.sandbox.resource_manager.sql_tiers import CORES, DTU, tier_of
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.subscription import CORES as CORES_QUOTA
from setup_kit.sandbox.subscription import SERVERS as SERVERS_QUOTA
from setup_kit.sandbox.subscription import Conditions, conditions

DTU_OF_A_CORE = 125
SIZES = (2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 32, 40, 80)
RESTRICTED = (
    "Provisioning is restricted in this region. Please choose a different region. For exceptions to this rule please"
    " open a support request with Issue type of 'Service and subscription limits'."
)


class SqlLocations:
    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        location = "/subscriptions/{subscription}/providers/Microsoft.Sql/locations/{location}"
        action = "Microsoft.Sql/locations/"
        return [
            Route("GET", location + "/capabilities", action + "capabilities/read", "arm.get", self._capabilities),
            Route("GET", location + "/usages", action + "usages/read", "arm.get", self._usages),
        ]

    async def _capabilities(self, call: Call) -> Answer:
        location = check_location(call.name("location"), "ResourceType")
        now = conditions(self._state)
        editions = [
            {
                "name": edition,
                **_status(now, location, edition),
                "supportedServiceLevelObjectives": [
                    {"name": name, "sku": sku, **_status(now, location, edition)} for name, sku in objectives
                ],
            }
            for edition, objectives in _editions().items()
        ]
        version = {"name": "12.0", "status": "Default", "supportedEditions": editions}
        body = {"name": call.name("location"), **_status(now, location), "supportedServerVersions": [version]}
        return Answer(200, body)

    async def _usages(self, call: Call) -> Answer:
        location = check_location(call.name("location"), "ResourceType")
        now = conditions(self._state)
        servers = [name for name, each in self._state.list(SERVERS) if same_location(each["location"], location)]
        used = {SERVERS_QUOTA: len(servers), CORES_QUOTA: sum(self._cores(server) for server in servers)}
        titles = {SERVERS_QUOTA: "Regional Server Quota for", CORES_QUOTA: "Regional vCore Quota for SQL DB and DW for"}
        return Answer(
            200,
            {
                "value": [
                    {
                        "id": f"{call.path}/{name}",
                        "name": name,
                        "type": "Microsoft.Sql/locations/usages",
                        "properties": {
                            "displayName": f"{titles[name]} {location}",
                            "currentValue": float(current),
                            "limit": float(now.quota(name)),
                            "unit": "Count",
                        },
                    }
                    for name, current in used.items()
                ]
            },
        )

    def _cores(self, server: str) -> int:
        databases = [each for _, each in self._state.list(DATABASES, f"{server}/") if each["name"] != "master"]
        return sum(_cores_of(tier_of(each["sku"]).sku) for each in databases)


def _cores_of(sku: dict[str, Any]) -> int:
    capacity = int(sku["capacity"])
    return capacity if "family" in sku else -(-capacity // DTU_OF_A_CORE)


def _status(now: Conditions, location: str, edition: str = "") -> Document:
    if now.closes(location, edition):
        return {"status": "Disabled", "reason": RESTRICTED}
    return {"status": "Available"}


def _editions() -> dict[str, list[tuple[str, Document]]]:
    """Edition → its service objectives, each with the sku that asks for it."""
    found: dict[str, list[tuple[str, Document]]] = {
        tier: [(name, {"name": tier, "tier": tier, "capacity": size}) for name, size in objectives.items()]
        for tier, objectives in DTU.items()
    }
    for prefix, edition in CORES.items():
        for cores in (1, *SIZES) if prefix == "GP_S" else SIZES:
            sku = {"name": f"{prefix}_Gen5", "tier": edition, "family": "Gen5", "capacity": cores}
            found.setdefault(edition, []).append((f"{prefix}_Gen5_{cores}", sku))
    return found
