"""Laying out and changing the catalog of a database."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from setup_kit.sandbox.sql.storage.catalog import (
    DBO_ID,
    DBO_SCHEMA,
    FIRST_OBJECT_ID,
    FIRST_USER_ID,
    FIXED_ROLES,
    GUEST_ID,
    GUEST_SCHEMA,
    INFORMATION_SCHEMA,
    INFORMATION_SCHEMA_ID,
    OBJECT,
    PRINCIPAL,
    PUBLIC_ID,
    SCHEMA,
    SYS_ID,
    SYS_SCHEMA,
    TYPE,
    Check,
    Column,
    ForeignKey,
    Key,
    Permission,
    fold,
)
from setup_kit.sandbox.sql.values import types as t

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value);
CREATE TABLE principals (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, default_schema TEXT,
  sid BLOB NOT NULL, authentication INTEGER NOT NULL, password TEXT, owner INTEGER NOT NULL, created INTEGER NOT NULL);
CREATE TABLE role_members (role INTEGER NOT NULL, member INTEGER NOT NULL, PRIMARY KEY (role, member));
CREATE TABLE schemas (id INTEGER PRIMARY KEY, name TEXT NOT NULL, owner INTEGER NOT NULL);
CREATE TABLE permissions (class INTEGER NOT NULL, major INTEGER NOT NULL, grantee INTEGER NOT NULL,
  grantor INTEGER NOT NULL, permission TEXT NOT NULL, state TEXT NOT NULL,
  PRIMARY KEY (class, major, grantee, permission));
CREATE TABLE objects (id INTEGER PRIMARY KEY, schema INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  created INTEGER NOT NULL, modified INTEGER NOT NULL, definition TEXT, owner INTEGER);
CREATE TABLE columns (object INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
  length INTEGER NOT NULL, precision INTEGER NOT NULL, scale INTEGER NOT NULL, nullable INTEGER NOT NULL,
  seed INTEGER, increment INTEGER, default_name TEXT, default_text TEXT, computed TEXT, alias INTEGER,
  PRIMARY KEY (object, id));
CREATE TABLE firewall_rules (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE tsql, first TEXT NOT NULL,
  last TEXT NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL);
CREATE TABLE keys (id INTEGER PRIMARY KEY, object INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  columns TEXT NOT NULL);
CREATE TABLE constraints (id INTEGER PRIMARY KEY, object INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  definition TEXT NOT NULL);
"""


def create(connection: sqlite3.Connection, database: str) -> None:
    """Lay out the catalog of a new database."""
    now = t.now_utc()
    connection.executescript(_TABLES)
    people = [
        (PUBLIC_ID, "public", "R", None, b"\x01", 0), (DBO_ID, "dbo", "S", "dbo", b"\x01\x05", 1),
        (GUEST_ID, "guest", "S", "guest", b"\x00", 0), (INFORMATION_SCHEMA_ID, "INFORMATION_SCHEMA", "S", None, b"", 0),
        (SYS_ID, "sys", "S", None, b"", 0),
        *((number, name, "R", None, number.to_bytes(4, "little"), 0) for name, number in FIXED_ROLES.items()),
    ]  # fmt: skip
    if fold(database) == "master":
        people += [
            (FIRST_USER_ID, "loginmanager", "R", None, b"lm", 0),
            (FIRST_USER_ID + 1, "dbmanager", "R", None, b"dm", 0),
        ]
    connection.executemany(
        "INSERT INTO principals VALUES (?, ?, ?, ?, ?, ?, NULL, 1, ?)", [(*person, now) for person in people]
    )
    schemas = [(DBO_SCHEMA, "dbo", DBO_ID), (GUEST_SCHEMA, "guest", GUEST_ID), (SYS_SCHEMA, "sys", SYS_ID)]
    schemas += [(INFORMATION_SCHEMA, "INFORMATION_SCHEMA", INFORMATION_SCHEMA_ID)]
    schemas += [(number, name, number) for name, number in FIXED_ROLES.items()]
    connection.executemany("INSERT INTO schemas VALUES (?, ?, ?)", schemas)
    connection.execute("INSERT INTO meta VALUES ('next_object', ?)", (FIRST_OBJECT_ID,))
    touch(connection)


def touch(connection: sqlite3.Connection) -> None:
    """Give the catalog a new version. A random one: a number counted on could come twice after a rollback."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('version', ?)", (secrets.randbits(62),))


class CatalogWriter:
    """Changes to the catalog, within the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _run(self, sql: str, *values: object) -> None:
        self._connection.execute(sql, values)
        touch(self._connection)

    def _next(self, table: str, first: int) -> int:
        if table in ("objects", "keys", "constraints"):
            row = self._connection.execute(
                "UPDATE meta SET value = value + 16 WHERE key = 'next_object' RETURNING value"
            ).fetchone()
            return int(row[0])
        # Rows of fixed roles and their schemas have numbers from 16384 on.
        row = self._connection.execute(f"SELECT max(id) FROM {table} WHERE id < 16384").fetchone()  # noqa: S608 - our own table names
        return max(int(row[0] or 0) + 1, first)

    def add_principal(
        self,
        name: str,
        kind: str,
        *,
        sid: bytes,
        authentication: int,
        default_schema: str | None = None,
        password: str | None = None,
        owner: int = DBO_ID,
    ) -> int:
        number = self._next("principals", FIRST_USER_ID)
        self._run(
            "INSERT INTO principals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            number, name, kind, default_schema, sid, authentication, password, owner, t.now_utc(),
        )  # fmt: skip
        return number

    def change_principal(self, number: int, **values: str | bytes | int) -> None:
        """`values`: name, default_schema, sid, password, owner."""
        for column, value in values.items():
            self._run(f"UPDATE principals SET {column} = ? WHERE id = ?", value, number)  # noqa: S608 - our own column names

    def remove_principal(self, number: int) -> None:
        self._run("DELETE FROM principals WHERE id = ?", number)
        self._run("DELETE FROM role_members WHERE ? IN (role, member)", number)
        self._run("DELETE FROM permissions WHERE grantee = ?", number)
        self.remove_permissions(PRINCIPAL, number)

    def add_member(self, role: int, member: int) -> None:
        self._run("INSERT OR IGNORE INTO role_members VALUES (?, ?)", role, member)

    def remove_member(self, role: int, member: int) -> None:
        self._run("DELETE FROM role_members WHERE role = ? AND member = ?", role, member)

    def add_schema(self, name: str, owner: int) -> int:
        number = self._next("schemas", 5)
        self._run("INSERT INTO schemas VALUES (?, ?, ?)", number, name, owner)
        return number

    def remove_schema(self, number: int) -> None:
        self._run("DELETE FROM schemas WHERE id = ?", number)
        self.remove_permissions(SCHEMA, number)

    def set_schema_owner(self, number: int, owner: int) -> None:
        self._run("UPDATE schemas SET owner = ? WHERE id = ?", owner, number)

    def set_permission(self, row: Permission) -> None:
        self._run(
            "INSERT OR REPLACE INTO permissions VALUES (?, ?, ?, ?, ?, ?)",
            row.securable_class, row.major_id, row.grantee, row.grantor, row.permission, row.state,
        )  # fmt: skip

    def remove_permission(self, row: Permission) -> None:
        """Whatever its state, if it is the grantor's."""
        self._run(
            "DELETE FROM permissions WHERE class = ? AND major = ? AND grantee = ? AND permission = ? AND grantor = ?",
            row.securable_class, row.major_id, row.grantee, row.permission, row.grantor,
        )  # fmt: skip

    def remove_permissions(self, securable_class: int, major: int) -> None:
        """All that were granted or denied on a securable."""
        self._run("DELETE FROM permissions WHERE class = ? AND major = ?", securable_class, major)

    def set_option(self, name: str, value: str | int) -> None:
        self._run("INSERT OR REPLACE INTO meta VALUES (?, ?)", f"option.{name}", value)

    def remove_option(self, name: str) -> None:
        self._run("DELETE FROM meta WHERE key = ?", f"option.{name}")

    def set_firewall_rule(self, name: str, start: str, end: str) -> None:
        """Make the rule, or give the one of that name other addresses."""
        now = t.now_utc()
        self._run(
            "INSERT INTO firewall_rules (name, first, last, created, modified) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET first = excluded.first, last = excluded.last, "
            "modified = excluded.modified",
            name, start, end, now, now,
        )  # fmt: skip

    def remove_firewall_rule(self, name: str) -> None:
        self._run("DELETE FROM firewall_rules WHERE name = ?", name)

    def add_object(self, schema: int, name: str, kind: str, definition: str | None = None) -> int:
        number = self._next("objects", FIRST_OBJECT_ID)
        now = t.now_utc()
        values = (number, schema, name, kind, now, now, definition)
        self._run("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", *values)
        return number

    def modify_object(self, number: int, definition: str | None = None) -> None:
        self._run("UPDATE objects SET modified = ? WHERE id = ?", t.now_utc(), number)
        if definition is not None:
            self._run("UPDATE objects SET definition = ? WHERE id = ?", definition, number)

    def move_object(self, number: int, schema: int) -> None:
        """To another schema, whose owner it then belongs to."""
        self._run("UPDATE objects SET schema = ?, owner = NULL, modified = ? WHERE id = ?", schema, t.now_utc(), number)

    def set_object_owner(self, number: int, owner: int | None) -> None:
        self._run("UPDATE objects SET owner = ? WHERE id = ?", owner, number)

    def rename_object(self, number: int, name: str) -> None:
        self._run("UPDATE objects SET name = ?, modified = ? WHERE id = ?", name, t.now_utc(), number)

    def rename_column(self, owner: int, number: int, name: str) -> None:
        self._run("UPDATE columns SET name = ? WHERE object = ? AND id = ?", name, owner, number)

    def rename_default(self, owner: int, column: int, name: str) -> None:
        self._run("UPDATE columns SET default_name = ? WHERE object = ? AND id = ?", name, owner, column)

    def rename_constraint(self, number: int, name: str) -> None:
        """A key, an index, a check or a foreign key."""
        self._run("UPDATE keys SET name = ? WHERE id = ?", name, number)
        self._run("UPDATE constraints SET name = ? WHERE id = ?", name, number)

    def remove_object(self, number: int) -> None:
        self._run("DELETE FROM objects WHERE id = ?", number)
        self._run("DELETE FROM columns WHERE object = ?", number)
        self._run("DELETE FROM keys WHERE object = ?", number)
        self._run("DELETE FROM constraints WHERE object = ?", number)
        self.remove_permissions(OBJECT, number)
        self.remove_permissions(TYPE, number)

    def add_columns(self, owner: int, columns: Iterable[Column]) -> None:
        for column in columns:
            kind = column.type
            seed, step = column.identity or (None, None)
            self._run(
                "INSERT INTO columns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                owner, column.id, column.name, kind.name, kind.length, kind.precision, kind.scale, column.nullable,
                seed, step, column.default_name, column.default_text, column.computed, column.alias,
            )  # fmt: skip

    def change_column(self, owner: int, column: Column) -> None:
        self.remove_column(owner, column.id)
        self.add_columns(owner, [column])

    def remove_column(self, owner: int, number: int) -> None:
        self._run("DELETE FROM columns WHERE object = ? AND id = ?", owner, number)

    def add_key(self, owner: int, name: str, kind: str, columns: Iterable[int]) -> Key:
        key = Key(self._next("keys", FIRST_OBJECT_ID), name, kind, tuple(columns))
        self._run("INSERT INTO keys VALUES (?, ?, ?, ?, ?)", key.id, owner, name, kind, json.dumps(key.columns))
        return key

    def remove_key(self, number: int) -> None:
        self._run("DELETE FROM keys WHERE id = ?", number)

    def add_check(self, owner: int, name: str, text: str, columns: Iterable[int]) -> Check:
        check = Check(self._next("constraints", FIRST_OBJECT_ID), name, text, tuple(columns))
        self._add_constraint(owner, check.id, name, "C", check.text, check.columns)
        return check

    def add_foreign_key(self, owner: int, key: ForeignKey) -> ForeignKey:
        """`key` under a number of its own."""
        key = replace(key, id=self._next("constraints", FIRST_OBJECT_ID))
        values = (key.columns, key.table, key.references, key.on_delete, key.on_update)
        self._add_constraint(owner, key.id, key.name, "F", *values)
        return key

    def _add_constraint(self, owner: int, number: int, name: str, kind: str, *values: object) -> None:
        self._run("INSERT INTO constraints VALUES (?, ?, ?, ?, ?)", number, owner, name, kind, json.dumps(values))

    def remove_constraint(self, number: int) -> None:
        self._run("DELETE FROM constraints WHERE id = ?", number)
