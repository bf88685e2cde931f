"""Many rows by one prepared INSERT, as `fast_executemany` sends them: like the same calls one by one.

The endpoint is in another process: this mode of pyodbc holds the interpreter while it asks for the types of parameters.
"""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.apart import Apart
from tests.sandbox.sql.conftest import closing, number

COLUMNS = (
    "a int NOT NULL PRIMARY KEY, b bigint, c smallint, d bit, e decimal(38, 10), f money, g float, h nvarchar(20), "
    "i varchar(20), j nchar(4), k varbinary(20), l date, m time(3), n datetime2, o datetime, p nvarchar(max)"
)
INSERT = "INSERT INTO dbo.t VALUES (" + ", ".join("?" * 16) + ")"


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    found = Apart(tmp_path_factory.mktemp("apart"))
    yield found
    found.kill()


@pytest.fixture
def connection(apart: Apart) -> Iterator[pyodbc.Connection]:
    with closing(apart.connect()) as connection:
        connection.execute("DROP TABLE IF EXISTS dbo.t")
        yield connection


def fast(connection: pyodbc.Connection, sql: str, rows: list[tuple[object, ...]]) -> None:
    cursor = connection.cursor()
    cursor.fast_executemany = True
    cursor.executemany(sql, rows)


def row(n: int, seed: random.Random) -> tuple[object, ...]:
    values = (
        n * 10**9, n % 30_000, n % 2 == 0, Decimal(n) / 8, Decimal(n) / 2, n / 4, f"name {n} \u20ac\U0001f600", f"é{n}",
        "abcd", bytes([n % 256]) * (n % 20), dt.date(2024, 1, 1) + dt.timedelta(days=n), dt.time(n % 24, 59, 59, 9000),
        dt.datetime(2024, 1, 1, n % 24, 1, 2, 123456), dt.datetime(2024, 1, 1, n % 24), "x" * (n % 50),
    )  # fmt: skip
    return (n, *(None if seed.random() < 0.1 else value for value in values))


def test_rows_of_every_kind_come_back_as_they_were_sent(connection: pyodbc.Connection) -> None:
    connection.execute(f"CREATE TABLE dbo.t ({COLUMNS})")
    seed = random.Random(1)
    rows = [row(n, seed) for n in range(1200)]
    fast(connection, INSERT, rows)
    assert [tuple(found) for found in connection.execute("SELECT * FROM dbo.t ORDER BY a").fetchall()] == rows


@pytest.mark.parametrize("autocommit", [True, False])
def test_an_error_in_one_row_is_told_and_leaves_the_others(
    apart: Apart, connection: pyodbc.Connection, autocommit: bool
) -> None:
    connection.execute("CREATE TABLE dbo.t (a int NOT NULL, b nvarchar(5), CONSTRAINT pk PRIMARY KEY (a))")
    rows: list[tuple[object, ...]] = [(n, "x") for n in range(1300)]
    rows[700] = (5, "y")
    with closing(apart.connect(autocommit=autocommit)) as writer:
        with pytest.raises(pyodbc.IntegrityError, match=r"'pk'.*The duplicate key value is \(5\)") as caught:
            fast(writer, "INSERT INTO dbo.t VALUES (?, ?)", rows)
        assert number(caught.value) == 2627
        if not autocommit:
            assert connection.execute("SELECT COUNT(*) FROM dbo.t").fetchone()[0] == 0
            writer.commit()
    found = connection.execute("SELECT COUNT(*), SUM(CASE b WHEN 'x' THEN 1 END) FROM dbo.t").fetchone()
    assert tuple(found) == (1299, 1299)


def test_a_null_where_none_may_be_is_refused_for_its_row_alone(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a int NOT NULL, b int NULL)")
    with pytest.raises(pyodbc.IntegrityError) as caught:
        fast(connection, "INSERT INTO dbo.t VALUES (?, ?)", [(1, 1), (2, None), (None, 3), (4, 4)])
    assert number(caught.value) == 515
    assert [found[0] for found in connection.execute("SELECT a FROM dbo.t ORDER BY a")] == [1, 2, 4]


def test_identities_defaults_and_constants_are_given_to_every_row(connection: pyodbc.Connection) -> None:
    connection.execute(
        "CREATE TABLE dbo.t (id int IDENTITY(5, 2) NOT NULL, a int, b int DEFAULT 7, c int, d datetime2 DEFAULT "
        "SYSUTCDATETIME(), e uniqueidentifier DEFAULT NEWID())"
    )
    fast(connection, "INSERT INTO dbo.t (c, a) VALUES (3, ?)", [(n,) for n in range(700)])
    rows = connection.execute("SELECT id, a, b, c FROM dbo.t ORDER BY id").fetchall()
    assert [tuple(found) for found in rows] == [(5 + 2 * n, n, 7, 3) for n in range(700)]
    assert connection.execute("SELECT COUNT(DISTINCT e) FROM dbo.t").fetchone()[0] == 700
    assert connection.execute("SELECT COUNT(*) FROM dbo.t WHERE d > '2020-01-01'").fetchone()[0] == 700
    assert connection.execute("SELECT @@IDENTITY").fetchone()[0] == 5 + 2 * 699


def test_values_are_converted_as_one_by_one(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a tinyint, b nvarchar(10))")
    with pytest.raises(pyodbc.Error) as caught:
        fast(connection, "INSERT INTO dbo.t VALUES (CAST(? AS int) + 1, ?)", [(n, str(n)) for n in range(250, 260)])
    assert number(caught.value) in (220, 8115)
    found = [tuple(r) for r in connection.execute("SELECT a, b FROM dbo.t ORDER BY a").fetchall()]
    assert found == [(n + 1, str(n)) for n in range(250, 255)]


def test_a_row_may_refer_to_those_before_it_and_not_to_those_behind(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a int NOT NULL PRIMARY KEY, b int NULL REFERENCES dbo.t (a))")
    with pytest.raises(pyodbc.IntegrityError) as caught:
        fast(connection, "INSERT INTO dbo.t VALUES (?, ?)", [(1, None), (2, 1), (3, 4), (4, 2)])
    assert number(caught.value) == 547
    assert [found[0] for found in connection.execute("SELECT a FROM dbo.t ORDER BY a")] == [1, 2, 4]
