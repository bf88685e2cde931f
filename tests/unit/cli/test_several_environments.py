"""Which environments `-e`, patterns and `--all` mean, and what is refused before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from setup_kit.environment.choosing import choose
from setup_kit.environment.sharing import lanes
from setup_kit.errors import WORST_FIRST, ExitCode
from tests.unit.cli.test_cli import run
from tests.unit.cli.test_completion import completed

ID = "11111111-1111-1111-1111-111111111111"


def document(name: str, **changes: Any) -> dict[str, Any]:
    """An environment with everything of its own; `changes` are dotted keys with `__` for the dot."""
    made: dict[str, Any] = {
        "tenant": ID,
        "subscription": ID,
        "location": "westeurope",
        "resource_group": "rg-exports",
        "sql": {
            "server": f"sql-{name}",
            "administrator": {"entra_group": {"name": "Administrators", "object_id": ID}},
            "database": {"name": name},
        },
        "key_vault": {"name": f"kv-{name}"},
        "dynamics": {"organization_url": "https://contoso.crm4.dynamics.com", "organization_id": ID},
        "profile": {"name": name, "prefix": "crm", "entities": ["account"]},
    }
    for key, value in changes.items():
        *sections, last = key.split("__")
        place = made
        for section in sections:
            place = place[section]
        place[last] = value
    return made


def write(folder: Path, name: str, content: dict[str, Any]) -> Path:
    path = folder / "environments" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("prod-a", "prod-b", "staging"):
        write(tmp_path, name, document(name))
    return tmp_path


def names(folder: Path, *given: str, every: bool = False) -> list[str]:
    return [each.name for each in choose(given, folder, every=every)]


def test_a_pattern_means_the_environments_named_like_it_each_once(folder: Path) -> None:
    assert names(folder, "prod-*") == ["prod-a", "prod-b"]
    assert names(folder, "staging", "prod-?", "prod-b", "environments/staging.yaml") == ["staging", "prod-a", "prod-b"]
    assert names(folder, every=True) == ["prod-a", "prod-b", "staging"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(folder: Path) -> None:
    (folder / "environments" / "prod-a.yaml").rename(folder / "p-a.yaml")
    assert names(folder, "p-a.yaml", "staging") == ["p-a", "staging"]


@pytest.mark.parametrize("given", [("--all",), ("-e", "*")])
def test_what_is_only_there_to_be_extended_is_no_environment_of_a_pattern(folder: Path, given: tuple[str, ...]) -> None:
    base = document("base")
    del base["profile"]
    write(folder, "base", base)
    write(folder, "first", {"extends": "base.yaml", "profile": {"name": "first", "entities": ["account"]}})
    assert names(folder, *given[1:], every=given == ("--all",)) == ["first", "prod-a", "prod-b", "staging"]
    # Whoever names it is told what it lacks.
    refused = run("plan", "-e", "staging", "-e", "base", cwd=folder)
    assert refused.returncode == 2
    assert "profile: is missing" in refused.stderr


def test_an_environment_that_another_extends_is_one_itself(folder: Path) -> None:
    write(folder, "more", {"extends": "staging.yaml", "profile": {"name": "more"}})
    assert names(folder, every=True) == ["more", "prod-a", "prod-b", "staging"]


@pytest.mark.parametrize("command", ["doctor", "plan", "apply", "verify", "status", "rotate"])
def test_a_pattern_that_matches_nothing_is_refused_with_what_may_be_meant(folder: Path, command: str) -> None:
    refused = run(command, "-e", "stagin*ng", cwd=folder)
    assert refused.returncode == 2
    assert 'no environment is named like "stagin*ng"' in refused.stderr
    assert "there are prod-a, prod-b, staging" in refused.stderr
    assert "did you mean staging?" in refused.stderr
    assert refused.stdout == ""


def test_all_problems_of_all_files_are_named_at_once(folder: Path) -> None:
    write(folder, "prod-a", document("prod-a", sql__server="NO SUCH NAME"))
    write(folder, "prod-b", document("prod-b", profile__entities=[], location=3))
    refused = run("apply", "-e", "prod-*", "-e", "nowhere", "--yes", cwd=folder)
    assert refused.returncode == 2
    for part in ("3 of the environments cannot be used; nothing was sent", "prod-a.yaml:", "sql.server", '"nowhere"'):
        assert part in refused.stderr
    assert refused.stderr.count("prod-b.yaml:") == 2
    said = run("apply", "-e", "prod-*", "--yes", "--output", "json", cwd=folder)
    problems = json.loads(said.stdout)["error"]["problems"]
    assert {Path(problem["file"]).name for problem in problems} == {"prod-a.yaml", "prod-b.yaml"}


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    other = folder / "other" / "staging.yaml"
    other.parent.mkdir()
    other.write_text(yaml.safe_dump(document("other")), encoding="utf-8")
    refused = run("plan", "-e", "staging", "-e", "other/staging.yaml", cwd=folder)
    assert refused.returncode == 2
    assert "environments/staging.yaml and other/staging.yaml are both named staging" in refused.stderr


@pytest.mark.parametrize("command", ["plan", "apply", "rotate"])
def test_two_environments_that_name_the_same_thing_are_refused_by_name(folder: Path, command: str) -> None:
    shared = {"sql__server": "sql-prod-a", "key_vault__name": "kv-prod-a", "profile__name": "PROD-A"}
    write(folder, "prod-b", document("prod-b", **shared))
    refused = run(command, "--all", cwd=folder)
    assert refused.returncode == 2
    for part in (
        "prod-a and prod-b: export user dataexport on sql-prod-a",
        "prod-a and prod-b: secret data-export-connection in vault kv-prod-a",
        "prod-a and prod-b: profile prod-a of https://contoso.crm4.dynamics.com",
    ):
        assert part in refused.stderr
    assert "staging" not in refused.stderr


def test_those_that_share_a_server_or_a_vault_go_one_after_the_other(folder: Path) -> None:
    write(folder, "prod-b", document("prod-b", sql__server="sql-prod-a"))
    write(folder, "third", document("third", key_vault__name="kv-prod-b"))
    chosen = choose((), folder, every=True)
    assert sorted([each.name for each in lane] for lane in lanes(chosen)) == [
        ["prod-a", "prod-b", "third"],
        ["staging"],
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "-e", "staging", "--all"), "--all means every environment"),
        (("plan",), "Missing option '-e' / '--environment', or --all."),
        (("apply",), "Missing option '-e' / '--environment', --all, or the FILE"),
        (("plan", "-e", "prod-*", "--out", "x.plan"), "--out is of one environment"),
        (("verify", "--all", "--html", "x.html"), "--html is of one environment"),
        (("plan", "--all", "--parallel", "0"), "--parallel"),
        (("destroy", "--all"), "No such option '--all'"),
        (("destroy", "-e", "prod-a", "-e", "prod-b"), "destroy takes one environment, and 2 are named: prod-a, prod-b"),
        (("server", "show", "-e", "prod-*"), "show takes one environment, and prod-* is a pattern"),
    ],
    ids=" ".join,
)
def test_what_is_of_one_environment_is_refused_for_several(folder: Path, words: tuple[str, ...], said: str) -> None:
    refused = run(*words, cwd=folder)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert not list(folder.glob("x.*"))


def test_all_of_no_environment_is_refused(tmp_path: Path) -> None:
    refused = run("status", "--all", cwd=tmp_path)
    assert refused.returncode == 2
    assert "setup-kit init" in refused.stderr


def test_all_is_all_whatever_the_variable_names(folder: Path) -> None:
    refused = run("verify", "--all", "--html", "x.html", cwd=folder, SETUP_KIT_ENVIRONMENT="staging")
    assert "--html is of one environment" in refused.stderr
    refused = run("verify", "--html", "x.html", cwd=folder, SETUP_KIT_ENVIRONMENT="prod-*")
    assert "--html is of one environment" in refused.stderr


def test_an_environment_that_is_named_already_is_not_completed_again(folder: Path) -> None:
    assert completed(folder, "apply", "-e", "prod-a", "-e", "pro") == ["prod-b"]
    assert completed(folder, "apply", "-e", "pro") == ["prod-a", "prod-b"]
    assert completed(folder, "destroy", "-e", "pro") == ["prod-a", "prod-b"]


def test_the_worst_exit_code_is_said_for_every_one_there_is(tmp_path: Path) -> None:
    assert sorted(WORST_FIRST) == sorted(ExitCode)
    said = run("help", "exit-codes", cwd=tmp_path)
    assert "Of several environments the worst counts: 130, then 1, 2, 4, 3, 0." in said.stdout


@pytest.mark.parametrize("named", ["nosuch", "nosuch-*"])
def test_what_is_only_there_to_be_extended_is_not_offered_as_an_environment(tmp_path: Path, named: str) -> None:
    base = document("base")
    del base["profile"]
    write(tmp_path, "base", base)
    write(tmp_path, "harbour", {"extends": "base.yaml", "profile": {"name": "harbour", "entities": ["account"]}})
    refused = run("plan", "-e", named, cwd=tmp_path)
    assert "there are harbour\n" in refused.stderr
    assert "did you mean" not in run("plan", "-e", "bas", cwd=tmp_path).stderr
