"""Where the data of a logical server lies: SQLite files, one per database and one for the server itself.

SQLite because it comes with Python, keeps what was committed across a kill -9 (write-ahead log), lets readers go on
while one writes, and leaves nothing to install or to run. A database's catalog lies in the same file as its rows, so
that a transaction covers both.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from setup_kit.sandbox.sql.errors import Cancelled
from setup_kit.sandbox.sql.storage import catalog, catalog_writer
from setup_kit.sandbox.sql.values import collation
from setup_kit.sandbox.sql.values import types as t

_SERVER_TABLES = """
CREATE TABLE IF NOT EXISTS logins (name TEXT PRIMARY KEY COLLATE tsql, principal_id INTEGER NOT NULL,
  sid BLOB NOT NULL, password TEXT NOT NULL, disabled INTEGER NOT NULL, created INTEGER NOT NULL,
  modified INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS databases (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE COLLATE tsql,
  created INTEGER NOT NULL, read_committed_snapshot INTEGER NOT NULL, owner BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS contained_databases (id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS server_role_members (role TEXT NOT NULL, member BLOB NOT NULL, PRIMARY KEY (role, member));
"""

#: The fixed roles of a server on a virtual machine that this one knows, with their numbers.
SERVER_ROLES = {"sysadmin": 3, "securityadmin": 4, "dbcreator": 9}


@dataclass(frozen=True, slots=True)
class Login:
    name: str
    principal_id: int
    sid: bytes
    password: str = field(repr=False)
    disabled: bool
    created: int
    modified: int


@dataclass(frozen=True, slots=True)
class Database:
    id: int
    name: str
    created: int
    read_committed_snapshot: bool
    owner: bytes  # the sid of the login that is dbo there
    contained: bool = False


#: Seconds after which one who waits for the lock looks whether that has become pointless.
_GLANCE = 0.05


class WriterLock:
    """One writer per database at a time; who waits can be called off."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._held = False

    def acquire(self, cancelled: Callable[[], bool], seconds: float | None = None) -> bool:
        """False when it was not free within `seconds`; raises Cancelled."""
        until = None if seconds is None else time.monotonic() + seconds
        with self._condition:
            while self._held:
                if cancelled():
                    raise Cancelled
                rest = _GLANCE if until is None else until - time.monotonic()
                if rest <= 0:
                    return False
                self._condition.wait(min(rest, _GLANCE))
            self._held = True
            return True

    def release(self) -> None:
        with self._condition:
            self._held = False
            self._condition.notify()


def connect(path: Path) -> sqlite3.Connection:
    """A connection for one thread at a time."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10, cached_statements=512)
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL loses nothing when the process dies, only (without harm to the file) when the machine does.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * t.LONGEST)  # a character takes up to four bytes
    collation.register(connection)
    return connection


class ServerStore:
    """Logins and databases of one logical server; safe for several threads."""

    def __init__(self, directory: Path, name: str) -> None:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
            raise ValueError(f"not the name of a logical server: {name!r}")
        self.name = name
        self._directory = directory / name
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._writers: dict[int, WriterLock] = {}
        self._connection = connect(self._directory / "server.sqlite")
        self._connection.executescript(_SERVER_TABLES)
        self.create_database("master")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    # Databases

    def _file(self, database_id: int) -> Path:
        return self._directory / f"database-{database_id}.sqlite"

    def databases(self) -> list[Database]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT *, id IN (SELECT id FROM contained_databases) FROM databases ORDER BY id"
            ).fetchall()
        return [
            Database(number, name, created, bool(snapshot), owner, bool(contained))
            for number, name, created, snapshot, owner, contained in rows
        ]

    def database(self, name: str) -> Database | None:
        return next((found for found in self.databases() if catalog.fold(found.name) == catalog.fold(name)), None)

    def create_database(self, name: str, owner: bytes = b"\x01") -> None:
        """Nothing when it is there already. Its file is complete before its name is known. `owner`: a login's sid."""
        with self._lock:
            if self.database(name) is not None:
                return
            last = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'databases'").fetchone()
            number = (last[0] if last else 0) + 1
            self._remove_files(number)  # what a process that was killed in the middle left behind
            connection = connect(self._file(number))
            with contextlib.closing(connection):
                catalog_writer.create(connection, name)
            self._file(number).chmod(0o600)
            values = (number, name, t.now_utc(), owner)
            self._connection.execute("INSERT INTO databases VALUES (?, ?, ?, 1, ?)", values)

    def drop_database(self, name: str) -> None:
        with self._lock:
            found = self.database(name)
            if found is None:
                return
            self._connection.execute("DELETE FROM databases WHERE id = ?", (found.id,))
            self.set_containment(found.id, partial=False)
            self._remove_files(found.id)

    def _remove_files(self, database_id: int) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._file(database_id)}{suffix}").unlink(missing_ok=True)

    def set_read_committed_snapshot(self, database_id: int, *, on: bool) -> None:
        with self._lock:
            self._connection.execute(
                "UPDATE databases SET read_committed_snapshot = ? WHERE id = ?", (int(on), database_id)
            )

    def set_containment(self, database_id: int, *, partial: bool) -> None:
        verb = "INSERT OR IGNORE INTO contained_databases VALUES (?)"
        with self._lock:
            self._connection.execute(
                verb if partial else "DELETE FROM contained_databases WHERE id = ?", (database_id,)
            )

    def connect(self, database: Database) -> sqlite3.Connection:
        return connect(self._file(database.id))

    def writer_lock(self, database_id: int) -> WriterLock:
        with self._lock:
            return self._writers.setdefault(database_id, WriterLock())

    # Logins

    def logins(self) -> Iterator[Login]:
        with self._lock:
            rows = self._connection.execute("SELECT * FROM logins ORDER BY principal_id").fetchall()
        return (Login(*row) for row in rows)

    def login(self, name: str) -> Login | None:
        with self._lock:
            row = self._connection.execute("SELECT * FROM logins WHERE name = ?", (name,)).fetchone()
        return Login(*row) if row else None

    def create_login(self, name: str, password: str) -> bool:
        """`password` hashed already. False when the name is taken."""
        now = t.now_utc()
        sid = b"\x01\x06\x00\x00\x00\x00\x00\x64" + secrets.token_bytes(24)
        with self._lock:
            row = self._connection.execute("SELECT max(principal_id) FROM logins").fetchone()
            number = max(int(row[0] or 0) + 1, 267)
            try:
                self._connection.execute(
                    "INSERT INTO logins VALUES (?, ?, ?, ?, 0, ?, ?)", (name, number, sid, password, now, now)
                )
            except sqlite3.IntegrityError:
                return False
        return True

    def alter_login(self, name: str, *, password: str | None = None, disabled: bool | None = None) -> None:
        with self._lock:
            if password is not None:
                self._connection.execute("UPDATE logins SET password = ? WHERE name = ?", (password, name))
            if disabled is not None:
                self._connection.execute("UPDATE logins SET disabled = ? WHERE name = ?", (int(disabled), name))
            self._connection.execute("UPDATE logins SET modified = ? WHERE name = ?", (t.now_utc(), name))

    def rename_login(self, name: str, new_name: str) -> None:
        with self._lock:
            self._connection.execute("UPDATE logins SET name = ? WHERE name = ?", (new_name, name))

    def drop_login(self, name: str) -> None:
        with self._lock:
            self._connection.execute(
                "DELETE FROM server_role_members WHERE member = (SELECT sid FROM logins WHERE name = ?)", (name,)
            )
            self._connection.execute("DELETE FROM logins WHERE name = ?", (name,))

    # Server roles

    def server_roles(self, sid: bytes) -> frozenset[str]:
        """The roles that a login is a member of."""
        with self._lock:
            rows = self._connection.execute("SELECT role FROM server_role_members WHERE member = ?", (sid,)).fetchall()
        return frozenset(row[0] for row in rows)

    def change_server_role(self, role: str, sid: bytes, *, add: bool) -> None:
        verb = "INSERT OR IGNORE INTO server_role_members VALUES (?, ?)"
        with self._lock:
            self._connection.execute(
                verb if add else "DELETE FROM server_role_members WHERE role = ? AND member = ?", (role, sid)
            )
