"""A vault's network rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from setup_kit.azure.words import plain

if TYPE_CHECKING:
    from azure.mgmt.keyvault import models


@dataclass(frozen=True)
class Network:
    """Which networks reach a vault's data plane.

    `public`: any at all beside private endpoints. `admits_all`: whatever the rules do not name. `trusted`: Azure's own
    trusted services pass in any case. `ranges`: the IPv4 addresses that rules name, as Azure writes them.
    """

    public: bool = True
    admits_all: bool = True
    trusted: bool = True
    ranges: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        return self.public and self.admits_all

    def __str__(self) -> str:
        access = f"public network access {'enabled' if self.public else 'disabled'}"
        default = f"default action {'Allow' if self.admits_all else 'Deny'}"
        passing = f"bypass {'AzureServices' if self.trusted else 'None'}"
        return f"{access}; {default}; {passing}; addresses: {', '.join(self.ranges) or 'none'}"


OPEN = Network()


def network_of(properties: models.VaultProperties) -> Network:
    """A vault without rules admits every network; where rules do not say `bypass`, trusted services pass."""
    public = (properties.public_network_access or "Enabled").lower() == "enabled"
    rules = properties.network_acls
    if rules is None:
        return Network(public)
    return Network(
        public,
        (plain(rules.default_action) or "Allow").lower() == "allow",
        (plain(rules.bypass) or "AzureServices").lower() == "azureservices",
        tuple(each.value for each in rules.ip_rules or ()),
    )
