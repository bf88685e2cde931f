"""Change tracking: the first reading, what a delta link brings, and when it is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.dataverse.harness import Client

TRACK = "odata.track-changes"


def first(client: Client, path: str) -> str:
    """The delta link at the end of a first reading."""
    link: str = client.pages(path, f"{TRACK},odata.maxpagesize=5000")[-1]["@odata.deltaLink"]
    return link


def delta(client: Client, link: str, size: int = 5000) -> tuple[list[dict[str, Any]], list[str], str]:
    """Rows that are new or changed, ids of deleted ones, and the next delta link."""
    pages = client.pages(link, f"odata.maxpagesize={size}")
    items = [item for page in pages for item in page["value"]]
    gone = [item["id"] for item in items if item.get("@odata.context", "").endswith("$deletedEntity")]
    rows = [item for item in items if "reason" not in item]
    assert len(gone) + len(rows) == len(items)
    return rows, gone, pages[-1]["@odata.deltaLink"]


def test_a_first_reading_pages_through_everything_and_ends_with_a_delta_link(client: Client) -> None:
    pages = client.pages("accounts?$select=name", f"{TRACK},odata.maxpagesize=250")
    assert [len(page["value"]) for page in pages] == [250, 250, 100]
    assert all("@odata.deltaLink" not in page for page in pages[:-1])
    link = pages[-1]["@odata.deltaLink"]
    assert re.search(r"/accounts\?\$select=name&\$deltatoken=\d+%21\d\d%2F\d\d%2F\d{4}%20\d\d:\d\d:\d\d$", link)
    assert 'istracking="True"' in client.get("accounts?$select=name", f"{TRACK},odata.maxpagesize=1").text.replace(
        "%22", '"'
    ).replace("%3D", "=")


def test_the_preference_is_confirmed(client: Client) -> None:
    assert client.get("accounts?$select=name", TRACK).headers["Preference-Applied"] == TRACK


def test_without_changes_a_delta_is_empty(client: Client) -> None:
    link = first(client, "accounts?$select=name")
    rows, gone, following = delta(client, link)
    assert (rows, gone) == ([], [])
    assert delta(client, following)[:2] == ([], [])


def test_a_delta_brings_what_was_made_changed_and_deleted(client: Client) -> None:
    link = first(client, "accounts?$select=name")
    made = client.create("accounts", name="New one")
    kept = client.get("accounts?$select=name&$filter=name ne 'New one'&$top=2").rows
    changed, deleted = kept[0]["accountid"], kept[1]["accountid"]
    assert client.call("PATCH", f"accounts({changed})", {"name": "Other name"}).status == 204
    assert client.call("DELETE", f"accounts({deleted})").status == 204
    answer = client.get(link)
    assert answer.json["@odata.context"].endswith("$metadata#accounts(name)/$delta")
    entry = next(item for item in answer.rows if "reason" in item)
    assert entry == {
        "@odata.context": f"{client.url}/api/data/v9.2/$metadata#accounts/$deletedEntity",
        "id": deleted,
        "reason": "deleted",
    }
    rows, gone, following = delta(client, link)
    named = {row["accountid"]: row["name"] for row in rows}
    assert named[made] == "New one" and named[changed] == "Other name"
    assert gone == [deleted] and deleted not in named
    assert set(rows[0]) == {"@odata.etag", "name", "accountid"}
    assert delta(client, following)[:2] == ([], [])


def test_writing_the_same_value_counts_as_a_change(client: Client) -> None:
    link = first(client, "transactioncurrencies?$select=currencyname")
    euro = client.get("transactioncurrencies?$select=currencyname&$filter=isocurrencycode eq 'EUR'").rows[0]
    key = euro["transactioncurrencyid"]
    client.call("PATCH", f"transactioncurrencies({key})", {"currencyname": euro["currencyname"]})
    assert [row["transactioncurrencyid"] for row in delta(client, link)[0]] == [key]


def test_changes_made_while_paging_are_in_the_delta_and_disturb_no_page(client: Client) -> None:
    page = client.get("leads?$select=subject", f"{TRACK},odata.maxpagesize=300")
    seen = [row["leadid"] for row in page.rows]
    victim = next(row["leadid"] for row in client.get("leads?$select=subject").rows if row["leadid"] not in seen)
    client.call("DELETE", f"leads({victim})")
    made = client.create("leads", subject="While you were reading", lastname="X")
    client.call("PATCH", f"leads({seen[0]})", {"subject": "changed meanwhile"})
    pages = client.pages(page.json["@odata.nextLink"], "odata.maxpagesize=300")
    rest = [row["leadid"] for found in pages for row in found["value"]]
    assert made not in rest and seen[0] not in rest
    assert len(set(seen + rest)) == len(seen + rest) == 699
    rows, gone, _ = delta(client, pages[-1]["@odata.deltaLink"])
    assert {row["leadid"] for row in rows} >= {made, seen[0]}
    assert gone == [victim]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_delta_pages_through_changes_and_then_deletions(client: Client, size: int) -> None:
    link = first(client, "competitors?$select=name") if switch_on(client, "competitor") else ""
    made = [client.create("competitors", name=f"Competitor {number}") for number in range(3)]
    old = [
        row["competitorid"] for row in client.get("competitors?$select=name").rows if row["competitorid"] not in made
    ]
    for key in old[:3]:
        client.call("DELETE", f"competitors({key})")
    rows, gone, following = delta(client, link, size)
    assert [row["competitorid"] for row in rows] == made
    assert gone == old[:3]
    assert delta(client, following, size)[:2] == ([], [])


def switch_on(client: Client, name: str) -> bool:
    client.database.set_change_tracking(name, True)
    return True


def test_a_row_that_came_and_went_is_told_as_deleted(client: Client) -> None:
    link = first(client, "accounts?$select=name")
    brief = client.create("accounts", name="Brief")
    client.call("DELETE", f"accounts({brief})")
    assert delta(client, link)[:2] == ([], [brief])


def test_a_row_that_came_back_under_its_id_is_a_row(client: Client) -> None:
    account = client.create("accounts", name="Phoenix")
    link = first(client, "accounts?$select=name")
    client.call("DELETE", f"accounts({account})")
    client.create("accounts", name="Phoenix", accountid=account)
    rows, gone, _ = delta(client, link)
    assert [row["accountid"] for row in rows] == [account] and gone == []


def test_what_goes_with_a_deleted_account_is_told_too(client: Client) -> None:
    links = {name: first(client, f"{name}?$select=modifiedon") for name in ("incidents", "contacts", "opportunities")}
    account = client.get("incidents?$select=_accountid_value&$filter=_accountid_value ne null").rows[0][
        "_accountid_value"
    ]
    cases = {
        row["incidentid"] for row in client.get(f"incidents?$select=title&$filter=_customerid_value eq {account}").rows
    }
    assert client.call("DELETE", f"accounts({account})").status == 204
    assert cases <= set(delta(client, links["incidents"])[1])
    assert client.get(f"contacts?$select=fullname&$filter=_parentcustomerid_value eq {account}").rows == []
    assert client.get(f"opportunities?$select=name&$filter=_parentaccountid_value eq {account}").rows == []


def test_pairs_of_a_deleted_row_go_with_it(client: Client) -> None:
    link = first(client, "contactleadscollection")
    pair = client.get("contactleadscollection?$top=1").rows[0]
    client.call("DELETE", f"leads({pair['leadid']})")
    assert pair["contactleadid"] in delta(client, link)[1]


def test_changes_can_be_counted(client: Client) -> None:
    link = first(client, "accounts?$select=name")
    token = link.partition("$deltatoken=")[2]
    client.create("accounts", name="One")
    brief = client.create("accounts", name="Two")
    client.call("DELETE", f"accounts({brief})")
    address = f"{client.url}/api/data/v9.2/accounts/$count?$deltatoken={token}"
    assert client.get(address).text == "2"
    assert client.get("accounts?$select=name&$count=true", TRACK).json["@odata.count"] == 601


@pytest.mark.parametrize("option", ["$filter=statecode eq 0", "$orderby=name", "$top=5", "$expand=primarycontactid"])
def test_options_that_do_not_go_with_tracking_are_refused(client: Client, option: str) -> None:
    refused = client.get(f"accounts?{option}", TRACK)
    name = option.partition("=")[0]
    assert refused.status == 400
    assert refused.message == f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'


def test_an_entity_without_change_tracking_is_refused(client: Client) -> None:
    refused = client.get("competitors?$select=name", TRACK)
    assert refused.error == (400, "0x80072491")
    assert refused.message == "Entity competitor isn't enabled for change tracking."
    assert client.get("activitypointers?$select=subject", TRACK).error == (400, "0x80072491")
    assert client.get("competitors?$select=name").status == 200


def test_an_intersect_entity_is_tracked_when_both_its_sides_are(client: Client) -> None:
    assert client.get("contactleadscollection", TRACK).status == 200
    assert client.get("opportunitycompetitorscollection", TRACK).error == (400, "0x80072492")
    client.database.set_change_tracking("competitor", True)
    assert client.get("opportunitycompetitorscollection", TRACK).status == 200
    client.database.set_change_tracking("lead", False)
    assert client.get("contactleadscollection", TRACK).error == (400, "0x80072492")


def test_switching_tracking_off_ends_a_delta_link(client: Client) -> None:
    link = first(client, "accounts?$select=name")
    client.database.set_change_tracking("account", False)
    assert client.get(link).error == (400, "0x80072491")


def test_a_delta_link_expires(client: Client) -> None:
    link = first(client, "accounts?$select=name")
    version = re.search(r"deltatoken=(\d+)", link)
    assert version is not None
    old = f"{link.partition('$deltatoken=')[0]}$deltatoken={version.group(1)}%2101%2F31%2F2020%2008:00:00"
    assert client.get(old).error == (400, "0x80044352")
    client.database.connection.execute("UPDATE organization SET expirechangetrackingindays = 0")
    assert client.get(link).error == (400, "0x80044352")


@pytest.mark.parametrize("token", ["x", "", "5", "99999999!01/01/2026 00:00:00", "5!13/45/2026 00:00:00", "-1!x"])
def test_a_delta_token_that_never_was_one_is_refused(client: Client, token: str) -> None:
    assert client.get(f"accounts?$select=name&$deltatoken={token}").status == 400
