"""An export profile as a person reads it, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from setup_kit.export_service.models import Profile
from setup_kit.moment import readable
from setup_kit.report.console import show_table
from setup_kit.report.documents import Document
from setup_kit.report.states import plain, show_state


def profile_document(profile: Profile) -> Document:
    """`statuses` is empty unless they were asked for; the secret is named by its address only."""
    described: Document = plain(profile.description)
    return {
        "name": described.pop("name"),
        "id": profile.id,
        "version": profile.version,
        "state": str(profile.state),
        **described,
        "statuses": [
            {
                "entity": status.name,
                "initial_sync": str(status.initial_sync),
                "metadata": str(status.metadata),
                "total": status.total,
                "succeeded": status.succeeded,
                "failed": status.failed,
                "last_export": plain(status.last_export),
                "last_export_status": status.last_export_status,
            }
            for status in profile.statuses
        ],
    }


def show_profile(console: Console, profile: Profile) -> None:
    document = profile_document(profile)
    statuses = document.pop("statuses")
    show_state(console, document)
    console.print()
    show_statuses(console, statuses)


def show_statuses(console: Console, statuses: Iterable[Document]) -> None:
    """How far each entity is, of a document of a profile."""
    columns = ["entity", "initial sync", "total", "succeeded", "failed", "last export (UTC)"]
    rows = [
        [
            *(each[key] for key in ("entity", "initial_sync", "total", "succeeded", "failed")),
            readable(each["last_export"]),
        ]
        for each in statuses
    ]
    show_table(console, "", columns, [["" if cell is None else cell for cell in row] for row in rows])
