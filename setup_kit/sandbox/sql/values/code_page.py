"""Code page 1252, in which char and varchar hold their text, as Windows converts to and from it."""

from __future__ import annotations

import codecs

#: Bytes without a character in the code page: Windows keeps them as control characters.
_UNDEFINED = frozenset((0x81, 0x8D, 0x8F, 0x90, 0x9D))


def _convert(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError):
        return "".join(map(chr, error.object[error.start : error.end])), error.end
    if isinstance(error, UnicodeEncodeError):
        out = bytearray()
        for char in error.object[error.start : error.end]:
            # A character outside the basic plane is two UTF-16 units, and so two question marks.
            out += bytes((ord(char),)) if ord(char) in _UNDEFINED else b"??" if char > "\uffff" else b"?"
        return bytes(out), error.end
    raise error


codecs.register_error("windows-1252", _convert)


def encode(text: str) -> bytes:
    """What the code page lacks becomes a question mark."""
    return text.encode("ascii") if text.isascii() else text.encode("cp1252", "windows-1252")


def decode(data: bytes) -> str:
    return data.decode("ascii") if data.isascii() else data.decode("cp1252", "windows-1252")
