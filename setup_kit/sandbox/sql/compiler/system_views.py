"""The views of schemas `sys` and `INFORMATION_SCHEMA` that this server answers, and two table functions.

Their rows are made from the picture of the catalog each time a statement reads them, and only those that the caller may
see ("Metadata Visibility Configuration" of the SQL Server documentation).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.functions_system import resolve_securable
from setup_kit.sandbox.sql.storage.catalog import (
    DATABASE,
    OBJECT,
    SCHEMA,
    Column,
    DatabaseObject,
    fold,
)
from setup_kit.sandbox.sql.tds.tokens import Column as ResultColumn
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

Rows = Iterable[Sequence[Stored]]

NAME = t.SYSNAME
BIT, INT, SMALLINT, TINYINT, DATETIME = t.BIT, t.INT, t.SMALLINT, t.TINYINT, t.DATETIME
_COLLATION = "SQL_Latin1_General_CP1_CI_AS"


@dataclass(frozen=True)
class SystemView:
    schema: str
    name: str
    columns: tuple[ResultColumn, ...]
    rows: Callable[..., Rows]
    arguments: int = 0

    @property
    def key(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def table(self) -> str:
        return f"{self.schema}_{self.name}"


_VIEWS: dict[str, SystemView] = {}
_FUNCTIONS: dict[str, SystemView] = {}


def _view(key: str, arguments: int = -1, /, **columns: SqlType) -> Callable[[Callable[..., Rows]], Callable[..., Rows]]:
    """Register the rows of a view (or of a function with that many arguments) under `schema.name`."""

    def register(rows: Callable[..., Rows]) -> Callable[..., Rows]:
        schema, _, name = key.partition(".")
        shown = tuple(ResultColumn(column, kind) for column, kind in columns.items())
        if arguments < 0:
            _VIEWS[key] = SystemView(schema, name, shown, rows)
        else:
            _FUNCTIONS[name] = SystemView(schema, name, shown, rows, arguments)
        return rows

    return register


def find(schema: str, name: str) -> SystemView | None:
    return _VIEWS.get(f"{fold(schema)}.{fold(name)}") if schema else None


def find_function(schema: str, name: str) -> SystemView | None:
    return _FUNCTIONS.get(fold(name)) if fold(schema) in ("", "sys") else None


def get(key: str) -> SystemView:
    return _VIEWS.get(key) or _FUNCTIONS[key.partition(".")[2]]


# The server


@_view(
    "sys.databases", name=NAME, database_id=INT, create_date=DATETIME, compatibility_level=TINYINT,
    collation_name=NAME, user_access=TINYINT, user_access_desc=t.nvarchar(60), is_read_only=BIT, state=TINYINT,
    state_desc=t.nvarchar(60), snapshot_isolation_state=TINYINT, snapshot_isolation_state_desc=t.nvarchar(60),
    is_read_committed_snapshot_on=BIT, recovery_model_desc=t.nvarchar(60), is_encrypted=BIT,
    containment=TINYINT, containment_desc=t.nvarchar(60),
)  # fmt: skip
def _databases(runtime: Runtime) -> Rows:
    """All of them in master; elsewhere master and the one itself."""
    in_master = fold(runtime.database.name) == "master"
    for found in runtime.server.databases():
        if not in_master and found.id != runtime.database.id and fold(found.name) != "master":
            continue
        yield (
            found.name, found.id, t.round_to_datetime(found.created), 160, _COLLATION, 0, "MULTI_USER", 0, 0, "ONLINE",
            1, "ON", int(found.read_committed_snapshot), "FULL", 1, 0, "NONE",
        )  # fmt: skip


@_view(
    "sys.sql_logins", name=NAME, principal_id=INT, sid=t.varbinary(85), type=t.SqlType("char", 1),
    type_desc=t.nvarchar(60), is_disabled=BIT, create_date=DATETIME, modify_date=DATETIME, default_database_name=NAME,
    default_language_name=NAME, is_policy_checked=BIT, is_expiration_checked=BIT,
)  # fmt: skip
def _sql_logins(runtime: Runtime) -> Rows:
    """In master only; every login for who manages logins, one's own for everybody else."""
    if fold(runtime.database.name) != "master":
        return
    everything = runtime.is_server_administrator or runtime.permissions.in_role("loginmanager")
    for login in runtime.server.logins():
        if everything or login.sid == runtime.login_sid:
            yield (
                login.name, login.principal_id, login.sid, "S", "SQL_LOGIN", int(login.disabled),
                t.round_to_datetime(login.created), t.round_to_datetime(login.modified), "master", "us_english", 1, 0,
            )  # fmt: skip


# Principals and permissions

_PRINCIPAL_TYPES = {"S": "SQL_USER", "R": "DATABASE_ROLE", "E": "EXTERNAL_USER", "X": "EXTERNAL_GROUP"}
_AUTHENTICATIONS = {0: "NONE", 1: "INSTANCE", 2: "DATABASE", 4: "EXTERNAL"}


@_view(
    "sys.database_principals", name=NAME, principal_id=INT, type=t.SqlType("char", 1), type_desc=t.nvarchar(60),
    default_schema_name=NAME, create_date=DATETIME, modify_date=DATETIME, owning_principal_id=INT,
    sid=t.varbinary(85), is_fixed_role=BIT, authentication_type=INT, authentication_type_desc=t.nvarchar(60),
    default_language_name=NAME, default_language_lcid=INT, allow_encrypted_value_modifications=BIT,
)  # fmt: skip
def _database_principals(runtime: Runtime) -> Rows:
    for found in runtime.catalog.principals.values():
        if runtime.permissions.sees_principal(found.id):
            created = t.round_to_datetime(found.created)
            yield (
                found.name, found.id, found.kind, _PRINCIPAL_TYPES[found.kind], found.default_schema, created, created,
                found.owner if found.kind == "R" else None, found.sid or None,
                int(found.kind == "R" and found.fixed and found.id != 0), found.authentication,
                _AUTHENTICATIONS[found.authentication], None, None, 0,
            )  # fmt: skip


@_view("sys.database_role_members", role_principal_id=INT, member_principal_id=INT)
def _role_members(runtime: Runtime) -> Rows:
    for role, member in sorted(runtime.catalog.memberships):
        if runtime.permissions.sees_principal(member):
            yield role, member


@_view(
    "sys.database_permissions", -1, **{"class": TINYINT}, class_desc=t.nvarchar(60), major_id=INT, minor_id=INT,
    grantee_principal_id=INT, grantor_principal_id=INT, type=t.SqlType("char", 4), permission_name=t.nvarchar(128),
    state=t.SqlType("char", 1), state_desc=t.nvarchar(60),
)  # fmt: skip
def _database_permissions(runtime: Runtime) -> Rows:
    classes = {DATABASE: "DATABASE", SCHEMA: "SCHEMA", OBJECT: "OBJECT_OR_COLUMN"}
    states = {"G": "GRANT", "W": "GRANT_WITH_GRANT_OPTION", "D": "DENY"}
    for row in runtime.catalog.permissions:
        if runtime.permissions.sees_permission(row):
            yield (
                row.securable_class, classes[row.securable_class], row.major_id, 0, row.grantee, row.grantor,
                p.CODES[row.permission].ljust(4), row.permission, row.state, states[row.state],
            )  # fmt: skip


@_view("sys.fn_my_permissions", 2, entity_name=NAME, subentity_name=NAME, permission_name=t.nvarchar(60))
def _my_permissions(runtime: Runtime, securable: Stored, securable_class: Stored) -> Rows:
    """Effective permissions of the caller on a securable; none for one that does not exist."""
    if securable_class is None or fold(str(securable_class)) == "server":
        return
    found = resolve_securable(runtime, None if securable is None else str(securable), str(securable_class))
    if found is None:
        return
    held = runtime.permissions
    for name in held.applicable(found):
        if held.holds(name, found):
            yield (str(securable_class).lower() if found.securable_class == DATABASE else securable), "", name


@_view("sys.schemas", name=NAME, schema_id=INT, principal_id=INT)
def _schemas(runtime: Runtime) -> Rows:
    for schema in runtime.catalog.schemas.values():
        yield schema.name, schema.id, schema.owner


# Settings

_SCOPED_DEFAULTS = (
    ("MAXDOP", 8), ("LEGACY_CARDINALITY_ESTIMATION", 0), ("PARAMETER_SNIFFING", 1), ("QUERY_OPTIMIZER_HOTFIXES", 0),
)  # fmt: skip
SCOPED_CONFIGURATIONS = dict(_SCOPED_DEFAULTS)


@_view(
    "sys.database_scoped_configurations", configuration_id=INT, name=t.nvarchar(60), value=t.VARIANT,
    value_for_secondary=t.VARIANT, is_value_default=BIT,
)  # fmt: skip
def _scoped_configurations(runtime: Runtime) -> Rows:
    for number, (name, default) in enumerate(_SCOPED_DEFAULTS, 1):
        value = runtime.catalog.options.get(name, default)
        yield number, name, value, None, int(value == default)


# Objects

_KINDS = {"U": "USER_TABLE", "V": "VIEW", "P": "SQL_STORED_PROCEDURE", "TT": "TYPE_TABLE"}


def visible(runtime: Runtime, *kinds: str) -> list[DatabaseObject]:
    return [o for o in runtime.catalog.objects.values() if o.kind in kinds and runtime.permissions.sees(o)]


def _object_row(found: DatabaseObject) -> tuple[Stored, ...]:
    created, modified = t.round_to_datetime(found.created), t.round_to_datetime(found.modified)
    kind = found.kind.ljust(2)
    return found.name, found.id, None, found.schema_id, 0, kind, _KINDS[found.kind], created, modified, 0


_OBJECT_COLUMNS = {
    "name": NAME, "object_id": INT, "principal_id": INT, "schema_id": INT, "parent_object_id": INT,
    "type": t.SqlType("char", 2), "type_desc": t.nvarchar(60), "create_date": DATETIME, "modify_date": DATETIME,
    "is_ms_shipped": BIT,
}  # fmt: skip


@_view("sys.objects", -1, **_OBJECT_COLUMNS)
def _objects(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V", "P"):
        yield _object_row(found)
        for key in found.keys:
            if key.kind in ("PK", "UQ"):
                label = "PRIMARY_KEY_CONSTRAINT" if key.kind == "PK" else "UNIQUE_CONSTRAINT"
                row = _object_row(found)
                yield key.name, key.id, None, found.schema_id, found.id, key.kind, label, *row[7:]


@_view("sys.tables", -1, **_OBJECT_COLUMNS)
def _tables(runtime: Runtime) -> Rows:
    return [_object_row(found) for found in visible(runtime, "U")]


@_view("sys.views", -1, **_OBJECT_COLUMNS)
def _views(runtime: Runtime) -> Rows:
    return [_object_row(found) for found in visible(runtime, "V")]


@_view("sys.procedures", -1, **_OBJECT_COLUMNS)
def _procedures(runtime: Runtime) -> Rows:
    return [_object_row(found) for found in visible(runtime, "P")]


@_view(
    "sys.columns", object_id=INT, name=NAME, column_id=INT, system_type_id=TINYINT, user_type_id=INT,
    max_length=SMALLINT, precision=TINYINT, scale=TINYINT, collation_name=NAME, is_nullable=BIT, is_identity=BIT,
    is_computed=BIT, default_object_id=INT,
)  # fmt: skip
def _columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V", "TT"):
        for column in found.columns:
            kind = column.type
            number = t.SYSTEM_TYPE_IDS[kind.name]
            precision, scale = shown_precision(kind)
            yield (
                found.id, column.name, column.id, number, number, kind.max_length, precision, scale,
                _COLLATION if kind.name in t.STRINGS else None, int(column.nullable), int(column.identity is not None),
                0, int(column.default_text is not None) and found.id + column.id,
            )  # fmt: skip


def shown_precision(kind: SqlType) -> tuple[int, int]:
    """Precision and scale as sys.columns gives them."""
    fixed = {"real": (24, 0), "float": (53, 0), "date": (10, 0), "datetime": (23, 3), "smalldatetime": (16, 0)}
    if kind.name in fixed:
        return fixed[kind.name]
    if kind.name in t.SCALED:
        base = {"time": 8, "datetime2": 19, "datetimeoffset": 26}[kind.name]
        return base + (kind.scale + 1 if kind.scale else 0), kind.scale
    return t.decimal_facets(kind) if kind.name in t.NUMBERS else (0, 0)


@_view(
    "sys.types", name=NAME, system_type_id=TINYINT, user_type_id=INT, schema_id=INT, principal_id=INT,
    max_length=SMALLINT, precision=TINYINT, scale=TINYINT, collation_name=NAME, is_nullable=BIT, is_user_defined=BIT,
    is_table_type=BIT,
)  # fmt: skip
def _types(runtime: Runtime) -> Rows:
    for name, number in t.SYSTEM_TYPE_IDS.items():
        kind = SqlType(name, 8000 if name in t.SIZED else 0, 38 if name in t.DECIMALS else 0, 0)
        precision, scale = shown_precision(kind)
        length = 8000 if name in t.SIZED else kind.max_length
        yield (
            name,
            number,
            number,
            4,
            None,
            length,
            precision,
            scale,
            _COLLATION if name in t.STRINGS else None,
            1,
            0,
            0,
        )
    yield "sysname", 231, 256, 4, None, 256, 0, 0, _COLLATION, 0, 0, 0
    for found in visible(runtime, "TT"):
        yield found.name, 243, 257 + found.id % 100000, found.schema_id, None, -1, 0, 0, None, 0, 1, 1


@_view("sys.table_types", name=NAME, system_type_id=TINYINT, user_type_id=INT, schema_id=INT, is_user_defined=BIT,
       is_table_type=BIT, type_table_object_id=INT)  # fmt: skip
def _table_types(runtime: Runtime) -> Rows:
    for found in visible(runtime, "TT"):
        yield found.name, 243, 257 + found.id % 100000, found.schema_id, 1, 1, found.id


@_view(
    "sys.indexes", object_id=INT, name=NAME, index_id=INT, type=TINYINT, type_desc=t.nvarchar(60), is_unique=BIT,
    is_primary_key=BIT, is_unique_constraint=BIT, is_disabled=BIT,
)  # fmt: skip
def _indexes(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U"):
        if not any(key.kind == "PK" for key in found.keys):
            yield found.id, None, 0, 0, "HEAP", 0, 0, 0, 0
        for number, key in enumerate(sorted(found.keys, key=lambda key: key.kind != "PK"), 1):
            primary = key.kind == "PK"
            yield (
                found.id, key.name, number if primary else number + 1, 1 if primary else 2,
                "CLUSTERED" if primary else "NONCLUSTERED", int(key.kind != "IX"), int(primary),
                int(key.kind == "UQ"), 0,
            )  # fmt: skip


@_view(
    "sys.index_columns", object_id=INT, index_id=INT, index_column_id=INT, column_id=INT, key_ordinal=TINYINT,
    is_descending_key=BIT, is_included_column=BIT,
)  # fmt: skip
def _index_columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U"):
        for number, key in enumerate(sorted(found.keys, key=lambda key: key.kind != "PK"), 1):
            for ordinal, column in enumerate(key.columns, 1):
                yield found.id, number if key.kind == "PK" else number + 1, ordinal, column, ordinal, 0, 0


@_view("sys.key_constraints", -1, **_OBJECT_COLUMNS, unique_index_id=INT)
def _key_constraints(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U"):
        for number, key in enumerate(found.keys, 1):
            if key.kind in ("PK", "UQ"):
                label = "PRIMARY_KEY_CONSTRAINT" if key.kind == "PK" else "UNIQUE_CONSTRAINT"
                row = _object_row(found)
                yield key.name, key.id, None, found.schema_id, found.id, key.kind, label, *row[7:], number


@_view(
    "sys.dm_db_partition_stats", partition_id=t.BIGINT, object_id=INT, index_id=INT, partition_number=INT,
    row_count=t.BIGINT,
)  # fmt: skip
def _partition_stats(runtime: Runtime) -> Rows:
    """Rows of each table; needs VIEW DATABASE STATE as all sys.dm_db_ views do (262, then 297)."""
    try:
        runtime.permissions.require("VIEW DATABASE STATE")
    except errors.SqlError as error:
        error.also.append(errors.SqlError(297, "The user does not have permission to perform this action."))
        raise
    for found in visible(runtime, "U"):
        yield found.id << 16, found.id, int(any(key.kind == "PK" for key in found.keys)), 1, runtime.count_rows(found)


@_view("sys.sql_modules", object_id=INT, definition=t.nvarchar(t.MAX))
def _sql_modules(runtime: Runtime) -> Rows:
    for found in visible(runtime, "V", "P"):
        shown = runtime.permissions.holds("VIEW DEFINITION", p.of_object(found))
        yield found.id, found.definition if shown else None


# INFORMATION_SCHEMA


@_view("information_schema.tables", TABLE_CATALOG=NAME, TABLE_SCHEMA=NAME, TABLE_NAME=NAME, TABLE_TYPE=t.varchar(10))
def _information_tables(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V"):
        schema = runtime.catalog.schemas[found.schema_id].name
        yield runtime.database.name, schema, found.name, "BASE TABLE" if found.kind == "U" else "VIEW"


@_view(
    "information_schema.columns", TABLE_CATALOG=NAME, TABLE_SCHEMA=NAME, TABLE_NAME=NAME, COLUMN_NAME=NAME,
    ORDINAL_POSITION=INT, COLUMN_DEFAULT=t.nvarchar(4000), IS_NULLABLE=t.varchar(3), DATA_TYPE=NAME,
    CHARACTER_MAXIMUM_LENGTH=INT, CHARACTER_OCTET_LENGTH=INT, NUMERIC_PRECISION=TINYINT, NUMERIC_SCALE=INT,
    DATETIME_PRECISION=SMALLINT, CHARACTER_SET_NAME=NAME, COLLATION_NAME=NAME,
)  # fmt: skip
def _information_columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V"):
        schema = runtime.catalog.schemas[found.schema_id].name
        for column in found.columns:
            yield runtime.database.name, schema, found.name, *information_column(column)


def information_column(column: Column) -> tuple[Stored, ...]:
    """COLUMN_NAME to COLLATION_NAME of one column."""
    kind = column.type
    sized = kind.name in t.SIZED
    precision: Stored = None
    scale: Stored = None
    if kind.name in t.NUMBERS and kind.name != "bit":
        precision, scale = shown_precision(kind)
        scale = None if kind.name in t.FLOATS else scale
    moment = {"date": 0, "datetime": 3, "smalldatetime": 0}.get(kind.name)
    if kind.name in t.SCALED:
        moment = kind.scale
    text = kind.name in t.STRINGS
    return (
        column.name, column.id, f"({column.default_text})" if column.default_text else None,
        "YES" if column.nullable else "NO", kind.name, kind.length if sized else None,
        kind.max_length if sized else None, precision, scale, moment,
        ("UNICODE" if kind.name in t.NATIONAL else "iso_1") if text else None, _COLLATION if text else None,
    )  # fmt: skip


@_view("information_schema.schemata", CATALOG_NAME=NAME, SCHEMA_NAME=NAME, SCHEMA_OWNER=NAME)
def _information_schemata(runtime: Runtime) -> Rows:
    for schema in runtime.catalog.schemas.values():
        owner = runtime.catalog.principals.get(schema.owner)
        yield runtime.database.name, schema.name, owner.name if owner else None
