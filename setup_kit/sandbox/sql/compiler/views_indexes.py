"""Views on indexes and row counts. "Object Catalog Views", "sys.dm_db_partition_stats"."""

from __future__ import annotations

from collections.abc import Iterator

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.object_facts import numbered_indexes, storage_index, visible
from setup_kit.sandbox.sql.compiler.views import Registry, Rows
from setup_kit.sandbox.sql.storage.catalog import DatabaseObject

REGISTRY = Registry()


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
