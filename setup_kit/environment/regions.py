"""Where the hosted Data Export Service called from: a fixed address for each region.

Source: Microsoft's list of addresses to admit, as the service's documentation had it.
"""

from __future__ import annotations

from collections.abc import Mapping

SERVICE_ADDRESSES: Mapping[str, str] = {
    "Australia East": "13.73.202.160",
    "Australia Southeast": "40.115.78.163",
    "Brazil South": "191.235.81.249",
    "Canada Central": "52.228.26.31",
    "Canada East": "40.86.251.81",
    "Central India": "52.172.191.195",
    "East Asia": "52.175.24.148",
    "East US": "23.96.92.86",
    "Japan East": "13.73.7.177",
    "Japan West": "138.91.22.196",
    "North Europe": "52.169.117.212",
    "South India": "52.172.51.15",
    "Southeast Asia": "52.163.231.218",
    "UK South": "51.140.71.166",
    "UK West": "51.141.44.218",
    "West Europe": "40.68.252.224",
    "West US": "40.112.139.218",
}

# An organization in North America was served from both of these, whichever of them it was in.
_NORTH_AMERICA = ("East US", "West US")


def _key(region: str) -> str:
    return "".join(region.split()).lower()


_SERVED_FROM: dict[str, tuple[str, ...]] = {_key(region): (region,) for region in SERVICE_ADDRESSES}
_SERVED_FROM |= {_key(region): _NORTH_AMERICA for region in ("North America", *_NORTH_AMERICA)}


def service_addresses(region: str) -> dict[str, str]:
    """Region → IPv4 address, of all that a server must admit for an organization in `region`, neighbours included.

    "West Europe", "westeurope" and "WEST  EUROPE" are the same region. Raises KeyError for one without an address.
    """
    return {each: SERVICE_ADDRESSES[each] for each in _SERVED_FROM[_key(region)]}
