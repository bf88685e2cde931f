"""Small parts of the Azure resources: tags, passwords, names of operators' rules, regions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.environment.regions import SERVICE_ADDRESSES, service_addresses
from setup_kit.resources import tags
from setup_kit.resources.database import _tier
from setup_kit.resources.operator_rule import LONGEST_RUN, RunName
from setup_kit.resources.password import make_password
from setup_kit.resources.sql_server import unused_password
from setup_kit.sqlserver.connection import SqlAddress, parse_ado_net, to_ado_net

names = st.dictionaries(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), st.text())


@given(names, names)
def test_merged_tags_differ_no_more_and_lose_none(observed: dict[str, str], wanted: dict[str, str]) -> None:
    wanted = {name.lower(): value for name, value in wanted.items()}
    observed = {name.lower(): value for name, value in observed.items()}
    merged = tags.merged({name.title(): value for name, value in observed.items()}, wanted)
    assert tags.differing(merged, wanted) == {}
    assert {name.lower() for name in merged} == {*observed, *wanted}


def test_a_tag_spelled_in_capitals_is_the_same_tag() -> None:
    assert tags.merged({"Owner": "a"}, {"owner": "b"}) == {"Owner": "b"}
    assert tags.differing({"Owner": "b"}, {"owner": "b"}) == {}
    assert tags.owner_of({"SETUP-KIT": "mine"}) == "mine"


@pytest.mark.parametrize("login", ["dataexport", "a", "Ünïcode 表", "o'brien"])
def test_a_password_fulfils_azures_rules_and_needs_no_quotes(login: str) -> None:
    password = make_password(login)
    text = password.reveal()
    assert 32 <= len(text) <= 128
    for kind in (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]"):
        assert re.search(kind, text)
    assert login.lower() not in text.lower() or len(login) == 1
    written = to_ado_net(SqlAddress("server"), "database", "user", password)
    assert f"Password={text};" in written.reveal()
    assert parse_ado_net(written).password == password


def test_passwords_are_never_the_same() -> None:
    assert len({make_password("dataexport").reveal() for _ in range(50)}) == 50
    assert unused_password() != unused_password()


def test_a_rules_name_tells_its_run() -> None:
    run = RunName.now()
    assert RunName.parse(str(run)) == run
    assert len(str(run)) <= 128
    assert re.fullmatch(r"[a-z0-9-]+", str(run))


@pytest.mark.parametrize("name", ["office", "setup-kit-operator-", "setup-kit-operator-1-2-3-4", "setup-kit-operator"])
def test_other_names_are_no_runs(name: str) -> None:
    assert RunName.parse(name) is None


def test_a_run_that_goes_on_is_left_alone() -> None:
    run = RunName.now()
    other = RunName(run.moment, run.machine, os.getppid())
    assert not other.left_behind(run)


def test_a_killed_run_on_this_machine_is_known_at_once() -> None:
    run = RunName.now()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert RunName(run.moment, run.machine, ended.pid).left_behind(run)


def test_another_machines_run_counts_as_killed_after_a_day() -> None:
    run = RunName.now()
    other = RunName(run.moment - timedelta(hours=1), "ffffffff", 1)
    assert not other.left_behind(run)
    old = RunName(run.moment - LONGEST_RUN - timedelta(seconds=1), "ffffffff", 1)
    assert old.left_behind(run)


@pytest.mark.parametrize("region", SERVICE_ADDRESSES)
def test_a_region_is_found_however_it_is_written(region: str) -> None:
    addresses = service_addresses(region)
    assert addresses[region] == SERVICE_ADDRESSES[region]
    assert service_addresses(region.lower().replace(" ", "")) == addresses
    assert service_addresses(f"  {region.upper()} ") == addresses


def test_north_america_is_two_regions() -> None:
    both = {"East US": "23.96.92.86", "West US": "40.112.139.218"}
    assert service_addresses("North America") == service_addresses("eastus") == service_addresses("West US") == both


def test_a_region_without_an_address_is_refused() -> None:
    with pytest.raises(KeyError):
        service_addresses("Middle Earth")


@pytest.mark.parametrize(
    ("sku", "tier"),
    [
        ("P1", "Premium"),
        ("S3", "Standard"),
        ("Basic", "Basic"),
        ("GP_S_Gen5_2", "General Purpose serverless"),
        ("GP_Gen5_2", "General Purpose"),
        ("HS_Gen5_2", "Hyperscale"),
    ],
)
def test_a_tier_is_read_from_the_objective(sku: str, tier: str) -> None:
    assert _tier(sku) == tier
