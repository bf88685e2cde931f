from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.errors import KitError
from setup_kit.export_service import reading
from setup_kit.export_service.errors import Problem, RefusedError, read_error
from setup_kit.export_service.models import Description, MetadataState, State, SyncState

# As the deployment actions that Microsoft published send and read it: unset fields are null.
SPARSE: dict[str, Any] = {
    "Id": None,
    "Version": None,
    "State": None,
    "OrganizationUrl": None,
    "Name": "bpst-mscrm-profile",
    "OrganizationId": "22222222-2222-2222-2222-222222222222",
    "Entities": [
        {"Type": "account", "Settings": None, "LogicalName": None, "DisplayName": None, "Status": None},
        {"Type": "lead"},
    ],
    "DestinationType": "sqlazure",
    "DestinationKeyVaultUri": "https://Kv.vault.azure.net/secrets/Export",
    "DestinationPrefix": "",
    "RetryPolicy": {"MaxRetryCount": 12, "IntervalInSeconds": 5, "Backoff": "Simple"},
    "WriteDeleteLog": True,
    "DestinationSchemaName": "dbo",
}

# As the profile API of Synapse Link, the service's relative, was seen to write the same things.
NUMBERED: dict[str, Any] = {
    **SPARSE,
    "Id": "44444444-4444-4444-4444-444444444444",
    "Version": "1.0",
    "State": 1,
    "DestinationType": 4,
    "RetryPolicy": {"MaxRetryCount": 12, "IntervalInSeconds": 5, "Backoff": 0},
    "LakeId": "55555555-5555-5555-5555-555555555555",
    "Entities": [
        {
            "Type": "audit",
            "EntitySource": "Dataverse",
            "Settings": {},
            "Status": {
                "InitialSyncState": 4,
                "TotalNotifications": 12,
                "SuccessNotifications": 11,
                "FailureNotifications": 1,
                "LastExportDate": "2023-11-20T22:10:17.1234567Z",
                "LastExportStatus": None,
                "EntityMetadataState": "8",
            },
        }
    ],
}


def test_a_profile_with_nulls_is_read() -> None:
    found = reading.profile(SPARSE)
    assert found.state is State.INACTIVE
    assert found.description.entities == ("account", "lead")
    assert found.description.key_vault_uri == "https://Kv.vault.azure.net/secrets/Export"
    assert found.statuses == ()


def test_enumerations_are_read_as_numbers_too() -> None:
    found = reading.profile(NUMBERED)
    (status,) = found.statuses
    assert found.state is State.ACTIVE
    assert (status.name, status.initial_sync, status.metadata) == ("audit", SyncState.COMPLETED, MetadataState.CREATED)
    assert (status.total, status.succeeded, status.failed) == (12, 11, 1)
    assert status.last_export == datetime(2023, 11, 20, 22, 10, 17, 123456, UTC)


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("3", State.DELETED),
        (3, State.DELETED),
        ("deleted", State.DELETED),
        ("ACTIVE", State.ACTIVE),
        (None, State.INACTIVE),
        ("SomethingNew", State.UNKNOWN),
        (99, State.UNKNOWN),
    ],
)
def test_a_state_is_read_however_it_is_written(value: object, state: State) -> None:
    assert reading.profile({**SPARSE, "State": value}).state is state


def test_names_of_fields_are_read_in_any_case() -> None:
    lower = {name.lower(): value for name, value in NUMBERED.items()}
    assert reading.profile(lower) == reading.profile(NUMBERED)


def test_what_is_no_profile_is_said_so() -> None:
    with pytest.raises(KitError, match="not a profile") as error:
        reading.profile(["x"])
    assert error.value.original == "['x']"


@pytest.mark.parametrize("text", ["", "0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "yesterday"])
def test_a_moment_that_never_was_is_none(text: str) -> None:
    assert reading.moment(text) is None


def test_a_moment_without_a_zone_is_in_utc() -> None:
    assert reading.moment("2024-05-01T10:00:00") == datetime(2024, 5, 1, 10, tzinfo=UTC)


def test_settings_of_an_entity_are_never_null() -> None:
    wire = Description("n", "id", "url", ("account",), "https://v/secrets/s", relationships=("a_b",)).to_wire()
    assert [entry["Settings"] for entry in wire["Entities"] + wire["Relationships"]] == [{}, {}]


names = st.text(min_size=1, max_size=12)


@given(
    st.builds(
        Description,
        name=names,
        organization_id=st.uuids().map(str),
        organization_url=st.just("https://contoso.crm4.dynamics.com"),
        entities=st.lists(names, min_size=1, max_size=5, unique=True).map(tuple),
        key_vault_uri=st.just("https://Kv.vault.azure.net/secrets/Export"),
        relationships=st.lists(names, max_size=3, unique=True).map(tuple),
        prefix=st.text(max_size=14),
        retry_count=st.integers(0, 20),
        interval_seconds=st.integers(0, 3600),
        delete_log=st.booleans(),
    )
)
def test_a_description_comes_back_as_it_was_sent(description: Description) -> None:
    assert reading.profile(json.loads(json.dumps(description.to_wire("id")))).description == description


@pytest.mark.parametrize(
    ("details", "problems"),
    [
        (
            [{"Code": "GrantMissing", "Target": "INSERT on schema dbo", "Message": "…lacks…"}],
            (Problem("GrantMissing", "INSERT on schema dbo", "…lacks…"),),
        ),
        (["first", "second"], (Problem("", "", "first"), Problem("", "", "second"))),
        ("The secret is disabled.", (Problem("", "", "The secret is disabled."),)),
        ({"code": "X", "message": "m"}, (Problem("X", "", "m"),)),
        (None, ()),
        ("", ()),
        ([], ()),
    ],
)
def test_details_are_read_in_every_shape(details: object, problems: tuple[Problem, ...]) -> None:
    body = read_error(json.dumps({"CorrelationId": "c", "Message": "No.", "Details": details}))
    assert (body.message, body.correlation_id, body.problems) == ("No.", "c", problems)


@pytest.mark.parametrize("text", ["", "<html>Bad gateway</html>", "[1]", '"x"', "null"])
def test_an_error_of_another_shape_keeps_its_text(text: str) -> None:
    assert read_error(text).problems == ()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_error_body_is_read(document: object) -> None:
    read_error(json.dumps(document))
    read_error(json.dumps({"Message": document, "Details": document}))


@pytest.mark.parametrize(
    "quoted",
    [
        "Server=tcp:x;User ID=u;Password=S3cret!x;Encrypt=True",
        'Login failed (Pwd="S3cret!x;y")',
        "https://x.blob.core.windows.net/c?sv=1&sig=S3cret!x",
    ],
)
def test_a_secret_that_the_service_quotes_is_not_kept(quoted: str) -> None:
    body = read_error(json.dumps({"Message": quoted, "Details": [{"Code": "C", "Target": "t", "Message": quoted}]}))
    error = RefusedError("refused", 400, body)
    assert "S3cret" not in error.original + error.why + "".join(problem.message for problem in error.problems)
