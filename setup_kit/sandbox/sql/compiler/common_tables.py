"""Common table expressions: the WITH clause, and those that call themselves."""

from __future__ import annotations

import re

from sqlglot import exp

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound, Runtime
from setup_kit.sandbox.sql.compiler.compiler import Compiler, refuse_order
from setup_kit.sandbox.sql.compiler.scope import Compiled, Scope
from setup_kit.sandbox.sql.compiler.sources import check_names
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.tds.tokens import Column
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored


def compile_clause(compiler: Compiler, node: exp.Expr, scope: Scope) -> str:
    """The WITH clause of a statement, whose tables come into scope; "" when there is none."""
    clause = node.args.get("with_") or node.args.get("with")
    if clause is None:
        return ""
    parts = []
    for item in clause.expressions:
        compiler.sources += 1
        table = f"w{compiler.sources}"
        if _calls_itself(item.this, item.alias):
            parts.append(_recursive(compiler, item, table, scope))
            continue
        found = compiler.query(refuse_order(item.this), scope)
        columns = _columns(item, found)
        physical = ", ".join(f"c{index}" for index in range(1, len(columns) + 1))
        parts.append(f"{table}({physical}) AS ({found.sql})")
        scope.common[fold(item.alias)] = Compiled(table, columns)
    return f"WITH {', '.join(parts)} "


def _columns(item: exp.Expr, found: Compiled) -> tuple[Column, ...]:
    names = [column.name for column in item.args["alias"].columns] or [column.name for column in found.columns]
    if len(names) != len(found.columns):
        raise errors.error(8158, item.alias)
    check_names(names, item.alias)
    return tuple(Column(name, c.type, c.nullable) for name, c in zip(names, found.columns, strict=True))


def _calls_itself(node: exp.Expr, alias: str) -> bool:
    return isinstance(node, exp.Union) and any(
        fold(table.name) == fold(alias) and not table.db for table in node.find_all(exp.Table)
    )


def _recursive(compiler: Compiler, item: exp.Expr, table: str, scope: Scope) -> str:
    """`anchor UNION ALL query of itself`, each row with the number of calls that it took, for MAXRECURSION (530)."""
    members: list[exp.Expr] = []
    left = item.this
    while isinstance(left, exp.Union) and _calls_itself(left, item.alias):
        if left.args.get("distinct"):
            raise errors.error(252, item.alias)
        members.append(left.expression)
        left = left.this
    anchor = compiler.query(left, scope)
    columns = _columns(item, anchor)
    scope.common[fold(item.alias)] = Compiled(table, tuple(Column(c.name, c.type) for c in columns))
    numbers = ", ".join(f"c{index}" for index in range(1, len(columns) + 1))
    texts = [f"SELECT 0, {numbers} FROM ({anchor.named(*numbers.split(', '))})"]  # noqa: S608 - compiled
    for member in reversed(members):
        found = compiler.query(member, scope)
        for given, wanted in zip(found.columns, columns, strict=False):
            if given.type != wanted.type:
                raise errors.error(240, wanted.name, item.alias)
        if len(found.columns) != len(columns):
            raise errors.error(205)
        source = re.search(rf"\b{table} AS (s\d+)\b", found.sql)
        if source is None or not found.sql.startswith("SELECT "):
            raise errors.error(253, item.alias)
        level = _next_level(compiler, Bound(f"{source[1]}.level", t.INT))
        texts.append(f"SELECT {level}, {found.sql.removeprefix('SELECT ')}")
    return f"{table}(level, {numbers}) AS ({' UNION ALL '.join(texts)})"


def _next_level(compiler: Compiler, level: Bound) -> str:
    most = compiler.recursion

    def count(_: Runtime, value: Stored) -> Stored:
        number = int(value or 0) + 1
        if most and number > most:
            raise errors.error(530, most)
        return number

    return compiler.program.apply(f"recursion {most}", count, t.INT, level).sql
