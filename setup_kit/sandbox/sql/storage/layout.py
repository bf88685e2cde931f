"""Tables and indexes as SQLite has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from setup_kit.sandbox.sql.storage.catalog import Column, DatabaseObject, Key
from setup_kit.sandbox.sql.values import types as t


def create_table(connection: sqlite3.Connection, table: DatabaseObject) -> None:
    connection.execute(f"CREATE TABLE {table.stored} ({declared(table.columns)})")


def declared(columns: Iterable[Column]) -> str:
    """Columns as SQLite takes them: without a type, so that values stay as they are; with their type's collation.

    A computed column has a place too, which stays empty: it is computed where it is read.
    """
    return ", ".join(f"{c.physical} {(name := t.collation_of(c.type)) and f'COLLATE {name}'}" for c in columns)


def create_index(connection: sqlite3.Connection, table: DatabaseObject, key: Key, where: str = "") -> None:
    """The index that keeps a key; sqlite3.IntegrityError when rows have the same one.

    SQLite lets NULL come twice in a unique index, SQL Server does not: a second index keeps the rows with NULL, which
    takes NULL for a value that no row can have.
    """
    by_id = {column.id: column for column in table.columns}
    columns = [by_id[number] for number in key.columns]
    unique = "" if key.kind == "IX" else "UNIQUE "
    listed = ", ".join(column.physical for column in columns)
    connection.execute(
        f"CREATE {unique}INDEX {table.home}.{key.physical} ON {table.physical} ({listed}){where and f' WHERE {where}'}"
    )
    if unique and any(column.nullable for column in columns):
        with_null = " OR ".join(f"{column.physical} IS NULL" for column in columns)
        connection.execute(
            f"CREATE UNIQUE INDEX {table.home}.{key.physical}n ON {table.physical} "
            f"({', '.join(_comparable(column) for column in columns)}) "
            f"WHERE ({with_null}){where and f' AND ({where})'}"
        )


def _comparable(column: Column) -> str:
    missing = "''" if column.type.name in t.BINARIES or column.type.name == "uniqueidentifier" else "x''"
    collation = t.collation_of(column.type)
    return f"ifnull({column.physical}, {missing}){collation and f' COLLATE {collation}'}"


def drop_index(connection: sqlite3.Connection, table: DatabaseObject, key: Key) -> None:
    connection.execute(f"DROP INDEX IF EXISTS {table.home}.{key.physical}n")
    connection.execute(f"DROP INDEX {table.home}.{key.physical}")


def key_of(table: DatabaseObject, message: str) -> Key | None:
    """The key that a row has broken, from SQLite's `UNIQUE constraint failed: t1.c1, t1.c2` or `… index 'k1n'`."""
    _, _, listed = message.partition(": ")
    if listed.startswith("index "):
        name = listed.removeprefix("index ").strip("'").removesuffix("n")
        return next((key for key in table.keys if key.physical == name), None)
    names = {item.rpartition(".")[2] for item in listed.split(", ")}
    physical = {column.id: column.physical for column in table.columns}
    return next((key for key in table.keys if {physical[number] for number in key.columns} == names), None)


def columns_of(table: DatabaseObject, numbers: Sequence[int]) -> list[Column]:
    by_id = {column.id: column for column in table.columns}
    return [by_id[number] for number in numbers]
