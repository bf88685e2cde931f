"""Values that the server sends, by type: rows of results and output parameters (MS-TDS 2.2.5.5)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from setup_kit.sandbox.sql.tds.type_info import COLLATION
from setup_kit.sandbox.sql.values import code_page
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

Encoder = Callable[[Stored], bytes]

_PLP_NULL = b"\xff" * 8


def encoder(kind: SqlType) -> Encoder:
    """A function from a stored value (or None) to its bytes in a ROW or RETURNVALUE."""
    name = kind.name
    if name in t.SIZED and kind.length == MAX:
        return _large_encoder(name)
    if name in t.STRINGS:
        charset = _charset(name)
        most = kind.max_length
        width = most if name in ("nchar", "char") else 0
        blank = charset(" ")

        def encode_string(value: Stored) -> bytes:
            if value is None:
                return b"\xff\xff"
            data = charset(value)  # type: ignore[arg-type]
            if len(data) < width:
                data += blank * ((width - len(data)) // len(blank))
            elif len(data) > most:  # more than was declared would break the stream
                data = data[:most]
            return struct.pack("<H", len(data)) + data

        return encode_string
    if name in t.BINARIES:
        return lambda value: b"\xff\xff" if value is None else struct.pack("<H", len(value)) + value  # type: ignore[arg-type, operator]
    body = fixed_encoder(kind)
    if name == "sql_variant":
        return body
    return lambda value: b"\x00" if value is None else (data := body(value), bytes((len(data),)) + data)[1]


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _charset(name: str) -> Callable[[str], bytes]:
    return _utf16 if name in t.NATIONAL else code_page.encode


def _large_encoder(name: str) -> Encoder:
    """Partially length-prefixed: the length, one chunk, and its end (2.2.5.2.3)."""
    charset = _charset(name)

    def encode_large(value: Stored) -> bytes:
        if value is None:
            return _PLP_NULL
        data = value if isinstance(value, bytes) else charset(value)  # type: ignore[arg-type]
        chunk = struct.pack("<I", len(data)) + data if data else b""
        return struct.pack("<Q", len(data)) + chunk + b"\x00\x00\x00\x00"

    return encode_large


def fixed_encoder(kind: SqlType) -> Encoder:
    """The bytes of a value of fixed length, without its length."""
    name = kind.name
    if name in t.INTEGERS:
        pattern = struct.Struct({1: "<B", 2: "<h", 4: "<i", 8: "<q"}[t.FIXED_LENGTHS[name]])
        return lambda value: pattern.pack(value)
    if name in t.FLOATS:
        pack = struct.Struct("<d" if name == "float" else "<f").pack

        def encode_float(value: Stored) -> bytes:
            if not math.isfinite(value):  # type: ignore[arg-type]
                raise OverflowError("a float has no infinity")
            return pack(value)

        return encode_float
    if name in ("decimal", "numeric"):
        scale, size = kind.scale, t.decimal_bytes(kind.precision)

        def encode_number(value: Stored) -> bytes:
            number = t.decode_scaled(str(value), scale)
            return (b"\x00" if number < 0 else b"\x01") + abs(number).to_bytes(size, "little")

        return encode_number
    if name == "money":
        halves = struct.Struct("<iI")

        def encode_money(value: Stored) -> bytes:
            number = t.decode_scaled(str(value), 4)
            return halves.pack(number >> 32, number & 0xFFFFFFFF)

        return encode_money
    if name == "smallmoney":
        return lambda value: struct.pack("<i", t.decode_scaled(str(value), 4))
    if name == "uniqueidentifier":
        return lambda value: t.decode_guid_bytes(value)  # type: ignore[arg-type]
    if name in t.MOMENTS:
        return _moment_encoder(kind)
    if name == "datetimeoffset":
        moment = _moment_encoder(SqlType("datetime2", scale=kind.scale))

        def encode_offset(value: Stored) -> bytes:
            utc, minutes = t.decode_offset(str(value))
            return moment(utc) + minutes.to_bytes(2, "little", signed=True)

        return encode_offset
    return _encode_variant


def _moment_encoder(kind: SqlType) -> Encoder:
    name, scale = kind.name, kind.scale
    if name == "date":
        return lambda value: (int(value) // t.TICKS_PER_DAY).to_bytes(3, "little")  # type: ignore[arg-type]
    if name == "datetime":

        def encode_datetime(value: Stored) -> bytes:
            days, ticks = divmod(int(value), t.TICKS_PER_DAY)  # type: ignore[arg-type]
            parts = (ticks * 300 + t.TICKS_PER_SECOND // 2) // t.TICKS_PER_SECOND
            return struct.pack("<iI", days - t.DAY_1900, parts)

        return encode_datetime
    if name == "smalldatetime":

        def encode_smalldatetime(value: Stored) -> bytes:
            days, ticks = divmod(int(value), t.TICKS_PER_DAY)  # type: ignore[arg-type]
            return struct.pack("<HH", days - t.DAY_1900, ticks // (60 * t.TICKS_PER_SECOND))

        return encode_smalldatetime
    unit, size = 10 ** (7 - scale), t.time_bytes(scale)
    if name == "time":
        return lambda value: (int(value) // unit).to_bytes(size, "little")  # type: ignore[arg-type]

    def encode_datetime2(value: Stored) -> bytes:
        days, ticks = divmod(int(value), t.TICKS_PER_DAY)  # type: ignore[arg-type]
        clock: bytes = (ticks // unit).to_bytes(size, "little")
        return clock + days.to_bytes(3, "little")

    return encode_datetime2


def _encode_variant(value: Stored) -> bytes:
    """sql_variant (2.2.5.5.4): length, base type, property bytes, value."""
    if value is None:
        return struct.pack("<I", 0)
    if isinstance(value, int):
        body = (
            b"\x38\x00" + struct.pack("<i", value)
            if -(2**31) <= value < 2**31
            else b"\x7f\x00" + struct.pack("<q", value)
        )
    elif isinstance(value, float):
        body = b"\x3e\x00" + struct.pack("<d", value)
    elif isinstance(value, bytes):
        body = b"\xa5\x02" + struct.pack("<H", 8000) + value
    else:
        body = b"\xe7\x07" + COLLATION + struct.pack("<H", 8000) + value.encode("utf-16-le")
    return struct.pack("<I", len(body)) + body
