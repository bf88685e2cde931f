"""Makers of conversions to a number: each takes the source, the target and a style; see `conversions`."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from decimal import Decimal

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Converter, SqlType, Stored


def _integer_range(target: SqlType) -> Callable[[int, str], int]:
    low, high = t.INTEGERS[target.name]

    def check(value: int, source: str) -> int:
        if low <= value <= high:
            return value
        raise errors.arithmetic_overflow("expression" if source in t.INTEGERS else source, target.name)

    return check


def to_integer(source: SqlType, target: SqlType, style: int) -> Converter | None:
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
            return lambda value: check(round_half_up(t.decode_decimal(str(value)), 0), name)
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


def round_half_up(value: Decimal, scale: int) -> int:
    return int(t.EXACT.scaleb(value, scale).to_integral_value("ROUND_HALF_UP"))


def to_decimal(source: SqlType, target: SqlType, style: int) -> Converter | None:
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
        return lambda value: store(round_half_up(t.decode_decimal(str(value)), scale))
    if name in t.FLOATS:
        return lambda value: store(round_half_up(Decimal(repr(value)), scale))
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
            return store(round_half_up(Decimal(text), scale))

        return parse
    raise errors.explicit_conversion_refused(name, target.name)


def to_float(source: SqlType, target: SqlType, style: int) -> Converter | None:
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
