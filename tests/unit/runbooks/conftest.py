"""A folder in which the installed command runs runbooks that a test writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from setup_kit.cli.command_lines import resolve
from setup_kit.runbooks.checking import check_runbook
from setup_kit.runbooks.problems import RunbookError
from setup_kit.runbooks.reading import read_runbook

COMMAND = str(Path(sys.executable).with_name("setup-kit"))

HEAD = """---
title: A trial
summary: Tries something.
{inputs}---

# A trial
"""


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str


class Desk:
    """Writes `trial.md` and runs commands in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "USER": "somebody"}

    def write(self, body: str, inputs: str = "") -> None:
        head = HEAD.format(inputs=f"inputs:\n{inputs}" if inputs else "")
        (self.folder / "trial.md").write_text(head + "\n" + body, encoding="utf-8")

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [COMMAND, "runbook", *arguments],
            cwd=self.folder,
            env=self.variables | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *arguments: str, **variables: str) -> Finished:
        process = self.start(*arguments, **variables)
        out, err = process.communicate(timeout=60)
        return Finished(process.returncode, out, err)

    def run(self, *arguments: str, **variables: str) -> Finished:
        return self.command("run", "./trial.md", "--auto", *arguments, **variables)

    def check(self) -> list[str]:
        """`line: message` of each problem."""
        try:
            problems = check_runbook(read_runbook(self.folder / "trial.md"), resolve)
        except RunbookError as error:
            problems = list(error.problems)
        return [f"{each.line}: {each.message}" for each in problems]

    @property
    def runs(self) -> list[Path]:
        return sorted((self.folder / ".setup-kit" / "runs").glob("*/"))

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.runs[-1] / "record.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def step(title: str, script: str, expect: str = "", *, when: str = "", caution: str = "") -> str:
    """A section of a runbook."""
    text = f"## {title}\n\n" + (f"> [!CAUTION]\n> {caution}\n\n" if caution else "")
    text += f"```sh{' when ' + when if when else ''}\n{script}\n```\n\n"
    return text + (f"```yaml expect\n{expect}\n```\n\n" if expect else "")
