"""T-SQL's data types, and how each value is stored.

A *stored* value is what SQLite holds and what travels between the parts of this package. Every type is stored so that
SQLite's own comparison orders it as SQL Server does (with the collation that `collation_of` names):

====================  ==============================================================================
integers, bit         int
float, real           float
decimal, money        text that sorts as the number does, exact to 38 digits (`encode_decimal`)
strings               str
binary                bytes
uniqueidentifier      16 bytes in SQL Server's order of comparison (`encode_guid`)
date and time         int, units of 100 ns since 0001-01-01 (`time`: since midnight)
datetimeoffset        text, the instant in UTC and the offset (`encode_offset`), with the collation `instant`
sql_variant           the stored value of the type it holds: int, float or str
====================  ==============================================================================
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from decimal import Context, Decimal
from typing import NamedTuple

Stored = int | float | str | bytes | None

#: Makes a stored value of another type of one that is not None.
Converter = Callable[[Stored], Stored]

#: For every calculation with decimals: Python's own context would round to 28 digits.
EXACT = Context(prec=400)

MAX = -1  # length of nvarchar(max) and its kin
#: Characters or bytes of the longest value that an expression makes: the 2**31 of SQL Server would take all memory.
LONGEST = 2**26


class SqlType(NamedTuple):
    """A type with its facets: `length` in characters (strings) or bytes (binary), `MAX` for (max).

    A tuple, as is all that there are thousands of in one request: it is made, compared and hashed soonest.
    """

    name: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        if self.name in SIZED:
            return f"{self.name}({'max' if self.length == MAX else self.length})"
        if self.name in ("decimal", "numeric"):
            return f"{self.name}({self.precision},{self.scale})"
        if self.name in SCALED:
            return f"{self.name}({self.scale})"
        return self.name

    @property
    def max_length(self) -> int:
        """Bytes, as `sys.columns.max_length` counts them."""
        if self.name in ("nvarchar", "nchar"):
            return -1 if self.length == MAX else 2 * self.length
        if self.name in SIZED:
            return self.length
        if self.name in DECIMALS:
            if self.name == "money":
                return 8
            if self.name == "smallmoney":
                return 4
            return decimal_bytes(self.precision) + 1
        if self.name in SCALED:
            return SCALED[self.name] + time_bytes(self.scale)
        return FIXED_LENGTHS[self.name]


INTEGERS = {"bit": (0, 1), "tinyint": (0, 255), "smallint": (-(2**15), 2**15 - 1)}
INTEGERS |= {"int": (-(2**31), 2**31 - 1), "bigint": (-(2**63), 2**63 - 1)}
DECIMALS = frozenset({"decimal", "numeric", "money", "smallmoney"})
#: In units of a ten-thousandth.
MONEY_RANGES = {"money": (-(2**63), 2**63 - 1), "smallmoney": (-(2**31), 2**31 - 1)}
FLOATS = frozenset({"float", "real"})
STRINGS = frozenset({"char", "varchar", "nchar", "nvarchar"})
NATIONAL = frozenset({"nchar", "nvarchar"})
BINARIES = frozenset({"binary", "varbinary"})
SIZED = STRINGS | BINARIES
MOMENTS = frozenset({"date", "time", "smalldatetime", "datetime", "datetime2"})
#: Types of fractional seconds, with the bytes that each has besides its time of day.
SCALED = {"time": 0, "datetime2": 3, "datetimeoffset": 5}
NUMBERS = frozenset(INTEGERS) | DECIMALS | FLOATS

FIXED_LENGTHS = {
    "bit": 1, "tinyint": 1, "smallint": 2, "int": 4, "bigint": 8, "real": 4, "float": 8, "date": 3,
    "smalldatetime": 4, "datetime": 8, "uniqueidentifier": 16, "sql_variant": 8016,
}  # fmt: skip

#: Highest first: "Data type precedence" of the T-SQL reference.
PRECEDENCE = (
    "sql_variant", "datetimeoffset", "datetime2", "datetime", "smalldatetime", "date", "time", "float", "real",
    "decimal", "numeric", "money", "smallmoney", "bigint", "int", "smallint", "tinyint", "bit", "uniqueidentifier",
    "nvarchar", "nchar", "varchar", "char", "varbinary", "binary",
)  # fmt: skip

#: `sys.types`: system_type_id (and user_type_id) of each type.
SYSTEM_TYPE_IDS = {
    "uniqueidentifier": 36, "date": 40, "time": 41, "datetime2": 42, "datetimeoffset": 43, "tinyint": 48,
    "smallint": 52, "int": 56, "smalldatetime": 58, "real": 59, "money": 60, "datetime": 61, "float": 62,
    "sql_variant": 98, "bit": 104, "decimal": 106, "numeric": 108, "smallmoney": 122, "bigint": 127, "varbinary": 165,
    "varchar": 167, "binary": 173, "char": 175, "nvarchar": 231, "nchar": 239,
}  # fmt: skip

BIT = SqlType("bit")
TINYINT = SqlType("tinyint")
SMALLINT = SqlType("smallint")
INT = SqlType("int")
BIGINT = SqlType("bigint")
FLOAT = SqlType("float")
DATETIME = SqlType("datetime")
DATETIME2 = SqlType("datetime2", scale=7)
DATETIMEOFFSET = SqlType("datetimeoffset", scale=7)
GUID = SqlType("uniqueidentifier")
SYSNAME = SqlType("nvarchar", 128)
VARIANT = SqlType("sql_variant")
TABLE = SqlType("table")  # of a table-valued parameter; no column has it


def nvarchar(length: int) -> SqlType:
    return SqlType("nvarchar", length)


def varchar(length: int) -> SqlType:
    return SqlType("varchar", length)


def varbinary(length: int) -> SqlType:
    return SqlType("varbinary", length)


def decimal(precision: int, scale: int) -> SqlType:
    return SqlType("decimal", precision=precision, scale=scale)


def collation_of(kind: SqlType) -> str:
    """The name of the SQLite collation of a type's stored values; empty where SQLite's own order is right."""
    return "tsql" if kind.name in STRINGS else "instant" if kind.name == "datetimeoffset" else ""


def decimal_bytes(precision: int) -> int:
    """Bytes of a decimal's magnitude (MS-TDS 2.2.5.5.1.6)."""
    return 4 if precision <= 9 else 8 if precision <= 19 else 12 if precision <= 28 else 16


def time_bytes(scale: int) -> int:
    return 3 if scale <= 2 else 4 if scale <= 4 else 5


def decimal_facets(kind: SqlType) -> tuple[int, int]:
    """Precision and scale of a number's type, as the rules of decimal arithmetic take them."""
    match kind.name:
        case "decimal" | "numeric":
            return kind.precision, kind.scale
        case "money":
            return 19, 4
        case "smallmoney":
            return 10, 4
        case "bigint":
            return 19, 0
        case "smallint":
            return 5, 0
        case "tinyint":
            return 3, 0
        case "bit":
            return 1, 0
        case _:
            return 10, 0


# Decimals: sign, number of digits before the point (two digits), these digits, digits after the point without trailing
# zeros. Negative numbers have every digit complemented and end in "~", which sorts after digits.

_COUNTS = tuple(f"{count:02d}" for count in range(100))
_COMPLEMENT = str.maketrans("0123456789", "9876543210")


def encode_scaled(unscaled: int, scale: int) -> str:
    """The stored form of `unscaled` / 10**scale."""
    digits = str(unscaled) if unscaled >= 0 else str(-unscaled)
    count = len(digits) - scale
    if count <= 0:
        count, body = 0, digits.rjust(scale, "0").rstrip("0")
    elif digits[-1] == "0":
        body = digits[:count] + digits[count:].rstrip("0") if unscaled else ""
        count = count if unscaled else 0
    else:
        body = digits
    if unscaled < 0:
        return "0" + (_COUNTS[count] + body).translate(_COMPLEMENT) + "~"
    return "1" + _COUNTS[count] + body


def decode_scaled(stored: str, scale: int) -> int:
    """The number times 10**scale; digits beyond the scale are cut off (there are none in a value of that type)."""
    negative = stored[0] == "0"
    body = stored[1:-1].translate(_COMPLEMENT) if negative else stored[1:]
    count = int(body[:2])
    fraction = body[2 + count :][:scale]
    value = int((body[2 : 2 + count] or "0") + fraction.ljust(scale, "0"))
    return -value if negative else value


def encode_decimal(value: Decimal) -> str:
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("not a finite number")
    unscaled = int("".join(map(str, digits)) or "0")
    if exponent > 0:
        unscaled, exponent = unscaled * 10**exponent, 0
    return encode_scaled(-unscaled if sign else unscaled, -exponent)


def decode_decimal(stored: str) -> Decimal:
    negative = stored[0] == "0"
    body = stored[1:-1].translate(_COMPLEMENT) if negative else stored[1:]
    count = int(body[:2])
    whole, fraction = body[2 : 2 + count] or "0", body[2 + count :]
    return Decimal(f"{'-' if negative else ''}{whole}.{fraction}" if fraction else f"{'-' if negative else ''}{whole}")


# Identifiers: SQL Server compares the last six bytes first, then pairs backwards.

_GUID_ORDER = (10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3)
_GUID_BACK = tuple(_GUID_ORDER.index(i) for i in range(16))


def encode_guid_bytes(wire: bytes) -> bytes:
    """From the 16 bytes on the wire (first three groups little-endian)."""
    return wire[10:16] + wire[8:10] + wire[6:8] + wire[4:6] + wire[0:4]


def decode_guid_bytes(stored: bytes) -> bytes:
    return stored[12:16] + stored[10:12] + stored[8:10] + stored[6:8] + stored[0:6]


def encode_guid(value: uuid.UUID) -> bytes:
    return encode_guid_bytes(value.bytes_le)


def decode_guid(stored: bytes) -> uuid.UUID:
    return uuid.UUID(bytes_le=decode_guid_bytes(stored))


# Dates and times

TICKS_PER_SECOND = 10_000_000
TICKS_PER_DAY = 86_400 * TICKS_PER_SECOND
DAY_1900 = dt.date(1900, 1, 1).toordinal() - 1
LAST_DAY = dt.date.max.toordinal() - 1
FIRST_DATETIME = (dt.date(1753, 1, 1).toordinal() - 1) * TICKS_PER_DAY


def ticks_of(moment: dt.datetime) -> int:
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    return (moment.toordinal() - 1) * TICKS_PER_DAY + seconds * TICKS_PER_SECOND + moment.microsecond * 10


def round_to_datetime(ticks: int) -> int:
    """Rounded to 1/300 s, the grain of `datetime`, and kept to the millisecond as it is shown (.000, .003, .007)."""
    days, rest = divmod(ticks, TICKS_PER_DAY)
    return days * TICKS_PER_DAY + datetime_ticks((rest * 300 + TICKS_PER_SECOND // 2) // TICKS_PER_SECOND)


def datetime_ticks(three_hundredths: int) -> int:
    """100 ns units of a number of 1/300 s, to the millisecond."""
    return (three_hundredths * 10 + 1) // 3 * 10_000


def now_utc() -> int:
    return time.time_ns() // 100 + _TICKS_OF_1970


_TICKS_OF_1970 = ticks_of(dt.datetime(1970, 1, 1))
MOST_OFFSET = 14 * 60  # minutes
_UTC_DIGITS = 19


def encode_offset(utc: int, minutes: int) -> str:
    """The stored form of a datetimeoffset: ticks in UTC, then the offset of local time in minutes."""
    return f"{utc:0{_UTC_DIGITS}d}{minutes:+05d}"


def decode_offset(stored: str) -> tuple[int, int]:
    """Ticks in UTC and the offset in minutes."""
    return int(stored[:_UTC_DIGITS]), int(stored[_UTC_DIGITS:])


def local_ticks(stored: str) -> int:
    """The local time of a datetimeoffset."""
    utc, minutes = decode_offset(stored)
    return utc + minutes * 60 * TICKS_PER_SECOND


def instant(stored: str) -> str:
    """What two datetimeoffsets are compared by."""
    return stored[:_UTC_DIGITS]
