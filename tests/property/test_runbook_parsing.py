"""Runbooks of any text: read or refused, never anything else."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.runbooks.condition import parse_condition
from setup_kit.runbooks.expectation import parse_expectation
from setup_kit.runbooks.masking import SHORTEST, Mask
from setup_kit.runbooks.problems import RunbookError
from setup_kit.runbooks.reading import parse_runbook
from setup_kit.runbooks.script import ScriptError, read_script

PATH = Path("any.md")
HEAD = "---\ntitle: Any\nsummary: Any.\n---\n"
LINE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40)
# Pieces that runbooks are made of, put together in every wrong way.
_MARKS = ["---", "## 1. One", "## Two", "# Three", "```sh", "```sh when a == b", "```", "````", "```yaml expect"]
_TEXTS = ["exit: 3", "json: {a: 1}", "within: 9", "> [!CAUTION]", "> Burns.", "- item", "  ```sh", "echo", "", "\t"]
PIECES = st.sampled_from([*_MARKS, *_TEXTS])
SHELL = st.sampled_from(
    [*"'\"$`(){}<>|&;#\\\n \t=", "$(", "${", "<<EOF\n", "EOF\n", "setup-kit ", "name", "$name", "&&"]
)
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(st.one_of(PIECES, LINE), max_size=40))
def test_any_text_is_a_runbook_or_refused_with_lines_that_it_has(lines: list[str]) -> None:
    for text in ("\n".join(lines), HEAD + "\n".join(lines)):
        try:
            found = parse_runbook(text, PATH, "")
        except RunbookError as error:
            last = text.count("\n") + 2
            assert error.problems
            assert all(1 <= problem.line <= last for problem in error.problems)
        else:
            assert [step.number for step in found.steps] == [*range(1, len(found.steps) + 1)]
            assert all(step.commands for step in found.steps)


@given(st.lists(st.lists(LINE.filter(lambda line: "```" not in line), min_size=1, max_size=4), min_size=1, max_size=5))
def test_every_command_is_read_as_it_is_written(scripts: list[list[str]]) -> None:
    written = ["\n".join(lines) for lines in scripts]
    sections = [f"## Step {'a' * n}\n\n```sh\n{script}\n```\n" for n, script in enumerate(written, 1)]
    if any(not script.strip() for script in written):
        with pytest.raises(RunbookError):
            parse_runbook(HEAD + "\n".join(sections), PATH, "")
        return
    found = parse_runbook(HEAD + "\n".join(sections), PATH, "")
    assert [command.script for step in found.steps for command in step.commands] == [s.rstrip("\n") for s in written]


@given(st.lists(st.one_of(SHELL, WORD), max_size=30).map("".join))
def test_any_script_is_read_or_refused(text: str) -> None:
    try:
        read_script(text)
    except ScriptError as error:
        assert str(error)


@given(st.lists(st.lists(WORD, max_size=5), min_size=1, max_size=4))
def test_the_words_of_quoted_commands_are_found_exactly(commands: list[list[str]]) -> None:
    text = " && ".join("setup-kit " + shlex.join(words) for words in commands)
    assert read_script(text).commands == [["setup-kit", *words] for words in commands]
    inside = read_script(f'x="$({text})"\ncat <<EOF\n$({text})\nEOF\n').commands
    assert inside == [["setup-kit", *words] for words in commands] + [["cat"]] + [
        ["setup-kit", *words] for words in commands
    ]


@given(st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), WORD.filter(lambda w: "\n" not in w), max_size=4))
def test_the_words_that_a_shell_sees_are_those_that_are_read(values: dict[str, str]) -> None:
    script = "printf '%s\\n' " + shlex.join(values.values()) + " end"
    seen = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode().split("\n")[:-1]
    assert read_script(script).commands[0][2:] == seen


@given(st.lists(WORD.filter(lambda w: "\n" not in w and len(w) >= SHORTEST and w.isprintable()), max_size=4), LINE)
def test_no_secret_is_left_in_masked_text(secrets: list[str], around: str) -> None:
    mask = Mask()
    mask.learn(secrets)
    text = around + around.join(secrets) + "".join(map(shlex.quote, secrets))
    assert not [secret for secret in secrets if secret in mask(text).replace("***", "\0")]


@given(st.one_of(LINE, st.lists(st.one_of(PIECES, LINE), max_size=6).map("\n".join)))
def test_any_expectation_and_condition_is_taken_or_refused_with_a_sentence(text: str) -> None:
    for parse in (parse_expectation, parse_condition):
        try:
            parse(text)
        except ValueError as error:
            assert str(error)
