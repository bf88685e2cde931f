"""The sandbox's process seen from a command line: is it there, start it, stop it. Imports nothing heavy."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DOCUMENT = "sandbox.json"
ORGANIZATION_FILE = "dataverse.db"
VERSION = 2  # of that file: raise it when its keys change
LOG = "sandbox.log"
LOCK = "sandbox.lock"
READY_VARIABLE = "SETUP_KIT_SANDBOX_READY"  # the descriptor that a detached sandbox says "ready" on

# glibc gives each thread a heap of its own and returns little of it; with one for all, the sandbox holds a third less.
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}

# Detached processes that this one started: nobody waits for them, but those that ended are reaped in `stop`.
_children: list[subprocess.Popen[bytes]] = []


class SandboxError(Exception):
    """Something about the sandbox's process that the person who called must know."""


class AlreadyRunning(SandboxError):  # noqa: N818 - what one meets
    """A sandbox serves the directory already."""


class Lock:
    """At most one sandbox a directory: a lock of the kernel's, which goes when the process goes, however it goes."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, *, wait: bool = False) -> bool:
        """Whether the lock is ours now. With `wait`, blocks until it is."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        os.close(self._file)


def read_document(directory: Path) -> dict[str, Any]:
    """What DIR/sandbox.json says. Raises SandboxError when there is none, or none that can be read."""
    path = directory / DOCUMENT
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SandboxError(f"there is no sandbox in {directory}: {DOCUMENT} is missing") from None
    except (OSError, ValueError) as error:
        raise SandboxError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise SandboxError(f"{path} is not a sandbox's file")
    return document


def has_organization(directory: Path) -> bool:
    """Whether a sandbox was started here before, whose organization has records."""
    return (directory / ORGANIZATION_FILE).is_file()


def is_running(directory: Path) -> bool:
    """Whether a sandbox serves this directory now; true from the moment that it starts."""
    if not (directory / LOCK).exists():
        return False
    lock = Lock(directory)
    try:
        return not lock.take()
    finally:
        lock.release()


def stop(directory: Path, timeout: float = 30) -> bool:
    """Stop the directory's sandbox and wait until it is gone; False when none was running.

    Raises SandboxError when it does not end within `timeout` seconds, or has not come up so far as to say its pid.
    """
    if not is_running(directory):
        return False
    pid = read_document(directory).get("pid")
    if not isinstance(pid, int):
        raise SandboxError(f"the sandbox in {directory} is starting or stopping and cannot be stopped now")
    os.kill(pid, signal.SIGTERM)
    if not _released(directory, timeout):
        raise SandboxError(f"the sandbox in {directory} (process {pid}) did not stop within {timeout:g} seconds")
    for child in _children:
        child.poll()
    return True


def start_detached(
    directory: Path,
    port_base: int | None = None,
    latency: float = 0.0,
    records: float = 1.0,
    timeout: float = 60,
) -> dict[str, Any]:
    """Start a sandbox that outlives the caller, wait until it answers, and return its document.

    Raises SandboxError, with the end of its log, when it dies or is not ready within `timeout` seconds.
    """
    command: list[str] = [sys.executable, "-m", "setup_kit", "sandbox", "up", "--dir", str(directory)]
    if port_base is not None:
        command += ["--port-base", str(port_base)]
    if latency:
        command += ["--latency", str(latency)]
    if records != 1:
        command += ["--records", str(records)]
    return start_command(command, directory, timeout)


def start_command(command: Sequence[str], directory: Path, timeout: float = 60) -> dict[str, Any]:
    """As `start_detached`, for any command that runs a sandbox in `directory`."""
    if is_running(directory):
        raise AlreadyRunning(f"a sandbox is already running in {directory}")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    ready, said = os.pipe()
    # What it prints before its own log is open goes to a file as well: a pipe would break when the caller ends.
    with os.fdopen(os.open(directory / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb") as log:
        start = log.seek(0, os.SEEK_END)
        child = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**ONE_ARENA, **os.environ, READY_VARIABLE: str(said)},
            pass_fds=(said,),
            start_new_session=True,
        )
    os.close(said)
    try:
        # The pipe is readable when the child has said "ready", and also when it is dead.
        if not select.select([ready], [], [], timeout)[0]:
            child.kill()
            child.wait()
            raise SandboxError(f"the sandbox was not ready within {timeout:g} seconds\n{_tail(directory, start)}")
        if os.read(ready, 1) != b"1":
            raise SandboxError(f"the sandbox ended with {child.wait()}\n{_tail(directory, start)}".rstrip())
    except KeyboardInterrupt:
        child.kill()
        child.wait()
        raise
    finally:
        os.close(ready)
    _children.append(child)
    return read_document(directory)


def say_ready() -> None:
    """Tell whoever started this process detached, if anybody did, that the sandbox answers."""
    descriptor = os.environ.pop(READY_VARIABLE, None)
    if descriptor is not None:
        os.write(int(descriptor), b"1")
        os.close(int(descriptor))


def _released(directory: Path, timeout: float) -> bool:
    lock = Lock(directory)
    # flock knows no time limit; a thread waits for it and the caller for the thread.
    waiting = threading.Thread(target=lock.take, kwargs={"wait": True}, daemon=True)
    waiting.start()
    waiting.join(timeout)
    if waiting.is_alive():
        return False
    lock.release()
    return True


def _tail(directory: Path, start: int, lines: int = 15) -> str:
    """The last lines that this start wrote to the log."""
    with (directory / LOG).open(encoding="utf-8", errors="replace") as log:
        log.seek(start)
        return "".join(deque(log, lines)).rstrip()
