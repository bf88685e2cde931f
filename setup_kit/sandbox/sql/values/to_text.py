"""Makers of conversions to text, bytes and uniqueidentifier; see `conversions`."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable
from decimal import Decimal

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.values import code_page, moments
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.to_numbers import round_half_up
from setup_kit.sandbox.sql.values.types import MAX, Converter, SqlType, Stored
from setup_kit.sandbox.sql.values.units import cut_units, utf16_length

_GUID = re.compile(r"\{?([0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})\}?")


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


def to_string(source: SqlType, target: SqlType, style: int) -> Converter | None:
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
        return lambda value: show_scaled(round_half_up(t.decode_decimal(str(value)), 4), 4)
    if name in t.DECIMALS:
        shown = 2 if name in ("money", "smallmoney") else source.scale
        return lambda value: show_scaled(round_half_up(t.decode_decimal(str(value)), shown), shown)
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


def to_binary(source: SqlType, target: SqlType, style: int) -> Converter | None:
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


def to_guid(source: SqlType, target: SqlType, style: int) -> Converter | None:
    if source.name in t.BINARIES:
        return lambda value: t.encode_guid_bytes(bytes(value)[:16].ljust(16, b"\x00"))  # type: ignore[arg-type]

    def parse(value: Stored) -> Stored:
        found = _GUID.match(str(value))
        if not found:
            raise errors.guid_conversion_failed()
        return t.encode_guid(uuid.UUID(found[1]))

    return parse
