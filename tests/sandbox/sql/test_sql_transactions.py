"""Transactions, sessions side by side, and what outlives the process."""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

import threading
from pathlib import Path

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest
import trustme

from tests.sandbox.sql.conftest import Host, Policy, Server, closing, number


@pytest.fixture
def table(connection: pyodbc.Connection) -> str:
    connection.execute("CREATE TABLE dbo.t (a int NOT NULL PRIMARY KEY, b nvarchar(20))")
    return "dbo.t"


def count(connection: pyodbc.Connection) -> int:
    return int(connection.execute("SELECT COUNT(*) FROM dbo.t").fetchone()[0])


def test_a_rollback_undoes_rows_and_definitions(
    server: Server, database: str, connection: pyodbc.Connection, table: str
) -> None:
    with closing(server.connect(database, autocommit=False)) as other:
        other.execute("INSERT INTO dbo.t (a) VALUES (1)")
        other.execute("CREATE TABLE dbo.gone (a int)")
        other.execute("CREATE USER gone WITHOUT LOGIN")
        assert other.execute("SELECT @@TRANCOUNT").fetchone()[0] == 1
        other.rollback()
        assert count(other) == 0
        with pytest.raises(pyodbc.Error) as caught:
            other.execute("SELECT * FROM dbo.gone")
        assert number(caught.value) == 208
    assert connection.execute("SELECT USER_ID('gone')").fetchone()[0] is None


def test_nobody_else_sees_rows_before_they_are_committed(
    server: Server, database: str, connection: pyodbc.Connection, table: str
) -> None:
    with closing(server.connect(database, autocommit=False)) as other:
        other.execute("INSERT INTO dbo.t (a) VALUES (1)")
        assert count(connection) == 0
        other.commit()
        assert count(connection) == 1


def test_a_connection_that_closes_takes_its_open_transaction_back(
    server: Server, database: str, connection: pyodbc.Connection, table: str
) -> None:
    other = server.connect(database, autocommit=False)
    other.execute("INSERT INTO dbo.t (a) VALUES (1)")
    other.close()
    assert count(connection) == 0
    connection.execute("INSERT INTO dbo.t (a) VALUES (2)")


def test_transactions_in_t_sql_nest_by_counting(connection: pyodbc.Connection, table: str) -> None:
    connection.execute(
        "BEGIN TRAN; INSERT INTO dbo.t (a) VALUES (1); BEGIN TRAN; INSERT INTO dbo.t (a) VALUES (2); COMMIT"
    )
    assert connection.execute("SELECT @@TRANCOUNT").fetchone()[0] == 1
    connection.execute("ROLLBACK")
    assert count(connection) == 0
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute("COMMIT")
    assert number(caught.value) == 3902


def test_a_savepoint_is_gone_back_to(connection: pyodbc.Connection, table: str) -> None:
    connection.execute(
        "BEGIN TRAN; INSERT INTO dbo.t (a) VALUES (1); SAVE TRAN half; INSERT INTO dbo.t (a) VALUES (2); "
        "ROLLBACK TRAN half; COMMIT"
    )
    assert count(connection) == 1


def test_a_failed_statement_leaves_nothing_of_itself_and_the_transaction_open(
    server: Server, database: str, connection: pyodbc.Connection, table: str
) -> None:
    with closing(server.connect(database, autocommit=False)) as other:
        other.execute("INSERT INTO dbo.t (a) VALUES (1)")
        with pytest.raises(pyodbc.IntegrityError):
            other.execute("INSERT INTO dbo.t (a) VALUES (2), (3), (1)")
        assert count(other) == 1
        other.commit()
    assert count(connection) == 1


def test_xact_abort_takes_the_whole_transaction_back(connection: pyodbc.Connection, table: str) -> None:
    with pytest.raises(pyodbc.IntegrityError):
        connection.execute(
            "SET NOCOUNT, XACT_ABORT ON; BEGIN TRAN; INSERT INTO dbo.t (a) VALUES (1); INSERT INTO dbo.t (a) VALUES (1)"
        )
    assert connection.execute("SELECT @@TRANCOUNT").fetchone()[0] == 0
    assert count(connection) == 0


def test_a_second_writer_waits_for_the_first(server: Server, database: str, table: str) -> None:
    done = threading.Event()

    def write() -> None:
        with closing(server.connect(database)) as second:
            second.execute("INSERT INTO dbo.t (a) VALUES (2)")
        done.set()

    with closing(server.connect(database, autocommit=False)) as first:
        first.execute("INSERT INTO dbo.t (a) VALUES (1)")
        thread = threading.Thread(target=write)
        thread.start()
        assert not done.wait(0.3)
        first.commit()
        assert done.wait(10)
        thread.join(10)
        assert count(first) == 2


def test_a_lock_timeout_ends_the_wait(server: Server, database: str, table: str) -> None:
    with closing(server.connect(database, autocommit=False)) as first, closing(server.connect(database)) as second:
        first.execute("INSERT INTO dbo.t (a) VALUES (1)")
        second.execute("SET LOCK_TIMEOUT 100")
        with pytest.raises(pyodbc.Error) as caught:
            second.execute("INSERT INTO dbo.t (a) VALUES (2)")
        assert number(caught.value) == 1222
        first.rollback()


def test_a_statement_that_takes_too_long_is_called_off_and_the_connection_lives(
    server: Server, database: str, table: str
) -> None:
    with closing(server.connect(database, autocommit=False)) as first, closing(server.connect(database)) as second:
        first.execute("INSERT INTO dbo.t (a) VALUES (1)")
        second.timeout = 1
        with pytest.raises(pyodbc.OperationalError, match="timeout"):
            second.execute("INSERT INTO dbo.t (a) VALUES (2)")
        first.commit()
        assert count(second) == 1
        second.execute("INSERT INTO dbo.t (a) VALUES (2)")


def test_one_sessions_error_leaves_the_others_alone(
    server: Server, database: str, connection: pyodbc.Connection, table: str
) -> None:
    others = [server.connect(database) for _ in range(5)]
    try:
        for other in others:
            with pytest.raises(pyodbc.Error):
                other.execute("SELECT nothing FROM nowhere")
            assert count(other) == 0
    finally:
        for other in others:
            other.close()
    assert count(connection) == 0


def test_two_databases_are_kept_apart(server: Server) -> None:
    first, second = server.database(), server.database()
    with closing(server.connect(first)) as one, closing(server.connect(second)) as two:
        one.execute("CREATE TABLE dbo.t (a int)")
        one.execute("INSERT INTO dbo.t (a) VALUES (1)")
        with pytest.raises(pyodbc.Error) as caught:
            two.execute("SELECT * FROM dbo.t")
        assert number(caught.value) == 208
        with pytest.raises(pyodbc.Error) as caught:
            two.execute(f"SELECT * FROM [{first}].dbo.t")
        assert number(caught.value) == 40515
        with pytest.raises(pyodbc.Error) as caught:
            two.execute(f"USE [{first}]")
        assert number(caught.value) == 40508
        two.execute(f"USE [{second}]")


def test_everything_is_there_after_a_restart(tmp_path: Path, authority: trustme.CA) -> None:
    for folder in ("data", "tls"):
        (tmp_path / folder).mkdir()
    host = Host(tmp_path / "data", authority, tmp_path / "tls")
    server = host.serve(Policy("lasting"))
    server.database("kept")
    server.database("dropped")
    host.endpoint.create_database("lasting", "kept")
    server.user("kept", "stays", "Export-Pass-123")
    with closing(server.connect("kept")) as connection:
        connection.execute("CREATE TABLE dbo.t (a int NOT NULL PRIMARY KEY, b decimal(38, 4))")
        connection.execute("INSERT INTO dbo.t VALUES (1, 1.2345)")
        connection.execute("GRANT SELECT ON SCHEMA::dbo TO stays")
    with closing(server.connect()) as master:
        master.execute("CREATE LOGIN stays WITH PASSWORD = 'Export-Pass-123'")
    host.endpoint.drop_database("lasting", "dropped")
    host.endpoint.drop_database("lasting", "dropped")
    host.close()

    host = Host(tmp_path / "data", authority, tmp_path / "tls")
    server = host.serve(Policy("lasting"))
    with closing(server.connect("kept", "stays", "Export-Pass-123")) as connection:
        assert str(connection.execute("SELECT b FROM dbo.t WHERE a = 1").fetchone()[0]) == "1.2345"
    with closing(server.connect()) as master:
        names = [row[0] for row in master.execute("SELECT name FROM sys.databases ORDER BY name").fetchall()]
        assert names == ["kept", "master"]
        assert master.execute("SELECT COUNT(*) FROM sys.sql_logins").fetchone()[0] == 1
    host.close()


def test_dropping_a_database_ends_its_sessions(server: Server) -> None:
    name = server.database()
    connection = server.connect(name)
    server.host.endpoint.drop_database(server.policy.name, name)
    with pytest.raises(pyodbc.Error):
        connection.execute("SELECT 1").fetchall()
    with pytest.raises(pyodbc.Error) as caught:
        server.connect(name)
    assert number(caught.value) == 4060


def test_a_server_that_is_stopped_answers_no_more_and_comes_back_with_its_data(host: Host) -> None:
    server = host.serve(Policy("stopping"))
    name = server.database()
    open_session = server.connect(name)
    host.run(host.endpoint.stop_server("stopping"))
    with pytest.raises(pyodbc.Error):
        open_session.execute("SELECT 1").fetchall()
    with pytest.raises(pyodbc.Error):
        server.connect(name, extra="ConnectRetryCount=0;", seconds=2)
    again = host.serve(Policy("stopping"))
    again.connect(name).close()
