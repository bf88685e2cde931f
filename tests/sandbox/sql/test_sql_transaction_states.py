"""What becomes of a transaction after errors, under SET options, and beside other sessions."""

from __future__ import annotations

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number


@pytest.fixture(autouse=True)
def table(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a int NOT NULL PRIMARY KEY, b nvarchar(20) NULL)")


def rows(connection: pyodbc.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT a FROM dbo.t ORDER BY a").fetchall()]


def state(connection: pyodbc.Connection) -> tuple[int, int]:
    return tuple(connection.execute("SELECT @@TRANCOUNT, XACT_STATE()").fetchone())


CAUGHT = """
SET NOCOUNT, XACT_ABORT ON
BEGIN TRAN
INSERT INTO dbo.t (a) VALUES (1)
BEGIN TRY
    INSERT INTO dbo.t (a) VALUES (1)
END TRY
BEGIN CATCH
    {handler}
END CATCH
"""


def test_an_error_that_is_caught_under_xact_abort_leaves_only_rollback(connection: pyodbc.Connection) -> None:
    found = connection.execute(CAUGHT.format(handler="SELECT XACT_STATE(), @@TRANCOUNT, ERROR_NUMBER(); ROLLBACK"))
    assert [tuple(row) for row in found.fetchall()] == [(-1, 1, 2627)]
    found.close()
    assert (state(connection), rows(connection)) == ((0, 0), [])


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("COMMIT", 3930),
        ("INSERT INTO dbo.t (a) VALUES (2)", 3930),
        ("CREATE TABLE dbo.u (a int)", 3930),
        ("SAVE TRAN half", 3930),
        ("PRINT N'on with it'", 3998),
    ],
)
def test_a_transaction_that_cannot_be_committed_writes_nothing_and_ends_with_its_batch(
    connection: pyodbc.Connection, handler: str, expected: int
) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        cursor = connection.execute(CAUGHT.format(handler=handler))
        while cursor.nextset():
            pass
    assert number(caught.value) == expected
    assert (state(connection), rows(connection)) == ((0, 0), [])


def test_an_error_that_is_caught_without_xact_abort_leaves_the_transaction_good(connection: pyodbc.Connection) -> None:
    connection.execute(CAUGHT.format(handler="INSERT INTO dbo.t (a) VALUES (2); COMMIT").replace(", XACT_ABORT", ""))
    assert (state(connection), rows(connection)) == ((0, 0), [1, 2])


def test_a_conversion_that_fails_takes_its_transaction_back(connection: pyodbc.Connection) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(
            "SET NOCOUNT ON; BEGIN TRAN; INSERT INTO dbo.t (a) VALUES (1); "
            "INSERT INTO dbo.t (a) SELECT CAST(N'x' AS int); COMMIT"
        )
    assert number(caught.value) == 245
    assert (state(connection), rows(connection)) == ((0, 0), [])


def test_raiserror_does_not_heed_xact_abort_and_throw_does(connection: pyodbc.Connection) -> None:
    with pytest.raises(pyodbc.Error, match="raised"):
        connection.execute("SET NOCOUNT, XACT_ABORT ON; BEGIN TRAN; RAISERROR(N'raised', 16, 1)")
    assert state(connection) == (1, 1)
    with pytest.raises(pyodbc.Error, match="thrown"):
        connection.execute("THROW 50001, N'thrown', 1")
    assert state(connection) == (0, 0)


def test_a_batch_that_cannot_be_read_leaves_the_transaction_open(connection: pyodbc.Connection) -> None:
    connection.execute("SET XACT_ABORT ON; BEGIN TRAN")
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute("SELECT FROM WHERE")
    assert number(caught.value) in (102, 156)
    assert state(connection) == (1, 1)


def test_implicit_transactions_begin_with_a_table_and_make_two_of_an_explicit_one(
    connection: pyodbc.Connection,
) -> None:
    connection.execute("SET IMPLICIT_TRANSACTIONS ON")
    assert state(connection) == (0, 0)
    connection.execute("SELECT * FROM dbo.t").fetchall()
    assert state(connection) == (1, 1)
    connection.execute("COMMIT; BEGIN TRAN")
    assert state(connection) == (2, 1)
    connection.execute("ROLLBACK; SET IMPLICIT_TRANSACTIONS OFF")


def test_names_of_transactions_and_savepoints(connection: pyodbc.Connection) -> None:
    connection.execute("BEGIN TRAN whole; INSERT INTO dbo.t (a) VALUES (1); SAVE TRAN half")
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute("ROLLBACK TRAN HALF")
    assert number(caught.value) == 6401
    connection.execute("INSERT INTO dbo.t (a) VALUES (2); ROLLBACK TRAN half; INSERT INTO dbo.t (a) VALUES (3)")
    assert rows(connection) == [1, 3]
    connection.execute("ROLLBACK TRAN half")
    assert rows(connection) == [1]
    connection.execute("ROLLBACK TRAN whole")
    assert (state(connection), rows(connection)) == ((0, 0), [])


@pytest.mark.parametrize("level", ["SNAPSHOT", "SERIALIZABLE", "REPEATABLE READ"])
def test_a_transaction_of_a_higher_level_sees_one_moment(
    server: Server, database: str, connection: pyodbc.Connection, level: str
) -> None:
    connection.execute("INSERT INTO dbo.t (a) VALUES (1)")
    with closing(server.connect(database)) as reader:
        reader.execute(f"SET TRANSACTION ISOLATION LEVEL {level}; BEGIN TRAN")
        assert rows(reader) == [1]
        connection.execute("INSERT INTO dbo.t (a) VALUES (2)")
        assert rows(reader) == [1]
        reader.execute("COMMIT")
        assert rows(reader) == [1, 2]


@pytest.mark.parametrize(("level", "expected"), [("SNAPSHOT", 3960), ("SERIALIZABLE", 1205), ("REPEATABLE READ", 1205)])
def test_of_two_transactions_that_change_what_both_have_read_one_is_refused(
    server: Server, database: str, connection: pyodbc.Connection, level: str, expected: int
) -> None:
    connection.execute("INSERT INTO dbo.t (a) VALUES (1)")
    with closing(server.connect(database)) as loser:
        loser.execute(f"SET TRANSACTION ISOLATION LEVEL {level}; BEGIN TRAN")
        assert rows(loser) == [1]
        connection.execute("UPDATE dbo.t SET b = N'first'")
        with pytest.raises(pyodbc.Error) as caught:
            loser.execute("UPDATE dbo.t SET b = N'second'")
        assert number(caught.value) == expected
        assert state(loser) == (0, 0)
        loser.execute("UPDATE dbo.t SET b = N'again'")
    assert connection.execute("SELECT b FROM dbo.t").fetchone()[0] == "again"


def test_read_committed_sees_what_others_commit_and_never_loses_to_them(
    server: Server, database: str, connection: pyodbc.Connection
) -> None:
    with closing(server.connect(database)) as other:
        other.execute("BEGIN TRAN")
        assert rows(other) == []
        connection.execute("INSERT INTO dbo.t (a) VALUES (1)")
        assert rows(other) == [1]
        other.execute("UPDATE dbo.t SET b = N'x'; COMMIT")
