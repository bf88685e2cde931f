from __future__ import annotations

from typing import Any

import pytest

from setup_kit.sandbox.resource_manager.arm import ArmError
from setup_kit.sandbox.resource_manager.sql_tiers import GIB, size_of, tier_of


@pytest.mark.parametrize(
    ("asked", "objective", "sku"),
    [
        (None, "GP_Gen5_2", "GP_Gen5"),
        ({"name": "Basic"}, "Basic", "Basic"),
        ({"name": "S0"}, "S0", "Standard"),
        ({"name": "Standard", "tier": "Standard", "capacity": 50}, "S2", "Standard"),
        ({"name": "Standard"}, "S0", "Standard"),
        ({"name": "P1", "tier": "Premium"}, "P1", "Premium"),
        ({"name": "p1"}, "P1", "Premium"),
        ({"name": "GP_S_Gen5_1"}, "GP_S_Gen5_1", "GP_S_Gen5"),
        ({"name": "BC_Gen5", "tier": "BusinessCritical", "family": "Gen5", "capacity": 4}, "BC_Gen5_4", "BC_Gen5"),
    ],
)
def test_a_sku_becomes_the_objective_that_the_cloud_shows(
    asked: dict[str, Any] | None, objective: str, sku: str
) -> None:
    tier = tier_of(asked)
    assert (tier.objective, tier.sku["name"]) == (objective, sku)


def test_what_the_cloud_shows_may_be_sent_back(subtests: pytest.Subtests) -> None:
    for name in ("Basic", "S3", "P15", "GP_Gen5_8", "HS_Gen5_2"):
        with subtests.test(name):
            tier = tier_of({"name": name})
            assert tier_of(tier.sku) == tier


@pytest.mark.parametrize("asked", [{"name": "P3"}, {"name": "Standard", "capacity": 7}, {"name": "XX"}, {"x": 1}])
def test_a_sku_that_there_is_not_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ArmError) as refused:
        tier_of(asked)
    assert refused.value.code == "InvalidSkuName"


@pytest.mark.parametrize(("sku", "size"), [("Basic", 3 * GIB), ("S0", 500 * GIB), ("P1", 2048 * GIB), ("P1", 0)])
def test_a_size_that_the_tier_has_not_is_refused(sku: str, size: int) -> None:
    with pytest.raises(ArmError) as refused:
        size_of(tier_of({"name": sku}), size)
    assert refused.value.code == "InvalidMaxSizeTierCombination"
