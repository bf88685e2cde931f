"""From one data type to another: `CAST`, `CONVERT` and the implicit conversions of T-SQL, on stored values."""

from __future__ import annotations

from collections.abc import Callable
from decimal import DecimalException
from functools import lru_cache

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.to_moments import from_offset, to_moment, to_offset
from setup_kit.sandbox.sql.values.to_numbers import to_decimal, to_float, to_integer
from setup_kit.sandbox.sql.values.to_text import to_binary, to_guid, to_string
from setup_kit.sandbox.sql.values.types import MAX, Converter, SqlType, Stored
from setup_kit.sandbox.sql.values.units import cut_units, utf16_length


@lru_cache(maxsize=4096)
def converter(source: SqlType, target: SqlType, *, explicit: bool = False, style: int = 0) -> Converter | None:
    """How to make `target` of `source`; None when the stored value serves as it is.

    Raises 206, 257 or 529 at once where T-SQL has no such conversion; the converter raises for single values.
    Strings that are too long are cut, as in variables and CAST: columns check first (`cutter`).
    """
    if source == target:
        return None
    make = _plan(source.name, target.name, explicit)
    return make(source, target, style)


def _family(name: str) -> str:
    for family, members in _FAMILIES:
        if name in members:
            return family
    return name


_FAMILIES: tuple[tuple[str, frozenset[str]], ...] = (
    ("integers", frozenset(t.INTEGERS)),
    ("decimals", t.DECIMALS),
    ("floats", t.FLOATS),
    ("strings", t.STRINGS),
    ("binaries", t.BINARIES),
    ("moments", t.MOMENTS),
)

_Maker = Callable[[SqlType, SqlType, int], Converter | None]


def _plan(source: str, target: str, explicit: bool) -> _Maker:
    start, end = _family(source), _family(target)
    maker = _MAKERS.get((start, end))
    if maker is None:
        raise errors.explicit_conversion_refused(source, target) if explicit else errors.type_clash(source, target)
    only_explicit = (start, end) in (("strings", "binaries"), ("moments", "integers"), ("floats", "binaries"))
    only_explicit = only_explicit or ((start, end) == ("moments", "decimals")) or start == "sql_variant"
    if start == "moments" and end in ("integers", "decimals", "floats") and source not in ("datetime", "smalldatetime"):
        raise errors.explicit_conversion_refused(source, target) if explicit else errors.type_clash(source, target)
    if only_explicit and not explicit:
        raise errors.implicit_conversion_refused(source, target)
    if start == end == "moments" and {source, target} == {"date", "time"}:
        raise errors.explicit_conversion_refused(source, target) if explicit else errors.type_clash(source, target)
    return maker


def _from_moment_to_number(source: SqlType, target: SqlType, style: int) -> Converter | None:
    onward = converter(t.FLOAT, target, explicit=True)

    def convert(value: Stored) -> Stored:
        days = (int(value) - t.DAY_1900 * t.TICKS_PER_DAY) / t.TICKS_PER_DAY  # type: ignore[arg-type]
        return onward(float(round(days)) if target.name in t.INTEGERS else days) if onward else days

    return convert


def variant_type(value: Stored) -> SqlType:
    """The type of the value that a sql_variant holds."""
    if isinstance(value, int):
        return t.INT if -(2**31) <= value < 2**31 else t.BIGINT
    if isinstance(value, float):
        return t.FLOAT
    return t.varbinary(8000) if isinstance(value, bytes) else t.nvarchar(4000)


def _from_variant(source: SqlType, target: SqlType, style: int) -> Converter:
    def convert(value: Stored) -> Stored:
        inner = converter(variant_type(value), target, explicit=True, style=style)
        return inner(value) if inner else value

    return convert


def _to_variant(source: SqlType, target: SqlType, style: int) -> Converter | None:
    if source.name in t.INTEGERS or source.name == "float" or source.name in t.STRINGS or source.name in t.BINARIES:
        return None
    if source.name == "real":
        return None
    return to_string(source, t.nvarchar(4000), 121)


_MAKERS: dict[tuple[str, str], _Maker] = {
    **{(family, "integers"): to_integer for family in ("integers", "decimals", "floats", "strings", "binaries")},
    **{(family, "decimals"): to_decimal for family in ("integers", "decimals", "floats", "strings")},
    **{(family, "floats"): to_float for family in ("integers", "decimals", "floats", "strings")},
    **{
        (family, "strings"): to_string
        for family in ("integers", "decimals", "floats", "strings", "binaries", "moments", "uniqueidentifier")
    },
    **{(family, "binaries"): to_binary for family in ("integers", "strings", "binaries", "uniqueidentifier")},
    **{(family, "moments"): to_moment for family in ("integers", "decimals", "floats", "strings", "moments")},
    **{(family, "uniqueidentifier"): to_guid for family in ("strings", "binaries")},
    **{(family, "datetimeoffset"): to_offset for family in ("strings", "moments", "datetimeoffset")},
    ("datetimeoffset", "moments"): from_offset,
    ("datetimeoffset", "strings"): to_string,
    ("datetimeoffset", "sql_variant"): _to_variant,
    ("sql_variant", "datetimeoffset"): _from_variant,
    **{("moments", family): _from_moment_to_number for family in ("integers", "decimals", "floats")},
    **{
        ("sql_variant", family): _from_variant
        for family in ("integers", "decimals", "floats", "strings", "binaries", "moments", "uniqueidentifier")
    },
    **{
        (family, "sql_variant"): _to_variant
        for family in ("integers", "decimals", "floats", "strings", "binaries", "moments", "uniqueidentifier")
    },
}


def safe(convert: Converter) -> Converter:
    """TRY_CAST and TRY_CONVERT: None for a value that cannot be converted."""

    def attempt(value: Stored) -> Stored:
        try:
            return convert(value)
        except (errors.SqlError, DecimalException):
            return None

    return attempt


def column_converter(source: SqlType, target: SqlType, table: str, column: str) -> Converter | None:
    """As `converter`, for a value that goes into a column: 2628 instead of cutting a string that is too long.

    Trailing blanks of a string (zeros of bytes) are cut in silence, as SQL Server does.
    """
    convert = converter(source, target)
    if target.name not in t.SIZED or target.length == MAX:
        return convert
    if source.name not in t.SIZED or (source.length != MAX and source.length <= target.length):
        return convert
    length = target.length

    def check(value: Stored) -> Stored:
        if isinstance(value, str):
            if utf16_length(value) > length and utf16_length(value.rstrip(" ")) > length:
                raise errors.would_truncate(table, column, cut_units(value, length))
        elif isinstance(value, bytes) and value[length:].strip(b"\x00"):
            raise errors.would_truncate(table, column, "")
        return convert(value) if convert else value

    return check
