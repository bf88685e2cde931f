"""A logical server as the SQL endpoint sees it: its firewall and administrators, from what Resource Manager holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from setup_kit.sandbox import passwords, settling
from setup_kit.sandbox.resource_manager.sql_servers import DATABASES, RULES, SERVERS
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.tenant import Tenant


@dataclass(frozen=True)
class FirewallRule:
    """A named range of addresses, both ends in it."""

    name: str
    start: str
    end: str


class LogicalServer:
    """The endpoint's ServerPolicy; read afresh on every question, so that a deleted rule counts at once."""

    def __init__(self, state: State, tenant: Tenant, name: str) -> None:
        self._state = state
        self._tenant = tenant
        self.name = name

    def _document(self) -> Document:
        return self._state.get(SERVERS, self.name) or {}

    def firewall_rules(self) -> Sequence[FirewallRule]:
        if self._document().get("public_access") == "Disabled":
            return ()
        rules = self._state.list(RULES, f"{self.name}/")
        return [
            FirewallRule(rule["name"], rule["start"], rule["end"])
            for _, rule in rules
            if settling.holds(self._state, settling.firewall_rule(self.name, rule["name"]))
        ]

    def set_firewall_rule(self, name: str, start: str, end: str) -> None:
        """What sp_set_firewall_rule does: make the rule, or give the one of that name other addresses."""
        self._state.put(RULES, f"{self.name}/{name.lower()}", {"name": name, "start": start, "end": end})

    def delete_firewall_rule(self, name: str) -> None:
        """Nothing when there is none."""
        if self._state.get(RULES, f"{self.name}/{name.lower()}") is not None:
            self._state.delete(RULES, f"{self.name}/{name.lower()}")

    def check_administrator(self, login: str, password: str) -> bool:
        """Whether this is the server's SQL administrator; never while the server is Entra-only."""
        server = self._document()
        kept = server.get("password")
        if not kept or self.entra_only() or server["login"].lower() != login.lower():
            return False
        return passwords.matches(password, kept)

    def entra_administrator(self) -> str | None:
        """The administrator's object id; one that was given as an application id is its service principal's."""
        administrator = self._document().get("administrator")
        if not administrator:
            return None
        principal = self._tenant.principal_of(administrator["sid"])
        return principal.object_id if principal else str(administrator["sid"])

    def entra_only(self) -> bool:
        return bool(self._document().get("entra_only"))

    def online(self, database: str) -> bool:
        return self._state.get(DATABASES, f"{self.name}/{database.lower()}") is not None
