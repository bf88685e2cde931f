from __future__ import annotations

import json
from pathlib import Path

from setup_kit.sandbox.requests import RequestLog


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
