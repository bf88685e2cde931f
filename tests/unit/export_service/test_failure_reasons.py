"""Reasons of failures: those that the documents name are known, and each says what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from setup_kit import known_errors
from setup_kit.export_service.failure_reasons import SECTION, counted, name_of, reason_of
from setup_kit.export_service.failures import Failure, read_failures

# In the words of SQL Server and of the service.
TEXTS = {
    "database_full": "The database 'crm' has reached its size quota. Partition or delete data, drop indexes, or consult"
    " the documentation for possible resolutions.",
    "log_full": "The transaction log for database 'crm' is full due to 'ACTIVE_TRANSACTION'.",
    "timeout": "Execution Timeout Expired. The timeout period elapsed prior to completion of the operation.",
    "row_too_large": "Cannot create a row of size 8061 which is greater than the allowable maximum row size of 8060.",
    "text_too_long": "String or binary data would be truncated in table 'crm.dbo.crm_account', column 'name'.",
    "number_too_large": "Arithmetic overflow error converting numeric to data type numeric.",
    "object_exists": "There is already an object named 'hatest201_lead' in the database.",
    "object_missing": "Invalid object name 'dbo.hatest201_account'.",
    "column_missing": "Invalid column name 'industrycode'.",
    "login_failed": "Login failed for user 'dataexport'.",
    "permission_denied": "The INSERT permission was denied on the object 'crm_account', database 'crm', schema 'dbo'.",
    "duplicate_key": "Violation of PRIMARY KEY constraint 'PK_crm_account'. Cannot insert duplicate key in object"
    " 'dbo.crm_account'. The duplicate key value is (b8060cdd-88df-e311-b8e5-6c3be5a8b200).",
    "deadlock": "Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen"
    " as the deadlock victim. Rerun the transaction.",
    "secret_unreadable": "The secret https://kv-contoso.vault.azure.net/secrets/export is disabled.",
    "unreadable_record": "The record cannot be read: ValueError: Invalid isoformat string: 'soon'",
    "relationship_missing": "There is no N:N relationship named 'contactleads_association'.",
    "organization_unreachable": "organization https://contoso.crm4.dynamics.com: it does not answer: timed out",
}


def test_every_known_reason_is_told_from_the_others_by_its_words() -> None:
    assert {name: name_of(reason_of(text)) for name, text in TEXTS.items()} == {name: name for name in TEXTS}
    assert {*TEXTS, "unknown"} == {reason.codes[0] for reason in known_errors.sections()[SECTION].errors}
    assert reason_of("Something that nobody has seen yet.") is None


def test_every_reason_says_what_to_do_and_names_a_command_of_the_kit() -> None:
    for reason in known_errors.sections()[SECTION].errors:
        assert reason.what.endswith(".")
        assert reason.why.endswith(".")
        assert reason.remedy.endswith(".")
        assert reason.command.startswith("setup-kit ")


def test_the_entries_of_the_documentation_are_read() -> None:
    text = (
        "Entity: lead, RecordId: N/A, NotificationTime: , ChangeType: Trigger Initial Export,"
        " FailureReason: There is already an object named 'hatest201_lead' in the database.\n"
        "Entity: account, RecordId: b2a19cdd-88df-e311-b8e5-6c3be5a8b200, NotificationTime: 8/31/2016 6:50:38 PM,"
        " ChangeType: New, FailureReason: Invalid object name 'dbo.hatest201_account'.\n"
    )
    lead, account = read_failures(text)
    assert lead == Failure("lead", None, None, "Trigger Initial Export", TEXTS["object_exists"])
    assert account.record == "b2a19cdd-88df-e311-b8e5-6c3be5a8b200"
    assert account.notified == datetime(2016, 8, 31, 18, 50, 38, tzinfo=UTC)
    assert account.reason == "Invalid object name 'dbo.hatest201_account'."


@pytest.mark.parametrize("moment", ["yesterday", "31/8/2016 18:50:38", "2016-08-31T18:50:38Z"])
def test_a_time_that_is_not_understood_is_none(moment: str) -> None:
    text = f"Entity: a, RecordId: 1, NotificationTime: {moment}, ChangeType: New, FailureReason: no"
    assert [failure.notified for failure in read_failures(text)] == [None]


def test_failures_are_counted_by_entity_and_reason_the_most_first() -> None:
    def failure(entity: str, record: str | None, hour: int, reason: str) -> Failure:
        return Failure(entity, record, datetime(2026, 11, 28, hour, tzinfo=UTC), "New", reason)

    found = counted(
        [
            failure("lead", "1", 9, "Odd value '12' in row 7"),
            failure("account", "2", 10, TEXTS["text_too_long"]),
            failure("account", "3", 8, TEXTS["text_too_long"].replace("'name'", "'city'")),
            failure("account", "3", 11, TEXTS["text_too_long"]),
            failure("lead", "4", 9, "Odd value '13' in row 8"),
            failure("lead", None, 9, TEXTS["object_exists"]),
        ]
    )
    assert [(each.entity, name_of(each.reason), each.entries, each.records) for each in found] == [
        ("account", "text_too_long", 3, 2),
        ("lead", None, 2, 2),
        ("lead", "object_exists", 1, 0),
    ]
    assert (found[0].first, found[0].last) == (
        datetime(2026, 11, 28, 8, tzinfo=UTC),
        datetime(2026, 11, 28, 11, tzinfo=UTC),
    )
