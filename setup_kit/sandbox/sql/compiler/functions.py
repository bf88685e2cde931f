"""Built-in functions: strings, numbers, NULL. The others are in the modules `functions_…`."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from sqlglot import exp

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler import (
    functions_catalog,
    functions_security,
    functions_system,
    functions_time,
    operators,
)
from setup_kit.sandbox.sql.compiler.bound import Bound, Function, Program, Runtime, common_type
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.values import collation
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.conversions import utf16_length
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

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
    entry = _TABLE.get(name)
    if entry is None:
        raise errors.unknown_function(name.lower() if name.startswith("FN") else name)
    least, most, compile_ = entry
    if not least <= len(arguments) <= most:
        raise _wrong_count(name, least)
    return compile_(program, [compiler.value(argument, scope) for argument in arguments])


def system_variable(program: Program, name: str) -> Bound:
    """An @@variable."""
    return functions_system.variable(program, name)


def _wrong_count(name: str, count: int) -> errors.SqlError:
    return errors.error(174, name.lower(), count)


def strict(function: Callable[..., Stored]) -> Function:
    """NULL when any argument is NULL."""

    def call_unless_null(_: Runtime, *values: Stored) -> Stored:
        return None if None in values else function(*values)

    return call_unless_null


def text(program: Program, bound: Bound) -> Bound:
    """A string of any kind as it is; anything else as nvarchar(max)."""
    if bound.type.name in t.STRINGS and not bound.undeclared:
        return bound
    return program.convert(bound, t.nvarchar(4000))


def _varying(kind: SqlType, length: int | None = None) -> SqlType:
    name = "nvarchar" if kind.name in t.NATIONAL else "varchar"
    return SqlType(name, kind.length if length is None else length)


# Strings

#: Characters of a value that REPLICATE may make; SQL Server would go to 2 GB.


def _string(label: str, function: Callable[..., Stored]) -> Compile:
    """A function from a string to a string of the same type, with integers behind it."""

    def compile_(program: Program, values: list[Bound]) -> Bound:
        value = text(program, values[0])
        numbers = [program.convert(bound, t.BIGINT) for bound in values[1:]]
        return program.apply(f"{label}", strict(function), _varying(value.type), value, *numbers)

    return compile_


def _replicate(program: Program, values: list[Bound]) -> Bound:
    value = text(program, values[0])
    large, national = value.type.length == MAX, value.type.name in t.NATIONAL
    longest = t.LONGEST if large else 4000 if national else 8000

    def function(part: str, times: int) -> Stored:
        if times < 0:
            return None
        if large:
            operators.check_length(len(part) * times)
        return (part * min(times, longest))[:longest]

    kind = _varying(value.type, MAX if large else longest)
    return program.apply(f"replicate {longest}", strict(function), kind, value, program.convert(values[1], t.BIGINT))


def _measure(label: str, function: Callable[[str], Stored]) -> Compile:
    def compile_(program: Program, values: list[Bound]) -> Bound:
        return program.apply(label, strict(function), t.INT, text(program, values[0]))

    return compile_


def _datalength(program: Program, values: list[Bound]) -> Bound:
    kind = values[0].type
    if kind.name in t.NATIONAL:
        return program.apply("datalength n", strict(lambda v: len(v.encode("utf-16-le"))), t.INT, values[0])
    if kind.name in t.SIZED:
        return program.apply("datalength", strict(len), t.INT, values[0])
    size = kind.max_length
    return program.apply(f"datalength {size}", strict(lambda _: size), t.INT, values[0])


def _replace(program: Program, values: list[Bound]) -> Bound:
    inputs = [text(program, value) for value in values]
    kind = operators.concatenated_type(*[bound.type for bound in inputs])

    def function(value: str, old: str, new: str) -> str:
        if not old:
            return value
        folded, wanted, out, at = collation.lower(value), collation.lower(old), [], 0
        length = len(value)
        while (found := folded.find(wanted, at)) >= 0:
            length += len(new) - len(old)
            operators.check_length(length)
            out.append(value[at:found] + new)
            at = found + len(old)
        return "".join(out) + value[at:]

    return program.apply("replace", strict(function), _varying(kind, MAX if kind.length == MAX else None), *inputs)


def _charindex(program: Program, values: list[Bound]) -> Bound:
    needle, hay = (program.convert(value, t.nvarchar(MAX)) for value in values[:2])
    start = program.convert(values[2], t.BIGINT) if len(values) > 2 else program.constant(1, t.BIGINT)

    def function(wanted: str, value: str, first: int) -> int:
        return value.lower().find(wanted.lower(), max(first - 1, 0)) + 1 if wanted else 0

    return program.apply("charindex", strict(function), t.INT, needle, hay, start)


def _substring(value: str, start: int, length: int) -> str:
    if length < 0:
        raise errors.error(537)
    end = start - 1 + length
    return value[max(start - 1, 0) : max(end, 0)]


def _left(value: str, length: int) -> str:
    return _substring(value, 1, length)


def _right(value: str, length: int) -> str:
    return value[-length:] if length > 0 else ""


def _concat(separated: bool) -> Compile:
    def compile_(program: Program, values: list[Bound]) -> Bound:
        inputs = [text(program, value) for value in values]
        kind = operators.concatenated_type(*[bound.type for bound in inputs])

        def function(_: Runtime, *parts: Stored) -> Stored:
            if separated:
                mark, *rest = parts
                return operators.bounded(str(mark or "").join(str(part) for part in rest if part is not None))
            return operators.bounded("".join(str(part) for part in parts if part is not None))

        return program.apply("concat_ws" if separated else "concat", function, kind, *inputs)

    return compile_


def _quotename(program: Program, values: list[Bound]) -> Bound:
    inputs = [program.convert(value, t.nvarchar(258)) for value in values]
    pairs = {"[": "]", "]": "]", "(": ")", ")": ")", "<": ">", ">": "<", "{": "}", "}": "}"}

    def function(value: str, mark: str = "[") -> Stored:
        opening = {"]": "[", ")": "(", ">": "<", "}": "{"}.get(mark[:1], mark[:1])
        closing = pairs.get(opening, opening)
        return None if len(value) > 128 else opening + value.replace(closing, closing * 2) + closing

    return program.apply("quotename", strict(function), t.nvarchar(258), *inputs)


def _stuff(program: Program, values: list[Bound]) -> Bound:
    value, new = text(program, values[0]), text(program, values[3])
    start, length = (program.convert(bound, t.BIGINT) for bound in values[1:3])

    def function(old: str, first: int, count: int, insert: str) -> Stored:
        if first < 1 or first > len(old) or count < 0:
            return None
        return operators.bounded(old[: first - 1] + insert + old[first - 1 + count :])

    kind = operators.concatenated_type(value.type, new.type)
    return program.apply("stuff", strict(function), kind, value, start, length, new)


def _character(label: str, kind: SqlType, function: Callable[[int], Stored]) -> Compile:
    def compile_(program: Program, values: list[Bound]) -> Bound:
        return program.apply(label, strict(function), kind, program.convert(values[0], t.INT))

    return compile_


# Numbers


def _absolute(program: Program, values: list[Bound]) -> Bound:
    kind = values[0].type
    if kind.name in t.DECIMALS:
        return program.apply(
            "abs d", strict(lambda v: t.encode_decimal(t.decode_decimal(v).copy_abs())), kind, values[0]
        )
    number = values[0] if kind.name in t.NUMBERS else program.convert(values[0], t.FLOAT)
    return program.apply("abs", strict(lambda v: abs(v)), number.type, number)


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
            return t.encode_decimal(exact(t.decode_decimal(str(value)), places, cutting))
        rounded = exact(Decimal(repr(value)), places, cutting)
        return int(rounded) if kind.name in t.INTEGERS else float(rounded)

    return program.apply(f"round {kind.name}", strict(function), kind, number, digits, cut)


def _float(label: str, function: Callable[..., float]) -> Compile:
    def compute(*values: float) -> float:
        try:
            return function(*values)
        except (ValueError, OverflowError):
            raise errors.error(3623) from None

    def compile_(program: Program, values: list[Bound]) -> Bound:
        return program.apply(label, strict(compute), t.FLOAT, *[program.convert(value, t.FLOAT) for value in values])

    return compile_


def _isnumeric(program: Program, values: list[Bound]) -> Bound:
    if values[0].type.name in t.NUMBERS:
        return program.apply("isnumeric n", lambda _, v: int(v is not None), t.INT, values[0])
    number = program.convert(text(program, values[0]), t.FLOAT, explicit=True, safe=True)
    return program.apply("isnumeric", lambda _, v: int(v is not None), t.INT, number)


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
    "LEN": (1, 1, _measure("len", lambda v: utf16_length(v.rstrip(" ")))),
    "DATALENGTH": (1, 1, _datalength),
    "LOWER": (1, 1, _string("lower", collation.lower)),
    "UPPER": (1, 1, _string("upper", collation.upper)),
    "LTRIM": (1, 1, _string("ltrim", lambda v: v.lstrip(" "))),
    "RTRIM": (1, 1, _string("rtrim", lambda v: v.rstrip(" "))),
    "TRIM": (1, 1, _string("trim", lambda v: v.strip(" "))),
    "REVERSE": (1, 1, _string("reverse", lambda v: v[::-1])),
    "LEFT": (2, 2, _string("left", _left)),
    "RIGHT": (2, 2, _string("right", _right)),
    "SUBSTRING": (3, 3, _string("substring", _substring)),
    "REPLICATE": (2, 2, _replicate),
    "SPACE": (1, 1, _character("space", t.varchar(8000), lambda n: " " * min(n, 8000) if n >= 0 else None)),
    "REPLACE": (3, 3, _replace),
    "CHARINDEX": (2, 3, _charindex),
    "CONCAT": (2, 254, _concat(separated=False)),
    "CONCAT_WS": (3, 254, _concat(separated=True)),
    "QUOTENAME": (1, 2, _quotename),
    "STUFF": (4, 4, _stuff),
    "NCHAR": (
        1,
        1,
        _character(
            "nchar", t.SqlType("nchar", 1), lambda n: chr(n) if 0 <= n < 0xD800 or 0xDFFF < n < 0x10000 else None
        ),
    ),
    "CHAR": (1, 1, _character("char", t.SqlType("char", 1), lambda n: chr(n) if 0 <= n < 256 else None)),
    "UNICODE": (1, 1, _measure("unicode", lambda v: ord(v[0]) if v else None)),
    "ASCII": (1, 1, _measure("ascii", lambda v: v.encode("cp1252", "replace")[0] if v else None)),
    "ABS": (1, 1, _absolute),
    "CEILING": (1, 1, _whole("ceiling", "ROUND_CEILING", math.ceil)),
    "FLOOR": (1, 1, _whole("floor", "ROUND_FLOOR", math.floor)),
    "ROUND": (2, 3, _round),
    "SQRT": (1, 1, _float("sqrt", math.sqrt)),
    "POWER": (2, 2, _float("power", math.pow)),
    "EXP": (1, 1, _float("exp", math.exp)),
    "LOG": (1, 1, _float("log", math.log)),
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
