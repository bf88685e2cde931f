"""SELECT: sources, grouping, ordering, set operations, compiled to one SQLite query."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from setup_kit.sandbox.sql import errors, parser, system_views
from setup_kit.sandbox.sql import statements as s
from setup_kit.sandbox.sql import types as t
from setup_kit.sandbox.sql.bound import Bound, Slot, SystemRows, common_type, wider
from setup_kit.sandbox.sql.catalog import DatabaseObject, fold
from setup_kit.sandbox.sql.expressions import Expressions
from setup_kit.sandbox.sql.operators import collated
from setup_kit.sandbox.sql.tokens import Column


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query's text and the columns it gives."""

    sql: str
    columns: tuple[Column, ...]

    def named(self, *names: str) -> str:
        """The query with its columns under these names."""
        return f'WITH "named"({", ".join(names)}) AS ({self.sql}) SELECT * FROM "named"'  # noqa: S608 - compiled


@dataclass(frozen=True)
class Source:
    """A table, view or subquery in FROM, under its alias."""

    alias: str
    columns: tuple[tuple[str, Bound], ...]
    object: DatabaseObject | None = None
    schema: str = ""


@dataclass
class Scope:
    """What names mean at one place: the sources here, and around it those of the enclosing query."""

    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    common: dict[str, Compiled] = field(default_factory=dict)
    uses_aggregates: bool = False
    ungrouped: list[tuple[str, str]] = field(default_factory=list)  # text and name of columns outside aggregates
    _depth: int = 0

    @contextlib.contextmanager
    def inside_aggregate(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def column(self, name: str, table: str = "", schema: exp.Expr | None = None) -> Bound:
        """207, 209 or 4104 when the name does not stand for exactly one column."""
        wanted, qualifier = fold(name), fold(table)
        found: list[tuple[Source, Bound]] = []
        known_source = False
        for source in self.sources:
            if qualifier and not self._is_called(source, qualifier, schema):
                continue
            known_source = True
            found += [(source, bound) for label, bound in source.columns if fold(label) == wanted]
        if len(found) > 1:
            raise errors.ambiguous_column(name)
        if found:
            source, bound = found[0]
            if not self._depth:
                self.ungrouped.append((bound.sql, f"{source.alias}.{bound.name}"))
            return bound
        if self.parent is not None and not (qualifier and known_source):
            return self.parent.column(name, table, schema)
        if qualifier and not known_source:
            raise errors.unbound_identifier(f"{table}.{name}")
        raise errors.invalid_column(name)

    @staticmethod
    def _is_called(source: Source, qualifier: str, schema: exp.Expr | None) -> bool:
        if schema is not None:
            return (
                source.object is not None
                and fold(source.object.name) == qualifier
                and source.schema == fold(schema.name)
            )
        return fold(source.alias) == qualifier

    def common_table(self, name: str) -> Compiled | None:
        found = self.common.get(fold(name))
        return found if found is not None else (self.parent.common_table(name) if self.parent else None)


def compile_query(
    compiler: Expressions, node: exp.Expr, scope: Scope | None = None, *, for_exists: bool = False
) -> Compiled:
    """A SELECT or a set operation, with its WITH clause."""
    inner = Scope(scope)
    prefix = _with(compiler, node, inner)
    if isinstance(node, exp.Subquery):
        return compile_query(compiler, node.unnest(), inner)
    if isinstance(node, exp.SetOperation):
        found = _set_operation(compiler, node, inner)
    elif isinstance(node, exp.Select):
        found = _select(compiler, node, inner, for_exists=for_exists)
    else:
        raise errors.unsupported(node.key.upper())
    return Compiled(prefix + found.sql, found.columns)


def _with(compiler: Expressions, node: exp.Expr, scope: Scope) -> str:
    clause = node.args.get("with_") or node.args.get("with")
    if clause is None:
        return ""
    if clause.args.get("recursive"):
        raise errors.unsupported("recursive common table expression")
    parts = []
    for item in clause.expressions:
        found = compile_query(compiler, item.this, scope)
        names = [column.name for column in item.args["alias"].columns] or [column.name for column in found.columns]
        if len(names) != len(found.columns):
            raise errors.SqlError(
                8158, f"'{item.alias}' has more columns than were specified in the column list.", ends_batch=True
            )
        compiler.sources += 1
        table = f"w{compiler.sources}"
        physical = ", ".join(f"c{index}" for index in range(1, len(names) + 1))
        parts.append(f"{table}({physical}) AS ({found.sql})")
        columns = tuple(
            Column(name, column.type, column.nullable) for name, column in zip(names, found.columns, strict=True)
        )
        scope.common[fold(item.alias)] = Compiled(table, columns)
    return f"WITH {', '.join(parts)} "


# FROM


def table_parts(node: exp.Table) -> tuple[str, str]:
    """Schema ("" when left out) and name of a table; 40515 for one in another database."""
    if node.args.get("catalog"):
        raise errors.other_database(".".join(part.name for part in node.parts))
    return node.db, node.name


def find_table(compiler: Expressions, schema: str, name: str) -> DatabaseObject | None:
    """A table or view by name: in the user's default schema, then in dbo, when no schema is given."""
    for candidate in [schema] if schema else [compiler.default_schema, "dbo"]:
        found = compiler.catalog.object(candidate, name)
        if found is not None:
            return found
    return None


def add_source(compiler: Expressions, node: exp.Expr, scope: Scope) -> str:
    """Bring a source into scope; gives its text for FROM."""
    if isinstance(node, exp.Table):
        text = _table(compiler, node, scope)
    elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
        text = add_source(compiler, node.this, scope)
    elif isinstance(node, exp.Subquery):
        found = compile_query(compiler, node.this, Scope(scope.parent, common=scope.common))
        text = _derived(compiler, found, node.args.get("alias"), scope)
    elif isinstance(node, exp.Values):
        text = _derived(compiler, _values(compiler, node, scope), node.args.get("alias"), scope)
    else:
        raise errors.unsupported(f"{node.key.upper()} in FROM")
    for join in node.args.get("joins") or ():
        text += _join(compiler, join, scope)
    return text


def _table(compiler: Expressions, node: exp.Table, scope: Scope) -> str:
    for argument in ("pivots", "sample", "version", "laterals"):
        if node.args.get(argument):
            raise errors.unsupported(argument.upper().removesuffix("S"))
    compiler.sources += 1
    label = f"s{compiler.sources}"
    if isinstance(node.this, exp.Anonymous):
        return _system_function(compiler, node, scope, label)
    schema, name = table_parts(node)
    alias = node.alias or name
    common = None if schema else scope.common_table(name)
    if common is not None:
        columns = _bound_columns(common.columns, [f"{label}.c{n}" for n in range(1, len(common.columns) + 1)])
        scope.sources.append(Source(alias, columns))
        return f"{common.sql} AS {label}"
    view = system_views.find(schema, name)
    if view is not None:
        return _system_rows(compiler, view, (), alias, scope, label)
    found = find_table(compiler, schema, name)
    if found is None or found.kind not in ("U", "V"):
        raise errors.invalid_object(f"{schema}.{name}" if schema else name)
    compiler.demand("SELECT", found)
    if found.kind == "V":
        return _view(compiler, found, alias, scope, label)
    columns = tuple(
        (c.name, Bound(f"{label}.{c.physical}", c.type, c.nullable, name=c.name, identity=c.identity is not None))
        for c in found.columns
    )
    scope.sources.append(Source(alias, columns, found, fold(compiler.catalog.schemas[found.schema_id].name)))
    return f"main.{found.physical} AS {label}"


def _bound_columns(columns: Sequence[Column], texts: Sequence[str]) -> tuple[tuple[str, Bound], ...]:
    return tuple(
        (column.name, Bound(text, column.type, column.nullable, name=column.name))
        for column, text in zip(columns, texts, strict=True)
    )


def _view(compiler: Expressions, found: DatabaseObject, alias: str, scope: Scope, label: str) -> str:
    """A view's query in its place. Who may select from the view may read what its owner lets it show."""
    statement = parser.parse_batch(found.definition or "")[0]
    assert isinstance(statement, s.CreateView)  # noqa: S101 - nothing else is kept as a view's definition
    with compiler.on_behalf_of(compiler.catalog.schemas[found.schema_id].name):
        inner = compile_query(compiler, statement.query)
    names = [column.name for column in found.columns]
    columns = tuple(Column(name, c.type, c.nullable) for name, c in zip(names, inner.columns, strict=True))
    scope.sources.append(
        Source(alias, _bound_columns(columns, [f"{label}.c{n}" for n in range(1, len(names) + 1)]), found,
               fold(compiler.catalog.schemas[found.schema_id].name))
    )  # fmt: skip
    return f"({inner.named(*[f'c{n}' for n in range(1, len(names) + 1)])}) AS {label}"


def _system_function(compiler: Expressions, node: exp.Table, scope: Scope, label: str) -> str:
    function = node.this
    name = str(function.this)
    view = system_views.find_function(node.db, name)
    if view is None:
        raise errors.invalid_object(name)
    arguments = [compiler.program.convert(compiler.value(a, scope), t.nvarchar(776)) for a in function.expressions]
    if len(arguments) != view.arguments:
        raise errors.SqlError(
            313 if len(arguments) < view.arguments else 8144,
            f"An insufficient number of arguments were supplied for the procedure or function {name}."
            if len(arguments) < view.arguments
            else f"Procedure or function {name} has too many arguments specified.",
            ends_batch=True,
        )
    slots = [argument.slot for argument in arguments]
    if any(slot is None for slot in slots):
        raise errors.unsupported(f"{name} of a column")
    known = tuple(slot for slot in slots if slot is not None)
    return _system_rows(compiler, view, known, node.alias or name, scope, label)


def _system_rows(
    compiler: Expressions, view: system_views.SystemView, arguments: tuple[Slot, ...], alias: str,
    scope: Scope, label: str,
) -> str:  # fmt: skip
    table = f"{view.table}_{label}" if arguments else view.table
    compiler.program.system_rows.append(SystemRows(table, view.key, arguments))
    texts = [f"{label}.c{number}" for number in range(1, len(view.columns) + 1)]
    scope.sources.append(Source(alias, _bound_columns(view.columns, texts), schema=view.schema))
    return f"temp.{table} AS {label}"


def _derived(compiler: Expressions, found: Compiled, alias: exp.Expr | None, scope: Scope) -> str:
    if not isinstance(alias, exp.TableAlias) or not alias.name:
        raise errors.incorrect_syntax(")")
    names = [column.name for column in alias.columns] or [column.name for column in found.columns]
    if len(names) != len(found.columns):
        raise errors.SqlError(
            8158, f"'{alias.name}' has more columns than were specified in the column list.", ends_batch=True
        )
    for number, name in enumerate(names, 1):
        if not name:
            raise errors.SqlError(
                8155, f"No column name was specified for column {number} of '{alias.name}'.", ends_batch=True
            )
    compiler.sources += 1
    label = f"s{compiler.sources}"
    physical = [f"c{number}" for number in range(1, len(names) + 1)]
    columns = tuple(Column(name, c.type, c.nullable) for name, c in zip(names, found.columns, strict=True))
    scope.sources.append(Source(alias.name, _bound_columns(columns, [f"{label}.{name}" for name in physical])))
    return f"({found.named(*physical)}) AS {label}"


def _values(compiler: Expressions, node: exp.Values, scope: Scope) -> Compiled:
    """The rows of VALUES as a source."""
    rows = [[compiler.value(item, Scope(scope.parent)) for item in row.expressions] for row in node.expressions]
    if len({len(row) for row in rows}) != 1:
        raise errors.SqlError(
            10709, "The number of columns for each row in a table value constructor must be the same.", ends_batch=True
        )
    kinds = []
    for column in zip(*rows, strict=True):
        kinds.append(common_type(*column))
    texts = []
    for row in rows:
        converted = [compiler.program.convert(value, kind).sql for value, kind in zip(row, kinds, strict=True)]
        texts.append(f"({', '.join(converted)})")
    return Compiled(f"VALUES {', '.join(texts)}", tuple(Column("", kind) for kind in kinds))


def _join(compiler: Expressions, join: exp.Join, scope: Scope) -> str:
    side, kind = str(join.args.get("side") or "").upper(), str(join.args.get("kind") or "").upper()
    if isinstance(join.this, exp.Lateral) or "APPLY" in kind:
        raise errors.unsupported("APPLY")
    before = len(scope.sources)
    text = add_source(compiler, join.this, scope)
    for index, source in enumerate(scope.sources):
        if side == "FULL" or (side == "LEFT" and index >= before) or (side == "RIGHT" and index < before):
            columns = tuple((name, replace(bound, nullable=True)) for name, bound in source.columns)
            scope.sources[index] = replace(source, columns=columns)
    condition = join.args.get("on")
    if condition is None:
        if side or kind in ("INNER", "OUTER"):
            raise errors.incorrect_syntax("JOIN")
        return f" CROSS JOIN {text}"
    return f" {side + ' ' if side else ''}JOIN {text} ON {compiler.condition(condition, scope)}"


# SELECT


def _select(compiler: Expressions, node: exp.Select, scope: Scope, *, for_exists: bool = False) -> Compiled:
    for argument, name in (
        ("into", "SELECT INTO"),
        ("for_", "FOR"),
        ("laterals", "APPLY"),
        ("qualify", "QUALIFY"),
        ("windows", "WINDOW"),
    ):
        if node.args.get(argument):
            raise errors.unsupported(name)
    source = node.args.get("from_") or node.args.get("from")
    text = f" FROM {add_source(compiler, source.this, scope)}" if source is not None else ""
    for join in node.args.get("joins") or ():
        text += _join(compiler, join, scope)
    if node.args.get("where") is not None:
        text += f" WHERE {compiler.condition(node.args['where'].this, scope)}"
    groups, group_text = _group_by(compiler, node, scope)
    scope.ungrouped.clear()
    outputs = _outputs(compiler, node, scope, for_exists=for_exists)
    having = ""
    if node.args.get("having") is not None:
        scope.uses_aggregates = True
        having = f" HAVING {compiler.condition(node.args['having'].this, scope)}"
    order = _order_by(compiler, node, scope, outputs)
    if scope.uses_aggregates or groups:
        _check_grouped(scope, groups, outputs)
    distinct = "DISTINCT " if node.args.get("distinct") else ""
    listed = ", ".join(f"{bound.sql}{collated(bound.type) if distinct else ''}" for _, bound in outputs)
    columns = tuple(Column(name, bound.type, bound.nullable, bound.identity) for name, bound in outputs)
    return Compiled(
        f"SELECT {distinct}{listed}{text}{group_text}{having}{order}{_limit(compiler, node, scope)}", columns
    )


def _outputs(compiler: Expressions, node: exp.Select, scope: Scope, *, for_exists: bool) -> list[tuple[str, Bound]]:
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
            raise errors.unsupported("SELECT @variable = value")
        bound = compiler.value(value, scope)
        if bound.undeclared:
            bound = compiler.program.convert(bound, t.nvarchar(4000))
        outputs.append((name or (bound.name if isinstance(value, exp.Column) else ""), bound))
    return outputs


def _star(scope: Scope, qualifier: str) -> list[tuple[str, Bound]]:
    found = [source for source in scope.sources if not qualifier or fold(source.alias) == qualifier]
    if not found:
        raise errors.SqlError(263, "Must specify table to select from.", ends_batch=True)
    outputs = [(name, bound) for source in found for name, bound in source.columns]
    scope.ungrouped += [(bound.sql, name) for name, bound in outputs]
    return outputs


def _group_by(compiler: Expressions, node: exp.Select, scope: Scope) -> tuple[list[str], str]:
    clause = node.args.get("group")
    if clause is None:
        return [], ""
    if any(clause.args.get(name) for name in ("rollup", "cube", "grouping_sets", "totals")):
        raise errors.unsupported("GROUP BY ROLLUP, CUBE or GROUPING SETS")
    bounds = [compiler.value(item, scope) for item in clause.expressions]
    text = ", ".join(f"{bound.sql}{collated(bound.type)}" for bound in bounds)
    return [bound.sql for bound in bounds], f" GROUP BY {text}"


def _check_grouped(scope: Scope, groups: list[str], outputs: list[tuple[str, Bound]]) -> None:
    """8120 for a column that is neither grouped nor in an aggregate."""
    whole = {bound.sql for _, bound in outputs} & set(groups)
    for text, name in scope.ungrouped:
        if text not in groups and not any(text in group for group in whole):
            raise errors.SqlError(
                8120, f"Column '{name}' is invalid in the select list because it is not contained in either an "
                "aggregate function or the GROUP BY clause.", ends_batch=True,
            )  # fmt: skip


def _order_by(compiler: Expressions, node: exp.Expr, scope: Scope, outputs: list[tuple[str, Bound]]) -> str:
    clause = node.args.get("order")
    if clause is None:
        return ""
    names = {fold(name): bound for name, bound in reversed(outputs) if name}
    keys = []
    for item in clause.expressions:
        target = item.this
        if isinstance(target, exp.Literal) and not target.is_string and target.name.isdigit():
            position = int(target.name)
            if not 1 <= position <= len(outputs):
                raise errors.SqlError(
                    108, f"The ORDER BY position number {position} is out of range of the number of items in the "
                    "select list.", ends_batch=True,
                )  # fmt: skip
            bound = outputs[position - 1][1]
        elif isinstance(target, exp.Column) and not target.table and fold(target.name) in names:
            bound = names[fold(target.name)]
        else:
            bound = compiler.value(target, scope)
        if bound.slot is not None:
            continue  # a constant orders nothing, and SQLite would take it for a position
        keys.append(f"{bound.sql}{collated(bound.type)}{' DESC' if item.args.get('desc') else ''}")
    return f" ORDER BY {', '.join(keys)}" if keys else ""


def _limit(compiler: Expressions, node: exp.Expr, scope: Scope) -> str:
    limit, offset = node.args.get("limit"), node.args.get("offset")
    count = None
    if isinstance(limit, exp.Limit):
        count = limit.expression
    elif isinstance(limit, exp.Fetch):
        count = limit.args.get("count")
    options = limit.args.get("limit_options") if limit is not None else None
    if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
        raise errors.unsupported("TOP PERCENT or WITH TIES")
    if limit is None and offset is None:
        return ""
    text = " LIMIT -1"
    if count is not None:
        text = f" LIMIT {compiler.program.convert(compiler.value(count, scope), t.BIGINT, explicit=True).sql}"
    if offset is not None:
        text += (
            f" OFFSET {compiler.program.convert(compiler.value(offset.expression, scope), t.BIGINT, explicit=True).sql}"
        )
    return text


def _set_operation(compiler: Expressions, node: exp.SetOperation, scope: Scope) -> Compiled:
    left = compile_query(compiler, _operand(node.this), scope)
    right = compile_query(compiler, _operand(node.expression), scope)
    if len(left.columns) != len(right.columns):
        raise errors.SqlError(
            205, "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of "
            "expressions in their target lists.", ends_batch=True,
        )  # fmt: skip
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


def _side(compiler: Expressions, side: Compiled, kinds: Sequence[t.SqlType], *, collate: bool) -> str:
    """One side of a set operation with its columns converted to the common types."""
    names = [f"c{number}" for number in range(1, len(kinds) + 1)]
    texts = []
    for name, column, kind in zip(names, side.columns, kinds, strict=True):
        text = compiler.program.convert(Bound(f'"x".{name}', column.type), kind).sql
        texts.append(text + (collated(kind) if collate else ""))
    return f'WITH "x"({", ".join(names)}) AS ({side.sql}) SELECT {", ".join(texts)} FROM "x"'  # noqa: S608
