"""MERGE, compiled."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler import sources
from setup_kit.sandbox.sql.compiler.changes import Merge, MergeAction
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.outputs import compile_output
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.compiler.targets import (
    Target,
    assigned,
    assignments,
    count_error,
    find_rows,
    left_out,
    named_columns,
)
from setup_kit.sandbox.sql.language import statements as s


def compile_merge(compiler: Compiler, statement: s.Query) -> Merge:
    """A MERGE: every row of the source beside its match, with the number of the clause that it falls to."""
    tree, scope = statement.tree, Scope()
    if statement.top is not None:
        raise unsupported.refused("MERGE TOP")
    prefix = compiler.common_tables(tree, scope)
    source_text = sources.add_source(compiler, tree.args["using"], scope)
    source_only = Scope(sources=list(scope.sources))
    target, label, target_text = find_rows(compiler, exp.Merge(), tree.this, scope)
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
    output = compile_output(compiler, statement.output, target, "MERGE", scope)
    extras = output.extras if output else ()
    numbered = [(number, value) for number, given in enumerate(given_by, 1) for value in given]
    parts = []
    if matched:
        joined = f"{source_text} LEFT JOIN {target_text} ON {on}"
        parts.append(_merge_query(label, matched, numbered, joined, extras))
    if orphans:
        gone = f"{target_text} WHERE NOT EXISTS (SELECT 1 FROM {source_text} WHERE {on})"  # noqa: S608 - compiled
        parts.append(_merge_query(label, orphans, numbered, gone, ["NULL"] * len(extras)))
    return Merge(compiler.program, target, tuple(actions), prefix + " UNION ALL ".join(parts), output)


def _merge_query(label: str, whens: list[str], values: list[tuple[int, str]], text: str, extras: Sequence[str]) -> str:
    """Rows that an action falls to, each with its number; only the values of its own action are computed."""
    choice = f"CASE {' '.join(whens)} END"
    own = {int(when.rpartition(" ")[2]) for when in whens}
    guarded = "".join(
        f", CASE WHEN {choice} = {number} THEN {value} END" if number in own else ", NULL" for number, value in values
    )
    listed = f"{label}.rowid, {choice} AS action{guarded}{''.join(f', {extra}' for extra in extras)}"
    return f"SELECT * FROM (SELECT {listed} FROM {text}) WHERE action IS NOT NULL"  # noqa: S608 - compiled


def _merge_action(compiler: Compiler, target: Target, then: exp.Expr, scope: Scope) -> tuple[MergeAction, list[str]]:
    if isinstance(then, exp.Update):
        columns, values = assignments(compiler, target, then.expressions, scope)
        return MergeAction("UPDATE", tuple(columns)), values
    if isinstance(then, exp.Insert):
        names = [item.name for item in then.this.expressions] if then.this is not None else []
        columns = named_columns(target, names) if names else [c for c in target.table.columns if c.given]
        items = then.expression.expressions if then.expression is not None else []
        if len(items) != len(columns):
            raise count_error(len(items), len(columns), named=True)
        values = [
            assigned(compiler, target, column, item, scope).sql for column, item in zip(columns, items, strict=True)
        ]
        outer, compiler.program.branches = compiler.program.branches, 0
        rest, filled, identity = left_out(compiler, target, columns)
        compiler.program.branches = outer
        return MergeAction("INSERT", (*columns, *rest), filled, identity), values
    if isinstance(then, exp.Delete) or (isinstance(then, exp.Var) and then.name.upper() == "DELETE"):
        return MergeAction("DELETE"), []
    raise errors.incorrect_syntax(then.key.upper())
