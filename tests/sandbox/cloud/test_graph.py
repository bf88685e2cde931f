from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import requests

from setup_kit.sandbox.tenant import SERVICE_APP_ID, SERVICE_AUDIENCE, Tenant

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox


def graph(azure: Azure, path: str, method: str = "GET", body: object = None) -> requests.Response:
    return azure.call(method, f"{azure.sandbox['graph']}/v1.0/{path}", azure.sandbox["graph_audience"], body)


def test_a_principal_is_found_by_application_id_in_three_ways(azure: Azure) -> None:
    by_key = graph(azure, f"servicePrincipals(appId='{SERVICE_APP_ID}')").json()
    by_filter = graph(azure, f"servicePrincipals?$filter=appId eq '{SERVICE_APP_ID}'&$select=id").json()["value"]
    by_id = graph(azure, f"servicePrincipals/{by_key['id']}").json()
    assert by_key["appId"] == by_id["appId"] == SERVICE_APP_ID
    assert [each["id"] for each in by_filter] == [by_key["id"]]
    assert SERVICE_AUDIENCE in by_key["servicePrincipalNames"]


def test_a_missing_principal_is_request_resourcenotfound(azure: Azure) -> None:
    answer = graph(azure, f"servicePrincipals(appId='{uuid.uuid4()}')")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (404, "Request_ResourceNotFound")
    assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}
    assert graph(azure, f"servicePrincipals?$filter=appId eq '{uuid.uuid4()}'").json()["value"] == []


def test_a_principal_is_made_once_for_a_known_application(azure: Azure, sandbox: Sandbox) -> None:
    app_id = str(uuid.uuid4())
    Tenant(sandbox.state, sandbox["tenant_id"]).add_application(app_id, "Somebody's")
    made = graph(azure, "servicePrincipals", "POST", {"appId": app_id})
    assert (made.status_code, made.json()["displayName"]) == (201, "Somebody's")
    again = graph(azure, "servicePrincipals", "POST", {"appId": app_id})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "Request_MultipleObjectsWithSameKeyValue")
    assert graph(azure, f"servicePrincipals/{made.json()['id']}", "DELETE").status_code == 204


def test_a_principal_of_an_unknown_application_is_refused(azure: Azure) -> None:
    answer = graph(azure, "servicePrincipals", "POST", {"appId": str(uuid.uuid4())})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Request_BadRequest")


def test_the_sql_administrators_are_a_group(azure: Azure) -> None:
    group = azure.sandbox["sql_administrators"]
    found = graph(azure, f"groups?$filter=displayName eq '{group['name']}'").json()["value"]
    assert [each["id"] for each in found] == [group["object_id"]]
    assert graph(azure, f"groups/{group['object_id']}").json()["displayName"] == group["name"]
    assert graph(azure, f"groups/{uuid.uuid4()}").status_code == 404


def test_the_organization_is_the_tenant(azure: Azure) -> None:
    assert graph(azure, "organization").json()["value"][0]["id"] == azure.sandbox["tenant_id"]


def test_an_application_without_directory_role_is_denied(stranger: Azure) -> None:
    answer = graph(stranger, f"servicePrincipals(appId='{SERVICE_APP_ID}')")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authorization_RequestDenied")


def test_a_token_for_something_else_is_no_token_for_graph(azure: Azure) -> None:
    answer = azure.call("GET", f"{azure.sandbox['graph']}/v1.0/organization", "https://vault.azure.net")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_what_graph_does_not_know_here_is_refused_by_name(azure: Azure) -> None:
    answer = graph(azure, "users")
    assert answer.status_code == 501
    assert "GET /v1.0/users" in answer.json()["error"]["message"]
