"""Views on sessions, connections and requests: sys.dm_exec_… ("Execution Related Dynamic Management Views")."""

from __future__ import annotations

from collections.abc import Iterator

from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.server_facts import OpenSession
from setup_kit.sandbox.sql.compiler.views import Registry, Rows
from setup_kit.sandbox.sql.compiler.views_indexes import require_database_state
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored

REGISTRY = Registry()


_ISOLATION = {
    "READ UNCOMMITTED": 1, "READ COMMITTED": 2, "REPEATABLE READ": 3, "SERIALIZABLE": 4, "SNAPSHOT": 5,
}  # fmt: skip


def _visible(runtime: Runtime) -> Iterator[OpenSession]:
    """The sessions in this database for who holds VIEW DATABASE STATE, else one's own."""
    everything = runtime.permissions.holds("VIEW DATABASE STATE")
    for found in sorted(runtime.sessions(), key=lambda session: session.spid):
        if found.spid == runtime.spid or (everything and found.database.id == runtime.database.id):
            yield found


def _moment(ticks: int | None) -> Stored:
    return None if ticks is None else t.round_to_datetime(ticks)


@REGISTRY.view(
    "sys.dm_exec_sessions",
    "session_id smallint, login_time datetime, host_name nvarchar(128), program_name nvarchar(128), "
    "host_process_id int = NULL, client_version int = 7, client_interface_name nvarchar(32) = NULL, "
    "security_id varbinary(85), login_name nvarchar(128), nt_domain nvarchar(128) = NULL, "
    "nt_user_name nvarchar(128) = NULL, status nvarchar(30), context_info varbinary(128) = NULL, cpu_time int = 0, "
    "memory_usage int = 0, total_scheduled_time int = 0, total_elapsed_time int, endpoint_id int = 4, "
    "last_request_start_time datetime, last_request_end_time datetime, reads bigint = 0, writes bigint = 0, "
    "logical_reads bigint = 0, is_user_process bit = 1, text_size int, "
    "language nvarchar(128) = us_english, date_format nvarchar(3) = mdy, date_first smallint = 7, "
    "quoted_identifier bit = 1, arithabort bit = 1, ansi_null_dflt_on bit = 1, ansi_defaults bit = 0, "
    "ansi_warnings bit = 1, ansi_padding bit = 1, ansi_nulls bit = 1, concat_null_yields_null bit = 1, "
    "transaction_isolation_level smallint, lock_timeout int, deadlock_priority int = 0, row_count bigint, "
    "prev_error int, original_security_id varbinary(85), original_login_name nvarchar(128), "
    "last_successful_logon datetime = NULL, last_unsuccessful_logon datetime = NULL, "
    "unsuccessful_logons bigint = NULL, group_id int = 1, database_id smallint, authenticating_database_id int, "
    "open_transaction_count int",
)
def _sessions(runtime: Runtime) -> Rows:
    for found in _visible(runtime):
        running = found.request_ended is None
        elapsed = ((found.request_ended or t.now_utc()) - found.logged_in_at) // 10_000
        yield (
            found.spid, _moment(found.logged_in_at), found.client_host, found.application, found.login_sid,
            found.login_name, "running" if running else "sleeping", elapsed, _moment(found.request_began),
            _moment(found.request_ended), int(found.options.get("TEXTSIZE", "2147483647")),
            _ISOLATION.get(found.options.get("TRANSACTION ISOLATION LEVEL", ""), 2),
            int(found.options.get("LOCK_TIMEOUT", "-1")), found.row_count, found.last_error, found.login_sid,
            found.login_name, found.database.id, found.database.id, found.transaction_depth,
        )  # fmt: skip


@REGISTRY.view(
    "sys.dm_exec_connections",
    "session_id int, most_recent_session_id int, connect_time datetime, net_transport nvarchar(40) = TCP, "
    "protocol_type nvarchar(40) = TSQL, protocol_version int = 1946157060, endpoint_id int = 4, "
    "encrypt_option nvarchar(40) = TRUE, auth_scheme nvarchar(40) = SQL, node_affinity smallint = 0, "
    "num_reads int = NULL, num_writes int = NULL, last_read datetime, last_write datetime, "
    "net_packet_size int = NULL, client_net_address varchar(48) = 127.0.0.1, client_tcp_port int = NULL, "
    "local_net_address varchar(48) = 127.0.0.1, local_tcp_port int = 1433, connection_id uniqueidentifier = NULL, "
    "parent_connection_id uniqueidentifier = NULL, most_recent_sql_handle varbinary(64) = NULL",
)
def _connections(runtime: Runtime) -> Rows:
    require_database_state(runtime)
    for found in _visible(runtime):
        times = _moment(found.request_began), _moment(found.request_ended)
        yield found.spid, found.spid, _moment(found.logged_in_at), *times


@REGISTRY.view(
    "sys.dm_exec_requests",
    "session_id smallint, request_id int = 0, start_time datetime, status nvarchar(30) = running, "
    "command nvarchar(32) = SELECT, sql_handle varbinary(64) = NULL, statement_start_offset int = NULL, "
    "statement_end_offset int = NULL, plan_handle varbinary(64) = NULL, database_id smallint, user_id int = 1, "
    "connection_id uniqueidentifier = NULL, blocking_session_id smallint = 0, wait_type nvarchar(60) = NULL, "
    "wait_time int = 0, last_wait_type nvarchar(60) = NULL, wait_resource nvarchar(256) = '', "
    "open_transaction_count int, open_resultset_count int = 1, transaction_id bigint = 0, "
    "percent_complete real = 0, cpu_time int = 0, total_elapsed_time int, row_count bigint, prev_error int",
)
def _requests(runtime: Runtime) -> Rows:
    for found in _visible(runtime):
        if found.request_ended is None:
            elapsed = (t.now_utc() - found.request_began) // 10_000
            yield (
                found.spid, _moment(found.request_began), found.database.id, found.transaction_depth, elapsed,
                found.row_count, found.last_error,
            )  # fmt: skip
