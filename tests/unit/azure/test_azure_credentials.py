"""Which credential the variables describe, and whom a token speaks for."""

from __future__ import annotations

import base64
import json

import pytest
from azure import identity as azure_identity

from setup_kit import github_token
from setup_kit.clouds import CLOUDS
from setup_kit.errors import KitError
from setup_kit.identity import _claims, _credential, scope_of, sign_in_error
from setup_kit.secret import Secret

PUBLIC = CLOUDS["public"]
TENANT = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"AZURE_CLIENT_ID": "a", "AZURE_CLIENT_SECRET": "b"}, azure_identity.ClientSecretCredential),
        ({"AZURE_CLIENT_ID": "a", "AZURE_FEDERATED_TOKEN_FILE": "/token"}, azure_identity.WorkloadIdentityCredential),
        (
            {"AZURE_CLIENT_ID": "a", github_token.URL: "https://token", github_token.BEARER: "b"},
            azure_identity.ClientAssertionCredential,
        ),
        ({}, azure_identity.DefaultAzureCredential),
        ({"AZURE_CLIENT_ID": "a"}, azure_identity.DefaultAzureCredential),
    ],
)
def test_the_variables_choose_the_credential(variables: dict[str, str], kind: type) -> None:
    assert isinstance(_credential(PUBLIC, TENANT, variables), kind)


@pytest.mark.filterwarnings("ignore:UsernamePasswordCredential:DeprecationWarning")
def test_user_name_and_password_are_taken_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    variables = {"AZURE_CLIENT_ID": "a", "AZURE_USERNAME": "u@contoso.com", "AZURE_PASSWORD": "geheim"}
    assert isinstance(_credential(PUBLIC, TENANT, variables), azure_identity.UsernamePasswordCredential)
    assert "deprecated" in caplog.text
    assert "geheim" not in caplog.text


def test_a_slash_at_the_end_of_an_audience_is_part_of_it() -> None:
    assert scope_of("https://graph.microsoft.com") == "https://graph.microsoft.com/.default"
    assert scope_of("https://database.windows.net/") == "https://database.windows.net//.default"


def token(claims: object) -> Secret:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Secret(f"e30.{payload}.signature")


def test_claims_are_read_whatever_their_length() -> None:
    for length in range(4):
        assert _claims(token({"oid": "o", "tid": "t", "pad": "x" * length}))["oid"] == "o"


@pytest.mark.parametrize("broken", [Secret("opaque"), token([]), token({"oid": "o"}), Secret("a.%%%.c")])
def test_a_token_that_says_nothing_is_refused_without_showing_it(broken: Secret) -> None:
    with pytest.raises(KitError) as refused:
        _claims(broken)
    assert broken.reveal() not in str(refused.value.__dict__)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("AADSTS7000222: The provided client secret keys are expired.", "expired"),
        ("AADSTS50076: Due to a configuration change you must use multi-factor authentication", "az login"),
        ("AADSTS53003: Access has been blocked by Conditional Access policies.", "policy"),
        ("AADSTS999999: something new", "error?code=999999"),
    ],
)
def test_entras_refusals_are_explained(text: str, word: str) -> None:
    error = sign_in_error(ValueError(text), PUBLIC, TENANT)
    assert word in f"{error.why} {error.remedy}"
    assert error.link.startswith("https://learn.microsoft.com/")
    assert error.original == text


def test_no_credential_at_all_says_how_to_sign_in() -> None:
    error = sign_in_error(azure_identity.CredentialUnavailableError("nothing found"), PUBLIC, TENANT)
    assert f"az login --tenant {TENANT}" in error.remedy
