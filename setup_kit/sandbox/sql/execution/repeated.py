"""One prepared INSERT called many times in one message, which is how drivers send many rows at once.

Such calls are carried out in chunks, as one statement of SQLite. A chunk in which anything goes wrong is taken back and
carried out call by call, so that every call has its own answer, and its own error, as if there were no chunks.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql.errors import SqlError
from setup_kit.sandbox.sql.execution import procedures
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.tds.parameters import Call, Calls
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.conversions import converter
from setup_kit.sandbox.sql.values.types import SqlType, Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_CHUNK = 500


def run(session: Session, first: Call, calls: Calls) -> None:
    """Carry out the calls that follow `first` as long as they differ from it in their values alone."""
    if first.procedure_id != procedures.EXECUTE_PREPARED:
        return
    insert = _prepared_insert(session, first)
    while insert is not None and (chunk := calls.repeats(_CHUNK)):
        session.check_cancelled()
        if not insert.write(session, chunk):
            for values in chunk:
                procedures.run_call(session, calls.like_last(values))


class _Insert:
    """A prepared INSERT of one row; `given` are the types of the values that come, `declared` those they take."""

    def __init__(
        self, handle: Stored, statement: s.Query, declared: Sequence[tuple[str, SqlType]], given: Sequence[SqlType]
    ) -> None:
        self._handle = handle
        self._statement = statement
        self._declared = declared
        self._converters = [converter(kind, wanted) for kind, (_, wanted) in zip(given, declared, strict=True)]

    def write(self, session: Session, chunk: Sequence[Sequence[Stored]]) -> bool:
        """False when nothing has been done; where there may be faults, each call is to meet its own."""
        if session.instance.faults.active:
            return False
        handles, *columns = zip(*chunk, strict=True)
        if handles.count(self._handle) != len(chunk):
            return False
        started = time.perf_counter()
        session.statement_time = t.now_utc()
        session.interpreter.begin_implicitly()
        variables: dict[str, tuple[SqlType, Sequence[Stored]]] = {}
        try:
            for (name, kind), convert, column in zip(self._declared, self._converters, columns, strict=True):
                converted = [value if value is None else convert(value) for value in column] if convert else column
                variables[name] = kind, converted
            written = session.executor.insert_many(self._statement, variables, len(chunk))
        except (SqlError, sqlite3.Error):
            session.executor.raised = None
            return False
        if written:
            counted = None if session.options["NOCOUNT"] == "ON" else 1
            session.reply.calls_done(self._statement.label, counted, len(chunk))
            session.row_count, session.last_error = 1, 0
            session.record(self._statement.label, 0, (time.perf_counter() - started) * 1000, "")
        return written


def _prepared_insert(session: Session, call: Call) -> _Insert | None:
    if not call.parameters:
        return None
    handle, *given = call.parameters
    prepared = session.prepared.get(handle.value)
    if prepared is None or prepared.is_procedure or len(given) != len(prepared.parameters):
        return None
    if any(p.name or p.output or p.default for p in given):
        return None
    try:
        batch = parser.parse_batch(prepared.text)
        if len(batch) == 1 and isinstance(batch[0], s.Query) and batch[0].label == "INSERT":
            declared = [(name, kind) for name, kind, _ in prepared.parameters if isinstance(kind, SqlType)]
            if len(declared) < len(prepared.parameters):
                return None
            return _Insert(handle.value, batch[0], declared, [p.type for p in given])
    except SqlError:  # calling it one by one tells
        pass
    return None
