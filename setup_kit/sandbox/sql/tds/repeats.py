"""Calls of one RPC message that differ in their values alone, as drivers send many rows: read without their types.

The bytes before each value (name, flags, TYPE_INFO) are compared with those of the call before; only the values are
decoded. Whatever is not as it was is left to `parameters`, which reads it all and knows its errors.
"""

from __future__ import annotations

from dataclasses import dataclass

from setup_kit.sandbox.sql.errors import ProtocolError, SqlError
from setup_kit.sandbox.sql.tds.decoding import Decoder
from setup_kit.sandbox.sql.values.types import Stored


@dataclass(frozen=True, slots=True)
class Shape:
    """`head` are the bytes of a call up to its first parameter, `parts` those before each value, and its decoder."""

    head: bytes
    parts: tuple[tuple[bytes, Decoder], ...]

    def read(self, data: bytes, at: int, limit: int, end: int) -> tuple[list[list[Stored]], int]:
        """The values of up to `limit` calls of this shape from `at`, and where the next call begins."""
        head = self.head
        rows: list[list[Stored]] = []
        parts = [(label, len(label), decode) for label, decode in self.parts]
        while at < end and len(rows) < limit and data.startswith(head, at):
            here = at + len(head)
            row: list[Stored] = []
            try:
                for label, size, decode in parts:
                    if not data.startswith(label, here):
                        return rows, at
                    value, here = decode(data, here + size)
                    row.append(value)
            except (IndexError, ProtocolError, SqlError):
                return rows, at
            if here < end:
                if data[here] not in BETWEEN_CALLS:
                    return rows, at
                here += 1
            rows.append(row)
            at = here
        return rows, at


#: BatchFlag of TDS 7.2 and later.
BETWEEN_CALLS = frozenset((0xFF,))
