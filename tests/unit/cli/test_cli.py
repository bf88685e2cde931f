"""The command line, without a cloud."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from setup_kit.cli import front
from setup_kit.cli.command_reference import walk
from setup_kit.cli.root import cli
from setup_kit.environment.loading import load

COMMAND = str(Path(sys.executable).with_name("setup-kit"))
README = Path(__file__).parents[3] / "README.md"


ALL = {" ".join(words): command for words, command in walk(cli)}


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("path", ALL)
def test_every_command_says_what_it_does_and_every_option_what_it_is_for(path: str) -> None:
    command = ALL[path]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.name}"


def test_help_imports_no_sdk_no_driver_and_no_model() -> None:
    code = "import sys; from setup_kit.cli.root import cli; [*cli.commands.values()]; print([*sys.modules])"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("azure", "msal", "pyodbc", "pydantic", "rich", "jinja2", "yaml", "aiohttp", "sqlglot", "requests"):
        assert f"'{heavy}'" not in imported


def loaded_by(*arguments: str) -> str:
    """The modules that are loaded when a command line has ended, as a list in text."""
    code = (
        "import atexit, sys; from setup_kit.cli import main; atexit.register(lambda: print([*sys.modules]));"
        f"sys.argv = ['setup-kit', *{arguments}]; main()"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_help_of_the_kit_loads_not_even_click() -> None:
    modules = loaded_by("--help")
    assert "'setup_kit.cli.front'" in modules
    assert "'click'" not in modules
    assert "'setup_kit.cli.plan'" not in modules


def test_the_help_of_a_command_loads_no_other_command() -> None:
    modules = loaded_by("plan", "--help")
    assert "'setup_kit.cli.plan'" in modules
    assert [name for name in ("apply", "work", "session", "server") if f"'setup_kit.cli.{name}'" in modules] == []


def test_the_front_page_tells_of_every_command_in_its_own_words() -> None:
    for name, (_, said) in front.COMMANDS.items():
        assert cli.commands[name].name == name
        assert cli.commands[name].get_short_help_str(1000) == said


@pytest.mark.parametrize("width", [48, 50, 61, 78, 98, 140])
def test_the_front_page_is_laid_out_as_the_help_of_each_command_is(width: int) -> None:
    epilog = "\n\n".join(f"\b\n{block}" for block in front.EPILOG.split("\n\n"))
    group = click.Group("setup-kit", {**cli.commands}, help=front.INTRODUCTION, epilog=epilog, params=cli.params)
    context = click.Context(group, info_name="setup-kit", terminal_width=width, help_option_names=["-h", "--help"])
    assert front.page(width).splitlines() == group.get_help(context).rstrip().splitlines()


@pytest.mark.parametrize(("columns", "width"), [(30, 50), (60, 58), (80, 78), (90, 88), (300, 98), (0, 78)])
def test_the_front_page_is_as_wide_as_the_terminal_within_bounds(columns: int, width: int, tmp_path: Path) -> None:
    for option in ("--help", "-h"):
        assert run(option, cwd=tmp_path, COLUMNS=str(columns)).stdout == front.page(width) + "\n"


def test_without_a_word_the_help_is_shown_and_it_is_a_usage_error(tmp_path: Path) -> None:
    bare = run(cwd=tmp_path)
    assert bare.returncode == 2
    assert bare.stderr.strip() == run("--help", cwd=tmp_path).stdout.strip()


def test_a_missing_environment_is_a_usage_error_that_names_the_next_command(tmp_path: Path) -> None:
    refused = run("plan", "-e", "nowhere", cwd=tmp_path)
    assert refused.returncode == 2
    assert "setup-kit init nowhere" in refused.stderr
    assert refused.stdout == ""


def test_an_error_in_json_is_one_document_on_standard_output(tmp_path: Path) -> None:
    refused = run("plan", "-e", "nowhere", "--output", "json", cwd=tmp_path)
    assert json.loads(refused.stdout)["error"]["exit_code"] == refused.returncode == 2


def test_an_unknown_option_is_a_usage_error_with_the_near_one(tmp_path: Path) -> None:
    refused = run("plan", "--enviroment", "dev", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--environment" in refused.stderr


def test_a_plan_does_not_replace_an_environment_file(tmp_path: Path) -> None:
    place = tmp_path / "environments" / "ok.yaml"
    place.parent.mkdir()
    place.write_text("version: 1\n", encoding="utf-8")
    refused = run("plan", "-e", "ok", "--out", "environments/ok.yaml", "--output", "json", cwd=tmp_path)
    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert "environments/ok.yaml is there and is no saved plan" in error["what"]
    assert error["remedy"]
    assert place.read_text(encoding="utf-8") == "version: 1\n"


@pytest.mark.parametrize("words", [("plan", "-e", "ok", "--out"), ("verify", "-e", "ok", "--html"), ("apply",)])
def test_an_empty_text_is_no_file(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = run(*words, "", cwd=tmp_path)
    assert refused.returncode == 2
    assert "an empty text names no file" in refused.stderr


def test_a_plan_that_is_not_there_is_told_from_a_file_that_is_none(tmp_path: Path) -> None:
    refused = run("apply", "nope.plan", cwd=tmp_path)
    assert refused.returncode == 2
    assert "there is no file nope.plan" in refused.stderr
    (tmp_path / "bad.plan").write_text("[]", encoding="utf-8")
    refused = run("apply", "bad.plan", cwd=tmp_path)
    assert refused.returncode == 2
    assert "bad.plan is not a saved plan" in refused.stderr
    assert "__init__" not in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("apply", "--output", "json"), "Missing option"),
        (("aply", "--output=json"), "No such command"),
        (("plan", "--enviroment", "dev", "--output", "json"), "No such option"),
    ],
)
def test_a_usage_error_is_a_document_where_documents_are_wanted(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    refused = run(*words, cwd=tmp_path)
    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert said in error["what"]
    assert error["exit_code"] == 2
    assert "--help" in error["remedy"]


def test_a_usage_error_is_text_where_text_is_wanted(tmp_path: Path) -> None:
    refused = run("apply", "--output", "text", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Missing option" in refused.stderr


@pytest.mark.parametrize(
    "words", [("schema",), ("plan", "--help"), ("--help",), ("plan", "-e", "x", "--output", "json")]
)
def test_a_full_disk_below_the_output_is_said_and_is_no_defect(tmp_path: Path, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [COMMAND, *words], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert "defect" not in done.stderr
    assert "Traceback" not in done.stderr


def test_options_that_exclude_each_other_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    refused = run("profile", "activate", "-e", "nowhere", "--metadata", "--data", cwd=tmp_path)
    assert refused.returncode == 2
    assert "exclude each other" in refused.stderr


def test_init_without_a_person_names_every_option_it_misses(tmp_path: Path) -> None:
    refused = run("init", "dev", "--tenant", "11111111-1111-1111-1111-111111111111", cwd=tmp_path)
    assert refused.returncode == 2
    for option in ("--subscription", "--location", "--organization-url", "--organization-id", "--administrator-group"):
        assert option in refused.stderr
    assert "--tenant" not in refused.stderr
    assert not (tmp_path / "environments").exists()


def given_options() -> list[str]:
    options = {
        "--tenant": "11111111-1111-1111-1111-111111111111",
        "--subscription": "22222222-2222-2222-2222-222222222222",
        "--location": "westeurope",
        "--organization-url": "https://contoso.crm4.dynamics.com",
        "--organization-id": "44444444-4444-4444-4444-444444444444",
        "--administrator-group": "SQL Administrators",
        "--administrator-group-id": "33333333-3333-3333-3333-333333333333",
        "--service-region": "West Europe",
    }
    return [word for pair in options.items() for word in pair]


def test_init_with_all_options_writes_a_file_that_loads(tmp_path: Path) -> None:
    given = given_options()
    names = ("--resource-group", "rg-own", "--server", "sql-own", "--vault", "kv-own", "--profile", "Own")
    written = run("init", "dev", *given, *names, "--entity", "account", "--entity", "contact", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    text = (tmp_path / "environments" / "dev.yaml").read_text(encoding="utf-8")
    assert "https://contoso.crm4.dynamics.com" in text
    for line in ("resource_group: rg-own", "  server: sql-own", "  name: kv-own", "  name: Own"):
        assert f"{line}\n" in text
    again = run("init", "dev", *given, cwd=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_init_on_a_machine_asks_for_its_login_and_for_no_group(tmp_path: Path) -> None:
    given = given_options()
    group = given.index("--administrator-group")
    given = [*given[:group], *given[group + 4 :], "--machine", "sql01.contoso.com,14330"]
    refused = run("init", "vm", *given, cwd=tmp_path)
    assert refused.returncode == 2
    assert "--administrator-login" in refused.stderr
    assert "--administrator-group" not in refused.stderr
    refused = run("init", "vm", *given, "--administrator-login", "sa", "--server", "sql-own", cwd=tmp_path)
    assert "--machine or --server" in refused.stderr
    written = run("init", "vm", *given, "--administrator-login", "sa", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    text = (tmp_path / "environments" / "vm.yaml").read_text(encoding="utf-8")
    assert "    host: sql01.contoso.com\n" in text
    assert "    port: 14330\n" in text
    assert "firewall:" not in text


# What Python has on Linux and macOS alone.
WITHOUT_POSIX = """
import os, signal, sys
for name in ("fchmod", "fork", "geteuid", "getuid", "killpg", "setsid"):
    delattr(os, name)
del signal.SIGKILL
sys.modules.update(fcntl=None, grp=None, pwd=None, resource=None, termios=None)
from setup_kit.cli import main
main()
"""


def test_the_kit_needs_nothing_that_windows_lacks(tmp_path: Path) -> None:
    def start(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WITHOUT_POSIX, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    made = start("init", "dev", *given_options())
    assert made.returncode == 0, made.stderr
    assert "connection" in start("help", "environment", "key_vault.secret").stdout
    refused = start("plan", "-e", "dve")
    assert refused.returncode == 2
    assert "did you mean dev?" in refused.stderr
    sandbox = start("sandbox", "status")
    assert sandbox.returncode == 1
    assert "WSL" in sandbox.stderr


def test_the_sandbox_must_be_named_before_an_environment_uses_it(tmp_path: Path) -> None:
    refused = run("init", "dev", "--cloud", "sandbox", cwd=tmp_path)
    assert refused.returncode == 2
    assert "SETUP_KIT_SANDBOX" in refused.stderr
    assert "sandbox up" in refused.stderr


def test_no_sandbox_is_said_with_how_to_start_one(tmp_path: Path) -> None:
    for command in ("env", "status", "requests", "down"):
        refused = run("sandbox", command, "--dir", "box", cwd=tmp_path)
        assert "Traceback" not in refused.stderr
    for command in ("env", "requests"):
        assert run("sandbox", command, "--dir", "box", cwd=tmp_path).returncode == 1
    assert run("sandbox", "down", "--dir", "box", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("detach", [(), ("--detach",)])
def test_a_file_in_the_place_of_the_kits_folder_is_named_by_the_sandbox(tmp_path: Path, detach: tuple[str]) -> None:
    (tmp_path / ".setup-kit").touch()
    refused = run("sandbox", "up", *detach, cwd=tmp_path)
    assert refused.returncode == 1
    assert "error: .setup-kit cannot be used" in refused.stderr.replace(f"{tmp_path}/", "")
    assert "move it out of the way" in refused.stderr
    assert "defect" not in refused.stderr


def test_colours_only_where_they_are_wanted(tmp_path: Path) -> None:
    for variables in ({}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}):
        assert "\x1b[3" not in run("plan", "-e", "nowhere", cwd=tmp_path, **variables).stderr
    assert "\x1b[3" in run("plan", "-e", "nowhere", cwd=tmp_path, FORCE_COLOR="1").stderr


def test_environment_names_complete(tmp_path: Path) -> None:
    (tmp_path / "environments").mkdir()
    for name in ("dev", "demo", "prod"):
        (tmp_path / "environments" / f"{name}.yaml").touch()
    found = run(cwd=tmp_path, _SETUP_KIT_COMPLETE="bash_complete", COMP_WORDS="setup-kit plan -e de", COMP_CWORD="3")
    assert found.stdout.split() == ["plain,demo", "plain,dev"]


def test_the_environment_file_of_the_readme_is_valid(tmp_path: Path) -> None:
    block = README.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "readme.yaml").write_text(block, encoding="utf-8")
    assert load("readme.yaml", tmp_path).environment.profile.prefix == "crm"


@pytest.mark.parametrize("words", [("verify", "-e", "dev", "--html"), ("plan", "-e", "dev", "--out")])
def test_a_hyphen_names_no_file_to_write(tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = run(*words, "-", cwd=tmp_path)
    assert refused.returncode == 2
    assert "- names no file" in refused.stderr


def test_the_one_address_of_a_rule_that_is_wrong_is_told_once(tmp_path: Path) -> None:
    assert run("init", "dev", *given_options(), cwd=tmp_path).returncode == 0
    refused = run("firewall", "add", "-e", "dev", "bad", "300.1.1.1", "--yes", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.count("is not an IPv4 address") == 1
    refused = run("firewall", "add", "-e", "dev", "bad", "300.1.1.1", "300.1.1.2", "--yes", cwd=tmp_path)
    assert refused.stderr.count("is not an IPv4 address") == 2
