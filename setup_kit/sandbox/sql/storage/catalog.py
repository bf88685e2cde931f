"""The catalog of one database: principals, schemas, objects, permissions. It lives in the database's own file, so that
definitions take part in transactions; `Catalog` is an immutable picture of it, read again when its version has changed.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from setup_kit.sandbox.sql.values import collation
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType

DATABASE, OBJECT, SCHEMA, PRINCIPAL, TYPE = 0, 1, 3, 4, 6  # classes of securables, sys.database_permissions.class

PUBLIC_ID, DBO_ID, GUEST_ID, INFORMATION_SCHEMA_ID, SYS_ID = 0, 1, 2, 3, 4
DBO_SCHEMA, GUEST_SCHEMA, INFORMATION_SCHEMA, SYS_SCHEMA = 1, 2, 3, 4
FIXED_ROLES = {
    "db_owner": 16384, "db_accessadmin": 16385, "db_securityadmin": 16386, "db_ddladmin": 16387,
    "db_backupoperator": 16389, "db_datareader": 16390, "db_datawriter": 16391, "db_denydatareader": 16392,
    "db_denydatawriter": 16393,
}  # fmt: skip
FIRST_USER_ID, FIRST_OBJECT_ID = 5, 901578250

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


@lru_cache(maxsize=8192)
def fold(name: str) -> str:
    """Names compare without case, as under the collation SQL_Latin1_General_CP1_CI_AS."""
    return collation.sort_key(name)


@dataclass(frozen=True, slots=True)
class Principal:
    """`kind`: S SQL user, E external user, R role. `authentication`: 0 none, 1 login, 2 password, 4 external."""

    id: int
    name: str
    kind: str
    default_schema: str | None
    sid: bytes
    authentication: int
    password: str | None = field(repr=False)
    owner: int
    created: int

    @property
    def fixed(self) -> bool:
        return self.id in FIXED_ROLES.values() or self.id < FIRST_USER_ID


@dataclass(frozen=True, slots=True)
class Schema:
    id: int
    name: str
    owner: int


@dataclass(frozen=True, slots=True)
class Permission:
    """One row of sys.database_permissions; `state` G grant, W grant with grant option, D deny."""

    securable_class: int
    major_id: int
    grantee: int
    grantor: int
    permission: str
    state: str


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A row of sys.database_firewall_rules: the addresses from `start` to `end` may come into this database."""

    id: int
    name: str
    start: str
    end: str
    created: int
    modified: int


@dataclass(frozen=True, slots=True)
class Column:
    """`computed`: the expression of a computed column; `alias`: the id of the alias type that it was declared with."""

    id: int
    name: str
    type: SqlType
    nullable: bool
    identity: tuple[int, int] | None = None
    default_name: str | None = None
    default_text: str | None = None
    computed: str | None = None
    alias: int | None = None

    @property
    def physical(self) -> str:
        return f"c{self.id}"

    @property
    def given(self) -> bool:
        """Whether statements give its values: the server numbers an identity column and computes a computed one."""
        return self.identity is None and self.computed is None


@dataclass(frozen=True, slots=True)
class Key:
    """`kind`: PK primary key, UQ unique constraint, UI unique index, IX index."""

    id: int
    name: str
    kind: str
    columns: tuple[int, ...]

    @property
    def physical(self) -> str:
        return f"k{abs(self.id)}"


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint; `columns` has the column it was written with, if any."""

    id: int
    name: str
    text: str
    columns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`references`: columns of the table `table`, as `columns` of its own; actions as T-SQL writes them."""

    id: int
    name: str
    columns: tuple[int, ...]
    table: int
    references: tuple[int, ...]
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"


@dataclass(frozen=True)
class DatabaseObject:
    """`kind`: U table, V view, P procedure, TT table type, AT alias type (its one column is the type it stands for).

    `owner` None: whoever owns the schema. An id below 0: a table that only one session sees, in SQLite's database
    `temp`; as TT it is a table-valued parameter, which cannot be changed.
    """

    id: int
    schema_id: int
    name: str
    kind: str
    created: int
    modified: int
    definition: str | None = None
    columns: tuple[Column, ...] = ()
    keys: tuple[Key, ...] = ()
    owner: int | None = None
    checks: tuple[Check, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()

    @property
    def is_type(self) -> bool:
        return self.kind in ("TT", "AT")

    @property
    def is_local(self) -> bool:
        return self.id < 0

    @property
    def home(self) -> str:
        """The SQLite database that it is in."""
        return "temp" if self.is_local else "main"

    @property
    def physical(self) -> str:
        return f"t{abs(self.id)}"

    @property
    def stored(self) -> str:
        """The SQLite table with its rows."""
        return f"{self.home}.{self.physical}"

    @cached_property
    def columns_by_name(self) -> Mapping[str, Column]:
        return {fold(column.name): column for column in self.columns}


@dataclass(frozen=True)
class Catalog:
    """The whole catalog at one version."""

    version: int
    principals: Mapping[int, Principal]
    memberships: frozenset[tuple[int, int]]
    schemas: Mapping[int, Schema]
    permissions: tuple[Permission, ...]
    objects: Mapping[int, DatabaseObject]
    options: Mapping[str, str | int]
    firewall_rules: tuple[FirewallRule, ...] = ()

    @cached_property
    def principals_by_name(self) -> Mapping[str, Principal]:
        return {fold(principal.name): principal for principal in self.principals.values()}

    @cached_property
    def schemas_by_name(self) -> Mapping[str, Schema]:
        return {fold(schema.name): schema for schema in self.schemas.values()}

    @cached_property
    def objects_by_name(self) -> Mapping[tuple[int, str], DatabaseObject]:
        return {(o.schema_id, fold(o.name)): o for o in self.objects.values() if not o.is_type}

    @cached_property
    def types_by_name(self) -> Mapping[tuple[int, str], DatabaseObject]:
        return {(o.schema_id, fold(o.name)): o for o in self.objects.values() if o.is_type}

    @cached_property
    def permissions_by_grantee(self) -> Mapping[int, tuple[Permission, ...]]:
        rows: dict[int, list[Permission]] = {}
        for permission in self.permissions:
            rows.setdefault(permission.grantee, []).append(permission)
        return {grantee: tuple(held) for grantee, held in rows.items()}

    @cached_property
    def _references(self) -> Mapping[int, tuple[tuple[DatabaseObject, ForeignKey], ...]]:
        found: dict[int, list[tuple[DatabaseObject, ForeignKey]]] = {}
        for table in self.objects.values():
            for key in table.foreign_keys:
                found.setdefault(key.table, []).append((table, key))
        return {number: tuple(held) for number, held in found.items()}

    def references_to(self, table: int) -> tuple[tuple[DatabaseObject, ForeignKey], ...]:
        """The foreign keys that refer to a table, each with the table that has it."""
        return self._references.get(table, ())

    def principal(self, name: str) -> Principal | None:
        return self.principals_by_name.get(fold(name))

    def schema(self, name: str) -> Schema | None:
        return self.schemas_by_name.get(fold(name))

    def object(self, schema: str, name: str) -> DatabaseObject | None:
        found = self.schema(schema)
        return self.objects_by_name.get((found.id, fold(name))) if found else None

    def user_of(self, sid: bytes, *, or_guest: bool = False) -> int | None:
        """The user of a login; `or_guest` in a database that lets guests in."""
        found = next((user.id for user in self.principals.values() if user.sid == sid), None)
        return GUEST_ID if found is None and or_guest else found

    def owner_of(self, found: DatabaseObject) -> int:
        """The principal that an object belongs to: its own owner, else its schema's."""
        return found.owner if found.owner is not None else self.schemas[found.schema_id].owner

    def roles_of(self, principal_id: int) -> frozenset[int]:
        """Every role that the principal is in, by whatever way; public too."""
        found = {PUBLIC_ID}
        wanted = [principal_id]
        while wanted:
            member = wanted.pop()
            for role, of in self.memberships:
                if of == member and role not in found:
                    found.add(role)
                    wanted.append(role)
        return frozenset(found)


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


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()[0])


def load(connection: sqlite3.Connection) -> Catalog:
    """Read the picture; call it inside a transaction or where nothing else writes."""
    columns: dict[int, list[Column]] = {}
    for owner, number, name, kind, length, precision, scale, nullable, seed, step, *rest in connection.execute(
        "SELECT * FROM columns ORDER BY object, id"
    ):
        identity = None if seed is None else (seed, step)
        found = Column(number, name, SqlType(kind, length, precision, scale), bool(nullable), identity, *rest)
        columns.setdefault(owner, []).append(found)
    keys: dict[int, list[Key]] = {}
    for number, owner, name, kind, listed in connection.execute("SELECT * FROM keys ORDER BY id"):
        keys.setdefault(owner, []).append(Key(number, name, kind, tuple(json.loads(listed))))
    checks: dict[int, list[Check]] = {}
    foreign_keys: dict[int, list[ForeignKey]] = {}
    for number, owner, name, kind, definition in connection.execute("SELECT * FROM constraints ORDER BY id"):
        values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in json.loads(definition)]
        if kind == "C":
            checks.setdefault(owner, []).append(Check(number, name, *values))
        else:
            foreign_keys.setdefault(owner, []).append(ForeignKey(number, name, *values))
    objects = []
    for number, schema, name, kind, created, modified, definition, owner in connection.execute(
        "SELECT id, schema, name, kind, created, modified, definition, owner FROM objects"
    ):
        held, own = tuple(columns.get(number, ())), tuple(keys.get(number, ()))
        rules = tuple(checks.get(number, ())), tuple(foreign_keys.get(number, ()))
        objects.append(
            DatabaseObject(number, schema, name, kind, created, modified, definition, held, own, owner, *rules)
        )
    meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    return Catalog(
        version=meta["version"],
        principals={row[0]: Principal(*row) for row in connection.execute("SELECT * FROM principals ORDER BY id")},
        memberships=frozenset(connection.execute("SELECT role, member FROM role_members").fetchall()),
        schemas={row[0]: Schema(*row) for row in connection.execute("SELECT * FROM schemas ORDER BY id")},
        permissions=tuple(
            Permission(*row)
            for row in connection.execute(
                "SELECT class, major, grantee, grantor, permission, state FROM permissions ORDER BY class, major"
            )
        ),
        objects={found.id: found for found in objects},
        options={key.removeprefix("option."): value for key, value in meta.items() if key.startswith("option.")},
        firewall_rules=load_firewall_rules(connection),
    )


def load_firewall_rules(connection: sqlite3.Connection) -> tuple[FirewallRule, ...]:
    return tuple(FirewallRule(*row) for row in connection.execute("SELECT * FROM firewall_rules ORDER BY id"))


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

    def rename(self, table: str, number: int, name: str, owner: int | None = None) -> None:
        """`table`: objects, keys, constraints, or columns of the object `owner`."""
        where = " AND object = ?" if owner is not None else ""
        values = (name, number) if owner is None else (name, number, owner)
        self._run(f"UPDATE {table} SET name = ? WHERE id = ?{where}", *values)  # noqa: S608 - our own table names
