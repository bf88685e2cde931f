"""Transactions of one session: T-SQL's count of them over SQLite's one.

SQLite's transaction begins with the first write (`BEGIN IMMEDIATE`, under the database's writer lock); statements that
only read see what is committed when they begin, as under READ COMMITTED with row versioning.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.storage.store import WriterLock


class Transactions:
    """`depth` is @@TRANCOUNT.

    `changed` is called with begin, commit or rollback as the outermost one comes and goes, `rolled_back` when SQLite
    has gone back to an earlier state, `cancelled` to ask whether waiting has become pointless.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock: WriterLock,
        cancelled: Callable[[], bool],
        changed: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._cancelled = cancelled
        self._savepoints: list[str] = []
        self.depth = 0
        self.writing = False
        self.lock_timeout: float | None = None
        self.changed = changed
        self.rolled_back: Callable[[], None] = lambda: None

    def begin(self) -> None:
        self.depth += 1
        if self.depth == 1:
            self.changed("begin")

    def commit(self) -> None:
        """3902 without a transaction; only the outermost COMMIT writes."""
        if not self.depth:
            raise errors.SqlError(3902, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.")
        self.depth -= 1
        if not self.depth:
            self._end("COMMIT")
            self.changed("commit")

    def rollback(self) -> None:
        """3903 without a transaction; rolls back everything, whatever the depth."""
        if not self.depth:
            raise errors.SqlError(3903, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.")
        self.depth = 0
        self._end("ROLLBACK")
        self.changed("rollback")

    def save(self, name: str) -> None:
        if not self.depth:
            raise errors.SqlError(628, "Cannot issue SAVE TRANSACTION when there is no active transaction.")
        self._start_writing()
        self._savepoints.append(name.lower())
        self._connection.execute(f'SAVEPOINT "save{len(self._savepoints)}"')

    def rollback_to(self, name: str) -> None:
        """To a savepoint; 6401 when there is none of that name."""
        if name.lower() not in self._savepoints:
            raise errors.SqlError(
                6401, f"Cannot roll back {name}. No transaction or savepoint of that name was found.", 16
            )
        while self._savepoints[-1] != name.lower():
            self._savepoints.pop()
        self._connection.execute(f'ROLLBACK TO "save{len(self._savepoints)}"')
        self.rolled_back()

    def abandon(self) -> None:
        """Undo whatever is open: the client has gone or the connection is reset."""
        self.depth = 0
        self._end("ROLLBACK")

    def _start_writing(self) -> None:
        if self.writing:
            return
        if not self._lock.acquire(self._cancelled, self.lock_timeout):
            raise errors.SqlError(1222, "Lock request time out period exceeded.", 16, 51)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise
        self.writing = True

    def _end(self, how: str) -> None:
        self._savepoints.clear()
        if not self.writing:
            return
        try:
            self._connection.execute(how)
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self.writing = False
            self._lock.release()
        if how == "ROLLBACK":
            self.rolled_back()

    @contextlib.contextmanager
    def writes(self) -> Iterator[None]:
        """Around a statement that writes: all of it happens or nothing."""
        self._start_writing()
        alone = self.depth == 0
        if not alone:
            self._connection.execute('SAVEPOINT "statement"')
        try:
            yield
        except BaseException:
            if alone:
                self._end("ROLLBACK")
            elif self.writing:
                self._connection.execute('ROLLBACK TO "statement"')
                self._connection.execute('RELEASE "statement"')
                self.rolled_back()
            raise
        if alone:
            self._end("COMMIT")
        else:
            self._connection.execute('RELEASE "statement"')

    @contextlib.contextmanager
    def reads(self) -> Iterator[None]:
        """Around a statement that reads: catalog and rows are of one moment."""
        if self.writing or self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")
