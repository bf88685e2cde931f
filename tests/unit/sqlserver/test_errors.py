"""SQL Server's errors, in words that say what to do."""

from __future__ import annotations

import pytest

from setup_kit import known_errors
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlError
from setup_kit.sqlserver.errors import (
    ALREADY_EXISTS,
    ALREADY_GONE,
    LOGGED_IN,
    PASSWORD_ACCEPTED,
    REFUSED,
    kit_error,
    without_secrets,
)

FIREWALL = (
    "Cannot open server 's' requested by the login. Client with IP address '203.0.113.7' is not allowed to access "
    "the server."
)


ACTED_UPON = ALREADY_EXISTS | ALREADY_GONE | REFUSED | PASSWORD_ACCEPTED | {LOGGED_IN, 40615}


@pytest.mark.parametrize("number", sorted(ACTED_UPON))
def test_every_number_that_is_acted_upon_is_explained(number: int) -> None:
    assert known_errors.find("sql", number) is not None


@pytest.mark.parametrize(
    "number",
    [40613, 40197, 40501, 49918, 49919, 49920, 10928, 10929, 10053, 10054, 10060, 233, 1205],
)
def test_faults_that_azure_lists_as_passing_and_deadlocks_are_tried_again(number: int) -> None:
    assert SqlError(number, "42000", "…").transient


@pytest.mark.parametrize("number", [0, 208, 229, 2714, 4060, 18456, 40532, 40544, 40615])
def test_other_errors_are_not_tried_again(number: int) -> None:
    assert not SqlError(number, "42000", "…").transient


def test_a_firewall_refusal_names_the_address_and_keeps_the_original() -> None:
    error = kit_error(SqlError(40615, "42000", FIREWALL), "could not sign in")
    assert error.what == "could not sign in"
    assert "203.0.113.7" in error.why
    assert error.remedy
    assert FIREWALL in error.original


def test_a_certificate_that_cannot_be_verified_is_told_from_a_server_out_of_reach() -> None:
    refused = SqlError(-1, "08001", "SSL Provider: [error:0A000086:SSL routines::certificate verify failed]")
    silent = SqlError(0, "08001", "TCP Provider: Error code 0x2749")
    assert "certificate" in kit_error(refused, "x").why
    assert "not reached" in kit_error(silent, "x").why


def test_an_unknown_error_still_tells_its_text() -> None:
    error = kit_error(SqlError(99999, "42000", "Something new."), "could not read")
    assert error.why
    assert "Something new." in error.original


@pytest.mark.parametrize("quoted", ["Sup3rSecret!Pass", "near 'Sup3rSec", "…rSecret!Pass'.", "ecret!"])
def test_a_text_that_quotes_a_part_of_a_secret_is_left_out(quoted: str) -> None:
    error = SqlError(102, "42000", f"Incorrect syntax {quoted}", [(102, f"Incorrect syntax {quoted}"), (3621, "…")])
    kept = without_secrets(error, [Secret("Sup3rSecret!Pass")])
    assert kept.number == 102
    assert "ecret" not in str(kept)
    assert all("ecret" not in text for _, text in kept.messages)


def test_other_texts_are_kept() -> None:
    error = SqlError(15025, "42000", "The server principal 'dataexport' already exists.")
    assert without_secrets(error, [Secret("Sup3rSecret!Pass"), Secret("")]) is error


def test_a_quoted_password_is_recognized_with_its_quotes_doubled() -> None:
    error = SqlError(102, "42000", "Incorrect syntax near 'a''b''c''d''e'.")
    assert "''" not in str(without_secrets(error, [Secret("a'b'c'd'e'")]))
