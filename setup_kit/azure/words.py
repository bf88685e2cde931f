"""Plain text from the SDKs' values."""

from __future__ import annotations

from enum import Enum


def plain(value: Enum | str | None) -> str:
    """A known word arrives as a member of an enumeration, a new one as text, a missing one as None."""
    if value is None:
        return ""
    return str(value.value) if isinstance(value, Enum) else str(value)
