"""What the service's reasons for failures mean, and failures counted by entity and reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

import yaml

from setup_kit.export_service.failures import Failure

# What differs between two records that failed for one reason.
_PARTICULARS = re.compile(
    r"(?P<guid>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)|(?P<text>'[^'\n]*')|(?P<number>\b\d[\d.,:-]*\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reason:
    """A known reason; `command` is the next one to give, without the environment's name."""

    name: str
    pattern: re.Pattern[str]
    meaning: str
    why: str
    remedy: str
    command: str


@dataclass(frozen=True)
class FailureCount:
    """Failures of one entity for one reason. `reason` is None where it is not known; `text` is the newest one's.

    `records` are the different ones; `first` and `last` the times of their changes, None where they have none.
    """

    entity: str
    reason: Reason | None
    text: str
    entries: int
    records: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Explanation:
    """What one reason means, whatever its entities; `text` is one of its texts."""

    reason: Reason
    entries: int
    entities: tuple[str, ...]
    text: str


UNKNOWN = Reason(
    name="unknown",
    pattern=re.compile(""),
    meaning="Nothing is known of this reason here.",
    why="These are the words of the service, or of SQL Server.",
    remedy="Look for them in the documentation of SQL Server, and at the records that it is about; a record is tried"
    " again when it changes.",
    command="setup-kit failures list",
)


@cache
def reasons() -> tuple[Reason, ...]:
    """All that are known, in the order in which they are tried."""
    text = resources.files(__package__).joinpath("failure_reasons.yaml").read_text(encoding="utf-8")
    return tuple(
        Reason(**{**entry, "pattern": re.compile(entry["pattern"], re.IGNORECASE)}) for entry in yaml.safe_load(text)
    )


def reason_of(text: str) -> Reason | None:
    return next((reason for reason in reasons() if reason.pattern.search(text)), None)


def counted(failures: Iterable[Failure]) -> list[FailureCount]:
    """By entity and reason, the most entries first. Unknown reasons that differ in names and numbers only are one."""
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        reason = reason_of(failure.reason)
        groups.setdefault((failure.entity, reason.name if reason else alike(failure.reason)), []).append(failure)
    found = [_count(entity, group) for (entity, _), group in groups.items()]
    return sorted(found, key=lambda count: (-count.entries, count.entity, count.text))


def explained(counts: Iterable[FailureCount]) -> list[Explanation]:
    """By reason, the most entries first. Unknown ones are told apart by their words."""
    groups: dict[str, list[FailureCount]] = {}
    for count in counts:
        groups.setdefault(count.reason.name if count.reason else alike(count.text), []).append(count)
    found = [
        Explanation(
            reason=group[0].reason or UNKNOWN,
            entries=sum(count.entries for count in group),
            entities=tuple(sorted({count.entity for count in group})),
            text=group[0].text,
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda each: (-each.entries, each.reason.name, each.text))


def alike(text: str) -> str:
    """The first line of a reason with marks for what is particular to one record."""
    line = text.strip().partition("\n")[0].rstrip()
    return _PARTICULARS.sub(lambda found: {"guid": "<id>", "text": "'…'", "number": "<n>"}[found.lastgroup or ""], line)


def _count(entity: str, group: list[Failure]) -> FailureCount:
    moments = [failure.notified for failure in group if failure.notified is not None]
    return FailureCount(
        entity=entity,
        reason=reason_of(group[-1].reason),
        text=group[-1].reason,
        entries=len(group),
        records=len({failure.record for failure in group if failure.record is not None}),
        first=min(moments, default=None),
        last=max(moments, default=None),
    )
