"""A folder beside a sandbox in which runbooks run, with a stand-in for sqlcmd on the path."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.job.harness import Finished, Kit

ROOT = Path(__file__).parents[3]


class Runbooks(Kit):
    """Runs the kit's own runbooks without questions."""

    @property
    def variables(self) -> dict[str, str]:
        found = super().variables
        return found | {"PATH": f"{self.folder / 'bin'}:{found['PATH']}"}

    def runbook(self, name: str, /, *, variables: dict[str, str] | None = None, **inputs: Any) -> Finished:
        given = [word for key, value in inputs.items() for word in ("--input", f"{key}={value}")]
        return self.run("runbook", "run", name, "--auto", "--output", "json", *given, variables=variables)


@pytest.fixture
def runbooks(tmp_path: Path) -> Iterator[Callable[[], Runbooks]]:
    """Starts a sandbox with its folder."""
    made: list[Runbooks] = []

    def start() -> Runbooks:
        command = tmp_path / "bin" / "sqlcmd"
        command.parent.mkdir(parents=True)
        python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
        command.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {python} -m tests.sandbox.runbooks.sqlcmd "$@"\n')
        command.chmod(0o755)
        made.append(Runbooks(tmp_path))
        return made[-1]

    yield start
    for each in made:
        each.close()
