"""What is shown in a terminal of eighty columns."""

from __future__ import annotations

import re

import pexpect
import pytest

from tests.sandbox.job.harness import COMMAND, TIMEOUT, Kit

WIDTH = 80


def screen(kit: Kit, *words: str, **variables: str) -> list[str]:
    """The lines that a command writes to a terminal, without what colours them or moves the cursor."""
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
    written = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", str(terminal.before))
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
