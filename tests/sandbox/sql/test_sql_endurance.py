"""What a rough client, a crowd, or a sudden end does to the endpoint."""

from __future__ import annotations

import concurrent.futures
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest
import trustme

from setup_kit.sandbox.sql.tds.login import encode_prelogin
from setup_kit.sandbox.sql.tds.packets import HEADER
from tests.sandbox.sql.apart import Apart
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, Policy, Server, closing


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    found = Apart(tmp_path)
    yield found
    found.kill()


def test_what_was_committed_outlives_a_killed_process_and_nothing_else(apart: Apart, tmp_path: Path) -> None:
    with closing(apart.connect()) as connection:
        connection.execute("CREATE TABLE dbo.t (a int NOT NULL PRIMARY KEY)")
        connection.cursor().executemany("INSERT INTO dbo.t VALUES (?)", [(n,) for n in range(50)])
        open_transaction = apart.connect(autocommit=False)
        open_transaction.execute("INSERT INTO dbo.t VALUES (1000)")
        open_transaction.execute("CREATE TABLE dbo.half (a int)")
        apart.kill()
    again = Apart(tmp_path)
    try:
        with closing(again.connect()) as connection:
            assert tuple(connection.execute("SELECT COUNT(*), MAX(a) FROM dbo.t").fetchone()) == (50, 49)
            assert connection.execute("SELECT OBJECT_ID(N'dbo.half')").fetchone()[0] is None
            connection.execute("CREATE TABLE dbo.half (a int)")
    finally:
        assert again.stop() == 0


def test_it_closes_in_good_order_while_clients_are_connected(apart: Apart) -> None:
    connections = [apart.connect(autocommit=False) for _ in range(3)]
    connections[0].execute("CREATE TABLE dbo.t (a int)")
    assert apart.stop() == 0
    for connection in connections:
        with pytest.raises(pyodbc.Error):
            connection.execute("SELECT 1").fetchall()


def test_rows_are_sent_in_bundles_by_fast_executemany(apart: Apart) -> None:
    # From another process: this mode of pyodbc holds the interpreter while it asks for the types of parameters.
    with closing(apart.connect()) as connection:
        connection.execute(
            "CREATE TABLE dbo.t (a int NOT NULL PRIMARY KEY, b nvarchar(20), c decimal(38, 4), d datetime, e bit, "
            "f uniqueidentifier, g nvarchar(max))"
        )
        cursor = connection.cursor()
        cursor.fast_executemany = True
        rows = [(n, f"n{n}" if n % 2 else None, None, None, bool(n % 3), None, "x" * n) for n in range(300)]
        cursor.executemany("INSERT INTO dbo.t (a, b, c, d, e, f, g) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        found = connection.execute("SELECT a, b, c, d, e, f, g FROM dbo.t ORDER BY a").fetchall()
        assert [tuple(row) for row in found] == rows
        with pytest.raises(pyodbc.IntegrityError):
            cursor.executemany("INSERT INTO dbo.t (a) VALUES (?)", [(1000,), (1,), (1001,)])


GIVE_UP = """
import datetime, sys
import pyodbc
connection = pyodbc.connect(sys.stdin.readline(), autocommit=sys.argv[1] == "True", timeout=20)
connection.execute("INSERT INTO dbo.t (a) VALUES (-1)")
rows, values = 240, []
for n in range(rows):
    moment = datetime.datetime(2024, 1, 1, microsecond=123456 if n == rows - 3 else 0)
    values += [n, *["x" * 50] * 5, moment, n]
cursor = connection.cursor()
cursor.setinputsizes([None, *[None] * 5, (93, 23, 3), None] * rows)
try:
    cursor.execute("INSERT INTO dbo.t VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * rows), values)
except pyodbc.DataError as error:
    print(error.args[0])
print(*connection.execute("SELECT COUNT(*), MAX(a), @@TRANCOUNT FROM dbo.t").fetchone())
if not connection.autocommit:
    connection.commit()
connection.close()
"""


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_request_that_the_driver_gives_up_half_sent_is_not_carried_out(
    server: Server, database: str, connection: pyodbc.Connection, autocommit: bool
) -> None:
    # The driver finds a value it cannot convert after dozens of packets are out: it ends the message with the bit
    # IGNORE and waits for a DONE, without a time limit; so it does that in a process that has one.
    connection.execute(
        "CREATE TABLE dbo.t (a int, b nvarchar(50), c nvarchar(50), d nvarchar(50), e nvarchar(50), f nvarchar(50), "
        "g datetime, h int)"
    )
    text = server.connection_string(database, ADMINISTRATOR, PASSWORD)
    client = subprocess.run(
        [sys.executable, "-c", GIVE_UP, str(autocommit)], input=text, capture_output=True, text=True, timeout=30
    )
    assert (client.stdout.splitlines(), client.stderr) == (["22008", f"1 -1 {int(not autocommit)}"], "")
    assert [row[0] for row in connection.execute("SELECT a FROM dbo.t")] == [-1]


def test_a_crowd_reads_and_writes_side_by_side(server: Server, database: str, connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (who int, n int, PRIMARY KEY (who, n))")

    def work(who: int) -> int:
        with closing(server.connect(database)) as mine:
            for n in range(10):
                mine.execute("INSERT INTO dbo.t VALUES (?, ?)", who, n)
            return int(mine.execute("SELECT COUNT(*) FROM dbo.t WHERE who = ?", who).fetchone()[0])

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert list(pool.map(work, range(20))) == [10] * 20
    assert connection.execute("SELECT COUNT(*) FROM dbo.t").fetchone()[0] == 200


PRELOGIN = encode_prelogin((18, 0, 0), 1, fed_auth_required=False)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x12",
        HEADER.pack(0x12, 1, 7, 0, 1, 0),
        HEADER.pack(0x12, 1, 0xFFFF, 0, 1, 0) + b"x" * 100,
        HEADER.pack(0x12, 1, 12, 0, 1, 0) + b"\x00\x00\xff\x00",
        HEADER.pack(0x10, 1, 108, 0, 1, 0) + b"\x00" * 100,
        HEADER.pack(0x12, 1, 8 + len(PRELOGIN), 0, 1, 0) + PRELOGIN + HEADER.pack(0x12, 1, 12, 0, 2, 0) + b"junk",
        b"\x16\x03\x01\x00\x05hello",
    ],
)
def test_a_client_that_speaks_nonsense_is_dropped_and_the_next_is_served(server: Server, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as rough:
        rough.sendall(sent)
        rough.shutdown(socket.SHUT_WR)
        while rough.recv(4096):
            pass
    server.connect().close()


def test_nonsense_after_tls_is_dropped_too(server: Server, authority: trustme.CA) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.set_alpn_protocols(["tds/8.0"])
    for data in (
        b"\x00" * 64,
        HEADER.pack(0x12, 1, 8 + len(PRELOGIN), 0, 1, 0) + PRELOGIN + b"\x10\x01\x00\x20" + b"\xff" * 28,
    ):
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as rough,
        ):
            rough.sendall(data)
            try:
                while rough.recv(4096):
                    pass
            except (ssl.SSLError, ConnectionResetError):
                pass
    server.connect().close()


def test_a_request_that_breaks_the_protocol_ends_only_its_own_session(server: Server, database: str) -> None:
    with closing(server.connect(database)) as other:
        with pytest.raises(pyodbc.Error):
            other.execute("SELECT " + "(" * 3000 + "1" + ")" * 3000).fetchall()
        assert other.execute("SELECT 1").fetchone()[0] == 1


def test_a_server_name_must_be_one_that_azure_has(server: Server) -> None:
    for name in ("../elsewhere", "UPPER", "-a", "a" * 64, ""):
        with pytest.raises(ValueError, match="not the name of a logical server"):
            server.host.run(server.host.endpoint.start_server(Policy(name), 0))
