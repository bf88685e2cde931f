"""Names and texts as T-SQL writes them, for the statements that take no parameters.

Source: "Database Identifiers" and "Constants" in the Transact-SQL reference.
"""

from __future__ import annotations

from setup_kit.errors import KitError

_SYSNAME_UNITS = 128  # sysname is nvarchar(128), counted in UTF-16 units


class QuotingError(KitError):
    """A value that T-SQL cannot hold. Its text never repeats the value: it may be a password."""


def _units(text: str, what: str) -> int:
    if "\x00" in text:
        raise QuotingError(f"{what} cannot hold the character NUL")
    try:
        return len(text.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        raise QuotingError(f"{what} holds half of a surrogate pair, which is no character") from None


def quote_identifier(name: str) -> str:
    """`[name]`, `]` doubled. Raises QuotingError unless it is 1 to 128 UTF-16 units without NUL."""
    units = _units(name, "a name")
    if not 0 < units <= _SYSNAME_UNITS:
        raise QuotingError(f"a name has 1 to {_SYSNAME_UNITS} characters (UTF-16 units), this one has {units}")
    return "[" + name.replace("]", "]]") + "]"


def quote_literal(text: str) -> str:
    """`N'text'`, `'` doubled. Raises QuotingError for NUL and halves of surrogate pairs."""
    _units(text, "a text")
    return "N'" + text.replace("'", "''") + "'"
