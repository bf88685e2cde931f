"""What a check is given: a connection of one driver, with the few verbs that checks are written in."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.sandbox.sql.conformance.client import Client, Column, Options, Place, ServerError, World

Row = tuple[Any, ...]


@dataclass
class Session:
    client: Client
    world: World
    place: Place
    options: Options
    names: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _connection: Any = None

    @property
    def connection(self) -> Any:
        """The driver's own connection, opened when first asked for."""
        if self._connection is None:
            self._connection = self.client.connect(self.place, self.options)
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rollback(self) -> None:
        """Rolls back; that the server has done so before, after an error that ends the transaction, is no error."""
        try:
            self.connection.rollback()
        except Exception as error:
            if [each.number for each in self.client.errors(error)] != [3903]:
                raise

    @contextlib.contextmanager
    def another(self, place: Place | None = None, **options: Any) -> Iterator[Session]:
        """A second connection, as this one but for `options`."""
        other = Session(self.client, self.world, place or self.place, replace(self.options, **options), self.names)
        try:
            yield other
        finally:
            other.close()

    def refused(self, place: Place | None = None, **options: Any) -> tuple[BaseException, list[ServerError]]:
        """What the driver raises, and the server's errors in it, for a connection that must not come about."""
        try:
            with self.another(place, **options) as other:
                other.value("SELECT 1")
        except Exception as error:  # noqa: BLE001 - each driver has its own classes
            return error, self.client.errors(error)
        raise AssertionError("the connection was accepted")

    def cursor(self) -> Any:
        return self.connection.cursor()

    @contextlib.contextmanager
    def executed(self, text: str, *values: object) -> Iterator[Any]:
        """A cursor on which `text` has run."""
        with contextlib.closing(self.cursor()) as cursor:
            self.client.execute(cursor, text, values)
            yield cursor

    def run(self, text: str, *values: object) -> None:
        """Runs all statements of `text` to their end."""
        self.sets(text, *values)

    def sets(self, text: str, *values: object) -> list[list[Row]]:
        """The result sets of `text`, those with columns."""
        with self.executed(text, *values) as cursor:
            return list(self.results(cursor))

    def results(self, cursor: Any) -> Iterator[list[Row]]:
        while True:
            if cursor.description:
                yield [tuple(map(self.client.normal, row)) for row in cursor.fetchall()]
            if not cursor.nextset():
                return

    def rows(self, text: str, *values: object) -> list[Row]:
        """The rows of the only result set."""
        (rows,) = self.sets(text, *values)
        return rows

    def row(self, text: str, *values: object) -> Row:
        (row,) = self.rows(text, *values)
        return row

    def value(self, text: str, *values: object) -> Any:
        (value,) = self.row(text, *values)
        return value

    def count(self, text: str, *values: object) -> int:
        """`rowcount` of one statement."""
        with self.executed(text, *values) as cursor:
            return int(cursor.rowcount)

    def described(self, text: str, *values: object) -> list[Column]:
        with self.executed(text, *values) as cursor:
            columns = self.client.columns(cursor)
            list(self.results(cursor))
            return columns

    def failure(self, work: str | Callable[[], object], *values: object) -> list[ServerError]:
        """The server's errors that `work`, a text or a call, ends with."""
        try:
            if isinstance(work, str):
                self.run(work, *values)
            else:
                work()
        except Exception as error:
            found = self.client.errors(error)
            if not found:
                raise
            return found
        raise AssertionError("no error was raised")

    def fails(self, expected: ServerError, work: str | Callable[[], object], *values: object) -> None:
        """Asserts that `work` ends with the expected error."""
        found = self.failure(work, *values)
        assert any(each.shows(expected) for each in found), f"expected {expected}, found {found}"

    def messages(self, text: str, *values: object) -> list[ServerError]:
        with contextlib.closing(self.cursor()) as cursor:
            self.client.execute(cursor, text, values)
            found = list(self.client.messages(self.connection, cursor))
            while cursor.nextset():
                found += self.client.messages(self.connection, cursor)
            return found

    def name(self, prefix: str = "t") -> str:
        """A name that no other check has."""
        return f"{prefix}{next(self.names)}"

    def table(self, columns: str) -> str:
        """A new table, gone with the transaction unless the check commits; its name."""
        name = f"dbo.{self.name()}"
        self.run(f"CREATE TABLE {name} ({columns})")
        return name

    @contextlib.contextmanager
    def committed_table(self, columns: str) -> Iterator[str]:
        """A table that other connections see; dropped at the end."""
        self.connection.rollback()
        name = self.table(columns)
        self.connection.commit()
        try:
            yield name
        finally:
            self.rollback()
            self.run(f"DROP TABLE IF EXISTS {name}")
            self.connection.commit()
