"""Firewall rules of logical servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from setup_kit.azure.errors import AzureRefusal, translating
from setup_kit.azure.patience import Patience, busy

if TYPE_CHECKING:
    from azure.mgmt.sql import SqlManagementClient, models

# The rule that Azure's portal calls "Allow Azure services and resources to access this server".
AZURE_SERVICES = "AllowAllWindowsAzureIps"
AZURE_SERVICES_ADDRESS = "0.0.0.0"  # noqa: S104 - means "Azure's services" in a firewall rule, nothing listens there


@dataclass(frozen=True)
class Rule:
    """Admits the IPv4 addresses from `start` to `end`, both included."""

    name: str
    start: str
    end: str

    @property
    def range(self) -> str:
        return self.start if self.start == self.end else f"{self.start} – {self.end}"


class FirewallRules:
    def __init__(self, client: SqlManagementClient, patience: Patience) -> None:
        self._patience = patience
        self._rules = client.firewall_rules

    def list(self, group: str, server: str) -> tuple[Rule, ...]:
        with translating(f"Reading the firewall rules of {server} failed"):
            return tuple(_rule(rule) for rule in self._rules.list_by_server(group, server))

    def put(self, group: str, server: str, rule: Rule) -> Rule:
        from azure.mgmt.sql import models

        properties = models.ServerFirewallRuleProperties(start_ip_address=rule.start, end_ip_address=rule.end)
        body = models.FirewallRule(properties=properties)

        def put() -> Rule:
            with translating(f"Writing the firewall rule {rule.name} of {server} failed"):
                return _rule(self._rules.create_or_update(group, server, rule.name, body))

        return self._patience.out(put, busy)

    def delete(self, group: str, server: str, name: str) -> None:
        """Removes a rule; one that is not there is no error."""

        def delete() -> None:
            with translating(f"Deleting the firewall rule {name} of {server} failed"):
                self._rules.delete(group, server, name)

        try:
            self._patience.out(delete, busy)
        except AzureRefusal as refusal:
            if not refusal.not_found:
                raise


def _rule(rule: models.FirewallRule) -> Rule:
    properties = rule.properties
    start = (properties.start_ip_address if properties else None) or ""
    end = (properties.end_ip_address if properties else None) or ""
    return Rule(name=rule.name or "", start=start, end=end)
