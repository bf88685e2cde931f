from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from setup_kit.secret import Secret
from setup_kit.service import shared_access
from setup_kit.service.failure_log import Failure, FailureLog, Folder
from setup_kit.service.shared_access import SignatureRefused

NOON = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
RECORD = "b2a19cdd-88df-e311-b8e5-6c3be5a8b200"
KEY = Secret("a2V5")


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def failure(reason: str = "why", folder: Folder = Folder.DATA) -> Failure:
    return Failure("account", RECORD, NOON, "New", reason, folder, {"name": "Contoso"})


def names(log: FailureLog) -> list[str]:
    return [blob.name for blob in log.blobs("p")]


def test_entries_read_as_the_documentation_shows_them() -> None:
    whole = Failure(
        "lead", None, None, "Trigger Initial Export", "There is already an object named 'x' in the database."
    )
    assert whole.entry() == (
        "Entity: lead, RecordId: N/A, NotificationTime: , ChangeType: Trigger Initial Export,"
        " FailureReason: There is already an object named 'x' in the database.\n"
    )
    notified = datetime(2016, 8, 31, 18, 50, 38, tzinfo=UTC)
    one = Failure("account", RECORD, notified, "New", "Invalid object name 'dbo.hatest201_account'.")
    assert one.entry() == (
        f"Entity: account, RecordId: {RECORD}, NotificationTime: 8/31/2016 6:50:38 PM, ChangeType: New,"
        " FailureReason: Invalid object name 'dbo.hatest201_account'.\n"
    )
    midnight = Failure("account", RECORD, datetime(2026, 1, 2, tzinfo=UTC), "New", "x")
    assert "NotificationTime: 1/2/2026 12:00:00 AM," in midnight.entry()


def test_failures_lie_by_the_hour_in_the_services_folders(tmp_path: Path) -> None:
    log = FailureLog(tmp_path, lambda profile_id: True, Clock())
    log.write("p", [failure(), failure(folder=Folder.UNPROCESSABLE), failure(folder=Folder.METADATA)])
    log.write("p", [failure()], refresh=True)
    assert names(log) == [
        "data/2026/11/28/12/account.jsonl",
        "failurelog/2026/11/28/12/failures.txt",
        "forcerefreshfailurelog/2026/11/28/12/failures.txt",
        "metadata/2026/11/28/12/account.jsonl",
        "unprocessablemessages/2026/11/28/12/account.jsonl",
    ]
    found = log.read("p", "data/2026/11/28/12/account.jsonl")
    assert found is not None
    assert found[1].count(b'"Contoso"') == 2


def test_what_was_written_stays_until_it_is_thirty_days_old(tmp_path: Path) -> None:
    clock = Clock()
    log = FailureLog(tmp_path, lambda profile_id: True, clock)
    log.write("p", [failure("first")])
    clock.now += timedelta(days=29)
    log.write("p", [failure("second")])
    assert len(names(log)) == 4
    first = log.read("p", "failurelog/2026/11/28/12/failures.txt")
    assert first is not None
    assert first[1] == failure("first").entry().encode()
    clock.now = NOON + timedelta(days=30, hours=1)
    assert names(log) == ["data/2026/12/27/12/account.jsonl", "failurelog/2026/12/27/12/failures.txt"]


def test_a_reason_that_looks_like_an_entry_is_none(tmp_path: Path) -> None:
    assert "\nEntity: " not in failure("one\nEntity: two, RecordId: N/A").entry()


def test_a_deleted_profile_leaves_no_log_and_gets_none(tmp_path: Path) -> None:
    there = {"p"}
    log = FailureLog(tmp_path, there.__contains__, Clock())
    log.write("p", [failure()])
    there.clear()
    log.forget("p")
    log.write("p", [failure("late")])
    assert names(log) == []


def test_nothing_beside_a_profiles_own_files_is_read(tmp_path: Path) -> None:
    log = FailureLog(tmp_path / "failures", lambda profile_id: True, Clock())
    (tmp_path / "key").write_text("secret")
    log.write("p", [failure()])
    for name in ("../../key", "../p/failurelog/2026/11/28/12/failures.txt", str(tmp_path / "key"), "failurelog", ""):
        assert log.read("p", name) is None


def test_the_log_and_the_key_are_for_their_owner_only(tmp_path: Path) -> None:
    FailureLog(tmp_path, lambda profile_id: True, Clock()).write("p", [failure()])
    key = shared_access.account_key(tmp_path / "key")
    assert shared_access.account_key(tmp_path / "key") == key
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*"))


def test_a_signature_is_good_for_its_container_and_its_time() -> None:
    query = dict(parse_qsl(shared_access.sign(KEY, "account", "c", NOON + timedelta(hours=24))))
    shared_access.check(query, KEY, "account", "c", NOON)
    shared_access.check(query, KEY, "account", "c", NOON + timedelta(hours=23, minutes=59))
    for wrong, container, now in (
        (query, "c", NOON + timedelta(hours=24)),
        (query, "d", NOON),
        ({**query, "se": "2027-01-01T00:00:00Z"}, "c", NOON),
        ({**query, "sp": "rwdl"}, "c", NOON),
        ({**query, "sig": "é"}, "c", NOON),
        ({name: value for name, value in query.items() if name != "sig"}, "c", NOON),
    ):
        with pytest.raises(SignatureRefused):
            shared_access.check(wrong, KEY, "account", container, now)
