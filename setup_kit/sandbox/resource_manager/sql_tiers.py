"""Service objectives of Azure SQL databases: what may be asked for, and how the cloud then writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from setup_kit.sandbox.resource_manager.arm import ArmError

GIB = 2**30
# Objective → DTUs, from Azure's page on the DTU purchasing model.
BASIC = {"Basic": 5}
STANDARD = {"S0": 10, "S1": 20, "S2": 50, "S3": 100, "S4": 200, "S6": 400, "S7": 800, "S9": 1600, "S12": 3000}
PREMIUM = {"P1": 125, "P2": 250, "P4": 500, "P6": 1000, "P11": 1750, "P15": 4000}
DTU = {"Basic": BASIC, "Standard": STANDARD, "Premium": PREMIUM}
CORES = {"GP": "GeneralPurpose", "GP_S": "GeneralPurpose", "BC": "BusinessCritical", "HS": "Hyperscale"}
VCORE = re.compile(r"(GP_S|GP|BC|HS)_(Gen5|Fsv2|DC)(?:_(\d{1,3}))?", re.IGNORECASE)


@dataclass(frozen=True)
class Tier:
    """`objective`: such as S0 or GP_Gen5_2; `sku`: the body's sku object; sizes in bytes."""

    objective: str
    sku: dict[str, Any]
    default_size: int
    largest_size: int


def tier_of(sku: dict[str, Any] | None) -> Tier:
    """The tier that a request's `sku` asks for; none at all is the cloud's default, GP_Gen5_2.

    Raises ArmError for one that there is not (its code is assumed).
    """
    if not sku:
        return tier_of({"name": "GP_Gen5", "capacity": 2})
    name = str(sku.get("name") or "")
    capacity = sku.get("capacity")
    for tier, objectives in DTU.items():
        by_name = next((each for each in objectives if each.lower() == name.lower()), None)
        by_size = next((each for each, size in objectives.items() if size == capacity), None)
        if name.lower() == tier.lower() and tier != "Basic":
            by_name = by_size if capacity else next(iter(objectives))
        if by_name is not None and (not capacity or objectives[by_name] == capacity):
            return _dtu(tier, by_name, objectives[by_name])
    match = VCORE.fullmatch(name)
    if match is not None:
        cores = int(match[3] or capacity or 2)
        family = match[1].upper() + "_" + match[2].capitalize()
        objective = f"{family}_{cores}"
        body = {"name": family, "tier": CORES[match[1].upper()], "family": match[2].capitalize(), "capacity": cores}
        return Tier(objective, body, 32 * GIB, 4096 * GIB)
    raise ArmError(400, "InvalidSkuName", f"Invalid SKU name '{name}'.")


def _dtu(tier: str, objective: str, capacity: int) -> Tier:
    default, largest = {
        "Basic": (2 * GIB, 2 * GIB),
        "Standard": (250 * GIB, 1024 * GIB if capacity >= 100 else 250 * GIB),
        "Premium": (500 * GIB, 4096 * GIB if capacity >= 1750 else 1024 * GIB),
    }[tier]
    # The cloud answers with the tier's name and the DTUs, whatever name the request used.
    return Tier(objective, {"name": tier, "tier": tier, "capacity": capacity}, default, largest)


def size_of(tier: Tier, asked: object) -> int:
    """The size limit in bytes: what was asked for, else the tier's own. Raises ArmError when the tier has less."""
    if asked is None:
        return tier.default_size
    if not isinstance(asked, int) or isinstance(asked, bool) or asked <= 0 or asked > tier.largest_size:
        raise ArmError(
            400,
            "InvalidMaxSizeTierCombination",
            f"The edition '{tier.sku['tier']}' does not support the database data max size '{asked}'.",
        )
    return asked
