"""Bad input ends in a clear error, and nothing is touched."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from tests.sandbox.job.harness import Kit
from tests.sandbox.job.owner import Owner


def line_of(kit: Kit, name: str, key: str) -> int:
    """The line of a dotted key in a file as `yaml.safe_dump` writes it: two blanks a level."""
    sections, found = key.split("."), 0
    lines = kit.path(name).read_text(encoding="utf-8").splitlines()
    for level, section in enumerate(sections):
        begin = f"{'  ' * level}{section}:"
        found = next(number for number, line in enumerate(lines[found:], start=found + 1) if line.startswith(begin))
    return found


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an unknown key": ({"sql__databas": {"name": "x"}}, ["sql.databas"]),
    "a wrong type": ({"sql__database__maxdop": "one"}, ["sql.database.maxdop"]),
    "two problems at once": (
        {"profile__prefix": "a-b", "sql__server": "Under_score"},
        ["profile.prefix", "sql.server"],
    ),
    "a name that the cloud forbids": ({"key_vault__name": "1-starts-with-a-digit"}, ["key_vault.name"]),
    "a region without a service address": (
        {"sql__firewall__service_region": "Mars North"},
        ["sql.firewall.service_region"],
    ),
    "a prefix of 15 characters": ({"profile__prefix": "a" * 15}, ["profile.prefix"]),
    "a secret in the file": ({"sql__administrator__password": "hunter2hunter2"}, ["sql.administrator.password"]),
    "a hostile schema": (
        {"sql__export_user__schema": "x]; DROP TABLE t--", "profile__schema": "x]; DROP TABLE t--"},
        ["sql.export_user.schema", "profile.schema"],
    ),
    "a quote in the prefix": ({"profile__prefix": "o'brien"}, ["profile.prefix"]),
    "another script in the prefix": ({"profile__prefix": "Ünïcode 表"}, ["profile.prefix"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_before_the_first_call_with_file_line_and_key(kit: Kit, case: str) -> None:
    changes, keys = REFUSED[case]
    name = f"bad{list(REFUSED).index(case)}"
    kit.init(name, **changes)
    before = len(kit.requests())
    for command in (("plan", "-e", name), ("apply", "-e", name, "--yes"), ("verify", "-e", name)):
        refused = kit.run(*command)
        assert refused.code == 2, refused.text
        assert refused.out == ""
        for key in keys:
            place = f"environments/{name}.yaml:{line_of(kit, name, key)}: {key}: "
            assert re.search(re.escape(place) + r"\S", refused.err), refused.err
        assert "hunter2" not in refused.text
    assert len(kit.requests()) == before


def test_problems_are_a_list_in_json(kit: Kit) -> None:
    kit.init("badjson", profile__prefix="a" * 15, sql__server="Under_score")
    refused = kit.run("plan", "-e", "badjson", "--output", "json")
    assert refused.code == 2
    assert {problem["key"] for problem in refused.json["error"]["problems"]} == {"profile.prefix", "sql.server"}


def test_an_unknown_environment_is_a_usage_error_with_the_near_ones(kit: Kit, dev: str) -> None:
    refused = kit.run("plan", "-e", "devv")
    assert refused.code == 2
    assert "did you mean dev?" in refused.err


def nothing_is_touched(kit: Kit, name: str, variables: dict[str, str] | None = None) -> str:
    """Runs apply, which must fail without a write; what it said."""
    before = len(kit.writes())
    failed = kit.run("apply", "-e", name, "--yes", variables=variables)
    assert failed.code == 1, failed.text
    assert kit.writes()[before:] == []
    assert "Traceback" not in failed.text
    return failed.text


def test_an_endpoint_that_nobody_answers_at_is_named(kit: Kit) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"https://127.0.0.1:{closed.getsockname()[1]}"
        kit.init("unreachable", export_service={"discovery": address})
        assert address in nothing_is_touched(kit, "unreachable")


def test_a_wrong_client_secret_is_said_in_entras_words(kit: Kit) -> None:
    kit.init("wrongsecret")
    said = nothing_is_touched(kit, "wrongsecret", {"AZURE_CLIENT_SECRET": "not-the-secret-at-all"})
    assert "AADSTS7000215" in said
    assert "AZURE_CLIENT_SECRET" in said
    assert "not-the-secret-at-all" not in said


def test_a_foreign_tenant_is_refused(kit: Kit) -> None:
    kit.init("foreigntenant", tenant="99999999-9999-9999-9999-999999999999")
    assert "99999999-9999-9999-9999-999999999999" in nothing_is_touched(kit, "foreigntenant")


@pytest.mark.parametrize("entity", ["accuont", "activitypointer2"])
def test_an_entity_that_does_not_exist_is_named(kit: Kit, entity: str) -> None:
    kit.init(f"missing{entity}", profile__entities=["contact", entity], profile__relationships=[])
    assert entity in nothing_is_touched(kit, f"missing{entity}")


def test_an_entity_that_is_not_change_tracked_is_named_with_what_to_do(kit: Kit) -> None:
    kit.init("untracked", profile__entities=["contact", "phonecall"], profile__relationships=[])
    said = nothing_is_touched(kit, "untracked")
    assert "phonecall" in said
    assert "change tracking" in said.lower()


def test_a_server_name_that_somebody_else_owns_is_refused(kit: Kit) -> None:
    kit.init("taken", sql__server="owned-by-someone-else")
    state = kit.state()
    state.put("taken-names", "server/owned-by-someone-else", {})
    state.close()
    assert "owned-by-someone-else" in nothing_is_touched(kit, "taken")


def test_a_vault_name_that_a_deleted_vault_holds_is_refused_or_recovered_when_it_was_ours(kit: Kit) -> None:
    environment = kit.init("deleted", profile__prefix="deleted", profile__entities=["team"], profile__relationships=[])
    kit.apply("deleted").succeeded()
    owner = Owner(kit, environment)
    owner.manage("DELETE", owner.vault)

    vault = environment["key_vault"]["name"]
    kit.init("other", key_vault__name=vault, profile__entities=["team"], profile__relationships=[])
    said = nothing_is_touched(kit, "other")
    assert vault in said
    assert "deleted" in said

    # Role assignments go with a deleted vault and do not come back with it; the secret and its password do.
    recovered = kit.apply("deleted").succeeded().json
    resources = {change["resource"] for change in recovered["changes"]}
    assert resources == {f"key_vault/{vault}", "vault_access/operator", "vault_access/service"}
    kit.run("verify", "-e", "deleted").succeeded()


@pytest.mark.parametrize("number, login", [(0, "x]; DROP TABLE t--"), (1, "o'brien"), (2, "Ünïcode 表")])
def test_a_hostile_login_name_is_carried_out_exactly_as_named(kit: Kit, number: int, login: str) -> None:
    environment = kit.init(
        f"hostile{number}",
        sql__export_user__name=login,
        sql__database__name=f"db {number} {login}".replace("/", "").replace(";", ","),
        profile__prefix=f"h{number}",
        profile__entities=["team"],
        profile__relationships=[],
    )
    kit.apply(f"hostile{number}").succeeded()
    owner = Owner(kit, environment)
    assert login in [row[0] for row in owner.sql("SELECT name FROM sys.sql_logins", "master")]
    assert login in [row[0] for row in owner.sql("SELECT name FROM sys.database_principals")]
    assert owner.sql(f"SELECT COUNT(*) FROM [dbo].[h{number}_team]")[0][0] > 0  # noqa: S608
    kit.run("verify", "-e", f"hostile{number}").succeeded()


def test_a_second_environment_does_not_change_what_was_made_for_the_first(kit: Kit, dev: str) -> None:
    first = kit.edit(dev)
    kit.init("second")
    kit.path("second").write_text(kit.path(dev).read_text(encoding="utf-8"), encoding="utf-8")
    kit.edit("second", sql__database={**first["sql"]["database"], "sku": "P2"})
    said = nothing_is_touched(kit, "second")
    assert "was made for the environment 'dev'" in said
    assert f"database/{first['sql']['database']['name']}" in said


@pytest.mark.parametrize("command", [("apply", "--yes"), ("rotate", "--yes")])
def test_a_file_in_the_place_of_the_environments_folder_is_named_before_anything_is_changed(
    kit: Kit, command: tuple[str, str]
) -> None:
    if not kit.path("in-the-way").exists():
        kit.init("in-the-way")
    place = kit.folder / ".setup-kit" / "in-the-way"
    place.parent.mkdir(exist_ok=True)
    place.touch()
    before = len(kit.writes())
    refused = kit.run(*command, "-e", "in-the-way", "--output", "json").failed(1)
    error = refused.json["error"]
    assert error["what"] == ".setup-kit/in-the-way cannot be used"
    assert "move it out of the way" in error["remedy"]
    assert len(kit.writes()) == before
