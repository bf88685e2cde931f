"""What the catalog and ODBC say of each type: precision, scale, codes, sizes.

After "SQLGetTypeInfo", "Column Size, Decimal Digits, Transfer Octet Length, and Display Size" of the ODBC reference and
"sp_datatype_info" and "sp_columns" of the SQL Server documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored


def shown_precision(kind: SqlType) -> tuple[int, int]:
    """Precision and scale as sys.columns gives them."""
    fixed = {"real": (24, 0), "float": (53, 0), "date": (10, 0), "datetime": (23, 3), "smalldatetime": (16, 0)}
    if kind.name in fixed:
        return fixed[kind.name]
    if kind.name in t.SCALED:
        base = {"time": 8, "datetime2": 19, "datetimeoffset": 26}[kind.name]
        return base + (kind.scale + 1 if kind.scale else 0), kind.scale
    return t.decimal_facets(kind) if kind.name in t.NUMBERS else (0, 0)


@dataclass(frozen=True, slots=True)
class OdbcType:
    """A row of SQLGetTypeInfo. `tds` are the codes of sp_columns.SS_DATA_TYPE for NOT NULL and for NULL columns."""

    name: str
    code: int
    precision: int
    user_type: int
    tds: tuple[int, int]
    quotes: tuple[str | None, str | None] = (None, None)
    create: str | None = None
    scales: tuple[int | None, int | None] = (None, None)
    unsigned: int | None = None
    searchable: int = 2
    can_count: bool = False  # whether it may have the IDENTITY property


_TEXT, _NATIONAL, _HEX, _MONEY = ("'", "'"), ("N'", "'"), ("0x", None), ("$", None)

#: Types that came with SQL Server 2008: older procedures (those without _100) show them as strings.
_SINCE_2008 = frozenset({"date", "time", "datetime2", "datetimeoffset"})

ODBC_TYPES = {
    found.name: found
    for found in (
        OdbcType("datetimeoffset", -155, 34, 0, (0, 0), _TEXT, "scale", (0, 7), None, 3),
        OdbcType("time", -154, 16, 0, (0, 0), _TEXT, "scale", (0, 7), None, 3),
        OdbcType("sql_variant", -150, 8000, 39, (39, 39), (None, None), None, (0, 0)),
        OdbcType("uniqueidentifier", -11, 36, 37, (37, 37), _TEXT),
        OdbcType("nvarchar", -9, 4000, 0, (39, 39), _NATIONAL, "max length", searchable=3),
        OdbcType("nchar", -8, 4000, 0, (47, 39), _NATIONAL, "length", searchable=3),
        OdbcType("bit", -7, 1, 16, (50, 50), scales=(0, 0)),
        OdbcType("tinyint", -6, 3, 5, (48, 38), scales=(0, 0), unsigned=1, can_count=True),
        OdbcType("bigint", -5, 19, 0, (63, 108), scales=(0, 0), unsigned=0, can_count=True),
        OdbcType("varbinary", -3, 8000, 4, (37, 37), _HEX, "max length"),
        OdbcType("binary", -2, 8000, 3, (45, 37), _HEX, "length"),
        OdbcType("char", 1, 8000, 1, (47, 39), _TEXT, "length", searchable=3),
        OdbcType("numeric", 2, 38, 10, (63, 108), create="precision,scale", scales=(0, 38), unsigned=0, can_count=True),
        OdbcType("decimal", 3, 38, 24, (55, 106), create="precision,scale", scales=(0, 38), unsigned=0, can_count=True),
        OdbcType("money", 3, 19, 11, (60, 110), _MONEY, scales=(4, 4), unsigned=0),
        OdbcType("smallmoney", 3, 10, 21, (122, 110), _MONEY, scales=(4, 4), unsigned=0),
        OdbcType("int", 4, 10, 7, (56, 38), scales=(0, 0), unsigned=0, can_count=True),
        OdbcType("smallint", 5, 5, 6, (52, 38), scales=(0, 0), unsigned=0, can_count=True),
        OdbcType("float", 6, 53, 8, (62, 109), unsigned=0),
        OdbcType("real", 7, 24, 23, (59, 109), unsigned=0),
        OdbcType("varchar", 12, 8000, 2, (39, 39), _TEXT, "max length", searchable=3),
        OdbcType("date", 91, 10, 0, (0, 0), _TEXT, None, (None, 0), None, 3),
        OdbcType("datetime2", 93, 27, 0, (0, 0), _TEXT, "scale", (0, 7), None, 3),
        OdbcType("datetime", 93, 23, 12, (61, 111), _TEXT, None, (3, 3), None, 3),
        OdbcType("smalldatetime", 93, 16, 22, (58, 111), _TEXT, None, (0, 0), None, 3),
    )
}


def _codes(found: OdbcType, version: int, release: int) -> tuple[int, int, int | None]:
    """DATA_TYPE, SQL_DATA_TYPE and SQL_DATETIME_SUB, by the version of ODBC and the release that the client knows."""
    if found.name in _SINCE_2008:
        if release < 100:
            return -9, -9, None
        if found.code < 0:
            return found.code, found.code, 0
    if found.code in (91, 93):
        sub = 1 if found.code == 91 else 3
        return (found.code, 9, sub) if version >= 3 else ({91: 9, 93: 11}[found.code], 9, sub)
    return found.code, found.code, None


def _radix(found: OdbcType, version: int) -> int | None:
    if found.name in t.FLOATS:
        return 2 if version >= 3 else 10
    return 10 if found.name in t.NUMBERS and found.name != "bit" else None


def _float_precision(found: OdbcType, version: int) -> int:
    return found.precision if version >= 3 else {"float": 15, "real": 7}[found.name]


def type_rows(version: int, release: int) -> Iterator[Sequence[Stored]]:
    """The rows of sp_datatype_info, those of types with IDENTITY too."""
    for found in ODBC_TYPES.values():
        data_type, sql_type, sub = _codes(found, version, release)
        precision = _float_precision(found, version) if found.name in t.FLOATS else found.precision
        exact = found.unsigned is not None
        for counting in (False, True) if found.can_count else (False,):
            decimals = found.name in ("decimal", "numeric")
            name = f"{found.name}{'()' if decimals else ''} identity" if counting else found.name
            yield (
                name, data_type, precision, *found.quotes, "precision" if counting and decimals else found.create,
                int(not counting), 0, found.searchable, found.unsigned, int(found.name in ("money", "smallmoney")),
                int(counting) if exact else None, name, found.scales[0], 0 if counting else found.scales[1], sql_type,
                sub, _radix(found, version), None, found.user_type,
            )  # fmt: skip


def column_facts(
    kind: SqlType, version: int, release: int, *, nullable: bool, identity: bool = False
) -> tuple[Stored, ...]:
    """DATA_TYPE, TYPE_NAME, PRECISION, LENGTH, SCALE, RADIX, SQL_DATA_TYPE, SQL_DATETIME_SUB, CHAR_OCTET_LENGTH and
    SS_DATA_TYPE of a column or parameter, as sp_columns shows them.
    """
    if kind == t.TABLE:  # SQL_SS_TABLE of msodbcsql.h
        return -153, kind.name, 0, 2**31 - 1, 0, None, -153, None, 2**31 - 1, 0
    found = ODBC_TYPES[kind.name]
    data_type, sql_type, sub = _codes(found, version, release)
    precision, length, scale = _sizes(kind, found, version, release)
    octets = None
    if kind.name in t.SIZED:
        octets = length
    if kind.length == MAX and kind.name in t.SIZED and release < 100:
        data_type = sql_type = {"varchar": -1, "nvarchar": -10, "varbinary": -4}[kind.name]
    name = kind.name
    if identity:
        name += f"{'()' if kind.name in ('decimal', 'numeric') else ''} identity"
    return (
        data_type, name, precision, length, scale, _radix(found, version), sql_type, sub, octets, found.tds[nullable],
    )  # fmt: skip


def _sizes(kind: SqlType, found: OdbcType, version: int, release: int) -> tuple[int, int, int | None]:
    """PRECISION, LENGTH and SCALE. What (max) types show (0) and the lengths of moments are those of the ODBC
    structures that a client reads them into.
    """
    if kind.name in t.SIZED:
        if kind.length != MAX:
            return kind.length, kind.max_length, None
        if release >= 100:
            return 0, 0, None
        characters = 2**30 - 1 if kind.name in t.NATIONAL else 2**31 - 1
        return characters, 2 * characters if kind.name in t.NATIONAL else characters, None
    if kind.name in _SINCE_2008:
        precision, scale = shown_precision(kind)
        if release < 100:
            return precision, 2 * precision, None
        length = {"date": 6, "time": 12, "datetime2": 16, "datetimeoffset": 20}[kind.name]
        return precision, length, None if kind.name == "date" else scale
    if kind.name in ("datetime", "smalldatetime"):
        precision, scale = shown_precision(kind)
        return precision, 16, scale
    if kind.name in t.FLOATS:
        return _float_precision(found, version), kind.max_length, None
    if kind.name in t.DECIMALS:
        precision, scale = t.decimal_facets(kind)
        return precision, precision + 2, scale
    if kind.name in t.INTEGERS:
        return found.precision, kind.max_length, None if kind.name == "bit" else 0
    if kind.name == "sql_variant":
        return 8000, 8000, 0
    return found.precision, kind.max_length, None
