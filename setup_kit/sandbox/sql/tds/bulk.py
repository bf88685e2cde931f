"""A bulk load's message (MS-TDS 2.2.6.1): COLMETADATA, rows, DONE; read as it arrives, never whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from setup_kit.sandbox.sql.errors import ProtocolError
from setup_kit.sandbox.sql.tds import type_info
from setup_kit.sandbox.sql.tds.reader import Reader
from setup_kit.sandbox.sql.tds.rows import nullable_row_decoder, row_decoder
from setup_kit.sandbox.sql.tds.type_info import Form, TypeInfo
from setup_kit.sandbox.sql.values.types import Stored

_COLUMN_METADATA, _ROW, _NULLABLE_ROW, _DONE = 0x81, 0xD1, 0xD2, 0xFD
_NO_METADATA = 0xFFFF

#: A row longer than this is refused: memory stays bounded whatever a client sends.
LARGEST_ROW = 64 * 1024 * 1024

#: More of the message; empty at its end.
Source = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class BulkColumn:
    name: str
    info: TypeInfo


class BulkLoad:
    """`columns` are known at once; `rows` reads the rest of the message. Raises ProtocolError where it is no load."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._data = b""
        self._at = 0
        self.columns = self._column_metadata()

    def _more(self) -> bool:
        """Read on; whether there was more. What has been read already is let go of."""
        kept = self._data[self._at :]
        wanted = max(len(kept), 1)  # at least as much again, so that a long row is not tried too often
        parts = [kept]
        while wanted > 0 and (data := self._source()):
            parts.append(data)
            wanted -= len(data)
        self._data, self._at = b"".join(parts), 0
        if len(self._data) > LARGEST_ROW:
            raise ProtocolError("a row of a bulk load is too large")
        return len(self._data) > len(kept)

    def _column_metadata(self) -> tuple[BulkColumn, ...]:
        while True:
            reader = Reader(self._data, self._at)
            try:
                columns = _column_metadata(reader)
            except ProtocolError:
                if not self._more():
                    raise
                continue
            self._at = reader.at
            return columns

    def rows(self) -> Iterator[tuple[Stored, ...]]:
        infos = [column.info for column in self.columns]
        decode, decode_nullable = row_decoder(infos, in_row=True), nullable_row_decoder(infos, in_row=True)
        while True:
            data, at = self._data, self._at
            try:
                while data[at] == _ROW:
                    row, at = decode(data, at + 1)
                    yield row
                    self._at = at
                if data[at] == _NULLABLE_ROW:
                    row, self._at = decode_nullable(data, at + 1)
                    yield row
                    continue
            except IndexError:
                if self._more():
                    continue
                if self._at < len(self._data):
                    raise ProtocolError("a bulk load is cut off") from None
                return  # a client may leave out the DONE
            if data[at] != _DONE:
                raise ProtocolError(f"token {data[at]:#x} in a bulk load")
            return


def _column_metadata(reader: Reader) -> tuple[BulkColumn, ...]:
    if reader.u8() != _COLUMN_METADATA:
        raise ProtocolError("a bulk load without COLMETADATA")
    count = reader.u16()
    if count in (0, _NO_METADATA):
        raise ProtocolError("a bulk load without columns")
    return tuple(_column(reader) for _ in range(count))


def _column(reader: Reader) -> BulkColumn:
    reader.u32()  # user type
    reader.u16()  # flags
    info = type_info.decode(reader)
    if info.form is Form.LONG:
        for _ in range(reader.u8()):  # text, ntext and image tell their table
            reader.us_varchar()
    return BulkColumn(reader.b_varchar(), info)
