"""What the service's reasons for failures mean, and failures counted by entity and reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from setup_kit import known_errors
from setup_kit.export_service.failures import Failure
from setup_kit.known_errors import KnownError

# What differs between two records that failed for one reason.
_PARTICULARS = re.compile(
    r"(?P<guid>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)|(?P<text>'[^'\n]*')|(?P<number>\b\d[\d.,:-]*\b)",
    re.IGNORECASE,
)


SECTION = "failure_log"


@dataclass(frozen=True)
class FailureCount:
    """Failures of one entity for one reason. `reason` is None where it is not known; `text` is the newest one's.

    `records` are the different ones; `first` and `last` the times of their changes, None where they have none.
    """

    entity: str
    reason: KnownError | None
    text: str
    entries: int
    records: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Explanation:
    """What one reason means, whatever its entities; `text` is one of its texts."""

    reason: KnownError
    entries: int
    entities: tuple[str, ...]
    text: str


def reason_of(text: str) -> KnownError | None:
    """The first reason that is found in the text."""
    known = known_errors.sections()[SECTION].errors
    return next((error for error in known if error.text is not None and error.text.search(text)), None)


def name_of(reason: KnownError | None) -> str | None:
    return reason.codes[0] if reason else None


def counted(failures: Iterable[Failure]) -> list[FailureCount]:
    """By entity and reason, the most entries first. Unknown reasons that differ in names and numbers only are one."""
    groups: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        reason = reason_of(failure.reason)
        groups.setdefault((failure.entity, name_of(reason) or alike(failure.reason)), []).append(failure)
    found = [_count(entity, group) for (entity, _), group in groups.items()]
    return sorted(found, key=lambda count: (-count.entries, count.entity, count.text))


def explained(counts: Iterable[FailureCount]) -> list[Explanation]:
    """By reason, the most entries first. Unknown ones are told apart by their words."""
    groups: dict[str, list[FailureCount]] = {}
    for count in counts:
        groups.setdefault(name_of(count.reason) or alike(count.text), []).append(count)
    found = [
        Explanation(
            reason=group[0].reason or known_errors.meaning(SECTION, known_errors.OTHER).error,
            entries=sum(count.entries for count in group),
            entities=tuple(sorted({count.entity for count in group})),
            text=group[0].text,
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda each: (-each.entries, each.reason.codes[0], each.text))


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
