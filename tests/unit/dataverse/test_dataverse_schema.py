"""The organization's tables as its data files describe them."""

from __future__ import annotations

import pytest

from setup_kit.sandbox.dataverse.schema import CHOICES, NUMBERS, Column, Table, load

SCHEMA = load()
TABLES = list(SCHEMA.tables.values())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_its_key_and_name_among_distinct_columns(table: Table) -> None:
    assert len(table.by_name) == len(table.columns)
    assert table.by_name[table.primary_id].type == "Uniqueidentifier"
    assert table.primary_name is None or table.by_name[table.primary_name].type == "String"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_says_what_its_type_needs(table: Table) -> None:
    for column in table.columns:
        assert (column.max_length is not None) == (column.type in ("String", "Memo"))
        assert (column.precision is not None) == (column.type in NUMBERS)
        assert (column.option_set is not None) == (column.type in CHOICES)
        assert bool(column.targets) == column.is_lookup
        assert column.of is None or column.of in table.by_name


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_amounts_in_base_currency_stand_beside_their_amount(table: Table) -> None:
    for column in table.columns:
        assert column.base_of is None or table.by_name[column.base_of].type == "Money"


def test_status_reasons_belong_to_states_that_exist() -> None:
    for table in TABLES:
        for column in table.columns_of_type("Status"):
            states = table.by_name["statecode"].option_set
            assert states is not None and column.option_set is not None
            assert {option.state for option in column.option_set.options} <= {option.value for option in states.options}


def test_an_activity_pointer_has_what_all_activities_share() -> None:
    shared = set(SCHEMA.tables["task"].by_name) & set(SCHEMA.tables["phonecall"].by_name)
    assert set(SCHEMA.tables["activitypointer"].by_name) == shared


def test_a_lookup_with_several_targets_has_a_navigation_property_for_each() -> None:
    contact, task = SCHEMA.tables["contact"].navigation, SCHEMA.tables["task"].navigation
    assert contact["parentcustomerid_account"][1] == "account"
    assert contact["parentcustomerid_contact"][1] == "contact"
    assert task["regardingobjectid_incident_task"][1] == "incident"
    assert "ownerid" in contact


def test_columns_have_the_types_and_lengths_of_the_public_table_reference() -> None:
    def column(table: str, name: str) -> Column:
        return SCHEMA.tables[table].by_name[name]

    assert column("account", "name").max_length == 160
    assert column("account", "revenue").precision == 2
    assert column("account", "revenue_base").precision == 4
    assert column("account", "exchangerate").precision == 10
    assert column("contact", "address1_latitude").type == "Double"
    assert column("contact", "birthdate").type == "DateOnly"
    assert column("contact", "parentcustomerid").targets == ("account", "contact")
    assert column("incident", "customerid").type == "Customer"
    assert column("lead", "subject").max_length == 300
    assert column("opportunity", "name").max_length == 300
    assert column("opportunity", "customeridtype").type == "EntityName"
    assert column("systemuser", "versionnumber").type == "BigInt"
    assert column("task", "ownerid").targets == ("systemuser", "team")
