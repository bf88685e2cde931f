"""Views on columns, parameters and types. "Object Catalog Views" and "Scalar Types Catalog Views"."""

from __future__ import annotations

from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.object_facts import default_id, parameters_of, type_id, visible
from setup_kit.sandbox.sql.compiler.type_facts import shown_precision
from setup_kit.sandbox.sql.compiler.views import COLLATION, Registry, Rows
from setup_kit.sandbox.sql.storage.catalog import SYS_SCHEMA, Column, DatabaseObject
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

REGISTRY = Registry()

COLUMN = (
    "object_id int, name sysname, column_id int, system_type_id tinyint, user_type_id int, max_length smallint, "
    "precision tinyint, scale tinyint, collation_name sysname, is_nullable bit, is_ansi_padded bit, "
    "is_rowguidcol bit = 0, is_identity bit, is_computed bit, is_filestream bit = 0, is_replicated bit = 0, "
    "is_non_sql_subscribed bit = 0, is_merge_published bit = 0, is_dts_replicated bit = 0, is_xml_document bit = 0, "
    "xml_collection_id int = 0, default_object_id int, rule_object_id int = 0, is_sparse bit = 0, "
    "is_column_set bit = 0, generated_always_type tinyint = 0, "
    "generated_always_type_desc nvarchar(60) = NOT_APPLICABLE, encryption_type int = NULL, "
    "encryption_type_desc nvarchar(64) = NULL, encryption_algorithm_name sysname = NULL, "
    "column_encryption_key_id int = NULL, column_encryption_key_database_name sysname = NULL, is_hidden bit = 0, "
    "is_masked bit = 0, graph_type int = NULL, graph_type_desc nvarchar(60) = NULL, "
    "is_data_deletion_filter_column bit = 0, ledger_view_column_type int = NULL, "
    "ledger_view_column_type_desc nvarchar(60) = NULL, is_dropped_ledger_column bit = 0"
)


def _type_row(kind: SqlType, user_type: int | None = None) -> tuple[Stored, ...]:
    """system_type_id to collation_name; `user_type` is the number of an alias type."""
    number = t.SYSTEM_TYPE_IDS[kind.name]
    collation = COLLATION if kind.name in t.STRINGS else None
    return number, user_type or number, kind.max_length, *shown_precision(kind), collation


def column_row(object_id: int, column: Column, default: int, user_type: int | None = None) -> tuple[Stored, ...]:
    return (
        object_id, column.name, column.id, *_type_row(column.type, user_type), int(column.nullable),
        int(column.type.name in t.SIZED), int(column.identity is not None), int(column.computed is not None), default,
    )  # fmt: skip


def _row(runtime: Runtime, found: DatabaseObject, column: Column) -> tuple[Stored, ...]:
    alias = runtime.catalog.objects.get(column.alias) if column.alias is not None else None
    return column_row(found.id, column, default_id(found, column), type_id(alias) if alias else None)


@REGISTRY.view("sys.columns", COLUMN)
def columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V", "TT"):
        for column in found.columns:
            yield _row(runtime, found, column)


@REGISTRY.view(
    "sys.identity_columns",
    COLUMN + ", seed_value sql_variant, increment_value sql_variant, last_value sql_variant, "
    "is_not_for_replication bit = 0",
)
def _identity_columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "TT"):
        for column in found.columns:
            if column.identity is not None:
                yield *_row(runtime, found, column), *column.identity, runtime.last_identity(found)


@REGISTRY.view(
    "sys.computed_columns",
    COLUMN + ", definition nvarchar(max), uses_database_collation bit = 1, is_persisted bit = 0",
)
def _computed_columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "TT"):
        for column in found.columns:
            if column.computed is not None:
                yield *_row(runtime, found, column), f"({column.computed})"


@REGISTRY.view(
    "sys.parameters",
    "object_id int, name sysname, parameter_id int, system_type_id tinyint, user_type_id int, max_length smallint, "
    "precision tinyint, scale tinyint, is_output bit, is_cursor_ref bit = 0, has_default_value bit = 0, "
    "is_xml_document bit = 0, default_value sql_variant = NULL, xml_collection_id int = 0, is_readonly bit, "
    "is_nullable bit = 1, encryption_type int = NULL, encryption_type_desc nvarchar(64) = NULL, "
    "encryption_algorithm_name sysname = NULL, column_encryption_key_id int = NULL, "
    "column_encryption_key_database_name sysname = NULL",
)
def _parameters(runtime: Runtime) -> Rows:
    for found in visible(runtime, "P"):
        for number, one in enumerate(parameters_of(runtime, found), 1):
            made = type_id(one.made) if one.made is not None else None
            facts = (243, made, -1, 0, 0) if one.type == t.TABLE else _type_row(one.type, made)[:5]
            yield found.id, one.name, number, *facts, int(one.output), int(one.readonly)


# Types

_TYPE = (
    "name sysname, system_type_id tinyint, user_type_id int, schema_id int, principal_id int, max_length smallint, "
    "precision tinyint, scale tinyint, collation_name sysname, is_nullable bit, is_user_defined bit, "
    "is_assembly_type bit = 0, default_object_id int = 0, rule_object_id int = 0, is_table_type bit"
)


@REGISTRY.view("sys.types", _TYPE)
def _types(runtime: Runtime) -> Rows:
    for name, number in t.SYSTEM_TYPE_IDS.items():
        decimals = name in ("decimal", "numeric")
        kind = SqlType(name, 8000 if name in t.SIZED else 0, 38 if decimals else 0, 7 if name in t.SCALED else 0)
        precision, scale = (38, 38) if decimals else shown_precision(kind)
        length = 8000 if name in t.SIZED else kind.max_length
        collation = COLLATION if name in t.STRINGS else None
        yield name, number, number, SYS_SCHEMA, None, length, precision, scale, collation, 1, 0, 0
    yield "sysname", 231, 256, SYS_SCHEMA, None, 256, 0, 0, COLLATION, 0, 0, 0
    for found in visible(runtime, "AT"):
        base = found.columns[0]
        system, own, *facts = _type_row(base.type, type_id(found))
        yield found.name, system, own, found.schema_id, found.owner, *facts, int(base.nullable), 1, 0
    for found in visible(runtime, "TT"):
        yield _table_type_row(found)


def _table_type_row(found: DatabaseObject) -> tuple[Stored, ...]:
    return found.name, 243, type_id(found), found.schema_id, found.owner, -1, 0, 0, None, 0, 1, 1


@REGISTRY.view("sys.table_types", _TYPE + ", type_table_object_id int, is_memory_optimized bit = 0")
def _table_types(runtime: Runtime) -> Rows:
    for found in visible(runtime, "TT"):
        yield *_table_type_row(found), found.id
