"""Reading the fields of a message, never beyond its end."""

from __future__ import annotations

from setup_kit.sandbox.sql.errors import ProtocolError


class Reader:
    """Takes one field after another; ProtocolError where the message ends too soon."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def done(self) -> bool:
        return self.at >= len(self.data)

    def take(self, count: int) -> bytes:
        start = self.at
        self.at += count
        if self.at > len(self.data):
            raise ProtocolError("a field lies outside its message")
        return self.data[start : self.at]

    def peek(self) -> int:
        if self.done:
            raise ProtocolError("a message is cut off")
        return self.data[self.at]

    def u8(self) -> int:
        self.at += 1
        if self.at > len(self.data):
            raise ProtocolError("a message is cut off")
        return self.data[self.at - 1]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def b_varchar(self) -> str:
        """Text with its length, in characters, in one byte."""
        return self.text(self.u8())

    def us_varchar(self) -> str:
        """Text with its length, in characters, in two bytes."""
        return self.text(self.u16())

    def text(self, length: int) -> str:
        return utf16(self.take(2 * length))


def utf16(raw: bytes) -> str:
    try:
        return raw.decode("utf-16-le")
    except UnicodeDecodeError:
        raise ProtocolError("a name is not UTF-16") from None
