"""Built-in functions, one value at a time, as the T-SQL reference shows them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import number


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # UTF-16 units: an emoji takes two
        ("LEN(N'a😀b')", 4), ("DATALENGTH(N'a😀b')", 8), ("CHARINDEX(N'b', N'a😀b')", 4),
        ("SUBSTRING(N'a😀b', 2, 2)", "😀"),
        ("SUBSTRING(N'a😀b', 4, 1)", "b"), ("LEFT(N'😀x', 2)", "😀"), ("RIGHT(N'a😀', 2)", "😀"),
        ("LEFT(N'😀x', 1)", "\ufffd"), ("STUFF(N'a😀b', 2, 2, N'-')", "a-b"), ("UNICODE(N'😀')", 0xD83D),
        ("REVERSE(N'ab')", "ba"), ("LEN(N'ab   ')", 2),
        # Strings
        ("TRIM(N'  x ')", "x"), ("TRIM(N'.#' FROM N'.#x.#')", "x"), ("TRANSLATE('2*[3+4]', '[]', '()')", "2*(3+4)"),
        ("CONCAT_WS(',', 'a', NULL, 'b')", "a,b"), ("REPLACE(N'abcABC', N'B', N'x')", "axcAxC"),
        ("CONVERT(varchar(64), HASHBYTES('SHA2_256', 'x'), 2)",
         "2D711642B726B04401627CA9FBAC32F5C8530FB1903CC4DB02258717921A4881"),
        ("QUOTENAME(N'a]b')", "[a]]b]"), ("STR_OF_NULL", None),
        # Choices
        ("CHOOSE(2, 'a', 'b', 'c')", "b"), ("CHOOSE(9, 'a')", None), ("IIF(1 > 2, 'y', 'n')", "n"),
        ("SIGN(-2.5)", Decimal(-1)), ("SIGN(7)", 1), ("TRY_CAST('x' AS int)", None), ("TRY_CONVERT(int, '5')", 5),
        # POWER has its first argument's type; ISNUMERIC; styles of a float; the code page; patterns
        ("POWER(2, 3)", 8), ("POWER(2, -1)", 0), ("POWER(2.0, 0.5)", Decimal("1.4")), ("POWER(2e0, 0.5)", 2**0.5),
        ("POWER(CAST(2 AS bigint), 40)", 2**40), ("ROUND(748.58, -2)", Decimal(700)),
        ("ISNUMERIC('')", 0), ("ISNUMERIC('$')", 1), ("ISNUMERIC('-')", 1), ("ISNUMERIC('1,000')", 1),
        ("ISNUMERIC('1e5')", 1), ("ISNUMERIC('1x')", 0), ("CONVERT(varchar(30), 1.5e0, 1)", "1.5000000e+000"),
        ("CONVERT(varchar(30), 1.5e0, 2)", "1.500000000000000e+000"),
        ("CONVERT(varchar(30), 1.5e0, 3)", "1.5000000000000000e+000"),
        ("CAST(CHAR(128) AS nvarchar(9))", "€"), ("PATINDEX('%[0-9]b%', 'aab1B')", 4), ("PATINDEX('b%', 'ab')", 0),
        ("PATINDEX('%b', 'abab')", 4), ("PATINDEX('%b_b', 'xbab')", 2), ("@@OPTIONS & 512", 0),
        # A string in the style of CONVERT
        ("CONVERT(datetime, '06/05/2024', 103)", dt.datetime(2024, 5, 6)),
        ("CONVERT(datetime, '06/05/2024', 101)", dt.datetime(2024, 6, 5)),
        ("CONVERT(date, '06.05.24', 4)", dt.date(2024, 5, 6)), ("CONVERT(date, '06/05/50', 1)", dt.date(1950, 6, 5)),
        ("CONVERT(date, '24/05/06', 11)", dt.date(2024, 5, 6)), ("CONVERT(date, '240506', 12)", dt.date(2024, 5, 6)),
        ("CONVERT(date, '06 May 2024', 106)", dt.date(2024, 5, 6)),
        ("CONVERT(datetime2, 'May 06, 2024', 107)", dt.datetime(2024, 5, 6)),
        ("CONVERT(datetime, '06 May 2024 10:11:12:130', 113)", dt.datetime(2024, 5, 6, 10, 11, 12, 130000)),
        ("CONVERT(smalldatetime, '06-05-2024 10:00', 105)", dt.datetime(2024, 5, 6, 10)),
        ("CONVERT(datetime2(0), '2024-05-06T10:11:12', 126)", dt.datetime(2024, 5, 6, 10, 11, 12)),
        ("CAST(CONVERT(datetimeoffset(0), '06/05/2024 10:00 +02:00', 103) AS datetime2(0))",
         dt.datetime(2024, 5, 6, 10)),
        ("CAST('May  6 2024 10:00PM' AS datetime)", dt.datetime(2024, 5, 6, 22)),
        # Dates
        ("DATEFROMPARTS(2026, 2, 28)", dt.date(2026, 2, 28)),
        ("DATETIMEFROMPARTS(2026, 2, 28, 1, 2, 3, 997)", dt.datetime(2026, 2, 28, 1, 2, 3, 997000)),
        ("DATETIME2FROMPARTS(2026, 2, 28, 1, 2, 3, 5, 1)", dt.datetime(2026, 2, 28, 1, 2, 3, 500000)),
        ("TIMEFROMPARTS(23, 59, 59, 0, 0)", dt.time(23, 59, 59)), ("EOMONTH('2024-02-03')", dt.date(2024, 2, 29)),
        ("DATEDIFF(month, '2026-01-31', '2026-02-01')", 1), ("DATEADD(month, 1, CAST('2026-01-31' AS date))",
         dt.date(2026, 2, 28)),
        # Arithmetic and NULL
        ("7 / 2", 3), ("-7 % 3", -1), ("N'a' + NULL", None), ("CASE WHEN NULL = NULL THEN 1 ELSE 0 END", 0),
        ("CASE WHEN 'a' = 'A  ' THEN 1 ELSE 0 END", 1), ("1 + '1'", 2), ("CAST(1.0 / 3 AS decimal(9, 6))",
         Decimal("0.333333")),
    ],
)  # fmt: skip
def test_a_function_gives_its_value(connection: pyodbc.Connection, sql: str, expected: Any) -> None:
    sql = "CAST(NULL AS varchar(3)) + 'x'" if sql == "STR_OF_NULL" else sql
    assert connection.execute(f"SELECT {sql}").fetchone()[0] == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("1 / 0", 8134), ("2147483647 + 1", 8115), ("CAST('x' AS int)", 245), ("CAST('x' AS date)", 241),
        ("CAST('x' AS decimal(9, 2))", 8114), ("CAST('x' AS uniqueidentifier)", 8169), ("SUBSTRING('a', 1, -1)", 537),
        ("DATEFROMPARTS(2026, 2, 30)", 289), ("CAST('1753-01-01' AS smalldatetime)", 242), ("CAST(300 AS "
         "tinyint)", 220),
        ("CONVERT(datetime, '05/13/2024', 103)", 242), ("CONVERT(date, '05/13/2024', 103)", 241),
        ("CONVERT(date, '2024-05-06', 103)", 241), ("CONVERT(date, '06/05/2024', 3)", 241),
        ("CONVERT(date, '06/05/24', 103)", 241), ("CONVERT(datetime, '06/05/1445', 131)", 40514),
        ("CONVERT(date, '06/05/2024', 120)", 241), ("CAST('2023-02-29' AS datetime)", 242),
        ("CAST('2023-02-29' AS date)", 241), ("POWER(2, 31)", 232), ("ROUND(748.58, -3)", 8115), ("true", 207),
        ("TRANSLATE('a', 'ab', 'c')", 9828), ("NOSUCH(1)", 195), ("FORMAT(1, 'N')", 40511), ("RIGHT('a', -1)", 536),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused(connection: pyodbc.Connection, sql: str, expected: int) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(f"SELECT {sql}").fetchall()
    assert number(caught.value) == expected


def test_what_set_changes_in_a_module_ends_with_it(connection: pyodbc.Connection) -> None:
    ask = "SELECT @@OPTIONS & 512, @@LOCK_TIMEOUT"
    connection.execute("CREATE PROCEDURE quiet AS SET NOCOUNT ON; SET LOCK_TIMEOUT 5")
    change = "SET NOCOUNT ON; SET LOCK_TIMEOUT 5"
    for text in ("EXEC quiet", f"EXEC('{change}')", f"EXEC sp_executesql N'{change}'"):
        connection.execute(text)
        assert tuple(connection.execute(ask).fetchone()) == (0, -1)
    connection.execute("SET NOCOUNT ON")
    connection.execute("EXEC('SET NOCOUNT OFF')")
    assert tuple(connection.execute(ask).fetchone()) == (512, -1)


def test_a_string_is_split_into_rows(connection: pyodbc.Connection) -> None:
    rows = connection.execute("SELECT value, ordinal FROM STRING_SPLIT(N'b,a,,c', N',', 1) ORDER BY ordinal").fetchall()
    assert [tuple(row) for row in rows] == [("b", 1), ("a", 2), ("", 3), ("c", 4)]
    rows = connection.execute(
        "SELECT v.id, s.value FROM (VALUES (1, 'x y'), (2, 'z')) v (id, t) CROSS APPLY STRING_SPLIT(v.t, ' ') AS s "
        "ORDER BY v.id, s.value"
    ).fetchall()
    assert [tuple(row) for row in rows] == [(1, "x"), (1, "y"), (2, "z")]
