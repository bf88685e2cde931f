"""Plain text from the SDKs' values."""

from __future__ import annotations

from enum import Enum


def plain(value: Enum | str | None) -> str:
    """A known word arrives as a member of an enumeration, a new one as text, a missing one as None."""
    if value is None:
        return ""
    return str(value.value) if isinstance(value, Enum) else str(value)


def group_of(resource_id: str) -> str:
    """The resource group that a resource's id names; empty where it names none."""
    parts = resource_id.split("/")
    lower = [part.lower() for part in parts]
    return parts[lower.index("resourcegroups") + 1] if "resourcegroups" in lower else ""
