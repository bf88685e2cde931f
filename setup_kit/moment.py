"""Moments as a person reads them: all alike, and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def readable(moment: datetime | str | None) -> str:
    """`2026-11-29 15:05:05`, in UTC, of a moment that knows its zone or of ISO 8601; empty where there is none."""
    if not moment:
        return ""
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{known.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
