"""Completion in the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.unit.cli.test_cli import COMMAND, given_options, run

INTERACTIVE = {
    "bash": (["--norc", "--noprofile", "-i"], "bind 'set show-all-if-ambiguous on'; PS1='ready> '"),
    "zsh": (["-f", "-i"], "autoload -Uz compinit; compinit -u -d .zcompdump; PROMPT='ready> '"),
    "zsh without compinit": (["-f", "-i"], "PROMPT='ready> '"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "environments").mkdir()
    for name in ("dev", "demo", "prod"):
        (tmp_path / "environments" / f"{name}.yaml").touch()
    return tmp_path


def needs(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed: ./run test installs it")
    return found


def variables() -> dict[str, str]:
    return {"PATH": f"{Path(COMMAND).parent}:{os.environ['PATH']}", "TERM": "dumb", "LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize("given", INTERACTIVE)
def test_tab_completes_commands_and_environments(given: str, folder: Path) -> None:
    words, settings = INTERACTIVE[given]
    shell = given.split()[0]
    home = variables() | {"HOME": str(folder)}
    screen = pexpect.spawn(needs(shell), words, cwd=str(folder), env=home, encoding="utf-8", timeout=30)
    screen.sendline(f'{settings}; eval "$(setup-kit completion {shell})"; echo is $((40 + 2))')
    screen.expect("is 42")
    screen.send("setup-kit pla\t")
    screen.expect("setup-kit plan ")
    screen.send("-e pr\t")
    screen.expect("-e prod ")
    # What several names begin with alike is filled in first, then the names are listed.
    screen.send("-e d\t")
    if shell == "zsh":  # by default it lists them at the second stroke
        screen.expect("de")
        screen.send("\t")
    screen.expect("demo")
    screen.expect("dev")
    screen.close(force=True)


def test_fish_completes_commands_and_environments(folder: Path) -> None:
    lines = 'setup-kit completion fish | source; complete -C "setup-kit ver"; complete -C "setup-kit plan -e d"'
    done = subprocess.run(
        [needs("fish"), "--no-config", "-c", lines],
        cwd=folder,
        env=variables() | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["verify", "demo", "dev"]


def test_a_shell_that_is_none_of_the_three_is_refused(folder: Path) -> None:
    assert "complete -o nosort -F _setup_kit_completion setup-kit" in run("completion", "bash", cwd=folder).stdout
    refused = run("completion", "powershell", cwd=folder)
    assert refused.returncode == 2
    assert "'bash', 'zsh', 'fish'" in refused.stderr


def completed(folder: Path, *words: str) -> list[str]:
    """What Click answers a shell, by its own protocol."""
    answer = run(
        cwd=folder,
        _SETUP_KIT_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(("setup-kit", *words)),
        COMP_CWORD=str(len(words)),
    )
    return [line.split(",")[1] for line in answer.stdout.splitlines()]


def test_runbooks_topics_and_keys_complete(folder: Path) -> None:
    assert "rotate-credentials" in completed(folder, "runbook", "run", "rot")
    assert completed(folder, "help", "commands", "sandbox", "fau") == ["fault"]
    assert completed(folder, "help", "environment", "sql.d") == ["sql.database"]
    assert "sql.database.sku" in completed(folder, "help", "environment", "sql.database.")


def test_the_rules_of_the_environment_that_is_named_complete(folder: Path) -> None:
    path = folder / "environments" / "dock.yaml"
    assert run("init", "dock", *given_options(), cwd=folder).returncode == 0
    rules = "[{name: office, start: 192.0.2.1, end: 192.0.2.1}, {name: home, start: 192.0.2.2, end: 192.0.2.2}]"
    text = path.read_text(encoding="utf-8")
    assert text.count("    rules: []\n") == 1
    path.write_text(text.replace("rules: []", f"rules: {rules}"), encoding="utf-8")
    assert completed(folder, "firewall", "remove", "-e", "dock", "") == ["office", "home"]
    assert completed(folder, "firewall", "remove", "-e", "dock", "o") == ["office"]


def test_completion_imports_nothing_heavy(folder: Path) -> None:
    code = (
        "import sys, os; sys.argv = ['setup-kit']; from setup_kit.cli.root import cli\n"
        "try: cli.main(prog_name='setup-kit', standalone_mode=False)\n"
        "except BaseException: pass\n"
        "print([*sys.modules], file=sys.stderr)"
    )
    asked = {"_SETUP_KIT_COMPLETE": "bash_complete", "COMP_WORDS": "setup-kit plan -e d", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=asked, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["plain,demo", "plain,dev"]
    for heavy in ("azure", "pydantic", "rich", "yaml", "pyodbc"):
        assert f"'{heavy}'" not in done.stderr


def test_a_near_word_is_asked_for(folder: Path) -> None:
    for words, meant in (
        (("aply",), "Did you mean 'apply'?"),
        (("sandbox", "stats"), "Did you mean 'status'?"),
        (("plan", "--enviroment", "dev"), "--environment"),
        (("plan", "-e", "prd"), "did you mean prod?"),
        (("runbook", "show", "rotate-credential"), "did you mean rotate-credentials?"),
    ):
        refused = run(*words, cwd=folder)
        assert refused.returncode == 2
        assert meant in refused.stderr, refused.stderr
