"""Expressions and conditions of T-SQL, compiled to SQLite with their types."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler import aggregates, functions, operators
from setup_kit.sandbox.sql.compiler.bound import UNDECLARED, Bound, Runtime, common_type
from setup_kit.sandbox.sql.compiler.compiler import Compiler, refuse_order
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.language import cursor
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.values import code_page
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored
from setup_kit.sandbox.sql.values.units import utf16_length

_COMPARISONS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_ARITHMETIC: Mapping[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_BITWISE: Mapping[type[exp.Expr], str] = {exp.BitwiseAnd: "&", exp.BitwiseOr: "|", exp.BitwiseXor: "^"}
_TYPE_NAMES = {
    "UUID": "uniqueidentifier", "UTINYINT": "tinyint", "DOUBLE": "float", "TIMESTAMPTZ": "datetimeoffset",
    "VARIANT": "sql_variant", "BOOLEAN": "bit", "TEXT": "varchar(max)", "ROWVERSION": "rowversion",
    "TIMESTAMP": "datetime2", "IMAGE": "image",
}  # fmt: skip


_NUMBER = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WHOLE_NUMBER = re.compile("[0-9]{1,9}")


class Expressions(Compiler):
    """Compiles the expressions of a statement."""

    # Values

    def value(self, node: exp.Expr | None, scope: Scope) -> Bound:
        if node is None:
            raise errors.incorrect_syntax(")")
        kind = type(node)
        compile_ = self._VALUES.get(kind)
        if compile_ is not None:
            return compile_(self, node, scope)
        if kind in _ARITHMETIC:
            left, right = self.value(node.this, scope), self.value(node.expression, scope)
            left, right = self._beside(node.this, left, right), self._beside(node.expression, right, left)
            return operators.arithmetic(self.program, _ARITHMETIC[kind], left, right)
        if kind in _BITWISE:
            left, right = self.value(node.this, scope), self.value(node.expression, scope)
            return operators.bitwise(self.program, _BITWISE[kind], left, right)
        if isinstance(node, exp.Query):
            return self._subquery(node, scope)
        if kind in _COMPARISONS or isinstance(node, (exp.And, exp.Or, exp.Not, exp.Predicate)):
            raise errors.incorrect_syntax(node.sql(dialect="tsql")[:60])
        if isinstance(node, exp.Boolean):  # T-SQL has no such literal: it is the name of a column
            raise errors.invalid_column("true" if node.this else "false")
        raise _refused(node)

    def _column(self, node: exp.Expr, scope: Scope) -> Bound:
        assert isinstance(node, exp.Column)  # noqa: S101 - tells the type checker
        identifier = node.this
        if isinstance(identifier, exp.Star):
            raise errors.incorrect_syntax("*")
        if not node.table and not identifier.args.get("quoted") and identifier.name.upper() in functions.BARE:
            return functions.call(self, identifier.name.upper(), [], scope)
        return scope.column(identifier.name, node.table, node.args.get("db"))

    def _beside(self, node: exp.Expr, bound: Bound, other: Bound) -> Bound:
        """A whole number that is written beside a decimal has no more digits than it shows: 1.0 / 3 is 0.333333."""
        if bound.type != t.INT or not isinstance(node, exp.Literal) or other.type.name not in ("decimal", "numeric"):
            return bound
        digits = node.name.lstrip("0") or "0"
        return self.program.constant(
            t.encode_scaled(int(digits), 0), t.SqlType("numeric", precision=max(len(digits), 1))
        )

    def _literal(self, node: exp.Expr, scope: Scope) -> Bound:
        text = node.name
        if node.args.get("is_string"):
            text = text if text.isascii() else code_page.decode(code_page.encode(text))
            return self.program.constant(text, t.varchar(_literal_length(text, 8000)))
        if not _NUMBER.fullmatch(text):
            raise errors.incorrect_syntax(text)
        if "e" in text.lower():
            if math.isinf(number := float(text)):
                raise errors.error(168, text, 8)
            return self.program.constant(number, t.FLOAT)
        if "." not in text:
            digits = len(text.lstrip("0"))
            if digits > 38:
                raise errors.number_out_of_range(text)
            number = int(text.lstrip("0") or "0")
            if number < 2**31:
                return self.program.constant(number, t.INT)
            return self.program.constant(t.encode_scaled(number, 0), t.SqlType("numeric", precision=digits))
        whole, _, fraction = text.partition(".")
        precision = max(len(whole.lstrip("0")) + len(fraction), 1)
        if precision > 38:
            raise errors.number_out_of_range(text)
        kind = t.SqlType("numeric", precision=precision, scale=len(fraction))
        return self.program.constant(t.encode_scaled(int((whole or "0") + fraction), len(fraction)), kind)

    def _national(self, node: exp.Expr, scope: Scope) -> Bound:
        return self.program.constant(node.name, t.nvarchar(_literal_length(node.name, 4000)))

    def _hex(self, node: exp.Expr, scope: Scope) -> Bound:
        digits = node.name if len(node.name) % 2 == 0 else "0" + node.name
        value = bytes.fromhex(digits)
        return self.program.constant(value, t.varbinary(max(1, len(value)) if len(value) <= 8000 else MAX))

    def _null(self, node: exp.Expr, scope: Scope) -> Bound:
        return self.program.from_slot(lambda _: None, t.INT, null=True)

    def _parameter(self, node: exp.Expr, scope: Scope) -> Bound:
        inner = node.this
        if isinstance(inner, exp.Parameter):
            return functions.system_variable(self.program, inner.name)
        name = fold(inner.name)
        kind = self.variables.get(name)
        if kind is None:
            if not self.describe:
                raise errors.undeclared_variable(f"@{inner.name}")
            placeholder = self.program.place(lambda _: None)
            return Bound(placeholder, UNDECLARED, slot=lambda _: None, undeclared=inner.name)
        self.program.typed_variables[name] = kind
        return self.program.from_slot(lambda runtime: runtime.variables[name], kind)

    def _paren(self, node: exp.Expr, scope: Scope) -> Bound:
        return self.value(node.this, scope)

    def _negative(self, node: exp.Expr, scope: Scope) -> Bound:
        return operators.negate(self.program, self.value(node.this, scope))

    def _bitwise_not(self, node: exp.Expr, scope: Scope) -> Bound:
        value = self.value(node.this, scope)
        if value.type.name not in t.INTEGERS:
            raise errors.operator_refused("'~'", value.type.name)
        if value.type.name == "bit":
            return self.program.apply("~ bit", lambda _, a: None if a is None else 1 - a, value.type, value)
        top = t.INTEGERS["tinyint"][1] if value.type.name == "tinyint" else -1
        return self.program.apply(f"~ {value.type}", lambda _, a: None if a is None else a ^ top, value.type, value)

    def _case(self, node: exp.Expr, scope: Scope) -> Bound:
        self.program.branches += 1
        try:
            return self._case_branches(node, scope)
        finally:
            self.program.branches -= 1

    def _case_branches(self, node: exp.Expr, scope: Scope) -> Bound:
        branches = []
        for branch in node.args["ifs"]:
            if node.this is None:
                condition = self.condition(branch.this, scope)
            else:
                condition = operators.compare(
                    self.program, "=", self.value(node.this, scope), self.value(branch.this, scope)
                )
            branches.append((condition, self.value(branch.args["true"], scope)))
        default = node.args.get("default")
        otherwise = self.value(default, scope) if default is not None else self._null(node, scope)
        return operators.choose(self.program, branches, otherwise)

    def _cast(self, node: exp.Expr, scope: Scope) -> Bound:
        target = data_type(node.args["to"], in_cast=True)
        safe = isinstance(node, exp.TryCast)
        return self.program.convert(self.value(node.this, scope), target, explicit=True, safe=safe)

    def _convert(self, node: exp.Expr, scope: Scope) -> Bound:
        """sqlglot puts the type in `this` and the value in `expression`."""
        target = data_type(node.this, in_cast=True)
        style = 0
        written = node.args.get("style")
        if written is not None:
            if not isinstance(written, exp.Literal) or not _WHOLE_NUMBER.fullmatch(written.name):
                raise unsupported.refused("CONVERT with a style that is not a number")
            style = int(written.name)
        value = self.value(node.expression, scope)
        return self.program.convert(value, target, explicit=True, style=style, safe=bool(node.args.get("safe")))

    def _function(self, node: exp.Expr, scope: Scope) -> Bound:
        name = str(node.this).upper()
        if name in aggregates.NAMES:
            return aggregates.call(self, name, node.expressions, scope)
        return functions.call(self, name, node.expressions, scope)

    def _window(self, node: exp.Expr, scope: Scope) -> Bound:
        return aggregates.window(self, node, scope)

    def _extract(self, node: exp.Expr, scope: Scope) -> Bound:
        return functions.call(self, "DATEPART", [exp.column(node.this.name), node.expression], scope)

    def _collate(self, node: exp.Expr, scope: Scope) -> Bound:
        name = node.expression.name.upper()
        if name not in ("SQL_LATIN1_GENERAL_CP1_CI_AS", "DATABASE_DEFAULT", "CATALOG_DEFAULT"):
            raise unsupported.refused("COLLATE", node.expression.name)
        return self.value(node.this, scope)

    def _dot(self, node: exp.Expr, scope: Scope) -> Bound:
        if isinstance(node.expression, exp.Anonymous):
            owner = node.this.name.lower()
            if owner == "sys":
                return functions.call(self, str(node.expression.this).upper(), node.expression.expressions, scope)
            raise errors.error(4121, node.this.name, f"{node.this.name}.{node.expression.this}")
        raise errors.unbound_identifier(node.sql(dialect="tsql"))

    def _group_concat(self, node: exp.Expr, scope: Scope) -> Bound:
        return aggregates.string_agg(self, node, scope)

    def _subquery(self, node: exp.Expr, scope: Scope) -> Bound:
        query = node.unnest() if isinstance(node, exp.Subquery) else node
        found = self.query(refuse_order(query), scope)
        if len(found.columns) != 1:
            raise errors.error(116)
        kind = found.columns[0].type
        if _gives_one_row(query):
            return Bound(f"({found.sql})", kind)
        # Two rows of the query are enough to tell that it has more than one.
        checked = self.program.apply(f"single {kind}", _single, kind, Bound('"s".v', kind), Bound('"s".n', t.BIGINT))
        rows = f"SELECT v, count(*) OVER () AS n FROM ({found.named('v')} LIMIT 2)"  # noqa: S608 - compiled
        return Bound(f'(SELECT {checked.sql} FROM ({rows}) AS "s" LIMIT 1)', kind)  # noqa: S608 - compiled

    # Conditions

    def condition(self, node: exp.Expr | None, scope: Scope) -> str:
        """A predicate, as SQLite text that gives 1, 0 or NULL."""
        if node is None:
            raise errors.incorrect_syntax(")")
        kind = type(node)
        if kind in _COMPARISONS:
            if isinstance(node.expression, (exp.Any, exp.All)):
                raise unsupported.refused("ALL, ANY or SOME")
            left, right = self.value(node.this, scope), self.value(node.expression, scope)
            return operators.compare(self.program, _COMPARISONS[kind], left, right)
        match node:
            case exp.Paren():
                return f"({self.condition(node.this, scope)})"
            case exp.And() | exp.Or():
                return self._chain(node, scope)
            case exp.Not():
                return f"(NOT {self.condition(node.this, scope)})"
            case exp.Is():
                if not isinstance(node.expression, exp.Null):
                    raise errors.incorrect_syntax("IS")
                return f"({self.value(node.this, scope).sql} IS NULL)"
            case exp.Exists():
                return self._exists(node, scope)
            case exp.In():
                return self._in(node, scope)
            case exp.Between():
                low = exp.GTE(this=node.this, expression=node.args["low"])
                high = exp.LTE(this=node.this.copy(), expression=node.args["high"])
                return f"({self.condition(low, scope)} AND {self.condition(high, scope)})"
            case exp.Like():
                return self._like(node, None, scope)
            case exp.Escape() if isinstance(node.this, exp.Like):
                return self._like(node.this, node.expression, scope)
        raise errors.error(4145, node.sql(dialect="tsql")[:40])

    def _chain(self, node: exp.Expr, scope: Scope) -> str:
        """`a OR b OR …`, which may be long: without a call for each member."""
        kind, members = type(node), []
        while isinstance(node, kind):
            members.append(node.expression)
            node = node.this
        texts = [self.condition(member, scope) for member in [node, *reversed(members)]]
        return f"({(' AND ' if kind is exp.And else ' OR ').join(texts)})"

    def _exists(self, node: exp.Exists, scope: Scope) -> str:
        query = node.this.unnest() if isinstance(node.this, exp.Subquery) else node.this
        return f"EXISTS ({self.query(refuse_order(query), scope, for_exists=True).sql})"

    def _in(self, node: exp.In, scope: Scope) -> str:
        left = self.value(node.this, scope)
        query = node.args.get("query")
        if query is not None:
            found = self.query(refuse_order(query.unnest()), scope)
            if len(found.columns) != 1:
                raise errors.error(116)
            kind = common_type(left, Bound("", found.columns[0].type))
            inner = operators.comparable(self.program, Bound('"q"."v"', found.columns[0].type), kind)
            left = operators.comparable(self.program, left, kind)
            return f"({left.sql}{operators.collated(kind)} IN (SELECT {inner.sql} FROM ({found.named('v')}) AS q))"  # noqa: S608 - compiled
        values = [self.value(item, scope) for item in node.expressions]
        kind = common_type(left, *values)
        listed = ", ".join(operators.comparable(self.program, value, kind).sql for value in values)
        left = operators.comparable(self.program, left, kind)
        return f"({left.sql}{operators.collated(kind)} IN ({listed}))"

    def _like(self, node: exp.Like, escape: exp.Expr | None, scope: Scope) -> str:
        text = t.nvarchar(MAX)
        value, pattern = self.value(node.this, scope), self.value(node.expression, scope)
        mark = self.value(escape, scope) if escape is not None else self._null(node, scope)
        national = not t.NATIONAL.isdisjoint((value.type.name, pattern.type.name))
        inputs = [self.program.convert(bound, text) for bound in (value, pattern, mark)]
        function = operators.like_national if national else operators.like
        return self.program.apply("like national" if national else "like", function, t.BIT, *inputs).sql

    _VALUES: Mapping[type[exp.Expr], Callable[[Expressions, exp.Expr, Scope], Bound]] = {
        exp.Column: _column,
        exp.Literal: _literal,
        exp.National: _national,
        exp.HexString: _hex,
        exp.Null: _null,
        exp.Parameter: _parameter,
        exp.Paren: _paren,
        exp.Neg: _negative,
        exp.BitwiseNot: _bitwise_not,
        exp.Case: _case,
        exp.Cast: _cast,
        exp.TryCast: _cast,
        exp.Convert: _convert,
        exp.Anonymous: _function,
        exp.Window: _window,
        exp.Extract: _extract,
        exp.Collate: _collate,
        exp.Dot: _dot,
        exp.GroupConcat: _group_concat,
        exp.Subquery: _subquery,
        exp.CurrentUser: lambda self, node, scope: functions.call(self, "CURRENT_USER", [], scope),
        exp.SessionUser: lambda self, node, scope: functions.call(self, "SESSION_USER", [], scope),
        exp.CurrentTimestamp: lambda self, node, scope: functions.call(self, "GETDATE", [], scope),
    }


def _single(_: Runtime, value: Stored, rows: Stored) -> Stored:
    if rows != 1:
        raise errors.error(512)
    return value


def _gives_one_row(query: exp.Expr) -> bool:
    """True for a SELECT without FROM, and for aggregates over all rows."""
    if not isinstance(query, exp.Select) or query.args.get("group") or query.args.get("limit"):
        return False
    if not (query.args.get("from_") or query.args.get("from")):
        return True
    item = query.expressions[0].unalias()
    return isinstance(item, exp.Anonymous) and str(item.this).upper() in aggregates.NAMES


def _literal_length(text: str, limit: int) -> int:
    """In UTF-16 units, as many as there are bytes of the code page."""
    length = utf16_length(text)
    return max(1, length) if length <= limit else MAX


_NAMES: Mapping[type[exp.Expr], str] = {exp.AtTimeZone: "AT TIME ZONE", exp.NextValueFor: "NEXT VALUE FOR"}


def _refused(node: exp.Expr) -> errors.SqlError:
    """For an expression that only sqlglot knows, and not T-SQL: 102."""
    name = _NAMES.get(type(node))
    return unsupported.refused(name) if name else errors.incorrect_syntax(node.sql(dialect="tsql")[:60])


def data_type(node: exp.Expr, *, in_cast: bool = False) -> SqlType:
    """The type that sqlglot read; a string or binary type without a length has 30 in CAST."""
    if not isinstance(node, exp.DataType):
        raise errors.unknown_type(1, node.sql(dialect="tsql"))
    if node.this == exp.DataType.Type.USERDEFINED:
        name = str(node.args.get("kind") or "").strip('[]"').lower()
        name, _, facets_text = name.partition("(")
        return cursor.make_type(name, [int(f) for f in facets_text.rstrip(")").split(",") if f.strip().isdigit()])
    written = node.this.value if hasattr(node.this, "value") else str(node.this)
    name = _TYPE_NAMES.get(written, written.lower())
    facets = []
    for facet in node.expressions:
        inner = facet.this
        facets.append(MAX if inner.name.upper() == "MAX" else int(inner.name))
    if name == "varchar(max)":
        return t.varchar(MAX)
    if in_cast and name in t.SIZED and not facets:
        facets = [30]
    return cursor.make_type(name, facets)
