"""The server's firewall: who may come as far as the login."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Protocol

#: The rule that the portal's "Allow Azure services and resources to access this server" makes.
AZURE_SERVICES = "0.0.0.0"  # noqa: S104 - an address in a rule, nothing is bound to it

#: The application name by which a client stands for the hosted service in Azure.
SERVICE_APPLICATION = "Data Export Service"


class FirewallRule(Protocol):
    """A named range of addresses, both ends in it."""

    @property
    def name(self) -> str: ...
    @property
    def start(self) -> str: ...
    @property
    def end(self) -> str: ...


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
