"""SELECT @variable = value over rows: each row's values see what the rows before have assigned.

What a value takes from the row is computed by the query, as inputs; the rest, which reads the variables, is left as an
expression over variables and inputs, computed row after row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.functions_time import WITH_DATE_PART
from setup_kit.sandbox.sql.compiler.scope import Compiled
from setup_kit.sandbox.sql.language import dialect
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.storage.catalog import fold

_CONDITIONS = (exp.Connector, exp.Predicate, exp.Not)
_OF_ROWS = (exp.Column, exp.Query, exp.Subquery, exp.Window, exp.Star)


@dataclass(frozen=True)
class RowAssignments:
    """`query` gives `inputs`, variables with names that T-SQL cannot write; `steps` are (variable, expression)."""

    query: Compiled
    inputs: tuple[str, ...]
    steps: tuple[tuple[str, exp.Expr], ...]


def compile_assignments(compiler: Compiler, statement: s.Assign) -> RowAssignments:
    """137 for a variable that is not declared."""
    assigned = {fold(name) for name, _ in statement.targets}
    for name, _ in statement.targets:
        if fold(name) not in compiler.variables:
            raise errors.undeclared_variable(f"@{name}")
    tree = statement.tree.copy()
    lifter = _Lifter(assigned)
    steps = []
    for (name, operator), item in zip(statement.targets, tree.expressions, strict=True):
        value = item.this if isinstance(item, exp.Alias) else item
        steps.append((fold(name), lifter.lift(dialect.compound(name, operator, value.copy()))))
    tree.set("expressions", lifter.inputs or [exp.Literal.number(1)])
    names = tuple(_name(number) for number in range(len(lifter.inputs)))
    return RowAssignments(compiler.query(tree), names, tuple(steps))


def _name(number: int) -> str:
    return f" {number}"


class _Lifter:
    def __init__(self, assigned: set[str]) -> None:
        self._assigned = assigned
        self.inputs: list[exp.Expr] = []

    def lift(self, node: exp.Expr) -> exp.Expr:
        """`node` with what it takes from the row replaced by inputs."""
        if not self._depends_on_row(node):
            return node
        if self._reads_variables(node):
            if isinstance(node, (exp.Query, exp.Subquery)):
                raise unsupported.refused("subquery of an assigned variable")
            return self._lift_children(node)
        if not isinstance(node, _CONDITIONS):
            return self._input(node)
        if isinstance(node, exp.Exists) or node.find(exp.Query) is not None:
            otherwise = exp.If(this=exp.Not(this=node.copy()), true=exp.Literal.number(0))
            known = exp.Case(ifs=[exp.If(this=node, true=exp.Literal.number(1)), otherwise])
            return exp.EQ(this=self._input(known), expression=exp.Literal.number(1))
        return self._lift_children(node)

    def _lift_children(self, node: exp.Expr) -> exp.Expr:
        word = isinstance(node, exp.Anonymous) and str(node.this).upper() in WITH_DATE_PART
        for key, value in list(node.args.items()):
            if isinstance(value, exp.Expr):
                node.set(key, self.lift(value))
            elif isinstance(value, list):
                kept = 1 if word and key == "expressions" else 0
                lifted = [self.lift(item) if isinstance(item, exp.Expr) else item for item in value[kept:]]
                node.set(key, [*value[:kept], *lifted])
        return node

    def _input(self, node: exp.Expr) -> exp.Expr:
        self.inputs.append(node)
        return exp.Parameter(this=exp.var(_name(len(self.inputs) - 1)))

    def _reads_variables(self, node: exp.Expr) -> bool:
        found: Iterable[exp.Expr] = node.find_all(exp.Parameter)
        return any(isinstance(one.this, exp.Var) and fold(one.this.name) in self._assigned for one in found)

    @staticmethod
    def _depends_on_row(node: exp.Expr) -> bool:
        if node.find(*_OF_ROWS) is not None:
            return True
        return any(str(one.this).upper() in _AGGREGATES for one in node.find_all(exp.Anonymous))


_AGGREGATES = frozenset({"COUNT", "COUNT_BIG", "SUM", "AVG", "MIN", "MAX", "STRING_AGG", "NEWID", "RAND"})
