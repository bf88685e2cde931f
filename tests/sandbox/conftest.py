"""A sandbox of its own for each worker of the test run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from setup_kit.sandbox.process import start_command, stop
from setup_kit.sandbox.state import State

SERVE = """
import asyncio, sys
from pathlib import Path
from setup_kit.sandbox import host
asyncio.run(host.run(Path(sys.argv[1]), None, float(sys.argv[2]), lambda: None))
"""


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: what sandbox.json says, its directory, and its state, to change the world behind the kit."""

    document: dict[str, Any]
    directory: Path
    state: State

    def __getitem__(self, name: str) -> Any:
        return self.document[name]


def _start(directory: Path, latency: float) -> Sandbox:
    command = [sys.executable, "-c", SERVE, str(directory), str(latency)]
    document = start_command(command, directory)
    return Sandbox(document, directory, State(directory / "state.db"))


def _stop(sandbox: Sandbox) -> None:
    sandbox.state.close()
    stop(sandbox.directory)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of a worker: take names of your own for groups, servers and vaults."""
    started = _start(tmp_path_factory.mktemp("sandbox"), 0.0)
    yield started
    _stop(started)


@pytest.fixture
def new_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Starts a sandbox of the test's own, as often as it is called: in `directory`, with a `latency` factor."""
    started: list[Sandbox] = []

    def start(directory: Path | None = None, latency: float = 0.0) -> Sandbox:
        started.append(_start(directory or tmp_path / "sandbox", latency))
        return started[-1]

    yield start
    for each in started:
        _stop(each)
