"""Rotation: two users in turn, and at no moment a dead password in the secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from setup_kit.resources.secret_state import NAMED
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlError, connect, parse_ado_net
from setup_kit.sqlserver.quoting import quote_identifier
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import JOURNAL, Boundary
from tests.sandbox.job.owner import Owner
from tests.sandbox.job.rotating import MARK, Watcher, held, rotate, settled, sign_in, trial


def provisioned(kit: Kit, name: str, **changes: Any) -> Owner:
    """The owner of an environment of that name, made on first use."""
    if not kit.path(name).exists():
        kit.init(name, profile__prefix=name, profile__entities=["team"], profile__relationships=[], **changes)
        kit.apply(name).succeeded()
    return Owner(kit, kit.edit(name))


def service_tests(owner: Owner) -> list[dict[str, Any]]:
    return list(owner.service("GET", f"profiles/{owner.profile()['Id']}/test").json())


@pytest.mark.parametrize("authentication", ["login", "contained"])
def test_whoever_reads_the_secret_gets_in_at_every_moment_of_a_rotation(kit: Kit, authentication: str) -> None:
    name = f"turn{authentication}"
    owner = provisioned(kit, name, sql__export_user__authentication=authentication)
    old = owner.secret()
    with Watcher(owner) as watcher:
        first = kit.run("rotate", "-e", name, "--yes", "--grace", "2", "--output", "json").succeeded().json
    assert watcher.refusals == []
    assert watcher.users == ["dataexport", "dataexport_2"]
    assert (first["rotated"], first["user"]) == (True, "dataexport_2")

    new = owner.secret()
    assert (new["tags"], new["contentType"]) == ({**old["tags"], NAMED: "dataexport_2"}, old["contentType"])
    with pytest.raises(SqlError):
        sign_in(owner, parse_ado_net(Secret(old["value"])))
    assert all(trial["Succeeded"] for trial in service_tests(owner))
    assert kit.apply(name).succeeded().json["changes"] == []
    kit.run("verify", "-e", name).succeeded()
    journal = (kit.folder / ".setup-kit" / name / "journal.jsonl").read_text()
    for version in (old, new):
        password = parse_ado_net(Secret(version["value"])).password
        assert password is not None
        assert password.reveal() not in journal


def test_a_second_rotation_goes_back_to_the_first_name(kit: Kit) -> None:
    owner = provisioned(kit, "twice")
    assert rotate(kit, "twice").succeeded().json["user"] == "dataexport_2"
    before = settled(kit, "twice")
    assert rotate(kit, "twice").succeeded().json["user"] == "dataexport"
    assert settled(kit, "twice") == before
    sign_in(owner, held(owner))
    assert kit.apply("twice").succeeded().json["changes"] == []


def test_after_a_rotation_the_user_that_counts_is_named_by_the_report_and_by_what_takes_it_away(
    kit: Kit, tmp_path: Path
) -> None:
    provisioned(kit, "renamed")
    rotate(kit, "renamed").succeeded()
    page = tmp_path / "report.html"
    verified = kit.run("verify", "-e", "renamed", "--html", str(page), "--output", "json").succeeded()
    assert verified.json["provisioned"]["user"]["name"] == "dataexport_2"
    assert "Export user (of a login): dataexport_2" in page.read_text(encoding="utf-8")
    dropped = kit.run("user", "drop", "-e", "renamed", "--yes").succeeded()
    for line in ("- user/dataexport  dataexport_2  destructive", "- login/dataexport  dataexport_2  destructive"):
        assert line in dropped.out
    assert "✓ delete login/dataexport  dataexport_2" in dropped.err


def test_every_does_nothing_while_the_version_is_younger(kit: Kit) -> None:
    owner = provisioned(kit, "twice")
    version = owner.secret()["id"]
    young = rotate(kit, "twice", "--every", "30d").succeeded().json
    assert (young["rotated"], young["changes"]) == (False, [])
    assert owner.secret()["id"] == version
    assert rotate(kit, "twice", "--every", "0d").succeeded().json["rotated"] is True


def test_a_dry_run_shows_the_rotation_and_changes_nothing(kit: Kit) -> None:
    owner = provisioned(kit, "twice")
    before = (owner.secret(), settled(kit, "twice"))
    planned = kit.run("rotate", "-e", "twice", "--dry-run", "--output", "json").succeeded().json
    assert any(change["resource"].startswith("secret_version/") for change in planned["changes"])
    assert [change["target"].split()[0] for change in planned["changes"][-3:]] == ["user", "login", "tag"]
    assert (owner.secret(), settled(kit, "twice")) == before
    asked = kit.run("rotate", "-e", "twice")
    assert asked.code == 2
    assert "--yes" in asked.err


def test_a_name_that_somebody_else_holds_is_not_taken_over(kit: Kit) -> None:
    owner = provisioned(kit, "claimed", sql__export_user__name="export")
    owner.sql("CREATE LOGIN [export_2] WITH PASSWORD = N'Some-0ther-password'", "master")
    refused = rotate(kit, "claimed")
    assert refused.code == 1
    assert "'export_2'" in refused.text
    assert MARK not in owner.secret()["tags"]
    sign_in(owner, held(owner))


def test_what_the_user_before_owns_goes_to_its_successor(kit: Kit) -> None:
    name = "o'b]r 表"
    owner = provisioned(kit, "owning", sql__export_user__name=name)
    for statement in (
        "CREATE SCHEMA reports",
        "CREATE TABLE dbo.kept (id int NOT NULL PRIMARY KEY)",
        "CREATE TYPE dbo.numbers AS TABLE (id int NOT NULL)",
        f"ALTER AUTHORIZATION ON SCHEMA::reports TO {quote_identifier(name)}",
        f"ALTER AUTHORIZATION ON OBJECT::dbo.kept TO {quote_identifier(name)}",
        f"ALTER AUTHORIZATION ON TYPE::dbo.numbers TO {quote_identifier(name)}",
    ):
        owner.sql(statement)
    rotate(kit, "owning").succeeded()
    owners = "SELECT USER_NAME(principal_id) FROM"
    assert owner.sql(f"{owners} sys.schemas WHERE name = N'reports'")[0][0] == f"{name}_2"
    assert owner.sql(f"{owners} sys.tables WHERE name = N'kept'")[0][0] == f"{name}_2"
    assert owner.sql(f"{owners} sys.types WHERE name = N'numbers'")[0][0] == f"{name}_2"


def test_work_under_way_as_the_user_before_is_waited_for(kit: Kit) -> None:
    owner = provisioned(kit, "working")
    given = held(owner)
    working = connect(
        given.address,
        given.database,
        user=given.user,
        password=given.password,
        certificate=owner.box["sql_certificate"],
    )
    process = kit.start("rotate", "-e", "working", "--yes", "--grace", "0")
    with Watcher(owner) as watcher:
        while "dataexport_2" not in watcher.users:
            assert process.poll() is None
    assert working.execute("SELECT 1").fetchone()[0] == 1
    working.close()
    assert process.wait(60) == 0
    assert watcher.refusals == []


def test_what_a_killed_rotation_leaves_is_named_by_verify_and_taken_away_by_apply(kit: Kit) -> None:
    owner = provisioned(kit, "left")
    owner.sql("CREATE LOGIN [dataexport_2] WITH PASSWORD = N'Some-0ther-password'", "master")
    owner.update_secret(tags={**owner.secret()["tags"], MARK: "preparing"})
    verified = kit.run("verify", "-e", "left", "--output", "json")
    assert verified.code == 4
    assert any("login dataexport_2 is there" in finding["message"] for finding in verified.json["findings"])
    changes = kit.apply("left").succeeded().json["changes"]
    assert [change["target"] for change in changes] == ["login dataexport_2", f"tag {MARK}"]
    kit.run("verify", "-e", "left").succeeded()


def test_the_second_name_counts_although_the_secret_was_disabled(kit: Kit) -> None:
    owner = provisioned(kit, "disabled")
    rotate(kit, "disabled").succeeded()
    owner.update_secret(attributes={"enabled": False})
    changes = kit.apply("disabled").succeeded().json["changes"]
    assert [(change["resource"], change["target"]) for change in changes] == [
        ("secret/data-export-connection", "enabled")
    ]
    assert held(owner).user == "dataexport_2"
    sign_in(owner, held(owner))


MOMENTS = {
    "the mark is set": ("rotation_start/", "change_done"),
    "half of the grants are given": ("grants/", "change_done"),
    "the secret is being written": ("secret_version/", "change_started"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_rotation_killed_and_run_again_ends_like_an_undisturbed_one(kit: Kit, moment: str) -> None:
    provisioned(kit, "kills")
    runs = [line for line in kit.journal("kills") if line["command"] == "rotate"]
    if not runs:
        rotate(kit, "kills").succeeded()
        runs = [line for line in kit.journal("kills") if line["command"] == "rotate"]
    lines = [line for line in runs if line["run"] == runs[0]["run"]]
    resource, event = MOMENTS[moment]
    matching = [
        number
        for number, line in enumerate(lines, 1)
        if line["event"] == event and line.get("resource", "").startswith(resource)
    ]
    assert matching, json.dumps(lines)
    assert trial(kit, "kills", Boundary(JOURNAL, matching[len(matching) // 3]), settled(kit, "kills")) == ""
