"""The answer to one request: tokens in the order in which MS-TDS wants them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.errors import SqlError
from setup_kit.sandbox.sql.tds import encoding, tokens
from setup_kit.sandbox.sql.tds.tokens import Column
from setup_kit.sandbox.sql.values.types import SqlType, Stored

#: Tokens are handed on in pieces of this size, so that a large result never lies in memory whole.
PIECE = 32 * 1024


@lru_cache(maxsize=1024)
def _described(columns: tuple[Column, ...]) -> tuple[bytes, Callable[[Sequence[Stored]], bytes]]:
    """COLMETADATA and what encodes the rows: the same results come again and again."""
    return tokens.column_metadata(columns), tokens.row_encoder(columns)


class Reply:
    """Gathers tokens and hands them on in pieces; `send` waits while the client is slow.

    A DONE token says whether another follows, so the last one is kept back until that is known.
    """

    def __init__(self, send: Callable[[bytes], None], server: str, piece: int = PIECE) -> None:
        self._send = send
        self._piece = piece
        self._server = server
        self._buffer = bytearray()
        self._held: tuple[int, int, str, int] | None = None
        self._columns: tuple[Column, ...] = ()
        self._encode_row: Callable[[Sequence[Stored]], bytes] | None = None
        self.calls = 0  # how deep inside procedures: their statements end in DONEINPROC
        self.procedure = ""
        self.in_transaction: Callable[[], bool] = lambda: False
        self.first_error = 0

    def add(self, token: bytes) -> None:
        if self._held is not None:
            kind, status, command, rows = self._held
            self._held = None
            among = tokens.DONE_AMONG_CALLS if kind == tokens.DONE_PROCEDURE else 0
            self._buffer += tokens.done(kind, status | tokens.DONE_MORE | among, command, rows)
        self._buffer += token
        while len(self._buffer) > self._piece:
            data = bytes(self._buffer[: self._piece])
            del self._buffer[: self._piece]
            self._send(data)

    def columns(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        metadata, self._encode_row = _described(self._columns)
        self.add(metadata)

    def row(self, values: Sequence[Stored]) -> None:
        assert self._encode_row is not None  # noqa: S101 - columns come first
        try:
            row = self._encode_row(values)
        except (struct.error, OverflowError, ValueError) as error:  # a value that its type does not hold
            raise errors.arithmetic_overflow("expression", self._first_unfit(values)) from error
        self.add(row)

    def _first_unfit(self, values: Sequence[Stored]) -> str:
        for column, value in zip(self._columns, values, strict=True):
            try:
                encoding.encoder(column.type)(value)
            except (struct.error, OverflowError, ValueError):
                return column.type.name
        return "sql_variant"

    def error(self, error: SqlError) -> None:
        self.first_error = self.first_error or error.number
        for one in (error, *error.also):
            self.message(one.number, one.state, one.severity, one.message, error.line or 1)

    def message(self, number: int, state: int, severity: int, text: str, line: int = 1) -> None:
        self.add(tokens.message(number, state, severity, text, self._server, self.procedure, line))

    def done(self, command: str = "", rows: int | None = None, *, failed: bool = False) -> None:
        """The end of one statement; `rows` None when it does not count any."""
        kind = tokens.DONE_IN_PROCEDURE if self.calls else tokens.DONE
        self._hold(kind, command, rows, failed=failed)

    def done_call(self, *, failed: bool = False) -> None:
        """The end of a remote procedure call."""
        self._hold(tokens.DONE_PROCEDURE, "", None, failed=failed)

    def calls_done(self, command: str, rows: int | None, times: int) -> None:
        """The ends of `times` calls, each of one statement that touched as many rows, and of return value 0."""
        self.add(b"")
        counted = tokens.DONE_COUNT if rows is not None else 0
        status = tokens.DONE_MORE | (tokens.DONE_IN_TRANSACTION if self.in_transaction() else 0)
        inner = tokens.done(tokens.DONE_IN_PROCEDURE, status | counted, command, rows or 0) + tokens.return_status(0)
        outer = tokens.done(tokens.DONE_PROCEDURE, status | tokens.DONE_AMONG_CALLS)
        self.add((inner + outer) * (times - 1) + inner)
        self.done_call()

    def _hold(self, kind: int, command: str, rows: int | None, *, failed: bool) -> None:
        self.add(b"")
        status = (tokens.DONE_COUNT if rows is not None else 0) | (tokens.DONE_ERROR if failed else 0)
        if self.in_transaction():
            status |= tokens.DONE_IN_TRANSACTION
        self._held = (kind, status, command, rows or 0)

    def return_status(self, value: int) -> None:
        self.add(tokens.return_status(value))

    def return_value(self, ordinal: int, name: str, kind: SqlType, value: Stored) -> None:
        self.add(tokens.return_value(ordinal, name, kind, value))

    def break_off(self) -> bytes:
        """The rest of the tokens that were begun, and the acknowledgement of the client's attention."""
        self._held = None
        data, self._buffer = bytes(self._buffer), bytearray()
        return data + tokens.done(tokens.DONE, tokens.DONE_ATTENTION)

    def finish(self) -> bytes:
        """The rest of the answer; its last DONE says that nothing follows."""
        if self._held is None:
            self._held = (tokens.DONE, 0, "", 0)
        kind, status, command, rows = self._held
        self._held = None
        if kind == tokens.DONE_IN_PROCEDURE:
            self._buffer += tokens.done(kind, status | tokens.DONE_MORE, command, rows)
            kind, status, command, rows = tokens.DONE_PROCEDURE, 0, "", 0
        self._buffer += tokens.done(kind, status, command, rows)
        data, self._buffer = bytes(self._buffer), bytearray()
        return data
