"""Carrying out compiled changes, with SQL Server's checks on each row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler import changes
from setup_kit.sandbox.sql.compiler.bound import Program, Slot
from setup_kit.sandbox.sql.compiler.changes import Change
from setup_kit.sandbox.sql.compiler.outputs import Insert
from setup_kit.sandbox.sql.compiler.targets import Target
from setup_kit.sandbox.sql.execution import integrity
from setup_kit.sandbox.sql.execution.changed_rows import ChangedRows, Row, keep_output
from setup_kit.sandbox.sql.storage import layout
from setup_kit.sandbox.sql.storage.catalog import Column
from setup_kit.sandbox.sql.tds.tokens import Column as ResultColumn
from setup_kit.sandbox.sql.values import conversions
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


@dataclass(frozen=True)
class Result:
    """How many rows a change has touched, and the columns that its OUTPUT clause gives to the client."""

    count: int
    columns: tuple[ResultColumn, ...] = ()


def execute(session: Session, change: Change, program: Program) -> Result:
    """Carry out a change inside the session's write transaction."""
    table, output = change.target.table, change.output
    guarded = integrity.concerns(session, table)
    notes = None
    if guarded or output is not None:
        notes = ChangedRows(session.connection, table, None if output is None else len(output.extras))
    count = _change(session, _Writer(session, change.target, notes), change, program)
    if notes is not None and guarded:
        removed = sorted(notes.actions - {"INSERT"}, reverse=True)  # UPDATE before DELETE
        verb = type(change).__name__.upper()
        integrity.verify(session, table, removed[0] if verb == "MERGE" and removed else verb, removed=bool(removed))
    if output is None:
        return Result(count)
    if output.into is not None:
        _change(session, _Writer(session, output.into.target), output.into, program)
        return Result(count)
    keep_output(session.connection, output.query.sql, program.values(session))
    return Result(count, output.query.columns)


def _change(session: Session, writer: _Writer, change: Change, program: Program) -> int:
    connection = session.connection
    if isinstance(change, Insert) and change.rows:
        rows: Iterable[Row] = ([slot(session) for slot in row] for row in change.rows)
        return writer.insert(change.columns, rows, change.identity, ())
    if isinstance(change, changes.Delete) and change.query is None:
        if writer.notes is None:
            return connection.execute(f"DELETE FROM {change.target.table.stored}").rowcount  # noqa: S608
        query = f"SELECT rowid FROM {change.target.table.stored}"  # noqa: S608 - our own name
    else:
        query = change.query or ""
    with _Kept(connection, query, program.values(session)) as kept:
        match change:
            case changes.Update():
                return writer.update(change.columns, kept.rows)
            case changes.Delete():
                return writer.delete(kept.rows())
            case changes.Merge():
                return writer.merge(change.actions, kept)
            case _:
                return writer.insert(change.columns, kept.rows(), change.identity, change.filled)


def insert_rows(session: Session, change: Insert, rows: Iterable[Row]) -> int:
    """Write rows of values that are as the columns of an INSERT of values take them; how many."""
    return fill(session, change.target, change.columns, rows, (), change.identity)


def load_rows(session: Session, change: Insert, rows: Iterable[Row]) -> int:
    """As `insert_rows`, without a look at CHECK and FOREIGN KEY constraints; memory does not grow with the rows."""
    return _Writer(session, change.target).insert(change.columns, rows, change.identity, ())


def fill(
    session: Session, target: Target, columns: Sequence[Column], rows: Iterable[Row], filled: Sequence[Slot],
    identity: Column | None,
) -> int:  # fmt: skip
    """Write rows of values as the columns take them; `filled` give those of the last columns."""
    guarded = integrity.concerns(session, target.table)
    notes = ChangedRows(session.connection, target.table, None) if guarded else None
    count = _Writer(session, target, notes).insert(columns, rows, identity, filled)
    if guarded:
        integrity.verify(session, target.table, "INSERT", removed=False)
    return count


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
        self._close()
        self._connection.execute("DROP TABLE IF EXISTS temp.kept")

    def _close(self) -> None:
        """A cursor that is still open, after an error, would keep the table locked."""
        while self._cursors:
            self._cursors.pop().close()

    def rows(self, where: str = "") -> Iterator[tuple[Stored, ...]]:
        self._close()
        cursor = self._connection.execute(f"SELECT * FROM temp.kept{where} ORDER BY rowid")  # noqa: S608 - our own text
        self._cursors.append(cursor)
        return cursor

    def first(self, sql: str) -> Stored:
        row = self._connection.execute(sql).fetchone()
        found: Stored = row[0] if row else None
        return found


class _Writer:
    """Writes rows into one table, and what happens to each into `notes`."""

    def __init__(self, session: Session, target: Target, notes: ChangedRows | None = None) -> None:
        self._session = session
        self._connection = session.connection
        self._target = target
        self._table = target.table.stored
        self._meta = "temp.local_identity" if target.table.is_local else "main.meta"
        self._row: Row = ()
        self.notes = notes

    def _shown(self) -> str:
        database = "tempdb" if self._target.table.is_local else self._session.database.name
        return f"{database}.{self._target.shown}"

    def insert(
        self, columns: Sequence[Column], rows: Iterable[Row], identity: Column | None, filled: Sequence[Slot]
    ) -> int:
        """`filled` give the values of the last columns for each row."""
        every = (*columns, *([identity] if identity else ()))
        given = len(columns) - len(filled)
        marks = ", ".join("?" * len(every))
        names = ", ".join(column.physical for column in every)
        numbers = self._numbers(identity) if identity else None

        def complete() -> Iterator[Row]:
            for row in rows:
                whole = [*row[:given], *[slot(self._session) for slot in filled]]
                if numbers is not None:
                    whole.append(next(numbers))
                yield [*whole, *row[given:]]

        sql = f"INSERT INTO {self._table} ({names}) VALUES ({marks})"  # noqa: S608 - compiled
        count = self._write(sql, every, complete() if filled or identity else rows, "INSERT", len(every))
        if identity is not None and count:
            last = self._row[len(every) - 1]
            self._session.identity = t.encode_scaled(int(last or 0), 0)
            sql = f"INSERT OR REPLACE INTO {self._meta} VALUES (?, ?)"  # noqa: S608 - our own name
            self._connection.execute(sql, (self._identity_key(), last))
        given_identity = next((column for column in columns if column.identity is not None), None)
        if given_identity is not None and count:
            self._go_on_behind(given_identity, every.index(given_identity))
        return count

    def _go_on_behind(self, column: Column, place: int) -> None:
        """After values that a client gave: later rows are numbered on from the furthest."""
        self._session.identity = t.encode_scaled(int(self._row[place] or 0), 0)
        furthest = "max" if (column.identity or (1, 1))[1] > 0 else "min"
        sql = f"INSERT OR REPLACE INTO {self._meta} SELECT ?, {furthest}({column.physical}) FROM {self._table}"  # noqa: S608
        self._connection.execute(sql, (self._identity_key(),))

    def _identity_key(self) -> int | str:
        number = self._target.table.id
        return number if self._target.table.is_local else f"identity.{number}"

    def _numbers(self, identity: Column) -> Iterator[int]:
        seed, step = identity.identity or (1, 1)
        name = "id" if self._target.table.is_local else "key"
        sql = f"SELECT value FROM {self._meta} WHERE {name} = ?"  # noqa: S608 - our own names
        last = self._connection.execute(sql, (self._identity_key(),)).fetchone()
        number = int(last[0]) + step if last else seed
        while True:
            yield number
            number += step

    def update(self, columns: Sequence[Column], rows: Callable[[], Iterable[Row]]) -> int:
        """`rows`: rowid, then the values.

        SQLite looks at a unique key row by row, SQL Server when all rows are changed: where the one meets a duplicate,
        the rows get keys that nothing has, and then their own.
        """
        parked = [column for column in columns if self._is_unique(column)]
        if not parked:
            return self._update(columns, rows())
        self._connection.execute("SAVEPOINT update_rows")
        try:
            return self._update(columns, rows())
        except errors.SqlError as error:
            if error.number not in (2601, 2627):
                raise
            self._connection.execute("ROLLBACK TO update_rows")
            self._park(parked, rows())
            return self._update(columns, rows())
        finally:
            self._connection.execute("RELEASE update_rows")

    def _is_unique(self, column: Column) -> bool:
        return any(key.kind != "IX" and column.id in key.columns for key in self._target.table.keys)

    def _park(self, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        sets = ", ".join(f"{column.physical} = randomblob(16)" for column in columns)
        for row in rows:
            if self.notes is not None:
                self.notes.keep_before(row[0])
            self._connection.execute(f"UPDATE {self._table} SET {sets} WHERE rowid = ?", (row[0],))  # noqa: S608 - compiled

    def _update(self, columns: Sequence[Column], rows: Iterable[Row]) -> int:
        sets = ", ".join(f"{column.physical} = ?" for column in columns)
        sql = f"UPDATE {self._table} SET {sets} WHERE rowid = ?"  # noqa: S608 - compiled
        end = len(columns) + 1
        return self._write(sql, columns, ((*row[1:end], row[0], *row[end:]) for row in rows), "UPDATE", end)

    def delete(self, rows: Iterable[Row]) -> int:
        """`rows`: rowid first."""
        sql = f"DELETE FROM {self._table} WHERE rowid = ?"  # noqa: S608 - compiled
        return self._write(sql, (), rows, "DELETE", 1)

    def merge(self, actions: Sequence[changes.MergeAction], kept: _Kept) -> int:
        names = [row[1] for row in self._connection.execute("PRAGMA temp.table_info(kept)")]
        twice = f'SELECT 1 FROM temp.kept WHERE "{names[0]}" IS NOT NULL GROUP BY "{names[0]}" HAVING count(*) > 1'  # noqa: S608
        if kept.first(twice) is not None:
            raise errors.error(8672)
        count, start = 0, 2
        extras = slice(2 + sum(len(action.columns) - len(action.filled) for action in actions), None)
        for number, action in enumerate(actions, 1):
            given = len(action.columns) - len(action.filled)
            rows = kept.rows(f' WHERE "{names[1]}" = {number}')
            if action.kind == "DELETE":
                count += self.delete([(row[0], *row[extras]) for row in rows])
            elif action.kind == "UPDATE":
                values = [(row[0], *row[start : start + given], *row[extras]) for row in rows]
                count += self.update(action.columns, values.copy)
            else:
                values = [(*row[start : start + given], *row[extras]) for row in rows]
                count += self.insert(action.columns, values, action.identity, action.filled)
            start += given
        return count

    def _write(self, sql: str, columns: Sequence[Column], rows: Iterable[Row], verb: str, width: int) -> int:
        """`rows`: the inputs of `sql`, as many as `width`, and behind them what the OUTPUT clause asks of other
        sources.
        """
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
            if self.notes is not None:
                notes = self.notes
                return sum(self._noted(notes, sql, row[:width], row[width:], verb) for row in checked())
            return max(self._connection.executemany(sql, checked()).rowcount, 0)
        except sqlite3.IntegrityError as error:
            raise self._duplicate(str(error), columns) from error

    def _noted(self, notes: ChangedRows, sql: str, row: Row, extras: Row, verb: str) -> int:
        before = None if verb == "INSERT" else notes.before(row[-1])
        cursor = self._connection.execute(sql, row)
        now = cursor.lastrowid if verb == "INSERT" else None if verb == "DELETE" else row[-1]
        notes.note(verb, before, now, extras)
        return cursor.rowcount

    def _duplicate(self, text: str, columns: Sequence[Column]) -> errors.SqlError:
        """2627 or 2601 with the key of the row that was being written."""
        table = self._target.table
        key = layout.key_of(table, text)
        if key is None:
            raise errors.SqlError(2601, f"Cannot insert duplicate key row in object '{self._target.shown}'.", 14)
        by_id = {column.id: column for column in table.columns}
        given = {column.id: value for column, value in zip(columns, self._row, strict=False)}
        shown = ", ".join(self._show(by_id[number], given) for number in key.columns)
        if key.kind in ("PK", "UQ"):
            kind = "PRIMARY KEY" if key.kind == "PK" else "UNIQUE KEY"
            return errors.duplicate_key(kind, key.name, self._target.shown, shown)
        return errors.duplicate_index_key(self._target.shown, key.name, shown)

    def _show(self, column: Column, given: dict[int, Stored]) -> str:
        value = given.get(column.id)
        if (
            value is None and column.id not in given and len(self._row) > len(given)
        ):  # an UPDATE that leaves this part of the key alone
            sql = f"SELECT {column.physical} FROM {self._table} WHERE rowid = ?"  # noqa: S608 - our own names
            row = self._connection.execute(sql, (self._row[len(given)],)).fetchone()
            value = row[0] if row else None
        return show_key_value(column, value)


def show_key_value(column: Column, value: Stored) -> str:
    """A value as the messages about keys write it."""
    if value is None:
        return "<NULL>"
    convert = conversions.converter(column.type, t.nvarchar(t.MAX), explicit=True)
    text = str(convert(value) if convert else value)
    return text.lower() if column.type.name == "uniqueidentifier" else text
