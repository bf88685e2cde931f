"""INSERT … EXEC: the rows that a procedure or a text would send to the client go into a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.targets import count_error, find_target, left_out, named_columns
from setup_kit.sandbox.sql.execution import procedures, writes
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.tds.reply import Reply
from setup_kit.sandbox.sql.tds.tokens import Column
from setup_kit.sandbox.sql.values import conversions
from setup_kit.sandbox.sql.values.types import SqlType, Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


class _Captured(Reply):
    """Takes the rows of results, and hands messages and errors on to the client's reply."""

    def __init__(self, client: Reply, server: str) -> None:
        super().__init__(client.add, server)
        self._client = client
        self.calls, self.procedure, self.in_transaction = client.calls, client.procedure, client.in_transaction
        self.rows: list[tuple[Sequence[SqlType], Sequence[Stored]]] = []
        self._types: Sequence[SqlType] = ()

    def add(self, token: bytes) -> None:
        self._client.add(token)

    def columns(self, columns: Sequence[Column]) -> None:
        self._types = [column.type for column in columns]

    def row(self, values: Sequence[Stored]) -> None:
        self.rows.append((self._types, values))

    def done(self, command: str = "", rows: int | None = None, *, failed: bool = False) -> None:
        """Statements inside have no answers of their own."""

    def return_status(self, value: int) -> None:
        """Neither has the procedure."""


def insert_execute(session: Session, statement: s.InsertExecute) -> None:
    """8164 when one is inside another; 213 when a result has another number of columns."""
    client = session.reply
    if isinstance(client, _Captured):
        raise errors.error(8164)
    session.catalog_now()
    compiler = session.executor.compiler()
    target = find_target(compiler, statement.table)
    compiler.demand("INSERT", target.table)
    given = [column for column in target.table.columns if column.given]
    columns = named_columns(target, statement.columns) if statement.columns else given
    session.executor.check(compiler.program)
    session.reply = captured = _Captured(client, session.server.name)
    try:
        procedures.execute(session, statement.execute)
    finally:
        session.reply = client
        client.first_error = client.first_error or captured.first_error
    rest, filled, identity = left_out(compiler, target, columns)
    table = f"{session.database.name}.{target.shown}"

    def converted() -> Sequence[list[Stored]]:
        rows = []
        for types, values in captured.rows:
            if len(types) != len(columns):
                raise count_error(len(types), len(columns), named=False)
            makers = [
                conversions.column_converter(kind, column.type, table, column.name)
                for kind, column in zip(types, columns, strict=True)
            ]
            rows.append([make(v) if make and v is not None else v for make, v in zip(makers, values, strict=True)])
        return rows

    with session.transactions.writes():
        session.executor.ready(compiler.program)
        count = writes.fill(session, target, (*columns, *rest), converted(), filled, identity)
    session.row_count = count
    client.done("INSERT", None if session.options["NOCOUNT"] == "ON" else count)
