"""Statements one after another: flow, variables, settings, and what happens to the batch when one fails."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.errors import Cancelled, EndOfBatch, SqlError
from setup_kit.sandbox.sql.execution import (
    administration,
    assigning,
    bulk,
    definitions,
    inserting,
    options,
    principals,
    procedures,
    tables,
)
from setup_kit.sandbox.sql.execution.objects import require_type, resolve_type
from setup_kit.sandbox.sql.language import dialect, parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.language import statements_security as ss
from setup_kit.sandbox.sql.messages import MESSAGES, fill
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.values import moments
from setup_kit.sandbox.sql.values import types as t

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

logger = logging.getLogger(__name__)

#: Errors that end the batch and its transaction whatever XACT_ABORT says: conversions that fail, procedures nested too
#: deeply, the choice of a victim.
_ENDING_TRANSACTIONS = frozenset({217, 241, 244, 245, 248, 1205, 3960})
_ON_THE_SERVER = (
    ss.CreateLogin, ss.AlterLogin, ss.DropLogin, ss.AlterServerRole, ss.CreateDatabase, ss.DropDatabase,
    ss.AlterDatabase,
)  # fmt: skip


class _Leave(Exception):  # noqa: N818 - BREAK, CONTINUE and RETURN on their way out
    def __init__(self, kind: str, value: int = 0) -> None:
        self.kind = kind
        self.value = value


class Interpreter:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._trying = 0  # how deep inside TRY: errors are raised to it, not reported

    def run_text(self, text: str) -> None:
        """Read a text and run it."""
        try:
            batch = parser.parse_batch(text)
            if len(batch) > 1 and not self._session.virtual_machine:
                _check_alone(batch)
        except (SqlError, RecursionError) as error:
            self._fail(_told(error), "BATCH", time.perf_counter(), heeds_xact_abort=False)
            return
        with contextlib.suppress(_Leave):
            self._run_all(batch)

    def run_body(self, body: Sequence[s.Statement]) -> int:
        """A procedure's body; gives its return value."""
        try:
            self._run_all(body)
        except _Leave as leave:
            return leave.value
        return 0

    def _run_all(self, batch: Sequence[s.Statement]) -> None:
        for statement in batch:
            self.run_statement(statement)

    def run_statement(self, statement: s.Statement) -> None:
        """One statement; one of flow runs those inside it."""
        self._session.check_cancelled()
        match statement:
            case s.Block():
                self._run_all(statement.body)
            case s.If():
                chosen = statement.then if self._holds(statement.condition, statement) else statement.otherwise
                if chosen is not None:
                    self.run_statement(chosen)
            case s.While():
                self._while(statement)
            case s.Try():
                self._try(statement)
            case s.Leave():
                raise _Leave(statement.kind, self._integer(statement.value))
            case _:
                self._timed(statement)

    def _integer(self, node: exp.Expr | None) -> int:
        value = self._session.executor.evaluate(node, t.INT) if node is not None else None
        return value if isinstance(value, int) else 0

    def _while(self, statement: s.While) -> None:
        while self._holds(statement.condition, statement):
            self._session.check_cancelled()
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
            self._run_all(statement.body)
        except SqlError as caught:
            error = caught
        else:
            return
        finally:
            self._trying -= 1
        if error.ends_session:
            raise error
        if self._ends_transaction(error):
            self._session.transactions.doom()
        shown = (error.number, error.severity, error.state, error.message, error.line or 1, error.procedure)
        self._session.caught.append(shown)
        try:
            self._run_all(statement.handler)
        finally:
            self._session.caught.pop()

    def _holds(self, node: exp.Expr, statement: s.Statement) -> bool:
        started = time.perf_counter()
        try:
            return self._session.executor.test(node)
        except (SqlError, sqlite3.Error, RecursionError) as error:
            self._fail(self._translated(error, statement), statement.label, started)
        raise EndOfBatch  # a condition without a value leaves nothing to choose

    def _timed(self, statement: s.Statement) -> None:
        """Carry out one statement and put it in the request log."""
        session = self._session
        started = time.perf_counter()
        session.statement_time = t.now_utc()
        fault = session.meet_fault(statement.label)
        met = fault.id if fault is not None else ""
        try:
            if fault is not None:
                session.suffer(fault)
            self._execute(statement)
        except (SqlError, sqlite3.Error, RecursionError) as error:
            self._fail(self._translated(error, statement), statement.label, started, fault=met)
        else:
            session.last_error = 0
            session.record(statement.label, 0, (time.perf_counter() - started) * 1000, met)

    # Errors

    def _ends_transaction(self, error: SqlError) -> bool:
        """Whether an error takes the whole transaction back; XACT_ABORT makes most do so, but not RAISERROR."""
        if error.number in _ENDING_TRANSACTIONS:
            return True
        return self._session.options["XACT_ABORT"] == "ON" and error.severity > 10 and not error.raised

    def _fail(
        self, error: SqlError, label: str, started: float, *, heeds_xact_abort: bool = True, fault: str = ""
    ) -> None:
        """Report a statement's error. Where SQL Server goes on with the next statement this returns.

        What is found wrong before the batch has begun does not heed XACT_ABORT.
        """
        session = self._session
        session.record(label, error.number, (time.perf_counter() - started) * 1000, fault)
        session.last_error = error.number
        aborts = heeds_xact_abort and self._ends_transaction(error)
        if self._trying:
            raise error
        if aborts and session.transactions.depth:
            session.transactions.rollback()
        session.reply.error(error)
        session.reply.done(failed=True)
        if error.ends_session:
            raise error
        if error.ends_batch or aborts:
            raise EndOfBatch

    def _translated(self, error: SqlError | sqlite3.Error | RecursionError, statement: s.Statement) -> SqlError:
        """An error with its line. One of SQLite that is not foreseen goes to the log, not to the client."""
        found = self._of_store(error) if isinstance(error, sqlite3.Error) else _told(error)
        if not found.line:
            found.line, found.procedure = statement.line, self._session.reply.procedure
        return found

    def _of_store(self, error: sqlite3.Error) -> SqlError:
        raised, self._session.executor.raised = self._session.executor.raised, None
        if raised is not None:
            return raised
        if self._session.cancelled.is_set():
            raise Cancelled from error
        text = str(error)
        if "integer overflow" in text:
            return errors.arithmetic_overflow("expression", "bigint")
        if "stack overflow" in text or "Expression tree" in text:
            return errors.too_deep()
        if "too many" in text:
            return errors.error(8623)
        if "too big" in text:
            return errors.error(701, "default")
        if "disk is full" in text:
            return errors.error(40544, self._session.database.name)
        logger.error("a statement failed in the store: %s", text)
        return errors.error(8630, "80000000")

    # Single statements

    def _execute(self, statement: s.Statement) -> None:
        session = self._session
        match statement:
            case s.Query():
                self.begin_implicitly(statement)
                session.executor.run(statement)
                return
            case s.Assign():
                self.begin_implicitly()
                assigning.assign(session, statement)
                return
            case s.SelectInto():
                self.begin_implicitly()
                assigning.select_into(session, statement)
                return
            case s.InsertBulk():
                bulk.prepare(session, statement)
            case s.BulkRows():
                self.begin_implicitly()
                session.row_count = bulk.load(session, statement)
                session.reply.done("INSERT", session.row_count)
                return
            case s.Execute():
                procedures.execute(session, statement)
                return
            case s.InsertExecute():
                self.begin_implicitly()
                inserting.insert_execute(session, statement)
                return
            case so.DeclareTable():
                if session.local_tables.find(f"@{statement.variable}") is None:
                    tables.create_local(session, f"@{statement.variable}", statement.columns, statement.constraints)
            case s.Declare():
                self._declare(statement)
            case s.SetVariable():
                kind = session.variable_types.get(fold(statement.variable))
                if kind is None:
                    raise errors.undeclared_variable(f"@{statement.variable}")
                value = dialect.compound(statement.variable, statement.operator, statement.value)
                session.variables[fold(statement.variable)] = session.executor.evaluate(value, kind)
            case s.WaitFor():
                self._wait(statement)
            case s.SetIdentityInsert():
                options.set_identity_insert(session, statement)
            case s.SetOption():
                options.set_option(session, statement)
            case s.Print():
                text = session.executor.evaluate(statement.value, t.nvarchar(4000))
                session.reply.message(0, 1, 0, " " if text is None else str(text), statement.line)
            case s.Raise():
                self._raise(statement)
            case s.Transaction():
                self._transaction(statement)
            case s.Use():
                if session.virtual_machine:
                    session.use(statement.database)
                elif fold(statement.database) != fold(session.database.name):
                    raise errors.use_refused()
            case _ if isinstance(statement, _ON_THE_SERVER):
                if session.transactions.depth:
                    raise errors.error(226, statement.label)
                session.catalog_now()
                administration.execute(session, statement)
            case _:
                self.begin_implicitly()
                with session.transactions.writes():
                    session.catalog_now()
                    if not principals.execute(session, statement):
                        definitions.execute(session, statement)
        session.reply.done()

    def begin_implicitly(self, statement: s.Query | None = None) -> None:
        """Under SET IMPLICIT_TRANSACTIONS ON a statement on tables or definitions begins a transaction."""
        if self._session.options["IMPLICIT_TRANSACTIONS"] != "ON" or self._session.transactions.depth:
            return
        if statement is None or statement.label != "SELECT" or statement.tree.find(exp.Table) is not None:
            self._session.transactions.begin()

    def _declare(self, statement: s.Declare) -> None:
        session = self._session
        for number, (name, written, value) in enumerate(statement.variables, 1):
            session.catalog_now()
            declared = resolve_type(session, written, number)
            if declared.table is not None:
                require_type(session, "EXECUTE", declared.table)
                if session.local_tables.find(f"@{name}") is None:
                    kind = declared.table
                    session.local_tables.create(f"@{name}", kind.columns, kind.keys, kind.checks)
                continue
            # In a loop a declaration without a value leaves the variable as it is.
            if value is not None or fold(name) not in session.variable_types:
                found = session.executor.evaluate(value, declared.type) if value is not None else None
                session.variable_types[fold(name)] = declared.type
                session.variables[fold(name)] = found

    def _wait(self, statement: s.WaitFor) -> None:
        """WAITFOR: a delay of less than 24 hours, or a time of day (148 for anything else); an attention ends it."""
        session = self._session
        text = session.executor.evaluate(statement.value, t.nvarchar(30))
        try:
            ticks = moments.parse(str(text)) % t.TICKS_PER_DAY
        except SqlError:
            raise errors.error(148, f"{text!s}") from None
        if statement.kind == "TIME":
            ticks = (ticks - t.now_utc()) % t.TICKS_PER_DAY
        session.pause(ticks / t.TICKS_PER_SECOND)

    def _raise(self, statement: s.Raise) -> None:
        session = self._session
        if statement.message is None:  # THROW alone
            if not session.caught:
                raise errors.error(10704)
            number, severity, state, message, line, _ = session.caught[-1]
            error = SqlError(number, message, severity, state, ends_batch=True)
            error.line = line
            raise error
        kind, given = session.executor.evaluate_as_is(statement.message)
        severity, state = self._integer(statement.severity), self._integer(statement.state)
        number = self._integer(statement.number) if statement.number is not None else 50000
        if statement.number is None and kind.name in t.INTEGERS:
            known = MESSAGES.get(int(given or 0))
            if known is None:
                raise errors.error(18054, given, severity, state)
            number, text = int(given or 0), known.text
            severity = known.severity if severity < 0 else severity
        else:
            text = str(session.executor.evaluate(statement.message, t.nvarchar(2048)))
        if statement.number is None:
            values = [session.executor.evaluate_as_is(node)[1] for node in statement.arguments]
            text = fill(text, ["(null)" if value is None else value for value in values])
        # A negative state counts as 1, one above 255 as 255; a negative severity as 0 ("RAISERROR").
        severity, state = max(severity, 0), min(state, 255) if state >= 0 else 1
        if statement.number is not None:
            if number < 50000:
                raise errors.error(35100, number)
            raise SqlError(number, text, 16, state, ends_batch=True)
        if severity > 18:
            raise errors.error(2754, 18)
        if severity > 10:
            error = SqlError(number, text, severity, state)
            error.raised = True
            raise error
        session.reply.message(number, state, severity, text, statement.line)

    def _transaction(self, statement: s.Transaction) -> None:
        transactions = self._session.transactions
        match statement.action:
            case "BEGIN":
                self.begin_implicitly()  # which makes two of them, as in SQL Server
                transactions.begin(statement.name)
            case "COMMIT":
                transactions.commit()
            case "SAVE":
                transactions.save(statement.name)
            case "ROLLBACK" if statement.name:
                transactions.rollback_to(statement.name)
            case "ROLLBACK":
                transactions.rollback()


def _check_alone(batch: Sequence[s.Statement]) -> None:
    for statement in batch:
        if statement.alone_in_azure:
            raise errors.must_be_alone(statement.label)


def _told(error: SqlError | RecursionError) -> SqlError:
    """What is nested too deeply is told as such, wherever that was found."""
    return error if isinstance(error, SqlError) else errors.too_deep()
