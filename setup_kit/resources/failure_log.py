"""The failure log of the profile that is there: read, or copied to a folder of one's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from setup_kit.engine.resource import Progress
from setup_kit.errors import KitError
from setup_kit.export_service.failure_folder import FailureFile, FailureFolder
from setup_kit.export_service.failures import Failure
from setup_kit.resources.build import House
from setup_kit.resources.existing_profile import found_profile

Report = Callable[[Progress], None]

# What means something else than a name in a path, here or on another system.
_SPECIAL = frozenset('\\:*?"<>|\0')


@contextmanager
def opened(house: House) -> Iterator[FailureFolder]:
    """The folder with the failures, whose address the service gives. Raises KitError when there is no profile."""
    profile = found_profile(house, None)
    folder = FailureFolder(house.cloud, house.export_client.profiles.failures(profile.id))
    try:
        yield folder
    finally:
        folder.close()


def entries(folder: FailureFolder, since: datetime | None, entity: str | None, report: Report) -> list[Failure]:
    """The entries of the log, oldest first, of the hours since then and of that entity, where these are given."""
    logs = [file for file in _since(folder.files(), since) if file.is_log]
    logs.sort(key=lambda file: (file.hour is not None, file.hour, file.name))
    found: list[Failure] = []
    for number, file in enumerate(logs, 1):
        found += folder.failures(file)
        report(Progress("failures", "log", number, len(logs), unit="files"))
    return [failure for failure in found if entity in (None, failure.entity)]


def download(folder: FailureFolder, target: Path, since: datetime | None, report: Report) -> list[FailureFile]:
    """Copies the files, of the hours since then where that is given, readable for their owner only.

    Raises KitError for a file whose name would leave the folder `target`, which is made where it is missing.
    """
    files = _since(folder.files(), since)
    _make(target)
    for number, file in enumerate(files, 1):
        _write(target / _path(file), folder.read(file))
        report(Progress("failures", "download", number, len(files), file.name, unit="files"))
    return files


def _since(files: list[FailureFile], since: datetime | None) -> list[FailureFile]:
    if since is None:
        return files
    return [file for file in files if file.hour is None or file.hour + timedelta(hours=1) > since]


def _path(file: FailureFile) -> Path:
    parts = file.name.split("/")
    if any(part in ("", ".", "..") or _SPECIAL & set(part) for part in parts):
        raise KitError(
            f"the failure log has a file whose name is no path below a folder: {file.name!r}",
            why="it was not written; the storage may not be the service's",
            remedy="ask whoever runs the service whose storage that is, before anything of it is used",
        )
    return Path(*parts)


def _make(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700)


def _write(path: Path, content: Iterator[bytes]) -> None:
    _make(path.parent)
    # Beside it first: a download that is cut short leaves no half of a file under its name.
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.writelines(content)
    part.replace(path)
