"""What the parts of a compiler ask of the whole: one statement's names, and values, conditions and queries compiled."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping

from sqlglot import exp

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound, Demand, Program
from setup_kit.sandbox.sql.compiler.intake import Intake
from setup_kit.sandbox.sql.compiler.scope import Compiled, Scope
from setup_kit.sandbox.sql.storage.catalog import Catalog, DatabaseObject
from setup_kit.sandbox.sql.values.types import SqlType


class Compiler(ABC):
    """Compiles one statement into its `Program`: `expressions` does values and conditions, `queries` the rest."""

    def __init__(
        self,
        catalog: Catalog,
        database_name: str,
        default_schema: str,
        variables: Mapping[str, SqlType],
        *,
        describe: bool = False,
        local_table: Callable[[str], DatabaseObject | None] = lambda _: None,
        identity_insert: int = 0,
    ) -> None:
        self.catalog = catalog
        self.database_name = database_name
        self.default_schema = default_schema
        self.variables = variables
        self.describe = describe
        self.program = Program(identity_insert=identity_insert)
        self.sources = 0
        self.intakes: dict[int, Intake] = {}  # of the columns of the table that the statement changes
        self.recursion = 100  # how often a common table expression may call itself
        self._view_owner: int | None = None
        self._local_table = local_table

    def local_table(self, name: str) -> DatabaseObject | None:
        """The session's own table `#name` or `@name`."""
        found = self._local_table(name)
        if found is not None:
            self.program.local_tables[name] = found
        return found

    def demand(self, permission: str, found: DatabaseObject) -> None:
        """Note that the statement needs a permission on an object; a view's objects are its owner's to show, and the
        session's own tables need none.
        """
        if found.is_local:
            return
        owner = self.catalog.owner_of(found)
        if self._view_owner is None or owner != self._view_owner:
            self.program.demands.append(Demand(permission, found, owner, in_view=self._view_owner is not None))

    @contextlib.contextmanager
    def inside_view(self, view: DatabaseObject) -> Iterator[None]:
        """Names are looked up from its schema; objects of another owner break the ownership chain."""
        outer = self.default_schema, self._view_owner
        self.default_schema = self.catalog.schemas[view.schema_id].name
        self._view_owner = self.catalog.owner_of(view)
        try:
            yield
        finally:
            self.default_schema, self._view_owner = outer

    @abstractmethod
    def value(self, node: exp.Expr | None, scope: Scope) -> Bound:
        """An expression."""

    @abstractmethod
    def condition(self, node: exp.Expr | None, scope: Scope) -> str:
        """A predicate, as SQLite text that gives 1, 0 or NULL."""

    @abstractmethod
    def common_tables(self, node: exp.Expr, scope: Scope) -> str:
        """The WITH clause of a statement, whose tables come into scope; "" when there is none."""

    @abstractmethod
    def query(self, node: exp.Expr, scope: Scope | None = None, *, for_exists: bool = False) -> Compiled:
        """A SELECT or a set operation, with its WITH clause."""


def refuse_order(query: exp.Expr) -> exp.Expr:
    """`query` as a part of another; 1033 for an ORDER BY in it that picks no rows."""
    inner = query.unnest()
    if inner.args.get("order") is not None and not (inner.args.get("limit") or inner.args.get("offset")):
        raise errors.error(1033)
    return query


def refuse_windows(clause: exp.Expr) -> None:
    """4108 for a function OVER a window in a clause that may have none; its subqueries are their own affair."""
    if any(isinstance(node, exp.Window) for node in clause.walk(prune=lambda node: isinstance(node, exp.Query))):
        raise errors.error(4108)
