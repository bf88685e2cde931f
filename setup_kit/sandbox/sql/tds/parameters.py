"""Typed values that a client sends: TYPE_INFO and values of RPC requests (MS-TDS 2.2.6.6)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from setup_kit.sandbox.sql.errors import ProtocolError, SqlError
from setup_kit.sandbox.sql.tds import packets
from setup_kit.sandbox.sql.tds.tokens import PLP_UNKNOWN_LENGTH
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

BATCH_FLAG = 0xFF  # between two calls of one message; 0x80 before TDS 7.2
NO_EXEC_FLAG = 0xFE

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    type: SqlType
    value: Stored
    output: bool = False
    default: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an RPC message: a procedure by number (`procedure_id`) or by name."""

    procedure_id: int
    procedure: str
    parameters: tuple[Parameter, ...]


def decode_calls(data: bytes) -> list[Call]:
    """Every call of an RPC message."""
    try:
        return _Reader(data, packets.skip_all_headers(data)).calls()
    except (struct.error, IndexError) as error:
        raise ProtocolError("RPC request cut off") from error


class _Reader:
    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def calls(self) -> list[Call]:
        calls = []
        while self.at < len(self.data):
            calls.append(self.call())
        return calls

    def u8(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def u16(self) -> int:
        self.at += 2
        return int(_U16.unpack_from(self.data, self.at - 2)[0])

    def u32(self) -> int:
        self.at += 4
        return int(_U32.unpack_from(self.data, self.at - 4)[0])

    def take(self, count: int) -> bytes:
        start = self.at
        self.at += count
        if self.at > len(self.data):
            raise ProtocolError("a value lies outside its message")
        return self.data[start : self.at]

    def call(self) -> Call:
        length = self.u16()
        if length == 0xFFFF:
            number, name = self.u16(), ""
        else:
            number, name = 0, self.take(2 * length).decode("utf-16-le", "surrogatepass")
        self.u16()  # option flags: recompile, no metadata, reuse metadata
        parameters = []
        while self.at < len(self.data):
            if self.data[self.at] in (BATCH_FLAG, NO_EXEC_FLAG, 0x80):
                self.at += 1
                break
            parameters.append(self.parameter())
        return Call(number, name, tuple(parameters))

    def parameter(self) -> Parameter:
        name = self.take(2 * self.u8()).decode("utf-16-le", "surrogatepass")
        flags = self.u8()
        if flags & 0x08:
            raise SqlError(40514, "'Always Encrypted parameter' is not supported in this version of SQL Server.")
        kind, read = self.type_and_reader()
        return Parameter(name, kind, read(), bool(flags & 0x01), bool(flags & 0x02))

    def type_and_reader(self) -> tuple[SqlType, Callable[[], Stored]]:
        """The type of the value that follows, and a function that reads the value."""
        token = self.u8()
        if token in _FIXED:
            name, size = _FIXED[token]
            kind = SqlType(name)
            return kind, lambda: _fixed_value(kind, self.take(size))
        if token in (0x26, 0x68, 0x6D, 0x6E, 0x6F, 0x24):
            kind = _by_size(token, self.u8())
            return kind, lambda: self.short_value(kind)
        if token in (0x6A, 0x6C):
            _, precision, scale = self.u8(), self.u8(), self.u8()
            kind = SqlType("decimal" if token == 0x6A else "numeric", precision=precision, scale=scale)
            return kind, lambda: self.short_value(kind)
        if token in (0x28, 0x29, 0x2A):
            scale = 0 if token == 0x28 else self.u8()
            kind = SqlType({0x28: "date", 0x29: "time", 0x2A: "datetime2"}[token], scale=scale)
            return kind, lambda: self.short_value(kind)
        if token in _SIZED:
            name, has_collation = _SIZED[token]
            size = self.u16()
            if has_collation:
                self.take(5)
            if size == 0xFFFF:
                kind = SqlType(name, MAX)
                return kind, lambda: _text_or_bytes(name, self.large_value())
            kind = SqlType(name, max(size // 2 if name in t.NATIONAL else size, 1))
            return kind, lambda: self.sized_value(name)
        if token in (0x23, 0x63, 0x22):  # text, ntext, image
            self.u32()
            name = {0x23: "varchar", 0x63: "nvarchar", 0x22: "varbinary"}[token]
            if token != 0x22:
                self.take(5)
            return SqlType(name, MAX), lambda: self.long_value(name)
        if token == 0x62:
            self.u32()
            return t.VARIANT, self.variant_value
        raise SqlError(
            40524, f"Data type '{_NAMES.get(token, hex(token))}' is not supported in this version of SQL Server."
        )

    def short_value(self, kind: SqlType) -> Stored:
        size = self.u8()
        return None if size == 0 else _fixed_value(kind, self.take(size))

    def sized_value(self, name: str) -> Stored:
        size = self.u16()
        return None if size == 0xFFFF else _text_or_bytes(name, self.take(size))

    def long_value(self, name: str) -> Stored:
        size = self.u32()
        return None if size == 0xFFFFFFFF else _text_or_bytes(name, self.take(size))

    def large_value(self) -> bytes | None:
        """A partially length-prefixed value (2.2.5.2.3)."""
        self.at += 8
        total = _U64.unpack_from(self.data, self.at - 8)[0]
        if total == 0xFFFFFFFFFFFFFFFF:
            return None
        chunks = []
        while size := self.u32():
            chunks.append(self.take(size))
        value = b"".join(chunks)
        if total not in (PLP_UNKNOWN_LENGTH, len(value)):
            raise ProtocolError("a large value is not as long as it says")
        return value

    def variant_value(self) -> Stored:
        size = self.u32()
        if size == 0:
            return None
        raw = self.take(size)
        token, properties = raw[0], raw[1]
        body = raw[2 + properties :]
        if token in _FIXED:
            return _fixed_value(SqlType(_FIXED[token][0]), body)
        if token in _SIZED:
            return _text_or_bytes(_SIZED[token][0], body)
        raise SqlError(40524, f"Data type 'sql_variant({hex(token)})' is not supported in this version of SQL Server.")


_FIXED = {
    0x30: ("tinyint", 1), 0x32: ("bit", 1), 0x34: ("smallint", 2), 0x38: ("int", 4), 0x3A: ("smalldatetime", 4),
    0x3B: ("real", 4), 0x3C: ("money", 8), 0x3D: ("datetime", 8), 0x3E: ("float", 8), 0x7A: ("smallmoney", 4),
    0x7F: ("bigint", 8),
}  # fmt: skip
_SIZED = {
    0xE7: ("nvarchar", True), 0xEF: ("nchar", True), 0xA7: ("varchar", True), 0xAF: ("char", True),
    0xA5: ("varbinary", False), 0xAD: ("binary", False),
}  # fmt: skip
_NAMES = {0x2B: "datetimeoffset", 0xF0: "CLR type", 0xF1: "xml", 0xF3: "table"}


def _by_size(token: int, size: int) -> SqlType:
    if token == 0x26:
        return SqlType({1: "tinyint", 2: "smallint", 4: "int", 8: "bigint"}[size])
    if token == 0x6D:
        return SqlType("float" if size == 8 else "real")
    if token == 0x6E:
        return SqlType("money" if size == 8 else "smallmoney")
    if token == 0x6F:
        return SqlType("datetime" if size == 8 else "smalldatetime")
    return t.BIT if token == 0x68 else t.GUID


def _text_or_bytes(name: str, raw: bytes | None) -> Stored:
    if raw is None or name in t.BINARIES:
        return raw
    try:
        return raw.decode("utf-16-le") if name in t.NATIONAL else raw.decode("cp1252", "replace")
    except UnicodeDecodeError as error:
        raise SqlError(
            8023, "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol stream is incorrect. "
            f"The supplied value is not a valid instance of data type {name}. Check the source data for invalid "
            "values.",
        ) from error  # fmt: skip


def _fixed_value(kind: SqlType, raw: bytes) -> Stored:
    name = kind.name
    if name in t.INTEGERS:
        return int.from_bytes(raw, "little", signed=name not in ("bit", "tinyint"))
    if name == "float":
        return float(struct.unpack("<d", raw)[0])
    if name == "real":
        return float(struct.unpack("<f", raw)[0])
    if name in ("decimal", "numeric"):
        unscaled = int.from_bytes(raw[1:], "little")
        return t.encode_scaled(unscaled if raw[0] else -unscaled, kind.scale)
    if name == "money":
        high, low = struct.unpack("<iI", raw)
        return t.encode_scaled((high << 32) | low, 4)
    if name == "smallmoney":
        return t.encode_scaled(struct.unpack("<i", raw)[0], 4)
    if name == "uniqueidentifier":
        return t.encode_guid_bytes(raw)
    if name == "datetime":
        days, parts = struct.unpack("<iI", raw)
        return int((days + t.DAY_1900) * t.TICKS_PER_DAY + t.datetime_ticks(parts))
    if name == "smalldatetime":
        days, minutes = struct.unpack("<HH", raw)
        return int((days + t.DAY_1900) * t.TICKS_PER_DAY + minutes * 60 * t.TICKS_PER_SECOND)
    if name == "date":
        return int.from_bytes(raw, "little") * t.TICKS_PER_DAY
    unit = int(10 ** (7 - kind.scale))
    if name == "time":
        return int.from_bytes(raw, "little") * unit
    return int.from_bytes(raw[-3:], "little") * t.TICKS_PER_DAY + int.from_bytes(raw[:-3], "little") * unit
