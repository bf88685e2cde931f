"""At most one run at a time changes an environment: a lock of the kernel's, gone with its process however that ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from setup_kit.errors import KitError, of_place
from setup_kit.moment import readable

LOCK, HOLDER = "run.lock", "run.json"


@dataclass(frozen=True)
class Holder:
    """The run that holds a lock: its process, what it does, and since when (UTC)."""

    pid: int
    command: str
    since: datetime

    def __str__(self) -> str:
        return f"process {self.pid}, setup-kit {self.command}, since {readable(self.since)} UTC"


@contextmanager
def run_lock(folder: Path, environment: str, command: str, *, wait: float = 0.0) -> Iterator[None]:
    """Holds `folder`/run.lock while it is entered.

    Raises KitError, which names the run that holds it, when it is not free within `wait` seconds.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A lock that is only a file would outlive a killed process: where the kernel has none, the error says so.
    lock = FileLock(folder / LOCK, timeout=wait, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise _held(folder, environment, waited=wait) from None
    except OSError as error:
        raise of_place(error) or KitError(
            f"{folder / LOCK} cannot be locked, so that two runs could change {environment} at once",
            remedy="work in a folder of a file system that knows locks",
            original=str(error),
        ) from error
    try:
        # In a file of its own, because on Windows what is locked cannot be read.
        _write(folder / HOLDER, Holder(os.getpid(), command, datetime.now(UTC)))
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _held(folder: Path, environment: str, *, waited: float) -> KitError:
    holder = _read(folder / HOLDER)
    after = f", also after {waited:g} seconds" if waited else ""
    return KitError(
        f"another run is changing {environment}{after}",
        why=str(holder) if holder is not None else "it has only just begun, or is about to end",
        remedy="run the same command again when that one has ended, or let it wait: --wait 600",
    )


def _write(path: Path, holder: Holder) -> None:
    fresh = path.with_suffix(".new")
    document = {"pid": holder.pid, "command": holder.command, "since": holder.since.isoformat()}
    fresh.write_text(json.dumps(document), encoding="utf-8")
    fresh.replace(path)


def _read(path: Path) -> Holder | None:
    """None where the run that holds the lock has not yet said who it is."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Holder(said["pid"], said["command"], datetime.fromisoformat(said["since"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
