"""Views on objects: tables, views, procedures. "Object Catalog Views" of the SQL Server documentation."""

from __future__ import annotations

from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.object_facts import KINDS, Constraint, constraints, visible
from setup_kit.sandbox.sql.compiler.views import Registry, Rows
from setup_kit.sandbox.sql.storage.catalog import PROPERTY, SYS_SCHEMA, DatabaseObject
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

REGISTRY = Registry()

OBJECT = (
    "name sysname, object_id int, principal_id int, schema_id int, parent_object_id int, type char(2), "
    "type_desc nvarchar(60), create_date datetime, modify_date datetime, is_ms_shipped bit = 0, is_published bit = 0, "
    "is_schema_published bit = 0"
)


def _object_row(found: DatabaseObject) -> tuple[Stored, ...]:
    created, modified = t.round_to_datetime(found.created), t.round_to_datetime(found.modified)
    kind = found.kind.ljust(2)
    return found.name, found.id, found.owner, found.schema_id, 0, kind, KINDS[found.kind], created, modified


def constraint_row(found: Constraint) -> tuple[Stored, ...]:
    times = _object_row(found.table)[7:]
    kind = found.kind.ljust(2), KINDS[found.kind]
    return found.name, found.id, None, found.table.schema_id, found.table.id, *kind, *times


@REGISTRY.view("sys.objects", OBJECT)
def objects(runtime: Runtime) -> Rows:
    for found in visible(runtime, "U", "V", "P"):
        yield _object_row(found)
    for found in visible(runtime, "TT"):
        row = _object_row(found)
        yield f"TT_{found.name[:80]}_{found.id:08X}", found.id, None, SYS_SCHEMA, *row[4:]
    for constraint in constraints(runtime):
        yield constraint_row(constraint)


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


REGISTRY.empty("sys.triggers", OBJECT.replace("principal_id int, schema_id int", "parent_class tinyint"))
REGISTRY.empty("sys.synonyms", OBJECT + ", base_object_name nvarchar(1035)")
REGISTRY.empty("sys.sequences", OBJECT + ", start_value sql_variant, increment sql_variant")


@REGISTRY.view(
    "sys.extended_properties",
    "class tinyint = 0, class_desc nvarchar(60) = DATABASE, major_id int = 0, minor_id int = 0, name sysname, "
    "value sql_variant",
)
def _extended_properties(runtime: Runtime) -> Rows:
    """The database's own; those of objects are not here."""
    for key, value in runtime.catalog.options.items():
        if key.startswith(PROPERTY):
            yield key.removeprefix(PROPERTY), value
