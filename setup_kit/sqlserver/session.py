"""One connection to one database, opened when first used and again when it broke."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from setup_kit import known_errors
from setup_kit.sqlserver.connection import Connection, Cursor, SqlError, load_pyodbc
from setup_kit.sqlserver.errors import ALREADY_EXISTS, ALREADY_GONE, LOGGED_IN, kit_error, without_secrets
from setup_kit.sqlserver.retry import Retry
from setup_kit.sqlserver.templates import Batch

T = TypeVar("T")

log = logging.getLogger(__name__)

# For how long a statement may run, and for how long a passing fault is ridden out, in seconds.
STATEMENT = 120
TRANSIENT_PATIENCE = 120.0


class Session:
    """Used by one thread at a time: others wait. `label` says to people where it is and as whom.

    `connect` logs in; it raises what `SqlSessions` made of the refusal.
    """

    def __init__(self, label: str, connect: Callable[[], Connection], retry: Retry) -> None:
        self.label = label
        self._connect = connect
        self._retry = retry
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        # For queries: a cursor that stays open has its next statement prepared along with the last one's release,
        # while closing it costs a round trip.
        self._reader: Cursor | None = None

    def open(self) -> None:
        """Logs in, unless that was done."""
        with self._lock:
            if self._connection is None:
                self._connection = self._connect()
                self._connection.timeout = STATEMENT

    def rows(self, query: str, *parameters: str | int | bool | None, doing: str) -> list[Any]:
        """The rows of a query, which changes nothing and so is asked again when the connection broke.

        `doing`: "read the grants of 'dataexport'". Raises KitError.
        """

        def ask(connection: Connection, _: int) -> list[Any]:
            if self._reader is None:
                self._reader = connection.cursor()
            try:
                return self._reader.execute(query, *parameters).fetchall()
            except load_pyodbc().Error:
                self._reader = None
                raise

        return self._call(ask, doing, None)

    def run(self, batch: Batch, *, doing: str) -> None:
        """Sends a batch that returns nothing. Raises KitError, without what the batch holds of secrets."""

        done_before = ALREADY_GONE if batch.name.startswith("drop_") else ALREADY_EXISTS

        def send(connection: Connection, number: int) -> None:
            cursor = connection.cursor()
            try:
                cursor.execute(batch.text)
                # A later statement's error arrives with its result.
                while cursor.nextset():
                    pass
            except load_pyodbc().Error as error:
                if number > 1 and SqlError.of(error).number in done_before:
                    log.info("%s: done by the attempt whose answer was lost", doing)
                    return
                raise
            finally:
                cursor.close()

        self._call(send, doing, batch)
        log.debug("%s: %s", self.label, batch.name)

    def close(self) -> None:
        with self._lock:
            connection, self._connection, self._reader = self._connection, None, None
            if connection is not None:
                try:
                    connection.close()
                except load_pyodbc().Error as error:
                    log.debug("%s: closing: %s", self.label, SqlError.of(error))

    def _call(self, use: Callable[[Connection, int], T], doing: str, batch: Batch | None) -> T:
        secrets = batch.secrets if batch is not None else ()

        def attempt(number: int) -> T:
            self.open()
            assert self._connection is not None  # noqa: S101 - open() makes it, and the lock is held
            failure: SqlError
            try:
                return use(self._connection, number)
            except load_pyodbc().Error as error:
                failure = without_secrets(SqlError.of(error), secrets)
            # Raised out here so that the driver's own error, which may quote the statement, is not chained to it.
            if failure.transient:
                self.close()
            raise failure

        with self._lock:
            refusal: SqlError
            try:
                return self._retry.call(attempt, _patience, f"{self.label}: {doing}")
            except SqlError as error:
                refusal = error
            raise kit_error(refusal, f"could not {doing} ({self.label})")


def _patience(error: SqlError) -> float:
    if error.transient:
        return TRANSIENT_PATIENCE
    return known_errors.ridden_out("sql", error.number) if error.number == LOGGED_IN else 0.0
