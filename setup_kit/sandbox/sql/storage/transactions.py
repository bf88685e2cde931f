"""Transactions of one session: T-SQL's count of them over SQLite's one.

SQLite's transaction begins with the first write (`BEGIN IMMEDIATE`, under the database's writer lock); statements that
only read see what is committed when they begin, as under READ COMMITTED with row versioning.

Under REPEATABLE READ, SERIALIZABLE and SNAPSHOT it begins with the first reading already, and all of the transaction
sees that moment. If another session has committed since, the first write is refused: by 3960 under SNAPSHOT, as SQL
Server does; else by 1205, for there SQL Server's own locks would have let the two wait for each other. SQL Server looks
at the rows in question, this store at the whole database. No other deadlock can come about: who writes holds the only
lock there is.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.storage.store import WriterLock

READ_COMMITTED = "READ COMMITTED"
#: Isolation levels under which a transaction sees one moment.
_OF_ONE_MOMENT = frozenset({"REPEATABLE READ", "SERIALIZABLE", "SNAPSHOT"})


class Transactions:
    """`depth` is @@TRANCOUNT; `doomed` says that nothing but ROLLBACK is left (XACT_STATE() is -1).

    `changed` is called with begin, commit or rollback as the outermost one comes and goes, `rolling_back` before a
    ROLLBACK, `rolled_back` when SQLite has gone back to an earlier state, `cancelled` to ask whether waiting has become
    pointless.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock: WriterLock,
        cancelled: Callable[[], bool],
        changed: Callable[[str], None],
        process: int,
        database: str,
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._cancelled = cancelled
        self._process, self._database = process, database
        self._savepoints: list[str] = []
        self._name = ""
        self.depth = 0
        self.doomed = False
        self.isolation = READ_COMMITTED
        self.writing = False
        self.lock_timeout: float | None = None
        self.changed = changed
        self.rolling_back: Callable[[], None] = lambda: None
        self.rolled_back: Callable[[], None] = lambda: None

    @property
    def state(self) -> int:
        """XACT_STATE()."""
        return -1 if self.doomed else int(self.depth > 0)

    def begin(self, name: str = "") -> None:
        self.depth += 1
        if self.depth == 1:
            self._name = name
            self.changed("begin")

    def commit(self) -> None:
        """3902 without a transaction; only the outermost COMMIT writes."""
        if not self.depth:
            raise errors.error(3902)
        self._refuse_doomed()
        self.depth -= 1
        if not self.depth:
            self._end("COMMIT")
            self.changed("commit")

    def rollback(self) -> None:
        """3903 without a transaction; rolls back everything, whatever the depth."""
        if not self.depth:
            raise errors.error(3903)
        self.depth = 0
        self.rolling_back()
        self._end("ROLLBACK")
        self.changed("rollback")

    def save(self, name: str) -> None:
        if not self.depth:
            raise errors.error(628)
        self._start_writing()
        self._savepoints.append(name)
        self._connection.execute(f'SAVEPOINT "save{len(self._savepoints)}"')

    def rollback_to(self, name: str) -> None:
        """To a savepoint, or all of it by the outermost transaction's name; 6401 when there is none of that name. Case
        counts in these names, whatever the collation.
        """
        if name not in self._savepoints:
            if self.depth and name == self._name:
                self.rollback()
                return
            raise errors.error(6401, name)
        if self.doomed:
            raise errors.error(3931)
        self.rolling_back()
        while self._savepoints[-1] != name:
            self._savepoints.pop()
        self._connection.execute(f'ROLLBACK TO "save{len(self._savepoints)}"')
        self.rolled_back()

    def doom(self) -> None:
        """After an error in a TRY block that would have ended the transaction outside one."""
        self.doomed = self.depth > 0

    def abandon(self) -> None:
        """Undo whatever is open: the client has gone or the connection is reset."""
        self.depth = 0
        self._end("ROLLBACK")

    def _refuse_doomed(self) -> None:
        if self.doomed:
            raise errors.error(3930)

    def _start_writing(self) -> None:
        self._refuse_doomed()
        if self.writing:
            return
        if not self._lock.acquire(self._cancelled, self.lock_timeout):
            raise errors.error(1222)
        try:
            if self._connection.in_transaction:
                self._go_on_to_write()
            else:
                self._connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise
        self.writing = True

    def _go_on_to_write(self) -> None:
        """From reading one moment; SQLite refuses where that is no longer the last."""
        try:
            self._connection.execute("UPDATE meta SET value = value WHERE key = 'version'")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY_SNAPSHOT:
                raise
            if self.isolation == "SNAPSHOT":
                raise errors.error(3960, "*", self._database) from error
            raise errors.error(1205, self._process, "lock") from error

    def _end(self, how: str) -> None:
        self._savepoints.clear()
        self.doomed = False
        if not self.writing:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
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
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if not (self.depth and self.isolation in _OF_ONE_MOMENT):
                self._connection.execute("COMMIT")
