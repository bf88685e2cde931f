"""Many clients at once, and those that do not behave: nobody else's session suffers."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from setup_kit.sandbox.sql.tds.packets import PacketType
from tests.prove.wire import ALL_HEADERS, Wire
from tests.sandbox.sql.apart import DATABASE, Apart
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, closing, number

CROWD = 100
ENDLESS = ALL_HEADERS + "WHILE 1 = 1 SELECT REPLICATE(N'x', 4000)".encode("utf-16-le")


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    found = Apart(tmp_path_factory.mktemp("apart"))
    yield found
    found.kill()


@pytest.fixture
def connection(apart: Apart) -> Iterator[pyodbc.Connection]:
    with closing(apart.connect()) as connection:
        connection.execute("DROP TABLE IF EXISTS dbo.t; CREATE TABLE dbo.t (who int NOT NULL, n int NOT NULL)")
        yield connection


def works(apart: Apart, connection: pyodbc.Connection) -> None:
    """The session goes on, and another can begin."""
    before = connection.execute("SELECT COUNT(*) FROM dbo.t").fetchone()[0]
    connection.execute("INSERT INTO dbo.t VALUES (0, 0)")
    with closing(apart.connect()) as other:
        assert other.execute("SELECT COUNT(*) FROM dbo.t").fetchone()[0] == before + 1


def test_a_hundred_sessions_work_at_once(apart: Apart, connection: pyodbc.Connection) -> None:
    with ThreadPoolExecutor(CROWD) as pool:
        sessions = list(pool.map(lambda _: apart.connect(), range(CROWD)))

        def work(who: int) -> int:
            mine = sessions[who]
            for n in range(5):
                mine.execute("INSERT INTO dbo.t VALUES (?, ?)", who, n)
            return int(mine.execute("SELECT COUNT(*) FROM dbo.t WHERE who = ?", who).fetchone()[0])

        assert list(pool.map(work, range(CROWD))) == [5] * CROWD
    for session in sessions:
        session.close()
    assert connection.execute("SELECT COUNT(*) FROM dbo.t").fetchone()[0] == 5 * CROWD


def test_clients_that_do_not_read_their_answers_keep_nobody_waiting(
    apart: Apart, connection: pyodbc.Connection
) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(120):
            wire = stack.enter_context(closing(Wire(apart.port)))
            wire.log_in(ADMINISTRATOR, PASSWORD, DATABASE)
            wire.send(PacketType.SQL_BATCH, ENDLESS)
        works(apart, connection)


def test_clients_that_never_log_in_keep_nobody_out(apart: Apart, connection: pyodbc.Connection) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(600):
            stack.enter_context(socket.create_connection(("127.0.0.1", apart.port), timeout=10))
        works(apart, connection)


def test_a_reader_sees_one_moment_and_keeps_no_writer_waiting(apart: Apart, connection: pyodbc.Connection) -> None:
    connection.execute("INSERT INTO dbo.t VALUES (1, 0)")
    for _ in range(14):
        connection.execute("INSERT INTO dbo.t SELECT who, n FROM dbo.t")
    with closing(apart.connect()) as reader:
        cursor = reader.execute("SELECT who, REPLICATE(N'x', 100) FROM dbo.t")
        first = cursor.fetchone()[0]
        connection.execute("UPDATE dbo.t SET who = 2")
        assert connection.execute("SELECT COUNT(*) FROM dbo.t WHERE who = 1").fetchone()[0] == 0
        assert {first, *(row[0] for row in cursor.fetchall())} == {1}
        assert reader.execute("SELECT MIN(who) FROM dbo.t").fetchone()[0] == 2


def test_a_writer_keeps_no_reader_waiting(apart: Apart, connection: pyodbc.Connection) -> None:
    connection.execute("INSERT INTO dbo.t VALUES (1, 0)")
    with closing(apart.connect(autocommit=False)) as writer:
        writer.execute("UPDATE dbo.t SET who = 2")
        assert connection.execute("SELECT who FROM dbo.t").fetchone()[0] == 1
        writer.commit()
    assert connection.execute("SELECT who FROM dbo.t").fetchone()[0] == 2


def test_a_session_too_many_is_refused_by_number_and_the_others_go_on(tmp_path: Path) -> None:
    apart = Apart(tmp_path, handles=460)
    sessions = []
    try:
        with pytest.raises(pyodbc.Error) as caught:
            for _ in range(100):
                sessions.append(apart.connect())
        assert (number(caught.value), len(sessions)) == (10928, 10)
        assert [session.execute("SELECT 1").fetchone()[0] for session in sessions] == [1] * 10
    finally:
        for session in sessions:
            session.close()
        apart.kill()
