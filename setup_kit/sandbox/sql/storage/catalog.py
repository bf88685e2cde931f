"""The catalog of one database: principals, schemas, objects, permissions. It lives in the database's own file, so that
definitions take part in transactions; `Catalog` is an immutable picture of it, read again when its version has changed.
`catalog_writer` changes it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from setup_kit.sandbox.sql.values import collation
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


@lru_cache(maxsize=8192)
def fold(name: str) -> str:
    """Names compare without case, as under the collation SQL_Latin1_General_CP1_CI_AS."""
    return collation.equality_key(name)


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


#: What the options of a database are called that are its extended properties.
PROPERTY = "property."


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
