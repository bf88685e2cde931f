"""Collations for SQLite: `tsql` for strings, `instant` for datetimeoffset.

`tsql` is SQL_Latin1_General_CP1_CI_AS, near enough: no case, accents count, trailing blanks do not.
"""

from __future__ import annotations

import sqlite3
import unicodedata

from setup_kit.sandbox.sql.values import types as t


def lower(text: str) -> str:
    """Character by character, so that the length stays: SQL Server keeps ß and İ as they are."""
    return text.lower() if text.isascii() else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


def upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(c if len(c.upper()) > 1 else c.upper() for c in text)


def equality_key(text: str) -> str:
    """Equal for strings that are equal under the collation."""
    return lower(text.rstrip(" "))


#: Signs come before figures, and figures before letters: those that ASCII has further on are put behind a slash.
_SIGNS_FIRST = {ord(sign): f"/{sign}" for sign in "/:;<=>?@[\\]^_`{|}~"}


def order_key(text: str) -> tuple[str, str]:
    """In the collation's order: é comes between e and f. Among other scripts the order is that of Unicode."""
    key = equality_key(text).translate(_SIGNS_FIRST)
    if key.isascii():
        return key, ""
    plain = "".join(c for c in unicodedata.normalize("NFD", key) if not unicodedata.combining(c))
    return plain, key


def compare(left: str, right: str) -> int:
    if left == right:
        return 0
    a, b = order_key(left), order_key(right)
    return -1 if a < b else int(a > b)


def compare_instants(left: str, right: str) -> int:
    """Two datetimeoffsets are equal when they are the same moment, whatever their offsets."""
    a, b = t.instant(left), t.instant(right)
    return (a > b) - (a < b)


def register(connection: sqlite3.Connection) -> None:
    connection.create_collation("tsql", compare)
    connection.create_collation("instant", compare_instants)
