"""Table-valued parameters of remote procedure calls (MS-TDS 2.2.5.5.5)."""

from __future__ import annotations

from collections.abc import Iterator

from setup_kit.sandbox.sql.errors import ProtocolError
from setup_kit.sandbox.sql.tds import type_info
from setup_kit.sandbox.sql.tds.reader import Reader
from setup_kit.sandbox.sql.tds.rows import RowDecoder, row_decoder
from setup_kit.sandbox.sql.tds.type_info import TypeInfo
from setup_kit.sandbox.sql.values.tables import TableValue
from setup_kit.sandbox.sql.values.types import Stored

_NULL = 0xFFFF  # in the place of the number of columns
_ROW, _END = 0x01, 0x00
_ORDER_UNIQUE, _COLUMN_ORDERING = 0x10, 0x11
_DEFAULT_FLAG = 0x0200
_MOST_COLUMNS = 1024


def decode(reader: Reader) -> TableValue:
    """The parameter's TYPE_INFO after its token, and its rows. Raises as a value's decoder does."""
    reader.b_varchar()  # the database, which must be left empty
    schema, name = reader.b_varchar(), reader.b_varchar()
    count = reader.u16()
    infos: list[TypeInfo] = []
    defaulted: set[int] = set()
    if count != _NULL:
        if not 0 < count <= _MOST_COLUMNS:
            raise ProtocolError(f"a table of {count} columns")
        for number in range(count):
            reader.u32()  # user type
            flags = reader.u16()
            infos.append(type_info.decode(reader))
            reader.b_varchar()  # the column's name, which counts for nothing
            if flags & _DEFAULT_FLAG:
                defaulted.add(number)
    order = _metadata(reader, len(infos))
    sent = [number for number in order if number not in defaulted]
    kept = sorted(sent)
    places = None if sent == kept else [sent.index(number) for number in kept]
    rows = _Rows(reader.data, reader.at, row_decoder([infos[number] for number in sent]), places)
    reader.at = rows.end
    return TableValue(schema, name, tuple(infos[number].type for number in kept), rows, frozenset(defaulted))


def _metadata(reader: Reader, count: int) -> list[int]:
    """What may stand between columns and rows: how rows are sorted, and in which order their values come."""
    order = list(range(count))
    while (token := reader.u8()) != _END:
        if token == _ORDER_UNIQUE:
            reader.take(3 * reader.u16())
        elif token == _COLUMN_ORDERING:
            order = [reader.u16() - 1 for _ in range(reader.u16())]
            if sorted(order) != list(range(count)):
                raise ProtocolError("the order of a table's columns names others")
        else:
            raise ProtocolError(f"token {token:#x} in a table")
    return order


class _Rows:
    """Rows that are decoded anew each time they are gone through: only their bytes lie in memory.

    `places` are those of the values in the order of the columns; None when they come in that order. Making it goes
    through all rows once, for their errors and their end.
    """

    def __init__(self, data: bytes, start: int, decode: RowDecoder, places: list[int] | None) -> None:
        self._data, self._start, self._decode, self._places = data, start, decode, places
        at = start
        while data[at] == _ROW:
            _, at = decode(data, at + 1)
        if data[at] != _END:
            raise ProtocolError(f"token {data[at]:#x} among a table's rows")
        self.end = at + 1

    def __iter__(self) -> Iterator[tuple[Stored, ...]]:
        data, at, decode, places = self._data, self._start, self._decode, self._places
        while data[at] == _ROW:
            row, at = decode(data, at + 1)
            yield row if places is None else tuple(row[place] for place in places)
