import re
import uuid
from typing import Any

import pytest
import requests

from setup_kit.sandbox.tenant import GRAPH_AUDIENCE, SERVICE_AUDIENCE, Tenant
from tests.sandbox.cloud.conftest import Azure
from tests.sandbox.conftest import Sandbox
from tests.sandbox.service.conftest import Service


def get(sandbox: Sandbox, path: str, **headers: str) -> requests.Response:
    return requests.get(sandbox["discovery"] + path, headers=headers, verify=sandbox["ca_file"], timeout=60)


def assert_refused(answer: requests.Response, status: int) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.status_code == status, answer.text
    assert set(body) == {"CorrelationId", "Message", "Details"}
    uuid.UUID(body["CorrelationId"])
    return body


def test_the_challenge_names_the_authority_and_the_audience_of_a_token_that_is_then_good(
    sandbox: Sandbox, azure: Azure
) -> None:
    answer = get(sandbox, "/crm/exporter/aad/challenge")
    assert_refused(answer, 401)
    header = answer.headers["WWW-Authenticate"]
    found = re.fullmatch(r'Bearer authorization_uri="([^"]+)", resource_id="([^"]+)"', header)
    assert found is not None
    assert found.groups() == (f"{sandbox['authority']}/{sandbox['tenant_id']}", SERVICE_AUDIENCE)
    token = azure.token(found[2])
    assert get(sandbox, "/crm/exporter/aad/challenge", Authorization=f"Bearer {token}").status_code == 200


def test_a_token_that_is_not_good_here_is_answered_with_the_challenge(sandbox: Sandbox, azure: Azure) -> None:
    good = azure.token(SERVICE_AUDIENCE)
    head, claims, signature = good.split(".")
    forged = f"{head}.{claims}.{signature[:-8]}AAAAAAAA"
    for token in ("", "x", "a.b.c", forged, azure.token(GRAPH_AUDIENCE)):
        answer = get(sandbox, "/crm/exporter/metadata/organizations", Authorization=f"Bearer {token}")
        assert_refused(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_caller_who_is_no_system_administrator_fails_authorization(sandbox: Sandbox) -> None:
    tenant = Tenant(sandbox.state, sandbox["tenant_id"])
    client = str(uuid.uuid4())
    secret = tenant.add_application(client, "Stranger")
    tenant.add_principal(client, "Stranger")
    stranger = Service(sandbox["discovery"], Azure(sandbox, client, secret))
    url = sandbox["organization"]["url"]
    assert stranger.call("GET", "metadata/organizations").json() == []
    for path in ("metadata/discover", "metadata/entities", "profiles"):
        body = assert_refused(stranger.call("GET", path, organizationUrl=url), 403)
        assert "failed authorization" in body["Message"]


def test_an_organization_is_found_by_its_address_or_its_id(sandbox: Sandbox, service: Service) -> None:
    organization = {
        "OrganizationName": sandbox["organization"]["name"],
        "OrganizationUrl": sandbox["organization"]["url"],
        "OrganizationId": sandbox["organization"]["id"],
        "ConnectorUrl": sandbox["discovery"],
        "ErrorCategory": 0,
        "ErrorCode": 0,
    }
    url, key = organization["OrganizationUrl"], organization["OrganizationId"]
    assert service.call("GET", "metadata/organizations").json() == [organization]
    for query in ({"organizationUrl": url + "/"}, {"organizationurl": url}, {"ORGANIZATIONID": key.upper()}):
        assert service.call("GET", "metadata/discover", **query).json() == organization
    connector = service.call("GET", "metadata/connector", organizationUrl=url, organizationId=key).json()
    assert connector == {"ConnectorUrl": sandbox["discovery"]}


def test_an_organization_that_is_not_served_or_not_named_is_refused(sandbox: Sandbox, service: Service) -> None:
    url = sandbox["organization"]["url"]
    assert_refused(service.call("GET", "metadata/discover"), 400)
    assert_refused(service.call("GET", "metadata/discover", organizationUrl="https://other.example"), 404)
    assert_refused(service.call("GET", "profiles", organizationUrl=url, organizationId=str(uuid.uuid4())), 404)


def test_only_change_tracked_public_entities_are_listed(sandbox: Sandbox, service: Service) -> None:
    url = sandbox["organization"]["url"]
    found = {
        entity["LogicalName"]: entity["DisplayName"]
        for entity in service.call("GET", "metadata/entities", organizationurl=url).json()
    }
    assert {"account", "contact", "lead", "opportunity", "incident", "systemuser"} <= set(found)
    assert found["incident"] == "Case"
    assert not {"activitypointer", "phonecall", "competitor", "contactleads"} & set(found)


def test_relationships_between_exportable_entities_are_listed(sandbox: Sandbox, service: Service) -> None:
    found = service.call("GET", "metadata/relationships", organizationUrl=sandbox["organization"]["url"]).json()
    assert {
        "SchemaName": "contactleads_association",
        "Entity1LogicalName": "contact",
        "Entity2LogicalName": "lead",
        "IntersectEntityName": "contactleads",
    } in found
    # competitor has no change tracking
    assert "opportunitycompetitors_association" not in {entry["SchemaName"] for entry in found}


def test_what_is_not_there_is_refused_with_the_services_error_body(service: Service) -> None:
    missing = str(uuid.uuid4())
    for method, path in (
        ("GET", f"profiles/{missing}"),
        ("PUT", f"profiles/{missing}"),
        ("DELETE", f"profiles/{missing}"),
        ("POST", f"profiles/{missing}/activate"),
        ("GET", f"profiles/{missing}/test"),
        ("GET", "nothing"),
    ):
        assert_refused(service.call(method, path, {}), 404)
    assert_refused(service.call("DELETE", "profiles"), 405)


@pytest.mark.parametrize("body", [b"{", b"\xff", b""])
def test_a_body_that_is_no_json_is_refused(sandbox: Sandbox, azure: Azure, body: bytes) -> None:
    answer = requests.post(
        f"{sandbox['discovery']}/crm/exporter/profiles/validate",
        data=body,
        headers={"Authorization": f"Bearer {azure.token(SERVICE_AUDIENCE)}"},
        verify=sandbox["ca_file"],
        timeout=60,
    )
    assert_refused(answer, 400)


def test_the_api_description_lists_every_operation_of_the_contract(sandbox: Sandbox) -> None:
    described = get(sandbox, "/swagger/docs/2016-01-01").json()
    assert described["swagger"] == "2.0"
    operations = {
        (method, path.removeprefix("/crm/exporter/"))
        for path, methods in described["paths"].items()
        for method in methods
    }
    metadata = {"organizations", "discover", "connector", "entities", "relationships", "hasorgacceptedprivacyterms"}
    assert {("get", f"metadata/{name}") for name in metadata} <= operations
    on_one = {"activate", "activatemetadata", "activatedata", "deactivate"}
    assert {("post", f"profiles/{{id}}/{name}") for name in on_one} <= operations
    assert {
        ("get", "aad/challenge"),
        ("post", "metadata/acceptprivacyterms"),
        ("get", "profiles"),
        ("post", "profiles"),
        ("post", "profiles/validate"),
        ("get", "profiles/{id}"),
        ("put", "profiles/{id}"),
        ("delete", "profiles/{id}"),
        ("get", "profiles/{id}/test"),
        ("get", "profiles/{id}/failures"),
    } <= operations
