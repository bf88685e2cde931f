"""No secret value occurs in anything that a command writes or shows, whichever command it is."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from setup_kit.cli.root import cli
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.owner import Owner
from tests.sandbox.job.preloaded import PreloadedKit

# Where the sandbox has to keep secrets, readable by its owner only: its file, its state, its private keys.
KEEPERS = re.compile(r"sandbox/(sandbox\.json|state\.db.*|tls/.*)$")
# What its owner keeps under version control or hands on, or what holds nothing of anybody's.
OPEN = re.compile(
    r"(environments|\.github)/.*\.ya?ml$|azure-pipelines\.yaml$"
    r"|sandbox/tls/[^/]*ca[^/]*\.pem$|sandbox/sql/.*certificate[^/]*\.pem$"
)
# Of Entra, and the signature of a shared access signature.
TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}|sig=[A-Za-z0-9%+/]{20,}")
GLANCE = 0.01

# First what makes the environment, last what takes something away; all others in between, in the order of the tree.
EARLY = ("apply", "plan", "verify", "rotate")
LATE = re.compile(r"\b(delete|drop|remove|revoke|deactivate|purge|destroy|clear)\b")
# A sandbox is up already, and the one of the search stays until it is over; a demonstration has secrets of its own; and
# handing on the sandbox's sign-in is what `sandbox env` is for.
NOT_RUN = {"sandbox up", "sandbox down", "demo", "sandbox env"}
# What a command's required arguments and options get, where it is no name of something that is not there.
GIVEN = {
    "runbook show": ["rotate-credentials"],
    "runbook run": ["rotate-credentials", "--dry-run"],
    "sandbox fault add": ["status", "--status", "503", "--path", "/nothing"],
    "sandbox fault remove": ["f1"],
    "sandbox latency": ["none"],
    "init": ["second", "--cloud", "sandbox"],
    "verify": ["--html", "report.html"],
    "rotate": ["--grace", "0"],
    "destroy": ["--confirm", "dev", "--include-data"],
}
MUST_SUCCEED = {"apply", "plan", "verify", "rotate", "status", "doctor", "destroy"}


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
    made = PreloadedKit(tmp_path)
    yield made
    made.close()


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command of the tree that is no group, by its words."""
    if isinstance(command, click.Group):
        for name, each in sorted(command.commands.items()):
            yield from commands(each, (*path, name))
    else:
        yield " ".join(path), command


def test_no_command_tells_a_secret_in_its_output_a_file_a_log_or_a_command_line(alone: Kit) -> None:
    environment = alone.init("dev", profile__entities=["team"], profile__relationships=[])
    owner = Owner(alone, environment)
    shown: dict[str, bytes] = {}
    hidden = {alone.document["client_secret"]}
    names = [name for name, _ in commands(cli) if name not in NOT_RUN]
    late = [name for name in names if LATE.search(name) and name not in ("rotate", "destroy")]
    between = [name for name in names if name not in (*EARLY, *late, "destroy")]
    tree = dict(commands(cli))
    with CommandLines() as lines:
        for name in (*EARLY, *between, *late, "destroy"):
            arguments = arguments_of(name, tree[name])
            done = alone.run(*arguments)
            shown[" ".join(arguments)] = done.text.encode()
            if name in MUST_SUCCEED:
                done.succeeded()
            if name in ("apply", "rotate"):
                hidden |= secrets_of(owner)
        # A failing sign-in has the secret in hand as well.
        wrong = "Wr0ng-client-secret-of-somebody"
        failed = alone.run("plan", "-e", "dev", variables={"AZURE_CLIENT_SECRET": wrong})
        assert failed.code == 1
        shown["a failing sign-in"] = failed.text.encode()

    state = alone.state()
    hidden |= {wrong} | {found["secret"] for _, found in state.list("applications") if found.get("secret")}
    state.close()
    assert len(hidden) >= 7
    files = [path for path in alone.folder.rglob("*") if path.is_file()]
    searched = {
        **shown,
        **{f"command line {number}": data for number, data in enumerate(lines.seen)},
        **{str(path): path.read_bytes() for path in files if not KEEPERS.search(path.as_posix())},
    }
    for part in ("journal.jsonl", "sandbox.log", "report.html"):
        assert any(part in name for name in searched), part
    leaks = [
        (name, secret[:3] + "…")
        for name, data in searched.items()
        for secret in hidden
        if secret.encode() in data or secret.encode("utf-16-le") in data
    ]
    assert leaks == []
    assert [name for name, data in searched.items() if TOKEN.search(data)] == []
    unforeseen = [name for name, data in shown.items() if b"Traceback" in data or b"defect of setup-kit" in data]
    assert unforeseen == []
    loose = [path.as_posix() for path in files if path.stat().st_mode & 0o077 and not OPEN.search(path.as_posix())]
    assert loose == []
    assert alone.sandbox_folder.stat().st_mode & 0o077 == 0


def arguments_of(name: str, command: click.Command) -> list[str]:
    """A way to run a command on the environment dev, with nobody there to be asked, that says as much as it can."""
    arguments = [*name.split(), *GIVEN.get(name, ())]
    for parameter in command.params:
        if parameter.name in ("environment", "environments"):
            arguments += ["-e", "dev"]
        elif parameter.name in ("yes", "verbose"):
            arguments.append(f"--{parameter.name}")
        elif parameter.name == "directory" or "--dir" in parameter.opts:
            arguments += ["--dir", "sandbox"]
        elif parameter.required and name not in GIVEN:
            value = "nothing-of-that-name"
            arguments += [value] if isinstance(parameter, click.Argument) else [parameter.opts[0], value]
    return arguments


def secrets_of(owner: Owner) -> set[str]:
    """The connection string that the secret holds now, and the password in it."""
    connection = owner.secret()["value"]
    password = parse_ado_net(Secret(connection)).password
    assert password is not None
    return {connection, password.reveal()}
