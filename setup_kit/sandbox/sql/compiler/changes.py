"""INSERT, UPDATE, DELETE and MERGE, compiled: which rows, which values, which permissions.

Each becomes one query for the rows that change and their new values; `writes` then carries them out row by row, which
is where NOT NULL, keys and lengths are checked with SQL Server's errors.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound, Program, Slot
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.outputs import Insert, Output, compile_output
from setup_kit.sandbox.sql.compiler.row_counts import count_of_rows, share_of_rows
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.compiler.targets import (
    Target,
    assigned,
    assignments,
    column_value,
    count_error,
    default_slot,
    find_rows,
    find_target,
    left_out,
    named_columns,
)
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.storage.catalog import Column


@dataclass(frozen=True)
class Update:
    """`query` gives rowid, the new values of `columns` and what the OUTPUT clause asks of other sources."""

    program: Program
    target: Target
    columns: tuple[Column, ...]
    query: str
    output: Output | None = None


@dataclass(frozen=True)
class Delete:
    """`query` gives rowid and what the OUTPUT clause asks of other sources; None for all rows."""

    program: Program
    target: Target
    query: str | None
    output: Output | None = None


@dataclass(frozen=True)
class MergeAction:
    """`kind`: INSERT, UPDATE or DELETE."""

    kind: str
    columns: tuple[Column, ...] = ()
    filled: tuple[Slot, ...] = ()
    identity: Column | None = None


@dataclass(frozen=True)
class Merge:
    """`query` gives rowid, the number of the action (from 1), then the values of every action one after another, then
    what the OUTPUT clause asks of the source.
    """

    program: Program
    target: Target
    actions: tuple[MergeAction, ...]
    query: str
    output: Output | None = None


Change = Insert | Update | Delete | Merge


def compile_insert(compiler: Compiler, statement: s.Query) -> Insert:
    tree = statement.tree
    into, names = tree.this, None
    if isinstance(into, exp.Schema):
        into, names = into.this, [item.name for item in into.expressions]
    target = find_target(compiler, into)
    compiler.demand("INSERT", target.table)
    gives_identity = compiler.program.identity_insert == target.table.id
    if names is not None:
        columns = named_columns(target, names, identity_insert=gives_identity)
    elif gives_identity:
        raise errors.error(8101, target.table.name)
    else:
        columns = [column for column in target.table.columns if column.given]
    rest, filled, identity = left_out(compiler, target, columns)
    every = (*columns, *rest)
    source = tree.expression
    output = compile_output(compiler, statement.output, target, "INSERT", Scope())
    if tree.args.get("default"):
        columns_left = [c for c in target.table.columns if c.given]
        row = tuple(default_slot(compiler, target, column) for column in columns_left)
        return Insert(compiler.program, target, tuple(columns_left), rows=(row,), identity=identity, output=output)
    if isinstance(source, exp.Values):
        _check_counts(source, len(columns), named=names is not None)
        return _insert_values(compiler, target, columns, every, filled, identity, source, output)
    scope = Scope()
    prefix = compiler.common_tables(tree, scope)
    query = compiler.query(source, scope)
    if len(query.columns) != len(columns):
        raise count_error(len(query.columns), len(columns), named=names is not None)
    physical = [f"c{number}" for number in range(1, len(columns) + 1)]
    values = [
        column_value(compiler, target, column, Bound(f'"n".{name}', given.type)).sql
        for column, name, given in zip(columns, physical, query.columns, strict=True)
    ]
    text = f'SELECT {", ".join(values)} FROM ({query.named(*physical)}) AS "n"'  # noqa: S608 - compiled
    text = limited(compiler, statement, prefix + text)
    return Insert(compiler.program, target, every, query=text, filled=filled, identity=identity, output=output)


def limited(compiler: Compiler, statement: s.Query, query: str) -> str:
    """`query` with as many of its rows as TOP lets through."""
    if statement.top is None:
        return query
    rows = share_of_rows if statement.percent else count_of_rows
    count = rows(compiler, statement.top, Scope()).sql
    if statement.percent:
        count = f"(SELECT CAST(ceil(count(*) * {count} / 100.0) AS INTEGER) FROM ({query}))"  # noqa: S608 - compiled
    return f"SELECT * FROM ({query}) LIMIT {count}"  # noqa: S608 - compiled


def _insert_values(
    compiler: Compiler, target: Target, columns: list[Column], every: tuple[Column, ...],
    filled: tuple[Slot, ...], identity: Column | None, source: exp.Values, output: Output | None,
) -> Insert:  # fmt: skip
    if len(source.expressions) > 1000:
        raise errors.error(10738, 1000)
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
        return Insert(compiler.program, target, every, rows=tuple(rows), identity=identity, output=output)
    query = " UNION ALL ".join(texts)
    return Insert(compiler.program, target, every, query=query, filled=filled, identity=identity, output=output)


def _check_counts(source: exp.Values, wanted: int, *, named: bool) -> None:
    for row in source.expressions:
        given = len(row.expressions) if isinstance(row, exp.Tuple) else 1
        if given != wanted:
            raise count_error(given, wanted, named=named)


def _where(compiler: Compiler, tree: exp.Expr, scope: Scope) -> str:
    clause = tree.args.get("where")
    return f" WHERE {compiler.condition(clause.this, scope)}" if clause is not None else ""


def compile_update(compiler: Compiler, statement: s.Query) -> Update:
    tree, scope = statement.tree, Scope()
    prefix = compiler.common_tables(tree, scope)
    target, label, text = find_rows(compiler, tree, tree.this, scope)
    compiler.demand("UPDATE", target.table)
    columns, values = assignments(compiler, target, tree.args["expressions"], scope)
    where = _where(compiler, tree, scope)
    if scope.ungrouped:
        compiler.demand("SELECT", target.table)
    output = compile_output(compiler, statement.output, target, "UPDATE", scope)
    group = f" GROUP BY {label}.rowid" if len(scope.sources) > 1 else ""
    listed = ", ".join([f"{label}.rowid", *values, *(output.extras if output else ())])
    query = limited(compiler, statement, f"{prefix}SELECT {listed} FROM {text}{where}{group}")  # noqa: S608 - compiled
    return Update(compiler.program, target, tuple(columns), query, output)


def compile_delete(compiler: Compiler, statement: s.Query) -> Delete:
    tree, scope = statement.tree, Scope()
    prefix = compiler.common_tables(tree, scope)
    listed = tree.args.get("tables")
    node = listed[0] if listed else tree.this
    if listed and tree.this:
        tree = tree.copy()
        tree.set("using_from", exp.From(this=tree.this))
    target, label, text = find_rows(compiler, tree, node, scope)
    compiler.demand("DELETE", target.table)
    where = _where(compiler, tree, scope)
    if scope.ungrouped:
        compiler.demand("SELECT", target.table)
    output = compile_output(compiler, statement.output, target, "DELETE", scope)
    if not where and len(scope.sources) == 1 and statement.top is None and output is None:
        return Delete(compiler.program, target, None)
    names = ", ".join([f"{label}.rowid", *(output.extras if output else ())])
    group = f" GROUP BY {label}.rowid" if len(scope.sources) > 1 else ""
    query = limited(compiler, statement, f"{prefix}SELECT {names} FROM {text}{where}{group}")  # noqa: S608 - compiled
    return Delete(compiler.program, target, query, output)
