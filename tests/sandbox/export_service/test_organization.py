"""The organization's client, against the sandbox's Contoso and against one that answers whatever a test wants."""

from __future__ import annotations

import pytest

from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.organization import OrganizationClient, OrganizationError
from setup_kit.identity import Identity
from tests.sandbox.export_service.kit import Kit
from tests.sandbox.export_service.stand_in import Reply, StandIn

ACCOUNT = "GET /api/data/v9.2/EntityDefinitions(LogicalName='account')"
ACCOUNTS = "GET /api/data/v9.2/accounts"


@pytest.fixture
def organization(stand_in: StandIn) -> OrganizationClient:
    stand_in.replies[ACCOUNT] = Reply(
        body={"LogicalName": "account", "EntitySetName": "accounts", "PrimaryIdAttribute": "accountid"}
    )
    return OrganizationClient(stand_in.identity(), stand_in.cloud(), stand_in.address + "/")


def page(*ids: int, link: str = "") -> Reply:
    rows = [{"accountid": str(number)} for number in ids]
    return Reply(body={"value": rows, **({"@odata.nextLink": link} if link else {})})


def test_contoso_says_who_it_is(kit: Kit) -> None:
    found = kit.organization.current()
    assert (found.id, found.name, found.tenant_id, found.state) == (
        kit.sandbox["organization"]["id"],
        "Contoso",
        kit.sandbox["tenant_id"],
        "Enabled",
    )
    assert found.version > (9, 2)


def test_a_tables_definition_says_whether_changes_are_tracked(kit: Kit) -> None:
    account = kit.organization.table("account")
    competitor = kit.organization.table("competitor")
    template = kit.organization.table("roletemplate")
    assert account is not None
    assert competitor is not None
    assert template is not None
    assert (account.entity_set, account.primary_id, account.tracks_changes) == ("accounts", "accountid", True)
    assert (competitor.tracks_changes, competitor.can_track_changes) == (False, True)
    assert (template.tracks_changes, template.can_track_changes) == (False, False)


@pytest.mark.parametrize("name", ["nosuchtable", "o'brien", "a)/accounts(b", "Ünïcode 表"])
def test_a_table_that_is_not_there_is_none(kit: Kit, name: str) -> None:
    assert kit.organization.table(name) is None


def test_rows_are_counted_over_all_pages(stand_in: StandIn, organization: OrganizationClient) -> None:
    more = f"{stand_in.address}/api/data/v9.2/accounts?$skiptoken=x"
    stand_in.replies[ACCOUNTS] = [page(1, 2, 3, link=more), page(4, 5)]
    assert organization.count_rows("account") == 5
    first, second = stand_in.of("/api/data/v9.2/accounts")
    assert first.query == {"$select": "accountid"}
    assert second.query == {"$skiptoken": "x"}
    assert first.headers["prefer"] == "odata.maxpagesize=5000"


def test_a_link_to_another_host_is_not_followed(stand_in: StandIn, organization: OrganizationClient) -> None:
    stand_in.replies[ACCOUNTS] = page(1, link="https://evil.example/api/data/v9.2/accounts")
    with pytest.raises(KitError, match="link to another host"):
        organization.count_rows("account")


def test_one_row_is_enough_to_know_that_there_are_rows(stand_in: StandIn, organization: OrganizationClient) -> None:
    stand_in.replies[ACCOUNTS] = [page(1), page()]
    assert organization.has_rows("account")
    assert not organization.has_rows("account")
    assert stand_in.asked[-1].query["$top"] == "1"


def test_what_the_organization_refuses_is_told_in_its_words(
    stand_in: StandIn, organization: OrganizationClient
) -> None:
    stand_in.replies[ACCOUNT] = Reply(403, {"error": {"code": "0x80072560", "message": "The user is not a member."}})
    with pytest.raises(OrganizationError) as error:
        organization.table("account")
    assert error.value.code == "0x80072560"
    assert "The user is not a member." in error.value.original
    assert "application user" in error.value.remedy


def test_a_sign_in_that_fails_is_explained_by_the_authority(kit: Kit) -> None:
    identity = Identity(
        kit.cloud,
        kit.sandbox["tenant_id"],
        {"AZURE_CLIENT_ID": kit.sandbox["client_id"], "AZURE_CLIENT_SECRET": "wrong"},
    )
    organization = OrganizationClient(identity, kit.cloud, kit.sandbox["organization"]["url"])
    client = ExportServiceClient(
        identity,
        kit.cloud,
        organization_url=kit.sandbox["organization"]["url"],
        organization_id=kit.sandbox["organization"]["id"],
    )
    for call in (organization.current, client.metadata.discover):
        with pytest.raises(KitError) as error:
            call()
        assert "AADSTS7000215" in error.value.original


def test_change_tracking_is_switched_on_and_the_labels_stay(kit: Kit) -> None:
    listed = {table.logical_name: table for table in kit.organization.tables()}
    assert listed["contactleads"].intersect
    assert listed["competitor"].display_name == "Competitor"
    with kit.dataverse() as database:
        kit.organization.track_changes("competitor")
        try:
            found = kit.organization.table("competitor")
            assert found is not None
            assert (found.tracks_changes, found.display_name) == (True, "Competitor")
        finally:
            database.set_change_tracking("competitor", False)


def test_a_definition_is_written_whole_its_labels_merged_and_then_published(
    stand_in: StandIn, organization: OrganizationClient
) -> None:
    stand_in.replies[f"PUT{ACCOUNT.removeprefix('GET')}"] = Reply(204)
    stand_in.replies["POST /api/data/v9.2/PublishXml"] = Reply(204)
    organization.track_changes("account")
    read, put, published = stand_in.asked[-3:]
    assert (read.method, read.headers["consistency"]) == ("GET", "Strong")
    assert put.body == {
        "LogicalName": "account",
        "EntitySetName": "accounts",
        "PrimaryIdAttribute": "accountid",
        "ChangeTrackingEnabled": True,
    }
    assert put.headers["mscrm.mergelabels"] == "true"
    assert "<entity>account</entity>" in published.body["ParameterXml"]


def test_a_change_that_is_refused_is_told(stand_in: StandIn, organization: OrganizationClient) -> None:
    stand_in.replies[f"PUT{ACCOUNT.removeprefix('GET')}"] = Reply(
        403, {"error": {"code": "0x80040220", "message": "Principal user is missing prvWriteEntity privilege"}}
    )
    with pytest.raises(OrganizationError, match="refused to change the definition") as error:
        organization.track_changes("account")
    assert "prvWriteEntity" in error.value.original
