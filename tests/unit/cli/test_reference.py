"""The reference is whole: every command and every key has its row, its help and examples that hold."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from setup_kit.cli.command_lines import resolve
from setup_kit.cli.command_reference import examples, page, walk
from setup_kit.cli.root import cli
from setup_kit.environment import shape
from setup_kit.environment.checking import check
from setup_kit.environment.document import Place, tree
from setup_kit.environment.reference import Key, keys
from setup_kit.errors import EXIT_CODES, ExitCode
from tests.unit.cli.started import all_started
from tests.unit.cli.test_cli import run

ROOT = Path(__file__).parents[3]
COMMANDS = {" ".join(words): command for words, command in walk(cli)}
KEYS = {key.name: key for key in keys()}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_examples_of_itself_that_hold(path: str) -> None:
    lines = examples(COMMANDS[path])
    assert any(line.startswith(f"setup-kit {path}") for line in lines), lines
    for line in lines:
        words = shlex.split(re.split(r" [>|] ", line)[0])
        assert resolve(words[1:], whole=True) is None, line


def test_every_command_has_a_row_in_the_reference(tmp_path: Path) -> None:
    text = run("help", "commands", cwd=tmp_path).stdout
    listed = json.loads(run("help", "commands", "--output", "json", cwd=tmp_path).stdout)["commands"]
    assert [each["command"] for each in listed] == list(COMMANDS)
    for each in listed:
        assert re.search(rf"^{each['command']}  ", text, re.MULTILINE)
        assert each["summary"] and each["help"] and each["examples"]
        assert all(option["help"] for option in each["options"]), each["command"]


@pytest.fixture(scope="session")
def starts() -> set[tuple[str, ...]]:
    return all_started()


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_tested_through_the_installed_script(path: str, starts: set[tuple[str, ...]]) -> None:
    words = tuple(path.split())
    assert any(line[: len(words)] == words for line in starts)


@pytest.mark.parametrize("path", ["", *COMMANDS])
def test_help_is_at_most_eighty_columns_wide(path: str) -> None:
    for line in page(cli, tuple(path.split()), 80).splitlines():
        assert len(line) <= 80, line


def test_the_reference_of_keys_is_whole() -> None:
    assert [name.replace("[]", "") for name in KEYS] == ["extends", *(".".join(key) for key in shape.walk())]


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_every_key_is_described_and_its_example_is_valid(key: Key) -> None:
    assert key.description and key.type
    document = yaml.safe_load(key.example)
    place = document
    for step in key.name.removesuffix("[]").split("."):
        place = place[step.removesuffix("[]")]
        if step.endswith("[]"):
            place = place[0]
    document.pop("extends", None)
    problems = check(tree(document, Place(Path("example.yaml"), 1)), whole=False)[1]
    assert problems == []


def test_a_key_shows_its_type_default_rules_and_example(tmp_path: Path) -> None:
    text = run("help", "environment", "sql.database.max_size_gb", cwd=tmp_path).stdout
    assert "whole number" in text
    assert "250" in text
    assert "From 1 to 131072." in text
    assert "max_size_gb: 250" in text
    assert "The vault that keeps" in run("help", "environment", "key_vault", cwd=tmp_path).stdout


def test_a_key_or_command_that_is_none_is_refused_with_the_near_one(tmp_path: Path) -> None:
    refused = run("help", "environment", "sql.servr", cwd=tmp_path)
    assert refused.returncode == 2
    assert "sql.server" in refused.stderr
    refused = run("help", "commands", "sandbox", "falt", cwd=tmp_path)
    assert refused.returncode == 2
    assert "sandbox fault" in refused.stderr


def test_every_page_of_the_help_is_printed_within_eighty_columns(tmp_path: Path) -> None:
    pages = [
        run("help", cwd=tmp_path),
        run("help", "variables", cwd=tmp_path),
        run("help", "files", cwd=tmp_path),
        run("help", "errors", cwd=tmp_path),
        run("help", "exit-codes", cwd=tmp_path),
        run("help", "environment", cwd=tmp_path),
        run("help", "environment", "sql.server", cwd=tmp_path),
        run("help", "sandbox", "fault", cwd=tmp_path),
    ]
    for each in pages:
        assert each.returncode == 0
        # An address is not cut.
        lines = [line for line in each.stdout.splitlines() if "https://" not in line]
        assert max(map(len, lines)) <= 80


def test_every_exit_code_is_explained() -> None:
    assert set(EXIT_CODES) == set(ExitCode)


def test_every_variable_of_the_kit_is_explained(tmp_path: Path) -> None:
    explained = run("help", "variables", cwd=tmp_path).stdout
    sources = [path for path in (ROOT / "setup_kit").rglob("*.py") if "sandbox" not in path.parts]
    named = {name for path in sources for name in re.findall(r"\bSETUP_KIT_[A-Z_]+[A-Z]\b", path.read_text("utf-8"))}
    # Given to a runbook's commands, not taken from a person.
    assert {name for name in named if name not in explained} <= {"SETUP_KIT_PYTHON", "SETUP_KIT_INPUT"}
