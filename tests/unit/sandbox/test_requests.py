from __future__ import annotations

import json
from pathlib import Path

import pytest

from setup_kit.sandbox.requests import RequestLog, is_write, read_requests


def test_a_line_has_the_seven_fields_and_no_query(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "requests.jsonl")
    log.add("key-vault", "GET", "/secrets/x?api-version=7.5&sig=abc", 200, 12.345, "app")
    line = json.loads((tmp_path / "requests.jsonl").read_text())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "part": "key-vault",
        "method": "GET",
        "path": "/secrets/x",
        "status": 200,
        "milliseconds": 12.3,
        "caller": "app",
    }


def test_lines_are_appended_and_the_file_is_private(tmp_path: Path) -> None:
    for _ in range(2):
        log = RequestLog(tmp_path / "requests.jsonl")
        log.add("sql", "SELECT", "/server/database", 0, 1, "a\nb")
        log.close()
    assert len((tmp_path / "requests.jsonl").read_text().splitlines()) == 2
    assert (tmp_path / "requests.jsonl").stat().st_mode & 0o777 == 0o600


def test_what_was_logged_can_be_read_but_for_half_a_line(tmp_path: Path) -> None:
    assert read_requests(tmp_path) == []
    log = RequestLog(tmp_path / "requests.jsonl")
    log.add("sql", "SELECT", "/server/database", 0, 1, "login")
    with (tmp_path / "requests.jsonl").open("a") as file:
        file.write('{"part": "sq')
    assert [each["method"] for each in read_requests(tmp_path)] == ["SELECT"]


@pytest.mark.parametrize(
    ("part", "method", "path", "write"),
    [
        ("entra", "POST", "/tenant/oauth2/v2.0/token", False),
        ("resource-manager", "GET", "/subscriptions/s", False),
        ("resource-manager", "PUT", "/subscriptions/s/resourceGroups/g", True),
        ("resource-manager", "POST", "/subscriptions/s/providers/Microsoft.Sql/checkNameAvailability", False),
        ("export-service", "POST", "/crm/exporter/profiles/validate", False),
        ("export-service", "POST", "/crm/exporter/profiles", True),
        ("sql", "LOGIN", "/server/master", False),
        ("sql", "SELECT", "/server/master", False),
        ("sql", "TRANSACTION", "/server/master", False),
        ("sql", "EXECUTE sp_datatype_info_100", "/server/master", False),
        ("sql", "EXECUTE spMergeaccount", "/server/master", True),
        ("sql", "CREATE LOGIN", "/server/master", True),
    ],
)
def test_a_write_is_what_may_change_something(part: str, method: str, path: str, write: bool) -> None:
    assert is_write({"part": part, "method": method, "path": path}) is write
