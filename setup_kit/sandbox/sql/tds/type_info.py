"""TYPE_INFO (MS-TDS 2.2.5.6): a data type as it stands before values, read and written."""

from __future__ import annotations

import struct
from enum import Enum
from typing import NamedTuple

from setup_kit.sandbox.sql import unsupported
from setup_kit.sandbox.sql.errors import ProtocolError
from setup_kit.sandbox.sql.tds.reader import Reader
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType

#: SQL_Latin1_General_CP1_CI_AS: LCID 0x0409, ignore case, kana and width, sort id 52.
COLLATION = b"\x09\x04\xd0\x00\x34"
_UTF8_FLAG = 0x04  # in the last byte of the collation's LCID and flags

VARIANT_SIZE = 8009
_LARGE = 0xFFFF
TABLE = 0xF3  # a table-valued parameter, which `table_values` reads


class Form(Enum):
    """How a value says how long it is, and that it is NULL (2.2.5.4)."""

    FIXED = "no length, never NULL"
    BYTE = "one byte, 0 for NULL"
    SHORT = "two bytes, 0xFFFF for NULL"
    LONG = "four bytes, 0xFFFFFFFF for NULL: text, ntext and image"
    LARGE = "chunks with lengths (PLP), 0xFFFFFFFFFFFFFFFF for NULL"
    VARIANT = "four bytes, 0 for NULL: sql_variant"
    NULL = "no bytes at all: it is NULL"


class TypeInfo(NamedTuple):
    """A type as a client declares it. `charset` is the Python name of a string's encoding."""

    type: SqlType
    form: Form
    charset: str = ""


#: Types of fixed length: their values come without a length.
FIXED = {
    "tinyint": 0x30, "bit": 0x32, "smallint": 0x34, "int": 0x38, "smalldatetime": 0x3A, "real": 0x3B, "money": 0x3C,
    "datetime": 0x3D, "float": 0x3E, "smallmoney": 0x7A, "bigint": 0x7F,
}  # fmt: skip
FIXED_BY_TOKEN = {token: SqlType(name) for name, token in FIXED.items()}

#: Types whose token serves several lengths, of one byte each.
_BY_LENGTH: dict[int, dict[int, str]] = {
    0x24: {16: "uniqueidentifier"}, 0x26: {1: "tinyint", 2: "smallint", 4: "int", 8: "bigint"}, 0x68: {1: "bit"},
    0x6D: {4: "real", 8: "float"}, 0x6E: {4: "smallmoney", 8: "money"}, 0x6F: {4: "smalldatetime", 8: "datetime"},
}  # fmt: skip
_BY_LENGTH_TOKENS = {name: (token, size) for token, names in _BY_LENGTH.items() for size, name in names.items()}
_DECIMAL = {0x6A: "decimal", 0x6C: "numeric"}
_SCALED = {0x29: "time", 0x2A: "datetime2", 0x2B: "datetimeoffset"}
SIZED = {0xE7: "nvarchar", 0xEF: "nchar", 0xA7: "varchar", 0xAF: "char", 0xA5: "varbinary", 0xAD: "binary"}
_LONG = {0x23: "varchar", 0x63: "nvarchar", 0x22: "varbinary"}
_REFUSED = {0xF0: "CLR", 0xF1: "xml", 0xF4: "json", 0xF5: "vector"}

#: Bytes of TYPE_INFO by its token.
SIZES = {
    **dict.fromkeys(FIXED_BY_TOKEN, 1), **dict.fromkeys(_BY_LENGTH, 2), **dict.fromkeys(_DECIMAL, 4), 0x28: 1,
    **dict.fromkeys(_SCALED, 2), **{token: 3 if name in t.BINARIES else 8 for token, name in SIZED.items()},
    **{token: 5 if name in t.BINARIES else 10 for token, name in _LONG.items()}, 0x62: 5, 0x1F: 1,
}  # fmt: skip

_TOKENS = {name: token for table in (_DECIMAL, _SCALED, SIZED) for token, name in table.items()}


def encode(kind: SqlType, *, nullable: bool = True) -> bytes:
    """Drivers tell from the form of a type, too, whether a column takes NULL."""
    name = kind.name
    if not nullable and name in FIXED:
        return bytes((FIXED[name],))
    if name in _BY_LENGTH_TOKENS:
        return bytes(_BY_LENGTH_TOKENS[name])
    if name in ("decimal", "numeric"):
        return bytes((_TOKENS[name], kind.max_length, kind.precision, kind.scale))
    if name in t.SIZED:
        size = _LARGE if kind.length == MAX else kind.max_length
        return struct.pack("<BH", _TOKENS[name], size) + (COLLATION if name in t.STRINGS else b"")
    if name == "date":
        return b"\x28"
    if name in t.SCALED:
        return bytes((_TOKENS[name], kind.scale))
    return b"\x62" + struct.pack("<I", VARIANT_SIZE)


def decode(reader: Reader) -> TypeInfo:
    """Raises 40524 for a type that is not carried out here, ProtocolError for none at all."""
    token = reader.u8()
    if token in FIXED_BY_TOKEN:
        return TypeInfo(FIXED_BY_TOKEN[token], Form.FIXED)
    if token in _BY_LENGTH:
        size = reader.u8()
        if size not in _BY_LENGTH[token]:
            raise ProtocolError(f"a type of token {token:#x} and {size} bytes")
        return TypeInfo(SqlType(_BY_LENGTH[token][size]), Form.BYTE)
    if token in _DECIMAL:
        _, precision, scale = reader.u8(), reader.u8(), reader.u8()
        if not (1 <= precision <= 38 and scale <= precision):
            raise ProtocolError(f"a decimal of {precision} digits with {scale} after the point")
        return TypeInfo(SqlType(_DECIMAL[token], precision=precision, scale=scale), Form.BYTE)
    if token == 0x28:
        return TypeInfo(SqlType("date"), Form.BYTE)
    if token in _SCALED:
        scale = reader.u8()
        if scale > 7:
            raise ProtocolError(f"a time with {scale} digits of seconds")
        return TypeInfo(SqlType(_SCALED[token], scale=scale), Form.BYTE)
    if token in SIZED:
        name, size = SIZED[token], reader.u16()
        charset = _charset(reader, name)
        if size == _LARGE:
            return TypeInfo(SqlType(name, MAX), Form.LARGE, charset)
        return TypeInfo(SqlType(name, max(size // 2 if name in t.NATIONAL else size, 1)), Form.SHORT, charset)
    if token in _LONG:
        reader.u32()
        return TypeInfo(SqlType(_LONG[token], MAX), Form.LONG, _charset(reader, _LONG[token]))
    if token == 0x62:
        reader.u32()
        return TypeInfo(t.VARIANT, Form.VARIANT)
    if token == 0x1F:
        return TypeInfo(t.nvarchar(1), Form.NULL)
    if token in _REFUSED:
        raise unsupported.refused(_REFUSED[token])
    raise ProtocolError(f"a type of token {token:#x}")


def _charset(reader: Reader, name: str) -> str:
    """The encoding of a string type; reads the collation."""
    if name in t.BINARIES:
        return ""
    return charset(name, reader.take(5))


def charset(name: str, collation: bytes) -> str:
    if name in t.NATIONAL:
        return "utf-16-le"
    return "utf-8" if collation[3] & _UTF8_FLAG else "cp1252"
