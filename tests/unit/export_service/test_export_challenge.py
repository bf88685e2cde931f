from __future__ import annotations

from dataclasses import replace

import pytest

from setup_kit.clouds import CLOUDS
from setup_kit.errors import KitError
from setup_kit.export_service.challenge import SERVICE_AUDIENCE, Challenge, check_challenge, read_challenge

PUBLIC = CLOUDS["public"]
DISCOVERY = "https://export.contoso.com"
APPLICATION = "b861dbcc-a7ef-4219-a005-0e4de4ea7dcf"


def check(authority: str = "https://login.microsoftonline.com/common", audience: str = SERVICE_AUDIENCE) -> None:
    check_challenge(Challenge(authority, audience), PUBLIC, DISCOVERY, APPLICATION)


def test_authority_and_audience_are_read_from_the_header() -> None:
    header = (
        'Bearer authorization_uri="https://login.windows.net/common",'
        ' resource_id="https://dataexportserviceformicrosoftdynamics365.com/"'
    )
    assert read_challenge(header) == Challenge("https://login.windows.net/common", SERVICE_AUDIENCE)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic realm=x",
        'Bearer realm="x"',
        'Bearer authorization_uri="https://login.windows.net/common"',
        'Bearer authorization_uri="", resource_id=""',
    ],
)
def test_a_header_without_both_is_refused_with_its_text(header: str) -> None:
    with pytest.raises(KitError) as refusal:
        read_challenge(header)
    assert refusal.value.original == header


@pytest.mark.parametrize(
    "authority",
    [
        "https://login.microsoftonline.com/common/oauth2/authorize",
        "https://login.windows.net/common",
        "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
        "https://LOGIN.MicrosoftOnline.com:443/common",
    ],
)
def test_the_clouds_authority_is_known_by_all_its_names(authority: str) -> None:
    check(authority=authority)


@pytest.mark.parametrize(
    "authority",
    [
        "https://login.microsoftonline.com.evil.example/common",
        "https://login.microsoftonline.com@evil.example/common",
        "http://login.microsoftonline.com/common",
        "https://login.microsoftonline.us/common",
        "https://login.microsoftonline.com:8443/common",
        "login.microsoftonline.com",
    ],
)
def test_a_foreign_authority_is_refused(authority: str) -> None:
    with pytest.raises(KitError, match="foreign authority"):
        check(authority=authority)


def test_a_private_authority_is_compared_with_its_port() -> None:
    cloud = replace(PUBLIC, authority="https://127.0.0.1:4430")
    check_challenge(Challenge("https://127.0.0.1:4430/x", SERVICE_AUDIENCE), cloud, DISCOVERY, APPLICATION)
    with pytest.raises(KitError, match="foreign authority"):
        check_challenge(Challenge("https://127.0.0.1:4431/x", SERVICE_AUDIENCE), cloud, DISCOVERY, APPLICATION)


@pytest.mark.parametrize(
    "audience",
    [
        SERVICE_AUDIENCE,
        SERVICE_AUDIENCE.rstrip("/"),
        APPLICATION,
        f"api://{APPLICATION}",
        "https://export.contoso.com/api",
    ],
)
def test_the_audience_may_be_the_services_own(audience: str) -> None:
    check(audience=audience)


@pytest.mark.parametrize(
    "audience",
    [
        PUBLIC.resource_manager_audience,
        PUBLIC.vault_audience,
        PUBLIC.graph_audience,
        "https://contoso.crm4.dynamics.com",
        "api://33333333-3333-3333-3333-333333333333",
        "https://contoso.com",
    ],
)
def test_a_token_for_something_else_is_not_asked_for(audience: str) -> None:
    with pytest.raises(KitError, match="something else"):
        check(audience=audience)
