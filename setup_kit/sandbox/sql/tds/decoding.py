"""Values that a client sends, by type: RPC parameters, rows of bulk load and of table-valued parameters (2.2.5.5).

A decoder takes the bytes and where the value begins, and gives the stored value and where the next one begins. It
raises IndexError where the bytes end too soon (a stream reads on, a message is broken), ProtocolError where they cannot
be right, and InvalidValueError for one that the type does not have.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable

from setup_kit.sandbox.sql import unsupported
from setup_kit.sandbox.sql.errors import ProtocolError, SqlError
from setup_kit.sandbox.sql.tds.type_info import FIXED_BY_TOKEN, SIZED, Form, TypeInfo, charset
from setup_kit.sandbox.sql.values import code_page
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

Decoder = Callable[[bytes, int], tuple[Stored, int]]
#: From the bytes of a value alone, all of them.
Convert = Callable[[bytes], Stored]

PLP_NULL = 0xFFFFFFFFFFFFFFFF
PLP_UNKNOWN_LENGTH = 0xFFFFFFFFFFFFFFFE


class InvalidValueError(SqlError):
    """Bytes that are no value of their type: 9803 in bulk load; RPC tells it as 8023 with the parameter's name."""

    def __init__(self, kind: str) -> None:
        super().__init__(9803, f'Invalid data for type "{kind}".')
        self.kind = kind


def decoder(info: TypeInfo, *, in_row: bool = False) -> Decoder:
    """`in_row`: text, ntext and image come with a text pointer, as they do in ROW tokens."""
    form, convert = info.form, converter(info)
    if form is Form.FIXED:
        return _fixed(info.type.max_length, convert)
    if form is Form.BYTE:
        return _byte_length(_sizes(info.type), convert)
    if form is Form.SHORT:
        return _short_length(info.type, convert)
    if form is Form.LARGE:
        return lambda data, at: _large(data, at, convert)
    if form is Form.NULL:
        return lambda data, at: (None, at)
    if form is Form.LONG and in_row:
        return _text_pointer(_long_length(0xFFFFFFFF, convert))
    return _long_length(0 if form is Form.VARIANT else 0xFFFFFFFF, convert)


# Forms


def _fixed(size: int, convert: Convert) -> Decoder:
    def decode(data: bytes, at: int) -> tuple[Stored, int]:
        end = at + size
        if end > len(data):
            raise IndexError
        return convert(data[at:end]), end

    return decode


def _byte_length(sizes: frozenset[int], convert: Convert) -> Decoder:
    def decode(data: bytes, at: int) -> tuple[Stored, int]:
        size = data[at]
        if not size:
            return None, at + 1
        if size not in sizes:
            raise ProtocolError(f"a value of {size} bytes")
        end = at + size + 1
        if end > len(data):
            raise IndexError
        return convert(data[at + 1 : end]), end

    return decode


def _short_length(kind: SqlType, convert: Convert) -> Decoder:
    most = kind.max_length

    def decode(data: bytes, at: int) -> tuple[Stored, int]:
        size = data[at] | data[at + 1] << 8
        if size == 0xFFFF:
            return None, at + 2
        end = at + size + 2
        if size > most:
            raise InvalidValueError(kind.name)
        if end > len(data):
            raise IndexError
        return convert(data[at + 2 : end]), end

    return decode


def _long_length(null: int, convert: Convert) -> Decoder:
    def decode(data: bytes, at: int) -> tuple[Stored, int]:
        start = at + 4
        if start > len(data):
            raise IndexError
        size = int.from_bytes(data[at:start], "little")
        if size == null:
            return None, start
        if start + size > len(data):
            raise IndexError
        return convert(data[start : start + size]), start + size

    return decode


def _text_pointer(decode: Decoder) -> Decoder:
    """Text pointer (no bytes of it for NULL) and timestamp, then the value."""

    def after_pointer(data: bytes, at: int) -> tuple[Stored, int]:
        size = data[at]
        return decode(data, at + 1 + size + 8) if size else (None, at + 1)

    return after_pointer


def _large(data: bytes, at: int, convert: Convert) -> tuple[Stored, int]:
    """A partially length-prefixed value (2.2.5.2.3)."""
    start = at + 8
    if start > len(data):
        raise IndexError
    total = int.from_bytes(data[at:start], "little")
    if total == PLP_NULL:
        return None, start
    value: bytes | bytearray = b""
    while True:
        at = start + 4
        if at > len(data):
            raise IndexError
        size = int.from_bytes(data[start:at], "little")
        if not size:
            break
        start = at + size
        if start > len(data):
            raise IndexError
        if not value:
            value = data[at:start]
            continue
        if isinstance(value, bytes):
            value = bytearray(value)
        value += data[at:start]
    if total not in (PLP_UNKNOWN_LENGTH, len(value)):
        raise ProtocolError("a large value is not as long as it says")
    return convert(bytes(value)), at


def _sizes(kind: SqlType) -> frozenset[int]:
    """How many bytes a value of the type may have."""
    if kind.name in ("decimal", "numeric"):
        return frozenset(range(2, 18))  # FreeTDS sends no more bytes than the precision takes
    return frozenset((kind.max_length,))


# Types


def converter(info: TypeInfo) -> Convert:
    kind = info.type
    name = kind.name
    if name in t.STRINGS:
        return _string(name, info.charset)
    if name in t.BINARIES:
        return lambda raw: raw
    if name in ("decimal", "numeric"):
        return _decimal(kind)
    return _SCALED[name](kind) if name in _SCALED else _PLAIN[name]


def _string(name: str, encoding: str) -> Convert:
    if encoding == "cp1252":
        return code_page.decode
    decode = codecs.utf_16_le_decode if encoding == "utf-16-le" else codecs.utf_8_decode

    def convert(raw: bytes) -> Stored:
        try:
            return decode(raw, "strict", True)[0]
        except UnicodeDecodeError:  # half a surrogate pair too: the store keeps UTF-8
            raise InvalidValueError(name) from None

    return convert


def _bit(raw: bytes) -> Stored:
    return int(raw[0] != 0)


def _unpack(pattern: str) -> Convert:
    unpack = struct.Struct(pattern).unpack
    return lambda raw: unpack(raw)[0]


def _float(name: str, pattern: str) -> Convert:
    unpack = struct.Struct(pattern).unpack

    def convert(raw: bytes) -> Stored:
        value: float = unpack(raw)[0]
        if value - value != 0.0:  # SQL Server has neither infinity nor NaN
            raise InvalidValueError(name)
        return value

    return convert


def _decimal(kind: SqlType) -> Convert:
    scale, limit = kind.scale, 10**kind.precision

    def convert(raw: bytes) -> Stored:
        unscaled = int.from_bytes(raw[1:], "little")
        if unscaled >= limit:
            raise InvalidValueError(kind.name)
        return t.encode_scaled(unscaled if raw[0] else -unscaled, scale)

    return convert


def _money(raw: bytes) -> Stored:
    high, low = struct.unpack("<iI", raw)
    return t.encode_scaled((high << 32) | low, 4)


def _small_money(raw: bytes) -> Stored:
    return t.encode_scaled(int.from_bytes(raw, "little", signed=True), 4)


def _datetime(raw: bytes) -> Stored:
    days, parts = struct.unpack("<iI", raw)
    days += t.DAY_1900
    if not days * t.TICKS_PER_DAY >= t.FIRST_DATETIME or days > t.LAST_DAY or parts >= 300 * 86_400:
        raise InvalidValueError("datetime")
    return int(days * t.TICKS_PER_DAY + t.datetime_ticks(parts))


def _small_datetime(raw: bytes) -> Stored:
    days, minutes = struct.unpack("<HH", raw)
    if minutes >= 24 * 60:
        raise InvalidValueError("smalldatetime")
    return int((days + t.DAY_1900) * t.TICKS_PER_DAY + minutes * 60 * t.TICKS_PER_SECOND)


def _date(raw: bytes) -> Stored:
    days = int.from_bytes(raw, "little")
    if days > t.LAST_DAY:
        raise InvalidValueError("date")
    return days * t.TICKS_PER_DAY


def _clock(kind: SqlType) -> tuple[int, int, int]:
    """Of a type of fractional seconds: bits of its time of day, a mask for them, and ticks of one unit."""
    bits = 8 * t.time_bytes(kind.scale)
    return bits, (1 << bits) - 1, 10 ** (7 - kind.scale)


def _time(kind: SqlType) -> Convert:
    _, _, unit = _clock(kind)

    def convert(raw: bytes) -> Stored:
        ticks = int.from_bytes(raw, "little") * unit
        if ticks >= t.TICKS_PER_DAY:
            raise InvalidValueError("time")
        return ticks

    return convert


def _datetime2(kind: SqlType) -> Convert:
    bits, mask, unit = _clock(kind)

    def convert(raw: bytes) -> Stored:
        whole = int.from_bytes(raw, "little")
        clock, days = (whole & mask) * unit, whole >> bits
        if clock >= t.TICKS_PER_DAY or days > t.LAST_DAY:
            raise InvalidValueError("datetime2")
        return days * t.TICKS_PER_DAY + clock

    return convert


def _datetimeoffset(kind: SqlType) -> Convert:
    moment = _datetime2(kind)

    def convert(raw: bytes) -> Stored:
        utc = moment(raw[:-2])
        minutes = int.from_bytes(raw[-2:], "little", signed=True)
        if abs(minutes) > t.MOST_OFFSET or not isinstance(utc, int):
            raise InvalidValueError("datetimeoffset")
        return t.encode_offset(utc, minutes)

    return convert


def _variant(raw: bytes) -> Stored:
    """sql_variant (2.2.5.5.4): base type, length and bytes of its properties, value."""
    if len(raw) < 2 or len(raw) < 2 + raw[1]:
        raise ProtocolError("a sql_variant is too short")
    token, properties, body = raw[0], raw[2 : 2 + raw[1]], raw[2 + raw[1] :]
    if token in SIZED:
        name = SIZED[token]
        if name in t.BINARIES:
            return body
        if len(properties) != 7:
            raise ProtocolError("a sql_variant without its collation")
        return _string(name, charset(name, properties))(body)
    if token in FIXED_BY_TOKEN and token != 0x32 and len(body) == t.FIXED_LENGTHS[FIXED_BY_TOKEN[token].name]:
        if FIXED_BY_TOKEN[token].name in ("tinyint", "smallint", "int", "bigint", "float", "real"):
            return _PLAIN[FIXED_BY_TOKEN[token].name](body)
    elif token == 0x32 and len(body) == 1:
        return _bit(body)
    raise unsupported.refused("sql_variant of another type", _VARIANT_NAMES.get(token, hex(token)))


_VARIANT_NAMES = {
    **{token: kind.name for token, kind in FIXED_BY_TOKEN.items()}, 0x24: "uniqueidentifier", 0x28: "date",
    0x29: "time", 0x2A: "datetime2", 0x2B: "datetimeoffset", 0x6A: "decimal", 0x6C: "numeric",
}  # fmt: skip

_PLAIN: dict[str, Convert] = {
    "bit": _bit, "tinyint": lambda raw: raw[0], "smallint": _unpack("<h"), "int": _unpack("<i"),
    "bigint": _unpack("<q"), "float": _float("float", "<d"), "real": _float("real", "<f"), "money": _money,
    "smallmoney": _small_money, "uniqueidentifier": t.encode_guid_bytes, "datetime": _datetime,
    "smalldatetime": _small_datetime, "date": _date, "sql_variant": _variant,
}  # fmt: skip
_SCALED: dict[str, Callable[[SqlType], Convert]] = {
    "time": _time, "datetime2": _datetime2, "datetimeoffset": _datetimeoffset,
}  # fmt: skip
