"""Runs one command of a runbook in a POSIX shell, as a person's terminal would: what it exports, later ones have.

Inputs reach a command as variables, never as text of the script, so that nothing in them is read as shell.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from setup_kit.errors import KitError
from setup_kit.runbooks.expectation import Answer
from setup_kit.runbooks.masking import Mask

# Output beyond this many characters is shown but neither judged nor kept.
KEPT = 16 * 1024 * 1024
# Seconds that a command has to end after it was asked to, and its output to end after itself: what it started in the
# background may hold its pipes open.
GRACE = 20.0
DRAIN = 1.0
# Names of variables that belong to a shell's own working and that no step means to hand on.
OWN = frozenset({"_", "PWD", "OLDPWD", "SHLVL"})
# The last thing a script does: tell which variables it leaves, through a pipe that nothing else writes to.
_TELL = "import json,os,sys; os.write(int(sys.argv[1]), json.dumps(dict(os.environ)).encode() + b'\\n')"


@dataclass(frozen=True)
class Ended:
    """`exports` are the variables that the command set or changed; `timed_out`: it was ended at its deadline."""

    answer: Answer
    exports: Mapping[str, str]
    timed_out: bool = False


class Shell:
    """As a context manager it keeps a folder in which `setup-kit` is this very installation, first on the path."""

    def __init__(self, variables: Mapping[str, str], mask: Mask) -> None:
        found = shutil.which("sh") if os.name == "posix" else None
        if found is None:
            raise KitError(
                "runbooks need a POSIX shell, and there is none",
                remedy="on Windows, run setup-kit inside the Windows Subsystem for Linux",
            )
        self._sh = found
        self.mask = mask
        self.stop = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="setup-kit-runbook-")
        self.variables = dict(variables)

    def __enter__(self) -> Shell:
        command = Path(self._folder.name) / "setup-kit"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m setup_kit "$@"\n', encoding="utf-8")
        command.chmod(0o700)
        self.variables["PATH"] = self._folder.name + os.pathsep + self.variables.get("PATH", os.defpath)
        # Where setup-kit's own packages can be imported from.
        self.variables["SETUP_KIT_PYTHON"] = sys.executable
        self.mask.learn_variables(self.variables)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """While it is entered, Ctrl-C and SIGTERM set `stop` and go to the running command as SIGINT, which may end in
        good order; a third one kills it."""
        seen = 0

        def handle(number: int, frame: object) -> None:
            nonlocal seen
            seen += 1
            self.stop.set()
            if self._process is not None:
                _send(self._process, signal.SIGKILL if seen > 2 else signal.SIGINT)
            with suppress(OSError):
                os.write(2, b"\nThe command was asked to stop.\n")

        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, script: str, say: Callable[[str], None], deadline: float | None = None) -> Ended:
        """`say` gets each line, masked, as it comes; `deadline` is a moment of time.monotonic()."""
        read, write = os.pipe()
        tell = shlex.join([sys.executable, "-I", "-c", _TELL, str(write)])
        trap = shlex.quote(f"code=$?; {tell}; exit $code")
        text = f"trap {trap} EXIT\n{script}\n"
        process = subprocess.Popen(  # noqa: S603 -- the runbook's script is what is to be run
            [self._sh, "-eu", "-c", text, "runbook"],
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(write,),
            process_group=0,
            encoding="utf-8",
            errors="replace",
        )
        self._process = process
        os.close(write)
        assert process.stdout is not None and process.stderr is not None  # noqa: S101 -- both are pipes
        out, err, told = _Stream(process.stdout, self._hear(say)), _Stream(process.stderr, self._hear(say)), _Told(read)
        timed_out = _wait(process, deadline)
        self._process = None
        for thread in (out, err, told):
            thread.join(DRAIN)
        exports = {
            name: value
            for name, value in told.variables.items()
            if name not in OWN and self.variables.get(name) != value
        }
        self.mask.learn_variables(exports)
        return Ended(Answer(process.returncode, out.text, err.text), exports, timed_out)

    def _hear(self, say: Callable[[str], None]) -> Callable[[str], None]:
        return lambda line: say(self.mask(line))


def _wait(process: subprocess.Popen[str], deadline: float | None) -> bool:
    """Until the process has ended. True when it had to be ended because of its deadline."""
    try:
        process.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _send(process, signal.SIGTERM)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            _send(process, signal.SIGKILL)
            process.wait()
        return True
    return False


def _send(process: subprocess.Popen[str], number: int) -> None:
    """To the command and all that it started in the foreground."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


class _Stream(threading.Thread):
    def __init__(self, pipe: IO[str], hear: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._pipe, self._hear = pipe, hear
        self._lines: list[str] = []
        self._size = 0
        self.start()

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def run(self) -> None:
        for line in self._pipe:
            if self._size < KEPT:
                self._lines.append(line)
                self._size += len(line)
            self._hear(line.rstrip("\n"))


class _Told(threading.Thread):
    """Reads the line of variables that a script ends with."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        self._descriptor = descriptor
        self.variables: dict[str, str] = {}
        self.start()

    def run(self) -> None:
        with os.fdopen(self._descriptor, encoding="utf-8", errors="surrogateescape") as pipe:
            line = pipe.readline()
        if line:
            self.variables = json.loads(line)
