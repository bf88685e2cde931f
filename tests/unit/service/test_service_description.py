from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.service.description import SecretAddress, read


def described(**changes: Any) -> dict[str, Any]:
    """What Microsoft's client sends: PascalCase, and null for what it does not set."""
    return {
        "Id": None,
        "Version": None,
        "State": None,
        "OrganizationUrl": None,
        "OrganizationId": "9b0c2a4c-4f4b-4a39-9e5e-1f2d3c4b5a69",
        "Name": "Contoso to Azure",
        "Entities": [
            {"Type": "account", "Settings": {}, "LogicalName": None, "DisplayName": None, "Status": None},
            {"Type": "contact", "Settings": {}},
        ],
        "DestinationType": "sqlazure",
        "DestinationKeyVaultUri": "https://kv-contoso.vault.azure.net/secrets/Destination",
        "DestinationPrefix": "crm",
        "DestinationSchemaName": "dbo",
        "RetryPolicy": {"MaxRetryCount": 12, "IntervalInSeconds": 5, "Backoff": "Simple"},
        "WriteDeleteLog": True,
        **changes,
    }


def test_a_clients_description_is_read_with_its_nulls() -> None:
    description, problems = read(described())
    assert problems == []
    assert [choice.name for choice in description.entities] == ["account", "contact"]
    assert (description.table("account"), description.retry.maximum, description.write_delete_log) == (
        "crm_account",
        12,
        True,
    )


def test_names_are_read_in_any_case_and_enumerations_as_numbers() -> None:
    body = {name.lower(): value for name, value in described(DestinationType=4).items()}
    body["retrypolicy"] = {"maxretrycount": 3, "intervalinseconds": 0, "backoff": 0}
    description, problems = read(body)
    assert problems == []
    assert (description.retry.maximum, description.retry.interval) == (3, 0)


def test_what_is_left_out_has_the_services_defaults() -> None:
    description, problems = read(described(RetryPolicy=None, DestinationSchemaName=None, DestinationPrefix=None))
    assert problems == []
    assert (description.schema, description.prefix, description.table("account")) == ("dbo", "", "account")
    assert (description.retry.maximum, description.retry.interval) == (12, 5)


def test_all_problems_of_a_description_are_told_at_once() -> None:
    _, problems = read(
        described(
            Name=" ",
            Entities=[{"Type": "account", "Settings": None}],
            DestinationPrefix="fifteenletters1",
            DestinationSchemaName="x]; DROP TABLE t--",
            DestinationKeyVaultUri="https://kv.vault.azure.net/keys/x",
            DestinationType="oracle",
            RetryPolicy={"MaxRetryCount": 21, "IntervalInSeconds": 3601, "Backoff": "Exponential"},
            WriteDeleteLog="yes",
        )
    )
    assert {problem.target for problem in problems} == {
        "Name",
        "Entities",
        "DestinationPrefix",
        "DestinationSchemaName",
        "DestinationKeyVaultUri",
        "DestinationType",
        "MaxRetryCount",
        "IntervalInSeconds",
        "RetryPolicy.Backoff",
        "WriteDeleteLog",
    }


@pytest.mark.parametrize("entities", [None, [], "account", [{}], [{"Type": "a", "Settings": {}}] * 2])
def test_entities_must_be_a_list_of_different_types(entities: Any) -> None:
    _, problems = read(described(Entities=entities))
    assert problems
    assert {problem.target for problem in problems} == {"Entities"}


@pytest.mark.parametrize("prefix", ["a" * 14, "", "A1"])
def test_a_prefix_of_up_to_fourteen_letters_and_digits_is_good(prefix: str) -> None:
    assert read(described(DestinationPrefix=prefix))[1] == []


@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda c: (
            st.lists(c)
            | st.dictionaries(
                st.sampled_from(["Name", "Entities", "Type", "Settings", "RetryPolicy", "DestinationPrefix", "Id"])
                | st.text(),
                c,
            )
        ),
    )
)
def test_no_body_whatever_breaks_the_reader(body: Any) -> None:
    _, problems = read(body)
    assert problems


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("https://kv.vault.azure.net/secrets/S", SecretAddress("https://kv.vault.azure.net", "S", None)),
        ("https://127.0.0.1:4100/secrets/S/0a", SecretAddress("https://127.0.0.1:4100", "S", "0a")),
        ("https://kv.vault.azure.net/secrets/", None),
        ("http://kv.vault.azure.net/secrets/S", None),
        ("https://user@kv/secrets/S", None),
        ("https://kv:x/secrets/S", None),
        ("https://[kv/secrets/S", None),
        ("kv/secrets/S", None),
    ],
)
def test_a_secrets_uri_is_read_with_and_without_version(uri: str, address: SecretAddress | None) -> None:
    assert SecretAddress.parse(uri) == address
