"""The entries of a profile's failure log: what could not be exported, and the service's reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest

# A reason may span lines: only a line that has everything else of an entry begins the next one.
_ENTRY = re.compile(
    r"^Entity: (?P<entity>[^\n]*?), RecordId: (?P<record>[^\n]*?), NotificationTime: (?P<notified>[^\n]*?),"
    r" ChangeType: (?P<change>[^\n]*?), FailureReason: ",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Failure:
    """One entry. `record` is None where it is about the whole entity, `notified` (UTC) where no change set it off."""

    entity: str
    record: str | None
    notified: datetime | None
    change: str
    reason: str


def read_failures(text: str) -> Iterator[Failure]:
    """The entries of a log's text, in its order. What stands before the first one is no entry and is passed over."""
    found = list(_ENTRY.finditer(text))
    for entry, following in zip_longest(found, found[1:]):
        end = len(text) if following is None else following.start()
        record = entry["record"].strip()
        yield Failure(
            entity=entry["entity"].strip(),
            record=None if record in ("", "N/A") else record,
            notified=_moment(entry["notified"].strip()),
            change=entry["change"].strip(),
            reason=text[entry.end() : end].strip(),
        )


def _moment(text: str) -> datetime | None:
    """As .NET writes it for the United States, in UTC: 8/31/2016 6:50:38 PM. None for anything else."""
    try:
        return datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
    except ValueError:
        return None
