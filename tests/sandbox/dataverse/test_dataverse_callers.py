"""Who is let in, and what the organization says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup_kit.sandbox.dataverse import Organization
from setup_kit.sandbox.dataverse.application import open_database
from tests.sandbox.dataverse.harness import ADMINISTRATOR, SERVICE, TENANT, Client

CURRENT = "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')"
ROLES = "$expand=systemuserroles_association($select=name,roleid,_roletemplateid_value)"


@pytest.mark.parametrize("token", [None, "forged"])
def test_without_a_good_token_the_answer_is_a_challenge(client: Client, token: str | None) -> None:
    client.token = token
    refused = client.get("WhoAmI")
    assert refused.status == 401
    challenge = refused.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    assert f"authorization_uri=https://127.0.0.1:1/{TENANT}/oauth2/authorize" in challenge
    assert challenge.endswith(f"resource_id={client.url}/")


def test_a_caller_who_is_no_user_of_the_organization_is_refused(client: Client) -> None:
    client.token = "stranger"
    refused = client.get("accounts?$top=1")
    assert refused.error == (403, "0x80072560")
    assert refused.message == "The user is not a member of the organization."


def test_a_disabled_user_is_refused(client: Client) -> None:
    user = client.get("WhoAmI").json["UserId"]
    assert client.call("PATCH", f"systemusers({user})", {"isdisabled": True}).status == 204
    assert client.get("WhoAmI").error == (403, "0x80040225")


def test_the_administrator_has_the_role_by_its_template(client: Client) -> None:
    me = client.get(f"systemusers?$select=fullname&{ROLES}&$filter=azureactivedirectoryobjectid eq {ADMINISTRATOR}")
    roles = me.rows[0]["systemuserroles_association"]
    assert [role["_roletemplateid_value"] for role in roles] == ["627090ff-40a3-4053-8790-584edc5be201"]
    assert roles[0]["name"] == "System Administrator"


def test_the_service_is_an_application_user_who_may_read_but_not_write(client: Client) -> None:
    client.token = "service"
    me = client.get(f"systemusers?$select=applicationid&{ROLES}&$filter=applicationid eq {SERVICE}").rows[0]
    assert me["systemuserid"] == client.get("WhoAmI").json["UserId"]
    assert [role["name"] for role in me["systemuserroles_association"]] == ["Service Reader"]
    refused = client.call("POST", "accounts", {"name": "x"})
    assert refused.error == (403, "0x80040220")
    assert "prvCreateAccount" in refused.message
    assert (
        client.call("PUT", "EntityDefinitions(LogicalName='account')", {"ChangeTrackingEnabled": False}).status == 403
    )


def test_an_administrator_that_is_a_service_principal_is_found_by_its_application_too(tmp_path: Path) -> None:
    app_id = "C1C1C1C1-0000-4000-8000-000000000001"
    organization = Organization(
        "Contoso", "https://127.0.0.1:1", TENANT, TENANT, frozenset({ADMINISTRATOR}),
        application_ids={ADMINISTRATOR: app_id},
    )  # fmt: skip
    database = open_database(organization, tmp_path / "state")
    try:
        statement = "SELECT applicationid FROM systemuser WHERE azureactivedirectoryobjectid = ?"
        assert database.connection.execute(statement, (ADMINISTRATOR,)).fetchone() == (app_id.lower(),)
    finally:
        database.close()


def test_the_organization_tells_who_it_is(client: Client) -> None:
    who, detail = client.get("WhoAmI").json, client.get(CURRENT).json["Detail"]
    assert who["OrganizationId"] == detail["OrganizationId"]
    assert (detail["FriendlyName"], detail["TenantId"], detail["State"]) == ("Contoso", TENANT, "Enabled")
    assert detail["OrganizationVersion"] == client.get("RetrieveVersion()").json["Version"]
    assert dict(zip(detail["Endpoints"]["Keys"], detail["Endpoints"]["Values"], strict=True))["WebApplication"] == (
        f"{client.url}/"
    )
    alias = "RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'"
    assert client.get(alias).json["Detail"] == detail
    assert client.get("organizations?$select=name,isauditenabled").rows[0]["isauditenabled"] is True


def test_what_is_changed_behind_the_organization_shows_at_once(client: Client) -> None:
    client.database.set_condition(version="8.1.0.0")
    assert client.get("RetrieveVersion()").json["Version"] == "8.1.0.0"
    client.database.set_condition(administration_mode=True)
    assert client.get(CURRENT).json["Detail"]["State"] == "Disabled"
    client.database.set_condition(administration_mode=False)
    assert client.get(CURRENT).json["Detail"]["State"] == "Enabled"
    client.database.set_condition(state="Disabled")
    assert client.get(CURRENT).json["Detail"]["State"] == "Disabled"


@pytest.mark.parametrize("version", ["v9.0", "v9.1", "v9.2"])
def test_versions_nine_are_served_and_their_links_stay_with_them(client: Client, version: str) -> None:
    client.version = version
    answer = client.get("contacts?$select=fullname", "odata.maxpagesize=1")
    assert f"/api/data/{version}/" in answer.json["@odata.nextLink"]
    assert answer.headers["OData-Version"] == "4.0"


def test_other_versions_are_not_there(client: Client) -> None:
    client.version = "v8.2"
    assert client.get("WhoAmI").status == 404


def test_the_state_is_kept_and_users_are_added_at_the_next_start(state_path: Path) -> None:
    def start(*administrators: str) -> tuple[int, int]:
        organization = Organization("Contoso", "https://127.0.0.1:1", TENANT, TENANT, frozenset(administrators))
        database = open_database(organization, state_path)
        try:
            count = database.connection.execute("SELECT COUNT(*) FROM systemuser").fetchone()[0]
            return count, database.last_version()
        finally:
            database.close()

    before = start(ADMINISTRATOR)
    assert start(ADMINISTRATOR) == before
    users, version = start(ADMINISTRATOR, "77777777-0000-4000-8000-000000000007")
    assert users == before[0] + 1 and version > before[1]
