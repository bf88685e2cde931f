"""How many rows: the numbers of TOP, OFFSET and FETCH."""

from __future__ import annotations

from sqlglot import exp

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound, Runtime
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored


def count_of_rows(
    compiler: Compiler, node: exp.Expr | None, scope: Scope, *, least: int = 0, error: int = 127
) -> Bound:
    """The number of TOP, OFFSET or FETCH: 1060 for what is no integer, `error` for less than `least`."""
    bound = compiler.value(node, scope)
    if not bound.undeclared and (bound.null or bound.type.name not in t.INTEGERS or bound.type == t.BIT):
        raise errors.error(1060)

    def check(_: Runtime, rows: Stored) -> Stored:
        if rows is None:
            raise errors.error(1060)
        if int(rows) < least:
            raise errors.error(error)
        return rows

    count = compiler.program.convert(bound, t.BIGINT, explicit=True)
    return compiler.program.apply(f"rows {error}", check, t.BIGINT, count)


def share_of_rows(compiler: Compiler, node: exp.Expr | None, scope: Scope) -> Bound:
    """The number of TOP … PERCENT; 1031 outside 0 to 100."""

    def check(_: Runtime, share: Stored) -> Stored:
        if share is None or not 0 <= float(share) <= 100:
            raise errors.error(1031)
        return share

    share = compiler.program.convert(compiler.value(node, scope), t.FLOAT, explicit=True)
    return compiler.program.apply("percent", check, t.FLOAT, share)
