"""What a caller's permissions allow: Azure's patterns of actions, and which of them take others back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Permission:
    """Of one role that the caller holds, as patterns. What it takes back it takes from itself alone."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Permission:
        """From how Resource Manager writes it."""
        keys = ("actions", "notActions", "dataActions", "notDataActions")
        return cls(*(tuple(map(str, body.get(key) or ())) for key in keys))


def allows(permissions: Iterable[Permission], action: str, *, data: bool = False) -> bool:
    """Whether an action may be done by any one of the permissions ("Understand Azure role definitions").

    Deny assignments, and conditions on roles, are not in what Resource Manager lists and so not in this answer.
    """
    for each in permissions:
        given, taken = (each.data_actions, each.not_data_actions) if data else (each.actions, each.not_actions)
        if _any(given, action) and not _any(taken, action):
            return True
    return False


def matches(pattern: str, action: str) -> bool:
    """Whether a pattern names an action: `*` stands for any text, slashes included; case does not matter."""
    return _expression(pattern.lower()).fullmatch(action.lower()) is not None


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(matches(pattern, action) for pattern in patterns)


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    # Several stars in a row are one: else it would take exponential time to find that nothing fits.
    parts = [re.escape(part) for part in re.split(r"\*+", pattern)]
    return re.compile(".*".join(parts), re.DOTALL)
