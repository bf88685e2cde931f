"""The destination database, spoken to as the export user whose connection string the secret holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from setup_kit.secret import Secret
from setup_kit.service.metadata import Filling
from setup_kit.service.tables import Table, identifier, input_sizes, literal, narrowed, qualified
from setup_kit.sqlserver.connection import (
    ConnectionString,
    ConnectionStringError,
    Cursor,
    connect,
    parse_ado_net,
    sql_errors,
)

APPLICATION = "Data Export Service"
LOGIN_SECONDS = 30
STATEMENT_SECONDS = 300

# What the database user must hold, from the service's documentation; VIEW DATABASE STATE from 2019 on.
DATABASE_PERMISSIONS = (
    "CREATE TABLE",
    "CREATE TYPE",
    "CREATE VIEW",
    "CREATE PROCEDURE",
    "ALTER ANY USER",
    "VIEW DATABASE STATE",
)
SCHEMA_PERMISSIONS = ("ALTER", "REFERENCES", "INSERT", "DELETE", "UPDATE", "SELECT", "EXECUTE")


@dataclass(frozen=True)
class Lacking:
    """The permissions that a user does not hold."""

    user: str
    database: str
    on_database: tuple[str, ...]
    on_schema: tuple[str, ...]


def read_connection_string(secret: Secret) -> ConnectionString:
    """The export user's connection string; raises ConnectionStringError, which names keys and never values."""
    read = parse_ado_net(secret)
    if not read.user or read.password is None:
        missing = "'User ID'" if not read.user else "'Password'"
        raise ConnectionStringError(
            f"the connection string has no {missing}: the service logs in with a SQL login or a contained user only"
        )
    if not read.database:
        raise ConnectionStringError("the connection string has no 'Initial Catalog'")
    return read


class Destination:
    """One connection; not for several threads at once. Every method raises SqlError."""

    def __init__(self, target: ConnectionString, certificate: Path | None) -> None:
        self._connection = connect(
            target.address,
            target.database,
            user=target.user,
            password=target.password,
            certificate=certificate,
            application=APPLICATION,
            timeout=LOGIN_SECONDS,
        )
        self._connection.timeout = STATEMENT_SECONDS
        self._inserts_into: tuple[str, str] | None = None
        self._columns: frozenset[str] = frozenset()
        self._inserts: dict[int, tuple[Cursor, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with sql_errors():
            self._connection.close()

    def lacking(self, schema: str) -> Lacking:
        """Asks for each permission of the connected user, whichever way it came to it, denials included."""
        asked = [
            f"HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', {literal(permission)})" for permission in DATABASE_PERMISSIONS
        ] + [
            f"HAS_PERMS_BY_NAME({literal(schema)}, N'SCHEMA', {literal(permission)})"
            for permission in SCHEMA_PERMISSIONS
        ]
        with sql_errors():
            row = self._connection.execute(f"SELECT USER_NAME(), DB_NAME(), {', '.join(asked)}").fetchone()
        held = list(row)[2:]
        count = len(DATABASE_PERMISSIONS)
        return Lacking(
            user=row[0],
            database=row[1],
            on_database=_not_held(DATABASE_PERMISSIONS, held[:count]),
            on_schema=_not_held(SCHEMA_PERMISSIONS, held[count:]),
        )

    def has_schema(self, schema: str) -> bool:
        with sql_errors():
            found = self._connection.execute("SELECT name FROM sys.schemas WHERE name = ?", schema).fetchone()
        return found is not None

    def objects(self, schema: str) -> frozenset[str]:
        """Names, in lower case, of all objects of the schema that the user may see: they share one name space."""
        with sql_errors():
            rows = self._connection.execute(
                "SELECT o.name FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id"
                " WHERE s.name = ?",
                schema,
            ).fetchall()
        return frozenset(row[0].lower() for row in rows)

    def create(self, tables: Sequence[Table], schema: str) -> None:
        """In one batch; those before one that fails are made."""
        with sql_errors():
            cursor = self._connection.execute(";\n".join(table.create(schema) for table in tables))
            while cursor.nextset():  # a later statement's error comes with its result
                pass

    def empty(self, table: Table, schema: str) -> None:
        with sql_errors():
            self._connection.execute(f"DELETE FROM {qualified(schema, table.name)}")  # noqa: S608 (quoted)

    def contains(self, table: Table, schema: str, record_id: str) -> bool:
        with sql_errors():
            query = f"SELECT [Id] FROM {qualified(schema, table.name)} WHERE [Id] = ?"  # noqa: S608 (quoted)
            return self._connection.execute(query, record_id).fetchone() is not None

    def insert(self, table: Table, schema: str, rows: Sequence[Sequence[Any]]) -> None:
        """All of the rows or none."""
        if rows:
            with self._all_or_nothing():
                self._write(table, schema, rows)

    def fill(self, tables: Mapping[str, Table], schema: str, fillings: Iterable[Filling]) -> None:
        """Replaces the rows that the fillings speak of, all or none; `tables` by the fillings' names for them."""
        with self._all_or_nothing():
            for filling in fillings:
                table = tables[filling.table]
                where = f"{qualified(schema, table.name)} WHERE {identifier(filling.by)} = ?"
                self._connection.execute(f"DELETE FROM {where}", filling.value)  # noqa: S608 (quoted)
                if filling.rows:
                    self._write(table, schema, filling.rows)

    @contextlib.contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        connection = self._connection
        with sql_errors():
            connection.autocommit = False
            try:
                yield
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                connection.autocommit = True

    def _write(self, table: Table, schema: str, rows: Sequence[Sequence[Any]]) -> None:
        """Many rows a statement, the same statements from page to page.

        Not with pyodbc's fast_executemany: that one holds the interpreter while it asks the server for the types of
        parameters, which a server in the same process, the sandbox's, cannot survive.
        """
        into = (schema, table.name)
        kept = self._columns if self._inserts_into == into else frozenset()
        table, rows = narrowed(table, rows, kept)
        columns = frozenset(column.name for column in table.columns)
        if self._inserts_into != into or columns != kept:
            self._inserts_into, self._columns, self._inserts = into, columns, {}
        sizes = input_sizes(table, rows)
        for start in range(0, len(rows), table.rows_a_statement):
            chunk = rows[start : start + table.rows_a_statement]
            if len(chunk) not in self._inserts:
                # pyodbc prepares a statement anew unless the same cursor is given the same object.
                self._inserts[len(chunk)] = (self._connection.cursor(), table.insert(schema, len(chunk)))
            cursor, statement = self._inserts[len(chunk)]
            cursor.setinputsizes(sizes * len(chunk))
            cursor.execute(statement, [value for row in chunk for value in row])


def _not_held(permissions: Sequence[str], held: Sequence[int | None]) -> tuple[str, ...]:
    # NULL is the answer for something that does not exist or may not be seen.
    return tuple(permission for permission, holds in zip(permissions, held, strict=True) if holds != 1)
