"""Calls of one RPC message that differ in their values alone, as drivers send many rows: read without their types.

The bytes before each value (name, flags, TYPE_INFO) are compared with those of the call before; only the values are
decoded. Whatever is not as it was is left to `parameters`, which reads it all and knows its errors.
"""

from __future__ import annotations

from setup_kit.sandbox.sql.errors import ProtocolError, SqlError
from setup_kit.sandbox.sql.tds.rows import DifferentLabelError, labelled_row_decoder
from setup_kit.sandbox.sql.tds.type_info import Form, TypeInfo
from setup_kit.sandbox.sql.values.types import Stored

#: BatchFlag of TDS 7.2 and later.
BETWEEN_CALLS = frozenset((0xFF,))
_WHOLE_DECIMAL = 17


class Shape:
    """`head` are the bytes of a call up to its first parameter; each of `parts` has those before a value, the value's
    type, and the byte that it began with in the first call.
    """

    def __init__(self, head: bytes, parts: list[tuple[bytes, TypeInfo, int]]) -> None:
        self._head = head
        self._decode = labelled_row_decoder([(label, info, _usual_size(info, first)) for label, info, first in parts])

    def read(self, data: bytes, at: int, limit: int) -> tuple[list[tuple[Stored, ...]], int]:
        """The values of up to `limit` calls of this shape from `at`, and where the next call begins."""
        head, size, decode, end = self._head, len(self._head), self._decode, len(data)
        rows: list[tuple[Stored, ...]] = []
        try:
            while at < end and len(rows) < limit and data.startswith(head, at):
                row, here = decode(data, at + size)
                if here < end:
                    if data[here] not in BETWEEN_CALLS:
                        break
                    here += 1
                rows.append(row)
                at = here
        except (IndexError, DifferentLabelError, ProtocolError, SqlError):
            pass
        return rows, at


def _usual_size(info: TypeInfo, first: int) -> int:
    """That of the first call's value; when it was NULL, the one most clients send."""
    if info.form is Form.BYTE and first:
        return first
    return _WHOLE_DECIMAL if info.type.name in ("decimal", "numeric") else info.type.max_length
