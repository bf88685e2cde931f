"""Arithmetic, concatenation and comparison: result types and values, after the T-SQL reference."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound, Program, Runtime, common_type
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.conversions import converter
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored
from setup_kit.sandbox.sql.values.units import cut_units

_NAMES = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}


def arithmetic(program: Program, operator: str, left: Bound, right: Bound) -> Bound:
    """`left operator right` for + - * / %; `+` joins strings."""
    kind = common_type(left, right)
    if operator == "+" and kind.name in t.STRINGS:
        return concatenate(program, left, right)
    if kind.name in ("datetime", "smalldatetime") and operator in "+-":
        return _shift_datetime(program, operator, left, right, kind)
    if kind.name in t.STRINGS or kind.name not in t.NUMBERS:
        raise errors.operator_refused(_NAMES[operator], kind.name)
    if kind.name == "bit":
        kind = t.INT if left.null or right.null or operator in "*/%" else kind
        if kind.name == "bit":
            raise errors.operator_refused(_NAMES[operator], "bit")
    if kind.name in ("decimal", "numeric"):
        return _decimal_arithmetic(program, operator, left, right)
    left, right = program.convert(left, kind), program.convert(right, kind)
    if kind.name in ("money", "smallmoney"):
        return program.apply(f"{operator} {kind.name}", _money_function(operator, kind), kind, left, right)
    if kind.name in t.FLOATS:
        return program.apply(f"{operator} float", _float_function(operator), kind, left, right)
    return program.apply(f"{operator} {kind.name}", _integer_function(operator, kind), kind, left, right)


def _integer_function(operator: str, kind: SqlType):  # type: ignore[no-untyped-def]
    low, high = t.INTEGERS[kind.name]

    def function(_: Runtime, a: int | None, b: int | None) -> Stored:
        if a is None or b is None:
            return None
        if operator in "/%" and b == 0:
            raise errors.divide_by_zero()
        if operator == "+":
            value = a + b
        elif operator == "-":
            value = a - b
        elif operator == "*":
            value = a * b
        else:
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            value = quotient if operator == "/" else a - quotient * b
        if not low <= value <= high:
            raise errors.arithmetic_overflow("expression", kind.name)
        return value

    return function


def finite(value: float) -> float:
    """8115 for infinity, which SQL Server does not have."""
    if not math.isfinite(value):
        raise errors.arithmetic_overflow("expression", "float")
    return value


def _float_function(operator: str):  # type: ignore[no-untyped-def]
    def function(_: Runtime, a: float | None, b: float | None) -> Stored:
        if a is None or b is None:
            return None
        if operator == "/":
            if b == 0:
                raise errors.divide_by_zero()
            return finite(a / b)
        if operator == "%":
            raise errors.operator_refused("modulo", "float")
        return finite(a + b if operator == "+" else a - b if operator == "-" else a * b)

    return function


def _decimal_arithmetic(program: Program, operator: str, left: Bound, right: Bound) -> Bound:
    (p1, s1), (p2, s2) = t.decimal_facets(left.type), t.decimal_facets(right.type)
    if operator in "+-":
        scale = max(s1, s2)
        precision = max(p1 - s1, p2 - s2) + scale + 1
    elif operator == "*":
        scale, precision = s1 + s2, p1 + p2 + 1
    elif operator == "/":
        scale = max(6, s1 + p2 + 1)
        precision = p1 - s1 + s2 + scale
    else:
        scale = max(s1, s2)
        precision = min(p1 - s1, p2 - s2) + scale
    if precision > 38:
        whole = precision - scale
        least = 0 if operator in "+-" else 6
        scale = min(scale, max(38 - whole, min(scale, least)))
        precision = 38
    kind = t.decimal(precision, scale)
    left = program.convert(left, t.decimal(*t.decimal_facets(left.type)))
    right = program.convert(right, t.decimal(*t.decimal_facets(right.type)))
    return program.apply(f"{operator} {kind}", _decimal_function(operator, scale), kind, left, right)


def _decimal_function(operator: str, scale: int):  # type: ignore[no-untyped-def]
    quantum = Decimal(1).scaleb(-scale)

    def function(_: Runtime, a: str | None, b: str | None) -> Stored:
        if a is None or b is None:
            return None
        x, y = t.decode_decimal(a), t.decode_decimal(b)
        if operator in "/%" and not y:
            raise errors.divide_by_zero()
        if operator == "+":
            value = t.EXACT.add(x, y)
        elif operator == "-":
            value = t.EXACT.subtract(x, y)
        elif operator == "*":
            value = t.EXACT.multiply(x, y)
        elif operator == "/":
            value = t.EXACT.divide(x, y)
        else:
            value = t.EXACT.remainder(x, y)
        # Sums and products are rounded to the scale, quotients cut off.
        rounding = "ROUND_DOWN" if operator == "/" else "ROUND_HALF_UP"
        value = value.quantize(quantum, rounding=rounding, context=t.EXACT)
        if len(value.as_tuple().digits) > 38:
            raise errors.arithmetic_overflow("expression", "numeric")
        return t.encode_decimal(value)

    return function


def within_money(kind: SqlType, value: str) -> str:
    """8115 for a sum of money beyond what its type holds."""
    least, most = t.MONEY_RANGES[kind.name]
    if not least <= t.decode_scaled(value, 4) <= most:
        raise errors.arithmetic_overflow("expression", kind.name)
    return value


def _money_function(operator: str, kind: SqlType):  # type: ignore[no-untyped-def]
    compute = _decimal_function(operator, 4)

    def function(runtime: Runtime, a: str | None, b: str | None) -> Stored:
        found = compute(runtime, a, b)
        return None if found is None else within_money(kind, found)

    return function


def _shift_datetime(program: Program, operator: str, left: Bound, right: Bound, kind: SqlType) -> Bound:
    left, right = program.convert(left, kind), program.convert(right, kind)
    base = t.DAY_1900 * t.TICKS_PER_DAY
    fit = converter(t.DATETIME2, kind)

    def function(_: Runtime, a: int | None, b: int | None) -> Stored:
        if a is None or b is None:
            return None
        ticks = a + (b - base) if operator == "+" else a - (b - base)
        return fit(ticks) if fit else ticks

    return program.apply(f"{operator} {kind.name}", function, kind, left, right)


def concatenated_type(*kinds: SqlType) -> SqlType:
    national = any(kind.name in t.NATIONAL for kind in kinds)
    if any(kind.length == MAX for kind in kinds):
        length = MAX
    else:
        length = max(1, min(sum(kind.length for kind in kinds), 4000 if national else 8000))
    return t.nvarchar(length) if national else t.varchar(length)


def check_length(length: int) -> None:
    """701 for a text that would take too much memory."""
    if length > t.LONGEST:
        raise errors.error(701, "default")


def bounded(text: str, kind: SqlType) -> str:
    """`text` cut to the length of its type; 701 where that has none and the text is too long."""
    if kind.length != MAX:
        return cut_units(text, kind.length)
    check_length(len(text))
    return text


def concatenate(program: Program, left: Bound, right: Bound) -> Bound:
    kinds = [bound.type if bound.type.name in t.STRINGS else t.varchar(1) for bound in (left, right)]
    for index, bound in enumerate((left, right)):
        if bound.undeclared:
            kinds[index] = t.nvarchar(4000)
    kind = concatenated_type(*kinds)
    left, right = program.convert(left, kind), program.convert(right, kind)

    def function(_: Runtime, a: str | None, b: str | None) -> Stored:
        return None if a is None or b is None else bounded(a + b, kind)

    return program.apply(f"concatenate {kind}", function, kind, left, right)


def bitwise(program: Program, operator: str, left: Bound, right: Bound) -> Bound:
    kind = common_type(left, right)
    if kind.name not in t.INTEGERS:
        raise errors.operator_refused(f"'{operator}'", kind.name)
    left, right = program.convert(left, kind), program.convert(right, kind)

    def function(_: Runtime, a: int | None, b: int | None) -> Stored:
        if a is None or b is None:
            return None
        return a & b if operator == "&" else a | b if operator == "|" else a ^ b

    return program.apply(f"{operator} {kind.name}", function, kind, left, right)


def negate(program: Program, value: Bound) -> Bound:
    kind = t.SMALLINT if value.type.name == "tinyint" else value.type
    if kind.name not in t.NUMBERS or kind.name == "bit":
        raise errors.operator_refused("minus", kind.name)
    if kind.name in t.DECIMALS:

        def negate_decimal(_: Runtime, a: str | None) -> Stored:
            if a is None:
                return None
            found = t.encode_decimal(t.EXACT.minus(t.decode_decimal(a)))
            return within_money(kind, found) if kind.name in t.MONEY_RANGES else found

        return program.apply(f"negate {kind}", negate_decimal, kind, value)
    if kind.name in t.FLOATS:
        return program.apply("negate float", lambda _, a: None if a is None else -a, kind, value)
    value = program.convert(value, kind)
    zero = program.constant(0, kind)
    return arithmetic(program, "-", zero, value)


def compare(program: Program, operator: str, left: Bound, right: Bound) -> str:
    """A comparison as SQLite text."""
    kind = common_type(left, right)
    left, right = comparable(program, left, kind), comparable(program, right, kind)
    return f"({left.sql} {operator} {right.sql}{collated(kind)})"


def comparable(program: Program, bound: Bound, kind: SqlType) -> Bound:
    """`bound` so that it compares as `kind`; the length of strings does not matter for that."""
    if bound.undeclared or bound.null:
        return program.convert(bound, kind)
    both_strings = bound.type.name in t.STRINGS and kind.name in t.STRINGS
    both_exact = bound.type.name in t.DECIMALS and kind.name in t.DECIMALS
    both_whole = bound.type.name in t.INTEGERS and kind.name in t.INTEGERS
    both_bytes = bound.type.name in t.BINARIES and kind.name in t.BINARIES
    if both_strings or both_exact or both_whole or both_bytes:
        return bound
    if kind.name in t.STRINGS:
        return program.convert(bound, SqlType(kind.name, MAX if kind.name in ("nvarchar", "varchar") else kind.length))
    if kind.name in ("decimal", "numeric") and bound.type.name in t.INTEGERS:
        return program.convert(bound, t.decimal(38, 0))
    return program.convert(bound, kind)


def collated(kind: SqlType) -> str:
    name = t.collation_of(kind)
    return f" COLLATE {name}" if name else ""


@lru_cache(maxsize=1024)
def like_pattern(pattern: str, escape: str | None) -> re.Pattern[str]:
    """A LIKE pattern as a regular expression: % _ [set] [^set] and the escape character."""
    out = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if escape and char == escape and at < len(pattern):
            out.append(re.escape(pattern[at]))
            at += 1
        elif char == "%":
            out.append(".*")
        elif char == "_":
            out.append(".")
        elif char == "[" and (end := pattern.find("]", at + 1)) > 0:
            body = pattern[at:end]
            negative = body.startswith("^")
            body = body[1:] if negative else body
            safe = re.sub(r"([\\\[\]^&~|])", r"\\\1", body)
            out.append(f"[{'^' if negative else ''}{safe}]" if body else re.escape(char))
            at = end + 1 if body else at
        else:
            out.append(re.escape(char))
    return re.compile("".join(out), re.IGNORECASE | re.DOTALL)


def like(runtime: Runtime, value: str | None, pattern: str | None, escape: str | None) -> Stored:
    """Trailing blanks of the value may be left out of account, those of the pattern not."""
    found = like_national(runtime, value, pattern, escape)
    return like_national(runtime, value.rstrip(" "), pattern, escape) if value and found == 0 else found


def like_national(_: Runtime, value: str | None, pattern: str | None, escape: str | None) -> Stored:
    """With Unicode on either side every blank counts."""
    if value is None or pattern is None:
        return None
    return int(like_pattern(pattern, escape).fullmatch(value) is not None)


def choose(program: Program, branches: Sequence[tuple[str, Bound]], otherwise: Bound) -> Bound:
    """CASE with conditions that are compiled already."""
    results = [value for _, value in branches] + [otherwise]
    kind = common_type(*results)
    if all(result.null for result in results):
        raise errors.error(8133)
    whens = "".join(f" WHEN {c} THEN {program.convert(value, kind).sql}" for c, value in branches)
    default = program.convert(otherwise, kind)
    return Bound(f"(CASE{whens} ELSE {default.sql} END)", kind, any(result.nullable for result in results))
