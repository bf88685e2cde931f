"""What a statement means: one client's session in one database."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from setup_kit.sandbox.sql import (
    aggregates,
    catalog,
    changes,
    definitions,
    errors,
    parser,
    permissions,
    procedures,
    queries,
    security,
    system_views,
    tokens,
    writes,
)
from setup_kit.sandbox.sql import statements as s
from setup_kit.sandbox.sql import types as t
from setup_kit.sandbox.sql.bound import Bound, Program
from setup_kit.sandbox.sql.catalog import Catalog
from setup_kit.sandbox.sql.conversions import converter
from setup_kit.sandbox.sql.errors import Cancelled, SqlError
from setup_kit.sandbox.sql.expressions import Expressions
from setup_kit.sandbox.sql.parameters import Call
from setup_kit.sandbox.sql.reply import Reply
from setup_kit.sandbox.sql.store import Database, ServerStore
from setup_kit.sandbox.sql.transactions import Transactions
from setup_kit.sandbox.sql.types import SqlType, Stored

logger = logging.getLogger(__name__)

_PLANS = 256
_DEEPEST_CALL = 32

#: SET options whose values are kept; every other is refused by name.
_OPTIONS = frozenset(
    {"NOCOUNT", "XACT_ABORT", "IMPLICIT_TRANSACTIONS", "QUOTED_IDENTIFIER", "ANSI_NULLS", "ANSI_PADDING",
     "ANSI_WARNINGS", "ANSI_NULL_DFLT_ON", "ANSI_DEFAULTS", "ARITHABORT", "CONCAT_NULL_YIELDS_NULL",
     "NUMERIC_ROUNDABORT", "CURSOR_CLOSE_ON_COMMIT", "TEXTSIZE", "LOCK_TIMEOUT", "LANGUAGE", "DATEFORMAT", "DATEFIRST",
     "DEADLOCK_PRIORITY", "TRANSACTION ISOLATION LEVEL", "STATISTICS IO", "STATISTICS TIME", "NO_BROWSETABLE",
     "ROWCOUNT", "FMTONLY", "NOEXEC"}
)  # fmt: skip
#: Those that would change what statements do in a way that is not carried out; their usual value is accepted.
_FIXED_OPTIONS = {
    "QUOTED_IDENTIFIER": "ON", "ANSI_NULLS": "ON", "CONCAT_NULL_YIELDS_NULL": "ON", "NUMERIC_ROUNDABORT": "OFF",
    "ROWCOUNT": "0", "FMTONLY": "OFF", "NOEXEC": "OFF", "DATEFIRST": "7", "LANGUAGE": "US_ENGLISH", "DATEFORMAT": "MDY",
}  # fmt: skip


class Instance(Protocol):
    """What a session asks of the server it is on."""

    store: ServerStore

    def is_logged_in(self, sid: bytes) -> bool: ...
    def drop_database(self, name: str) -> None: ...


@dataclass(frozen=True)
class Identity:
    """Who has logged in. `administrator` is dbo everywhere on the server."""

    login_name: str
    login_sid: bytes
    principal_id: int
    administrator: bool


@dataclass
class _Plan:
    statement: s.Statement
    change: changes.Change | None
    query: queries.Compiled | None
    program: Program


class _Leave(Exception):  # noqa: N818 - BREAK, CONTINUE and RETURN on their way out
    def __init__(self, kind: str, value: int = 0) -> None:
        self.kind = kind
        self.value = value


@dataclass
class Session:
    """Runs batches and calls, one at a time, on whatever thread it is called from."""

    instance: Instance
    database: Database
    identity_of_login: Identity
    spid: int
    application: str
    client_host: str
    record: Callable[[str, int, float], None]  # class of statement, error number, milliseconds
    variables: dict[str, Stored] = field(default_factory=dict)
    variable_types: dict[str, SqlType] = field(default_factory=dict)
    set_options: dict[str, str] = field(default_factory=dict)
    row_count: int = 0
    last_error: int = 0
    identity: Stored = None
    statement_time: int = 0
    caught: list[tuple[int, int, int, str, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = self.instance.store
        self.cancelled = threading.Event()
        self.connection = self.server.connect(self.database)
        aggregates.register(self.connection)
        self.transactions = Transactions(
            self.connection, self.server.writer_lock(self.database.id), self.cancelled.is_set
        )
        self.transactions.changed = self._transaction_changed
        self.transactions.rolled_back = self._forget
        self.login_name = self.identity_of_login.login_name
        self.login_sid = self.identity_of_login.login_sid
        self.prepared: dict[int, procedures.Prepared] = {}
        self.reply = Reply(lambda _: None, self.server.name)
        self._catalog = catalog.load(self.connection)
        self._permissions: permissions.Permissions | None = None
        self._plans: OrderedDict[tuple[object, ...], _Plan] = OrderedDict()
        self._functions: dict[str, object] = {}
        self._raised: SqlError | None = None
        self._filled: dict[str, tuple[int, object]] = {}
        self._chain: list[str] = []
        self._handles = 0
        self._transaction_number = 0
        self.reset()

    # What expressions ask (bound.Runtime)

    @property
    def catalog(self) -> Catalog:
        return self._catalog

    def catalog_now(self) -> Catalog:
        """The catalog as the session's own transaction has left it."""
        if catalog.version(self.connection) != self._catalog.version:
            self._catalog = catalog.load(self.connection)
            self._permissions = None
        return self._catalog

    @property
    def permissions(self) -> permissions.Permissions:
        if self._permissions is None:
            number = self.identity_of_login.principal_id
            if number not in self._catalog.principals:
                raise SqlError(
                    916, f'The server principal "{self.login_name}" is not able to access the database '
                    f'"{self.database.name}" under the current security context.', 14, ends_session=True,
                )  # fmt: skip
            self._permissions = permissions.Permissions(self._catalog, number, self.database.name)
        return self._permissions

    @property
    def is_server_administrator(self) -> bool:
        return self.identity_of_login.administrator

    @property
    def options(self) -> Mapping[str, str]:
        return self.set_options

    @property
    def transaction_depth(self) -> int:
        return self.transactions.depth

    @property
    def default_schema(self) -> str:
        if self._chain:
            return self._chain[-1]
        return self.catalog.principals[self.permissions.principal_id].default_schema or "dbo"

    # Life

    def reset(self) -> None:
        """The state of a new session (a pooled connection is taken up again)."""
        self.transactions.abandon()
        self.prepared.clear()
        self.set_options = {"IMPLICIT_TRANSACTIONS": "OFF", "NOCOUNT": "OFF", "XACT_ABORT": "OFF"}
        self.transactions.lock_timeout = None
        self.row_count = self.last_error = 0
        self.identity = None

    def close(self) -> None:
        self.cancelled.set()
        try:
            self.transactions.abandon()
        finally:
            self.connection.close()

    def cancel(self) -> None:
        """Called from another thread when the client sends an attention."""
        self.cancelled.set()
        with contextlib.suppress(sqlite3.ProgrammingError):  # the session has just been closed
            self.connection.interrupt()

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def _forget(self) -> None:
        """After a rollback temporary tables and the catalog may be of the past."""
        self._filled.clear()

    def _transaction_changed(self, how: str) -> None:
        """Tell the client: ENVCHANGE 8, 9 or 10 with the transaction's descriptor."""
        if how == "begin":
            self._transaction_number += 1
        descriptor = struct.pack("<II", self._transaction_number, self.spid)
        kind = {"begin": 8, "commit": 9, "rollback": 10}[how]
        new, old = (descriptor, b"") if how == "begin" else (b"", descriptor)
        self.reply.add(tokens.environment_bytes(kind, new, old))

    # Requests

    def run_batch(self, text: str, reply: Reply) -> None:
        """A SQL batch. Every error goes into the reply; one that ends the session is raised after that."""
        with self._request(reply):
            self.variables, self.variable_types = {}, {}
            self.run_text(text)

    def run_text(self, text: str) -> None:
        try:
            batch = parser.parse_batch(text)
        except SqlError as error:
            self._failed(error, "BATCH", time.perf_counter())
            return
        with contextlib.suppress(_Leave):
            self.run_statements(batch)

    def run_calls(self, calls: Sequence[Call], reply: Reply) -> None:
        """The remote procedure calls of one message."""
        with self._request(reply):
            for call in calls:
                self.variables, self.variable_types = {}, {}
                procedures.run_call(self, call)

    def run_transaction(self, action: str, name: str, reply: Reply, *, begins: bool = False) -> None:
        """A transaction manager request."""
        with self._request(reply):
            self._timed(s.Transaction(action=action, name=name))
            if begins:
                self._timed(s.Transaction(action="BEGIN"))

    @contextlib.contextmanager
    def _request(self, reply: Reply):  # type: ignore[no-untyped-def]
        self.reply = reply
        reply.in_transaction = lambda: self.transactions.depth > 0
        self.caught.clear()
        self._chain.clear()
        try:
            yield
        except EndOfBatch:
            return

    # Statements

    def run_statements(self, batch: Sequence[s.Statement]) -> None:
        for statement in batch:
            self.run_statement(statement)

    def run_statement(self, statement: s.Statement) -> None:
        """One statement; flow statements run those inside them."""
        self.check_cancelled()
        match statement:
            case s.Block():
                self.run_statements(statement.body)
            case s.If():
                chosen = statement.then if self._test(statement.condition, statement) else statement.otherwise
                if chosen is not None:
                    self.run_statement(chosen)
            case s.While():
                self._while(statement)
            case s.Try():
                self._try(statement)
            case s.Leave():
                value = 0
                if statement.value is not None:
                    value = int(self.evaluate(statement.value, t.INT) or 0)
                raise _Leave(statement.kind, value)
            case _:
                self._timed(statement)

    def _while(self, statement: s.While) -> None:
        while self._test(statement.condition, statement):
            self.check_cancelled()
            try:
                self.run_statement(statement.body)
            except _Leave as leave:
                if leave.kind == "RETURN":
                    raise
                if leave.kind == "BREAK":
                    return

    def _try(self, statement: s.Try) -> None:
        self._trying += 1
        try:
            self.run_statements(statement.body)
        except SqlError as error:
            if error.ends_session:
                raise
            self._trying -= 1
            shown = (error.number, error.severity, error.state, error.message, error.line or 1, self.reply.procedure)
            self.caught.append(shown)
            try:
                self.run_statements(statement.handler)
            finally:
                self.caught.pop()
            return
        except BaseException:
            self._trying -= 1
            raise
        self._trying -= 1

    _trying = 0

    def _timed(self, statement: s.Statement) -> None:
        """Carry out one statement and put it in the request log."""
        started = time.perf_counter()
        self.statement_time = t.now_utc()
        try:
            self._execute(statement)
        except SqlError as error:
            error.line = error.line or statement.line
            self._failed(error, statement.label, started)
        except sqlite3.Error as error:
            self._failed(self._translated(error), statement.label, started)
        else:
            self.last_error = 0
            self.record(statement.label, 0, (time.perf_counter() - started) * 1000)

    def _failed(self, error: SqlError, label: str, started: float) -> None:
        """Report an error of a statement; go on with the next one only where SQL Server does."""
        self.record(label, error.number, (time.perf_counter() - started) * 1000)
        self.last_error = error.number
        if self.set_options["XACT_ABORT"] == "ON" and error.severity > 10:
            error.ends_batch = True
            if self.transactions.depth and not self._trying:
                self.transactions.rollback()
        if self._trying:
            raise error
        self.reply.error(error)
        self.reply.done(failed=True)
        if error.ends_session:
            raise error
        if error.ends_batch:
            raise EndOfBatch

    def _translated(self, error: sqlite3.Error) -> SqlError:
        """An error of SQLite as one of SQL Server. What is not foreseen goes to the log, not to the client."""
        raised, self._raised = self._raised, None
        if raised is not None:
            return raised
        if self.cancelled.is_set():
            raise Cancelled from error
        text = str(error)
        if "integer overflow" in text:
            return errors.arithmetic_overflow("expression", "bigint")
        if "parser stack overflow" in text or "too many" in text or "Expression tree" in text:
            return SqlError(
                8623, "The query processor ran out of internal resources and could not produce a query plan."
            )
        if "database or disk is full" in text:
            return SqlError(40544, f"The database '{self.database.name}' has reached its size quota.", 17)
        logger.error("statement failed in the store: %s", text)
        return SqlError(8630, "Internal Query Processor Error: The query processor encountered an unexpected error during "
                        "execution.", 17)  # fmt: skip

    def _execute(self, statement: s.Statement) -> None:
        match statement:
            case s.Query():
                self._begin_implicitly()
                self._data(statement)
            case s.Declare():
                self._declare(statement)
            case s.SetVariable():
                kind = self.variable_types.get(catalog.fold(statement.variable))
                if kind is None:
                    raise errors.undeclared_variable(f"@{statement.variable}")
                self.variables[catalog.fold(statement.variable)] = self.evaluate(statement.value, kind)
                self.reply.done()
            case s.SetOption():
                self._set_option(statement)
            case s.Print():
                text = self.evaluate(statement.value, t.nvarchar(4000))
                self.reply.message(0, 1, 0, str(text if text is not None else " "), statement.line)
                self.reply.done()
            case s.Raise():
                self._raise(statement)
            case s.Transaction():
                self._transaction(statement)
            case s.Execute():
                procedures.execute(self, statement)
            case s.Use():
                if catalog.fold(statement.database) != catalog.fold(self.database.name):
                    raise errors.use_refused()
                self.reply.done()
            case (
                s.CreateLogin() | s.AlterLogin() | s.DropLogin() | s.CreateDatabase() | s.DropDatabase()
                | s.AlterDatabase()
            ):  # fmt: skip
                if self.transactions.depth and not isinstance(statement, s.AlterDatabase):
                    raise SqlError(
                        226, f"{statement.label} statement not allowed within multi-statement transaction.", 16, 6
                    )
                self.catalog_now()
                security.execute_server(self, statement)
                self.reply.done()
            case _:
                self._begin_implicitly()
                with self.transactions.writes():
                    self.catalog_now()
                    definitions.execute(self, statement)
                    security.execute(self, statement)
                self._permissions = None
                self.reply.done()

    def _begin_implicitly(self) -> None:
        if self.set_options["IMPLICIT_TRANSACTIONS"] == "ON" and not self.transactions.depth:
            self.transactions.begin()

    # SELECT, INSERT, UPDATE, DELETE, MERGE

    def _data(self, statement: s.Query) -> None:
        if statement.label == "SELECT":
            with self.transactions.reads():
                plan = self._plan(statement)
                self._check(plan.program)
                assert plan.query is not None  # noqa: S101 - a SELECT is a query
                self._select(plan.query, plan.program)
            return
        with self.transactions.writes():
            plan = self._plan(statement)
            self._check(plan.program)
            self._prepare(plan.program)
            assert plan.change is not None  # noqa: S101 - everything else is a change
            values = plan.program.values(self)
            count = writes.execute(self.connection, self, plan.change, values)
        self.row_count = count
        quiet = self.set_options["NOCOUNT"] == "ON"
        self.reply.done(statement.label, None if quiet else count)

    def _select(self, query: queries.Compiled, program: Program) -> None:
        self._prepare(program)
        cursor = self.connection.execute(query.sql, program.values(self))
        try:
            # The first row is computed before the columns are told, so that an error of it comes alone.
            first = cursor.fetchone()
            self.reply.columns(query.columns)
            count = 0
            row = first
            while row is not None:
                self.reply.row(row)
                count += 1
                if count % 256 == 0:
                    self.check_cancelled()
                row = cursor.fetchone()
        finally:
            cursor.close()
        self.row_count = count
        self.reply.done("SELECT", count)

    def compiler(self, *, describe: bool = False) -> Expressions:
        return Expressions(
            self.catalog, self.database.name, self.default_schema, self.variable_types, describe=describe
        )

    def _plan(self, statement: s.Query) -> _Plan:
        """The compiled statement; compiled again when the catalog or the types of variables have changed."""
        self.catalog_now()
        key = (id(statement), self._catalog.version, self.default_schema, tuple(self.variable_types.items()))
        found = self._plans.get(key)
        if found is not None and found.statement is statement:
            self._plans.move_to_end(key)
            return found
        compiler = self.compiler()
        query, change = None, None
        if statement.label == "SELECT":
            query = queries.compile_query(compiler, statement.tree)
        else:
            change = changes.compile_change(compiler, statement.tree)
        plan = _Plan(statement, change, query, compiler.program)
        self._plans[key] = plan
        if len(self._plans) > _PLANS:
            self._plans.popitem(last=False)
        return plan

    def _check(self, program: Program) -> None:
        """The permissions that the statement needs, asked each time it runs."""
        held = self.permissions
        if held.is_dbo or self._chain:
            return
        for demand in program.demands:
            held.require(demand.permission, permissions.of_object(demand.object))

    def _prepare(self, program: Program) -> None:
        """Functions and system rows that the compiled text refers to."""
        for label, (count, function) in program.functions.items():
            if self._functions.get(label) is not function:
                self.connection.create_function(label, count, self._guarded(function))
                self._functions[label] = function
        for wanted in program.system_rows:
            self._fill(wanted.table, system_views.get(wanted.view), [slot(self) for slot in wanted.arguments])

    def _guarded(self, function: Callable[..., Stored]) -> Callable[..., Stored]:
        """SQLite tells only that a function failed: keep the error, so that the client gets it."""

        def call(*values: Stored) -> Stored:
            try:
                return function(self, *values)
            except SqlError as error:
                self._raised = error
                raise

        return call

    def _fill(self, table: str, view: system_views.SystemView, arguments: list[Stored]) -> None:
        if table not in self._filled:
            texts = ", ".join(
                f"c{number}{' COLLATE tsql' if column.type.name in t.STRINGS else ''}"
                for number, column in enumerate(view.columns, 1)
            )
            self.connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
            self.connection.execute(f"CREATE TEMP TABLE {table} ({texts})")
            self._filled[table] = (0, None)
        marks = ", ".join("?" * len(view.columns))
        self.connection.execute(f"DELETE FROM temp.{table}")  # noqa: S608 - our own name
        self.connection.executemany(f"INSERT INTO temp.{table} VALUES ({marks})", view.rows(self, *arguments))  # noqa: S608

    # Expressions outside queries

    def evaluate(self, node: exp.Expr, kind: SqlType) -> Stored:
        """The value of an expression as `kind`."""
        with self.transactions.reads():
            self.catalog_now()
            compiler = self.compiler()
            bound = compiler.value(node, queries.Scope())
            bound = compiler.program.convert(bound, kind)
            return self._single(compiler.program, bound)

    def evaluate_as_is(self, node: exp.Expr) -> tuple[SqlType, Stored]:
        with self.transactions.reads():
            self.catalog_now()
            compiler = self.compiler()
            bound = compiler.value(node, queries.Scope())
            return bound.type, self._single(compiler.program, bound)

    def _single(self, program: Program, bound: Bound) -> Stored:
        self._check(program)
        self._prepare(program)
        if bound.slot is not None:
            return bound.slot(self)
        found: Stored = self.connection.execute(f"SELECT {bound.sql}", program.values(self)).fetchone()[0]
        return found

    def _test(self, node: exp.Expr, statement: s.Statement) -> bool:
        started = time.perf_counter()
        try:
            with self.transactions.reads():
                self.catalog_now()
                compiler = self.compiler()
                text = compiler.condition(node, queries.Scope())
                return bool(self._single(compiler.program, Bound(text, t.BIT)))
        except SqlError as error:
            error.line = error.line or statement.line
            self._failed(error, statement.label, started)
        except sqlite3.Error as error:
            self._failed(self._translated(error), statement.label, started)
        raise EndOfBatch  # a condition without a value leaves nothing to choose

    def declare(self, name: str, kind: SqlType, value: Stored) -> None:
        self.variable_types[catalog.fold(name)] = kind
        self.variables[catalog.fold(name)] = value

    def _declare(self, statement: s.Declare) -> None:
        for name, kind, value in statement.variables:
            if catalog.fold(name) in self.variable_types:
                raise SqlError(
                    134, f"The variable name '@{name}' has already been declared. Variable names must be unique within a "
                    "query batch or stored procedure.", 15, 2, ends_batch=True,
                )  # fmt: skip
            self.declare(name, kind, self.evaluate(value, kind) if value is not None else None)

    def _raise(self, statement: s.Raise) -> None:
        if statement.rethrow:
            if not self.caught:
                raise SqlError(10704, "To rethrow an error, a THROW statement must be used inside a CATCH block.", 15)
            number, severity, state, message, line, _ = self.caught[-1]
            error = SqlError(number, message, severity, state, ends_batch=True)
            error.line = line
            raise error
        assert statement.message is not None  # noqa: S101 - only a bare THROW has none
        text = str(self.evaluate(statement.message, t.nvarchar(2048)))
        state = int(self.evaluate(statement.state, t.INT) or 0) if statement.state is not None else 1
        if statement.number is not None:
            number = int(self.evaluate(statement.number, t.INT) or 0)
            if number < 50000:
                raise SqlError(35100, f"Error number {number} in the THROW statement is outside the valid range. Specify "
                               "an error number in the valid range of 50000 to 2147483647.")  # fmt: skip
            raise SqlError(number, text, 16, state, ends_batch=True)
        assert statement.severity is not None  # noqa: S101 - RAISERROR always has one
        severity = int(self.evaluate(statement.severity, t.INT) or 0)
        if severity > 18:
            raise SqlError(2754, "Error severity levels greater than 18 can only be specified by members of the sysadmin "
                           "role, using the WITH LOG option.")  # fmt: skip
        if severity <= 10:
            self.reply.message(50000, state, severity, text, statement.line)
            self.reply.done()
            return
        raise SqlError(50000, text, severity, state)

    # Settings and transactions

    def _set_option(self, statement: s.SetOption) -> None:
        for option in statement.option.split(","):
            self._set_one(option.strip(), statement.value)
        self.reply.done()

    def _set_one(self, option: str, value: str) -> None:
        if option not in _OPTIONS:
            raise errors.unsupported_option(f"SET {option}")
        value = value.strip("'")
        fixed = _FIXED_OPTIONS.get(option)
        if fixed is not None and value.upper() != fixed:
            raise errors.unsupported_option(f"SET {option} {value}")
        if option == "LOCK_TIMEOUT":
            milliseconds = int(value.replace(" ", ""))
            self.transactions.lock_timeout = None if milliseconds < 0 else milliseconds / 1000
        self.set_options[option] = value

    def _transaction(self, statement: s.Transaction) -> None:
        match statement.action:
            case "BEGIN":
                self.transactions.begin()
            case "COMMIT":
                self.transactions.commit()
            case "SAVE":
                self.transactions.save(statement.name)
            case "ROLLBACK" if statement.name:
                self.transactions.rollback_to(statement.name)
            case "ROLLBACK":
                self.transactions.rollback()
        self.reply.done()

    # Procedures

    @contextlib.contextmanager
    def inside_procedure(self, name: str, schema: str, values: Mapping[str, tuple[SqlType, Stored]]):  # type: ignore[no-untyped-def]
        """Variables of its own, its schema first, and its owner's right to the objects it names."""
        if len(self._chain) >= _DEEPEST_CALL:
            raise SqlError(
                217, "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).",
                ends_batch=True,
            )  # fmt: skip
        outer = self.variables, self.variable_types, self.reply.procedure
        self.variables = {catalog.fold(key): value for key, (_, value) in values.items()}
        self.variable_types = {catalog.fold(key): kind for key, (kind, _) in values.items()}
        self._chain.append(schema)
        self.reply.procedure = name
        self.reply.calls += 1
        try:
            yield
        finally:
            self.reply.calls -= 1
            self._chain.pop()
            self.variables, self.variable_types, self.reply.procedure = outer

    def run_body(self, body: Sequence[s.Statement]) -> int:
        """A procedure's body; its return value."""
        try:
            self.run_statements(body)
        except _Leave as leave:
            return leave.value
        return 0

    def next_handle(self) -> int:
        self._handles += 1
        return self._handles

    def coerce(self, kind: SqlType, value: Stored, target: SqlType) -> Stored:
        """A parameter's value as the declared type."""
        if value is None or kind == target:
            return value
        convert = converter(kind, target)
        return convert(value) if convert is not None else value


class EndOfBatch(Exception):  # noqa: N818 - an error that has been reported ends the batch
    pass
