"""What is shown in a terminal of eighty columns."""

from __future__ import annotations

import re

import pexpect
import pytest

from tests.sandbox.job.harness import COMMAND, TIMEOUT, Kit

WIDTH = 80


def raw(kit: Kit, *words: str, **variables: str) -> str:
    """All that a command writes to a terminal."""
    terminal = pexpect.spawn(
        COMMAND,
        list(words),
        cwd=str(kit.folder),
        env=kit.variables | {"TERM": "xterm-256color", "COLUMNS": str(WIDTH)} | variables,
        dimensions=(60, WIDTH),
        encoding="utf-8",
        timeout=TIMEOUT,
    )
    terminal.expect(pexpect.EOF)
    return str(terminal.before)


def screen(kit: Kit, *words: str, **variables: str) -> list[str]:
    """The lines that a command writes to a terminal, without what colours them or moves the cursor."""
    written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", raw(kit, *words, **variables))
    return [line.rstrip() for line in re.split(r"[\r\n]+", written)]


@pytest.mark.parametrize(
    "words",
    [
        ("plan",),
        ("plan", "--open-firewall"),
        ("doctor",),
        ("verify",),
        ("status",),
        ("destroy", "--dry-run", "--include-data"),
    ],
    ids=lambda words: words[0],
)
def test_no_line_is_wider_than_the_terminal(kit: Kit, dev: str, words: tuple[str, ...]) -> None:
    lines = screen(kit, *words, "-e", dev)
    wide = [line for line in lines if len(line) > WIDTH and not line.lstrip().startswith("→")]
    assert wide == []
    assert len(lines) > 1


def test_a_plan_of_all_there_is_to_make_is_no_wider(kit: Kit) -> None:
    kit.init("eighty")
    lines = screen(kit, "plan", "-e", "eighty")
    assert [line for line in lines if len(line) > WIDTH] == []
    assert any("to create" in line for line in lines)


def test_the_list_of_runbooks_is_no_wider(kit: Kit) -> None:
    assert [line for line in screen(kit, "runbook", "list") if len(line) > WIDTH] == []


@pytest.mark.parametrize(
    "words",
    ["plan", "doctor", "verify", "status", "destroy --dry-run", "secret versions", "secret show", "profile list"],
)
def test_in_a_pipe_lines_are_as_wide_as_columns_says_and_lose_nothing(kit: Kit, dev: str, words: str) -> None:
    narrow = kit.run(*words.split(), "-e", dev, variables={"COLUMNS": str(WIDTH)}).succeeded().out
    wide = [line for line in narrow.splitlines() if len(line) > WIDTH and not line.lstrip().startswith("→")]
    assert wide == []
    assert "…" not in narrow


def test_in_a_pipe_without_columns_nothing_is_wrapped(kit: Kit, dev: str) -> None:
    listed = kit.run("profile", "list", "-e", dev).succeeded().out
    assert len(listed.splitlines()) == 1 + listed.count("/secrets/")


@pytest.mark.parametrize("plain", ["NO_COLOR", "--no-color"])
def test_without_colour_a_terminal_gets_no_bold_either(kit: Kit, dev: str, plain: str) -> None:
    option = [plain] if plain.startswith("-") else []
    variables = {} if option else {plain: "1"}
    assert re.search(r"\x1b\[[0-9;]*m", raw(kit, "status", "-e", dev))
    assert re.search(r"\x1b\[[0-9;]*m", raw(kit, "status", "-e", dev, *option, **variables)) is None


def test_moments_are_told_in_one_form_and_in_utc(kit: Kit, dev: str) -> None:
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    for words in (("status",), ("profile", "show"), ("secret", "versions")):
        told = kit.run(*words, "-e", dev).succeeded().out
        assert " (UTC)" in told
        assert re.search(moment, told)
        assert not re.search(r"\d\d-\d\dT\d\d:", told)
    shown = kit.run("secret", "show", "-e", dev).succeeded().out
    assert re.search(f"created: {moment} UTC\n", shown)
    assert "problem: (none)\n" in shown


def test_a_list_of_nothing_says_so(kit: Kit) -> None:
    for words, told in (
        (("fault", "list"), "There are no faults.\n"),
        (("policy", "list"), "There are no policies.\n"),
        (("requests", "--part", "nowhere"), "There are no such requests.\n"),
    ):
        assert kit.run("sandbox", *words).succeeded().out == told
