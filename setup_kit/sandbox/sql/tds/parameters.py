"""Remote procedure calls that a client sends (MS-TDS 2.2.6.6), with the values of their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

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


@dataclass(frozen=True, slots=True)
class Parameter:
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
    start = reader.at
    name = reader.b_varchar()
    flags = reader.u8()
    if flags & _ENCRYPTED:
        raise unsupported.refused("Always Encrypted parameter")
    try:
        if reader.peek() == type_info.TABLE:
            reader.u8()
            table = table_values.decode(reader)
            parameter = Parameter(name, t.TABLE, None, default=bool(flags & _DEFAULT), table=table)
            return parameter, None
        info = type_info.decode(reader)
        label, at = reader.data[start : reader.at], reader.at
        value, reader.at = _decoder(info)(reader.data, at)
    except IndexError:
        raise ProtocolError("a value lies outside its message") from None
    except InvalidValueError as error:
        raise errors.error(8023, number, name, error.kind) from None
    parameter = Parameter(name, info.type, value, bool(flags & _BY_REFERENCE), bool(flags & _DEFAULT))
    return parameter, (label, info, reader.data[at] if at < reader.at else 0)


@lru_cache(maxsize=4096)
def _decoder(info: TypeInfo) -> Decoder:
    return decoder(info)
