"""A statement on data, compiled: where the executor and the descriptions of statements come in."""

from __future__ import annotations

from sqlglot import exp

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler import changes, merges
from setup_kit.sandbox.sql.compiler.changes import Change
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.scope import Compiled


def compile_statement(compiler: Compiler, tree: exp.Expr) -> Compiled | Change:
    """SELECT, INSERT, UPDATE, DELETE or MERGE."""
    if isinstance(tree, exp.Query):
        return compiler.query(tree)
    if tree.args.get("returning") is not None:
        raise errors.unsupported("OUTPUT clause")
    match tree:
        case exp.Insert():
            return changes.compile_insert(compiler, tree)
        case exp.Update():
            return changes.compile_update(compiler, tree)
        case exp.Delete():
            return changes.compile_delete(compiler, tree)
        case exp.Merge():
            return merges.compile_merge(compiler, tree)
    raise errors.unsupported_statement(tree.key.upper())
