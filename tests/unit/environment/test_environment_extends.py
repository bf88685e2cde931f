from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from setup_kit.environment.loading import load
from setup_kit.environment.problems import EnvironmentFileError, Problem

Write = Callable[..., Path]

CHILD = """\
extends: base.yaml
resource_group: rg-test
profile:
  entities: [lead]
"""


def told(name: str, root: Path) -> tuple[Problem, ...]:
    with pytest.raises(EnvironmentFileError) as caught:
        load(name, root)
    return caught.value.problems


def test_a_file_takes_from_its_parent_what_it_leaves_out(tmp_path: Path, write: Write, good: str) -> None:
    write(good, "base.yaml")
    write(CHILD, "test.yaml")
    environment = load("test", tmp_path).environment
    assert environment.resource_group == "rg-test"
    assert environment.profile.entities == ("lead",)  # a list is replaced
    assert environment.profile.prefix == "crm"  # a mapping is merged
    assert environment.sql.server == "sql-contoso"


def test_the_path_is_relative_to_the_file(tmp_path: Path, write: Write, good: str) -> None:
    write(good, "shared/base.yaml")
    write(CHILD.replace("base.yaml", "../shared/base.yaml"), "eu/test.yaml")
    assert load("environments/eu/test.yaml", tmp_path).environment.resource_group == "rg-test"


def test_files_extend_in_a_chain(tmp_path: Path, write: Write, good: str) -> None:
    write(good, "base.yaml")
    write(CHILD, "middle.yaml")
    write("extends: middle.yaml\nprofile: {prefix: leaf}\n", "leaf.yaml")
    profile = load("leaf", tmp_path).environment.profile
    assert (profile.prefix, profile.entities, profile.name) == ("leaf", ("lead",), "Contoso CRM")


def test_an_empty_value_takes_back_what_the_parent_set(tmp_path: Path, write: Write, good: str) -> None:
    write(good, "base.yaml")
    write(
        "extends: base.yaml\n"
        "sql: {administrator: {entra_group: , sql_login: boss}, firewall: {service_region: null}}\n",
        "test.yaml",
    )
    sql = load("test", tmp_path).environment.sql
    assert (sql.administrator.entra_group, sql.administrator.sql_login) == (None, "boss")
    assert sql.firewall.service_region is None
    assert len(sql.firewall.rules) == 1


def test_a_problem_is_laid_at_the_file_and_line_that_hold_the_value(tmp_path: Path, write: Write, good: str) -> None:
    base = write(good.replace("server: sql-contoso", "server: SQL"), "base.yaml")
    test = write("extends: base.yaml\nlocation: '!'\nprofile:\n  prefix: a_b\n", "test.yaml")
    assert [(p.file.name, p.line, p.key) for p in told("test", tmp_path)] == [
        (test.name, 2, "location"),
        (test.name, 4, "profile.prefix"),
        (base.name, 7, "sql.server"),
    ]


def test_unknown_keys_and_duplicates_in_a_parent_are_told(tmp_path: Path, write: Write, good: str) -> None:
    write(good + "nonsense: 1\ntenant: x\n", "base.yaml")
    write(CHILD, "test.yaml")
    assert [(p.file.name, p.line, p.key) for p in told("test", tmp_path)] == [
        ("base.yaml", 29, "nonsense"),
        ("base.yaml", 30, "tenant"),
    ]


@pytest.mark.parametrize("chain", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_circle_is_refused(tmp_path: Path, write: Write, chain: list[str]) -> None:
    for name, parent in zip(chain, [*chain[1:], chain[0]], strict=True):
        write(f"extends: {parent}.yaml\n", f"{name}.yaml")
    (problem,) = told("a", tmp_path)
    assert (problem.file.name, problem.line, problem.key) == (f"{chain[-1]}.yaml", 1, "extends")
    assert " → ".join(f"{name}.yaml" for name in [*chain, "a"]) in problem.message


def test_a_chain_has_an_end(tmp_path: Path, write: Write) -> None:
    for number in range(20):
        write(f"extends: f{number + 1}.yaml\n", f"f{number}.yaml")
    assert "a chain of more than 10 files" in told("f0", tmp_path)[0].message


@pytest.mark.parametrize("value", ["nowhere.yaml", "[a.yaml]", "12", "", "{}", "."])
def test_a_parent_that_is_none_is_told_and_nothing_is_called_missing(tmp_path: Path, write: Write, value: str) -> None:
    write(f"extends: {value}\nprofile: {{prefix: a_b}}\n", "test.yaml")
    assert [(p.line, p.key) for p in told("test", tmp_path)] == [(1, "extends"), (2, "profile.prefix")]


def test_a_parent_that_is_no_yaml_is_told_with_its_own_line(tmp_path: Path, write: Write) -> None:
    write("a: b\n\tc: d\n", "base.yaml")
    write(CHILD, "test.yaml")
    (problem,) = told("test", tmp_path)
    assert (problem.file.name, problem.line) == ("base.yaml", 2)
