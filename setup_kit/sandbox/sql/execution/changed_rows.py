"""What a change does to each row, noted in temporary tables: memory does not grow with the rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from setup_kit.sandbox.sql.storage.catalog import DatabaseObject
from setup_kit.sandbox.sql.values.types import Stored

Row = Sequence[Stored]


class ChangedRows:
    """`touched` has the rowids of rows that are there; `changed`, for an OUTPUT clause (`extras` is how many columns of
    other sources it reads, None for no clause), what was done and the row before and after.
    """

    def __init__(self, connection: sqlite3.Connection, table: DatabaseObject, extras: int | None) -> None:
        self._connection = connection
        self._table = table
        self._columns = ", ".join(column.physical for column in table.columns)
        self._nothing: Row = (None,) * len(table.columns)
        self._kept = False
        self.actions: set[str] = set()
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS touched (id INTEGER PRIMARY KEY)")
        connection.execute("DELETE FROM temp.touched")
        self._insert = ""
        if extras is not None:
            ids = [column.id for column in table.columns]
            names = ["action", *[f"d{n}" for n in ids], *[f"i{n}" for n in ids], *[f"e{n + 1}" for n in range(extras)]]
            connection.execute("DROP TABLE IF EXISTS temp.changed")
            connection.execute(f"CREATE TEMP TABLE changed ({', '.join(names)})")
            self._insert = f"INSERT INTO temp.changed VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - our names

    def before(self, row_id: Stored) -> Row:
        """A row that is about to be changed, where that will be asked for."""
        if not self._insert:
            return self._nothing
        if self._kept:
            sql = f"SELECT {self._columns} FROM temp.kept_before WHERE id = ?"  # noqa: S608 - our own names
            found: Row = self._connection.execute(sql, (row_id,)).fetchone()
            return found
        return self._row(row_id)

    def keep_before(self, row_id: Stored) -> None:
        """Have `before` give the row as it is now, whatever becomes of it until then."""
        rows = f"SELECT rowid AS id, {self._columns} FROM {self._table.stored} WHERE rowid = ?"  # noqa: S608 - our names
        if not self._insert:
            return
        if not self._kept:
            self._connection.execute("DROP TABLE IF EXISTS temp.kept_before")
            self._connection.execute(f"CREATE TEMP TABLE kept_before AS {rows}", (None,))
            self._kept = True
        self._connection.execute(f"INSERT INTO temp.kept_before {rows}", (row_id,))

    def note(self, action: str, before: Row | None, row_id: Stored, extras: Row) -> None:
        """What has been done; `row_id` None for a row that is gone."""
        self.actions.add(action)
        if row_id is not None:
            self._connection.execute("INSERT OR IGNORE INTO temp.touched VALUES (?)", (row_id,))
        if self._insert:
            after = self._nothing if row_id is None else self._row(row_id)
            self._connection.execute(self._insert, (action, *(before or self._nothing), *after, *extras))

    def _row(self, row_id: Stored) -> Row:
        sql = f"SELECT {self._columns} FROM {self._table.stored} WHERE rowid = ?"  # noqa: S608 - our own names
        found: Row = self._connection.execute(sql, (row_id,)).fetchone()
        return found


def output_rows(connection: sqlite3.Connection) -> Iterator[Row]:
    """The rows of an OUTPUT clause, which `keep_output` has computed."""
    cursor = connection.execute("SELECT * FROM temp.output ORDER BY rowid")
    try:
        yield from cursor
    finally:
        cursor.close()


def keep_output(connection: sqlite3.Connection, query: str, values: dict[str, Stored]) -> None:
    """Compute an OUTPUT clause while an error can still take the change back."""
    connection.execute("DROP TABLE IF EXISTS temp.output")
    connection.execute(f"CREATE TEMP TABLE output AS {query}", values)
