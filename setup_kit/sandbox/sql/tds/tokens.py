"""Tokens that the server sends: MS-TDS 2.2.7, with TYPE_INFO (2.2.5.6) and the values of rows."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

#: SQL_Latin1_General_CP1_CI_AS: LCID 0x0409, ignore case, kana and width, sort id 52.
COLLATION = b"\x09\x04\xd0\x00\x34"
TDS_VERSION = 0x74000004

DONE_FINAL, DONE_MORE, DONE_ERROR, DONE_IN_TRANSACTION = 0x00, 0x01, 0x02, 0x04
DONE_COUNT, DONE_ATTENTION = 0x10, 0x20
DONE, DONE_PROCEDURE, DONE_IN_PROCEDURE = 0xFD, 0xFE, 0xFF

#: CurCmd of DONE: the client only looks at SELECT and the three that count rows.
COMMANDS = {"SELECT": 0xC1, "INSERT": 0xC3, "DELETE": 0xC4, "UPDATE": 0xC5, "MERGE": 0x117}

PLP_UNKNOWN_LENGTH = 0xFFFFFFFFFFFFFFFE
PLP_NULL = b"\xff" * 8


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result."""

    name: str
    type: SqlType
    nullable: bool = True
    identity: bool = False


def b_varchar(text: str) -> bytes:
    data = text.encode("utf-16-le", "surrogatepass")
    return bytes([len(data) // 2]) + data


def us_varchar(text: str) -> bytes:
    data = text.encode("utf-16-le", "surrogatepass")
    return struct.pack("<H", len(data) // 2) + data


#: Types of fixed length as a column that takes no NULL has them: their values come without a length.
_FIXED = {
    "tinyint": 0x30, "bit": 0x32, "smallint": 0x34, "int": 0x38, "smalldatetime": 0x3A, "real": 0x3B, "money": 0x3C,
    "datetime": 0x3D, "float": 0x3E, "smallmoney": 0x7A, "bigint": 0x7F,
}  # fmt: skip


def type_info(kind: SqlType, *, nullable: bool = True) -> bytes:
    """TYPE_INFO; drivers tell from the form of a type, too, whether a column takes NULL."""
    name = kind.name
    if not nullable and name in _FIXED:
        return bytes([_FIXED[name]])
    if name == "bit":
        return b"\x68\x01"
    if name in t.INTEGERS:
        return bytes((0x26, t.FIXED_LENGTHS[name]))
    if name in ("float", "real"):
        return bytes((0x6D, t.FIXED_LENGTHS[name]))
    if name in ("decimal", "numeric"):
        return bytes((0x6A if name == "decimal" else 0x6C, 17, kind.precision, kind.scale))
    if name in ("money", "smallmoney"):
        return bytes((0x6E, 8 if name == "money" else 4))
    if name in ("nvarchar", "nchar"):
        size = 0xFFFF if kind.length == MAX else 2 * kind.length
        return struct.pack("<BH", 0xE7 if name == "nvarchar" else 0xEF, size) + COLLATION
    if name in ("varchar", "char"):
        size = 0xFFFF if kind.length == MAX else kind.length
        return struct.pack("<BH", 0xA7 if name == "varchar" else 0xAF, size) + COLLATION
    if name in t.BINARIES:
        size = 0xFFFF if kind.length == MAX else kind.length
        return struct.pack("<BH", 0xA5 if name == "varbinary" else 0xAD, size)
    if name == "uniqueidentifier":
        return b"\x24\x10"
    if name in ("datetime", "smalldatetime"):
        return bytes((0x6F, 8 if name == "datetime" else 4))
    if name == "date":
        return b"\x28"
    if name == "time":
        return bytes((0x29, kind.scale))
    if name == "datetime2":
        return bytes((0x2A, kind.scale))
    return b"\x62" + struct.pack("<I", 8009)  # sql_variant


Encoder = Callable[[Stored], bytes]


def encoder(kind: SqlType) -> Encoder:
    """A function from a stored value (or None) to its bytes in a ROW or RETURNVALUE."""
    name = kind.name
    if name in t.SIZED and kind.length == MAX:
        return _large_encoder(name)
    if name in t.STRINGS:
        charset = "utf-16-le" if name in t.NATIONAL else "cp1252"
        width = kind.length if name in ("nchar", "char") else 0

        def encode_string(value: Stored) -> bytes:
            if value is None:
                return b"\xff\xff"
            data = str(value).ljust(width).encode(charset, "surrogatepass" if charset == "utf-16-le" else "replace")
            return struct.pack("<H", len(data)) + data

        return encode_string
    if name in t.BINARIES:
        return lambda value: b"\xff\xff" if value is None else struct.pack("<H", len(value)) + value  # type: ignore[arg-type, operator]
    body = fixed_encoder(kind)
    if name == "sql_variant":
        return body
    return lambda value: b"\x00" if value is None else (data := body(value), bytes((len(data),)) + data)[1]


def _large_encoder(name: str) -> Encoder:
    def encode_large(value: Stored) -> bytes:
        if value is None:
            return PLP_NULL
        if isinstance(value, bytes):
            data = value
        elif name in t.NATIONAL:
            data = str(value).encode("utf-16-le", "surrogatepass")
        else:
            data = str(value).encode("cp1252", "replace")
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
        return struct.Struct("<d" if name == "float" else "<f").pack
    if name in ("decimal", "numeric"):
        scale = kind.scale

        def encode_number(value: Stored) -> bytes:
            number = t.decode_scaled(str(value), scale)
            return (b"\x00" if number < 0 else b"\x01") + abs(number).to_bytes(16, "little")

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


def column_metadata(columns: Sequence[Column]) -> bytes:
    """COLMETADATA."""
    out = bytearray(struct.pack("<BH", 0x81, len(columns)))
    for column in columns:
        flags = (0x0001 if column.nullable else 0) | (0x0010 if column.identity else 0x0008)
        out += struct.pack("<IH", 0, flags) + type_info(column.type, nullable=column.nullable) + b_varchar(column.name)
    return bytes(out)


def row_encoder(columns: Sequence[Column]) -> Callable[[Sequence[Stored]], bytes]:
    """A function from a row of stored values to a ROW token, or an NBCROW when a value is NULL."""
    encoders = [
        fixed_encoder(column.type) if column.type.name in _FIXED and not column.nullable else encoder(column.type)
        for column in columns
    ]
    bitmap_size = (len(columns) + 7) // 8

    def encode_row(values: Sequence[Stored]) -> bytes:
        if None not in values:
            return b"\xd1" + b"".join([encode(value) for encode, value in zip(encoders, values, strict=True)])
        bitmap = bytearray(bitmap_size)
        parts = []
        for index, value in enumerate(values):
            if value is None:
                bitmap[index >> 3] |= 1 << (index & 7)
            else:
                parts.append(encoders[index](value))
        return b"\xd2" + bytes(bitmap) + b"".join(parts)

    return encode_row


def message(number: int, state: int, severity: int, text: str, server: str, procedure: str, line: int) -> bytes:
    """ERROR for a severity above 10, else INFO."""
    body = struct.pack("<iBB", number, state, severity) + us_varchar(text) + b_varchar(server)
    body += b_varchar(procedure) + struct.pack("<I", line)
    return struct.pack("<BH", 0xAA if severity > 10 else 0xAB, len(body)) + body


def done(token: int, status: int, command: str = "", rows: int = 0) -> bytes:
    return struct.pack("<BHHQ", token, status, COMMANDS.get(command, 0), rows)


def return_status(value: int) -> bytes:
    return struct.pack("<Bi", 0x79, value)


def return_value(ordinal: int, name: str, kind: SqlType, value: Stored) -> bytes:
    """RETURNVALUE of an output parameter."""
    head = struct.pack("<BH", 0xAC, ordinal) + b_varchar(name) + b"\x01" + struct.pack("<IH", 0, 0x0001)
    return head + type_info(kind) + encoder(kind)(value)


def login_acknowledged(tds_version: int, program: str, version: tuple[int, int, int]) -> bytes:
    body = b"\x01" + struct.pack(">I", tds_version) + b_varchar(program) + struct.pack(">BBH", *version)
    return struct.pack("<BH", 0xAD, len(body)) + body


def features_acknowledged(features: Sequence[tuple[int, bytes]]) -> bytes:
    """FEATUREEXTACK."""
    body = b"".join(struct.pack("<BI", feature, len(data)) + data for feature, data in features)
    return b"\xae" + body + b"\xff"


def environment_text(kind: int, new: str, old: str) -> bytes:
    """ENVCHANGE with texts: 1 database, 2 language, 4 packet size."""
    body = bytes([kind]) + b_varchar(new) + b_varchar(old)
    return struct.pack("<BH", 0xE3, len(body)) + body


def environment_bytes(kind: int, new: bytes, old: bytes) -> bytes:
    """ENVCHANGE with bytes: 7 collation, 8 begin, 9 commit, 10 roll back, 18 reset."""
    body = bytes([kind, len(new)]) + new + bytes([len(old)]) + old
    return struct.pack("<BH", 0xE3, len(body)) + body
