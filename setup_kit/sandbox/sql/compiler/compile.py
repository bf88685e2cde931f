"""A statement on data, compiled: where the executor and the descriptions of statements come in."""

from __future__ import annotations

from sqlglot import exp

from setup_kit.sandbox.sql.compiler import changes, merges
from setup_kit.sandbox.sql.compiler.changes import Change
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.scope import Compiled
from setup_kit.sandbox.sql.language import statements as s


def compile_statement(compiler: Compiler, statement: s.Query) -> Compiled | Change:
    """SELECT, INSERT, UPDATE, DELETE or MERGE."""
    compiler.recursion = statement.recursion
    match statement.tree:
        case exp.Query():
            return compiler.query(statement.tree)
        case exp.Insert():
            return changes.compile_insert(compiler, statement)
        case exp.Update():
            return changes.compile_update(compiler, statement)
        case exp.Delete():
            return changes.compile_delete(compiler, statement)
        case _:
            return merges.compile_merge(compiler, statement)
