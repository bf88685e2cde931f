"""`$expand` of rows: single-valued lookups, and the other side of N:N relationships."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from json.encoder import encode_basestring

from setup_kit.sandbox.dataverse import errors, filters
from setup_kit.sandbox.dataverse.options import Expand, Options, Preferences
from setup_kit.sandbox.dataverse.rows import RowWriter, Values, chunks
from setup_kit.sandbox.dataverse.schema import Relationship, Schema, Table


def expand(
    schema: Schema,
    connection: sqlite3.Connection,
    writer: RowWriter,
    table: Table,
    rows: Sequence[Values],
    wanted: Sequence[Expand],
    preferences: Preferences,
) -> list[str]:
    """The rows as JSON objects, with what is expanded in them. Raises WebApiError for what is no relationship."""
    texts = writer.write(connection, rows)
    for item in wanted:
        members = _members(schema, connection, writer, table, rows, item, preferences)
        name = encode_basestring(item.name)
        texts = [f"{text[:-1]},{name}:{member}}}" for text, member in zip(texts, members, strict=True)]
    return texts


def _members(
    schema: Schema,
    connection: sqlite3.Connection,
    writer: RowWriter,
    table: Table,
    rows: Sequence[Values],
    item: Expand,
    preferences: Preferences,
) -> list[str]:
    keys = [writer.key(row) for row in rows]
    for relationship in schema.relationships_of(table.name):
        if relationship.schema_name == item.name:
            found = _related(schema, connection, table, relationship, keys, item.options, preferences)
            return [f"[{','.join(found.get(key, ()))}]" for key in keys]
    if item.name not in table.navigation or item.options.filter or item.options.order:
        raise errors.unknown_property(item.name, table.name)
    column, target_name = table.navigation[item.name]
    target = schema.tables.get(target_name)
    if target is None:
        # A lookup to a table that this organization does not have: it is always empty.
        return ["null"] * len(rows)
    ids = _lookup_ids(connection, table, column.name, keys)
    one = _writer(schema, target, item.options, preferences)
    found_rows = _read(connection, one, target, sorted(set(ids.values())))
    written = dict(zip(found_rows, one.write(connection, list(found_rows.values())), strict=True))
    return [written.get(ids.get(key, ""), "null") for key in keys]


def _lookup_ids(connection: sqlite3.Connection, table: Table, column: str, keys: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in chunks(keys):
        statement = (
            f'SELECT "{table.primary_id}", "{column}" FROM "{table.name}"'  # noqa: S608 (names of our own schema)
            f' WHERE "{column}" IS NOT NULL AND "{table.primary_id}" IN ({_marks(part)})'
        )
        found.update(connection.execute(statement, part))
    return found


def _related(
    schema: Schema,
    connection: sqlite3.Connection,
    table: Table,
    relationship: Relationship,
    keys: Sequence[str],
    options: Options,
    preferences: Preferences,
) -> dict[str, list[str]]:
    """Other sides of an N:N relationship by key of this side."""
    if options.expand or options.order or options.top is not None:
        raise errors.not_here("$expand, $orderby or $top inside $expand")
    near, far, other = (
        (relationship.attribute1, relationship.attribute2, relationship.table2)
        if relationship.table1 == table.name
        else (relationship.attribute2, relationship.attribute1, relationship.table1)
    )
    pairs: list[tuple[str, str]] = []
    for part in chunks(keys):
        statement = (
            f'SELECT "{near}", "{far}" FROM "{relationship.intersect_table}"'  # noqa: S608 (names of our own schema)
            f' WHERE "{near}" IN ({_marks(part)}) ORDER BY "{far}"'
        )
        pairs += connection.execute(statement, part).fetchall()
    target = schema.tables[other]
    writer = _writer(schema, target, options, preferences)
    rows = _read(connection, writer, target, sorted({pair[1] for pair in pairs}), options)
    texts = dict(zip(rows, writer.write(connection, list(rows.values())), strict=True))
    found: dict[str, list[str]] = {}
    for key, other_key in pairs:
        if other_key in texts:
            found.setdefault(key, []).append(texts[other_key])
    return found


def _writer(schema: Schema, table: Table, options: Options, preferences: Preferences) -> RowWriter:
    columns = table.row_columns
    if options.select is not None:
        names = {filters.column_of(table, name).name: None for name in options.select} | {table.primary_id: None}
        columns = tuple(table.by_name[name] for name in names)
    return RowWriter(schema, table, columns, preferences)


def _read(
    connection: sqlite3.Connection, writer: RowWriter, table: Table, ids: Sequence[str], options: Options | None = None
) -> dict[str, Values]:
    condition, values = "", list[str]()
    if options is not None and options.filter is not None:
        sql, values = filters.to_sql(options.filter, table)
        condition = f" AND {sql}"
    found: dict[str, Values] = {}
    for part in chunks(ids):
        statement = (
            f'SELECT {writer.select_list} FROM "{table.name}"'  # noqa: S608 (names of our own schema)
            f' WHERE "{table.primary_id}" IN ({_marks(part)}){condition}'
        )
        found.update((writer.key(row), row) for row in connection.execute(statement, [*part, *values]))
    return found


def _marks(items: Sequence[str]) -> str:
    return ", ".join("?" * len(items))
