"""The firewall, the server's and a database's: who may come as far as the login."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.server_facts import FirewallRule
from setup_kit.sandbox.sql.storage import catalog
from setup_kit.sandbox.sql.storage.store import ServerStore

#: The rule that the portal's "Allow Azure services and resources to access this server" makes.
AZURE_SERVICES = "0.0.0.0"  # noqa: S104 - an address in a rule, nothing is bound to it

#: The application name by which a client stands for the hosted service in Azure.
SERVICE_APPLICATION = "Data Export Service"


def check(rules: Iterable[FirewallRule], store: ServerStore, database: str, address: str, *, from_azure: bool) -> None:
    """40615 where neither the server's rules nor those of the database that is asked for let the client in."""
    if admits(rules, address, from_azure=from_azure):
        return
    found = store.database(database or "master")
    if found is not None:
        with contextlib.closing(store.connect(found)) as connection:
            if admits(catalog.load_firewall_rules(connection), address, from_azure=from_azure):
                return
    raise errors.server_firewall(store.name, address)


def admits(rules: Iterable[FirewallRule], address: str, *, from_azure: bool) -> bool:
    """Whether a client at `address` is let in; 0.0.0.0 to 0.0.0.0 admits every service in Azure."""
    client = ipaddress.IPv4Address(address)
    for rule in rules:
        if rule.start == rule.end == AZURE_SERVICES:
            if from_azure:
                return True
        elif ipaddress.IPv4Address(rule.start) <= client <= ipaddress.IPv4Address(rule.end):
            return True
    return False
