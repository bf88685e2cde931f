"""Views on objects, columns, types, indexes and row counts. "Object Catalog Views" of the SQL Server documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.type_facts import shown_precision
from setup_kit.sandbox.sql.compiler.views import COLLATION, Registry, Rows
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.storage.catalog import FIRST_OBJECT_ID, SYS_SCHEMA, Column, DatabaseObject, Key
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

REGISTRY = Registry()

KINDS = {
    "U": "USER_TABLE", "V": "VIEW", "P": "SQL_STORED_PROCEDURE", "TT": "TYPE_TABLE", "PK": "PRIMARY_KEY_CONSTRAINT",
    "UQ": "UNIQUE_CONSTRAINT", "D": "DEFAULT_CONSTRAINT",
}  # fmt: skip


def visible(runtime: Runtime, *kinds: str) -> list[DatabaseObject]:
    return [o for o in runtime.catalog.objects.values() if o.kind in kinds and runtime.permissions.sees(o)]


# Numbers and texts that the catalog does not keep


def default_id(table: DatabaseObject, column: Column) -> int:
    """The object_id of a column's default; below those of all other objects. 0 where there is none."""
    return 100_000_000 + (table.id - FIRST_OBJECT_ID) // 16 * 1024 + column.id if column.default_text else 0


def type_id(found: DatabaseObject) -> int:
    """The user_type_id of a type that a user made."""
    return 257 + (found.id - FIRST_OBJECT_ID) // 16


def default_definition(text: str | None) -> str | None:
    """A default as the catalog shows it: in parentheses, a number in two pairs, built-in functions in small letters."""
    if text is None:
        return None
    inner = text.strip()
    while inner.startswith("(") and inner.endswith(")") and _closes_at_end(inner):
        inner = inner[1:-1].strip()
    if re.fullmatch(r"[+-]?\d+(\.\d*)?", inner):
        inner = f"({inner})"
    elif match := re.fullmatch(r"(\w+)(\(.*\))", inner, re.DOTALL):
        inner = match[1].lower() + match[2]
    return f"({inner})"


def _closes_at_end(text: str) -> bool:
    """Whether the parenthesis that the text begins with closes at its end."""
    depth, quoted = 0, False
    for at, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, ")": -1}.get(char, 0)
            if depth == 0:
                return at == len(text) - 1
    return False


def numbered_indexes(found: DatabaseObject) -> Iterator[tuple[int, Key]]:
    """The keys and indexes of a table with their index_id: 1 for the primary key, which is clustered, else from 2."""
    primary = [key for key in found.keys if key.kind == "PK"]
    others = [key for key in found.keys if key.kind != "PK"]
    yield from enumerate(primary, 1)
    yield from enumerate(others, 2)


def storage_index(found: DatabaseObject) -> int:
    """The index_id that holds a table's rows: 1 for a clustered index, 0 for a heap."""
    return int(any(key.kind == "PK" for key in found.keys))


# Objects

OBJECT = (
    "name sysname, object_id int, principal_id int, schema_id int, parent_object_id int, type char(2), "
    "type_desc nvarchar(60), create_date datetime, modify_date datetime, is_ms_shipped bit = 0, is_published bit = 0, "
    "is_schema_published bit = 0"
)


def _object_row(found: DatabaseObject) -> tuple[Stored, ...]:
    created, modified = t.round_to_datetime(found.created), t.round_to_datetime(found.modified)
    kind = found.kind.ljust(2)
    return found.name, found.id, found.owner, found.schema_id, 0, kind, KINDS[found.kind], created, modified


def _part_row(found: DatabaseObject, name: str, number: int, kind: str) -> tuple[Stored, ...]:
    """A constraint of a table."""
    times = _object_row(found)[7:]
    return name, number, None, found.schema_id, found.id, kind.ljust(2), KINDS[kind], *times


def _constraints(runtime: Runtime) -> Iterator[tuple[DatabaseObject, int, Key]]:
    for found in visible(runtime, "U"):
        for number, key in numbered_indexes(found):
            if key.kind in ("PK", "UQ"):
                yield found, number, key


def _defaults(runtime: Runtime) -> Iterator[tuple[DatabaseObject, Column]]:
    for found in visible(runtime, "U"):
        for column in found.columns:
            if column.default_text is not None:
                yield found, column


@REGISTRY.view("sys.objects", OBJECT)
def objects(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V", "P"):
        yield _object_row(found)
    for found in visible(runtime, "TT"):
        row = _object_row(found)
        yield f"TT_{found.name[:80]}_{found.id:08X}", found.id, None, SYS_SCHEMA, *row[4:]
    for found, _, key in _constraints(runtime):
        yield _part_row(found, key.name, key.id, key.kind)
    for found, column in _defaults(runtime):
        yield _part_row(found, column.default_name or "", default_id(found, column), "D")


@REGISTRY.view(
    "sys.tables",
    OBJECT + ", lob_data_space_id int = 0, filestream_data_space_id int = NULL, max_column_id_used int, "
    "lock_on_bulk_load bit = 0, uses_ansi_nulls bit = 1, is_replicated bit = 0, has_replication_filter bit = 0, "
    "is_merge_published bit = 0, is_sync_tran_subscribed bit = 0, has_unchecked_assembly_data bit = 0, "
    "text_in_row_limit int = 0, large_value_types_out_of_row bit = 0, is_tracked_by_cdc bit = 0, "
    "lock_escalation tinyint = 0, lock_escalation_desc nvarchar(60) = TABLE, is_filetable bit = 0, "
    "is_memory_optimized bit = 0, durability tinyint = 0, durability_desc nvarchar(60) = SCHEMA_AND_DATA, "
    "temporal_type tinyint = 0, temporal_type_desc nvarchar(60) = NON_TEMPORAL_TABLE, history_table_id int = NULL, "
    "is_remote_data_archive_enabled bit = 0, is_external bit = 0, history_retention_period int = NULL, "
    "history_retention_period_unit int = NULL, history_retention_period_unit_desc nvarchar(10) = NULL, "
    "is_node bit = 0, is_edge bit = 0, data_retention_period int = -1, data_retention_period_unit int = -1, "
    "data_retention_period_unit_desc nvarchar(10) = INFINITE, ledger_type tinyint = 0, "
    "ledger_type_desc nvarchar(60) = NON_LEDGER_TABLE, ledger_view_id int = NULL, is_dropped_ledger_table bit = 0",
)
def _tables(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U"):
        yield *_object_row(found), max((column.id for column in found.columns), default=0)


@REGISTRY.view(
    "sys.views",
    OBJECT + ", is_replicated bit = 0, has_replication_filter bit = 0, has_opaque_metadata bit = 0, "
    "has_unchecked_assembly_data bit = 0, with_check_option bit = 0, is_date_correlation_view bit = 0, "
    "is_tracked_by_cdc bit = 0, has_snapshot bit = 0, ledger_view_type tinyint = 0, "
    "ledger_view_type_desc nvarchar(60) = NON_LEDGER_VIEW, is_dropped_ledger_view bit = 0",
)
def views(runtime: Runtime) -> Rows:
    return [_object_row(found) for found in visible(runtime, "V")]


@REGISTRY.view(
    "sys.procedures",
    OBJECT + ", is_auto_executed bit = 0, is_execution_replicated bit = 0, is_repl_serializable_only bit = 0, "
    "skips_repl_constraints bit = 0",
)
def _procedures(runtime: Runtime) -> Rows:
    return [_object_row(found) for found in visible(runtime, "P")]


@REGISTRY.view(
    "sys.sql_modules",
    "object_id int, definition nvarchar(max), uses_ansi_nulls bit = 1, uses_quoted_identifier bit = 1, "
    "is_schema_bound bit = 0, uses_database_collation bit = 0, is_recompiled bit = 0, null_on_null_input bit = 0, "
    "execute_as_principal_id int = NULL, uses_native_compilation bit = 0, inline_type bit = 0, is_inlineable bit = 0",
)
def _sql_modules(runtime: Runtime) -> Rows:
    for found in visible(runtime, "V", "P"):
        shown = runtime.permissions.holds("VIEW DEFINITION", p.of_object(found))
        yield found.id, found.definition if shown else None


@REGISTRY.view(
    "sys.sysobjects",
    "name sysname, id int, xtype char(2), uid smallint, info smallint = 0, status int = 0, base_schema_ver int = 0, "
    "replinfo int = 0, parent_obj int, crdate datetime, ftcatid smallint = 0, schema_ver int = 0, "
    "stats_schema_ver int = 0, type char(2), userstat smallint = 1, sysstat smallint = 3, indexdel smallint = 0, "
    "refdate datetime, version int = 0, deltrig int = 0, instrig int = 0, updtrig int = 0, seltrig int = 0, "
    "category int = 0, cache smallint = 0",
)
def _sysobjects(runtime: Runtime) -> Rows:
    for name, number, _, schema, parent, kind, _, created, _ in objects(runtime):
        old = {"PK": "K ", "UQ": "K "}.get(str(kind), kind)
        yield name, number, kind, schema, parent, created, old, created


# Constraints

REGISTRY.view("sys.key_constraints", OBJECT + ", unique_index_id int, is_system_named bit, is_enforced bit = 1")(
    lambda runtime: (
        (*_part_row(found, key.name, key.id, key.kind), number, int(key.name.startswith(f"{key.kind}__")))
        for found, number, key in _constraints(runtime)
    )
)
REGISTRY.view(
    "sys.default_constraints",
    OBJECT + ", parent_column_id int, definition nvarchar(max), is_system_named bit",
)(
    lambda runtime: (
        (
            *_part_row(found, column.default_name or "", default_id(found, column), "D"), column.id,
            default_definition(column.default_text), int((column.default_name or "").startswith("DF__")),
        )
        for found, column in _defaults(runtime)
    )
)  # fmt: skip
REGISTRY.empty(
    "sys.check_constraints",
    OBJECT + ", is_disabled bit, is_not_for_replication bit, is_not_trusted bit, parent_column_id int, "
    "definition nvarchar(max), uses_database_collation bit, is_system_named bit",
)
REGISTRY.empty(
    "sys.foreign_keys",
    OBJECT + ", referenced_object_id int, key_index_id int, is_disabled bit, is_not_for_replication bit, "
    "is_not_trusted bit, delete_referential_action tinyint, delete_referential_action_desc nvarchar(60), "
    "update_referential_action tinyint, update_referential_action_desc nvarchar(60), is_system_named bit",
)
REGISTRY.empty(
    "sys.foreign_key_columns",
    "constraint_object_id int, constraint_column_id int, parent_object_id int, parent_column_id int, "
    "referenced_object_id int, referenced_column_id int",
)
REGISTRY.empty("sys.triggers", OBJECT.replace("principal_id int, schema_id int", "parent_class tinyint"))
REGISTRY.empty("sys.synonyms", OBJECT + ", base_object_name nvarchar(1035)")
REGISTRY.empty("sys.sequences", OBJECT + ", start_value sql_variant, increment sql_variant")
REGISTRY.empty(
    "sys.extended_properties",
    "class tinyint, class_desc nvarchar(60), major_id int, minor_id int, name sysname, value sql_variant",
)

# Columns and parameters

COLUMN = (
    "object_id int, name sysname, column_id int, system_type_id tinyint, user_type_id int, max_length smallint, "
    "precision tinyint, scale tinyint, collation_name sysname, is_nullable bit, is_ansi_padded bit, "
    "is_rowguidcol bit = 0, is_identity bit, is_computed bit = 0, is_filestream bit = 0, is_replicated bit = 0, "
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


def _type_row(kind: SqlType) -> tuple[Stored, ...]:
    """system_type_id to collation_name."""
    number = t.SYSTEM_TYPE_IDS[kind.name]
    collation = COLLATION if kind.name in t.STRINGS else None
    return number, number, kind.max_length, *shown_precision(kind), collation


def column_row(object_id: int, column: Column, default: int) -> tuple[Stored, ...]:
    sized = int(column.type.name in t.SIZED)
    return (
        object_id, column.name, column.id, *_type_row(column.type), int(column.nullable), sized,
        int(column.identity is not None), default,
    )  # fmt: skip


@REGISTRY.view("sys.columns", COLUMN)
def columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V", "TT"):
        for column in found.columns:
            yield column_row(found.id, column, default_id(found, column))


@REGISTRY.view(
    "sys.identity_columns",
    COLUMN + ", seed_value sql_variant, increment_value sql_variant, last_value sql_variant, "
    "is_not_for_replication bit = 0",
)
def _identity_columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "TT"):
        for column in found.columns:
            if column.identity is not None:
                yield (
                    *column_row(found.id, column, default_id(found, column)),
                    *column.identity,
                    runtime.last_identity(found),
                )


REGISTRY.empty(
    "sys.computed_columns", COLUMN + ", definition nvarchar(max), uses_database_collation bit, is_persisted bit"
)


def parameters_of(found: DatabaseObject) -> tuple[tuple[s.ParameterDefinition, SqlType], ...]:
    """The parameters of a procedure and their types, from its definition; those of types with names are left out."""
    statement = parser.parse_batch(found.definition or "")[0]
    if not isinstance(statement, s.CreateProcedure):
        return ()
    return tuple((one, one.type) for one in statement.parameters if isinstance(one.type, SqlType))


@REGISTRY.view(
    "sys.parameters",
    "object_id int, name sysname, parameter_id int, system_type_id tinyint, user_type_id int, max_length smallint, "
    "precision tinyint, scale tinyint, is_output bit, is_cursor_ref bit = 0, has_default_value bit = 0, "
    "is_xml_document bit = 0, default_value sql_variant = NULL, xml_collection_id int = 0, is_readonly bit = 0, "
    "is_nullable bit = 1, encryption_type int = NULL, encryption_type_desc nvarchar(64) = NULL, "
    "encryption_algorithm_name sysname = NULL, column_encryption_key_id int = NULL, "
    "column_encryption_key_database_name sysname = NULL",
)
def _parameters(runtime: Runtime) -> Rows:
    for found in visible(runtime, "P"):
        for number, (parameter, kind) in enumerate(parameters_of(found), 1):
            yield found.id, f"@{parameter.name}", number, *_type_row(kind)[:5], int(parameter.output)


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
    for found in visible(runtime, "TT"):
        yield _table_type_row(found)


def _table_type_row(found: DatabaseObject) -> tuple[Stored, ...]:
    return found.name, 243, type_id(found), found.schema_id, found.owner, -1, 0, 0, None, 0, 1, 1


@REGISTRY.view("sys.table_types", _TYPE + ", type_table_object_id int, is_memory_optimized bit = 0")
def _table_types(runtime: Runtime) -> Rows:
    for found in visible(runtime, "TT"):
        yield *_table_type_row(found), found.id


# Indexes and row counts


@REGISTRY.view(
    "sys.indexes",
    "object_id int, name sysname, index_id int, type tinyint, type_desc nvarchar(60), is_unique bit, "
    "data_space_id int = 1, ignore_dup_key bit = 0, is_primary_key bit, is_unique_constraint bit, "
    "fill_factor tinyint = 0, is_padded bit = 0, is_disabled bit = 0, is_hypothetical bit = 0, "
    "is_ignored_in_optimization bit = 0, allow_row_locks bit = 1, allow_page_locks bit = 1, has_filter bit = 0, "
    "filter_definition nvarchar(max) = NULL, compression_delay int = NULL, suppress_dup_key_messages bit = 0, "
    "auto_created bit = 0, optimize_for_sequential_key bit = 0",
)
def _indexes(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U"):
        if not storage_index(found):
            yield found.id, None, 0, 0, "HEAP", 0, 0, 0
        for number, key in numbered_indexes(found):
            kind = (1, "CLUSTERED") if number == 1 else (2, "NONCLUSTERED")
            yield found.id, key.name, number, *kind, int(key.kind != "IX"), int(key.kind == "PK"), int(key.kind == "UQ")


@REGISTRY.view(
    "sys.index_columns",
    "object_id int, index_id int, index_column_id int, column_id int, key_ordinal tinyint, "
    "partition_ordinal tinyint = 0, is_descending_key bit = 0, is_included_column bit = 0, "
    "column_store_order_ordinal tinyint = 0, data_clustering_ordinal tinyint = 0",
)
def _index_columns(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U"):
        for number, key in numbered_indexes(found):
            for ordinal, column in enumerate(key.columns, 1):
                yield found.id, number, ordinal, column, ordinal


def _partition_rows(runtime: Runtime) -> Iterator[tuple[DatabaseObject, int, int]]:
    for found in visible(runtime, "U"):
        count = runtime.count_rows(found)
        for number in {storage_index(found)} | {number for number, _ in numbered_indexes(found)}:
            yield found, number, count


@REGISTRY.view(
    "sys.partitions",
    "partition_id bigint, object_id int, index_id int, partition_number int = 1, hobt_id bigint, rows bigint, "
    "filestream_filegroup_id smallint = 0, data_compression tinyint = 0, data_compression_desc nvarchar(60) = NONE, "
    "xml_compression bit = 0, xml_compression_desc varchar(3) = OFF",
)
def _partitions(runtime: Runtime) -> Rows:
    for found, number, count in _partition_rows(runtime):
        partition = (found.id << 16) + number
        yield partition, found.id, number, partition, count


@REGISTRY.view(
    "sys.dm_db_partition_stats",
    "partition_id bigint, object_id int, index_id int, partition_number int = 1, in_row_data_page_count bigint, "
    "in_row_used_page_count bigint, in_row_reserved_page_count bigint, lob_used_page_count bigint = 0, "
    "lob_reserved_page_count bigint = 0, row_overflow_used_page_count bigint = 0, "
    "row_overflow_reserved_page_count bigint = 0, used_page_count bigint, reserved_page_count bigint, "
    "row_count bigint",
)
def _partition_stats(runtime: Runtime) -> Rows:
    """Needs VIEW DATABASE PERFORMANCE STATE, which VIEW DATABASE STATE implies, as all sys.dm_db_ views do."""
    require_database_state(runtime)
    for found, number, count in _partition_rows(runtime):
        pages = pages_of(found, count)
        yield (found.id << 16) + number, found.id, number, pages, pages, pages, pages, pages, count


def require_database_state(runtime: Runtime) -> None:
    try:
        runtime.permissions.require("VIEW DATABASE PERFORMANCE STATE")
    except errors.SqlError as error:
        error.also.append(errors.error(297))
        raise


def pages_of(found: DatabaseObject, count: int) -> int:
    """Pages of 8 KB that the rows would take at half their greatest width: an estimate, as nothing here has pages."""
    width = sum(min(column.type.max_length, 400) if column.type.max_length > 0 else 400 for column in found.columns)
    return -(-count * (width // 2 + 8) // 8096)
