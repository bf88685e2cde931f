"""The failure log: what could not be exported and why, as text files in a folder for each profile.

Folders are those of the hosted service; the names and the JSON of the files in them are *assumed*. Files are only ever
appended to, and go 30 days after their hour: a later success changes nothing in them.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

RETENTION = timedelta(days=30)
LOG = "failurelog"
REFRESH_LOG = "forcerefreshfailurelog"
ENTRY = "Entity: "


class Folder(StrEnum):
    """Where the notification that failed is kept, beside its entry in the log."""

    DATA = "data"
    METADATA = "metadata"
    UNPROCESSABLE = "unprocessablemessages"


@dataclass(frozen=True)
class Failure:
    """One entry. `record` and `notified` are None where it concerns the whole entity; `attributes`: the record's."""

    entity: str
    record: str | None
    notified: datetime | None
    change: str
    reason: str
    folder: Folder = Folder.DATA
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def entry(self) -> str:
        """The line of the log. Its reason may span lines, none of which looks like the beginning of an entry."""
        moment = _us_english(self.notified) if self.notified else ""
        reason = self.reason.replace(f"\n{ENTRY}", f"\n {ENTRY}")
        return (
            f"{ENTRY}{self.entity}, RecordId: {self.record or 'N/A'}, NotificationTime: {moment},"
            f" ChangeType: {self.change}, FailureReason: {reason}\n"
        )

    def notification(self) -> str:
        document = {
            "Entity": self.entity,
            "RecordId": self.record,
            "NotificationTime": self.notified.isoformat() if self.notified else None,
            "ChangeType": self.change,
            "Attributes": dict(self.attributes),
        }
        return json.dumps(document, ensure_ascii=False, default=str) + "\n"


@dataclass(frozen=True)
class Blob:
    name: str
    size: int
    modified: datetime


class FailureLog:
    """Thread-safe. `exists` says whether there is a profile of an id: a deleted one takes its log with it."""

    def __init__(
        self,
        directory: Path,
        exists: Callable[[str], bool],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._directory = directory
        self._exists = exists
        self._clock = clock
        self._lock = threading.Lock()

    def purge(self) -> None:
        """Removes what is older than 30 days; done whenever the log is written or listed, too."""
        with self._lock:
            self._purge()

    def write(self, profile_id: str, failures: Iterable[Failure], *, refresh: bool = False) -> None:
        """`refresh`: they failed when what had failed before was exported anew. Nothing for a profile that is gone."""
        hour = f"{self._clock():%Y/%m/%d/%H}"
        texts: dict[str, list[str]] = {}
        for failure in failures:
            texts.setdefault(f"{REFRESH_LOG if refresh else LOG}/{hour}/failures.txt", []).append(failure.entry())
            texts.setdefault(f"{failure.folder}/{hour}/{failure.entity}.jsonl", []).append(failure.notification())
        with self._lock:
            if not texts or not self._exists(profile_id):
                return
            self._purge()
            for name, lines in texts.items():
                _append(self._directory / profile_id / name, "".join(lines).encode())

    def forget(self, profile_id: str) -> None:
        """For a profile that is no longer there."""
        with self._lock:
            shutil.rmtree(self._directory / profile_id, ignore_errors=True)

    def blobs(self, profile_id: str, prefix: str = "") -> list[Blob]:
        """All files of a profile, by name."""
        with self._lock:
            self._purge()
            root = self._directory / profile_id
            found = []
            for path in root.rglob("*"):
                name = path.relative_to(root).as_posix()
                if path.is_file() and name.startswith(prefix):
                    stat = path.stat()
                    found.append(Blob(name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC)))
        return sorted(found, key=lambda blob: blob.name)

    def read(self, profile_id: str, name: str) -> tuple[Blob, bytes] | None:
        """None where there is no such file."""
        blob = next((blob for blob in self.blobs(profile_id, name) if blob.name == name), None)
        if blob is None:
            return None
        # As long as it was when it was looked at: it may have grown since.
        with (self._directory / profile_id / PurePosixPath(name)).open("rb") as file:
            return blob, file.read(blob.size)

    def _purge(self) -> None:
        oldest = self._clock() - RETENTION
        for hour in self._directory.glob("*/*/*/*/*/*"):
            began = datetime.strptime("/".join(hour.parts[-4:]), "%Y/%m/%d/%H").replace(tzinfo=UTC)
            if began + timedelta(hours=1) <= oldest:
                shutil.rmtree(hour)
                with suppress(OSError):  # the first that is not empty ends it
                    for parent in hour.parents[:4]:
                        parent.rmdir()


def _append(path: Path, data: bytes) -> None:
    # One by one: `parents=True` would give the outer ones the umask's mode.
    for parent in reversed([parent for parent in path.parents if not parent.exists()]):
        parent.mkdir(mode=0o700)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, data)
    finally:
        os.close(file)


def _us_english(moment: datetime) -> str:
    """As .NET writes it: 8/31/2016 6:50:38 PM."""
    moment = moment.astimezone(UTC)
    hour = moment.hour % 12 or 12
    half = "PM" if moment.hour >= 12 else "AM"
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {half}"
