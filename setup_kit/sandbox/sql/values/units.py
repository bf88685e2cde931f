"""Text measured in UTF-16 units, as nvarchar measures it."""

from __future__ import annotations


def utf16_length(text: str) -> int:
    """Length as nvarchar counts it: a character outside the basic plane takes two."""
    return len(text) if text.isascii() else len(text) + sum(1 for char in text if char > "\uffff")


def cut_units(text: str, length: int) -> str:
    """The first `length` UTF-16 units. Half a pair, which the store cannot hold, becomes U+FFFD."""
    if len(text) * 2 <= length or text.isascii() or max(text) < "\U00010000":
        return text[:length]
    return text.encode("utf-16-le", "surrogatepass")[: length * 2].decode("utf-16-le", "replace")
