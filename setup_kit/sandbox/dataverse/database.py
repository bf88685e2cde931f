"""The organization's state in one SQLite file: rows, versions, deletions, and the few settings changed behind it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from setup_kit.sandbox.dataverse.schema import ACTIVITIES, Schema, Table, load

FORMAT = 2
STORAGE = {
    "Boolean": "INTEGER",
    "Integer": "INTEGER",
    "BigInt": "INTEGER",
    "Picklist": "INTEGER",
    "State": "INTEGER",
    "Status": "INTEGER",
    "Double": "REAL",
    "Money": "TEXT COLLATE amount",
    "Decimal": "TEXT COLLATE amount",
    # As in Dataverse, comparing texts does not look at their case.
    "String": "TEXT COLLATE NOCASE",
    "Memo": "TEXT COLLATE NOCASE",
}
FIRST_VERSION = 1_000_000
EXPIRE_CHANGE_TRACKING_IN_DAYS = 30  # Organization.ExpireChangeTrackingInDays, its documented default


@dataclass(frozen=True)
class Condition:
    """What an operator of the organization can change about it, and a client can see."""

    version: str
    state: str  # Enabled or Disabled
    administration_mode: bool


class Database:
    """Safe for threads and for several processes: one connection a thread, write-ahead log, nothing cached.

    Open a second one on the same path to change the organization behind a running application.
    """

    def __init__(self, path: Path, schema: Schema | None = None) -> None:
        self.path = path
        self.schema = schema or load()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        existing: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if existing is None:
            existing = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
            existing.create_collation("amount", _compare_amounts)
            existing.execute("PRAGMA journal_mode = WAL")
            existing.execute("PRAGMA synchronous = NORMAL")
            self._local.connection = existing
            with self._lock:
                self._connections.append(existing)
        return existing

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """All that is read inside is of one moment."""
        connection = self.connection
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, undone when the block raises."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    @property
    def is_empty(self) -> bool:
        found = int(self.connection.execute("PRAGMA user_version").fetchone()[0])
        if found not in (0, FORMAT):
            raise RuntimeError(f"{self.path} was written by another version of the sandbox (format {found})")
        return found == 0

    def create_tables(self, connection: sqlite3.Connection, version: str) -> None:
        """Make the empty tables of the organization; `connection` is in a write transaction."""
        connection.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value)")
        connection.execute("CREATE TABLE tracking (name TEXT PRIMARY KEY, enabled INTEGER NOT NULL)")
        connection.execute("CREATE TABLE labels (name TEXT PRIMARY KEY, labels TEXT NOT NULL)")
        connection.execute("CREATE TABLE unpublished (name TEXT PRIMARY KEY, enabled INTEGER, labels TEXT NOT NULL)")
        connection.execute("CREATE TABLE deleted (name TEXT, id TEXT, version INTEGER, PRIMARY KEY (name, id))")
        connection.execute("CREATE INDEX deleted_version ON deleted (name, version)")
        for table in self.schema.tables.values():
            if table.kind != "activities":
                self._create_table(connection, table)
            if table.kind != "intersect":
                connection.execute("INSERT INTO tracking VALUES (?, ?)", (table.name, table.change_tracking))
        for relationship in self.schema.relationships:
            for side in (relationship.attribute1, relationship.attribute2):
                name = relationship.intersect_table
                connection.execute(f'CREATE INDEX "{name}_{side}" ON "{name}" ("{side}")')
        common = ", ".join(f'"{name}"' for name in self.schema.tables["activitypointer"].stored_columns)
        parts = " UNION ALL ".join(f'SELECT {common} FROM "{name}"' for name in ACTIVITIES)  # noqa: S608
        connection.execute(f"CREATE VIEW activitypointer AS {parts}")
        connection.executemany(
            "INSERT INTO settings VALUES (?, ?)",
            [
                ("last_version", FIRST_VERSION),
                ("version", version),
                ("state", "Enabled"),
                ("administration_mode", 0),
            ],
        )
        connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _create_table(self, connection: sqlite3.Connection, table: Table) -> None:
        columns = []
        for name in table.stored_columns:
            kind = STORAGE.get(table.by_name[name].type, "TEXT") if name in table.by_name else "TEXT"
            key = " PRIMARY KEY NOT NULL" if name == table.primary_id else ""
            columns.append(f'"{name}" {kind}{key}')
        connection.execute(f'CREATE TABLE "{table.name}" ({", ".join(columns)})')
        if "versionnumber" in table.by_name:
            connection.execute(f'CREATE INDEX "{table.name}_version" ON "{table.name}" (versionnumber)')

    def next_version(self, connection: sqlite3.Connection) -> int:
        """The version of the change under way, greater than any before."""
        statement = "UPDATE settings SET value = value + 1 WHERE name = 'last_version' RETURNING value"
        return int(connection.execute(statement).fetchone()[0])

    def last_version(self) -> int:
        return int(self._setting("last_version"))

    def condition(self) -> Condition:
        return Condition(
            str(self._setting("version")), str(self._setting("state")), bool(self._setting("administration_mode"))
        )

    def set_condition(
        self, version: str | None = None, state: str | None = None, administration_mode: bool | None = None
    ) -> None:
        """Change what is given of the organization's version, its state, and whether it is in administration mode."""
        given = {"version": version, "state": state, "administration_mode": administration_mode}
        with self.write() as connection:
            for name, value in given.items():
                if value is not None:
                    connection.execute("UPDATE settings SET value = ? WHERE name = ?", (value, name))

    def change_tracking(self, table: Table) -> bool:
        """Whether changes of the table are tracked; for an intersect table, whether those of both its sides are."""
        if table.kind == "intersect":
            relationship = self.schema.relationship_through(table.name)
            sides = (self.schema.tables[relationship.table1], self.schema.tables[relationship.table2])
            return all(self.change_tracking(side) for side in sides)
        row = self.connection.execute("SELECT enabled FROM tracking WHERE name = ?", (table.name,)).fetchone()
        return bool(row[0])

    def set_change_tracking(self, name: str, enabled: bool) -> None:
        """Switch change tracking of the table `name`; raises KeyError when there is no such table."""
        self.connection.execute(
            "UPDATE tracking SET enabled = ? WHERE name = ?", (enabled, self.schema.tables[name].name)
        )

    def days_of_changes(self) -> int:
        """How long a delta token is good: Organization.ExpireChangeTrackingInDays."""
        row = self.connection.execute("SELECT expirechangetrackingindays FROM organization").fetchone()
        return int(row[0]) if row and row[0] is not None else EXPIRE_CHANGE_TRACKING_IN_DAYS

    def _setting(self, name: str) -> Any:
        return self.connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()[0]


def _compare_amounts(left: str, right: str) -> int:
    a, b = Decimal(left), Decimal(right)
    return (a > b) - (a < b)
