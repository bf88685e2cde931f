"""What the parts of a compiler ask of the whole: one statement's names, and values, conditions and queries compiled."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

from sqlglot import exp

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
    ) -> None:
        self.catalog = catalog
        self.database_name = database_name
        self.default_schema = default_schema
        self.variables = variables
        self.describe = describe
        self.program = Program()
        self.sources = 0
        self.intakes: dict[int, Intake] = {}  # of the columns of the table that the statement changes
        self._chained = 0

    def demand(self, permission: str, found: DatabaseObject) -> None:
        """Note that the statement needs a permission on an object."""
        if not self._chained:
            self.program.demands.append(Demand(permission, found))

    @contextlib.contextmanager
    def on_behalf_of(self, schema: str) -> Iterator[None]:
        """Inside a view: names are looked up from its schema, and its objects are read by its owner's right.

        An ownership chain that is broken (objects of another owner) is not told apart.
        """
        outer, self.default_schema = self.default_schema, schema
        self._chained += 1
        try:
            yield
        finally:
            self.default_schema = outer
            self._chained -= 1

    @abstractmethod
    def value(self, node: exp.Expr | None, scope: Scope) -> Bound:
        """An expression."""

    @abstractmethod
    def condition(self, node: exp.Expr | None, scope: Scope) -> str:
        """A predicate, as SQLite text that gives 1, 0 or NULL."""

    @abstractmethod
    def query(self, node: exp.Expr, scope: Scope | None = None, *, for_exists: bool = False) -> Compiled:
        """A SELECT or a set operation, with its WITH clause."""
