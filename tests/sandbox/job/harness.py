"""The installed `setup-kit`, run in a folder of its own against a sandbox of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from setup_kit.cli.sandbox import settings
from setup_kit.sandbox.process import read_document, start_detached, stop
from setup_kit.sandbox.requests import is_write, read_requests
from setup_kit.sandbox.state import State

COMMAND = str(Path(sys.executable).with_name("setup-kit"))
TIMEOUT = 120
FEW = 0.05  # of the usual records: what is provisioned is looked at here, not how many rows there are
GLANCE = 0.05


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def text(self) -> str:
        return self.out + self.err

    def succeeded(self) -> Finished:
        assert self.code == 0, self.text
        return self

    def failed(self, code: int) -> Finished:
        assert self.code == code, self.text
        return self


class Started(Protocol):
    """A command that is running: what is used of `subprocess.Popen`."""

    def poll(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    def kill(self) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Kit:
    """A folder to work in, beside a running sandbox. `timeout`: of a command, in seconds."""

    timeout: float = TIMEOUT

    def __init__(self, folder: Path, latency: float = 0.0, records: float = FEW) -> None:
        self.folder = folder
        self.sandbox_folder = folder / "sandbox"
        self.timeout = TIMEOUT * (1 + latency)
        folder.mkdir(parents=True, exist_ok=True)
        self.document = start_detached(self.sandbox_folder, latency=latency, records=records)

    def restart(self) -> None:
        stop(self.sandbox_folder)
        self.document = start_detached(self.sandbox_folder)

    def close(self) -> None:
        stop(self.sandbox_folder)

    @property
    def variables(self) -> dict[str, str]:
        apart = ("AZURE_", "SETUP_KIT_", "COLUMNS", "NO_COLOR")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(apart)}
        return kept | settings(read_document(self.sandbox_folder))

    def run(self, *arguments: str, variables: dict[str, str] | None = None) -> Finished:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.variables | (variables or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self.timeout,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> Started:
        return subprocess.Popen(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def path(self, name: str) -> Path:
        return self.folder / "environments" / f"{name}.yaml"

    def init(self, name: str, **changes: Any) -> dict[str, Any]:
        """Writes the environment file of a name and returns what it says.

        `changes` are dotted keys with `__` for the dot.
        """
        self.run("init", name, "--cloud", "sandbox").succeeded()
        return self.edit(name, **changes)

    def beside(self, name: str, other: str, /, **profile: Any) -> dict[str, Any]:
        """Writes the environment file of another profile in what an environment has, and returns what that one says."""
        text = yaml.safe_dump({"extends": f"{other}.yaml", "profile": profile}, sort_keys=False)
        self.path(name).write_text(text, encoding="utf-8")
        return self.edit(other)

    def edit(self, name: str, **changes: Any) -> dict[str, Any]:
        path = self.path(name)
        document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        for key, value in changes.items():
            *sections, last = key.split("__")
            place = document
            for section in sections:
                place = place.setdefault(section, {})
            place[last] = value
        if changes:
            path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return document

    def apply(self, name: str) -> Finished:
        return self.run("apply", "-e", name, "--yes", "--output", "json")

    def requests(self) -> list[dict[str, Any]]:
        return read_requests(self.sandbox_folder)

    def await_request(self, process: Started, after: int = 0, **what: Any) -> None:
        """Returns once the sandbox has answered such a request, beyond the first `after`, of a command that runs."""
        glances, deadline = threading.Event(), time.monotonic() + TIMEOUT
        while not any(all(each.get(key) == value for key, value in what.items()) for each in self.requests()[after:]):
            assert process.poll() is None, "the command ended without it"
            assert time.monotonic() < deadline
            glances.wait(GLANCE)

    def writes(self) -> list[dict[str, Any]]:
        return [request for request in self.requests() if is_write(request)]

    def journal(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / ".setup-kit" / name / "journal.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def state(self) -> State:
        """The sandbox's own state, to change the world behind the kit's back."""
        return State(self.sandbox_folder / "state.db")
