"""The client against a service that answers whatever a test wants."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from setup_kit.clouds import CLOUDS
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.errors import Problem, RefusedError, UnreachableError
from setup_kit.export_service.models import Description, State
from setup_kit.identity import Identity
from tests.sandbox.export_service.stand_in import AUDIENCE, ORGANIZATION, TENANT, Reply, StandIn

PROFILES = "/crm/exporter/profiles"
DESCRIPTION = Description(
    name="Contoso CRM",
    organization_id=ORGANIZATION,
    organization_url="https://contoso.crm4.dynamics.com",
    entities=("account",),
    key_vault_uri="https://kv.vault.azure.net/secrets/export",
)


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"https://127.0.0.1:{probe.getsockname()[1]}"


def test_the_token_is_asked_for_as_the_challenge_says_and_sent_with_a_request_id(stand_in: StandIn) -> None:
    stand_in.replies["GET /crm/exporter/metadata/organizations"] = Reply(body=[{"OrganizationName": "Contoso"}])
    (found,) = stand_in.client().metadata.organizations()
    assert found.name == "Contoso"
    (challenge,) = stand_in.of("/crm/exporter/aad/challenge")
    assert "authorization" not in challenge.headers
    (token,) = stand_in.of(f"/{TENANT}/oauth2/v2.0/token")
    assert "scope=https%3A%2F%2Fdataexportserviceformicrosoftdynamics365.com%2F%2F.default" in token.body
    (request,) = stand_in.of("/crm/exporter/metadata/organizations")
    assert request.headers["authorization"] == "Bearer a-token"
    assert request.headers["x-ms-client-request-id"]


@pytest.mark.parametrize(
    ("authority", "audience", "said"),
    [
        ("https://login.evil.example/common", AUDIENCE, "foreign authority"),
        (None, "https://management.azure.com/", "something else"),
    ],
)
def test_no_token_is_asked_for_when_the_challenge_is_a_strangers(
    stand_in: StandIn, authority: str | None, audience: str, said: str
) -> None:
    stand_in.challenge(authority or f"{stand_in.address}/common", audience)
    with pytest.raises(KitError, match=said):
        stand_in.client().metadata.organizations()
    assert {request.path for request in stand_in.asked} == {"/crm/exporter/aad/challenge"}


def test_profiles_are_asked_for_at_the_connector(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> None:
    connector = StandIn(tmp_path_factory.mktemp("connector"))
    try:
        both = tmp_path_factory.mktemp("both") / "ca.pem"
        both.write_bytes(stand_in.ca_file.read_bytes() + connector.ca_file.read_bytes())
        cloud = replace(stand_in.cloud(), ca_file=both)
        stand_in.replies["GET /crm/exporter/metadata/connector"] = Reply(body={"ConnectorUrl": connector.address + "/"})
        connector.replies[f"GET {PROFILES}"] = Reply(body=[])
        client = ExportServiceClient(
            Identity(cloud, TENANT, {"AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}),
            cloud,
            organization_url="https://contoso.crm4.dynamics.com/",
            organization_id=ORGANIZATION.upper(),
        )
        assert client.profiles.listed(status=True) == ()
        (request,) = connector.of(PROFILES)
        assert request.query == {
            "organizationId": ORGANIZATION,
            "organizationUrl": "https://contoso.crm4.dynamics.com",
            "status": "true",
        }
        client.profiles.listed()
        assert len(stand_in.of("/crm/exporter/metadata/connector")) == 1
    finally:
        connector.close()


def test_the_connector_is_looked_for_ahead_once_and_what_is_wrong_with_it_is_told_to_whoever_asks(
    stand_in: StandIn,
) -> None:
    stand_in.replies["GET /crm/exporter/metadata/connector"] = Reply(body={"ConnectorUrl": "http://127.0.0.1:1"})
    client = stand_in.client()
    client.prepare()
    client.prepare()
    with pytest.raises(KitError, match="not an https address"):
        _ = client.connector
    assert len(stand_in.of("/crm/exporter/metadata/connector")) == 1
    stand_in.replies["GET /crm/exporter/metadata/connector"] = Reply(body={"ConnectorUrl": "https://127.0.0.1:1"})
    client.prepare()
    assert client.connector == client.connector == "https://127.0.0.1:1"
    assert len(stand_in.of("/crm/exporter/metadata/connector")) == 2


def test_a_connector_that_is_not_https_gets_no_token(stand_in: StandIn) -> None:
    stand_in.replies["GET /crm/exporter/metadata/connector"] = Reply(body={"ConnectorUrl": "http://127.0.0.1:1"})
    with pytest.raises(KitError, match="not an https address"):
        stand_in.client().profiles.listed()


def test_a_profile_is_found_by_name_and_a_deleted_one_is_none(stand_in: StandIn) -> None:
    gone = {"Id": "1", "Name": "Contoso CRM", "State": "3", "Entities": None}
    here = {"Id": "2", "Name": "Contoso CRM", "State": 1, "Entities": [{"Type": "account"}]}
    other = {"Id": "3", "Name": "contoso crm", "State": "1", "Entities": []}
    stand_in.replies[f"GET {PROFILES}"] = [Reply(body=[gone, here, other]), Reply(body=[gone, other])]
    client = stand_in.client()
    found = client.profiles.find("Contoso CRM")
    assert found is not None
    assert (found.id, found.state) == ("2", State.ACTIVE)
    assert client.profiles.find("Contoso CRM") is None


def test_every_detail_of_a_refusal_is_kept(stand_in: StandIn) -> None:
    stand_in.replies[f"POST {PROFILES}/validate"] = Reply(
        400,
        {
            "CorrelationId": "c-1",
            "Message": "Two things.",
            "Details": [
                {"Code": "SchemaPermission", "Target": "INSERT", "Message": "lacks INSERT on schema dbo"},
                {"Code": "SecretTag", "Target": "x", "Message": "no tag"},
            ],
        },
    )
    with pytest.raises(RefusedError) as refusal:
        stand_in.client().profiles.validate(DESCRIPTION, "id-1")
    assert refusal.value.problems[0] == Problem("SchemaPermission", "INSERT", "lacks INSERT on schema dbo")
    assert len(refusal.value.problems) == 2
    assert "c-1" in refusal.value.original
    (sent,) = stand_in.of(f"{PROFILES}/validate")
    assert sent.body["Id"] == "id-1"
    assert sent.body["Entities"] == [{"Type": "account", "Settings": {}}]


def test_a_plain_text_of_details_is_a_problem_too(stand_in: StandIn) -> None:
    stand_in.replies[f"POST {PROFILES}"] = Reply(400, {"Message": "No.", "Details": "The secret is disabled."})
    with pytest.raises(RefusedError) as refusal:
        stand_in.client().profiles.create(DESCRIPTION)
    assert [problem.message for problem in refusal.value.problems] == ["The secret is disabled."]


def test_a_caller_who_is_no_administrator_is_told_so(stand_in: StandIn) -> None:
    stand_in.replies[f"GET {PROFILES}"] = Reply(403, {"Message": "The caller failed authorization", "Details": None})
    with pytest.raises(RefusedError) as refusal:
        stand_in.client().profiles.listed()
    assert "System Administrator" in refusal.value.why
    assert "failed authorization" in refusal.value.original


@pytest.mark.parametrize("wait", [{"Retry-After": "0.01"}, {"retry-after-ms": "10"}])
def test_a_throttled_request_is_sent_again_when_the_service_says(stand_in: StandIn, wait: dict[str, str]) -> None:
    throttled = Reply(429, {"Message": "Slow down."}, wait)
    stand_in.replies[f"POST {PROFILES}/x/activate"] = [throttled, throttled, Reply(body={"Id": "x", "State": "1"})]
    assert stand_in.client().profiles.activate("x").state is State.ACTIVE
    assert len(stand_in.of(f"{PROFILES}/x/activate")) == 3


def test_a_read_is_repeated_after_an_error_of_the_gateway_but_a_creation_is_not(stand_in: StandIn) -> None:
    stand_in.replies[f"GET {PROFILES}"] = [Reply(502, "bad gateway"), Reply(body=[])]
    stand_in.replies[f"POST {PROFILES}"] = Reply(500, {"Message": "An error has occurred."})
    client = stand_in.client()
    assert client.profiles.listed() == ()
    with pytest.raises(RefusedError, match="refused POST profiles") as refused:
        client.profiles.create(DESCRIPTION)
    assert refused.value.remedy == "run the same command again in some minutes"
    assert len([request for request in stand_in.of(PROFILES) if request.method == "POST"]) == 1


def test_a_profile_that_is_not_there_is_none(stand_in: StandIn) -> None:
    assert stand_in.client().profiles.get("no such/id") is None
    assert stand_in.asked[-1].path == f"{PROFILES}/no%20such%2Fid"


def test_an_answer_that_is_no_json_is_explained(stand_in: StandIn) -> None:
    stand_in.replies[f"GET {PROFILES}"] = Reply(200, "<html>sign in to the hotel's network</html>")
    with pytest.raises(UnreachableError, match="did not answer in JSON"):
        stand_in.client().profiles.listed()


@pytest.mark.parametrize("form", ["{}", '"{}"'])
def test_the_address_of_the_failure_log_is_a_secret(stand_in: StandIn, form: str) -> None:
    stand_in.replies[f"GET {PROFILES}/x/failures"] = Reply(
        body=form.format("https://x.blob.core.windows.net/f?sig=abc")
    )
    found = stand_in.client().profiles.failures("x")
    assert str(found) == "***"
    assert found.reveal() == "https://x.blob.core.windows.net/f?sig=abc"


def test_a_host_without_a_challenge_is_no_service(stand_in: StandIn) -> None:
    stand_in.replies["GET /crm/exporter/aad/challenge"] = Reply(200, "<html>")
    with pytest.raises(UnreachableError, match="no Data Export Service answers at") as error:
        stand_in.client().metadata.organizations()
    assert "export_service.discovery" in error.value.remedy


def test_a_closed_port_is_explained_with_its_address(stand_in: StandIn) -> None:
    address = closed_port()
    with pytest.raises(UnreachableError, match="no Data Export Service answers") as error:
        _ = stand_in.client(address).challenge
    assert address in error.value.what


def test_a_certificate_that_is_not_trusted_is_refused(stand_in: StandIn) -> None:
    cloud = replace(stand_in.cloud(), ca_file=None)
    client = ExportServiceClient(
        stand_in.identity(), cloud, organization_url="https://contoso.crm4.dynamics.com", organization_id=ORGANIZATION
    )
    with pytest.raises(UnreachableError) as error:
        _ = client.challenge
    assert "certificate" in error.value.original.lower()
    assert stand_in.asked == []


def test_the_hosted_services_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever name server the test has: through a proxy that is not there, the host does not answer.
    monkeypatch.setenv("HTTPS_PROXY", closed_port().replace("https", "http"))
    cloud = CLOUDS["public"]
    client = ExportServiceClient(
        Identity(cloud, TENANT, {}),
        cloud,
        organization_url="https://contoso.crm4.dynamics.com",
        organization_id=ORGANIZATION,
    )
    with pytest.raises(UnreachableError) as error:
        client.metadata.organizations()
    assert "November 2022" in error.value.why
    assert "export_service.discovery" in error.value.remedy
    assert "sandbox" in error.value.remedy
