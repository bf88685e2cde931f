"""What the services' error bodies become."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError

from setup_kit.azure.errors import AzureRefusal, refusal, translating


class Response:
    """What azure-core asks of a response when it makes an error of one."""

    def __init__(self, status: int, body: Any) -> None:
        self.status_code = status
        self.reason = "Because"
        self._text = body if isinstance(body, str) else json.dumps(body)

    def text(self, encoding: str | None = None) -> str:
        return self._text

    def json(self) -> Any:
        return json.loads(self._text)


def refused(status: int, body: Any) -> AzureRefusal:
    return refusal(HttpResponseError(response=Response(status, body)), "It failed")  # type: ignore[arg-type]


def test_code_and_message_are_kept_word_for_word() -> None:
    error = refused(404, {"error": {"code": "ResourceNotFound", "message": "The Resource 'x' was not found."}})
    assert (error.code, error.status) == ("ResourceNotFound", 404)
    assert error.original == "(ResourceNotFound) The Resource 'x' was not found."
    assert error.not_found


def test_old_sql_errors_have_code_and_message_at_the_top() -> None:
    error = refused(400, {"code": "40636", "message": "Cannot use reserved database name 'master'."})
    assert error.code == "40636"
    assert "sql.database.name" in error.remedy


def test_key_vaults_inner_code_decides() -> None:
    body = {"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}}
    error = refused(403, body)
    assert error.is_any("forbiddenbyrbac")
    assert not error.is_any("AccessDenied")
    assert "setup-kit apply" in error.remedy


def test_a_failed_operation_is_an_error_although_it_was_answered_with_200() -> None:
    body = {"name": "1", "status": "Failed", "error": {"code": "NameAlreadyExists", "message": "taken"}}
    error = refused(200, body)
    assert (error.code, error.status) == ("NameAlreadyExists", 200)
    assert "sql.server" in error.remedy


def test_a_bare_server_error_says_to_try_again() -> None:
    error = refused(500, {"Message": "An error has occurred."})
    assert "again" in error.remedy
    assert error.original == "An error has occurred."


def test_a_body_that_is_no_json_is_shown_as_it_is() -> None:
    error = refused(504, "<html>Gateway Timeout</html>")
    assert error.code == ""
    assert "Because" in error.original
    assert "again" in error.remedy


def test_a_missing_registration_names_the_namespace_to_register() -> None:
    message = "The subscription is not registered to use namespace 'Microsoft.KeyVault'. See https://aka.ms/rps."
    error = refused(409, {"error": {"code": "MissingSubscriptionRegistration", "message": message}})
    assert error.remedy == "run: az provider register --namespace Microsoft.KeyVault --wait"


def test_a_missing_role_names_the_action() -> None:
    message = (
        "The client 'x' does not have authorization to perform action 'Microsoft.Sql/servers/write' over scope '/'"
    )
    error = refused(403, {"error": {"code": "AuthorizationFailed", "message": message}})
    assert "Microsoft.Sql/servers/write" in error.remedy


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "AnotherOperationInProgress"),
        (409, "ConflictingServerOperation"),
        (409, "DatabaseUpsertInProgress"),
        (400, "45505"),
    ],
)
def test_another_operation_in_progress_passes(status: int, code: str) -> None:
    assert refused(status, {"error": {"code": code, "message": ""}}).in_progress


def test_a_conflict_does_not_pass() -> None:
    assert not refused(409, {"error": {"code": "VaultAlreadyExists", "message": ""}}).in_progress


def test_a_service_that_does_not_answer_is_said_so() -> None:
    with pytest.raises(AzureRefusal) as caught, translating("Reading failed"):
        raise ServiceRequestError("connection refused")
    assert caught.value.what == "Reading failed"
    assert caught.value.unreached
    assert caught.value.original == "connection refused"


def test_other_errors_pass_untouched() -> None:
    with pytest.raises(KeyError), translating("Reading failed"):
        raise KeyError("x")
