from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from setup_kit.sandbox import faults
from setup_kit.sandbox.faults import Fault, FaultError, Faults

GET = ("key-vault", "GET", "/secrets/x", "somebody")


def met(rules: Faults, count: int, request: tuple[str, str, str, str] = GET) -> list[str]:
    found = [rules.meet(*request) for _ in range(count)]
    return [fault.id if fault is not None else "-" for fault in found]


def test_a_rule_that_says_when_strikes_then_and_no_more(tmp_path: Path) -> None:
    faults.add(tmp_path, Fault("reset-before", after=2, times=3))
    assert met(Faults(tmp_path), 8) == ["-", "-", "f1", "f1", "f1", "-", "-", "-"]


def test_the_first_rule_that_strikes_is_met_and_every_rule_counts(tmp_path: Path) -> None:
    faults.add(tmp_path, Fault("reset-before", times=1))
    faults.add(tmp_path, Fault("reset-after", after=1))
    assert met(Faults(tmp_path), 3) == ["f1", "f2", "f2"]


def test_rules_that_come_and_go_hold_at_once_and_keep_their_counts(tmp_path: Path) -> None:
    rules = Faults(tmp_path)
    assert met(rules, 1) == ["-"]
    faults.add(tmp_path, Fault("reset-before", times=1))
    assert met(rules, 2) == ["f1", "-"]
    faults.add(tmp_path, Fault("reset-after", times=1))
    assert met(rules, 2) == ["f2", "-"]
    assert faults.remove(tmp_path, "f2")
    assert not faults.remove(tmp_path, "f2")
    assert faults.add(tmp_path, Fault("truncate")).id == "f3"  # no id is given twice
    assert met(rules, 1) == ["f3"]
    assert faults.clear(tmp_path) == 2
    assert met(rules, 1) == ["-"]


def test_a_file_that_cannot_be_read_is_no_faults_and_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / faults.FAULTS).write_text("{")
    assert met(Faults(tmp_path), 2) == ["-", "-"]
    assert "faults.json cannot be read" in caplog.text
    with pytest.raises(FaultError, match="cannot be read"):
        faults.add(tmp_path, Fault("truncate"))


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    faults.add(tmp_path, Fault("truncate"))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_rules_added_side_by_side_are_all_kept(tmp_path: Path) -> None:
    adding = [threading.Thread(target=faults.add, args=(tmp_path, Fault("truncate"))) for _ in range(8)]
    for each in adding:
        each.start()
    for each in adding:
        each.join()
    assert {fault.id for fault in faults.listed(tmp_path)} == {f"f{number}" for number in range(1, 9)}


@pytest.mark.parametrize(
    ("rule", "request_", "matches"),
    [
        ({"part": "key-vault", "path": "/SECRETS/*"}, GET, True),
        ({"part": "graph"}, GET, False),
        ({"method": "p*"}, GET, False),
        ({"caller": "some*"}, GET, True),
        ({"caller": "other"}, GET, False),
        ({"path": "/secrets"}, GET, False),
        ({"method": "create"}, ("sql", "CREATE LOGIN", "/server/master", "boss"), True),
        ({"method": "CREATE LOGIN"}, ("sql", "CREATE LOGIN", "/server/master", "boss"), True),
        ({"method": "CREATE L"}, ("sql", "CREATE LOGIN", "/server/master", "boss"), False),
        ({"path": "/server/*"}, ("sql", "SELECT", "/server/master", "boss"), True),
    ],
)
def test_globs_say_which_requests_a_rule_is_about(
    rule: dict[str, Any], request_: tuple[str, str, str, str], matches: bool
) -> None:
    assert Fault("reset-before", **rule).matches(*request_) is matches


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"kind": "flood"}, "there is no fault of the kind 'flood'"),
        ({"kind": "status"}, "status needs status"),
        ({"kind": "status", "status": 200}, "from 400 to 599"),
        ({"kind": "status", "status": 429, "part": "sql"}, "status is not a fault of sql"),
        ({"kind": "sql-error", "number": 40613, "part": "graph"}, "sql-error is not a fault of graph"),
        ({"kind": "expired-token", "part": "entra"}, "expired-token is not a fault of entra"),
        ({"kind": "truncate", "part": "mars"}, "there is no part 'mars'"),
        ({"kind": "truncate", "seconds": 3.0}, "truncate has no seconds"),
        ({"kind": "truncate", "share": 0.0}, "share is more than 0"),
        ({"kind": "truncate", "after": -1}, "not negative"),
        ({"kind": "sql-error", "number": 1, "severity": 26}, "severity is from 0 to 25"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_reason(rule: dict[str, Any], why: str) -> None:
    with pytest.raises(FaultError, match=why):
        Fault(**rule)
