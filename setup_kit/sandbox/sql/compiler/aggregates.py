"""Aggregates and window functions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler.bound import Bound, Runtime
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.operators import collated, finite, within_money
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.values import collation
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

NAMES = frozenset({"COUNT", "COUNT_BIG", "SUM", "AVG", "MIN", "MAX"})
_RANKINGS = {"ROW_NUMBER": "row_number()", "RANK": "rank()", "DENSE_RANK": "dense_rank()"}


class DecimalSum:
    """SUM of decimals, exact. SQLite calls it for each row of a group."""

    def __init__(self) -> None:
        self.total = Decimal(0)
        self.count = 0

    def step(self, value: str | None) -> None:
        if value is not None:
            self.total = t.EXACT.add(self.total, t.decode_decimal(value))
            self.count += 1

    def finalize(self) -> str | None:
        return t.encode_decimal(self.total) if self.count else None


class DecimalAverage(DecimalSum):
    """AVG of decimals, with 38 digits behind the point: the caller cuts them to its scale."""

    def finalize(self) -> str | None:
        if not self.count:
            return None
        mean = t.EXACT.divide(self.total, Decimal(self.count)).quantize(Decimal(1).scaleb(-38), context=t.EXACT)
        return t.encode_decimal(mean)


def register(connection: sqlite3.Connection) -> None:
    connection.create_aggregate("tsql_sum", 1, DecimalSum)  # type: ignore[arg-type]
    connection.create_aggregate("tsql_avg", 1, DecimalAverage)  # type: ignore[arg-type]


def call(compiler: Compiler, name: str, arguments: Sequence[exp.Expr], scope: Scope, over: str = "") -> Bound:
    """An aggregate over a group, or over a window when `over` is the text of its OVER clause."""
    scope.uses_aggregates = scope.uses_aggregates or not over
    if len(arguments) != 1:
        raise errors.error(174, name.lower(), 1)
    argument = arguments[0]
    result = t.BIGINT if name == "COUNT_BIG" else t.INT
    if isinstance(argument, exp.Star):
        if name not in ("COUNT", "COUNT_BIG"):
            raise errors.incorrect_syntax("*")
        return Bound(f"count(*){over}", result, nullable=False)
    distinct = ""
    if isinstance(argument, exp.Distinct):
        distinct, argument = "DISTINCT ", argument.expressions[0]
    if not over and any(_is_aggregate(part) or isinstance(part, exp.Query) for part in argument.walk()):
        raise errors.error(130)
    with scope.inside_aggregate():
        value = compiler.value(argument, scope)
    text = f"{distinct}{value.sql}{collated(value.type)}"
    if name in ("COUNT", "COUNT_BIG"):
        return Bound(f"count({text}){over}", result, nullable=False)
    kind = value.type
    if name in ("MIN", "MAX"):
        if kind.name == "bit":
            raise errors.operator_refused(name.lower(), "bit")
        return Bound(f"{name.lower()}({text}){over}", kind)
    if kind.name not in t.NUMBERS or kind.name == "bit":
        raise errors.operator_refused(name.lower(), kind.name)
    return _total(compiler, name, text, kind, over)


def _is_aggregate(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and str(node.this).upper() in NAMES


def _total(compiler: Compiler, name: str, text: str, kind: SqlType, over: str) -> Bound:
    """SUM and AVG, whose type is wider than that of what they add."""
    if kind.name in t.FLOATS:
        found = Bound(f"{name.lower()}({text}){over}", t.FLOAT)
        return compiler.program.converted(found, t.FLOAT, _finite, "total float")
    if kind.name in t.DECIMALS:
        if over:
            raise unsupported.refused("aggregate OVER of a decimal", name)
        scale = t.decimal_facets(kind)[1]
        if kind.name in ("money", "smallmoney"):
            result = SqlType("money")
        else:
            result = t.decimal(38, scale if name == "SUM" else max(scale, 6))
        raw = Bound(f"tsql_{name.lower()}({text})", t.decimal(38, scale if name == "SUM" else 38))
        return compiler.program.converted(raw, result, _cut_to(result), f"total {result}")
    result = t.BIGINT if kind.name == "bigint" else t.INT
    total = f"sum({text}){over}" if name == "SUM" else f"(sum({text}){over} / count({text}){over})"
    return compiler.program.converted(Bound(total, t.BIGINT), result, _within(result), f"total {result}")


def _finite(value: Stored) -> Stored:
    return finite(float(value))  # type: ignore[arg-type]  # totals of floats are floats


def _cut_to(kind: SqlType):  # type: ignore[no-untyped-def]
    scale = t.decimal_facets(kind)[1]

    def cut(value: Stored) -> Stored:
        exact = t.decode_decimal(str(value)).quantize(Decimal(1).scaleb(-scale), rounding="ROUND_DOWN", context=t.EXACT)
        if len(exact.as_tuple().digits) > 38:
            raise errors.arithmetic_overflow("expression", "numeric")
        found = t.encode_decimal(exact)
        return within_money(kind, found) if kind.name in t.MONEY_RANGES else found

    return cut


def _within(kind: SqlType):  # type: ignore[no-untyped-def]
    low, high = t.INTEGERS[kind.name]

    def check(value: Stored) -> Stored:
        if not isinstance(value, int) or not low <= value <= high:
            raise errors.arithmetic_overflow("expression", kind.name)
        return value

    return check


def string_agg(compiler: Compiler, node: exp.Expr, scope: Scope) -> Bound:
    scope.uses_aggregates = True
    text = t.nvarchar(MAX)
    order = node.this if isinstance(node.this, exp.Order) else None
    with scope.inside_aggregate():
        value = compiler.program.convert(compiler.value(order.this if order else node.this, scope), text)
        separator = compiler.program.convert(compiler.value(node.args.get("separator"), scope), text)
        if order is not None:
            return _ordered_text(compiler, value, separator, order, scope)
    return Bound(f"group_concat({value.sql}, {separator.sql})", text)


def _sorting(index: int, *, strings: bool) -> Callable[[list[Any]], tuple[bool, Any]]:
    """The order of rows by one of their values: NULL first."""

    def key(row: list[Any]) -> tuple[bool, Any]:
        value = row[index]
        if value is None:
            return False, 0
        return True, collation.order_key(value) if strings else value

    return key


def _ordered_text(compiler: Compiler, value: Bound, separator: Bound, order: exp.Expr, scope: Scope) -> Bound:
    """STRING_AGG … WITHIN GROUP: SQLite gathers keys and values as JSON, and they are sorted when all are there."""
    keys = [(compiler.value(item.this, scope), bool(item.args.get("desc"))) for item in order.expressions]
    texts = [
        f"hex({key.sql})" if key.type.name in t.BINARIES or key.type.name == "uniqueidentifier" else key.sql
        for key, _ in keys
    ]

    def join(_: Runtime, gathered: Stored, mark: Stored) -> Stored:
        rows = [row for row in json.loads(str(gathered)) if row[-1] is not None]
        for index in range(len(keys) - 1, -1, -1):
            key, descending = keys[index]
            rows.sort(key=_sorting(index, strings=key.type.name in t.STRINGS), reverse=descending)
        return str(mark or "").join(row[-1] for row in rows) if rows else None

    gathered = Bound(f"json_group_array(json_array({', '.join([*texts, value.sql])}))", t.nvarchar(MAX))
    shape = " ".join(f"{key.type.name in t.STRINGS:d}{descending:d}" for key, descending in keys)
    return compiler.program.apply(f"string_agg {shape}", join, t.nvarchar(MAX), gathered, separator)


def window(compiler: Compiler, node: exp.Expr, scope: Scope) -> Bound:
    """`function() OVER (PARTITION BY … ORDER BY …)`."""
    if node.args.get("spec") is not None:
        raise unsupported.refused("window frame")
    parts = []
    partition = [compiler.value(item, scope) for item in node.args.get("partition_by") or ()]
    if partition:
        parts.append("PARTITION BY " + ", ".join(f"{item.sql}{collated(item.type)}" for item in partition))
    order = node.args.get("order")
    if order is not None:
        keys = []
        for item in order.expressions:
            constant = isinstance(item.this, (exp.Subquery, exp.Literal))
            key = Bound("NULL", t.INT) if constant else compiler.value(item.this, scope)
            keys.append(f"{key.sql}{collated(key.type)}{' DESC' if item.args.get('desc') else ''}")
        parts.append("ORDER BY " + ", ".join(keys))
    over = f" OVER ({' '.join(parts)})"
    function = node.this
    name = str(function.this).upper() if isinstance(function, exp.Anonymous) else function.key.upper()
    if name in NAMES and isinstance(function, exp.Anonymous):
        return call(compiler, name, function.expressions, scope, over)
    ranking = _RANKINGS.get(name)
    if ranking is None:
        raise unsupported.refused("function over a window", name)
    if order is None:
        raise errors.error(4112, name)
    return Bound(f"{ranking}{over}", t.BIGINT, nullable=False)
