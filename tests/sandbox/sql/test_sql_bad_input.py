"""Texts that are too deep, too long or made to break out of quotes: the right error, and the session goes on."""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import number

DEEP = 10_000


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * DEEP + "1" + ")" * DEEP,
        "SELECT 1" + " + 1" * DEEP,
        "SELECT 1 WHERE 1 = 1" + " AND 1 = 1" * DEEP,
        "SELECT " + "CASE WHEN 1 = 1 THEN " * DEEP + "1" + " END" * DEEP,
        "SELECT * FROM " + "(SELECT * FROM " * DEEP + "sys.objects" + ") AS x" * DEEP,
        "SELECT 1" + " UNION ALL SELECT 1" * DEEP,
        "BEGIN " * DEEP + "SELECT 1" + " END" * DEEP,
        "IF 1 = 1 " * DEEP + "SELECT 1",
        "SELECT " + "ISNULL(" * DEEP + "1" + ", 1)" * DEEP,
    ],
    ids=lambda sql: str(sql)[:24],
)
def test_what_nests_too_deeply_is_refused_as_such(connection: pyodbc.Connection, sql: str) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(sql).fetchall()
    assert number(caught.value) in (8631, 191)
    assert connection.execute("SELECT 1").fetchone()[0] == 1


def test_a_name_has_128_characters_at_most(connection: pyodbc.Connection) -> None:
    connection.execute(f"CREATE TABLE dbo.[{'n' * 127}]]] (a int)")
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(f"SELECT 1 AS [{'n' * 129}]")
    assert number(caught.value) == 103


def test_a_number_has_38_digits_at_most(connection: pyodbc.Connection) -> None:
    assert connection.execute("SELECT " + "0" * DEEP + "7").fetchone()[0] == 7
    for digits in ("9" * 39, "9" * DEEP, "9." + "9" * 38):
        with pytest.raises(pyodbc.Error) as caught:
            connection.execute(f"SELECT {digits}")
        assert number(caught.value) == 1007


@pytest.mark.parametrize(
    "sql",
    [
        "DECLARE @s nvarchar(max) = N'x'; WHILE 1 = 1 SET @s = @s + @s",
        "DECLARE @s varchar(max) = 'x'; WHILE 1 = 1 SET @s = CONCAT(@s, @s)",
        "SELECT REPLICATE(CAST(N'x' AS nvarchar(max)), 2000000000)",
        "SELECT REPLACE(REPLICATE(CAST('x' AS varchar(max)), 99999), 'x', REPLICATE('y', 1000))",
        "DECLARE @s nvarchar(max) = N'x'; WHILE 1 = 1 SET @s = STUFF(@s, 1, 0, @s)",
    ],
)
def test_a_value_that_would_take_all_memory_is_refused(connection: pyodbc.Connection, sql: str) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute("SET XACT_ABORT ON; " + sql).fetchall()
    assert number(caught.value) == 701
    assert connection.execute("SELECT 1").fetchone()[0] == 1


def test_replace_counts_characters_whose_small_letter_is_longer(connection: pyodbc.Connection) -> None:
    assert connection.execute("SELECT REPLACE(N'İİaİ', N'A', N'-')").fetchone()[0] == "İİ-İ"


def test_a_name_has_no_nul(connection: pyodbc.Connection) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute("SELECT 1 AS [a\0b]").fetchall()
    assert number(caught.value) in (102, 156)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT", "SELECT FROM sys.objects", "SELECT 1 UNION ALL", "INSERT INTO dbo.t (a, b)",
        "UPDATE t SET FROM dbo.t AS t",
        "MERGE dbo.t AS t USING dbo.u AS u ON t.a = u.a WHEN NOT MATCHED THEN INSERT (a, b)",
        "SELECT CAST(1 AS decimal(x, 2))", "DELETE FROM dbo.t WHERE EXISTS (SELECT FROM dbo.u)",
        'INSERT INTO dbo.t (a, 0 "q""q" b) VALUES (1)',
        "SELECT 1 AS a INTO dbo.t (b)", "SELECT * CROSS JOIN sys.objects AS o",
    ],
)  # fmt: skip
def test_half_a_statement_is_a_syntax_error(connection: pyodbc.Connection, sql: str) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(sql).fetchall()
    assert number(caught.value) in (102, 156)


def test_what_a_session_may_prepare_is_bounded(connection: pyodbc.Connection) -> None:
    text = "SELECT N'" + "x" * 4_000_000 + "'"
    prepare = "DECLARE @h int; EXEC sp_prepare @h OUTPUT, NULL, @p; SELECT @h"
    for _ in range(4):
        connection.execute(prepare.replace("@p", f"N'{text.replace(chr(39), chr(39) * 2)}'")).fetchall()
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(prepare.replace("@p", f"N'{text.replace(chr(39), chr(39) * 2)}'")).fetchall()
    assert number(caught.value) == 701
    assert connection.execute("SELECT 1").fetchone()[0] == 1


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1e309", 168),
        ("SELECT 1e308 * 10", 8115),
        ("SELECT SUM(a) FROM (VALUES (1e308), (1e308)) AS v (a)", 8115),
        ("SELECT a + a FROM (VALUES (1e308), (1e308)) AS v (a)", 8115),
        ("SELECT CAST('1e400' AS float)", 8115),
    ],
)
def test_there_is_no_infinity(connection: pyodbc.Connection, sql: str, expected: int) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(sql).fetchall()
    assert number(caught.value) == expected


def test_a_statement_that_cannot_be_read_is_not_logged(
    connection: pyodbc.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"), pytest.raises(pyodbc.Error):
        connection.execute("WITH c AS (SELECT N'Secret-Pass-99' AS a) SET SELECT * FROM c").fetchall()
    assert "Secret-Pass-99" not in caplog.text
