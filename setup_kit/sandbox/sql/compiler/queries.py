"""SELECT: sources, grouping, ordering, set operations, compiled to one SQLite query."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler import common_tables, sources
from setup_kit.sandbox.sql.compiler.bound import Bound, wider
from setup_kit.sandbox.sql.compiler.compiler import Compiler, refuse_windows
from setup_kit.sandbox.sql.compiler.expressions import Expressions
from setup_kit.sandbox.sql.compiler.operators import collated
from setup_kit.sandbox.sql.compiler.row_counts import count_of_rows, share_of_rows
from setup_kit.sandbox.sql.compiler.scope import Compiled, Scope, Source
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.tds.tokens import Column
from setup_kit.sandbox.sql.values import types as t


class Queries(Expressions):
    """The whole compiler of a statement on data."""

    def common_tables(self, node: exp.Expr, scope: Scope) -> str:
        return common_tables.compile_clause(self, node, scope)

    def query(self, node: exp.Expr, scope: Scope | None = None, *, for_exists: bool = False) -> Compiled:
        """A SELECT or a set operation, with its WITH clause."""
        inner = Scope(scope)
        prefix = self.common_tables(node, inner)
        if isinstance(node, exp.Subquery):
            return self.query(node.unnest(), inner)
        if isinstance(node, exp.SetOperation):
            found = _set_operation(self, node, inner)
        elif isinstance(node, exp.Select):
            found = _select(self, node, inner, for_exists=for_exists)
        else:
            raise errors.incorrect_syntax(node.key.upper())
        return Compiled(prefix + found.sql, found.columns)


# SELECT

_REFUSED_CLAUSES = (("laterals", "APPLY"), ("windows", "WINDOW"))


def _select(compiler: Compiler, node: exp.Select, scope: Scope, *, for_exists: bool = False) -> Compiled:
    for argument, name in _REFUSED_CLAUSES:
        if node.args.get(argument):
            raise unsupported.refused(name)
    if node.args.get("for_"):
        raise unsupported.refused(f"FOR {node.args['for_'].args.get('kind') or 'XML'}")
    source = node.args.get("from_") or node.args.get("from")
    text = f" FROM {sources.add_source(compiler, source.this, scope)}" if source is not None else ""
    for item in node.args.get("joins") or ():
        text += sources.join(compiler, item, scope)
    sources.refuse_same_names(scope)
    if node.args.get("where") is not None:
        refuse_windows(node.args["where"])
        text += f" WHERE {compiler.condition(node.args['where'].this, scope)}"
        if scope.uses_aggregates:
            raise errors.error(147)
    groups, group_text = _group_by(compiler, node, scope)
    scope.ungrouped.clear()
    outputs = _outputs(compiler, node, scope, for_exists=for_exists)
    having, plain = "", not scope.uses_aggregates and not groups
    if node.args.get("having") is not None:
        refuse_windows(node.args["having"])
        scope.uses_aggregates = True
        having = f" HAVING {compiler.condition(node.args['having'].this, scope)}"
    order = _order_by(compiler, node, scope, outputs)
    if scope.uses_aggregates or groups:
        _check_grouped(scope, groups, outputs)
    distinct = "DISTINCT " if node.args.get("distinct") else ""
    listed = ", ".join(f"{bound.sql}{collated(bound.type) if distinct else ''}" for _, bound in outputs)
    columns = tuple(Column(name, bound.type, bound.nullable, bound.identity) for name, bound in outputs)
    body = f"{text}{group_text}{having}"
    if having and plain:  # to SQLite a HAVING without GROUP BY needs an aggregate before it
        names = [f"c{number}" for number in range(1, len(columns) + 1)]
        counted = Compiled(f"SELECT {listed}, count(*){body}", columns).named(*names, "n")
        return Compiled(f"SELECT {', '.join(names)} FROM ({counted})", columns)  # noqa: S608 - compiled
    if _top_option(node, "with_ties"):
        return _with_ties(compiler, node, scope, Compiled(f"{listed}{body}", columns), order)
    whole = f"SELECT {distinct}{listed}{body}{order}"
    if _top_option(node, "percent"):
        return Compiled(_top_percent(compiler, node, scope, whole), columns)
    return Compiled(whole + _limit(compiler, node, scope), columns)


def _top_option(node: exp.Expr, name: str) -> bool:
    limit = node.args.get("limit")
    options = limit.args.get("limit_options") if limit is not None else None
    return options is not None and bool(options.args.get(name))


def _top_percent(compiler: Compiler, node: exp.Expr, scope: Scope, query: str) -> str:
    share = share_of_rows(compiler, node.args["limit"].expression, scope)
    count = f"(SELECT CAST(ceil(count(*) * {share.sql} / 100.0) AS INTEGER) FROM ({query}))"  # noqa: S608 - compiled
    return f"SELECT * FROM ({query}) LIMIT {count}"  # noqa: S608 - compiled


def _with_ties(compiler: Compiler, node: exp.Expr, scope: Scope, query: Compiled, order: str) -> Compiled:
    """TOP … WITH TIES: as far as the rank reaches. `query` without its SELECT."""
    if not order:
        raise errors.error(1062)
    if _top_option(node, "percent"):
        raise unsupported.refused("TOP PERCENT WITH TIES")
    count = count_of_rows(compiler, node.args["limit"].expression, scope)
    names = [f"c{number}" for number in range(1, len(query.columns) + 1)]
    ranked = Compiled(f"SELECT rank() OVER ({order.strip()}), {query.sql}", query.columns).named("place", *names)
    text = f"SELECT {', '.join(names)} FROM ({ranked}) WHERE place <= {count.sql} ORDER BY place"  # noqa: S608
    return Compiled(text, query.columns)


def _outputs(compiler: Compiler, node: exp.Select, scope: Scope, *, for_exists: bool) -> list[tuple[str, Bound]]:
    outputs: list[tuple[str, Bound]] = []
    for item in node.expressions:
        if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
            if for_exists:
                outputs.append(("", Bound("1", t.INT)))
                continue
            qualifier = fold(item.table) if isinstance(item, exp.Column) else ""
            outputs += _star(scope, qualifier)
            continue
        name, value = item.alias, item
        if isinstance(item, exp.Alias):
            value = item.this
        elif isinstance(item, exp.EQ) and isinstance(item.this, (exp.Column, exp.Literal, exp.National)):
            name, value = item.this.name, item.expression  # the old form: alias = expression
        if isinstance(value, exp.EQ) or (isinstance(item, exp.EQ) and isinstance(item.this, exp.Parameter)):
            raise errors.incorrect_syntax("=")
        bound = compiler.value(value, scope)
        if bound.undeclared:
            bound = compiler.program.convert(bound, t.nvarchar(4000))
        outputs.append((name or (bound.name if isinstance(value, exp.Column) else ""), bound))
    return outputs


def _star(scope: Scope, qualifier: str) -> list[tuple[str, Bound]]:
    found = [source for source in scope.sources if not qualifier or fold(source.alias) == qualifier]
    if not found:
        raise errors.error(263)
    outputs = [(name, bound) for source in found for name, bound in source.columns]
    scope.ungrouped += [(bound.sql, name) for name, bound in outputs]
    return outputs


def _group_by(compiler: Compiler, node: exp.Select, scope: Scope) -> tuple[list[str], str]:
    clause = node.args.get("group")
    if clause is None:
        return [], ""
    if any(clause.args.get(name) for name in ("rollup", "cube", "grouping_sets", "totals")):
        raise unsupported.refused("GROUP BY ROLLUP, CUBE or GROUPING SETS")
    if any(isinstance(item, (exp.Rollup, exp.Cube, exp.GroupingSets)) for item in clause.expressions):
        raise unsupported.refused("GROUP BY ROLLUP, CUBE or GROUPING SETS")
    bounds = [compiler.value(item, scope) for item in clause.expressions]
    text = ", ".join(f"{bound.sql}{collated(bound.type)}" for bound in bounds)
    return [bound.sql for bound in bounds], f" GROUP BY {text}"


def _check_grouped(scope: Scope, groups: list[str], outputs: list[tuple[str, Bound]]) -> None:
    """8120 for a column that is neither grouped nor in an aggregate."""
    whole = {bound.sql for _, bound in outputs} & set(groups)
    for text, name in scope.ungrouped:
        if text not in groups and not any(text in group for group in whole):
            source, _, column = name.rpartition(".")
            raise errors.error(8120, source, column)


def _order_by(compiler: Compiler, node: exp.Expr, scope: Scope, outputs: list[tuple[str, Bound]]) -> str:
    clause = node.args.get("order")
    if clause is None:
        return ""
    names = {fold(name): bound for name, bound in reversed(outputs) if name}
    listed = {bound.sql for _, bound in outputs}
    keys = []
    for place, item in enumerate(clause.expressions, 1):
        target = item.this
        if isinstance(target, exp.Literal) and not target.is_string and target.name.isdigit():
            position = int(target.name)
            if not 1 <= position <= len(outputs):
                raise errors.error(108, position)
            bound = outputs[position - 1][1]
        elif isinstance(target, exp.Column) and not target.table and fold(target.name) in names:
            bound = names[fold(target.name)]
        elif isinstance(target, (exp.Literal, exp.National)):
            raise errors.error(408, place)
        else:
            bound = compiler.value(target, scope)
            if node.args.get("distinct") and bound.sql not in listed:
                raise errors.error(104 if isinstance(node, exp.SetOperation) else 145)
        if bound.slot is not None:
            continue  # a constant orders nothing, and SQLite would take it for a position
        keys.append(f"{bound.sql}{collated(bound.type)}{' DESC' if item.args.get('desc') else ''}")
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def _limit(compiler: Compiler, node: exp.Expr, scope: Scope) -> str:
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if limit is None and offset is None:
        return ""
    if offset is not None and node.args.get("order") is None:
        raise errors.incorrect_syntax("OFFSET")
    if offset is not None and isinstance(limit, exp.Limit):
        raise errors.error(10741)
    text = " LIMIT -1"
    if isinstance(limit, exp.Fetch):
        text = f" LIMIT {count_of_rows(compiler, limit.args.get('count'), scope, least=1, error=10744).sql}"
    elif limit is not None:
        text = f" LIMIT {count_of_rows(compiler, limit.expression, scope).sql}"
    if offset is not None:
        text += f" OFFSET {count_of_rows(compiler, offset.expression, scope, error=10742).sql}"
    return text


def _set_operation(compiler: Compiler, node: exp.SetOperation, scope: Scope) -> Compiled:
    left = compiler.query(_operand(node.this), scope)
    right = compiler.query(_operand(node.expression), scope)
    if len(left.columns) != len(right.columns):
        raise errors.error(205)
    word = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}[type(node)]
    everything = word == "UNION" and not node.args.get("distinct")
    kinds = [wider(a.type, b.type) for a, b in zip(left.columns, right.columns, strict=True)]
    columns = tuple(
        Column(a.name, kind, a.nullable or b.nullable)
        for a, b, kind in zip(left.columns, right.columns, kinds, strict=True)
    )
    sides = [_side(compiler, side, kinds, collate=not everything) for side in (left, right)]
    text = f"SELECT * FROM ({sides[0]}) {word}{' ALL' if everything else ''} SELECT * FROM ({sides[1]})"  # noqa: S608
    names = [f"c{number}" for number in range(1, len(columns) + 1)]
    compiler.sources += 1
    label = f"s{compiler.sources}"
    outputs = [
        (column.name, Bound(f"{label}.{name}", column.type, column.nullable, name=column.name))
        for name, column in zip(names, columns, strict=True)
    ]
    order = _order_by(compiler, node, Scope(scope, [Source(label, tuple(outputs))]), outputs)
    limit = _limit(compiler, node, scope)
    body = f"SELECT * FROM ({Compiled(text, columns).named(*names)}) AS {label}{order}{limit}"  # noqa: S608 - compiled
    return Compiled(body, columns)


def _operand(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Subquery) and not node.args.get("with_") else node


def _side(compiler: Compiler, side: Compiled, kinds: Sequence[t.SqlType], *, collate: bool) -> str:
    """One side of a set operation with its columns converted to the common types."""
    names = [f"c{number}" for number in range(1, len(kinds) + 1)]
    texts = []
    for name, column, kind in zip(names, side.columns, kinds, strict=True):
        text = compiler.program.convert(Bound(f'"x".{name}', column.type), kind).sql
        texts.append(text + (collated(kind) if collate else ""))
    return f'WITH "x"({", ".join(names)}) AS ({side.sql}) SELECT {", ".join(texts)} FROM "x"'  # noqa: S608
