"""Where the hosted Data Export Service called from: a fixed address for each region.

Source: Microsoft's list of addresses to admit, as the service's documentation had it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServiceAddress:
    """One region's address, IPv4."""

    region: str
    address: str


class UnknownRegionError(ValueError):
    """A region in which the service has no known address."""

    def __init__(self, region: str) -> None:
        super().__init__(
            f"the Data Export Service has no known address in the region {region!r}; known: {', '.join(REGIONS)}"
        )
        self.region = region


_ADDRESSES = (
    ServiceAddress("West US", "40.112.139.218"),
    ServiceAddress("East US", "23.96.92.86"),
    ServiceAddress("West Europe", "40.68.252.224"),
    ServiceAddress("East Asia", "52.175.24.148"),
    ServiceAddress("Southeast Asia", "52.163.231.218"),
    ServiceAddress("Central India", "52.172.191.195"),
    ServiceAddress("South India", "52.172.51.15"),
    ServiceAddress("North Europe", "52.169.117.212"),
    ServiceAddress("Japan West", "138.91.22.196"),
    ServiceAddress("Japan East", "13.73.7.177"),
    ServiceAddress("Brazil South", "191.235.81.249"),
    ServiceAddress("Australia Southeast", "40.115.78.163"),
    ServiceAddress("Australia East", "13.73.202.160"),
    ServiceAddress("Canada Central", "52.228.26.31"),
    ServiceAddress("Canada East", "40.86.251.81"),
    ServiceAddress("UK South", "51.140.71.166"),
    ServiceAddress("UK West", "51.141.44.218"),
)

# An organization in North America was served from both of these, whichever of them it was in.
_NORTH_AMERICA = ("East US", "West US")

_BY_REGION = {each.region: each for each in _ADDRESSES}

REGIONS: tuple[str, ...] = (*sorted(_BY_REGION), "North America")


def _key(region: str) -> str:
    return "".join(region.split()).lower()


_GROUPS = {_key(region): (region,) for region in _BY_REGION}
_GROUPS |= {_key(region): _NORTH_AMERICA for region in ("North America", *_NORTH_AMERICA)}


def service_addresses(region: str) -> tuple[ServiceAddress, ...]:
    """The addresses that a server's firewall must admit for an organization in `region`, its neighbours' included.

    "West Europe", "westeurope" and "WEST  EUROPE" are the same region. Raises UnknownRegionError.
    """
    try:
        return tuple(_BY_REGION[each] for each in _GROUPS[_key(region)])
    except KeyError:
        raise UnknownRegionError(region) from None
