"""Tables that only one session sees: #tables, table variables and table-valued parameters.

Each is a table of SQLite's database `temp`, bound to a name in a scope. A batch has a scope, and so has every procedure
and every text with parameters: `@names` are seen in their own scope only, `#names` from those inside it too; what a
scope made goes when it ends.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.storage import layout
from setup_kit.sandbox.sql.storage.catalog import DBO_SCHEMA, Check, Column, DatabaseObject, Key, fold
from setup_kit.sandbox.sql.values.types import Stored

#: Tables that are kept, empty, for the next one of the same name and columns: the plans of its statements stay good.
_SPARE = 16


_Scope = dict[str, DatabaseObject]  # by folded name


class LocalTables:
    _connection: sqlite3.Connection

    def __init__(self) -> None:
        self._scopes: list[_Scope] = [{}]
        self._last = 0
        self._spare: list[DatabaseObject] = []
        self._dropped: list[tuple[_Scope, str, DatabaseObject]] = []
        self._saved: list[tuple[DatabaseObject, list[tuple[Stored, ...]]]] = []

    def connect(self, connection: sqlite3.Connection) -> None:
        """Keep tables in this connection, a new one; there are none now."""
        self._connection = connection
        self._spare.clear()
        self._dropped.clear()
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS local_identity (id INTEGER PRIMARY KEY, value)")

    @property
    def in_use(self) -> bool:
        return any(self._scopes)

    def find(self, name: str) -> DatabaseObject | None:
        """The table of `#name` or `@name`."""
        key = fold(name)
        if key.startswith("@"):
            return self._scopes[-1].get(key)
        for scope in reversed(self._scopes):
            if key in scope:
                return scope[key]
        return None

    def create(
        self, name: str, columns: Sequence[Column], keys: Sequence[Key] = (), checks: Sequence[Check] = (),
        *, kind: str = "U",
    ) -> DatabaseObject:  # fmt: skip
        """A new empty table; 2714 for a #name that this scope has. `keys` get numbers of their own.

        `kind` TT for a table-valued parameter.
        """
        scope, key = self._scopes[-1], fold(name)
        if key in scope:
            raise errors.object_exists(name)
        wanted = DatabaseObject(
            0, DBO_SCHEMA, name, kind, 0, 0, columns=tuple(columns), keys=tuple(keys), checks=tuple(checks)
        )
        table = self._take_spare(wanted)
        if table is None:
            self._last += 1
            own = tuple(replace(held, id=-(self._last * 1000 + number)) for number, held in enumerate(keys))
            table = replace(wanted, id=-self._last, keys=own)
            layout.create_table(self._connection, table)
            for held in own:
                layout.create_index(self._connection, table, held)
        scope[key] = table
        return table

    def _take_spare(self, wanted: DatabaseObject) -> DatabaseObject | None:
        for table in self._spare:
            keys = tuple(replace(key, id=other.id) for key, other in zip(table.keys, wanted.keys, strict=False))
            if len(keys) == len(table.keys) and replace(table, id=0, keys=keys) == wanted:
                self._spare.remove(table)
                return table
        return None

    def replace(self, table: DatabaseObject) -> None:
        """Another definition of a table that is there."""
        for scope in self._scopes:
            for key, held in scope.items():
                if held.id == table.id:
                    scope[key] = table

    def drop(self, name: str) -> None:
        for scope in reversed(self._scopes):
            table = scope.pop(fold(name), None)
            if table is not None:
                self._connection.execute(f"DROP TABLE {table.stored}")
                self._connection.execute("DELETE FROM temp.local_identity WHERE id = ?", (table.id,))
                if self._connection.in_transaction:
                    self._dropped.append((scope, fold(name), table))
                return

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """The names of a procedure or of a text with parameters."""
        scope: _Scope = {}
        self._scopes.append(scope)
        try:
            yield
        finally:
            self._scopes.pop()
            self._release(scope, list(scope))

    def end_batch(self) -> None:
        """Table variables end with their batch, #tables live on."""
        del self._scopes[1:]
        scope = self._scopes[0]
        self._release(scope, [key for key in scope if key.startswith("@")])

    def clear(self) -> None:
        """All of them: the session is reset."""
        self.end_batch()
        self._release(self._scopes[0], list(self._scopes[0]))

    def _release(self, scope: _Scope, names: Sequence[str]) -> None:
        for key in names:
            table = scope.pop(key)
            self._connection.execute("DELETE FROM temp.local_identity WHERE id = ?", (table.id,))
            if len(self._spare) < _SPARE:
                self._connection.execute(f"DELETE FROM {table.stored}")  # noqa: S608 - our own name
                self._spare.append(table)
            else:
                self._connection.execute(f"DROP TABLE {table.stored}")

    # A transaction that is rolled back takes #tables back with it, but not table variables

    def before_rollback(self) -> None:
        self._saved = []
        for scope in self._scopes:
            for key, table in scope.items():
                if key.startswith("@"):
                    columns = ", ".join(column.physical for column in table.columns)
                    rows = self._connection.execute(f"SELECT {columns} FROM {table.stored}").fetchall()  # noqa: S608
                    self._saved.append((table, rows))

    def after_rollback(self) -> None:
        there = {row[0] for row in self._connection.execute("SELECT name FROM temp.sqlite_master WHERE type = 'table'")}
        for scope, key, table in self._dropped:
            if table.physical in there:
                scope.setdefault(key, table)
        self._dropped.clear()
        self._spare = [table for table in self._spare if table.physical in there]
        for scope in self._scopes:
            gone = [key for key, table in scope.items() if table.physical not in there]
            for key in gone:
                if key.startswith("#"):
                    del scope[key]
        for table, rows in self._saved:
            if table.physical not in there:
                layout.create_table(self._connection, table)
                for held in table.keys:
                    layout.create_index(self._connection, table, held)
            else:
                self._connection.execute(f"DELETE FROM {table.stored}")  # noqa: S608 - our own name
            marks = ", ".join("?" * len(table.columns))
            self._connection.executemany(f"INSERT INTO {table.stored} VALUES ({marks})", rows)  # noqa: S608
        self._saved = []
