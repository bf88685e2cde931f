"""The views of INFORMATION_SCHEMA. "System Information Schema Views" of the SQL Server documentation."""

from __future__ import annotations

from collections.abc import Iterator

from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.object_facts import (
    Constraint,
    constraints,
    default_definition,
    parameters_of,
    referenced_index,
    visible,
)
from setup_kit.sandbox.sql.compiler.type_facts import shown_precision
from setup_kit.sandbox.sql.compiler.views import COLLATION, Registry, Rows
from setup_kit.sandbox.sql.storage.catalog import OBJECT, Check, Column, DatabaseObject, ForeignKey, Permission
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

REGISTRY = Registry()

_NAME_OF_TABLE = "TABLE_CATALOG sysname, TABLE_SCHEMA sysname, TABLE_NAME sysname, "
_NAME_OF_CONSTRAINT = "CONSTRAINT_CATALOG sysname, CONSTRAINT_SCHEMA sysname, CONSTRAINT_NAME sysname"
_NUMBERS = (
    "NUMERIC_PRECISION tinyint, NUMERIC_PRECISION_RADIX smallint, NUMERIC_SCALE int, DATETIME_PRECISION smallint, "
)
_CHARACTER_SET = (
    "CHARACTER_SET_CATALOG sysname = NULL, CHARACTER_SET_SCHEMA sysname = NULL, CHARACTER_SET_NAME sysname, "
)
_COLLATION = "COLLATION_CATALOG sysname = NULL, COLLATION_SCHEMA sysname = NULL, COLLATION_NAME sysname"


def _name(runtime: Runtime, found: DatabaseObject) -> tuple[str, str, str]:
    return runtime.database.name, runtime.catalog.schemas[found.schema_id].name, found.name


def _sizes(kind: SqlType) -> tuple[Stored, Stored]:
    """CHARACTER_MAXIMUM_LENGTH and CHARACTER_OCTET_LENGTH."""
    return (kind.length, kind.max_length) if kind.name in t.SIZED else (None, None)


def _numbers(kind: SqlType) -> tuple[Stored, ...]:
    """NUMERIC_PRECISION, NUMERIC_PRECISION_RADIX, NUMERIC_SCALE and DATETIME_PRECISION."""
    if kind.name in t.NUMBERS and kind.name != "bit":
        precision, scale = shown_precision(kind)
        return (precision, 2, None, None) if kind.name in t.FLOATS else (precision, 10, scale, None)
    if kind.name in t.SCALED:
        return None, None, None, kind.scale
    return None, None, None, {"date": 0, "datetime": 3, "smalldatetime": 0}.get(kind.name)


def _texts(kind: SqlType) -> tuple[Stored, Stored]:
    """CHARACTER_SET_NAME and COLLATION_NAME."""
    if kind.name not in t.STRINGS:
        return None, None
    return "UNICODE" if kind.name in t.NATIONAL else "iso_1", COLLATION


@REGISTRY.view(
    "INFORMATION_SCHEMA.SCHEMATA",
    "CATALOG_NAME sysname, SCHEMA_NAME sysname, SCHEMA_OWNER sysname, DEFAULT_CHARACTER_SET_CATALOG varchar(6) = NULL, "
    "DEFAULT_CHARACTER_SET_SCHEMA varchar(3) = NULL, DEFAULT_CHARACTER_SET_NAME sysname = iso_1",
)
def _schemata(runtime: Runtime) -> Rows:
    for schema in runtime.catalog.schemas.values():
        owner = runtime.catalog.principals.get(schema.owner)
        yield runtime.database.name, schema.name, owner.name if owner else None


@REGISTRY.view("INFORMATION_SCHEMA.TABLES", _NAME_OF_TABLE + "TABLE_TYPE varchar(10)")
def _tables(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V"):
        yield *_name(runtime, found), "BASE TABLE" if found.kind == "U" else "VIEW"


@REGISTRY.view(
    "INFORMATION_SCHEMA.COLUMNS",
    _NAME_OF_TABLE + "COLUMN_NAME sysname, ORDINAL_POSITION int, COLUMN_DEFAULT nvarchar(4000), "
    "IS_NULLABLE varchar(3), DATA_TYPE sysname, CHARACTER_MAXIMUM_LENGTH int, CHARACTER_OCTET_LENGTH int, "
    + _NUMBERS + _CHARACTER_SET + _COLLATION
    + ", DOMAIN_CATALOG sysname, DOMAIN_SCHEMA sysname, DOMAIN_NAME sysname",
)  # fmt: skip
def _columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V"):
        name = _name(runtime, found)
        for column in found.columns:
            kind = column.type
            yield (
                *name, column.name, column.id, default_definition(column.default_text),
                "YES" if column.nullable else "NO", kind.name, *_sizes(kind), *_numbers(kind), *_texts(kind),
                *_domain(runtime, column),
            )  # fmt: skip


def _domain(runtime: Runtime, column: Column) -> tuple[Stored, ...]:
    """The name of the alias type that a column was declared with."""
    alias = runtime.catalog.objects.get(column.alias) if column.alias is not None else None
    return _name(runtime, alias) if alias is not None else (None, None, None)


@REGISTRY.view(
    "INFORMATION_SCHEMA.VIEWS",
    _NAME_OF_TABLE + "VIEW_DEFINITION nvarchar(4000), CHECK_OPTION varchar(7) = NONE, IS_UPDATABLE varchar(2) = NO",
)
def _views(runtime: Runtime) -> Rows:
    for found in visible(runtime, "V"):
        yield *_name(runtime, found), _definition(runtime, found)


def _definition(runtime: Runtime, found: DatabaseObject) -> str | None:
    """The text of a view or procedure for who may see it; NULL when it is longer than the column."""
    text = found.definition if runtime.permissions.holds("VIEW DEFINITION", p.of_object(found)) else None
    return text if text is not None and len(text) <= 4000 else None


@REGISTRY.view(
    "INFORMATION_SCHEMA.ROUTINES",
    "SPECIFIC_CATALOG sysname, SPECIFIC_SCHEMA sysname, SPECIFIC_NAME sysname, ROUTINE_CATALOG sysname, "
    "ROUTINE_SCHEMA sysname, ROUTINE_NAME sysname, ROUTINE_TYPE nvarchar(20) = PROCEDURE, "
    "MODULE_CATALOG sysname = NULL, MODULE_SCHEMA sysname = NULL, MODULE_NAME sysname = NULL, "
    "UDT_CATALOG sysname = NULL, UDT_SCHEMA sysname = NULL, UDT_NAME sysname = NULL, DATA_TYPE sysname = NULL, "
    "CHARACTER_MAXIMUM_LENGTH int = NULL, CHARACTER_OCTET_LENGTH int = NULL, COLLATION_CATALOG sysname = NULL, "
    "COLLATION_SCHEMA sysname = NULL, COLLATION_NAME sysname = NULL, CHARACTER_SET_CATALOG sysname = NULL, "
    "CHARACTER_SET_SCHEMA sysname = NULL, CHARACTER_SET_NAME sysname = NULL, NUMERIC_PRECISION smallint = NULL, "
    "NUMERIC_PRECISION_RADIX smallint = NULL, NUMERIC_SCALE smallint = NULL, DATETIME_PRECISION smallint = NULL, "
    "INTERVAL_TYPE nvarchar(30) = NULL, INTERVAL_PRECISION smallint = NULL, TYPE_UDT_CATALOG sysname = NULL, "
    "TYPE_UDT_SCHEMA sysname = NULL, TYPE_UDT_NAME sysname = NULL, SCOPE_CATALOG sysname = NULL, "
    "SCOPE_SCHEMA sysname = NULL, SCOPE_NAME sysname = NULL, MAXIMUM_CARDINALITY bigint = NULL, "
    "DTD_IDENTIFIER sysname = NULL, ROUTINE_BODY nvarchar(30) = SQL, ROUTINE_DEFINITION nvarchar(4000), "
    "EXTERNAL_NAME sysname = NULL, EXTERNAL_LANGUAGE nvarchar(30) = NULL, PARAMETER_STYLE nvarchar(30) = NULL, "
    "IS_DETERMINISTIC nvarchar(10) = NO, SQL_DATA_ACCESS nvarchar(30) = MODIFIES, IS_NULL_CALL nvarchar(10) = NULL, "
    "SQL_PATH sysname = NULL, SCHEMA_LEVEL_ROUTINE nvarchar(10) = YES, MAX_DYNAMIC_RESULT_SETS smallint = -1, "
    "IS_USER_DEFINED_CAST nvarchar(10) = NO, IS_IMPLICITLY_INVOCABLE nvarchar(10) = NO, CREATED datetime, "
    "LAST_ALTERED datetime",
)
def _routines(runtime: Runtime) -> Rows:
    for found in visible(runtime, "P"):
        times = t.round_to_datetime(found.created), t.round_to_datetime(found.modified)
        name = _name(runtime, found)
        yield *name, *name, _definition(runtime, found), *times


@REGISTRY.view(
    "INFORMATION_SCHEMA.PARAMETERS",
    "SPECIFIC_CATALOG sysname, SPECIFIC_SCHEMA sysname, SPECIFIC_NAME sysname, ORDINAL_POSITION int, "
    "PARAMETER_MODE nvarchar(10), IS_RESULT nvarchar(10) = NO, AS_LOCATOR nvarchar(10) = NO, PARAMETER_NAME sysname, "
    "DATA_TYPE sysname, CHARACTER_MAXIMUM_LENGTH int, CHARACTER_OCTET_LENGTH int, " + _COLLATION + ", "
    + _CHARACTER_SET + _NUMBERS + "INTERVAL_TYPE nvarchar(30) = NULL, INTERVAL_PRECISION smallint = NULL, "
    "USER_DEFINED_TYPE_CATALOG sysname, USER_DEFINED_TYPE_SCHEMA sysname, USER_DEFINED_TYPE_NAME sysname, "
    "SCOPE_CATALOG sysname = NULL, SCOPE_SCHEMA sysname = NULL, SCOPE_NAME sysname = NULL",
)  # fmt: skip
def _parameters(runtime: Runtime) -> Rows:
    for found in visible(runtime, "P"):
        for number, one in enumerate(parameters_of(runtime, found), 1):
            characters, collation = _texts(one.type)
            yield (
                *_name(runtime, found), number, "INOUT" if one.output else "IN", one.name,
                "table type" if one.type == t.TABLE else one.type.name, *_sizes(one.type), collation, characters,
                *_numbers(one.type), *(_name(runtime, one.made) if one.made is not None else (None, None, None)),
            )  # fmt: skip


# Constraints


def _constraint_name(runtime: Runtime, found: Constraint) -> tuple[str, str, str]:
    return (*_name(runtime, found.table)[:2], found.name)


@REGISTRY.view(
    "INFORMATION_SCHEMA.TABLE_CONSTRAINTS",
    f"{_NAME_OF_CONSTRAINT}, {_NAME_OF_TABLE}CONSTRAINT_TYPE varchar(11), IS_DEFERRABLE varchar(2) = NO, "
    "INITIALLY_DEFERRED varchar(2) = NO",
)
def _table_constraints(runtime: Runtime) -> Rows:
    labels = {"PK": "PRIMARY KEY", "UQ": "UNIQUE", "C": "CHECK", "F": "FOREIGN KEY"}
    for found in constraints(runtime, *labels):
        yield *_constraint_name(runtime, found), *_name(runtime, found.table), labels[found.kind]


def _columns_of(
    runtime: Runtime, found: Constraint, *, referenced: bool = False
) -> Iterator[tuple[str, str, str, str]]:
    """The columns of a constraint, each with its table's name; those that a foreign key refers to if `referenced`."""
    table, numbers = found.table, () if isinstance(found.part, Column) else found.part.columns
    if referenced and isinstance(found.part, ForeignKey):
        table, numbers = runtime.catalog.objects[found.part.table], found.part.references
    names = {column.id: column.name for column in table.columns}
    for number in numbers:
        yield *_name(runtime, table), names[number]


@REGISTRY.view(
    "INFORMATION_SCHEMA.KEY_COLUMN_USAGE",
    f"{_NAME_OF_CONSTRAINT}, {_NAME_OF_TABLE}COLUMN_NAME sysname, ORDINAL_POSITION int",
)
def _key_column_usage(runtime: Runtime) -> Rows:
    for found in constraints(runtime, "PK", "UQ", "F"):
        for ordinal, column in enumerate(_columns_of(runtime, found), 1):
            yield *_constraint_name(runtime, found), *column, ordinal


@REGISTRY.view(
    "INFORMATION_SCHEMA.CONSTRAINT_COLUMN_USAGE", f"{_NAME_OF_TABLE}COLUMN_NAME sysname, {_NAME_OF_CONSTRAINT}"
)
def _constraint_column_usage(runtime: Runtime) -> Rows:
    """Of a foreign key its own columns, as SQL Server has it."""
    for found in constraints(runtime, "PK", "UQ", "C", "F"):
        for column in _columns_of(runtime, found):
            yield *column, *_constraint_name(runtime, found)


@REGISTRY.view("INFORMATION_SCHEMA.CONSTRAINT_TABLE_USAGE", _NAME_OF_TABLE + _NAME_OF_CONSTRAINT)
def _constraint_table_usage(runtime: Runtime) -> Rows:
    for found in constraints(runtime, "PK", "UQ", "C", "F"):
        yield *_name(runtime, found.table), *_constraint_name(runtime, found)


@REGISTRY.view(
    "INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS",
    _NAME_OF_CONSTRAINT + ", UNIQUE_CONSTRAINT_CATALOG sysname, UNIQUE_CONSTRAINT_SCHEMA sysname, "
    "UNIQUE_CONSTRAINT_NAME sysname, MATCH_OPTION varchar(7) = SIMPLE, UPDATE_RULE varchar(11), "
    "DELETE_RULE varchar(11)",
)
def _referential_constraints(runtime: Runtime) -> Rows:
    for found in constraints(runtime, "F"):
        if isinstance(found.part, ForeignKey):
            target = _name(runtime, runtime.catalog.objects[found.part.table])
            _, key = referenced_index(runtime, found.part)
            yield *_constraint_name(runtime, found), *target[:2], key, found.part.on_update, found.part.on_delete


@REGISTRY.view("INFORMATION_SCHEMA.CHECK_CONSTRAINTS", _NAME_OF_CONSTRAINT + ", CHECK_CLAUSE nvarchar(4000)")
def _check_constraints(runtime: Runtime) -> Rows:
    for found in constraints(runtime, "C"):
        if isinstance(found.part, Check):
            yield *_constraint_name(runtime, found), f"({found.part.text})"


# Privileges: grants on tables and views, of those that INFORMATION_SCHEMA knows

_PRIVILEGES = ("DELETE", "INSERT", "REFERENCES", "SELECT", "UPDATE")


def _granted(runtime: Runtime) -> Iterator[tuple[DatabaseObject, Permission, str, str]]:
    """The table, the grant, and the names of grantor and grantee."""
    principals = runtime.catalog.principals
    for row in runtime.catalog.permissions:
        found = runtime.catalog.objects.get(row.major_id) if row.securable_class == OBJECT else None
        if found is None or found.kind not in ("U", "V") or row.permission not in _PRIVILEGES or row.state == "D":
            continue
        if runtime.permissions.sees(found) and runtime.permissions.sees_permission(row):
            yield found, row, principals[row.grantor].name, principals[row.grantee].name


@REGISTRY.view(
    "INFORMATION_SCHEMA.TABLE_PRIVILEGES",
    f"GRANTOR sysname, GRANTEE sysname, {_NAME_OF_TABLE}PRIVILEGE_TYPE varchar(10), IS_GRANTABLE varchar(3)",
)
def _table_privileges(runtime: Runtime) -> Rows:
    for found, row, grantor, grantee in _granted(runtime):
        yield grantor, grantee, *_name(runtime, found), row.permission, "YES" if row.state == "W" else "NO"


@REGISTRY.view(
    "INFORMATION_SCHEMA.COLUMN_PRIVILEGES",
    f"GRANTOR sysname, GRANTEE sysname, {_NAME_OF_TABLE}COLUMN_NAME sysname, PRIVILEGE_TYPE varchar(10), "
    "IS_GRANTABLE varchar(3)",
)
def _column_privileges(runtime: Runtime) -> Rows:
    for found, row, grantor, grantee in _granted(runtime):
        if row.permission != "DELETE":
            for column in found.columns:
                last = row.permission, "YES" if row.state == "W" else "NO"
                yield grantor, grantee, *_name(runtime, found), column.name, *last


# Alias and table types


@REGISTRY.view(
    "INFORMATION_SCHEMA.DOMAINS",
    "DOMAIN_CATALOG sysname, DOMAIN_SCHEMA sysname, DOMAIN_NAME sysname, DATA_TYPE sysname, "
    "CHARACTER_MAXIMUM_LENGTH int, CHARACTER_OCTET_LENGTH int, " + _COLLATION + ", " + _CHARACTER_SET + _NUMBERS
    + "DOMAIN_DEFAULT nvarchar(4000) = NULL",
)  # fmt: skip
def _domains(runtime: Runtime) -> Rows:
    for found in visible(runtime, "AT"):
        kind = found.columns[0].type
        characters, collation = _texts(kind)
        yield *_name(runtime, found), kind.name, *_sizes(kind), collation, characters, *_numbers(kind)
    for found in visible(runtime, "TT"):
        yield *_name(runtime, found), "table type", *(None,) * 8


@REGISTRY.view(
    "INFORMATION_SCHEMA.COLUMN_DOMAIN_USAGE",
    f"DOMAIN_CATALOG sysname, DOMAIN_SCHEMA sysname, DOMAIN_NAME sysname, {_NAME_OF_TABLE}COLUMN_NAME sysname",
)
def _column_domain_usage(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V"):
        for column in found.columns:
            if column.alias is not None:
                yield *_domain(runtime, column), *_name(runtime, found), column.name
