"""Making, changing and deleting records."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from setup_kit.sandbox.dataverse.schema import load
from tests.sandbox.dataverse.harness import Client


def one(client: Client, entity_set: str) -> str:
    table = load().by_entity_set[entity_set]
    return str(client.get(f"{entity_set}?$select={table.primary_id}&$top=1").rows[0][table.primary_id])


def test_a_record_is_made_read_changed_and_deleted(client: Client) -> None:
    made = client.call("POST", "accounts", {"name": "O'Brien & Søn 表 🚀", "revenue": 12.34, "creditonhold": True})
    assert made.status == 204 and made.text == ""
    address = made.headers["OData-EntityId"]
    assert address.startswith(f"{client.url}/api/data/v9.2/accounts(")
    row = client.get(address).json
    assert row["name"] == "O'Brien & Søn 表 🚀"
    assert (row["revenue"], row["revenue_base"], row["creditonhold"], row["statecode"], row["statuscode"]) == (
        Decimal("12.34"), Decimal("12.3400"), True, 0, 1,
    )  # fmt: skip
    assert row["_ownerid_value"] == row["_createdby_value"] == client.get("WhoAmI").json["UserId"]
    assert client.call("PATCH", address, {"name": None, "statecode": 1}).status == 204
    changed = client.get(address).json
    assert (changed["name"], changed["statecode"], changed["statuscode"]) == (None, 1, 2)
    assert changed["versionnumber"] > row["versionnumber"]
    assert client.call("DELETE", address).status == 204
    assert client.get(address).error == client.call("DELETE", address).error == (404, "0x80040217")


def test_the_record_comes_back_when_it_is_asked_for(client: Client) -> None:
    made = client.call(
        "POST", "contacts?$select=fullname", {"firstname": "Ana", "lastname": "D'Angelo"}, "return=representation"
    )
    assert made.status == 201
    assert made.json["fullname"] == "Ana D'Angelo"
    key = made.json["contactid"]
    changed = client.call("PATCH", f"contacts({key})?$select=fullname", {"firstname": "Eva"}, "return=representation")
    assert (changed.status, changed.json["fullname"]) == (200, "Eva D'Angelo")


def test_lookups_are_bound_by_address(client: Client) -> None:
    account, contact, team = one(client, "accounts"), one(client, "contacts"), one(client, "teams")
    case = client.create("incidents", title="Bound", **{
        "customerid_account@odata.bind": f"/accounts({account})",
        "primarycontactid@odata.bind": f"{client.url}/api/data/v9.2/contacts({contact.upper()})",
        "ownerid@odata.bind": f"teams({team})",
    })  # fmt: skip
    row = client.get(f"incidents({case})", 'odata.include-annotations="*"').json
    assert (row["_customerid_value"], row["_primarycontactid_value"]) == (account, contact)
    assert (row["_owningteam_value"], row["_owninguser_value"]) == (team, None)
    assert row["_owningbusinessunit_value"] is not None
    client.call("PATCH", f"incidents({case})", {"customerid_contact@odata.bind": f"/contacts({contact})"})
    after = client.get(f"incidents({case})", 'odata.include-annotations="*"').json
    assert after["_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    client.call("PATCH", f"incidents({case})", {"primarycontactid@odata.bind": None})
    assert client.get(f"incidents({case})").json["_primarycontactid_value"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x" * 161}, "0x80044331"),
        ({"name": "🚀" * 81}, "0x80044331"),
        ({"name": 5}, "0x80048d19"),
        ({"nosuch": "x"}, "0x80048d19"),
        ({"owneridname": "x"}, "0x80048d19"),
        ({"_ownerid_value": "00000000-0000-4000-8000-000000000001"}, "0x80048d19"),
        ({"nosuch@odata.bind": "/accounts(00000000-0000-4000-8000-000000000001)"}, "0x80048d19"),
        ({"primarycontactid@odata.bind": "/contacts(00000000-0000-4000-8000-000000000001)"}, "0x80040217"),
        ({"primarycontactid@odata.bind": "/leads(00000000-0000-4000-8000-000000000001)"}, "0x80048d19"),
        ({"primarycontactid@odata.bind": "anything"}, "0x80048d19"),
        ({"industrycode": 999}, "0x80048408"),
        ({"industrycode": True}, "0x80048d19"),
        ({"statecode": 0, "statuscode": 2}, "0x80048408"),
        ({"numberofemployees": 2**31}, "0x80044330"),
        ({"revenue": 10**15}, "0x80044330"),
        ({"address1_latitude": 1e300}, "0x80044330"),
        ({"lastonholdtime": "1752-12-31T00:00:00Z"}, "0x80040203"),
        ({"lastonholdtime": "yesterday"}, "0x80060888"),
        ({"name": "\ud800"}, "0x80048d19"),
        (["name"], "0x80048d19"),
        (None, "0x80048d19"),
    ],
)
def test_a_body_that_does_not_fit_changes_nothing(client: Client, body: object, code: str) -> None:
    before = client.database.last_version()
    refused = client.call("POST", "accounts", body)
    assert refused.json["error"]["code"] == code
    assert client.database.last_version() == before


def test_json_that_is_none_is_refused(client: Client) -> None:
    import urllib.error
    import urllib.request

    request = urllib.request.Request(f"{client.url}/api/data/v9.2/accounts", b"{", method="POST")  # noqa: S310
    request.add_header("Authorization", "Bearer admin")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310
    assert refused.value.code == 400
    refused.value.close()


def test_a_text_as_long_as_its_column_goes_in(client: Client) -> None:
    account = client.create("accounts", name="🚀" * 80)
    assert client.get(f"accounts({account})").json["name"] == "🚀" * 80


def test_a_record_can_be_made_at_an_id_and_only_once(client: Client) -> None:
    key = "00000000-0000-4000-8000-00000000beef"
    assert client.call("PATCH", f"accounts({key})", {"name": "x"}, If_Match="*").status == 404
    assert client.call("PATCH", f"accounts({key})", {"name": "x"}).status == 204
    assert client.call("PATCH", f"accounts({key})", {"name": "y"}, If_None_Match="*").error == (412, "0x80040237")
    assert client.call("POST", "accounts", {"accountid": key}).error == (412, "0x80040237")
    assert client.get(f"accounts({key})").json["name"] == "x"


def test_a_change_of_an_older_version_is_refused(client: Client) -> None:
    key = one(client, "accounts")
    etag = client.get(f"accounts({key})").headers["ETag"]
    assert client.call("PATCH", f"accounts({key})", {"name": "first"}, If_Match=etag).status == 204
    assert client.call("PATCH", f"accounts({key})", {"name": "second"}, If_Match=etag).error == (412, "0x80060882")
    assert client.call("DELETE", f"accounts({key})", If_Match=etag).status == 412
    assert client.get(f"accounts({key})").json["name"] == "first"


def test_amounts_follow_their_currency(client: Client) -> None:
    key = client.get("transactioncurrencies?$select=exchangerate&$filter=isocurrencycode eq 'JPY'").rows[0]
    bound = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({key['transactioncurrencyid']})"}
    opportunity = client.create("opportunities", name="In yen", estimatedvalue=1000000, **bound)
    row = client.get(f"opportunities({opportunity})").json
    assert row["exchangerate"] == key["exchangerate"]
    assert row["estimatedvalue_base"] == (Decimal(1000000) / key["exchangerate"]).quantize(Decimal("0.0001"))


@pytest.mark.parametrize("path", ["activitypointers", "contactleadscollection"])
def test_what_has_no_records_of_its_own_is_not_written(client: Client, path: str) -> None:
    assert client.call("POST", path, {}).status == 405
    assert client.call("PUT", "accounts", {}).status == 405
    assert client.call("POST", "$batch", {}).status == 404


def test_versions_grow_with_every_change_also_from_many_at_once(client: Client) -> None:
    before = client.database.last_version()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: client.create("leads", subject=f"Lead {number}"), range(24)))
    rows = client.get(f"leads?$select=versionnumber&$filter=versionnumber gt {before}").rows
    assert {row["leadid"] for row in rows} == set(made)
    assert len({row["versionnumber"] for row in rows}) == 24
