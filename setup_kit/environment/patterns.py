"""What tells a pattern of environments from a name; apart, so that a command line is parsed without the models."""

from __future__ import annotations

from pathlib import Path

_WILD = frozenset("*?[")


def is_pattern(text: str, root: Path | None = None) -> bool:
    """`prod-*` is one; what is the path of a file is none, whatever its name is."""
    return bool(_WILD & set(text)) and not ((Path.cwd() if root is None else root) / text).is_file()
