"""Values at the edge of what a type holds: the right answer or the right error, and the session goes on."""

from __future__ import annotations

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number


def one(connection: pyodbc.Connection, expression: str) -> object:
    return connection.execute(f"SELECT {expression}").fetchone()[0]


def refused(connection: pyodbc.Connection, sql: str) -> int:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(sql).fetchall()
    assert one(connection, "1") == 1
    return number(caught.value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'😀'", "??"),
        ("N'a😀'", "a😀"),
        ("upper(N'😀x')", "😀X"),
        ("N'x' + N'😀'", "x😀"),
        ("CAST(N'😀' AS varchar(9))", "??"),
        ("CAST(N'😀' AS nchar(4))", "😀  "),
        ("CAST(N'a😀' AS nvarchar(2))", "a\ufffd"),
        ("CONCAT(N'😀', '😀')", "😀??"),
        ("REPLICATE(N'😀', 2)", "😀😀"),
        ("RIGHT(REPLICATE(N'😀', 4000), 2)", "😀"),
        ("LEN(REPLICATE(N'😀', 4000))", 4000),
        ("REPLACE(N'aba', N'a', N'😀')", "😀b😀"),
        ("STUFF(N'ab', 1, 1, N'😀')", "😀b"),
        ("TRANSLATE(N'😀a', N'a', N'b')", "😀b"),
        ("QUOTENAME(N'😀')", "[😀]"),
        ("ISNULL(NULLIF(N'😀', N'b'), N'c')", "😀"),
        ("CASE WHEN 1 = 1 THEN N'😀' ELSE N'b' END", "😀"),
    ],
)
def test_lengths_count_utf16_units(connection: pyodbc.Connection, expression: str, value: object) -> None:
    assert one(connection, expression) == value
    assert one(connection, "1") == 1


def test_a_column_counts_utf16_units(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a nvarchar(2), b varchar(2))")
    connection.execute("INSERT dbo.t VALUES (N'😀  ', N'😀')")
    assert tuple(connection.execute("SELECT a, b FROM dbo.t").fetchone()) == ("😀", "??")
    assert refused(connection, "INSERT dbo.t (a) VALUES (N'😀😀')") == 2628
    assert refused(connection, "INSERT dbo.t (b) VALUES (N'a😀')") == 2628
    assert refused(connection, f"SELECT 1 AS [{'😀' * 65}]") == 103


@pytest.mark.parametrize("written", ["-1", "- 1", "0", "1800"])
def test_a_lock_timeout_is_a_number_to_every_session(server: Server, database: str, written: str) -> None:
    with closing(server.connect(database)) as first, closing(server.connect(database)) as second:
        first.execute(f"SET LOCK_TIMEOUT {written}; SET TEXTSIZE 2147483647")
        wanted = int(written.replace(" ", ""))
        assert one(first, "@@LOCK_TIMEOUT") == wanted
        spid = one(first, "@@SPID")
        found = second.execute("SELECT lock_timeout FROM sys.dm_exec_sessions WHERE session_id = ?", spid)
        assert found.fetchone()[0] == wanted
        assert second.execute("EXEC sp_who").fetchall()


def test_an_option_that_is_a_number_takes_nothing_else(connection: pyodbc.Connection) -> None:
    assert refused(connection, "SET LOCK_TIMEOUT soon") == 102
    assert refused(connection, "SET TEXTSIZE much") == 102
    assert refused(connection, "SET LOCK_TIMEOUT 99999999999999999999") == 1007


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1e0+2e0", 3.0),
        ("1.5e0+1.5e0", 3.0),
        ("cast(0.1e0+0.2e0 as varchar(30))", "0.3"),
        ("1e2-3", 97.0),
        ("1E+2+2.5e-1-1e0", 99.25),
        ("1e0+2e0+3e0+4e0", 10.0),
        ("'1e0+2e0'", "1e0+2e0"),
        ("1e0+LEN('1e0+2e0')", 8.0),
        ("1e0--2e0\n", 1.0),
        (".5e1+.5e1", 10.0),
    ],
)
def test_exponents_in_sums(connection: pyodbc.Connection, expression: str, value: object) -> None:
    assert one(connection, expression) == value


@pytest.mark.parametrize("sql", ["SELECT 1e5.3", "SELECT 1e", "SELECT 1e0+2e", "SELECT CAST(1 AS decimal(1e0))"])
def test_a_number_that_is_none_is_a_syntax_error(connection: pyodbc.Connection, sql: str) -> None:
    assert refused(connection, sql) == 102


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT CAST(922337203685478 AS money)", "money"),
        ("SELECT CAST(922337203685477.5808 AS money)", "money"),
        ("SELECT CAST(999999 AS smallmoney)", "smallmoney"),
        ("SELECT SUM(a) FROM (VALUES (CAST(922337203685477 AS money)), (CAST(1 AS money))) v(a)", "money"),
        ("SELECT CAST(922337203685477 AS money) + CAST(1 AS money)", "money"),
        ("SELECT -CAST(-922337203685477.5808 AS money)", "money"),
        ("SELECT ROUND(CAST(922337203685477.5807 AS money), 0)", "money"),
        ("SELECT CEILING(CAST(922337203685477.5807 AS money))", "money"),
        ("SELECT ABS(CAST(-922337203685477.5808 AS money))", "money"),
    ],
)
def test_money_has_its_range(connection: pyodbc.Connection, sql: str, kind: str) -> None:
    with pytest.raises(pyodbc.Error, match=f"Arithmetic overflow error converting .* to data type {kind}") as caught:
        connection.execute(sql).fetchall()
    assert number(caught.value) == 8115
    assert str(one(connection, "CAST(922337203685477.5807 AS money)")) == "922337203685477.5807"
    assert str(one(connection, "CAST(-922337203685477.5808 AS money)")) == "-922337203685477.5808"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1e308 * 10",
        "SELECT 1e308 + 1e308",
        "SELECT SUM(a) FROM (VALUES (1e308), (1e308)) v(a)",
        "SELECT AVG(a) FROM (VALUES (1e308), (1e308), (-1e308)) v(a) HAVING SUM(a) > 0 AND SUM(a * 10) > 0",
        "SELECT CAST(1e300 AS real)",
        "SELECT CAST(1e300 AS decimal(38, 0))",
        "SELECT CAST(1e300 AS money)",
        "SELECT POWER(10e0, 400)",
        "SELECT EXP(1000)",
        "SELECT ROUND(1.7e308, -308)",
        "SELECT ABS(CAST(-2147483648 AS int))",
        "SELECT ROUND(2147483647, -1)",
    ],
)
def test_what_overflows_is_an_error(connection: pyodbc.Connection, sql: str) -> None:
    assert refused(connection, sql) in (8115, 3623, 232)


@pytest.mark.parametrize("unit", [0xD800, 55357, 56832, 0xDFFF])
def test_half_a_surrogate_pair_is_refused_by_name(connection: pyodbc.Connection, unit: int) -> None:
    with pytest.raises(pyodbc.Error, match="unpaired surrogate"):
        connection.execute(f"SELECT NCHAR({unit}) + NCHAR(56832)").fetchall()
    assert one(connection, "NCHAR(57344)") == "\ue000"
    assert one(connection, "NCHAR(70000)") is None
