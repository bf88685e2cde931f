"""The record of a run, for the change ticket: one JSON file and the same as Markdown, secrets already out.

Both are written anew after every command, so that a killed run leaves what it did; only their owner may read them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from setup_kit.errors import UsageError
from setup_kit.moment import readable
from setup_kit.runbooks.masking import Mask

FOLDER = Path(".setup-kit") / "runs"
VERSION = 1
# Characters of a command's output that a record keeps: its beginning and its end.
OUTPUT = 20_000


class Outcome(StrEnum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


class Status(StrEnum):
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"


@dataclass
class Entry:
    """What became of one command. `why` says why it was skipped, or what was expected and seen."""

    step: int
    title: str
    command: str
    expected: str
    status: Status
    started: str
    seconds: float = 0.0
    attempts: int = 0
    code: int | None = None
    output: str = ""
    why: str = ""
    confirmed: str = ""


@dataclass
class Record:
    """One run, however often it was continued. `inputs` and `exports` hold no secrets, but `***` in their place."""

    runbook: str
    title: str
    digest: str
    kit: str
    who: str
    inputs: dict[str, str]
    started: str
    version: int = VERSION
    ended: str = ""
    outcome: Outcome = Outcome.RUNNING
    next_step: int = 1
    exports: dict[str, str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    continued: list[str] = field(default_factory=list)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def shortened(text: str) -> str:
    if len(text) <= OUTPUT:
        return text
    half = OUTPUT // 2
    return f"{text[:half]}\n… {len(text) - OUTPUT} characters left out …\n{text[-half:]}"


class RecordFile:
    """Keeps a record in a folder of its own. Every text goes through the mask as it is written."""

    def __init__(self, folder: Path, record: Record, mask: Mask) -> None:
        self.folder, self.record, self._mask = folder, record, mask

    @property
    def markdown(self) -> Path:
        return self.folder / "record.md"

    def save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self.folder / "record.json", json.dumps(self.document(), indent=2, ensure_ascii=False) + "\n")
        _write(self.markdown, self._mask(as_markdown(self.record)))

    def document(self) -> dict[str, Any]:
        masked: dict[str, Any] = _masked(asdict(self.record), self._mask)
        return masked


def _masked(value: Any, mask: Mask) -> Any:
    match value:
        case str():
            return mask(value)
        case list():
            return [_masked(item, mask) for item in value]
        case dict():
            return {key: _masked(item, mask) for key, item in value.items()}
    return value


def _write(path: Path, text: str) -> None:
    """Whole or not at all, even when the machine is switched off in between."""
    new = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def new_folder(name: str) -> Path:
    """A folder for a run that starts now; two in one second get two."""
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}"
    FOLDER.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in range(1, 1000):
        folder = FOLDER / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise UsageError(f"{FOLDER} holds too many runs of this second", remedy="run it again in a second")


def unfinished(runbook: str, inputs: Mapping[str, str]) -> tuple[Path, Record] | None:
    """The newest run of a runbook, with these inputs among its own, when it has not succeeded."""
    for folder in sorted(FOLDER.glob("*/"), reverse=True):
        record = read_record(folder / "record.json")
        if record is None or record.runbook != runbook:
            continue
        if all(record.inputs.get(name) == value for name, value in inputs.items()):
            return None if record.outcome is Outcome.SUCCEEDED else (folder, record)
    return None


def read_record(path: Path) -> Record | None:
    """None where there is no record of this version."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            return None
        entries = [Entry(**{**entry, "status": Status(entry["status"])}) for entry in document.pop("entries")]
        return Record(**{**document, "outcome": Outcome(document["outcome"])}, entries=entries)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def as_markdown(record: Record) -> str:
    inputs = "".join(f"| `{name}` | {_cell(value)} |\n" for name, value in record.inputs.items())
    continued = f"\nContinued: {', '.join(record.continued)}\n" if record.continued else ""
    span = f"from {readable(record.started)} to {readable(record.ended) or 'now'} (UTC)"
    head = (
        f"# {record.title}\n\n"
        f"Outcome: **{record.outcome}**. Run by {record.who}, {span}, with "
        f"setup-kit {record.kit}.\nRunbook `{record.runbook}`, SHA-256 `{record.digest}`.\n{continued}"
        + (f"\n| input | value |\n| --- | --- |\n{inputs}" if inputs else "")
    )
    return head + "".join(_entry(entry) for entry in record.entries)


def _entry(entry: Entry) -> str:
    result = f"{entry.status}" + (f" after {entry.seconds:.1f} s" if entry.attempts else "")
    if entry.attempts > 1:
        result += f" and {entry.attempts} attempts"
    lines = [
        f"\n## {entry.step}. {entry.title}\n",
        f"{readable(entry.started)} UTC: **{result}**"
        + (f", exit code {entry.code}" if entry.code is not None else "")
        + ".",
        *([f"Confirmed {entry.confirmed}."] if entry.confirmed else []),
        *([f"{entry.why}."] if entry.why else []),
        f"Expected: {entry.expected}.\n",
        _fenced("sh", entry.command),
    ]
    if entry.output:
        lines.append("\n" + _fenced("text", entry.output.rstrip("\n")))
    return "\n".join(lines) + "\n"


def _cell(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _fenced(word: str, text: str) -> str:
    """The text in a fence that is longer than any in it."""
    longest = max((len(found) for found in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{word}\n{text}\n{fence}"
