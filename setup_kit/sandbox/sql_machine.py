"""The sandbox's one SQL Server on a virtual machine: there from the start, and no resource of Azure."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from setup_kit.sandbox.sql import FirewallRule
from setup_kit.sandbox.state import State

# The name that the SQL endpoint keeps its data under; no logical server can have it, because Azure reserves the word.
NAME = "windows-machine"
ADMINISTRATOR = "machineadmin"


class SqlMachine:
    """The endpoint's ServerPolicy. It has no firewall: whoever reaches its port may try to sign in."""

    virtual_machine = True

    def __init__(self, state: State) -> None:
        kept = state.get("sandbox", "machine")
        if kept is None:
            kept = {"password": f"Vm1-{secrets.token_urlsafe(18)}"}
            state.put("sandbox", "machine", kept)
        self.name = NAME
        self.password: str = kept["password"]

    def firewall_rules(self) -> Sequence[FirewallRule]:
        return ()

    def set_firewall_rule(self, name: str, start: str, end: str) -> None:
        """Nothing: SQL Server has no such rules."""

    def delete_firewall_rule(self, name: str) -> None:
        """Nothing: SQL Server has no such rules."""

    def check_administrator(self, login: str, password: str) -> bool:
        return login.lower() == ADMINISTRATOR and secrets.compare_digest(password.encode(), self.password.encode())

    def entra_administrator(self) -> str | None:
        return None

    def entra_only(self) -> bool:
        return False

    def online(self, database: str) -> bool:
        return True
