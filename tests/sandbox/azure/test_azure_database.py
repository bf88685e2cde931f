"""The destination database: service objective and size."""

from __future__ import annotations

import pytest

from setup_kit.azure.errors import AzureRefusal
from tests.sandbox.azure.conftest import WRITES, Kit


@pytest.fixture
def made(kit: Kit) -> Kit:
    kit.settle(kit.group, kit.server, kit.database)
    return kit


def test_it_is_made_with_the_objective_and_the_size_of_the_file(made: Kit) -> None:
    observed = made.database.read()
    assert observed is not None
    assert (observed.sku, observed.tier, observed.max_bytes) == ("P1", "Premium", 250 * 2**30)


def test_another_objective_and_size_go_in_one_request(made: Kit) -> None:
    smaller = made.but(sql={"database": {"sku": "S0", "max_size_gb": 100}})
    smaller.drift(smaller.server)
    before = len(made.requests())
    sku, size = smaller.settle(smaller.database)
    assert (sku.target, sku.before, sku.after) == ("sku", "P1", "S0")
    assert "from Premium to Standard" in sku.why
    assert (size.target, size.before, size.after) == ("max size", "250 GB", "100 GB")
    assert "shrinks" in size.why
    assert [entry["method"] for entry in made.requests()[before:] if entry["method"] in WRITES] == ["PATCH"]
    assert smaller.drift(smaller.database) == []


def test_what_was_changed_behind_its_back_is_named_and_mended(made: Kit) -> None:
    made.azure.databases.update(made.group.name, made.server.name, "crm", sku="P2")
    [change] = made.settle(made.database)
    assert (change.before, change.after) == ("P2", "P1")
    assert "tier" not in change.why
    assert made.drift(made.database) == []


def test_virtual_cores_are_compared_by_the_objective_and_not_by_the_family(kit: Kit) -> None:
    cores = kit.but(sql={"database": {"sku": "GP_Gen5_4", "max_size_gb": 64}})
    cores.settle(cores.group, cores.server, cores.database)
    assert cores.drift(cores.database) == []


def test_a_hyperscale_database_has_no_size_to_compare(kit: Kit) -> None:
    hyperscale = kit.but(sql={"database": {"sku": "HS_Gen5_2", "max_size_gb": 250}})
    hyperscale.settle(hyperscale.group, hyperscale.server, hyperscale.database)
    assert hyperscale.drift(hyperscale.database) == []


def test_a_tier_that_azure_does_not_sell_is_refused_with_its_own_words(made: Kit) -> None:
    with pytest.raises(AzureRefusal) as refused:
        made.azure.databases.update(made.group.name, made.server.name, "crm", sku="P1", max_bytes=2**45)
    assert "does not support" in refused.value.original
