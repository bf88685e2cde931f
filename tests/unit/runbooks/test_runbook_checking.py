"""What `runbook check` finds."""

from __future__ import annotations

import json
import re

import pytest

from setup_kit.cli.command_lines import resolve
from setup_kit.runbooks.folder import available, folder
from tests.unit.runbooks.conftest import Desk, step


def test_every_runbook_of_the_kit_passes(desk: Desk) -> None:
    done = desk.command("check", "--output", "json")
    assert json.loads(done.out)["problems"] == []
    assert len(json.loads(done.out)["checked"]) == 10
    assert done.code == 0


def test_the_folder_s_own_readme_names_each_of_them() -> None:
    text = (folder() / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\(([a-z-]+)\.md\)", text)) == {path.stem for path in available()}


@pytest.mark.parametrize(
    ("body", "inputs", "told"),
    [
        (step("One", "setup-kit plan -e dev --detailed"), "", "No such option '--detailed'"),
        (step("One", "setup-kit pln -e dev"), "", "there is no command pln; did you mean plan?"),
        (step("One", 'x=$(setup-kit plan) && echo "$x"'), "", "lacks"),
        (step("One", "setup-kit status -e dev extra"), "", "takes no further word extra"),
        (step("One", "setup-kit init dev --cloud moon"), "", "'moon' is not one of"),
        (step("One", "setup-kit sandbox"), "", "names no command"),
        ("Use `setup-kit plan --nowhere`.\n\n" + step("One", "true"), "", "No such option '--nowhere'"),
        (step("One", 'echo "$word"'), "", "uses $word, which is no input, and no step above exports it"),
        (step("One", 'echo "$ID"') + step("Two", "export ID=1"), "", "uses $ID"),
        (step("One", "true"), "  word: {description: A word}\n", "the input word is declared but not used"),
        (step("One", "echo $word"), "  word: {description: A word}\n", 'write "$word"'),
        (step("One", "true", when="cloud == public"), "", "its condition asks for cloud"),
        (step("One", "true", when="cloud is public"), "", "is no condition such as"),
        (step("One", "if true"), "", "is no shell script"),
        (step("One", "curl -X DELETE https://x"), "", "no `> [!CAUTION]` that is confirmed"),
        (step("One", "az group delete --name x"), "", "no `> [!CAUTION]` that is confirmed"),
        (step("One", "sqlcmd <<SQL\nDROP TABLE x;\nSQL"), "", "no `> [!CAUTION]` that is confirmed"),
        (step("One", "true", "exit: many"), "", "the expectation's exit"),
        (step("One", "true", "text: ''"), "", "text and absent are not empty"),
        (step("One", "true", "json: {'a[': 1}"), "", "is no JMESPath"),
        (step("One", "true", "every: 3"), "", "every has no meaning without within"),
        (step("One", "true", "until: x"), "", "the expectation's until"),
        ("## One\n\n```yaml expect\nexit: 0\n```\n\n" + step("Two", "true"), "", "does not follow a command"),
        (step("One", "true", "text: a") + "```yaml expect\nexit: 0\n```\n", "", "second expectation"),
        (step("2. One", "true"), "", "is numbered 2, but it is step 1"),
        (step("One", "true") + step("One", "true"), "", "two steps are called 'One'"),
        ("## One\n\n- a\n\n  ```sh\n  true\n  ```\n\n" + step("Two", "true"), "", "inside a list or a quotation"),
        ("```sh\ntrue\n```\n", "", "above the first heading"),
        ("## One\n\n```sh now\ntrue\n```\n", "", "'now' after sh is not known"),
        ("## One\n\n```sh\ntrue\n", "", "the block has no end"),
        ("Nothing to do.\n", "", "has no step"),
        (step("One", 'echo "$Word"'), "  Word: {description: A word}\n", "is no name of an input"),
        (step("One", 'echo "$a"'), "  a: {description: A, type: date}\n", "is none of string, integer"),
        (
            step("One", 'echo "$a"'),
            "  a: {description: A, secret: true, default: abcdefg}\n",
            "a secret has no default",
        ),
        (step("One", 'echo "$a"'), "  a: {description: A, pattern: '[0-9]+', default: b}\n", "its default is refused"),
        (step("One", 'echo "$a"'), "  a: {description: A, colour: red}\n", "inputs.a.colour"),
        (step("One", 'echo "$a"'), "  a: {description: A, when: b == c}\n", "which is no input above it"),
    ],
)
def test_it_finds(desk: Desk, body: str, inputs: str, told: str) -> None:
    desk.write(body, inputs)
    problems = desk.check()
    assert any(told in problem for problem in problems), problems
    assert len(problems) <= 2


def test_it_tells_all_problems_at_once_each_with_its_line(desk: Desk) -> None:
    desk.write(step("One", "setup-kit nowhere") + step("Two", 'echo "$word"'))
    assert [problem.split(":")[0] for problem in desk.check()] == ["10", "16"]


def test_a_sound_runbook_of_ones_own_passes(desk: Desk) -> None:
    inputs = "  environment: {type: environment, description: The environment}\n"
    desk.write(step("One", 'setup-kit plan \\\n  -e "$environment" | tail -1'), inputs)
    assert desk.check() == []


@pytest.mark.parametrize("words", [["plan", "-e", "$environment"], ["--version"], ["sandbox", "up", "--help"]])
def test_a_command_line_that_exists_has_nothing_wrong(words: list[str]) -> None:
    assert resolve(words, True) is None


def test_no_front_matter_is_said(desk: Desk) -> None:
    (desk.folder / "trial.md").write_text("# A trial\n\n" + step("One", "true"), encoding="utf-8")
    assert any("does not start with front matter" in problem for problem in desk.check())


def test_list_and_show_tell_what_there_is(desk: Desk) -> None:
    listed = desk.command("list")
    assert "rotate-credentials" in listed.out
    shown = desk.command("show", "rotate-credentials")
    assert "Input grace [60]: Seconds" in shown.out
    assert "## 3. Rotate" in shown.out
    nearly = desk.command("show", "rotate-credential")
    assert nearly.code == 2
    assert "did you mean rotate-credentials?" in nearly.err
