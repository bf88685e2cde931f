"""What a file says of things that were found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from setup_kit.azure.databases import Database
from setup_kit.azure.firewall_rules import Rule
from setup_kit.azure.key_vaults import Vault
from setup_kit.azure.sql_servers import EntraAdministrator, Server
from setup_kit.export_service.organization import CurrentOrganization
from setup_kit.resources.database import GIB
from setup_kit.resources.discovery import Found
from setup_kit.resources.importing import document_of

SERVER = Server(
    "sql-contoso", "sql-contoso.database.windows.net", "westeurope", login="boss", tags={"owner": "finance"}
)
DATABASE = Database("crm", "S3", "Standard", 250 * GIB, "westeurope", tags={"owner": "finance", "env": "prod"})
FOUND = Found(
    organization=CurrentOrganization(id="o", name="Contoso", version=(9, 2)),
    profile=None,
    group="rg-contoso",
    group_tags={"owner": "finance", "setup-kit": "prod", "env": "prod"},
    vault=Vault(
        "v", "kv-contoso", "https://kv", "westeurope", "t", rbac=True, tags={"Owner": "finance", "env": "prod"}
    ),
    secret="connection",
    user="dataexport_2",
    server=SERVER,
    database=DATABASE,
    rules=(),
    notes=(),
)


def said(found: Found) -> dict[str, Any]:
    return document_of(found, ["account"], "prod")[0]


def firewall(*rules: Rule) -> Any:
    return said(replace(FOUND, rules=rules))["sql"]["firewall"]


def test_only_tags_that_all_have_are_the_file_s() -> None:
    assert said(FOUND)["tags"] == {"owner": "finance"}


def test_a_rotated_user_has_its_first_name_in_the_file() -> None:
    assert said(FOUND)["sql"]["export_user"]["name"] == "dataexport"


def test_the_administrator_is_the_entra_group_where_there_is_one() -> None:
    assert said(FOUND)["sql"]["administrator"] == {"sql_login": "boss"}
    group = EntraAdministrator("DBAs", "g", "t")
    assert said(replace(FOUND, server=replace(SERVER, entra=group)))["sql"]["administrator"] == {
        "entra_group": {"name": "DBAs", "object_id": "g"}
    }


def test_without_a_profile_the_file_asks_for_one_of_the_entities_given() -> None:
    assert said(FOUND)["profile"] == {"name": "prod", "entities": ["account"]}


@pytest.mark.parametrize(
    ("rules", "region"),
    [
        ([Rule("data-export-service-west-europe", "40.68.252.224", "40.68.252.224")], "West Europe"),
        (
            [
                Rule("data-export-service-east-us", "23.96.92.86", "23.96.92.86"),
                Rule("data-export-service-west-us", "40.112.139.218", "40.112.139.218"),
            ],
            "East US",
        ),
        ([Rule("data-export-service-west-europe", "40.68.252.1", "40.68.252.1")], None),
        ([], None),
    ],
)
def test_the_service_s_region_is_known_by_its_rules(rules: list[Rule], region: str | None) -> None:
    section = firewall(*rules)
    assert section["service_region"] == region
    assert section["rules"] == []


WEST_EUROPE = Rule("data-export-service-west-europe", "40.68.252.224", "40.68.252.224")
NORTH_EUROPE = Rule("data-export-service-north-europe", "52.169.117.212", "52.169.117.212")
AUSTRALIA = Rule("data-export-service-australia-east", "13.73.202.160", "13.73.202.160")
UNITED_STATES = (
    Rule("data-export-service-east-us", "23.96.92.86", "23.96.92.86"),
    Rule("data-export-service-west-us", "40.112.139.218", "40.112.139.218"),
)


def test_of_rules_for_several_regions_those_near_the_organization_are_taken_and_the_stale_ones_told() -> None:
    found = replace(FOUND, rules=(AUSTRALIA, *UNITED_STATES, WEST_EUROPE))
    document, notes = document_of(found, ["account"], "prod", organization_url="https://contoso.crm4.dynamics.com")
    assert document["sql"]["firewall"]["service_region"] == "West Europe"
    assert document["sql"]["firewall"]["rules"] == []
    [note] = notes
    for rule in (AUSTRALIA, *UNITED_STATES):
        assert f"setup-kit firewall remove {rule.name}" in note


def test_what_the_organization_says_of_its_geography_tells_as_well() -> None:
    emea = replace(FOUND.organization, geography="EMEA")
    document, notes = document_of(replace(FOUND, organization=emea, rules=(AUSTRALIA, WEST_EUROPE)), ["account"], "p")
    assert document["sql"]["firewall"]["service_region"] == "West Europe"
    assert len(notes) == 1


def test_where_nothing_tells_which_rules_of_the_service_are_stale_one_region_is_taken_and_told_to_be_looked_at() -> (
    None
):
    document, notes = document_of(replace(FOUND, rules=(AUSTRALIA, WEST_EUROPE)), ["account"], "p")
    assert document["sql"]["firewall"]["service_region"] == "Australia East"
    [note] = notes
    assert "correct sql.firewall.service_region" in note
    assert WEST_EUROPE.name in note
    europe = replace(FOUND, rules=(WEST_EUROPE, NORTH_EUROPE))
    _, notes = document_of(europe, ["account"], "p", organization_url="https://contoso.crm4.dynamics.com")
    assert "correct sql.firewall.service_region" in notes[0]


def test_the_service_s_only_rule_is_taken_wherever_it_is() -> None:
    found = replace(FOUND, rules=(AUSTRALIA,))
    document, notes = document_of(found, ["account"], "p", organization_url="https://contoso.crm4.dynamics.com")
    assert document["sql"]["firewall"]["service_region"] == "Australia East"
    assert notes == []


def test_rules_are_taken_as_they_are_but_for_those_of_the_kit_s_runs() -> None:
    section = firewall(
        Rule("AllowAllWindowsAzureIps", "0.0.0.0", "0.0.0.0"),  # noqa: S104
        Rule("office", "203.0.113.8", "203.0.113.15"),
        Rule("setup-kit-operator-20261128-x-1-1", "198.51.100.7", "198.51.100.7"),
    )
    assert section == {
        "allow_azure_services": True,
        "service_region": None,
        "rules": [{"name": "office", "start": "203.0.113.8", "end": "203.0.113.15"}],
    }


def test_a_rule_that_no_file_may_ask_for_is_left_out_and_told() -> None:
    document, notes = document_of(replace(FOUND, rules=(Rule("all", "0.0.0.0", "255.255.255.255"),)), ["account"], "p")  # noqa: S104
    assert document["sql"]["firewall"]["rules"] == []
    assert "firewall rules all; they stay" in notes[0]


def test_a_size_of_half_a_gigabyte_is_rounded_up_and_told() -> None:
    small = replace(FOUND, database=replace(DATABASE, max_bytes=GIB // 2))
    document, notes = document_of(small, ["account"], "p")
    assert document["sql"]["database"]["max_size_gb"] == 1
    assert "0.5 GB" in notes[0]


def test_what_is_on_a_machine_has_no_firewall_size_or_group_in_the_file() -> None:
    found = replace(FOUND, server=None, database=None, machine=("sql01.contoso.com", 1433), on_machine="crm")
    document, notes = document_of(found, ["account"], "p", "sa")
    assert document["sql"] == {
        "machine": {"host": "sql01.contoso.com", "port": 1433},
        "administrator": {"sql_login": "sa"},
        "database": {"name": "crm"},
        "export_user": {"name": "dataexport", "schema": "dbo"},
    }
    assert document["location"] == FOUND.vault.location
    assert document["tags"] == {"owner": "finance", "env": "prod"}
    assert notes == []
