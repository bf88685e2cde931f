"""Views on the server: databases, logins, settings. "System Catalog Views" of the SQL Server documentation."""

from __future__ import annotations

from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.views import COLLATION, Registry, Rows
from setup_kit.sandbox.sql.messages import MESSAGES
from setup_kit.sandbox.sql.permissions import manages_logins
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.storage.store import SERVER_ROLES
from setup_kit.sandbox.sql.values import types as t

REGISTRY = Registry()


@REGISTRY.view(
    "sys.databases",
    "name sysname, database_id int, source_database_id int = NULL, owner_sid varbinary(85), create_date datetime, "
    "compatibility_level tinyint = 160, collation_name sysname, user_access tinyint = 0, "
    "user_access_desc nvarchar(60) = MULTI_USER, is_read_only bit = 0, is_auto_close_on bit = 0, "
    "is_auto_shrink_on bit = 0, state tinyint = 0, state_desc nvarchar(60) = ONLINE, is_in_standby bit = 0, "
    "is_cleanly_shutdown bit = 0, is_supplemental_logging_enabled bit = 0, snapshot_isolation_state tinyint = 1, "
    "snapshot_isolation_state_desc nvarchar(60) = ON, is_read_committed_snapshot_on bit, recovery_model tinyint = 1, "
    "recovery_model_desc nvarchar(60) = FULL, page_verify_option tinyint = 2, "
    "page_verify_option_desc nvarchar(60) = CHECKSUM, is_auto_create_stats_on bit = 1, "
    "is_auto_create_stats_incremental_on bit = 0, is_auto_update_stats_on bit = 1, "
    "is_auto_update_stats_async_on bit = 0, is_ansi_null_default_on bit = 0, is_ansi_nulls_on bit = 0, "
    "is_ansi_padding_on bit = 0, is_ansi_warnings_on bit = 0, is_arithabort_on bit = 0, "
    "is_concat_null_yields_null_on bit = 0, is_numeric_roundabort_on bit = 0, is_quoted_identifier_on bit = 0, "
    "is_recursive_triggers_on bit = 0, is_cursor_close_on_commit_on bit = 0, is_local_cursor_default bit = 0, "
    "is_fulltext_enabled bit = 0, is_trustworthy_on bit = 0, is_db_chaining_on bit = 0, "
    "is_parameterization_forced bit = 0, is_master_key_encrypted_by_server bit = 0, is_query_store_on bit = 0, "
    "is_published bit = 0, is_subscribed bit = 0, is_merge_published bit = 0, is_distributor bit = 0, "
    "is_sync_with_backup bit = 0, service_broker_guid uniqueidentifier = NULL, is_broker_enabled bit = 0, "
    "log_reuse_wait tinyint = 0, log_reuse_wait_desc nvarchar(60) = NOTHING, is_date_correlation_on bit = 0, "
    "is_cdc_enabled bit = 0, is_encrypted bit, is_honor_broker_priority_on bit = 0, "
    "replica_id uniqueidentifier = NULL, group_database_id uniqueidentifier = NULL, resource_pool_id int = NULL, "
    "default_language_lcid smallint = NULL, default_language_name nvarchar(128) = NULL, "
    "default_fulltext_language_lcid int = NULL, default_fulltext_language_name nvarchar(128) = NULL, "
    "is_nested_triggers_on bit = NULL, is_transform_noise_words_on bit = NULL, two_digit_year_cutoff smallint = NULL, "
    "containment tinyint, containment_desc nvarchar(60), target_recovery_time_in_seconds int = 60, "
    "delayed_durability int = 0, delayed_durability_desc nvarchar(60) = DISABLED, "
    "is_memory_optimized_elevate_to_snapshot_on bit = 0, is_federation_member bit = 0, "
    "is_remote_data_archive_enabled bit = 0, is_mixed_page_allocation_on bit = 0, "
    "is_temporal_history_retention_enabled bit = 1, catalog_collation_type int = 2, "
    "catalog_collation_type_desc nvarchar(60) = SQL_Latin1_General_CP1_CI_AS, physical_database_name nvarchar(128)",
)
def _databases(runtime: Runtime) -> Rows:
    """All of them in master; elsewhere master and the one itself."""
    in_master = fold(runtime.database.name) == "master"
    for found in runtime.server.databases():
        if in_master or found.id == runtime.database.id or fold(found.name) == "master":
            yield (
                found.name, found.id, found.owner, t.round_to_datetime(found.created), COLLATION,
                int(found.read_committed_snapshot), int(fold(found.name) != "master"), int(found.contained),
                "PARTIAL" if found.contained else "NONE", found.name,
            )  # fmt: skip


@REGISTRY.view(
    "sys.database_service_objectives",
    "database_id int, edition sysname, service_objective sysname, elastic_pool_name sysname = NULL",
)
def _service_objectives(runtime: Runtime) -> Rows:
    """What the databases here stand for: the serverless tier."""
    in_master = fold(runtime.database.name) == "master"
    for found in runtime.server.databases():
        if in_master or found.id == runtime.database.id:
            master = fold(found.name) == "master"
            yield found.id, *(("System", "System0") if master else ("GeneralPurpose", "GP_S_Gen5_2"))


def _logins(runtime: Runtime) -> Rows:
    """In Azure in master only; every login for who manages logins, one's own for everybody else."""
    if fold(runtime.database.name) != "master" and not runtime.virtual_machine:
        return
    everything = manages_logins(runtime)
    for login in runtime.server.logins():
        if everything or login.sid == runtime.login_sid:
            yield (
                login.name, login.principal_id, login.sid, int(login.disabled), t.round_to_datetime(login.created),
                t.round_to_datetime(login.modified),
            )  # fmt: skip


_LOGIN = (
    "name sysname, principal_id int, sid varbinary(85), type char(1) = S, type_desc nvarchar(60) = SQL_LOGIN, "
    "is_disabled bit, create_date datetime, modify_date datetime, default_database_name sysname = master, "
    "default_language_name sysname = us_english, credential_id int = NULL, "
)
REGISTRY.view(
    "sys.sql_logins",
    _LOGIN + "is_policy_checked bit = 1, is_expiration_checked bit = 0, password_hash varbinary(256) = NULL",
)(_logins)


@REGISTRY.view(
    "sys.server_principals",
    "name sysname, principal_id int, sid varbinary(85), type char(1), type_desc nvarchar(60), is_disabled bit, "
    "create_date datetime, modify_date datetime, default_database_name sysname, default_language_name sysname, "
    "credential_id int = NULL, owning_principal_id int, is_fixed_role bit",
)
def _server_principals(runtime: Runtime) -> Rows:
    """The logins; on a virtual machine the fixed server roles too, which everybody sees."""
    created = t.round_to_datetime(runtime.server.databases()[0].created)
    if runtime.virtual_machine:
        for role, role_id in {"public": 2, **SERVER_ROLES}.items():
            fixed = int(role != "public")
            yield role, role_id, bytes([role_id]), "R", "SERVER_ROLE", 0, created, created, None, None, 1, fixed
    for name, number, sid, disabled, made, changed in _logins(runtime):
        yield (
            name, number, sid, "S", "SQL_LOGIN", disabled, made, changed, "master", "us_english", None, 0,
        )  # fmt: skip


@REGISTRY.view(
    "sys.configurations",
    "configuration_id int, name nvarchar(35), value sql_variant, minimum sql_variant = 0, maximum sql_variant = 1, "
    "value_in_use sql_variant, description nvarchar(255), is_dynamic bit = 1, is_advanced bit = 0",
)
def _configurations(runtime: Runtime) -> Rows:
    """The one that says whether users may have passwords of their own."""
    on = int(runtime.contained_authentication)
    name = "contained database authentication"
    yield 16393, name, on, on, "Enables contained databases and contained authentication"


@REGISTRY.view("sys.server_role_members", "role_principal_id int, member_principal_id int")
def _server_role_members(runtime: Runtime) -> Rows:
    seen = {number for _, number, *_ in _logins(runtime)}
    for login in runtime.server.logins():
        for role in sorted(runtime.server.server_roles(login.sid)):
            if login.principal_id in seen:
                yield SERVER_ROLES[role], login.principal_id


@REGISTRY.view(
    "sys.messages",
    "message_id int, language_id smallint = 1033, severity tinyint, is_event_logged bit = 0, text nvarchar(2048)",
)
def _messages(runtime: Runtime) -> Rows:
    """Those that this server raises."""
    for number, message in MESSAGES.items():
        yield number, message.severity, message.text


# Settings

_SCOPED_DEFAULTS = (
    ("MAXDOP", 8), ("LEGACY_CARDINALITY_ESTIMATION", 0), ("PARAMETER_SNIFFING", 1), ("QUERY_OPTIMIZER_HOTFIXES", 0),
)  # fmt: skip
SCOPED_CONFIGURATIONS = dict(_SCOPED_DEFAULTS)


@REGISTRY.view(
    "sys.database_scoped_configurations",
    "configuration_id int, name nvarchar(60), value sql_variant, value_for_secondary sql_variant = NULL, "
    "is_value_default bit",
)
def _scoped_configurations(runtime: Runtime) -> Rows:
    for number, (name, default) in enumerate(_SCOPED_DEFAULTS, 1):
        value = runtime.catalog.options.get(name, default)
        yield number, name, value, int(value == default)
