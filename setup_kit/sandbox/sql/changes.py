"""INSERT, UPDATE, DELETE and MERGE, compiled: which rows, which values, which permissions.

Each becomes one query for the rows that change and their new values; `writes` then carries them out row by row, which
is where NOT NULL, keys and lengths are checked with SQL Server's errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from setup_kit.sandbox.sql import conversions, cursor, dialect, errors, queries
from setup_kit.sandbox.sql.bound import Bound, Program, Runtime, Slot
from setup_kit.sandbox.sql.catalog import Column, DatabaseObject, fold
from setup_kit.sandbox.sql.expressions import Expressions
from setup_kit.sandbox.sql.queries import Scope, Source
from setup_kit.sandbox.sql.types import SqlType, Stored


@dataclass(frozen=True)
class Target:
    """The table that changes; `shown` is schema.table as messages have it, `qualified` with the database before it."""

    table: DatabaseObject
    schema: str

    @property
    def shown(self) -> str:
        return f"{self.schema}.{self.table.name}"


@dataclass(frozen=True)
class Insert:
    """`rows` of values known beforehand, or a `query` that gives them. `columns` are those that get a value."""

    program: Program
    target: Target
    columns: tuple[Column, ...]
    rows: tuple[tuple[Slot, ...], ...] = ()
    query: str = ""
    filled: tuple[Slot, ...] = ()  # for `query`: the values of the last columns, which it does not give
    identity: Column | None = None


@dataclass(frozen=True)
class Update:
    """`query` gives rowid and the new values of `columns`."""

    program: Program
    target: Target
    columns: tuple[Column, ...]
    query: str


@dataclass(frozen=True)
class Delete:
    """`query` gives rowids; None for all rows."""

    program: Program
    target: Target
    query: str | None


@dataclass(frozen=True)
class MergeAction:
    """`kind`: INSERT, UPDATE or DELETE."""

    kind: str
    columns: tuple[Column, ...] = ()
    filled: tuple[Slot, ...] = ()
    identity: Column | None = None


@dataclass(frozen=True)
class Merge:
    """`query` gives rowid, the number of the action (from 1), then the values of every action one after another."""

    program: Program
    target: Target
    actions: tuple[MergeAction, ...]
    query: str


Change = Insert | Update | Delete | Merge


def compile_change(compiler: Expressions, tree: exp.Expr) -> Change:
    if tree.args.get("returning") is not None:
        raise errors.unsupported("OUTPUT clause")
    match tree:
        case exp.Insert():
            return _insert(compiler, tree)
        case exp.Update():
            return _update(compiler, tree)
        case exp.Delete():
            return _delete(compiler, tree)
        case exp.Merge():
            return _merge(compiler, tree)
    raise errors.unsupported_statement(tree.key.upper())


def find_target(compiler: Expressions, node: exp.Expr) -> Target:
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        raise errors.unsupported(f"{node.key.upper()} as a target")
    schema, name = queries.table_parts(node)
    if fold(schema) in ("sys", "information_schema"):
        raise errors.SqlError(259, "Ad hoc updates to system catalogs are not allowed.")
    found = queries.find_table(compiler, schema, name)
    if found is None:
        raise errors.invalid_object(f"{schema}.{name}" if schema else name)
    if found.kind != "U":
        raise errors.unsupported("change through a view")
    return Target(found, compiler.catalog.schemas[found.schema_id].name)


def assigned(compiler: Expressions, target: Target, column: Column, node: exp.Expr, scope: Scope) -> Bound:
    """The value of an expression, as the column takes it.

    A variable alone is converted by the type it has when the statement runs: clients declare the same parameter with
    another length each time, and the statement need not be compiled again for that.
    """
    if isinstance(node, exp.Parameter) and isinstance(node.this, exp.Var):
        name = fold(node.this.name)
        if name in compiler.variables:
            intake = compiler.intakes.get(column.id)
            if intake is None:
                intake = compiler.intakes[column.id] = Intake(compiler.database_name, target, column)
            return compiler.program.from_slot(_Given(name, intake), column.type)
    return column_value(compiler, target, column, compiler.value(node, scope))


class Intake:
    """How values of whatever type come into a column."""

    __slots__ = ("_column", "_known", "_table")

    def __init__(self, database: str, target: Target, column: Column) -> None:
        self._table = f"{database}.{target.shown}"
        self._column = column
        self._known: dict[SqlType, conversions.Converter | None] = {}

    def take(self, value: Stored, kind: SqlType) -> Stored:
        if kind not in self._known:
            if len(self._known) > 256:
                self._known.clear()
            column = self._column
            self._known[kind] = conversions.column_converter(kind, column.type, self._table, column.name)
        convert = self._known[kind]
        return value if value is None or convert is None else convert(value)


class _Given:
    """The slot of a variable that goes into a column. There are many of these: they are kept small."""

    __slots__ = ("_intake", "_name")

    def __init__(self, name: str, intake: Intake) -> None:
        self._name = name
        self._intake = intake

    def __call__(self, runtime: Runtime) -> Stored:
        return self._intake.take(runtime.variables[self._name], runtime.variable_types[self._name])


def column_value(compiler: Expressions, target: Target, column: Column, value: Bound) -> Bound:
    """`value` as the column takes it: converted, and refused when it is too long (2628)."""
    program = compiler.program
    if value.undeclared or value.null:
        return program.convert(value, column.type)
    table = f"{compiler.database_name}.{target.shown}"
    convert = conversions.column_converter(value.type, column.type, table, column.name)
    return program.converted(
        value, column.type, convert, f"{value.type} into {target.table.id} {column.id} {column.name}"
    )


def default_slot(compiler: Expressions, target: Target, column: Column) -> Slot:
    """The value of a column that is left out: its DEFAULT, or NULL."""
    if column.default_text is None:
        return lambda _: None
    tokens = cursor.Cursor(column.default_text).tokens
    node = dialect.parse_expression(tokens, column.default_text)
    compiler.program.volatile = True
    bound = column_value(compiler, target, column, compiler.value(node, Scope()))
    compiler.program.volatile = False
    if bound.slot is None:
        raise errors.unsupported(f"DEFAULT {column.default_text}")
    return bound.slot


def _named_columns(target: Target, names: Sequence[str]) -> list[Column]:
    found: list[Column] = []
    for name in names:
        column = target.table.columns_by_name.get(fold(name))
        if column is None:
            raise errors.invalid_column(name)
        if column in found:
            raise errors.SqlError(
                264, f"The column name '{name}' is specified more than once in the SET clause or column list of an "
                "INSERT. A column cannot be assigned more than one value in the same clause.", ends_batch=True,
            )  # fmt: skip
        if column.identity is not None:
            raise errors.SqlError(
                544, f"Cannot insert explicit value for identity column in table '{target.table.name}' when "
                "IDENTITY_INSERT is set to OFF.", ends_batch=True,
            )  # fmt: skip
        found.append(column)
    return found


def _rest(
    compiler: Expressions, target: Target, columns: Sequence[Column]
) -> tuple[list[Column], tuple[Slot, ...], Column | None]:
    """Columns that an INSERT leaves out, with their values, and the identity column, numbered as rows are written."""
    rest = [c for c in target.table.columns if c not in columns and c.identity is None]
    rest = [c for c in rest if c.default_text is not None or not c.nullable]
    identity = next((c for c in target.table.columns if c.identity is not None), None)
    return rest, tuple(default_slot(compiler, target, column) for column in rest), identity


def _insert(compiler: Expressions, tree: exp.Insert) -> Insert:
    into, names = tree.this, None
    if isinstance(into, exp.Schema):
        into, names = into.this, [item.name for item in into.expressions]
    target = find_target(compiler, into)
    compiler.demand("INSERT", target.table)
    if names is None:
        columns = [column for column in target.table.columns if column.identity is None]
    else:
        columns = _named_columns(target, names)
    rest, filled, identity = _rest(compiler, target, columns)
    every = (*columns, *rest)
    source = tree.expression
    if tree.args.get("default"):
        columns_left = [c for c in target.table.columns if c.identity is None]
        row = tuple(default_slot(compiler, target, column) for column in columns_left)
        return Insert(compiler.program, target, tuple(columns_left), rows=(row,), identity=identity)
    if isinstance(source, exp.Values):
        _check_counts(source, len(columns), named=names is not None)
        return _insert_values(compiler, target, columns, every, filled, identity, source)
    prefix = tree.args.get("with_") or tree.args.get("with")
    if prefix is not None:
        source.set("with_", prefix)
    query = queries.compile_query(compiler, source)
    if len(query.columns) != len(columns):
        raise _count_error(len(query.columns), len(columns), named=names is not None)
    physical = [f"c{number}" for number in range(1, len(columns) + 1)]
    values = [
        column_value(compiler, target, column, Bound(f'"n".{name}', given.type)).sql
        for column, name, given in zip(columns, physical, query.columns, strict=True)
    ]
    text = f'SELECT {", ".join(values)} FROM ({query.named(*physical)}) AS "n"'  # noqa: S608 - compiled
    return Insert(compiler.program, target, every, query=text, filled=filled, identity=identity)


def _insert_values(
    compiler: Expressions, target: Target, columns: list[Column], every: tuple[Column, ...],
    filled: tuple[Slot, ...], identity: Column | None, source: exp.Values,
) -> Insert:  # fmt: skip
    if len(source.expressions) > 1000:
        raise errors.SqlError(
            10738, "The number of row value expressions in the INSERT statement exceeds the maximum allowed number of "
            "1000 row values.", 15, ends_batch=True,
        )  # fmt: skip
    rows: list[tuple[Slot, ...]] = []
    texts: list[str] = []
    compiler.program.volatile = True
    for row in source.expressions:
        items = row.expressions if isinstance(row, exp.Tuple) else [row]
        bounds = []
        for column, item in zip(columns, items, strict=True):
            if isinstance(item, exp.Var) and item.name.upper() == "DEFAULT":
                slot = default_slot(compiler, target, column)
                compiler.program.volatile = True
                bounds.append(compiler.program.from_slot(slot, column.type))
            else:
                bounds.append(assigned(compiler, target, column, item, Scope()))
        slots = [bound.slot for bound in bounds]
        known = tuple(slot for slot in slots if slot is not None)
        if len(known) == len(slots):
            rows.append(known + filled)
        texts.append(f"SELECT {', '.join(bound.sql for bound in bounds)}")
    compiler.program.volatile = False
    if len(rows) == len(texts):
        return Insert(compiler.program, target, every, rows=tuple(rows), identity=identity)
    return Insert(compiler.program, target, every, query=" UNION ALL ".join(texts), filled=filled, identity=identity)


def _check_counts(source: exp.Values, wanted: int, *, named: bool) -> None:
    for row in source.expressions:
        given = len(row.expressions) if isinstance(row, exp.Tuple) else 1
        if given != wanted:
            raise _count_error(given, wanted, named=named)


def _count_error(given: int, wanted: int, *, named: bool) -> errors.SqlError:
    if not named:
        return errors.column_count_mismatch()
    few = given < wanted
    comparison = "more" if few else "fewer"
    return errors.SqlError(
        109 if few else 110,
        f"There are {comparison} columns in the INSERT statement than values specified in the VALUES "  # noqa: S608 - prose
        "clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT "
        "statement.",
        15,
        ends_batch=True,
    )


def _find_rows(compiler: Expressions, tree: exp.Expr, node: exp.Expr, scope: Scope) -> tuple[Target, str, str]:
    """The target of an UPDATE or DELETE, its label in the query, and the text of FROM."""
    source = tree.args.get("from_") or tree.args.get("from") or tree.args.get("using_from")
    text = ""
    if source is not None:
        text = queries.add_source(compiler, source.this, scope)
        for found in scope.sources:
            if found.object is not None and found.object.kind == "U" and _is_target(compiler, found, node):
                schema = compiler.catalog.schemas[found.object.schema_id].name
                label = found.columns[0][1].sql.partition(".")[0]
                return Target(found.object, schema), label, text
    target = find_target(compiler, node)
    compiler.sources += 1
    label = f"s{compiler.sources}"
    columns = tuple(
        (c.name, Bound(f"{label}.{c.physical}", c.type, c.nullable, name=c.name)) for c in target.table.columns
    )
    alias = node.alias or target.table.name
    scope.sources.append(Source(alias, columns, target.table, fold(target.schema)))
    own = f"main.{target.table.physical} AS {label}"
    return target, label, f"{own} CROSS JOIN {text}" if text else own


def _is_target(compiler: Expressions, source: Source, node: exp.Expr) -> bool:
    if not isinstance(node, exp.Table):
        return False
    if fold(source.alias) == fold(node.name) and not node.db:
        return True
    found = queries.find_table(compiler, node.db, node.name)
    return found is not None and found is source.object


def _where(compiler: Expressions, tree: exp.Expr, scope: Scope) -> str:
    clause = tree.args.get("where")
    return f" WHERE {compiler.condition(clause.this, scope)}" if clause is not None else ""


def _assignments(
    compiler: Expressions, target: Target, items: Sequence[exp.Expr], scope: Scope
) -> tuple[list[Column], list[str]]:
    columns: list[Column] = []
    values: list[str] = []
    for item in items:
        if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
            raise errors.unsupported("SET @variable = column")
        column = target.table.columns_by_name.get(fold(item.this.name))
        if column is None:
            raise errors.invalid_column(item.this.name)
        if column.identity is not None:
            raise errors.SqlError(8102, f"Cannot update identity column '{column.name}'.", ends_batch=True)
        if column in columns:
            raise errors.SqlError(
                264, f"The column name '{column.name}' is specified more than once in the SET clause or column list of "
                "an INSERT. A column cannot be assigned more than one value in the same clause.", ends_batch=True,
            )  # fmt: skip
        columns.append(column)
        if isinstance(item.expression, exp.Var) and item.expression.name.upper() == "DEFAULT":
            values.append(compiler.program.place(default_slot(compiler, target, column)))
        else:
            values.append(assigned(compiler, target, column, item.expression, scope).sql)
    return columns, values


def _update(compiler: Expressions, tree: exp.Update) -> Update:
    scope = Scope()
    _common_tables_refused(tree)
    target, label, text = _find_rows(compiler, tree, tree.this, scope)
    compiler.demand("UPDATE", target.table)
    columns, values = _assignments(compiler, target, tree.expressions, scope)
    where = _where(compiler, tree, scope)
    if scope.ungrouped:
        compiler.demand("SELECT", target.table)
    group = f" GROUP BY {label}.rowid" if len(scope.sources) > 1 else ""
    query = f"SELECT {label}.rowid, {', '.join(values)} FROM {text}{where}{group}"  # noqa: S608 - compiled
    return Update(compiler.program, target, tuple(columns), query)


def _delete(compiler: Expressions, tree: exp.Delete) -> Delete:
    scope = Scope()
    _common_tables_refused(tree)
    listed = tree.args.get("tables")
    node = listed[0] if listed else tree.this
    if listed and tree.this:
        tree = tree.copy()
        tree.set("using_from", exp.From(this=tree.this))
    target, label, text = _find_rows(compiler, tree, node, scope)
    compiler.demand("DELETE", target.table)
    where = _where(compiler, tree, scope)
    if scope.ungrouped:
        compiler.demand("SELECT", target.table)
    if tree.args.get("limit") is not None:
        raise errors.unsupported("DELETE TOP")
    if not where and len(scope.sources) == 1:
        return Delete(compiler.program, target, None)
    return Delete(compiler.program, target, f"SELECT DISTINCT {label}.rowid FROM {text}{where}")  # noqa: S608


def _common_tables_refused(tree: exp.Expr) -> None:
    if tree.args.get("with_") is not None or tree.args.get("with") is not None:
        raise errors.unsupported(f"WITH … {tree.key.upper()}")


def _merge(compiler: Expressions, tree: exp.Merge) -> Merge:
    _common_tables_refused(tree)
    scope = Scope()
    source_text = queries.add_source(compiler, tree.args["using"], scope)
    source_only = Scope(sources=list(scope.sources))
    target, label, target_text = _find_rows(compiler, exp.Merge(), tree.this, scope)
    target_only = Scope(sources=scope.sources[-1:])
    on = compiler.condition(tree.args["on"], scope)
    compiler.demand("SELECT", target.table)
    matched: list[str] = []
    orphans: list[str] = []
    given_by: list[list[str]] = []
    actions: list[MergeAction] = []
    for number, when in enumerate(tree.args["whens"].expressions, 1):
        by_target = bool(when.args.get("matched"))
        by_source = bool(when.args.get("source"))  # NOT MATCHED BY SOURCE
        inner = scope if by_target else target_only if by_source else source_only
        tests = [f"{label}.rowid IS {'NOT ' if by_target or by_source else ''}NULL"]
        if when.args.get("condition") is not None:
            tests.append(compiler.condition(when.args["condition"], inner))
        (orphans if by_source else matched).append(f"WHEN {' AND '.join(tests)} THEN {number}")
        compiler.program.branches += 1
        action, given = _merge_action(compiler, target, when.args["then"], inner)
        compiler.program.branches -= 1
        compiler.demand(action.kind, target.table)
        actions.append(action)
        given_by.append(given)
    numbered = [(number, value) for number, given in enumerate(given_by, 1) for value in given]
    parts = []
    if matched:
        joined = f"{source_text} LEFT JOIN {target_text} ON {on}"
        parts.append(_merge_query(label, matched, numbered, joined))
    if orphans:
        gone = f"{target_text} WHERE NOT EXISTS (SELECT 1 FROM {source_text} WHERE {on})"  # noqa: S608 - compiled
        parts.append(_merge_query(label, orphans, numbered, gone))
    return Merge(compiler.program, target, tuple(actions), " UNION ALL ".join(parts))


def _merge_query(label: str, whens: list[str], values: list[tuple[int, str]], text: str) -> str:
    """Rows that an action falls to, each with its number; only the values of its own action are computed."""
    choice = f"CASE {' '.join(whens)} END"
    own = {int(when.rpartition(" ")[2]) for when in whens}
    guarded = "".join(
        f", CASE WHEN {choice} = {number} THEN {value} END" if number in own else ", NULL" for number, value in values
    )
    return f"SELECT * FROM (SELECT {label}.rowid, {choice} AS action{guarded} FROM {text}) WHERE action IS NOT NULL"  # noqa: S608


def _merge_action(compiler: Expressions, target: Target, then: exp.Expr, scope: Scope) -> tuple[MergeAction, list[str]]:
    if isinstance(then, exp.Update):
        columns, values = _assignments(compiler, target, then.expressions, scope)
        return MergeAction("UPDATE", tuple(columns)), values
    if isinstance(then, exp.Insert):
        names = [item.name for item in then.this.expressions] if then.this is not None else []
        columns = _named_columns(target, names) if names else [c for c in target.table.columns if c.identity is None]
        items = then.expression.expressions if then.expression is not None else []
        if len(items) != len(columns):
            raise _count_error(len(items), len(columns), named=True)
        values = [
            assigned(compiler, target, column, item, scope).sql for column, item in zip(columns, items, strict=True)
        ]
        outer, compiler.program.branches = compiler.program.branches, 0
        rest, filled, identity = _rest(compiler, target, columns)
        compiler.program.branches = outer
        return MergeAction("INSERT", (*columns, *rest), filled, identity), values
    if isinstance(then, exp.Delete) or (isinstance(then, exp.Var) and then.name.upper() == "DELETE"):
        return MergeAction("DELETE"), []
    raise errors.unsupported(f"MERGE … THEN {then.key.upper()}")
