"""Built-in functions: numbers, NULL, choices. The others are in the modules `functions_…`."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal, DecimalException
from fractions import Fraction

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler import (
    functions_catalog,
    functions_security,
    functions_system,
    functions_text,
    functions_time,
    operators,
)
from setup_kit.sandbox.sql.compiler.bound import Bound, Program, common_type
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.functions_text import strict, text
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

#: Functions written without parentheses that sqlglot takes for columns.
BARE = frozenset({"USER", "SYSTEM_USER", "CURRENT_USER", "SESSION_USER", "CURRENT_TIMESTAMP"})

Compile = Callable[[Program, list[Bound]], Bound]


def call(compiler: Compiler, name: str, arguments: Sequence[exp.Expr], scope: Scope) -> Bound:
    """A call of a built-in function; 195 for one that does not exist here, 174 for a wrong number of arguments."""
    program = compiler.program
    if name in functions_time.WITH_DATE_PART:
        if not arguments:
            raise _wrong_count(name, 2)
        part = arguments[0].name
        values = [compiler.value(argument, scope) for argument in arguments[1:]]
        return functions_time.call_with_part(program, name, part, values)
    if name == "IIF":
        if len(arguments) != 3:
            raise _wrong_count(name, 3)
        condition = compiler.condition(arguments[0], scope)
        program.branches += 1
        then, otherwise = (compiler.value(argument, scope) for argument in arguments[1:])
        program.branches -= 1
        return operators.choose(program, [(condition, then)], otherwise)
    if name == "CHOOSE":
        return _choose(compiler, arguments, scope)
    entry = _TABLE.get(name)
    if entry is None and unsupported.is_listed(name):
        raise unsupported.refused(name)
    if entry is None:
        raise errors.unknown_function(name.lower() if name.startswith("FN") else name)
    least, most, compile_ = entry
    if not least <= len(arguments) <= most:
        raise _wrong_count(name, least)
    return compile_(program, [compiler.value(argument, scope) for argument in arguments])


def _choose(compiler: Compiler, arguments: Sequence[exp.Expr], scope: Scope) -> Bound:
    """CHOOSE(index, value, …): NULL when there is no value of that index."""
    if len(arguments) < 2:
        raise _wrong_count("CHOOSE", 2)
    program = compiler.program
    index = program.convert(compiler.value(arguments[0], scope), t.INT)
    program.branches += 1
    values = [compiler.value(argument, scope) for argument in arguments[1:]]
    program.branches -= 1
    branches = [(f"({index.sql} = {number})", value) for number, value in enumerate(values, 1)]
    return operators.choose(program, branches, program.from_slot(lambda _: None, t.INT, null=True))


def system_variable(program: Program, name: str) -> Bound:
    """An @@variable."""
    return functions_system.variable(program, name)


def _wrong_count(name: str, count: int) -> errors.SqlError:
    return errors.error(174, name.lower(), count)


# Numbers


def _absolute(program: Program, values: list[Bound]) -> Bound:
    kind = values[0].type
    if kind.name in t.DECIMALS:
        return program.apply(
            "abs d", strict(lambda v: t.encode_decimal(t.decode_decimal(v).copy_abs())), kind, values[0]
        )
    number = values[0] if kind.name in t.NUMBERS else program.convert(values[0], t.FLOAT)
    return program.apply("abs", strict(lambda v: abs(v)), number.type, number)


def _sign(program: Program, values: list[Bound]) -> Bound:
    kind = values[0].type if values[0].type.name in t.NUMBERS else t.FLOAT
    number = program.convert(values[0], kind)
    if kind.name in t.DECIMALS:
        exact = strict(lambda v: t.encode_scaled(_sign_of(t.decode_decimal(v)), 0))
        return program.apply("sign d", exact, kind, number)
    made = float if kind.name in t.FLOATS else int
    return program.apply(f"sign {kind.name}", strict(lambda v: made(_sign_of(v))), kind, number)


def _sign_of(value: int | float | Decimal) -> int:
    return (value > 0) - (value < 0)


def _whole(label: str, rounding: str, function: Callable[[float], int]) -> Compile:
    def compile_(program: Program, values: list[Bound]) -> Bound:
        kind = values[0].type
        if kind.name in t.INTEGERS:
            return values[0]
        if kind.name in t.DECIMALS:
            result = kind if kind.name in ("money", "smallmoney") else t.decimal(kind.precision, 0)
            exact = strict(lambda v: t.encode_decimal(t.decode_decimal(v).to_integral_value(rounding)))
            return program.apply(f"{label} d", exact, result, values[0])
        number = program.convert(values[0], t.FLOAT)
        return program.apply(label, strict(lambda v: float(function(v))), t.FLOAT, number)

    return compile_


def _round(program: Program, values: list[Bound]) -> Bound:
    kind = values[0].type if values[0].type.name in t.NUMBERS else t.FLOAT
    number, digits = program.convert(values[0], kind), program.convert(values[1], t.INT)
    cut = program.convert(values[2], t.INT) if len(values) > 2 else program.constant(0, t.INT)

    def exact(value: Decimal, places: int, cutting: int) -> Decimal:
        whole = t.EXACT.scaleb(value, places).to_integral_value("ROUND_DOWN" if cutting else "ROUND_HALF_UP")
        return t.EXACT.scaleb(whole, -places)

    def function(value: Stored, places: int, cutting: int) -> Stored:
        if kind.name in t.DECIMALS:
            found = exact(t.decode_decimal(str(value)), places, cutting)
            precision, scale = t.decimal_facets(kind)
            if abs(found) >= 10 ** (precision - scale):
                raise errors.arithmetic_overflow("expression", "numeric" if kind.name == "decimal" else kind.name)
            return t.encode_decimal(found)
        rounded = exact(Decimal(repr(value)), places, cutting)
        if kind.name not in t.INTEGERS:
            return float(rounded)
        low, high = t.INTEGERS[kind.name]
        if not low <= rounded <= high:
            raise errors.arithmetic_overflow("expression", kind.name)
        return int(rounded)

    return program.apply(f"round {kind}", strict(function), kind, number, digits, cut)


def _float(label: str, function: Callable[..., float]) -> Compile:
    def compute(*values: float) -> float:
        try:
            return function(*values)
        except (ValueError, OverflowError):
            raise errors.error(3623) from None

    def compile_(program: Program, values: list[Bound]) -> Bound:
        return program.apply(
            f"{label} {len(values)}", strict(compute), t.FLOAT, *[program.convert(value, t.FLOAT) for value in values]
        )

    return compile_


def _power(program: Program, values: list[Bound]) -> Bound:
    """Of its first argument's type: int, bigint, a decimal of its scale, money or float."""
    given = values[0].type
    if given.name in ("int", "smallint", "tinyint"):
        kind = t.INT
    elif given.name in ("decimal", "numeric"):
        kind = t.decimal(38, given.scale)
    elif given.name in ("money", "smallmoney"):
        kind = t.SqlType("money")
    else:
        kind = given if given.name == "bigint" else t.FLOAT

    def function(base: Stored, exponent: float) -> Stored:
        number = t.decode_decimal(str(base)) if kind.name in t.DECIMALS else base
        try:
            if exponent.is_integer() and 0 <= exponent <= _LARGEST_EXACT_POWER and not isinstance(number, float):
                found: Decimal | float = t.EXACT.power(Decimal(number), int(exponent))  # type: ignore[arg-type]
            else:
                found = math.pow(float(number), exponent)  # type: ignore[arg-type]
        except OverflowError:
            if kind.name != "float":
                raise errors.arithmetic_overflow("expression", kind.name) from None
            raise errors.error(3623) from None
        except (ValueError, DecimalException):
            raise errors.error(3623) from None
        if kind.name in t.DECIMALS:
            precision, scale = t.decimal_facets(kind)
            rounded = math.floor(abs(Fraction(found)) * 10**scale + Fraction(1, 2)) * _sign_of(found)
            if abs(rounded) >= 10**precision:
                raise errors.arithmetic_overflow("expression", "numeric" if kind.name == "decimal" else kind.name)
            return t.encode_scaled(rounded, scale)
        if kind.name == "float":
            return float(found)
        low, high = t.INTEGERS[kind.name]
        if not low <= math.trunc(found) <= high:
            raise errors.error(232, kind.name, f"{float(found):.6f}")
        return math.trunc(found)

    number = program.convert(values[0], kind)
    return program.apply(f"power {kind}", strict(function), kind, number, program.convert(values[1], t.FLOAT))


_LARGEST_EXACT_POWER = 126

_NUMERIC = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?", re.ASCII)
_MONEY = re.compile(r"(?:[+-]?[$¢£¤¥€]?|[$¢£¤¥€][+-])[\d,]*\.?\d*", re.ASCII)


def _is_numeric(text: str) -> int:
    """Whether a string is a number or an amount of money, of which a sign, a point or a comma alone is one."""
    text = text.strip(" ")
    if _NUMERIC.fullmatch(text):
        return int(math.isfinite(float(text.lower().replace("d", "e"))))
    return int(bool(text) and _MONEY.fullmatch(text) is not None)


def _isnumeric(program: Program, values: list[Bound]) -> Bound:
    if values[0].type.name in t.NUMBERS:
        return program.apply("isnumeric n", lambda _, v: int(v is not None), t.INT, values[0])
    if values[0].type.name in t.BINARIES:
        return program.apply("isnumeric b", lambda _, v: 0, t.INT, values[0])
    return program.apply(
        "isnumeric", lambda _, v: 0 if v is None else _is_numeric(str(v)), t.INT, text(program, values[0])
    )


# NULL and the rest


def _isnull(program: Program, values: list[Bound]) -> Bound:
    """ISNULL takes the type of its first argument."""
    kind = common_type(*values) if values[0].null else values[0].type
    first, second = program.convert(values[0], kind), program.convert(values[1], kind)
    nullable = first.nullable and second.nullable
    found = program.apply("coalesce 2", lambda _, a, b: b if a is None else a, kind, first, second)
    return found if found.slot else Bound(f"ifnull({first.sql}, {second.sql})", kind, nullable)


def _coalesce(program: Program, values: list[Bound]) -> Bound:
    if all(value.null for value in values):
        raise errors.error(4127)
    kind = common_type(*values)
    inputs = [program.convert(value, kind) for value in values]
    return Bound(f"coalesce({', '.join(bound.sql for bound in inputs)})", kind, all(b.nullable for b in inputs))


def _nullif(program: Program, values: list[Bound]) -> Bound:
    same = operators.compare(program, "=", values[0], values[1])
    return Bound(f"(CASE WHEN {same} THEN NULL ELSE {values[0].sql} END)", values[0].type)


def _newid(program: Program, values: list[Bound]) -> Bound:
    found = program.apply("newid", lambda _: t.encode_guid(uuid.uuid4()), t.GUID, folds=False)
    return replace(found, nullable=False)


_TABLE: dict[str, tuple[int, int, Compile]] = {
    **functions_text.TABLE,
    "ABS": (1, 1, _absolute),
    "CEILING": (1, 1, _whole("ceiling", "ROUND_CEILING", math.ceil)),
    "FLOOR": (1, 1, _whole("floor", "ROUND_FLOOR", math.floor)),
    "ROUND": (2, 3, _round),
    "SQRT": (1, 1, _float("sqrt", math.sqrt)),
    "POWER": (2, 2, _power),
    "EXP": (1, 1, _float("exp", math.exp)),
    "LOG": (1, 2, _float("log", math.log)),
    "SIGN": (1, 1, _sign),
    "ISNUMERIC": (1, 1, _isnumeric),
    "ISNULL": (2, 2, _isnull),
    "COALESCE": (2, 254, _coalesce),
    "NULLIF": (2, 2, _nullif),
    "NEWID": (0, 0, _newid),
    **functions_time.TABLE,
    **functions_catalog.TABLE,
    **functions_security.TABLE,
    **functions_system.TABLE,
}
