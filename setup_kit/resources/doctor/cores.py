"""How many vCores a SKU counts as towards the region's quota."""

from __future__ import annotations

import re

# DTU by service objective, from Azure's page on the DTU purchasing model.
_DTU = {
    "basic": 5,
    "s0": 10,
    "s1": 20,
    "s2": 50,
    "s3": 100,
    "s4": 200,
    "s6": 400,
    "s7": 800,
    "s9": 1600,
    "s12": 3000,
    "p1": 125,
    "p2": 250,
    "p4": 500,
    "p6": 1000,
    "p11": 1750,
    "p15": 4000,
}
_DTU_OF_A_CORE = 125  # "View and request quotas for Azure SQL"
_CORES = re.compile(r"[A-Z]+(?:_S)?_[A-Za-z0-9]+_(\d+)", re.IGNORECASE)


def cores_of(sku: str) -> int:
    """0 for a SKU that is not known."""
    found = _CORES.fullmatch(sku)
    if found:
        return int(found[1])
    return -(-_DTU.get(sku.lower(), 0) // _DTU_OF_A_CORE)
