"""Whether a vault's network rules let the export service in. The kit changes none of them."""

from __future__ import annotations

import shlex
from ipaddress import IPv4Address, IPv4Network, ip_network

from setup_kit.azure.vault_network import Network
from setup_kit.engine.resource import Finding, Node, Status
from setup_kit.environment.regions import service_addresses

CHECK = "key_vault.network"
_TRUSTED = "; Azure's trusted services pass them, and its own validation tells whether the service is one"


def audit_network(node: Node, network: Network, region: str | None) -> list[Finding]:
    """A finding where the vault does not admit every network. `region`: where the export service calls from."""
    if network.open:
        return []
    shown = shlex.join(["az", "keyvault", "network-rule", "list", "--name", node.name])
    trusted = _TRUSTED if network.trusted else ""
    if not network.public:
        message = f"the vault has no public network access; the export service must reach it{trusted}"
        return [_warning(node, message, shown, network)]
    addresses = service_addresses(region) if region is not None else {}
    missing = {place: each for place, each in addresses.items() if not _admits(network, each)}
    if addresses and not missing:
        message = f"the vault's network rules admit the export service's addresses in {', '.join(addresses)}"
        return [Finding(CHECK, Status.PASSED, node.address, message, evidence=str(network))]
    if not missing:
        message = f"the vault's firewall does not admit every address; the export service must reach it{trusted}"
        return [_warning(node, message, shown, network)]
    places = ", ".join(f"{address} ({place})" for place, address in missing.items())
    message = f"the vault's network rules do not name the export service's addresses {places}{trusted}"
    admitting = ["az", "keyvault", "network-rule", "add", "--name", node.name, "--ip-address", *missing.values()]
    return [_warning(node, message, shlex.join(admitting), network)]


def _warning(node: Node, message: str, remedy: str, network: Network) -> Finding:
    return Finding(CHECK, Status.WARNING, node.address, message, remedy, str(network))


def _admits(network: Network, address: str) -> bool:
    wanted = IPv4Address(address)
    ranges = (ip_network(each, strict=False) for each in network.ranges)
    return any(wanted in each for each in ranges if isinstance(each, IPv4Network))
