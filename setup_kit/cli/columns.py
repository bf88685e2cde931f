"""Text in columns, as wide as the terminal and no wider than is read with ease."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable

import click

WIDEST = 100


def width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST) - 2


def rows(pairs: Iterable[tuple[str, str]]) -> str:
    """Two columns, the second one wrapped; where the first is too wide the second goes below it."""
    formatter = click.HelpFormatter(width=width())
    formatter.write_dl(list(pairs), col_max=32)
    return formatter.getvalue().rstrip("\n")


def paragraph(label: str, text: str, indent: int) -> str:
    """A label, and a text beside it in a column of its own; an address stays whole."""
    return textwrap.fill(
        text,
        width(),
        initial_indent=label.ljust(indent),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
