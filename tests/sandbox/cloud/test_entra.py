from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError

from setup_kit.sandbox.tenant import SERVICE_APP_ID, SERVICE_AUDIENCE, Tenant

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox


def ask(sandbox: Sandbox, tenant: str = "", **changes: str) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": sandbox["client_id"],
        "client_secret": sandbox["client_secret"],
        "scope": "https://vault.azure.net/.default",
        **changes,
    }
    url = f"{sandbox['authority']}/{tenant or sandbox['tenant_id']}/oauth2/v2.0/token"
    return requests.post(url, data=form, verify=sandbox["ca_file"], timeout=30)


def test_every_audience_of_the_sandbox_can_be_asked_for(azure: Azure) -> None:
    document = azure.sandbox.document
    audiences = [document[key] for key in document if key.endswith("_audience")]
    for audience in [*audiences, document["organization"]["url"], SERVICE_AUDIENCE]:
        claims = jwt.decode(azure.token(audience), options={"verify_signature": False})
        assert claims["aud"].rstrip("/") == audience.rstrip("/")


def test_a_token_can_be_verified_by_what_the_authority_publishes(azure: Azure) -> None:
    def get(url: str) -> Any:
        return requests.get(url, verify=azure.sandbox["ca_file"], timeout=30).json()

    configuration = get(
        f"{azure.sandbox['authority']}/{azure.sandbox['tenant_id']}/v2.0/.well-known/openid-configuration"
    )
    token = azure.token("https://vault.azure.net")
    key = jwt.PyJWKSet.from_dict(get(configuration["jwks_uri"]))[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, audience="https://vault.azure.net", issuer=configuration["issuer"])
    assert claims["oid"] == azure.sandbox["object_id"]
    assert claims["groups"] == [azure.sandbox["sql_administrators"]["object_id"]]


def test_http_basic_authentication_will_do(sandbox: Sandbox) -> None:
    answer = requests.post(
        f"{sandbox['authority']}/{sandbox['tenant_id']}/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "scope": "https://vault.azure.net/.default"},
        auth=(sandbox["client_id"], sandbox["client_secret"]),
        verify=sandbox["ca_file"],
        timeout=30,
    )
    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": str(uuid.uuid4())}, 400, "unauthorized_client", 700016),
        ({"tenant": str(uuid.uuid4())}, 400, "invalid_request", 90002),
        ({"scope": "https://nobody.example/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "https://vault.azure.net"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
def test_a_bad_request_is_refused_with_entras_number(
    sandbox: Sandbox, changes: dict[str, str], status: int, error: str, number: int
) -> None:
    answer = ask(sandbox, **changes)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert f"Trace ID: {body['trace_id']}" in body["error_description"]
    assert f"Correlation ID: {body['correlation_id']}" in body["error_description"]


def test_azure_identity_reports_a_wrong_secret(sandbox: Sandbox, stranger: Azure) -> None:
    wrong = type(stranger)(sandbox, stranger.client_id, "not-it")
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215: Invalid client secret provided"):
        wrong.token("https://vault.azure.net")


def test_an_application_whose_principal_is_gone_gets_no_token(sandbox: Sandbox, stranger: Azure) -> None:
    assert stranger.token("https://vault.azure.net")
    Tenant(sandbox.state, sandbox["tenant_id"]).remove_principal(stranger.client_id)
    answer = ask(sandbox, client_id=stranger.client_id, client_secret=stranger.client_secret)
    assert answer.json()["error_codes"] == [700016]


def test_the_services_audience_goes_with_its_principal(sandbox: Sandbox) -> None:
    tenant = Tenant(sandbox.state, sandbox["tenant_id"])
    principal = tenant.principal_of(SERVICE_APP_ID)
    assert principal is not None
    kept = sandbox.state.get("service-principals", principal.object_id)
    assert kept is not None
    tenant.remove_principal(SERVICE_APP_ID)
    try:
        answer = ask(sandbox, scope=SERVICE_AUDIENCE + ".default")
        assert answer.json()["error_codes"] == [500011]
    finally:
        sandbox.state.put("service-principals", principal.object_id, kept)
    assert ask(sandbox, scope=SERVICE_AUDIENCE + ".default").status_code == 200


def test_requests_are_logged_with_their_caller_and_without_their_secrets(azure: Azure) -> None:
    azure.arm("GET", "", version="2022-12-01")
    log = (azure.sandbox.directory / "requests.jsonl").read_text()
    assert f'"path": "/subscriptions/{azure.sandbox["subscription_id"]}", "status": 200' in log
    assert f'"caller": "{azure.client_id}"' in log
    assert azure.client_secret not in log
    assert azure.client_secret not in (azure.sandbox.directory / "sandbox.log").read_text()
