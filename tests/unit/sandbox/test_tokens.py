from __future__ import annotations

from pathlib import Path

import jwt
import pytest

from setup_kit.sandbox.entra import TokenRefused, Tokens
from setup_kit.sandbox.state import State
from setup_kit.sandbox.tenant import Principal, Tenant

TENANT = "11111111-2222-3333-4444-555555555555"
AUDIENCE = "https://management.azure.com"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state.db")


@pytest.fixture
def tenant(state: State) -> Tenant:
    return Tenant(state, TENANT)


@pytest.fixture
def tokens(state: State, tenant: Tenant) -> Tokens:
    return Tokens(state, tenant, "https://127.0.0.1:1")


@pytest.fixture
def principal(tenant: Tenant) -> Principal:
    return tenant.add_principal("app", "The app")


def test_a_token_names_its_caller_and_the_callers_groups(tenant: Tenant, tokens: Tokens, principal: Principal) -> None:
    group = tenant.add_group("SQL Administrators", [principal.object_id])
    caller = tokens.check(tokens.issue(principal, AUDIENCE), AUDIENCE)
    assert (caller.object_id, caller.app_id, caller.tenant_id) == (principal.object_id, "app", TENANT)
    assert caller.groups == {group}


@pytest.mark.parametrize("issued", [AUDIENCE, AUDIENCE + "/"])
@pytest.mark.parametrize("expected", [AUDIENCE, AUDIENCE + "/"])
def test_the_slash_of_an_audience_does_not_matter(
    tokens: Tokens, principal: Principal, issued: str, expected: str
) -> None:
    assert tokens.check(tokens.issue(principal, issued), expected).app_id == "app"


def test_a_token_for_another_audience_is_refused(tokens: Tokens, principal: Principal) -> None:
    with pytest.raises(TokenRefused) as refused:
        tokens.check(tokens.issue(principal, "https://vault.azure.net"), AUDIENCE)
    assert refused.value.code == "InvalidAuthenticationTokenAudience"


def test_an_expired_token_is_refused(tokens: Tokens, principal: Principal) -> None:
    with pytest.raises(TokenRefused) as refused:
        tokens.check(tokens.issue(principal, AUDIENCE, lifetime=-10), AUDIENCE)
    assert refused.value.code == "ExpiredAuthenticationToken"


def test_a_token_of_another_key_is_refused(
    tmp_path: Path, tenant: Tenant, tokens: Tokens, principal: Principal
) -> None:
    other = Tokens(State(tmp_path / "other.db"), tenant, "https://127.0.0.1:1")
    with pytest.raises(TokenRefused) as refused:
        tokens.check(other.issue(principal, AUDIENCE), AUDIENCE)
    assert refused.value.code == "InvalidAuthenticationToken"


def test_a_token_of_another_issuer_is_refused(
    state: State, tenant: Tenant, tokens: Tokens, principal: Principal
) -> None:
    other = Tokens(state, tenant, "https://127.0.0.1:2")
    with pytest.raises(TokenRefused, match="invalid"):
        tokens.check(other.issue(principal, AUDIENCE), AUDIENCE)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", jwt.encode({"aud": AUDIENCE}, "k" * 32, algorithm="HS256")])
def test_what_is_no_token_of_ours_is_refused_without_being_quoted(tokens: Tokens, token: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        tokens.check(token, AUDIENCE)
    assert str(refused.value) == "The access token is invalid."


def test_the_signing_key_outlives_a_restart(state: State, tenant: Tenant, tokens: Tokens, principal: Principal) -> None:
    again = Tokens(state, tenant, "https://127.0.0.1:1")
    assert again.check(tokens.issue(principal, AUDIENCE), AUDIENCE).app_id == "app"


def test_the_published_keys_verify_a_token(tokens: Tokens, principal: Principal) -> None:
    token = tokens.issue(principal, AUDIENCE)
    keys = jwt.PyJWKSet.from_dict(tokens.key_set())
    claims = jwt.decode(token, keys[jwt.get_unverified_header(token)["kid"]], audience=AUDIENCE)
    assert claims["oid"] == principal.object_id
    assert claims["exp"] - claims["iat"] == 3600 + 300
