"""Where the hosted Data Export Service called from: a fixed address for each region.

Source: Microsoft's list of addresses to admit, as the service's documentation had it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

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


# An organization's geography: by the first label of its host's domain (contoso.crm4.dynamics.com), and by what the
# organization calls it itself (OrganizationDetail.Geo). Others, such as France, are near no address that is known.
# Source: https://learn.microsoft.com/power-platform/admin/new-datacenter-regions; *assumed*: Geo has the same words.
_GEOGRAPHIES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("crm", "NA", "NAM"): _NORTH_AMERICA,
    ("crm2", "SAM", "LATAM"): ("Brazil South",),
    ("crm3", "CAN"): ("Canada Central", "Canada East"),
    ("crm4", "EMEA", "EUR"): ("North Europe", "West Europe"),
    ("crm5", "APAC", "APJ"): ("East Asia", "Southeast Asia"),
    ("crm6", "OCE"): ("Australia East", "Australia Southeast"),
    ("crm7", "JPN"): ("Japan East", "Japan West"),
    ("crm8", "IND"): ("Central India", "South India"),
    ("crm11", "GBR", "UK"): ("UK South", "UK West"),
}
_REGIONS_OF = {word.lower(): regions for words, regions in _GEOGRAPHIES.items() for word in words}


def regions_near(organization_url: str, geography: str = "") -> tuple[str, ...]:
    """The regions that the service may call from for an organization; empty where neither address nor geography tells.

    "https://contoso.crm4.dynamics.com" and the geography "EMEA" are alike: North Europe and West Europe.
    """
    labels = (urlsplit(organization_url).hostname or "").split(".")
    # The Web API has a host of its own: contoso.api.crm4.dynamics.com.
    by_host = labels[-3].lower() if labels[-2:] == ["dynamics", "com"] and len(labels) > 3 else ""
    return _REGIONS_OF.get(by_host) or _REGIONS_OF.get(geography.lower(), ())
