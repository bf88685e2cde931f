"""The OUTPUT clause of a change.

The change keeps, for every row that it touches, what it did and the row before and after in the temporary table
`changed`; the clause is compiled to a query over that.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound, Program, Slot
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.scope import Compiled, Scope, Source
from setup_kit.sandbox.sql.compiler.targets import (
    Target,
    column_value,
    count_error,
    find_target,
    left_out,
    named_columns,
)
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.storage.catalog import Column as TableColumn
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.tds.tokens import Column
from setup_kit.sandbox.sql.values import types as t

_ROW = "o"  # the name of a row of `changed`


@dataclass(frozen=True)
class Insert:
    """Rows for a table: `rows` of values known beforehand, or a `query` that gives them.

    `columns` are those that get a value; `filled` give the last of them, which the query does not.
    """

    program: Program
    target: Target
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Slot, ...], ...] = ()
    query: str = ""
    filled: tuple[Slot, ...] = ()
    identity: TableColumn | None = None
    output: Output | None = None


@dataclass(frozen=True)
class Output:
    """`query` over `changed` gives the rows for the client or, with `into`, for a table.

    `extras` are columns of the change's other sources: its query has them behind its own.
    """

    query: Compiled
    into: Insert | None
    extras: tuple[str, ...]


def compile_output(
    compiler: Compiler, clause: s.Output | None, target: Target, verb: str, scope: Scope
) -> Output | None:
    """`verb`: INSERT, UPDATE, DELETE or MERGE; `scope`: the sources of the change."""
    if clause is None:
        return None
    around = Scope()
    if verb != "DELETE":
        around.sources.append(_rows(target, "inserted", "i"))
    if verb != "INSERT":
        around.sources.append(_rows(target, "deleted", "d"))
    if verb == "MERGE":
        action = Bound(f"{_ROW}.action", t.nvarchar(10), nullable=False, name="$action")
        around.sources.append(Source("", (("$action", action),)))
    named = (fold(node.table) for item in clause.items for node in item.find_all(exp.Column))
    if not {"inserted", "deleted"}.isdisjoint(named):  # what it shows of the rows is read
        compiler.demand("SELECT", target.table)
    extras = _extras(clause, scope, around)
    outputs: list[tuple[str, Bound]] = []
    for item in clause.items:
        if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            source = next((one for one in around.sources if fold(one.alias) == fold(item.table)), None)
            if source is None:
                raise errors.error(107, item.table)
            outputs += source.columns
            continue
        value = item.this if isinstance(item, exp.Alias) else item
        if value.find(exp.Query) is not None:
            raise errors.error(10703)
        bound = compiler.value(value, around)
        outputs.append((item.alias or (bound.name if isinstance(value, exp.Column) else ""), bound))
    columns = tuple(Column(name, bound.type, bound.nullable) for name, bound in outputs)
    listed = ", ".join(bound.sql for _, bound in outputs)
    text = f"SELECT {listed} FROM temp.changed AS {_ROW} ORDER BY {_ROW}.rowid"  # noqa: S608 - compiled
    into = None
    if clause.into is not None:
        into = _compile_into(compiler, clause, [bound for _, bound in outputs])
    return Output(Compiled(text, columns), into, extras)


def _rows(target: Target, alias: str, letter: str) -> Source:
    """The rows of `inserted` or `deleted`; a computed column of them is not carried."""
    columns = tuple(
        (c.name, Bound(f"{_ROW}.{letter}{c.id}", c.type, name=c.name)) for c in target.table.columns
        if c.computed is None
    )  # fmt: skip
    return Source(alias, columns)


def _extras(clause: s.Output, scope: Scope, around: Scope) -> tuple[str, ...]:
    """Columns of other sources that the clause names: they come into scope under their own names."""
    texts: list[str] = []
    named: dict[str, list[tuple[str, Bound]]] = {}
    known = {fold(source.alias) for source in around.sources}
    for item in clause.items:
        for node in item.find_all(exp.Column):
            if isinstance(node.this, exp.Star) or fold(node.table) in known:
                continue
            found = scope.column(node.name, node.table, node.args.get("db"))
            texts.append(found.sql)
            extra = Bound(f"{_ROW}.e{len(texts)}", found.type, found.nullable, name=found.name)
            named.setdefault(node.table, []).append((node.name, extra))
    around.sources += [Source(alias, tuple(dict(columns).items())) for alias, columns in named.items()]
    return tuple(texts)


def _compile_into(compiler: Compiler, clause: s.Output, values: list[Bound]) -> Insert:
    assert clause.into is not None  # noqa: S101 - asked before
    target = find_target(compiler, clause.into)
    compiler.demand("INSERT", target.table)
    columns = named_columns(target, clause.columns) if clause.columns else [c for c in target.table.columns if c.given]
    if len(columns) != len(values):
        raise count_error(len(values), len(columns), named=bool(clause.columns))
    rest, filled, identity = left_out(compiler, target, columns)
    listed = [column_value(compiler, target, column, value).sql for column, value in zip(columns, values, strict=True)]
    text = f"SELECT {', '.join(listed)} FROM temp.changed AS {_ROW} ORDER BY {_ROW}.rowid"  # noqa: S608 - compiled
    return Insert(compiler.program, target, (*columns, *rest), query=text, filled=filled, identity=identity)
