"""What a subscription's owner and Azure decide beforehand: its state, quotas, closed regions, policies and locks."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from setup_kit.sandbox.state import Document, State

CONDITIONS = "subscription"  # key: conditions; see Conditions
POLICIES = "policies"  # key: name in lower case; see Policy
LOCKS = "locks"  # key: the lock's id in lower case; id, name, scope, level, notes

STATES = ("Enabled", "Warned", "PastDue", "Disabled", "Deleted")
LIMITS = ("On", "Off", "CurrentPeriodOff")
# By Azure's page "View and request quotas for Azure SQL": servers of a region; vCores, of which 125 DTU count as one.
SERVERS = "ServerQuota"
CORES = "RegionalVCoreQuotaForSQLDBAndDW"
QUOTAS: Mapping[str, int] = {SERVERS: 250, CORES: 2000}


@dataclass(frozen=True)
class Conditions:
    """`closed`: regions that take no new servers, and editions that a region does not offer, as `westus/Premium`."""

    state: str = "Enabled"
    spending_limit: str = "Off"
    closed: tuple[str, ...] = ()
    quotas: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"a subscription is {', '.join(STATES)}, never {self.state!r}")
        if self.spending_limit not in LIMITS:
            raise ValueError(f"a spending limit is {', '.join(LIMITS)}, never {self.spending_limit!r}")
        for name in self.quotas:
            if name not in QUOTAS:
                raise ValueError(f"there is no quota {name!r}; there are {', '.join(QUOTAS)}")

    @property
    def read_only(self) -> bool:
        """Nothing can be made or changed ("Azure subscription states": neither PUT nor PATCH nor POST)."""
        return self.state in ("Warned", "Disabled", "Deleted")

    def quota(self, name: str) -> int:
        return self.quotas.get(name, QUOTAS[name])

    def closes(self, location: str, edition: str = "") -> bool:
        wanted = {location.lower(), f"{location}/{edition}".lower()} if edition else {location.lower()}
        return bool(wanted & {each.lower() for each in self.closed})


def conditions(state: State) -> Conditions:
    kept = state.get(CONDITIONS, "conditions")
    return Conditions() if kept is None else Conditions(**{**kept, "closed": tuple(kept["closed"])})


def set_conditions(state: State, wanted: Conditions) -> None:
    state.put(CONDITIONS, "conditions", asdict(wanted))


@dataclass(frozen=True)
class Policy:
    """Denies resources of a type (a glob) whose field is none of the allowed values; all of them when none is.

    `field` is written as Azure Policy does: `location`, `sku.name`, `tags.owner`, `properties.publicNetworkAccess`.
    A resource that has no such field is not denied, as one without a location is not by "Allowed locations".
    """

    name: str
    type: str = "*"
    field: str = "type"
    allow: tuple[str, ...] = ()

    def denies(self, content: Document) -> bool:
        if not fnmatch.fnmatchcase(str(content.get("type", "")).lower(), self.type.lower()):
            return False
        found = self.value(content)
        return found is not None and _plain(found) not in {_plain(each) for each in self.allow}

    def value(self, content: Document) -> Any:
        """The field of a resource; None where it has none."""
        place: Any = content
        for step in self.field.split("."):
            if not isinstance(place, dict):
                return None
            place = next((value for key, value in place.items() if key.lower() == step.lower()), None)
        return place


def _plain(value: object) -> str:
    return str(value).replace(" ", "").lower()


def policies(state: State) -> list[Policy]:
    return [Policy(**{**body, "allow": tuple(body["allow"])}) for _, body in state.list(POLICIES)]


def add_policy(state: State, policy: Policy) -> None:
    """Assign a policy to the subscription; one of the same name is replaced."""
    state.put(POLICIES, policy.name.lower(), asdict(policy))


def remove_policy(state: State, name: str) -> bool:
    """Remove a policy; False when there is none of that name."""
    found = state.get(POLICIES, name.lower()) is not None
    state.delete(POLICIES, name.lower())
    return found
