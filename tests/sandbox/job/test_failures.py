"""The failure log through the installed command: a profile of which one entity is lost and another fails by record."""

from __future__ import annotations

import stat
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from setup_kit.report.schemas import SCHEMAS
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.owner import Owner

NAME = "failing"


@pytest.fixture(scope="session")
def owner(kit: Kit, dev: str) -> Owner:
    retry = {"count": 0, "interval_seconds": 0}
    return Owner(
        kit, kit.beside(NAME, dev, name="Failing", prefix=NAME, entities=["team", "businessunit"], retry=retry)
    )


@pytest.fixture(scope="session")
def failing(kit: Kit, owner: Owner) -> str:
    """The table of businessunit cannot be made; no name of a team fits into its column."""
    kit.run("profile", "create", "-e", NAME, "--yes").succeeded()
    owner.sql("CREATE TABLE dbo.failing_businessunit (x int)")
    told = kit.run("profile", "activate", "-e", NAME, "--metadata", "--yes").succeeded()
    assert "says profile.activate: all" in told.err
    made = kit.run("profile", "watch", "-e", NAME, "--metadata", "--output", "json")
    assert made.code == 4
    assert {each["message"]: each["status"] for each in made.json["findings"]} == {
        "team: its table is made": "passed",
        "businessunit: the service could not make its table": "failed",
    }
    owner.sql("ALTER TABLE dbo.failing_team ALTER COLUMN name nvarchar(1)")
    kit.run("profile", "activate", "-e", NAME, "--yes").succeeded()
    watched = kit.run("profile", "watch", "-e", NAME, "--output", "json")
    assert watched.code == 4
    assert {(each["check"], each["message"].split(":")[0]) for each in watched.json["findings"]} == {
        ("initial_sync.failures", "team"),
        ("initial_sync.lost", "businessunit"),
    }
    assert all(f"setup-kit failures explain -e {NAME}" in each["remedy"] for each in watched.json["findings"])
    return NAME


def asked(kit: Kit, *words: str) -> Any:
    found = kit.run("failures", *words, "-e", NAME, "--output", "json").succeeded().json
    schema = {"list": "failures", "summary": "failure-counts", "explain": "failure-reasons"}[words[0]]
    Draft202012Validator(SCHEMAS[schema]).validate(found)
    return found


def test_failures_are_counted_by_entity_and_reason(kit: Kit, failing: str) -> None:
    summary = asked(kit, "summary")
    counts = {(each["entity"], each["known"]): each for each in summary["failures"]}
    assert set(counts) == {("team", "text_too_long"), ("businessunit", "object_exists")}
    team = counts["team", "text_too_long"]
    assert team["records"] == team["entries"] > 1
    assert summary["entries"] == sum(each["entries"] for each in summary["failures"])
    text = kit.run("failures", "summary", "-e", failing, "--since", "1h").succeeded().out
    assert "A text is longer than its column in the destination." in text

    listed = asked(kit, "list", "--entity", "team", "--limit", "1")
    assert [each["entity"] for each in listed["failures"]] == ["team"]
    assert listed["left_out"] == team["entries"] - 1
    assert "would be truncated" in listed["failures"][0]["reason"]


def test_each_reason_is_explained_with_the_next_command(kit: Kit, failing: str) -> None:
    reasons = {each["reason"]: each for each in asked(kit, "explain")["reasons"]}
    assert reasons["object_exists"]["entities"] == ["businessunit"]
    assert reasons["object_exists"]["command"] == f"setup-kit profile activate --again -e {failing}"
    text = kit.run("failures", "explain", "-e", failing).succeeded().out
    for each in reasons.values():
        assert each["meaning"] in text
        assert each["command"] in text


def test_the_log_is_downloaded_for_its_reader_only_and_its_address_is_never_shown(kit: Kit, failing: str) -> None:
    target = kit.folder / "downloaded"
    done = kit.run("failures", "download", "-e", failing, "-v", str(target)).succeeded()
    files = {path.relative_to(target).parts[0] for path in target.rglob("*") if path.is_file()}
    assert files == {"data", "metadata", "failurelog", "forcerefreshfailurelog"}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [target, *target.rglob("*")]}
    assert modes == {0o600, 0o700}
    assert "/failurelogs/" in done.err
    assert "sig=" not in done.text
    again = kit.run("failures", "download", "-e", failing, "--output", "json", str(target)).succeeded().json
    Draft202012Validator(SCHEMAS["failure-files"]).validate(again)
    assert {each["name"] for each in again["files"]} == {
        path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()
    }


def test_what_failed_is_exported_anew_when_its_cause_is_mended(kit: Kit, failing: str, owner: Owner) -> None:
    owner.sql("DROP TABLE dbo.failing_businessunit")
    owner.sql("ALTER TABLE dbo.failing_team ALTER COLUMN name nvarchar(160)")
    kit.run("profile", "activate", "-e", failing, "--again", "--yes").succeeded()
    watched = kit.run("profile", "watch", "-e", failing, "--strict", "--for", "1m").succeeded()
    assert "businessunit:" in watched.out
    kit.run("profile", "delete", "-e", failing, "--drop-objects", "--yes").succeeded()
    assert owner.sql("SELECT name FROM sys.tables WHERE name LIKE N'failing%'") == []


def test_a_folder_that_cannot_be_made_is_named_though_there_is_nothing_to_download(kit: Kit, dev: str) -> None:
    (kit.folder / "in-the-way").touch()
    refused = kit.run("failures", "download", "-e", dev, "in-the-way/below").failed(1)
    assert "in-the-way cannot be used" in refused.err
    assert kit.run("failures", "download", "-e", dev, "nothing").succeeded().out == "0 files, 0 bytes, in nothing\n"
    assert list((kit.folder / "nothing").iterdir()) == []
