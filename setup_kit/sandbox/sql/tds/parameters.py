"""Remote procedure calls that a client sends (MS-TDS 2.2.6.6), with the values of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.errors import ProtocolError
from setup_kit.sandbox.sql.tds import packets, table_values, type_info
from setup_kit.sandbox.sql.tds.decoding import Decoder, InvalidValueError, decoder
from setup_kit.sandbox.sql.tds.reader import Reader
from setup_kit.sandbox.sql.tds.repeats import BETWEEN_CALLS, Shape
from setup_kit.sandbox.sql.tds.type_info import TypeInfo
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.tables import TableValue
from setup_kit.sandbox.sql.values.types import SqlType, Stored

_NO_EXEC_FLAG = 0xFE
_BY_REFERENCE, _DEFAULT, _ENCRYPTED = 0x01, 0x02, 0x08

#: SQL Server's own bound on the parameters of one call.
MOST_PARAMETERS = 2100


#: The bytes before a value, its type, and its own first byte.
_Part = tuple[bytes, TypeInfo, int]


class Parameter(NamedTuple):
    """`table` is set for a table-valued parameter, which has neither type nor value besides."""

    name: str
    type: SqlType
    value: Stored
    output: bool = False
    default: bool = False
    table: TableValue | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an RPC message: a procedure by number (`procedure_id`) or by name."""

    procedure_id: int
    procedure: str
    parameters: tuple[Parameter, ...]


class Calls:
    """The calls of an RPC message, each read when it is asked for; 8023 for a value that is none, 8003 for too many
    parameters. ProtocolError for a message without any."""

    def __init__(self, data: bytes) -> None:
        self._reader = Reader(data, packets.skip_all_headers(data))
        if self._reader.done:
            raise ProtocolError("an RPC request without a call")
        self._last = Call(0, "", ())
        self._head = b""
        self._parts: list[_Part | None] = []
        self._shape: Shape | None = None

    def __iter__(self) -> Iterator[Call]:
        while not self._reader.done:
            yield self._call()

    def repeats(self, limit: int) -> list[tuple[Stored, ...]]:
        """The values of the calls that follow, at most `limit`, as long as only their values differ from the last."""
        reader = self._reader
        if reader.done:
            return []
        if self._shape is None:
            parts = [part for part in self._parts if part is not None]
            if len(parts) < len(self._parts):  # tables are not compared
                return []
            self._shape = Shape(self._head, parts)
        rows, reader.at = self._shape.read(reader.data, reader.at, limit)
        return rows

    def like_last(self, values: Sequence[Stored]) -> Call:
        """The last call with other values."""
        last = self._last
        parameters = [
            Parameter(p.name, p.type, value, p.output, p.default)
            for p, value in zip(last.parameters, values, strict=True)
        ]
        return Call(last.procedure_id, last.procedure, tuple(parameters))

    def _call(self) -> Call:
        reader = self._reader
        start = reader.at
        length = reader.u16()
        if length == 0xFFFF:
            number, name = reader.u16(), ""
        else:
            number, name = 0, reader.text(length)
        reader.u16()  # option flags: recompile, no metadata, reuse metadata
        self._head, self._parts, self._shape = reader.data[start : reader.at], [], None
        parameters: list[Parameter] = []
        while not reader.done:
            if reader.peek() in BETWEEN_CALLS:
                reader.u8()
                break
            if reader.peek() == _NO_EXEC_FLAG:
                raise unsupported.refused("RPC with NoExecFlag")
            if len(parameters) == MOST_PARAMETERS:
                raise errors.error(8003, MOST_PARAMETERS)
            parameter, part = _parameter(reader, len(parameters) + 1)
            parameters.append(parameter)
            self._parts.append(part)
        self._last = Call(number, name, tuple(parameters))
        return self._last


def _parameter(reader: Reader, number: int) -> tuple[Parameter, _Part | None]:
    """A parameter, and what `Shape` wants to know of it."""
    data, start = reader.data, reader.at
    try:
        at = start + 2 * data[start] + 2  # past the name and the flags
        token = data[at]
    except IndexError:
        raise ProtocolError("a message is cut off") from None
    name = ""
    try:
        if token == type_info.TABLE:
            name, flags = _named(reader)
            reader.u8()
            table = table_values.decode(reader)
            return Parameter(name, t.TABLE, None, default=bool(flags & _DEFAULT), table=table), None
        at += type_info.SIZES.get(token, 1)
        label = data[start:at]
        name, kind, output, default, info, decode = _labelled(label)
        value, reader.at = decode(data, at)
    except IndexError:
        raise ProtocolError("a value lies outside its message") from None
    except InvalidValueError as error:
        raise errors.error(8023, number, name, error.kind) from None
    return Parameter(name, kind, value, output, default), (label, info, data[at] if at < reader.at else 0)


@lru_cache(maxsize=4096)
def _labelled(label: bytes) -> tuple[str, SqlType, bool, bool, TypeInfo, Decoder]:
    """What stands before a value, much the same in each call: name, flags, TYPE_INFO; and how the value is read."""
    reader = Reader(label)
    name, flags = _named(reader)
    info = type_info.decode(reader)
    return name, info.type, bool(flags & _BY_REFERENCE), bool(flags & _DEFAULT), info, decoder(info)


def _named(reader: Reader) -> tuple[str, int]:
    name, flags = reader.b_varchar(), reader.u8()
    if flags & _ENCRYPTED:
        raise unsupported.refused("Always Encrypted parameter")
    return name, flags
