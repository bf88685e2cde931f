"""Reading rows: choosing, filtering, ordering, paging, expanding, annotations."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from setup_kit.sandbox.dataverse import Database
from setup_kit.sandbox.dataverse.application import open_database
from setup_kit.sandbox.dataverse.schema import load
from setup_kit.sandbox.dataverse.values import utf16_length
from tests.sandbox.dataverse.harness import Client, organization

SCHEMA = load()
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
ALL = 'odata.include-annotations="*"'


def test_a_row_has_every_readable_column_and_lookups_by_value(client: Client) -> None:
    row = client.get("contacts?$top=1").rows[0]
    assert set(row) == {"@odata.etag", *(column.property for column in SCHEMA.tables["contact"].row_columns)}
    assert "_parentcustomerid_value" in row and "parentcustomeridname" not in row
    assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"'


def test_chosen_columns_come_with_the_key(client: Client) -> None:
    answer = client.get("accounts?$select=name,_ownerid_value,primarycontactid&$top=1")
    assert set(answer.rows[0]) == {"@odata.etag", "name", "_ownerid_value", "_primarycontactid_value", "accountid"}
    assert answer.json["@odata.context"].endswith("$metadata#accounts(name,_ownerid_value,primarycontactid)")


@pytest.mark.parametrize("size", [7, 333, 700, 5000])
def test_pages_hold_every_row_once(client: Client, size: int) -> None:
    pages = client.pages("leads?$select=subject", f"odata.maxpagesize={size}")
    ids = [row["leadid"] for page in pages for row in page["value"]]
    assert len(ids) == len(set(ids)) == 700
    assert all(len(page["value"]) == size for page in pages[:-1])


def test_ordered_pages_stay_in_order_and_keep_their_filter(client: Client) -> None:
    path = "accounts?$select=name,createdon&$filter=statecode eq 0 and contains(name,'o')&$orderby=createdon desc"
    pages = client.pages(path, "odata.maxpagesize=50")
    rows = [row for page in pages for row in page["value"]]
    moments = [row["createdon"] for row in rows]
    assert len(pages) > 3 and moments == sorted(moments, reverse=True)
    assert len({row["accountid"] for row in rows}) == len(rows)
    assert all("o" in row["name"].lower() for row in rows)


def test_the_preferences_that_were_followed_are_named(client: Client) -> None:
    answer = client.get("accounts?$select=name", f"odata.maxpagesize=10, {ALL}")
    assert answer.headers["Preference-Applied"] == 'odata.include-annotations="*",odata.maxpagesize=10'
    assert client.get("accounts?$select=name&$top=1").headers["Preference-Applied"] is None


def test_counts_and_top(client: Client) -> None:
    answer = client.get("incidents?$select=title&$filter=statecode eq 0&$count=true&$top=3")
    assert len(answer.rows) == 3
    total = answer.json["@odata.count"]
    assert client.get("incidents/$count?$filter=statecode eq 0").text == str(total)
    assert 100 < total < 800
    assert client.get("contacts?$select=fullname&$top=0").rows == []


def test_rows_are_filtered_and_ordered_by_amount_and_not_by_text(client: Client) -> None:
    path = "accounts?$select=revenue&$filter=revenue gt 1000000 and revenue lt 20000000&$orderby=revenue"
    amounts = [row["revenue"] for row in client.get(path).rows]
    assert len(amounts) > 20 and amounts == sorted(amounts)
    assert all(Decimal(1_000_000) < amount < Decimal(20_000_000) for amount in amounts)


def test_rows_are_found_by_what_a_lookup_points_to(client: Client) -> None:
    customer = client.get("incidents?$select=_customerid_value&$top=1").rows[0]["_customerid_value"]
    rows = client.get(f"incidents?$select=_customerid_value&$filter=_customerid_value eq {customer}").rows
    assert rows and {row["_customerid_value"] for row in rows} == {customer}


@pytest.mark.parametrize("condition", ["customeridtype eq 'account'", "title eq 'x' or", "nosuch eq 1", "title eq 5"])
def test_a_filter_that_cannot_be_read_is_refused(client: Client, condition: str) -> None:
    assert client.get(f"incidents?$select=title&$filter={condition}").status == 400


def test_a_lookup_is_annotated_with_its_table_and_name(client: Client) -> None:
    select = "$select=fullname,_parentcustomerid_value,_ownerid_value"
    path = f"contacts?{select}&$filter=_parentcustomerid_value ne null&$top=1"
    row = client.get(path, ALL).rows[0]
    parent = row["_parentcustomerid_value"]
    assert row[f"_parentcustomerid_value@{LOGICAL_NAME}"] == "account"
    assert row["_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == (
        "parentcustomerid_account"
    )
    assert row[f"_parentcustomerid_value@{FORMATTED}"] == client.get(f"accounts({parent})?$select=name").json["name"]
    assert row[f"_ownerid_value@{LOGICAL_NAME}"] in ("systemuser", "team")
    only = client.get(path, f'odata.include-annotations="{LOGICAL_NAME}"').rows[0]
    assert f"_parentcustomerid_value@{LOGICAL_NAME}" in only
    assert f"_parentcustomerid_value@{FORMATTED}" not in only


def test_values_are_shown_as_people_read_them(client: Client) -> None:
    path = "accounts?$select=revenue,statuscode,creditonhold,numberofemployees,createdon,_transactioncurrencyid_value"
    euro = client.get("transactioncurrencies?$select=currencyname&$filter=isocurrencycode eq 'EUR'").rows[0]
    key = euro["transactioncurrencyid"]
    account = client.create("accounts", revenue=1234567.5, numberofemployees=12345, **{
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({key})"})  # fmt: skip
    row = client.get(f"accounts({account})?{path.partition('?')[2]}", ALL).json
    assert row[f"revenue@{FORMATTED}"] == "€1,234,567.50"
    assert row[f"statuscode@{FORMATTED}"] == "Active"
    assert row[f"creditonhold@{FORMATTED}"] == "No"
    assert row[f"numberofemployees@{FORMATTED}"] == "12,345"
    assert row[f"createdon@{FORMATTED}"].endswith("M")
    assert row[f"_transactioncurrencyid_value@{FORMATTED}"] == "Euro"


def test_lookups_and_pairs_are_expanded(client: Client) -> None:
    expand = "$expand=primarycontactid($select=fullname),parentaccountid($select=name)"
    rows = client.get(f"accounts?$select=name,_primarycontactid_value&{expand}").rows
    assert len(rows) == 600
    for row in rows:
        contact = row["primarycontactid"]
        assert (contact or {}).get("contactid") == row["_primarycontactid_value"]
    pair = client.get("contactleadscollection?$top=1").rows[0]
    path = f"contacts({pair['contactid']})?$select=fullname&$expand=contactleads_association($select=subject)"
    leads = client.get(path).json["contactleads_association"]
    assert pair["leadid"] in {lead["leadid"] for lead in leads}
    assert set(leads[0]) == {"@odata.etag", "subject", "leadid"}


def test_rows_hang_together(client: Client) -> None:
    def column(entity_set: str, *names: str) -> list[tuple[Any, ...]]:
        return [
            tuple(row[name] for name in names) for row in client.get(f"{entity_set}?$select={','.join(names)}").rows
        ]

    accounts = {key for (key,) in column("accounts", "accountid")}
    contacts: dict[str, str | None] = dict(column("contacts", "contactid", "_parentcustomerid_value"))
    leads = {key for (key,) in column("leads", "leadid")}
    users = {key for (key,) in column("systemusers", "systemuserid")}
    teams = {key for (key,) in column("teams", "teamid")}
    for account, primary, parent in column(
        "accounts", "accountid", "_primarycontactid_value", "_parentaccountid_value"
    ):
        assert primary is None or contacts[primary] == account
        assert parent is None or (parent in accounts and parent != account)
    for contact, lead in column("contactleadscollection", "contactid", "leadid"):
        assert contact in contacts and lead in leads
    for entity_set in ("accounts", "contacts", "leads", "opportunities", "incidents", "tasks", "phonecalls"):
        for owner, unit in column(entity_set, "_ownerid_value", "_owningbusinessunit_value"):
            assert owner in users | teams and unit is not None
    for (customer,) in column("incidents", "_customerid_value"):
        assert customer in accounts or customer in contacts
    for (origin,) in column("opportunities", "_originatingleadid_value"):
        assert origin is None or origin in leads


def test_rows_obey_their_definitions(client: Client) -> None:
    for table in SCHEMA.tables.values():
        rows = client.get(table.entity_set).rows
        versions = [row["versionnumber"] for row in rows if "versionnumber" in row]
        assert len(versions) == len(set(versions))
        for column in table.row_columns:
            for row in rows:
                value = row[column.property]
                if value is None:
                    continue
                if column.max_length is not None:
                    assert utf16_length(value) <= column.max_length, (table.name, column.name)
                if column.option_set is not None:
                    assert column.option_set.label(value) is not None, (table.name, column.name, value)
        states = table.by_name.get("statecode")
        if table.writable and states is not None and (reasons := table.by_name["statuscode"].option_set) is not None:
            valid = {option.value: option.state for option in reasons.options}
            assert all(valid[row["statuscode"]] in (row["statecode"], None) for row in rows)


def test_rows_reach_the_ends_of_what_columns_hold(client: Client) -> None:
    most = client.get("accounts?$select=revenue,revenue_base&$orderby=revenue desc&$top=1")
    assert '"revenue":922337203685477.00' in most.text
    assert '"revenue_base":922337203685477.0000' in most.text
    last = client.get("accounts?$select=lastonholdtime&$filter=lastonholdtime ne null&$orderby=lastonholdtime").rows
    assert [row["lastonholdtime"] for row in last] == ["1753-01-01T00:00:00Z", "9999-12-30T23:59:59Z"]
    lengths = {utf16_length(row["description"] or "") for row in client.get("incidents?$select=description").rows}
    assert max(lengths) == 2000
    text = client.get("accounts?$select=name,description").text
    assert all(part in text for part in ("🚀", "株式会社", "Москва", "Æ", "DROP TABLE", "العميل"))


def test_the_same_rows_are_made_every_time(filled: Path, tmp_path: Path) -> None:
    first, second = Database(filled), open_database(organization("http://127.0.0.1:1"), tmp_path / "again.sqlite")
    try:
        for name in SCHEMA.tables:
            statement = f'SELECT * FROM "{name}"'  # noqa: S608
            assert list(first.connection.execute(statement)) == list(second.connection.execute(statement)), name
    finally:
        first.close()
        second.close()


@pytest.mark.parametrize(("records", "accounts", "calls"), [(0.01, 6, 2), (2, 1200, 300)])
def test_a_new_organization_begins_with_the_usual_records_times_what_is_asked_for(
    tmp_path: Path, records: float, accounts: int, calls: int
) -> None:
    asked = replace(organization("http://127.0.0.1:1"), records=records)
    database = open_database(asked, tmp_path / "rows.sqlite")
    counts = database.connection.execute("SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM phonecall)")
    assert tuple(counts.fetchone()) == (accounts, calls)
    database.close()


def test_there_are_thousands_of_rows(client: Client) -> None:
    total = sum(
        len(client.get(f"{table.entity_set}?$select={table.primary_id}").rows)
        for table in SCHEMA.tables.values()
        if table.kind != "activities"
    )
    assert total > 5000


def test_an_activity_pointer_shows_tasks_and_phone_calls(client: Client) -> None:
    rows = client.get("activitypointers?$select=subject,activitytypecode", ALL).rows
    kinds = {row["activitytypecode"]: row[f"activitytypecode@{FORMATTED}"] for row in rows}
    assert kinds == {"task": "Task", "phonecall": "Phone Call"}
    assert len(rows) == 850


def test_what_is_not_there_is_named(client: Client) -> None:
    assert client.get("nosuchs").error == (404, "0x8006088a")
    assert client.get("nosuchs").message == "Resource not found for the segment 'nosuchs'."
    missing = client.get("accounts(00000000-0000-4000-8000-00000000dead)")
    assert missing.error == (404, "0x80040217")
    assert missing.message == "Entity 'account' With Id = 00000000-0000-4000-8000-00000000dead Does Not Exist"
    unknown = client.get("accounts?$select=nosuch")
    assert unknown.status == 400
    assert unknown.message == "Could not find a property named 'nosuch' on type 'Microsoft.Dynamics.CRM.account'."
    assert client.get("accounts?$expand=nosuch").status == 400


@pytest.mark.parametrize(
    "path",
    ["accounts?$apply=x", "accounts?fetchXml=<fetch/>", "accounts(name='x')", "accounts?$filter=length(name) eq 1"],
)
def test_what_the_sandbox_does_not_know_is_refused_by_name(client: Client, path: str) -> None:
    refused = client.get(path)
    assert refused.status == 501
    assert "not supported by the sandbox" in refused.message


@pytest.mark.parametrize(
    "token", ["x", "", "<cookie/>", '<cookie pagenumber="2" pagingcookie="e30=" istracking="False" />',
              '<cookie pagenumber="2" pagingcookie="W10=" istracking="False" />',
              '<cookie pagenumber="2" pagingcookie="eyJza2lwIjotMX0=" istracking="False" />',
              '<cookie pagenumber="2" pagingcookie="eyJsYXN0IjpbXX0=" istracking="False" />']
)  # fmt: skip
def test_a_paging_cookie_of_ones_own_is_refused_or_the_first_page(client: Client, token: str) -> None:
    answer = client.get(f"accounts?$select=name&$skiptoken={token}")
    assert answer.status == (200 if "e30=" in token else 400)


def test_thousands_of_whole_rows_come_in_little_time(client: Client) -> None:
    started = time.perf_counter()
    pages = client.pages("contacts", f"odata.maxpagesize=500,{ALL}")
    assert sum(len(page["value"]) for page in pages) == 1400
    assert time.perf_counter() - started < 10
