"""Clients that leave and servers that stop while a statement runs: it ends soon, whatever it is at, and its session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from setup_kit.sandbox.sql.tds.packets import PacketType
from tests.prove.wire import ALL_HEADERS, Wire
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, Host, Policy, Server, closing

SECONDS = 20

ENDLESS = {
    "a statement of the store": "SELECT COUNT(*) FROM dbo.t AS a, dbo.t AS b, dbo.t AS c WHERE a.n + b.n + c.n < 0",
    "a loop": "DECLARE @n int; WHILE 1 = 1 SET @n = 1",
    "a wait": "WAITFOR DELAY '23:00:00'",
    "a lock": "UPDATE dbo.t SET n = 2",
    "rows that are not read": "WHILE 1 = 1 SELECT REPLICATE(N'x', 4000)",
}
UNTIL_IT_RUNS = (
    "WHILE NOT EXISTS (SELECT 1 FROM sys.dm_exec_sessions WHERE host_name = N'host' AND status = N'running')"
    " WAITFOR DELAY '00:00:00.020'"
)
UNTIL_IT_IS_GONE = (
    "WHILE EXISTS (SELECT 1 FROM sys.dm_exec_sessions WHERE host_name = N'host') WAITFOR DELAY '00:00:00.020'"
)


@pytest.fixture
def watcher(server: Server, database: str) -> Iterator[pyodbc.Connection]:
    with prepared(server, database) as watcher:
        yield watcher


@contextmanager
def prepared(server: Server, database: str) -> Iterator[pyodbc.Connection]:
    """A table of many rows, whose lock another session holds; and who looks on."""
    with closing(server.connect(database)) as watcher, closing(server.connect(database, autocommit=False)) as holder:
        watcher.timeout = SECONDS
        watcher.execute("CREATE TABLE dbo.t (n int)")
        watcher.execute("INSERT INTO dbo.t VALUES (1)")
        for _ in range(13):
            watcher.execute("INSERT INTO dbo.t SELECT n + 1 FROM dbo.t")
        holder.execute("UPDATE dbo.t SET n = 1 WHERE n = 2")
        yield watcher


def begin(server: Server, database: str, statement: str) -> Wire:
    wire = Wire(server.port)
    wire.log_in(ADMINISTRATOR, PASSWORD, database)
    wire.send(PacketType.SQL_BATCH, ALL_HEADERS + statement.encode("utf-16-le"))
    return wire


@pytest.mark.parametrize("statement", ENDLESS.values(), ids=ENDLESS)
def test_a_session_ends_with_its_client(
    server: Server, database: str, watcher: pyodbc.Connection, statement: str
) -> None:
    with closing(begin(server, database, statement)):
        watcher.execute(UNTIL_IT_RUNS)
    watcher.execute(UNTIL_IT_IS_GONE)


@pytest.mark.parametrize("number", range(len(ENDLESS)), ids=ENDLESS)
def test_a_server_that_stops_waits_for_no_statement(host: Host, number: int) -> None:
    server = host.serve(Policy(f"stops-{number}"))
    database = server.database()
    with prepared(server, database) as watcher, closing(begin(server, database, [*ENDLESS.values()][number])) as wire:
        watcher.execute(UNTIL_IT_RUNS)
        host.run(host.endpoint.stop_server(server.policy.name))
        wire.rest(SECONDS)
