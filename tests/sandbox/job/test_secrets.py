"""No secret value occurs in anything that a run writes or shows."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net
from tests.sandbox.job.harness import COMMAND, TIMEOUT, Kit
from tests.sandbox.job.owner import Owner

# Where the sandbox has to keep secrets, readable by its owner only: its file, its state, its private keys.
KEEPERS = re.compile(r"sandbox/(sandbox\.json|state\.db.*|tls/.*)$")
TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}")
GLANCE = 0.01


class CommandLines:
    """Everything that was on any process's command line while it watched."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> CommandLines:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(GLANCE):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Kit]:
    made = Kit(tmp_path)
    yield made
    made.close()


def test_no_secret_is_in_any_output_file_log_or_command_line(alone: Kit) -> None:
    environment = alone.init("dev")
    shown: list[bytes] = []
    with CommandLines() as lines:
        for arguments in (
            ["doctor", "-e", "dev", "-v"],
            ["plan", "-e", "dev", "-v"],
            ["apply", "-e", "dev", "--yes", "-v"],
            ["plan", "-e", "dev", "--output", "json"],
            ["verify", "-e", "dev", "-v"],
            ["status", "-e", "dev", "--output", "json"],
            ["sandbox", "status", "--output", "json"],
            ["sandbox", "requests"],
        ):
            done = subprocess.run(
                [COMMAND, *arguments],
                cwd=alone.folder,
                env=alone.variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=True,
            )
            shown += [done.stdout, done.stderr]
        # A failing sign-in has the secret in hand as well.
        wrong = "Wr0ng-client-secret-of-somebody"
        failed = alone.run("plan", "-e", "dev", variables={"AZURE_CLIENT_SECRET": wrong})
        assert failed.code == 1
        shown.append(failed.text.encode())

    connection = Owner(alone, environment).secret()["value"]
    password = parse_ado_net(Secret(connection)).password
    assert password is not None
    state = alone.state()
    hidden = {wrong, connection, password.reveal(), alone.document["client_secret"]}
    hidden |= {found["secret"] for _, found in state.list("applications") if found.get("secret")}
    state.close()
    assert len(hidden) >= 5
    searched = {
        **{f"output {number}": data for number, data in enumerate(shown)},
        **{f"command line {number}": data for number, data in enumerate(lines.seen)},
        **{
            str(path): path.read_bytes()
            for path in alone.folder.rglob("*")
            if path.is_file() and not KEEPERS.search(path.as_posix())
        },
    }
    assert any("journal.jsonl" in name for name in searched)
    assert any("sandbox.log" in name for name in searched)
    leaks = [
        (name, secret[:3] + "…")
        for name, data in searched.items()
        for secret in hidden
        if secret.encode() in data or secret.encode("utf-16-le") in data
    ]
    tokens = [name for name, data in searched.items() if TOKEN.search(data)]
    assert leaks == []
    assert tokens == []


def test_what_keeps_secrets_is_readable_by_its_owner_only(alone: Kit) -> None:
    alone.init("dev")
    loose = [
        path.as_posix()
        for path in alone.folder.rglob("*")
        if path.is_file()
        and KEEPERS.search(path.as_posix())
        and not path.name.endswith("ca.pem")
        and path.stat().st_mode & 0o077
    ]
    assert loose == []
    assert alone.sandbox_folder.stat().st_mode & 0o077 == 0
