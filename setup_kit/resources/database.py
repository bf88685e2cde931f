"""The destination database: its service objective and its largest size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.databases import Database as State
from setup_kit.engine.resource import Action, Change, Finding, Node, Removal, Resource, Severity
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.resources import tags
from setup_kit.resources.ownership import audit_owner, check_made_by_kit, check_owner, not_own
from setup_kit.resources.sql_server import SqlServer
from setup_kit.resources.waiting import elapsed

SKU = "sku"
SIZE = "max size"
GIB = 2**30
_GRADES = {tags.TARGET: Severity.LOW, SKU: Severity.MEDIUM, SIZE: Severity.MEDIUM}


class Database(Resource[State]):
    kind = "database"
    holds_data = True

    def __init__(
        self,
        environment: Environment,
        azure: AzureClients,
        server: SqlServer,
        *,
        owner: str,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__(environment.sql.database.name, within=server, needs=needs)
        self._environment = environment
        self._azure = azure
        self._server = server
        self._owner = owner
        self._sku = environment.sql.database.sku
        # A Hyperscale database grows by itself and knows no largest size.
        hyperscale = self._sku.upper().startswith("HS_")
        self._max_bytes = None if hyperscale else environment.sql.database.max_size_gb * GIB

    def read(self) -> State | None:
        return self._azure.databases.get(self._environment.resource_group, self._server.name, self.name)

    def diff(self, observed: State | None) -> list[Change]:
        if observed is None:
            size = "grows by itself" if self._max_bytes is None else _size(self._max_bytes)
            made = tags.of_new(self._environment, self._owner)
            return [Change(self.address, Action.CREATE, detail={SKU: self._sku, SIZE: size, "tags": made})]
        changes = tags.change(self.address, observed.tags, self._environment.tags)
        if observed.sku.lower() != self._sku.lower():
            changes.append(self._other_sku(observed))
        if self._max_bytes is not None and observed.max_bytes != self._max_bytes:
            before = None if observed.max_bytes is None else _size(observed.max_bytes)
            shrinks = observed.max_bytes is not None and observed.max_bytes > self._max_bytes
            why = "the limit shrinks, which Azure refuses while there is more in the database" if shrinks else ""
            changes.append(Change(self.address, Action.UPDATE, SIZE, before, _size(self._max_bytes), why))
        check_owner(self, observed.tags, self._owner, changes)
        return changes

    def _other_sku(self, observed: State) -> Change:
        before, after = _tier(observed.sku), _tier(self._sku)
        why = "connections are cut for some seconds when the change ends"
        if observed.pool:
            why = f"the database leaves the elastic pool {observed.pool}; {why}"
        elif before != after:
            why = f"the tier changes from {before} to {after}, and the price with it; {why}"
        return Change(self.address, Action.UPDATE, SKU, observed.sku, self._sku, why)

    def severity(self, change: Change) -> Severity:
        return Severity.HIGH if change.action is Action.CREATE else _GRADES[change.target]

    def evidence(self, observed: State) -> str:
        size = "grows by itself" if observed.max_bytes is None else f"at most {_size(observed.max_bytes)}"
        return f"{observed.sku}, {size}"

    def apply(self, change: Change) -> State:
        databases = self._azure.databases
        group, server = self._environment.resource_group, self._server.name
        if change.action is Action.CREATE or self.observed is None:
            return databases.create(
                group,
                server,
                self.name,
                location=self._location(),
                sku=self._sku,
                max_bytes=self._max_bytes,
                tags=tags.of_new(self._environment, self._owner),
                elapsed=elapsed(self, "creating"),
            )
        if change.target == tags.TARGET:
            wanted = tags.merged(self.observed.tags, self._environment.tags)
            databases.update(group, server, self.name, tags=wanted, elapsed=elapsed(self, change.target))
            return replace(self.observed, tags=wanted)
        if change not in self.diff(self.observed):
            # Service objective and size went together: each alone may be a combination that Azure does not sell.
            return self.observed
        return databases.update(
            group,
            server,
            self.name,
            sku=self._sku,
            max_bytes=self._max_bytes,
            elapsed=elapsed(self, change.target),
        )

    def _location(self) -> str:
        server = self._server.observed
        if server is None:
            raise KitError(
                f"The logical server {self._server.name} of the database {self.name} is not there",
                remedy="run: setup-kit apply",
            )
        return server.location

    def audit(self, observed: State) -> list[Finding]:
        return audit_owner(self, observed.tags, self._owner)

    @property
    def own(self) -> bool:
        return self.observed is not None and not not_own(self.observed.tags, self._owner)

    def removal(self, observed: State) -> Removal:
        kept = not_own(observed.tags, self._owner)
        return Removal(kept=kept) if kept else Removal((self.deletion("with all that was exported into it"),))

    def delete(self, observed: State) -> None:
        check_made_by_kit(self, observed.tags)
        group, server = self._environment.resource_group, self._server.name
        self._azure.databases.delete(group, server, self.name, elapsed(self, "deleting"))


def _size(size: int) -> str:
    gib = size / GIB
    return f"{gib:g} GB" if gib >= 1 else f"{size / 2**20:g} MB"


# The beginnings of service objectives, longest first, and their tiers' names.
_TIERS = {
    "gp_s": "General Purpose serverless",
    "gp": "General Purpose",
    "bc": "Business Critical",
    "hs": "Hyperscale",
    "basic": "Basic",
    "s": "Standard",
    "p": "Premium",
}


def _tier(sku: str) -> str:
    return next((tier for start, tier in _TIERS.items() if sku.lower().startswith(start)), sku)
