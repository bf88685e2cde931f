"""Tables that clients send as parameters, to procedures and to texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytds  # type: ignore[import-untyped]
import pytest
import trustme
from pytds import tds_types

from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, Server, closing, number


@pytest.fixture
def connection(server: Server, database: str) -> Iterator[pyodbc.Connection]:
    with closing(server.connect(database)) as connection:
        connection.execute(
            "CREATE TYPE dbo.Rows AS TABLE (k int NOT NULL PRIMARY KEY, v nvarchar(10), w int NOT NULL DEFAULT 7)"
        )
        connection.execute("CREATE TABLE dbo.t (k int NOT NULL PRIMARY KEY, v nvarchar(10), w int)")
        connection.execute(
            "CREATE PROCEDURE dbo.upsert @rows dbo.Rows READONLY, @mark nvarchar(5) AS "
            "MERGE dbo.t AS t USING @rows AS r ON t.k = r.k "
            "WHEN MATCHED THEN UPDATE SET v = r.v + @mark, w = r.w "
            "WHEN NOT MATCHED THEN INSERT (k, v, w) VALUES (r.k, r.v, r.w);"
        )
        yield connection


@pytest.fixture
def tds(server: Server, database: str, authority: trustme.CA, tmp_path: Path) -> Iterator[Any]:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with closing(
        pytds.connect(
            "localhost", database, ADMINISTRATOR, PASSWORD, port=server.port, cafile=str(tmp_path / "ca.pem"),
            autocommit=True, disable_connect_retry=True,
        )
    ) as connection:  # fmt: skip
        yield connection


KINDS = ("int", "nvarchar(20)", "int")


def table(rows: Sequence[Sequence[object]], name: str = "dbo.Rows", kinds: Sequence[str] = KINDS) -> Any:
    columns = [pytds.Column(type=tds_types.sql_type_by_declaration(kind)) for kind in kinds]
    return pytds.TableValuedParam(name, columns, rows)


def content(connection: pyodbc.Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute("SELECT k, v, w FROM dbo.t ORDER BY k")]


def test_python_tds_hands_rows_to_a_procedure(tds: Any, connection: pyodbc.Connection) -> None:
    with tds.cursor() as cursor:
        cursor.callproc("dbo.upsert", [table([(1, "one", 1), (2, "é😀", 2)]), "!"])
        cursor.callproc("dbo.upsert", [table([(2, "zwei", 3), (3, "drei", 4)]), "!"])
    assert content(connection) == [(1, "one", 1), (2, "zwei!", 3), (3, "drei", 4)]


def test_a_text_reads_a_table_that_its_declaration_types(tds: Any, connection: pyodbc.Connection) -> None:
    with tds.cursor() as cursor:
        cursor.execute("SELECT sum(k), max(v) FROM %s AS r WHERE r.w > %s", (table([(1, "a", 1), (2, "b", 2)]), 0))
        assert cursor.fetchall() == [(3, "b")]


def test_ten_thousand_rows(tds: Any, connection: pyodbc.Connection) -> None:
    with tds.cursor() as cursor:
        cursor.callproc("dbo.upsert", [table([(n, f"row {n}", n) for n in range(10_000)]), ""])
    assert tuple(connection.execute("SELECT count(*), sum(w) FROM dbo.t").fetchone()) == (10_000, 49_995_000)


@pytest.mark.parametrize(
    ("kinds", "rows", "expected"),
    [
        (KINDS, [(None, "x", 1)], 515),
        (KINDS, [(1, "x", 1), (1, "y", 2)], 2627),
        (KINDS, [(1, "longer than ten", 1)], 2628),
        (("int", "nvarchar(20)"), [(1, "x")], 500),
        (("nvarchar(20)", "nvarchar(20)", "int"), [("x", "x", 1)], 245),
        (("date", "nvarchar(20)", "int"), [(dt.date(2024, 1, 1), "x", 1)], 206),
    ],
)
def test_rows_that_the_type_does_not_take(
    tds: Any, connection: pyodbc.Connection, kinds: Sequence[str], rows: list[tuple[object, ...]], expected: int
) -> None:
    with tds.cursor() as cursor:
        with pytest.raises(pytds.DatabaseError) as caught:
            cursor.callproc("dbo.upsert", [table(rows, kinds=kinds), ""])
        assert caught.value.number == expected
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]
    assert content(connection) == []


def test_a_value_in_the_place_of_a_table_and_the_other_way_round(tds: Any, connection: pyodbc.Connection) -> None:
    with tds.cursor() as cursor:
        for arguments in ([1, ""], [table([(1, "x", 1)]), table([(1, "x", 1)])]):
            with pytest.raises(pytds.DatabaseError) as caught:
                cursor.callproc("dbo.upsert", arguments)
            assert caught.value.number == 206


def test_a_type_that_does_not_exist(tds: Any, connection: pyodbc.Connection) -> None:
    with tds.cursor() as cursor, pytest.raises(pytds.DatabaseError) as caught:
        cursor.execute("SELECT count(*) FROM %s AS r", (table([(1, "a", 1)], "dbo.Nothing"),))
    assert caught.value.number == 2715


def test_a_user_needs_a_right_on_the_type_to_declare_it(
    server: Server, database: str, connection: pyodbc.Connection
) -> None:
    with closing(server.connect(database, *server.user(database))) as theirs:
        with pytest.raises(pyodbc.Error) as caught:
            theirs.execute("DECLARE @r dbo.Rows; SELECT * FROM @r")
        assert number(caught.value) == 229
        connection.execute("GRANT EXECUTE ON TYPE::dbo.Rows TO exporter")
        assert theirs.execute("DECLARE @r dbo.Rows; SELECT * FROM @r").fetchall() == []
