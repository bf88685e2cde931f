"""The two names that the export user has in turn, and which of them is meant.

A rotation makes the user of the other name, and the secret's connection string says which one counts: the environment
file keeps the first.
"""

from __future__ import annotations

SUFFIX = "_2"


def second(name: str) -> str:
    """The name that takes turns with the one in the environment file."""
    return name + SUFFIX


def current(name: str, said: str | None) -> str:
    """The name that counts, where the environment file names `name` and the secret's connection string `said`."""
    return next((each for each in (name, second(name)) if each.casefold() == (said or "").casefold()), name)


def other(name: str, said: str | None) -> str:
    """The one of the two that does not count."""
    return name if current(name, said) != name else second(name)
