"""Whatever a service answers is read, or refused as a KitError; order and case of names mean nothing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from setup_kit.clouds import CLOUDS
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service import reading
from setup_kit.export_service.challenge import Challenge, check_challenge, read_challenge
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.models import Profile, State
from setup_kit.identity import Identity
from setup_kit.resources.profile import ExportProfile, wanted_description

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
FIELDS = [
    "Id",
    "State",
    "Name",
    "Entities",
    "Relationships",
    "RetryPolicy",
    "WriteDeleteLog",
    "DestinationKeyVaultUri",
    "Type",
    "Status",
    "TotalNotifications",
    "LastExportDate",
    "InitialSyncState",
    "MaxRetryCount",
]
LIKE_A_PROFILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
)
NOT_QUOTES = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"], exclude_characters='"'), min_size=1)


@given(NOT_QUOTES, NOT_QUOTES)
def test_a_challenge_is_read_as_it_was_written(authority: str, audience: str) -> None:
    header = f'Bearer authorization_uri="{authority}", resource_id="{audience}"'
    assert read_challenge(header) == Challenge(authority, audience)


@given(st.text())
def test_any_header_is_read_or_refused(header: str) -> None:
    for text in (header, "Bearer " + header):
        try:
            read_challenge(text)
        except KitError as error:
            assert error.original == text


@given(
    st.from_regex(r"https?://[a-z0-9.@:/\[\]\-]{1,40}", fullmatch=True)
    | st.tuples(
        st.sampled_from(["", "x@", "login.windows.net@", "login.windows.net."]),
        st.sampled_from(["login.microsoftonline.com", "sts.windows.net", "evil.example"]),
        st.sampled_from(["", ":443", ":8443", "/common", ".evil.example", "@evil.example", "/@evil.example"]),
    ).map(lambda parts: "https://" + "".join(parts))
)
def test_only_the_clouds_own_host_passes_as_its_authority(authority: str) -> None:
    own = ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net")
    challenge = Challenge(authority, "https://dataexportserviceformicrosoftdynamics365.com/")
    try:
        check_challenge(challenge, CLOUDS["public"], "https://export.contoso.com", "app")
    except KitError:
        return
    rest = authority.removeprefix("https://").lower()
    assert any(rest == host or rest.startswith((host + "/", host + ":443")) for host in own)


@given(JSON | LIKE_A_PROFILE)
def test_any_answer_is_read_as_a_profile_or_refused(document: Any) -> None:
    for reader in (reading.profile, reading.organization, reading.entity, reading.relationship, reading.trial):
        try:
            reader(document)
        except KitError as error:
            assert "answered something that is not" in error.what


@given(st.text() | st.datetimes(timezones=st.timezones()).map(lambda found: found.isoformat()))
def test_any_moment_is_read(text: str) -> None:
    found = reading.moment(text)
    assert found is None or found.utcoffset() is not None


@given(st.one_of(st.none(), st.text(), st.integers(), st.text(st.characters(categories=["Nd"]))))
def test_any_word_for_a_state_is_a_state(value: object) -> None:
    assert isinstance(reading.enumeration(reading.STATES, value), State)


NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True), min_size=1, max_size=8, unique=True)


@given(NAMES, NAMES, st.randoms())
def test_a_difference_names_exactly_what_is_added_and_removed(wanted: list[str], there: list[str], chance: Any) -> None:
    resource = ExportProfile(environment(wanted), client(), Secret())
    shuffled = list(there)
    chance.shuffle(shuffled)
    held = Profile(
        "p", "1", State.ACTIVE, wanted_description(environment(shuffled), Secret.observed.uri_without_version)
    )
    changes = resource.diff(held)
    assert resource.diff(held) == changes
    if set(wanted) == set(there):
        assert changes == []
        return
    (change,) = changes
    assert (change.before, change.after) == (sorted(there), sorted(wanted))
    added, removed = set(wanted) - set(there), set(there) - set(wanted)
    assert ("adds " + ", ".join(sorted(added)) in change.why) is bool(added)
    assert ("removes " + ", ".join(sorted(removed)) in change.why) is bool(removed)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_names_of_fields_in_another_case_mean_the_same(unknown: dict[str, Any]) -> None:
    description = wanted_description(environment(["account"]), "https://kv.vault.azure.net/secrets/s")
    document = {f"x-{name}": value for name, value in unknown.items()} | description.to_wire("p")
    upper = {name.upper(): value for name, value in json.loads(json.dumps(document)).items()}
    assert reading.profile(upper).description == description


class Known:
    uri_without_version = "https://kv.vault.azure.net/secrets/s"


class Secret:
    """A secret whose URI is known."""

    observed = Known()


def client() -> ExportServiceClient:
    cloud = CLOUDS["public"]
    identity = Identity(cloud, "11111111-1111-1111-1111-111111111111", {})
    return ExportServiceClient(
        identity, cloud, organization_url="https://contoso.crm.dynamics.com", organization_id="x"
    )


def environment(entities: list[str]) -> Environment:
    return Environment.model_validate(
        {
            "tenant": "11111111-1111-1111-1111-111111111111",
            "subscription": "33333333-3333-3333-3333-333333333333",
            "location": "westeurope",
            "resource_group": "rg",
            "sql": {"server": "sql", "administrator": {"sql_login": "boss"}, "database": {"name": "crm"}},
            "key_vault": {"name": "kv-contoso"},
            "dynamics": {
                "organization_url": "https://contoso.crm.dynamics.com",
                "organization_id": "22222222-2222-2222-2222-222222222222",
            },
            "profile": {"name": "Contoso", "entities": entities},
        }
    )
