"""`setup-kit` run many times over: in processes that are forked when everything is imported already."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.forks import FORKS
from tests.sandbox.job.harness import Finished, Kit, Started

#: A process's exit code can be read once: starting another looks at all that have ended, whoever waits for them.
_looking = threading.Lock()


def _exit_code(process: ForkServerProcess, seconds: float | None) -> int | None:
    """None for one that has not ended within `seconds`."""
    wait([process.sentinel], seconds)
    with _looking:
        return process.exitcode


class PreloadedKit(Kit):
    """Runs the console script's function instead of the script, which saves half of what a short command takes."""

    def run(self, *arguments: str, variables: dict[str, str] | None = None) -> Finished:
        said, told = self.folder / "stdout", self.folder / "stderr"
        process = self._fork(arguments, variables or {}, said, told)
        code = _exit_code(process, self.timeout)
        if code is None:
            process.kill()
            _exit_code(process, None)
            raise TimeoutError(f"setup-kit {' '.join(arguments)} took more than {self.timeout} seconds")
        return Finished(code, said.read_text(encoding="utf-8"), told.read_text(encoding="utf-8"))

    def start(self, *arguments: str) -> Started:
        return Forked(self._fork(arguments, {}, Path(os.devnull), Path(os.devnull)))

    def _fork(self, arguments: tuple[str, ...], variables: dict[str, str], said: Path, told: Path) -> ForkServerProcess:
        process = FORKS.Process(target=_main, args=(self.folder, self.variables | variables, arguments, said, told))
        with _looking:
            process.start()
        return process


class Forked:
    """A process that was forked, handled like one that `subprocess` started."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    def poll(self) -> int | None:
        return _exit_code(self._process, 0)

    def send_signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        code = _exit_code(self._process, timeout)
        assert code is not None
        return code


def _main(folder: Path, variables: Mapping[str, str], arguments: tuple[str, ...], said: Path, told: Path) -> None:
    from setup_kit.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    for descriptor, path in ((1, said), (2, told)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["setup-kit", *arguments]
    main()
