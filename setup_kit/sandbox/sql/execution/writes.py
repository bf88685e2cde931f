"""Carrying out compiled changes, with SQL Server's checks on each row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler import changes
from setup_kit.sandbox.sql.compiler.bound import Program, Runtime, Slot
from setup_kit.sandbox.sql.compiler.changes import Change
from setup_kit.sandbox.sql.compiler.targets import Target
from setup_kit.sandbox.sql.storage.catalog import Column, Key
from setup_kit.sandbox.sql.values import conversions
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

Row = Sequence[Stored]


def execute(connection: sqlite3.Connection, runtime: Runtime, change: Change, program: Program) -> int:
    """The number of rows changed."""
    writer = _Writer(connection, runtime, change.target)
    match change:
        case changes.Insert():
            if change.rows:
                rows: Iterable[Row] = ([slot(runtime) for slot in row] for row in change.rows)
                return writer.insert(change.columns, rows, change.identity, ())
            with _Kept(connection, change.query, program.values(runtime)) as kept:
                return writer.insert(change.columns, kept.rows(), change.identity, change.filled)
        case changes.Update():
            with _Kept(connection, change.query, program.values(runtime)) as kept:
                return writer.update(change.columns, kept.rows())
        case changes.Delete():
            if change.query is None:
                return connection.execute(f"DELETE FROM main.{change.target.table.physical}").rowcount  # noqa: S608
            with _Kept(connection, change.query, program.values(runtime)) as kept:
                return writer.delete(row[0] for row in kept.rows())
        case changes.Merge():
            with _Kept(connection, change.query, program.values(runtime)) as kept:
                return writer.merge(change.actions, kept)


def insert_rows(
    connection: sqlite3.Connection, runtime: Runtime, change: changes.Insert, rows: Iterable[Row]
) -> int:  # fmt: skip
    """Write rows of values that are as the columns of an INSERT of values take them; how many."""
    return _Writer(connection, runtime, change.target).insert(change.columns, rows, change.identity, ())


class _Kept:
    """A query's rows in a temporary table, so that the change does not disturb its own reading."""

    def __init__(self, connection: sqlite3.Connection, query: str, values: dict[str, Stored]) -> None:
        self._connection = connection
        self._query, self._values = query, values
        self._cursors: list[sqlite3.Cursor] = []

    def __enter__(self) -> _Kept:
        self._connection.execute("DROP TABLE IF EXISTS temp.kept")
        self._connection.execute(f"CREATE TEMP TABLE kept AS {self._query}", self._values)
        return self

    def __exit__(self, *_: object) -> None:
        for cursor in self._cursors:  # one that is still open, after an error, would keep the table locked
            cursor.close()
        self._connection.execute("DROP TABLE IF EXISTS temp.kept")

    def rows(self, where: str = "") -> Iterator[tuple[Stored, ...]]:
        cursor = self._connection.execute(f"SELECT * FROM temp.kept{where} ORDER BY rowid")  # noqa: S608 - our own text
        self._cursors.append(cursor)
        return cursor

    def first(self, sql: str) -> Stored:
        row = self._connection.execute(sql).fetchone()
        found: Stored = row[0] if row else None
        return found


class _Writer:
    def __init__(self, connection: sqlite3.Connection, runtime: Runtime, target: Target) -> None:
        self._connection = connection
        self._runtime = runtime
        self._target = target
        self._table = f"main.{target.table.physical}"
        self._row: Row = ()

    def _shown(self) -> str:
        return f"{self._runtime.database.name}.{self._target.shown}"

    def insert(
        self, columns: Sequence[Column], rows: Iterable[Row], identity: Column | None, filled: Sequence[Slot]
    ) -> int:
        """`filled` give the values of the last columns for each row."""
        every = (*columns, identity) if identity else tuple(columns)
        marks = ", ".join("?" * len(every))
        names = ", ".join(column.physical for column in every)
        numbers = self._numbers(identity) if identity else None

        def complete() -> Iterator[Row]:
            for row in rows:
                whole = [*row, *[slot(self._runtime) for slot in filled]]
                if numbers is not None:
                    whole.append(next(numbers))
                yield whole

        sql = f"INSERT INTO {self._table} ({names}) VALUES ({marks})"  # noqa: S608 - compiled
        count = self._write(sql, every, complete() if filled or identity else rows, "INSERT")
        if identity is not None and count:
            self._runtime.identity = t.encode_scaled(int(self._row[-1] or 0), 0)
            self._connection.execute(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"identity.{self._target.table.id}", self._row[-1])
            )
        return count

    def _numbers(self, identity: Column) -> Iterator[int]:
        seed, step = identity.identity or (1, 1)
        key = f"identity.{self._target.table.id}"
        last = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        number = int(last[0]) + step if last else seed
        while True:
            yield number
            number += step

    def update(self, columns: Sequence[Column], rows: Iterable[Row]) -> int:
        """`rows`: rowid, then the values."""
        sets = ", ".join(f"{column.physical} = ?" for column in columns)
        sql = f"UPDATE {self._table} SET {sets} WHERE rowid = ?"  # noqa: S608 - compiled
        return self._write(sql, columns, ((*row[1:], row[0]) for row in rows), "UPDATE")

    def delete(self, row_ids: Iterable[Stored]) -> int:
        sql = f"DELETE FROM {self._table} WHERE rowid = ?"  # noqa: S608 - compiled
        return self._connection.executemany(sql, ((row_id,) for row_id in row_ids)).rowcount

    def merge(self, actions: Sequence[changes.MergeAction], kept: _Kept) -> int:
        names = [row[1] for row in self._connection.execute("PRAGMA temp.table_info(kept)")]
        twice = f'SELECT 1 FROM temp.kept WHERE "{names[0]}" IS NOT NULL GROUP BY "{names[0]}" HAVING count(*) > 1'  # noqa: S608
        if kept.first(twice) is not None:
            raise errors.error(8672)
        count, start = 0, 2
        for number, action in enumerate(actions, 1):
            given = len(action.columns) - len(action.filled)
            rows = kept.rows(f' WHERE "{names[1]}" = {number}')
            if action.kind == "DELETE":
                count += self.delete(row[0] for row in rows)
            elif action.kind == "UPDATE":
                count += self.update(action.columns, [(row[0], *row[start : start + given]) for row in rows])
            else:
                values = [row[start : start + given] for row in rows]
                count += self.insert(action.columns, values, action.identity, action.filled)
            start += given
        return count

    def _write(self, sql: str, columns: Sequence[Column], rows: Iterable[Row], verb: str) -> int:
        required = [(index, column) for index, column in enumerate(columns) if not column.nullable]

        def checked() -> Iterator[Row]:
            for row in rows:
                if None in row:
                    for index, column in required:
                        if row[index] is None:
                            raise errors.null_refused(column.name, self._shown(), verb)
                self._row = row
                yield row

        try:
            return self._connection.executemany(sql, checked()).rowcount
        except sqlite3.IntegrityError as error:
            raise self._duplicate(str(error), columns) from error

    def _duplicate(self, text: str, columns: Sequence[Column]) -> errors.SqlError:
        """2627 or 2601 with the key of the row that was being written."""
        table = self._target.table
        _, _, listed = text.partition(": ")
        names = {item.rpartition(".")[2] for item in listed.split(", ")}
        by_id = {column.id: column for column in table.columns}
        key = next((k for k in table.keys if {by_id[c].physical for c in k.columns} == names), None)
        if key is None:
            raise errors.SqlError(2601, f"Cannot insert duplicate key row in object '{self._target.shown}'.", 14)
        given = {column.id: value for column, value in zip(columns, self._row, strict=False)}
        shown = ", ".join(self._show(by_id[number], given) for number in key.columns)
        if key.kind in ("PK", "UQ"):
            kind = "PRIMARY KEY" if key.kind == "PK" else "UNIQUE KEY"
            return errors.duplicate_key(kind, key.name, self._target.shown, shown)
        return errors.duplicate_index_key(self._target.shown, key.name, shown)

    def _show(self, column: Column, given: dict[int, Stored]) -> str:
        value = given.get(column.id)
        if value is None and column.id not in given:  # an UPDATE that leaves this part of the key alone
            sql = f"SELECT {column.physical} FROM {self._table} WHERE rowid = ?"  # noqa: S608 - our own names
            row = self._connection.execute(sql, (self._row[-1],)).fetchone()
            value = row[0] if row else None
        return show_key_value(column, value)


def show_key_value(column: Column, value: Stored) -> str:
    """A value as the messages about keys write it."""
    if value is None:
        return "<NULL>"
    convert = conversions.converter(column.type, t.nvarchar(t.MAX), explicit=True)
    text = str(convert(value) if convert else value)
    return text.lower() if column.type.name == "uniqueidentifier" else text


def unique_index(table: str, key: Key, columns: Sequence[Column]) -> str:
    """The SQLite index that keeps a key."""
    by_id = {column.id: column for column in columns}
    listed = ", ".join(by_id[number].physical for number in key.columns)
    unique = "" if key.kind == "IX" else "UNIQUE "
    return f"CREATE {unique}INDEX main.{key.physical} ON {table} ({listed})"
