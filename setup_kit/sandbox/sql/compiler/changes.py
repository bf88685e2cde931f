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
    refuse_common_tables,
)
from setup_kit.sandbox.sql.storage.catalog import Column


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


def compile_insert(compiler: Compiler, tree: exp.Insert) -> Insert:
    into, names = tree.this, None
    if isinstance(into, exp.Schema):
        into, names = into.this, [item.name for item in into.expressions]
    target = find_target(compiler, into)
    compiler.demand("INSERT", target.table)
    if names is None:
        columns = [column for column in target.table.columns if column.identity is None]
    else:
        columns = named_columns(target, names)
    rest, filled, identity = left_out(compiler, target, columns)
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
    query = compiler.query(source)
    if len(query.columns) != len(columns):
        raise count_error(len(query.columns), len(columns), named=names is not None)
    physical = [f"c{number}" for number in range(1, len(columns) + 1)]
    values = [
        column_value(compiler, target, column, Bound(f'"n".{name}', given.type)).sql
        for column, name, given in zip(columns, physical, query.columns, strict=True)
    ]
    text = f'SELECT {", ".join(values)} FROM ({query.named(*physical)}) AS "n"'  # noqa: S608 - compiled
    return Insert(compiler.program, target, every, query=text, filled=filled, identity=identity)


def _insert_values(
    compiler: Compiler, target: Target, columns: list[Column], every: tuple[Column, ...],
    filled: tuple[Slot, ...], identity: Column | None, source: exp.Values,
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
        return Insert(compiler.program, target, every, rows=tuple(rows), identity=identity)
    return Insert(compiler.program, target, every, query=" UNION ALL ".join(texts), filled=filled, identity=identity)


def _check_counts(source: exp.Values, wanted: int, *, named: bool) -> None:
    for row in source.expressions:
        given = len(row.expressions) if isinstance(row, exp.Tuple) else 1
        if given != wanted:
            raise count_error(given, wanted, named=named)


def _where(compiler: Compiler, tree: exp.Expr, scope: Scope) -> str:
    clause = tree.args.get("where")
    return f" WHERE {compiler.condition(clause.this, scope)}" if clause is not None else ""


def compile_update(compiler: Compiler, tree: exp.Update) -> Update:
    scope = Scope()
    refuse_common_tables(tree)
    target, label, text = find_rows(compiler, tree, tree.this, scope)
    compiler.demand("UPDATE", target.table)
    columns, values = assignments(compiler, target, tree.expressions, scope)
    where = _where(compiler, tree, scope)
    if scope.ungrouped:
        compiler.demand("SELECT", target.table)
    group = f" GROUP BY {label}.rowid" if len(scope.sources) > 1 else ""
    query = f"SELECT {label}.rowid, {', '.join(values)} FROM {text}{where}{group}"  # noqa: S608 - compiled
    return Update(compiler.program, target, tuple(columns), query)


def compile_delete(compiler: Compiler, tree: exp.Delete) -> Delete:
    scope = Scope()
    refuse_common_tables(tree)
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
    if tree.args.get("limit") is not None:
        raise errors.unsupported("DELETE TOP")
    if not where and len(scope.sources) == 1:
        return Delete(compiler.program, target, None)
    return Delete(compiler.program, target, f"SELECT DISTINCT {label}.rowid FROM {text}{where}")  # noqa: S608
