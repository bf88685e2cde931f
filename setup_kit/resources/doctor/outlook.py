"""What a run would do in Azure, seen once for all checks that ask."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from setup_kit.azure.sql_servers import Server
from setup_kit.engine.events import Event
from setup_kit.engine.graph import ordered
from setup_kit.engine.planner import Known, Plan, make_plan
from setup_kit.engine.resource import Action, Change, Node, Resource
from setup_kit.resources.database import Database
from setup_kit.resources.firewall import FirewallRules
from setup_kit.resources.operator_vault_access import OperatorVaultAccess
from setup_kit.resources.providers import ProviderRegistrations
from setup_kit.resources.resource_group import ResourceGroup
from setup_kit.resources.service_principal import ServicePrincipal
from setup_kit.resources.sql_server import SqlServer
from setup_kit.resources.vault import Vault, VaultState
from setup_kit.resources.vault_access import VaultAccess

# What is read without logging in to a database, which may be paused, or out of this machine's reach.
_SEEN = (
    ResourceGroup, ProviderRegistrations, SqlServer, Database, FirewallRules, Vault, VaultAccess, ServicePrincipal,
)  # fmt: skip


class Outlook:
    """The part of the plan that Resource Manager, Key Vault and Graph decide. Safe to ask from many threads."""

    def __init__(self, nodes: Iterable[Node], stop: threading.Event) -> None:
        every = ordered(nodes)
        self._nodes = [node for node in every if isinstance(node, _SEEN)]
        self._stop = stop
        self._lock = threading.Lock()
        self._plan: Plan | None = None

    def plan(self) -> Plan:
        """Read when it is first asked for. What could not be read is among its failures."""
        with self._lock:
            if self._plan is None:
                self._plan = make_plan(self._nodes, _quiet, self._stop, checks=False)
            return self._plan

    def resources(self) -> list[tuple[Resource[Any], list[Change] | None]]:
        """What is provisioned in Azure, with its changes; None for one whose state is not known."""
        plan = self.plan()
        found: list[tuple[Resource[Any], list[Change] | None]] = []
        for node in self._nodes:
            if isinstance(node, Resource):
                planned = plan.planned.get(node)
                known = planned is not None and planned.known is not Known.DEFERRED
                found.append((node, list(planned.changes) if planned is not None and known else None))
        return found

    def creations(self) -> dict[str, Change]:
        """By kind, what is to be made as a whole."""
        return {
            node.kind: change
            for node, changes in self.resources()
            for change in changes or ()
            if change.action is Action.CREATE and not change.target
        }

    def changes(self, kind: str) -> list[Change]:
        """The changes to what is of a kind; empty too where its state is not known."""
        return [change for node, changes in self.resources() if node.kind == kind for change in changes or ()]

    def group_is_there(self) -> bool:
        self.plan()
        return any(node.observed is not None for node in self._nodes if isinstance(node, ResourceGroup))

    def server(self) -> Server | None:
        """The logical server as it is; None where it is not there or could not be read."""
        self.plan()
        return next((node.observed for node in self._nodes if isinstance(node, SqlServer)), None)

    def vault(self) -> VaultState | None:
        """The vault as it is, not one that lies deleted."""
        self.plan()
        found = next((node.observed for node in self._nodes if isinstance(node, Vault)), None)
        return None if found is None or found.soft_deleted else found

    def kept_out(self) -> bool:
        """Whether the vault's network rules keep this machine from its secrets."""
        self.plan()
        found = next((node.observed for node in self._nodes if isinstance(node, OperatorVaultAccess)), None)
        return found is not None and found.kept_out is not None


def _quiet(event: Event) -> None:
    return None
