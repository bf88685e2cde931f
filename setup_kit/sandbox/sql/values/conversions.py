"""From one data type to another: `CAST`, `CONVERT` and the implicit conversions of T-SQL, on stored values."""

from __future__ import annotations

import contextlib
import math
import re
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal, DecimalException
from functools import lru_cache

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.values import code_page, moments
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

#: Takes a value that is not None.
Converter = Callable[[Stored], Stored]

_GUID = re.compile(r"\{?([0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})\}?")


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


# Numbers


def _integer_range(target: SqlType) -> Callable[[int, str], int]:
    low, high = t.INTEGERS[target.name]

    def check(value: int, source: str) -> int:
        if low <= value <= high:
            return value
        raise errors.arithmetic_overflow("expression" if source in t.INTEGERS else source, target.name)

    return check


def _to_integer(source: SqlType, target: SqlType, style: int) -> Converter | None:
    name = source.name
    if target.name == "bit":
        return _to_bit(source)
    check = _integer_range(target)
    if name in t.INTEGERS:
        low, high = t.INTEGERS[name]
        if t.INTEGERS[target.name][0] <= low and high <= t.INTEGERS[target.name][1]:
            return None
        if target.name in ("tinyint", "smallint"):
            return lambda value: _small(int(value), target)  # type: ignore[arg-type]
        return lambda value: check(int(value), name)  # type: ignore[arg-type]
    if name in t.DECIMALS:
        if name in ("money", "smallmoney"):
            return lambda value: check(_round_half_up(t.decode_decimal(str(value)), 0), name)
        return lambda value: check(int(t.decode_decimal(str(value))), "numeric")
    if name in t.FLOATS:
        return lambda value: check(math.trunc(value), "float")  # type: ignore[arg-type]
    if name in t.STRINGS:

        def parse(value: Stored) -> Stored:
            text = str(value).strip(" ")
            if not re.fullmatch(r"[+-]?\d+|", text, re.ASCII):
                raise errors.conversion_failed(name, str(value), target.name)
            number = int(text or "0")
            low, high = t.INTEGERS[target.name]
            if not low <= number <= high:
                if target.name == "int":
                    raise errors.error(248, name, value)
                if target.name in ("tinyint", "smallint"):
                    raise errors.error(244, name, value, {"tinyint": "INT1", "smallint": "INT2"}[target.name])
                raise errors.type_conversion_failed(name, target.name)
            return number

        return parse
    if name in t.BINARIES:
        size = t.FIXED_LENGTHS[target.name]
        return lambda value: int.from_bytes(value[-size:], "big", signed=target.name != "tinyint")  # type: ignore[arg-type, index]
    raise errors.explicit_conversion_refused(name, target.name)


def _small(value: int, target: SqlType) -> int:
    low, high = t.INTEGERS[target.name]
    if low <= value <= high:
        return value
    raise errors.error(220, target.name, value)


def _to_bit(source: SqlType) -> Converter:
    if source.name in t.STRINGS:

        def parse(value: Stored) -> Stored:
            text = str(value).strip(" ").lower()
            if text in ("true", "false"):
                return int(text == "true")
            if re.fullmatch(r"[+-]?\d+|", text, re.ASCII):
                return int(int(text or "0") != 0)
            raise errors.conversion_failed(source.name, str(value), "bit")

        return parse
    if source.name in t.DECIMALS:
        return lambda value: int(t.decode_decimal(str(value)) != 0)
    if source.name in t.BINARIES:
        return lambda value: int(any(value))  # type: ignore[arg-type]
    return lambda value: int(value != 0)


def _round_half_up(value: Decimal, scale: int) -> int:
    return int(t.EXACT.scaleb(value, scale).to_integral_value("ROUND_HALF_UP"))


def _to_decimal(source: SqlType, target: SqlType, style: int) -> Converter | None:
    precision, scale = t.decimal_facets(target)
    least, most = t.MONEY_RANGES.get(target.name, (1 - 10**precision, 10**precision - 1))
    name = source.name
    label = "numeric" if name == "decimal" else name
    state = 6 if name in t.FLOATS or name in t.STRINGS else 8  # 6: assumed

    def store(unscaled: int) -> Stored:
        if not least <= unscaled <= most:
            raise errors.arithmetic_overflow(label, "numeric" if target.name == "decimal" else target.name, state)
        return t.encode_scaled(unscaled, scale)

    if name in t.INTEGERS:
        factor = 10**scale
        return lambda value: store(int(value) * factor)  # type: ignore[arg-type]
    if name in t.DECIMALS:
        from_precision, from_scale = t.decimal_facets(source)
        narrow = target.name in t.MONEY_RANGES and name not in ("money", "smallmoney")  # not every number of 19 digits
        if not narrow and from_scale <= scale and from_precision - from_scale <= precision - scale:
            return None
        return lambda value: store(_round_half_up(t.decode_decimal(str(value)), scale))
    if name in t.FLOATS:
        return lambda value: store(_round_half_up(Decimal(repr(value)), scale))
    if name in t.STRINGS:
        failed = (
            errors.error(235)
            if target.name in ("money", "smallmoney")
            else errors.type_conversion_failed(name, "numeric")
        )

        def parse(value: Stored) -> Stored:
            text = str(value).strip(" ")
            if target.name in ("money", "smallmoney"):
                text = text.replace(",", "").removeprefix("$") or "0"
            if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text, re.ASCII):
                raise failed
            return store(_round_half_up(Decimal(text), scale))

        return parse
    raise errors.explicit_conversion_refused(name, target.name)


def _to_float(source: SqlType, target: SqlType, style: int) -> Converter | None:
    def store(value: float) -> Stored:
        if target.name == "float":
            return value
        try:
            return float(struct.unpack("<f", struct.pack("<f", value))[0])
        except OverflowError:
            raise errors.arithmetic_overflow("float" if source.name == "float" else source.name, "real") from None

    name = source.name
    if name in t.INTEGERS:
        return lambda value: store(float(value))  # type: ignore[arg-type]
    if name in t.DECIMALS:
        return lambda value: store(float(t.decode_decimal(str(value))))
    if name in t.FLOATS:
        return None if target.name == "float" else lambda value: store(float(value))  # type: ignore[arg-type]

    def parse(value: Stored) -> Stored:
        text = str(value).strip(" ") or "0"
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
            raise errors.type_conversion_failed(name, target.name)
        if math.isinf(value := float(text)):
            raise errors.arithmetic_overflow("expression", target.name)
        return store(value)

    return parse


# Strings and bytes


def _cut(target: SqlType) -> Converter | None:
    if target.length == MAX:
        return None
    length, fixed = target.length, target.name in ("char", "nchar")
    if fixed:

        def fill(value: Stored) -> Stored:
            text = cut_units(str(value), length)
            return text + " " * (length - utf16_length(text))

        return fill
    return lambda value: cut_units(str(value), length)


def _to_string(source: SqlType, target: SqlType, style: int) -> Converter | None:
    show = _shower(source, style)
    cut = _cut(target)
    if source.name in t.STRINGS:
        to_code_page = target.name not in t.NATIONAL and source.name in t.NATIONAL
        fits = target.length == MAX or (source.length != MAX and source.length <= target.length)
        fixed = target.name in ("char", "nchar")
        if to_code_page:
            return lambda value: _plain(cut, code_page.decode(code_page.encode(str(value))))
        return None if fits and not fixed else cut

    limit = target.length
    overflow_is_error = source.name in t.NUMBERS or source.name == "uniqueidentifier"

    def convert(value: Stored) -> Stored:
        text = show(value)
        if overflow_is_error and limit != MAX and len(text) > limit:
            if source.name in ("int", "smallint", "tinyint") and target.name in ("char", "varchar"):
                return "*".ljust(limit) if target.name == "char" else "*"
            if source.name == "uniqueidentifier":
                raise errors.error(8170)
            raise errors.arithmetic_overflow("expression" if source.name in t.INTEGERS else "numeric", target.name)
        return _plain(cut, text)

    return convert


def _plain(cut: Converter | None, text: str) -> Stored:
    return cut(text) if cut else text


def _shower(source: SqlType, style: int) -> Callable[[Stored], str]:
    """How a value is written as text."""
    name = source.name
    if name in ("money", "smallmoney") and style == 1:
        return lambda value: f"{t.decode_decimal(str(value)).quantize(_CENT, rounding='ROUND_HALF_UP'):,}"
    if name in ("money", "smallmoney") and style in (2, 126):
        return lambda value: show_scaled(_round_half_up(t.decode_decimal(str(value)), 4), 4)
    if name in t.DECIMALS:
        shown = 2 if name in ("money", "smallmoney") else source.scale
        return lambda value: show_scaled(_round_half_up(t.decode_decimal(str(value)), shown), shown)
    if name in t.FLOATS:
        if style in _FLOAT_DIGITS:
            return lambda value: _scientific(f"{float(value):.{_FLOAT_DIGITS[style] - 1}e}")  # type: ignore[arg-type]
        return lambda value: show_float(float(value))  # type: ignore[arg-type]
    if name == "uniqueidentifier":
        return lambda value: str(t.decode_guid(value)).upper()  # type: ignore[arg-type]
    if name in t.BINARIES:
        if style == 1:
            return lambda value: "0x" + value.hex().upper()  # type: ignore[union-attr]
        if style == 2:
            return lambda value: value.hex().upper()  # type: ignore[union-attr]
        return lambda value: code_page.decode(value)  # type: ignore[arg-type]
    if name in t.MOMENTS:
        return lambda value: moments.show(int(value), source, style)  # type: ignore[arg-type]
    if name == "datetimeoffset":
        return lambda value: moments.show_offset(str(value), source, style)
    if name == "sql_variant":
        return lambda value: value.hex() if isinstance(value, bytes) else str(value)
    return str


def show_scaled(unscaled: int, scale: int) -> str:
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    sign = "-" if unscaled < 0 else ""
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else sign + digits


def show_float(value: float) -> str:
    """Style 0: at most six digits, scientific where it is shorter."""
    text = f"{value:.6g}"
    return _scientific(text) if "e" in text else text


_CENT = Decimal("0.01")

#: Digits of the styles that show a float with an exponent always.
_FLOAT_DIGITS = {1: 8, 2: 16, 3: 17}


def _scientific(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{exponent[0]}{int(exponent[1:]):03d}"


def _to_binary(source: SqlType, target: SqlType, style: int) -> Converter | None:
    length = target.length

    def fit(value: bytes) -> bytes:
        if length != MAX:
            value = value[:length]
            if target.name == "binary":
                value = value.ljust(length, b"\x00")
        return value

    if source.name in t.BINARIES:
        if length == MAX or (target.name == "varbinary" and source.length != MAX and source.length <= length):
            return None
        return lambda value: fit(value)  # type: ignore[arg-type]
    if source.name in t.INTEGERS:
        size = t.FIXED_LENGTHS[source.name]

        def of_integer(value: Stored) -> Stored:
            raw = int(value).to_bytes(size, "big", signed=source.name not in ("bit", "tinyint"))  # type: ignore[arg-type]
            return raw if length == MAX else raw[-length:].rjust(length if target.name == "binary" else 0, b"\x00")

        return of_integer
    if source.name == "uniqueidentifier":
        return lambda value: fit(t.decode_guid_bytes(value))  # type: ignore[arg-type]

    def of_string(value: Stored) -> Stored:
        if style in (1, 2):
            text = str(value).removeprefix("0x") if style == 1 else str(value)
            with contextlib.suppress(ValueError):
                return fit(bytes.fromhex(text))
            raise errors.type_conversion_failed(source.name, target.name)
        text = str(value)
        return fit(text.encode("utf-16-le") if source.name in t.NATIONAL else code_page.encode(text))

    return of_string


def _to_guid(source: SqlType, target: SqlType, style: int) -> Converter | None:
    if source.name in t.BINARIES:
        return lambda value: t.encode_guid_bytes(bytes(value)[:16].ljust(16, b"\x00"))  # type: ignore[arg-type]

    def parse(value: Stored) -> Stored:
        found = _GUID.match(str(value))
        if not found:
            raise errors.guid_conversion_failed()
        return t.encode_guid(uuid.UUID(found[1]))

    return parse


# Dates and times


def _check_style(style: int) -> None:
    if not moments.reads_style(style):
        raise unsupported.refused("CONVERT of a string in style", str(style))


def _to_moment(source: SqlType, target: SqlType, style: int) -> Converter | None:
    fit = moments.fitter(target, source)
    if source.name in t.MOMENTS:
        if source.name == "time":
            return lambda value: fit(t.DAY_1900 * t.TICKS_PER_DAY + int(value))  # type: ignore[arg-type]
        return lambda value: fit(int(value))  # type: ignore[arg-type]
    if source.name in t.STRINGS:
        _check_style(style)
        strict = target.name in ("datetime", "smalldatetime")
        out_of_range = errors.date_out_of_range(source.name, target.name) if strict else None
        return lambda value: fit(moments.parse(str(value), style, out_of_range))
    if source.name in t.NUMBERS and target.name in ("datetime", "smalldatetime"):
        to_days = _to_float(source, t.FLOAT, 0)

        def of_days(value: Stored) -> Stored:
            days = float(to_days(value) if to_days else value)  # type: ignore[arg-type]
            return fit(t.DAY_1900 * t.TICKS_PER_DAY + round(days * t.TICKS_PER_DAY))

        return of_days
    raise errors.type_clash(source.name, target.name)


def _to_offset(source: SqlType, target: SqlType, style: int) -> Converter | None:
    """To datetimeoffset: a moment without an offset is taken for UTC; the scale is rounded, the offset stays."""
    fit = moments.fitter(SqlType("datetime2", scale=target.scale), target)
    if source.name == "datetimeoffset":
        if source.scale <= target.scale:
            return None

        def rescale(value: Stored) -> Stored:
            utc, minutes = t.decode_offset(str(value))
            return t.encode_offset(fit(utc), minutes)

        return rescale
    if source.name in t.STRINGS:
        _check_style(style)

        def parse(value: Stored) -> Stored:
            local, minutes = moments.parse_offset(str(value), style)
            return moments.with_offset(fit(local), minutes, source)

        return parse
    to_local = _to_moment(source, t.DATETIME2, 0)

    def of_moment(value: Stored) -> Stored:
        return moments.with_offset(fit(int(to_local(value) if to_local else value)), 0, source)  # type: ignore[arg-type]

    return of_moment


def _from_offset(source: SqlType, target: SqlType, style: int) -> Converter | None:
    """The local time of a datetimeoffset as another type of moment."""
    fit = moments.fitter(target, source)
    return lambda value: fit(t.local_ticks(str(value)))


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
    return _to_string(source, t.nvarchar(4000), 121)


_MAKERS: dict[tuple[str, str], _Maker] = {
    **{(family, "integers"): _to_integer for family in ("integers", "decimals", "floats", "strings", "binaries")},
    **{(family, "decimals"): _to_decimal for family in ("integers", "decimals", "floats", "strings")},
    **{(family, "floats"): _to_float for family in ("integers", "decimals", "floats", "strings")},
    **{
        (family, "strings"): _to_string
        for family in ("integers", "decimals", "floats", "strings", "binaries", "moments", "uniqueidentifier")
    },
    **{(family, "binaries"): _to_binary for family in ("integers", "strings", "binaries", "uniqueidentifier")},
    **{(family, "moments"): _to_moment for family in ("integers", "decimals", "floats", "strings", "moments")},
    **{(family, "uniqueidentifier"): _to_guid for family in ("strings", "binaries")},
    **{(family, "datetimeoffset"): _to_offset for family in ("strings", "moments", "datetimeoffset")},
    ("datetimeoffset", "moments"): _from_offset,
    ("datetimeoffset", "strings"): _to_string,
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


def utf16_length(text: str) -> int:
    """Length as nvarchar counts it: a character outside the basic plane takes two."""
    return len(text) if text.isascii() else len(text) + sum(1 for char in text if char > "\uffff")


def cut_units(text: str, length: int) -> str:
    """The first `length` UTF-16 units. Half a pair, which the store cannot hold, becomes U+FFFD."""
    if len(text) * 2 <= length or text.isascii() or max(text) < "\U00010000":
        return text[:length]
    return text.encode("utf-16-le", "surrogatepass")[: length * 2].decode("utf-16-le", "replace")
