"""Queries, changes and expressions of a session: compiled once, checked and run each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from setup_kit.sandbox.sql import permissions
from setup_kit.sandbox.sql.compiler import changes, system_views
from setup_kit.sandbox.sql.compiler.bound import Bound, Function, Program, Slot
from setup_kit.sandbox.sql.compiler.compile import compile_statement
from setup_kit.sandbox.sql.compiler.intake import Given
from setup_kit.sandbox.sql.compiler.outputs import Insert
from setup_kit.sandbox.sql.compiler.queries import Queries
from setup_kit.sandbox.sql.compiler.scope import Compiled, Scope
from setup_kit.sandbox.sql.compiler.views import SystemView
from setup_kit.sandbox.sql.errors import SqlError
from setup_kit.sandbox.sql.execution import writes
from setup_kit.sandbox.sql.execution.changed_rows import output_rows
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.storage.cache import SizedCache
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

#: Inputs (parameters, literals) of the statements that a session remembers: each takes a few hundred bytes.
_SLOTS = 20_000


@dataclass(frozen=True)
class _Plan:
    """What a statement compiles to under one catalog."""

    statement: s.Query
    program: Program
    compiled: Compiled | changes.Change


class Executor:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._plans: SizedCache[tuple[int, int, str], _Plan] = SizedCache(_SLOTS)
        self._functions: dict[str, Function] = {}
        self._filled: set[str] = set()
        self.raised: SqlError | None = None  # by a function that SQLite called: it tells only that one failed

    def forget(self) -> None:
        """After a rollback, which takes temporary tables back too."""
        self._filled.clear()

    # Compiling

    def compiler(self, *, describe: bool = False) -> Queries:
        session = self._session
        return Queries(
            session.catalog,
            session.database.name,
            session.default_schema,
            session.variable_types,
            describe=describe,
            local_table=session.local_tables.find,
            identity_insert=session.identity_insert,
        )

    def _plan(self, statement: s.Query) -> _Plan:
        """The compiled statement; compiled again when the catalog, or the type of a variable in it, is another."""
        session = self._session
        key = (id(statement), session.catalog_now().version, session.default_schema)
        found = self._plans.get(key)
        if found is not None and found.statement is statement and self._still_good(found.program):
            return found
        compiler = self.compiler()
        plan = _Plan(statement, compiler.program, compile_statement(compiler, statement))
        self._plans.put(key, plan, len(compiler.program.slots) + 50)
        return plan

    def _still_good(self, program: Program) -> bool:
        """Whether the variables and local tables that the program names are what they were."""
        types, tables = self._session.variable_types, self._session.local_tables
        if program.identity_insert != self._session.identity_insert:
            return False
        return all(types.get(name) == kind for name, kind in program.typed_variables.items()) and all(
            tables.find(name) == table for name, table in program.local_tables.items()
        )

    # Running

    def run(self, statement: s.Query) -> None:
        """A SELECT's rows, or the number of rows that a change has touched, go into the reply.

        Under SET FMTONLY ON, with which bulk clients look at a table, only the columns of a SELECT do.
        """
        session = self._session
        if session.options.get("FMTONLY") == "ON":
            self._describe(statement)
            return
        if statement.label == "SELECT":
            with session.transactions.reads():
                plan = self._plan(statement)
                assert isinstance(plan.compiled, Compiled)  # noqa: S101 - a SELECT is a query
                self._select(plan.compiled, plan.program)
            return
        with session.transactions.writes():
            plan = self._plan(statement)
            self.ready(plan.program)
            assert not isinstance(plan.compiled, Compiled)  # noqa: S101 - everything else is a change
            result = writes.execute(session, plan.compiled, plan.program)
        session.row_count = result.count
        if result.columns:
            session.reply.columns(result.columns)
            for row in output_rows(session.connection):
                session.reply.row(row)
        if session.options["NOCOUNT"] == "ON":
            session.reply.done()
        else:
            session.reply.done(statement.label, result.count)

    def _describe(self, statement: s.Query) -> None:
        session = self._session
        with session.transactions.reads():
            plan = self._plan(statement)
            self.check(plan.program)
        if isinstance(plan.compiled, Compiled):
            session.reply.columns(plan.compiled.columns)
            session.reply.done("SELECT", 0)
        else:
            session.reply.done()

    def insert_many(
        self, statement: s.Query, variables: Mapping[str, tuple[SqlType, Sequence[Stored]]], count: int
    ) -> bool:
        """Carry out an INSERT of one row `count` times, for each time with a value of each variable: all or nothing.

        False when it is no such INSERT.
        """
        session = self._session
        types: dict[str, tuple[SqlType, Stored]] = {name: (kind, None) for name, (kind, _) in variables.items()}
        with session.with_variables(types), session.transactions.writes():
            plan = self._plan(statement)
            change = plan.compiled
            if not isinstance(change, Insert) or len(change.rows) != 1 or not change.rows[0] or change.output:
                return False
            table = change.target.table
            if any(key.table == table.id for key in table.foreign_keys):  # a row may refer to those before it alone
                return False
            self.ready(plan.program)
            columns = [self._column(slot, variables, count) for slot in change.rows[0]]
            writes.insert_rows(session, change, zip(*columns, strict=True))
        return True

    def _column(
        self, slot: Slot, variables: Mapping[str, tuple[SqlType, Sequence[Stored]]], count: int
    ) -> Sequence[Stored]:
        """What a slot gives for each of `count` times."""
        session = self._session
        if isinstance(slot, Given):
            kind, values = next(held for name, held in variables.items() if fold(name) == slot.name)
            convert = slot.intake.converter(kind)
            return values if convert is None else [value if value is None else convert(value) for value in values]
        found = []
        names = [fold(name) for name in variables]
        for number in range(count):
            session.variables = dict(zip(names, [values[number] for _, values in variables.values()], strict=True))
            found.append(slot(session))
        return found

    def _select(self, query: Compiled, program: Program) -> None:
        session = self._session
        self.ready(program)
        cursor = session.connection.execute(query.sql, program.values(session))
        try:
            # The first row is computed before the columns are told, so that an error in it comes alone.
            row = cursor.fetchone()
            session.reply.columns(query.columns)
            count = 0
            while row is not None:
                session.reply.row(row)
                count += 1
                if count % 256 == 0:
                    session.check_cancelled()
                row = cursor.fetchone()
        finally:
            cursor.close()
        session.row_count = count
        session.reply.done("SELECT", count)

    def check(self, program: Program) -> None:
        """Ask for the permissions that the statement needs; a procedure's owner lends it the right to what it owns."""
        held = self._session.permissions
        if held.is_dbo:
            return
        lender = self._session.chain_owner
        held.require_all(
            (demand.permission, permissions.of_object(demand.object))
            for demand in program.demands
            if demand.in_view or demand.owner != lender
        )

    def ready(self, program: Program) -> None:
        """Check, each time, and bring the functions and system rows that the text refers to."""
        session = self._session
        self.check(program)
        for label, (count, function) in program.functions.items():
            if self._functions.get(label) is not function:
                session.connection.create_function(label, count, self._guarded(function))
                self._functions[label] = function
        for wanted in program.system_rows:
            self._fill(wanted.table, system_views.get(wanted.view), [slot(session) for slot in wanted.arguments])

    def _guarded(self, function: Function) -> Callable[..., Stored]:
        def call(*values: Stored) -> Stored:
            try:
                return function(self._session, *values)
            except SqlError as error:
                self.raised = error
                raise

        return call

    def _fill(self, table: str, view: SystemView, arguments: list[Stored]) -> None:
        connection = self._session.connection
        if table not in self._filled:
            columns = ", ".join(
                f"c{number} {(name := t.collation_of(column.type)) and f'COLLATE {name}'}"
                for number, column in enumerate(view.columns, 1)
            )
            connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
            connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
            self._filled.add(table)
        marks = ", ".join("?" * len(view.columns))
        connection.execute(f"DELETE FROM temp.{table}")  # noqa: S608 - our own name
        rows = view.rows(self._session, *arguments)
        connection.executemany(f"INSERT INTO temp.{table} VALUES ({marks})", rows)  # noqa: S608 - our own name

    # Expressions outside queries

    def evaluate(self, node: exp.Expr, kind: SqlType) -> Stored:
        """The value of an expression as `kind`."""
        with self._session.transactions.reads():
            self._session.catalog_now()
            compiler = self.compiler()
            bound = compiler.program.convert(compiler.value(node, Scope()), kind)
            return self.single(compiler.program, bound)

    def evaluate_as_is(self, node: exp.Expr) -> tuple[SqlType, Stored]:
        """The value of an expression with its own type."""
        with self._session.transactions.reads():
            self._session.catalog_now()
            compiler = self.compiler()
            bound = compiler.value(node, Scope())
            return bound.type, self.single(compiler.program, bound)

    def test(self, node: exp.Expr) -> bool:
        """Whether a condition holds; what is unknown does not."""
        with self._session.transactions.reads():
            self._session.catalog_now()
            compiler = self.compiler()
            text = compiler.condition(node, Scope())
            return bool(self.single(compiler.program, Bound(text, t.BIT)))

    def single(self, program: Program, bound: Bound) -> Stored:
        """The value of a compiled expression."""
        self.ready(program)
        if bound.slot is not None:
            return bound.slot(self._session)
        sql = f"SELECT {bound.sql}"
        found: Stored = self._session.connection.execute(sql, program.values(self._session)).fetchone()[0]
        return found
