"""A plan kept in a file: seen and agreed to now, carried out later, if nothing has moved in between."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from setup_kit import __version__
from setup_kit.engine.planner import Plan
from setup_kit.environment.loading import Loaded
from setup_kit.errors import KitError, UsageError
from setup_kit.moment import readable
from setup_kit.report.documents import Document, plan_document

FORMAT = 1
_MAKE = "make one with: setup-kit plan -e NAME --out FILE"


@dataclass(frozen=True)
class SavedPlan:
    """`given` is how the person named the environment, `digest` of what its file and those it extends say."""

    format: int
    version: str
    made_at: str
    environment: str
    given: str
    digest: str
    targets: list[str]
    open_firewall: bool
    plan: Document

    def check_made_of(self, loaded: Loaded) -> None:
        """Raises KitError when the environment file, or the kit, is another than when the plan was made."""
        if self.version != __version__:
            raise self._stale(f"it was made by setup-kit {self.version}, this is {__version__}")
        if (self.environment, self.digest) != (loaded.name, loaded.digest):
            raise self._stale(f"the environment file {loaded.path.name} says something else since then")

    def check_still(self, plan: Plan) -> None:
        """Raises KitError, which names what moved, when there is something else to do now than when it was made."""
        gone, new = moved(self.plan, plan_document(self.environment, plan))
        if gone or new:
            gone, new = [f"- {line}" for line in gone], [f"+ {line}" for line in new]
            raise self._stale("\n".join(["what is there has moved: - is of the saved plan, + is so now", *gone, *new]))

    def _stale(self, why: str) -> KitError:
        moment = readable(self.made_at)
        return KitError(
            f"the plan of {moment} UTC for {self.environment} does not hold any more; nothing was changed",
            why=why,
            remedy=f"plan again, and look at it: setup-kit plan -e {self.given} --out FILE",
        )


def save_plan(
    path: Path, plan: Plan, loaded: Loaded, *, given: str, targets: Iterable[str], open_firewall: bool
) -> None:
    """Writes the file, for its owner alone. It holds no secret."""
    saved = SavedPlan(
        format=FORMAT,
        version=__version__,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=loaded.name,
        given=given,
        digest=loaded.digest,
        targets=list(targets),
        open_firewall=open_firewall,
        plan=plan_document(loaded.name, plan),
    )
    text = json.dumps(asdict(saved), indent=2, ensure_ascii=False) + "\n"
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise KitError(
            f"the plan cannot be written to {path}", remedy="name another file with --out", original=str(error)
        ) from error


def check_replaceable(path: Path) -> None:
    """Raises UsageError where there is something at the path that is no saved plan, which a plan would replace."""
    if not os.path.lexists(path):
        return
    try:
        _read(path)
    except UsageError as error:
        raise UsageError(
            f"{path} is there and is no saved plan: it is not replaced by one",
            why=error.why,
            remedy=f"name another file with --out, or remove this one first if nobody needs it: {path}",
            original=error.original,
        ) from None


def read_plan(path: Path) -> SavedPlan:
    """Raises UsageError when there is no such file, or it is none that `save_plan` wrote."""
    saved = _read(path)
    if saved.format != FORMAT:
        raise UsageError(f"{path} is a plan of another format, {saved.format}", remedy="plan again")
    return saved


def _read(path: Path) -> SavedPlan:
    """A saved plan of whatever format."""
    if not path.exists():
        raise UsageError(f"there is no file {path}", remedy=_MAKE)
    if not path.is_file():
        raise _no_plan(path, "it is no regular file")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_plan(path, "it cannot be read as JSON", str(error)) from None
    names = {field.name for field in fields(SavedPlan)}
    if not isinstance(document, dict) or document.keys() != names:
        raise _no_plan(path, "it does not say what a saved plan says")
    try:
        _counted(document["plan"])
    except (TypeError, KeyError, AttributeError):
        raise _no_plan(path, "what it says of its plan is no plan's document") from None
    return SavedPlan(**document)


def _no_plan(path: Path, why: str, original: str = "") -> UsageError:
    return UsageError(f"{path} is not a saved plan", why=why, remedy=_MAKE, original=original)


def moved(before: Document, after: Document) -> tuple[list[str], list[str]]:
    """What a plan had that a later one has no more, and what only the later one has: a line for each change."""
    first, second = _counted(before), _counted(after)
    return list((first - second).elements()), list((second - first).elements())


def _counted(document: Document) -> Counter[str]:
    """A line for each change and for each resource that is decided during apply."""
    changes = [
        f"{change['action']} {change['resource']} {change['target']}".rstrip() + _values(change)
        for change in document["changes"]
    ]
    deferred = [f"decided during apply: {item['resource']}" for item in document["deferred"]]
    return Counter(changes + deferred)


def _values(change: Document) -> str:
    before, after = change["before"], change["after"]
    values = "" if before is None and after is None else f": {_plain(before)} → {_plain(after)}"
    detail = change.get("detail")
    return values + (f" {json.dumps(detail, sort_keys=True, ensure_ascii=False)}" if detail else "")


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
