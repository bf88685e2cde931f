"""Values of every type go in and come out as SQL Server would have them."""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal, localcontext
from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.sql.conftest import number

ID = "E797A8D5-430F-439D-B3E9-47522036DD57"


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("bit", True, True),
        ("tinyint", 255, 255),
        ("smallint", -32768, -32768),
        ("int", 2**31 - 1, 2**31 - 1),
        ("bigint", -(2**63), -(2**63)),
        (
            "decimal(38, 10)",
            Decimal("1234567890123456789012345678.0123456789"),
            Decimal("1234567890123456789012345678.0123456789"),
        ),
        ("decimal(38, 2)", Decimal("-0.005"), Decimal("-0.01")),
        ("decimal(38, 0)", Decimal("9" * 38), Decimal("9" * 38)),
        ("money", Decimal("-922337203685477.5808"), Decimal("-922337203685477.5808")),
        ("float", 1.5e300, 1.5e300),
        ("real", 0.25, 0.25),
        ("nvarchar(20)", "Ünïcode 表 😀", "Ünïcode 表 😀"),
        ("nvarchar(max)", "x" * 100_000, "x" * 100_000),
        ("nvarchar(10)", "", ""),
        ("varchar(10)", "naïve €", "naïve €"),
        ("varchar(10)", "表", "?"),
        ("varchar(10)", "😀", "??"),
        ("text", "naïve €", "naïve €"),
        ("ntext", "Ünïcode 表 😀", "Ünïcode 表 😀"),
        ("image", b"\x00\xff", b"\x00\xff"),
        ("smallmoney", Decimal("214748.3647"), Decimal("214748.3647")),
        ("nvarchar(max)", "é😀" * 833_333, "é😀" * 833_333),
        ("varbinary(max)", b"\x00\xff" * 2_500_000, b"\x00\xff" * 2_500_000),
        ("nchar(5)", "ab", "ab   "),
        ("varbinary(max)", b"\x00\xff" * 20_000, b"\x00\xff" * 20_000),
        ("varbinary(10)", b"", b""),
        ("uniqueidentifier", ID, ID),
        ("uniqueidentifier", uuid.UUID(ID), ID),
        ("date", dt.date(9999, 12, 31), dt.date(9999, 12, 31)),
        ("datetime", dt.datetime(2024, 2, 29, 23, 59, 59, 998000), dt.datetime(2024, 2, 29, 23, 59, 59, 997000)),
        ("datetime", dt.datetime(2024, 2, 29, 23, 59, 59, 999000), dt.datetime(2024, 3, 1)),
        ("datetime", dt.datetime(1753, 1, 1, 0, 0, 0, 3000), dt.datetime(1753, 1, 1, 0, 0, 0, 3000)),
        ("datetime2", dt.datetime(1, 1, 1, 0, 0, 0, 123456), dt.datetime(1, 1, 1, 0, 0, 0, 123456)),
        ("datetime2(3)", dt.datetime(2024, 1, 1, 0, 0, 0, 123556), dt.datetime(2024, 1, 1, 0, 0, 0, 124000)),
        ("smalldatetime", dt.datetime(2024, 1, 1, 0, 0, 30), dt.datetime(2024, 1, 1, 0, 1)),
        ("time(0)", dt.time(1, 2, 3), dt.time(1, 2, 3)),
    ],
)
def test_a_value_comes_back_as_its_column_keeps_it(
    connection: pyodbc.Connection, kind: str, value: Any, expected: Any
) -> None:
    connection.execute(f"CREATE TABLE dbo.t (v {kind} NULL)")
    connection.execute("INSERT INTO dbo.t (v) VALUES (?)", value)
    connection.execute("INSERT INTO dbo.t (v) VALUES (?)", None)
    rows = connection.execute("SELECT v FROM dbo.t").fetchall()
    assert [row[0] for row in rows] == [expected, None]
    assert type(rows[0][0]) is type(expected)


def test_a_result_tells_the_declared_types(connection: pyodbc.Connection) -> None:
    connection.execute(
        "CREATE TABLE dbo.t (a int NOT NULL, b nvarchar(40), c decimal(38, 4), d datetime, e uniqueidentifier)"
    )
    description = connection.execute("SELECT * FROM dbo.t").description
    assert [(column[0], column[1], column[6]) for column in description] == [
        ("a", int, False), ("b", str, True), ("c", Decimal, True), ("d", dt.datetime, True), ("e", str, True),
    ]  # fmt: skip
    assert description[1][3] == 40
    assert (description[2][4], description[2][5]) == (38, 4)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("nvarchar(3)", "'abcd'", 2628),
        ("varbinary(2)", "0x010203", 2628),
        ("int NOT NULL", "NULL", 515),
        ("tinyint", "256", 220),
        ("int", "2147483648", 8115),
        ("int", "'twelve'", 245),
        ("bit", "'maybe'", 245),
        ("decimal(5, 2)", "1000", 8115),
        ("decimal(5, 2)", "'1,5'", 8114),
        ("uniqueidentifier", "'no id'", 8169),
        ("datetime", "'31 never'", 241),
        ("datetime", "CAST('0001-01-01' AS datetime2)", 242),
        ("int", "CAST('2024-01-01' AS date)", 206),
        ("int", "GETDATE()", 257),
        ("varbinary(4)", "'ab'", 257),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_number(
    connection: pyodbc.Connection, kind: str, value: str, expected: int
) -> None:
    connection.execute(f"CREATE TABLE dbo.t (v {kind})")
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(f"INSERT INTO dbo.t (v) VALUES ({value})")
    assert number(caught.value) == expected
    assert connection.execute("SELECT COUNT(*) FROM dbo.t").fetchone()[0] == 0


def test_a_text_that_is_too_long_is_named_with_its_column(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (v nvarchar(3))")
    with pytest.raises(pyodbc.Error, match=r"truncated in table '.*\.dbo\.t', column 'v'\. Truncated value: 'abc'\."):
        connection.execute("INSERT INTO dbo.t (v) VALUES (?)", "abcdef")
    connection.execute("INSERT INTO dbo.t (v) VALUES (?)", "abc   ")


def test_a_key_that_comes_twice_is_named_with_its_value(connection: pyodbc.Connection) -> None:
    connection.execute(
        "CREATE TABLE dbo.t (a uniqueidentifier NOT NULL, b nvarchar(10) NOT NULL, CONSTRAINT pk PRIMARY KEY (a, b))"
    )
    connection.execute("INSERT INTO dbo.t VALUES (?, 'x')", ID)
    with pytest.raises(pyodbc.IntegrityError) as caught:
        connection.execute("INSERT INTO dbo.t VALUES (?, 'X  ')", ID)
    assert number(caught.value) == 2627
    assert (
        "Violation of PRIMARY KEY constraint 'pk'. Cannot insert duplicate key in object 'dbo.t'. "
        f"The duplicate key value is ({ID.lower()}, X  )." in str(caught.value)
    )


def test_text_compares_without_case_and_trailing_blanks_but_with_accents(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (v nvarchar(20))")
    connection.execute("INSERT INTO dbo.t (v) VALUES (N'Straße'), (N'ÉCOLE  '), (N'ecole')")
    found = connection.execute("SELECT v FROM dbo.t WHERE v = N'école'").fetchall()
    assert [row[0] for row in found] == ["ÉCOLE  "]
    assert connection.execute("SELECT COUNT(DISTINCT v) FROM dbo.t").fetchone()[0] == 3
    assert (
        connection.execute("SELECT COUNT(*) FROM dbo.t WHERE v LIKE N'É%' OR v LIKE N'strass[_a-z]'").fetchone()[0] == 1
    )


def test_identifiers_sort_as_sql_server_sorts_them(connection: pyodbc.Connection) -> None:
    ids = [
        "00000000-0000-0000-0000-010000000000",
        "01000000-0000-0000-0000-000000000000",
        "00000000-0000-0000-0100-000000000000",
    ]
    connection.execute("CREATE TABLE dbo.t (v uniqueidentifier)")
    for one in ids:
        connection.execute("INSERT INTO dbo.t VALUES (?)", one)
    rows = connection.execute("SELECT v FROM dbo.t ORDER BY v").fetchall()
    assert [row[0] for row in rows] == [ids[1], ids[2], ids[0]]


DECIMALS = st.decimals(min_value=-(10**27), max_value=10**27, places=10)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(DECIMALS, min_size=1, max_size=6))
def test_decimals_are_exact_in_order_and_in_sum(connection: pyodbc.Connection, values: list[Decimal]) -> None:
    connection.execute("DROP TABLE IF EXISTS dbo.t; CREATE TABLE dbo.t (v decimal(38, 10))")
    connection.cursor().executemany("INSERT INTO dbo.t (v) VALUES (?)", [(value,) for value in values])
    rows = connection.execute("SELECT v FROM dbo.t ORDER BY v").fetchall()
    assert [row[0] for row in rows] == sorted(values)
    low, high, total = connection.execute("SELECT MIN(v), MAX(v), SUM(v) FROM dbo.t").fetchone()
    with localcontext(prec=60):
        assert (low, high, total) == (min(values), max(values), sum(values))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("7.0 / 2", Decimal("3.500000")),
        ("1.10 * 3", Decimal("3.30")),
        ("0.1 + 0.2", Decimal("0.3")),
        ("N'a' + N'b'", "ab"),
        ("CAST(1.005 AS decimal(10, 2))", Decimal("1.01")),
        ("CAST(2.9 AS int)", 2),
        ("CAST('2024-03-05T06:07:08.123' AS datetime2(3))", dt.datetime(2024, 3, 5, 6, 7, 8, 123000)),
        ("CONVERT(nvarchar(30), CAST('2024-03-05 06:07' AS datetime), 126)", "2024-03-05T06:07:00"),
        ("CONVERT(varchar(30), CAST('2024-03-05 06:07' AS datetime))", "Mar  5 2024  6:07AM"),
        ("CAST('01:02:03.456789' AS time)", dt.time(1, 2, 3, 456789)),
        ("TRY_CAST('x' AS int)", None),
        ("ISNULL(CAST(NULL AS nvarchar(2)), N'abc')", "ab"),
        ("COALESCE(NULL, NULL, 3)", 3),
        ("NULLIF(1, 1)", None),
        ("CASE WHEN 1 = 0 THEN 1 / 0 ELSE 5 END", 5),
        ("IIF(1 < 2, N'yes', N'no')", "yes"),
        ("LEN(N'abc  ')", 3),
        ("DATALENGTH(N'abc')", 6),
        ("UPPER(N'straße')", "STRAßE"),
        ("SUBSTRING(N'abcdef', 2, 3)", "bcd"),
        ("REPLACE(N'aXbx', N'x', N'-')", "a-b-"),
        ("CHARINDEX(N'C', N'abc')", 3),
        ("QUOTENAME(N'a]b')", "[a]]b]"),
        ("CONCAT(N'a', NULL, 1)", "a1"),
        ("DATEADD(month, 1, CAST('2024-01-31' AS date))", dt.date(2024, 2, 29)),
        ("DATEDIFF(day, '2023-12-31T23:59', '2024-01-01T00:01')", 1),
        ("DATEPART(weekday, CAST('2024-03-03' AS date))", 1),
        ("YEAR(CAST('2024-03-03' AS date))", 2024),
        ("ROUND(2.345, 2)", Decimal("2.350")),
        ("CONVERT(varbinary(8), 258)", b"\x00\x00\x01\x02"),
        ("CONVERT(varchar(10), 0x0AFF, 1)", "0x0AFF"),
        ("CAST(SERVERPROPERTY('EngineEdition') AS int)", 5),
    ],
)
def test_an_expression_has_sql_servers_value(connection: pyodbc.Connection, expression: str, expected: Any) -> None:
    value = connection.execute(f"SELECT {expression}").fetchone()[0]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 / 0", 8134), ("2147483647 + 1", 8115), ("nothing", 207), ("NOSUCH(1)", 195), ("LEN()", 174),
        ("@@NOSUCH", 40513),
        ("@nothing", 137), ("CAST(1 AS nosuch)", 2715), ("CAST(1 AS xml)", 40524), ("N'a' - N'b'", 8117),
        ("dbo.f(1)", 4121),
    ],
)  # fmt: skip
def test_an_expression_that_is_wrong_is_refused_by_its_number(
    connection: pyodbc.Connection, expression: str, expected: int
) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(f"SELECT {expression}").fetchall()
    assert number(caught.value) == expected
    assert connection.execute("SELECT 1").fetchone()[0] == 1


class TestDatetimeoffset:
    def one(self, connection: pyodbc.Connection, expression: str) -> Any:
        return connection.execute(f"SELECT CAST({expression} AS nvarchar(50))").fetchone()[0]

    def test_it_keeps_its_offset_and_all_seven_digits(self, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE TABLE dbo.t (v datetimeoffset, w datetimeoffset(0))")
        connection.execute("INSERT INTO dbo.t VALUES (?, ?)", *["2024-02-29 23:59:59.1234567 -07:30"] * 2)
        row = connection.execute("SELECT CAST(v AS varchar(40)), CAST(w AS varchar(40)) FROM dbo.t").fetchone()
        assert tuple(row) == ("2024-02-29 23:59:59.1234567 -07:30", "2024-02-29 23:59:59 -07:30")

    def test_two_offsets_of_one_instant_are_equal_and_order_is_by_the_instant(
        self, connection: pyodbc.Connection
    ) -> None:
        connection.execute("CREATE TABLE dbo.t (n int, v datetimeoffset NOT NULL PRIMARY KEY)")
        connection.execute(
            "INSERT INTO dbo.t VALUES (1, '2024-01-01 12:00 +02:00'), (2, '2024-01-01 09:00 -05:00'), "
            "(3, '2024-01-01 10:30Z')"
        )
        assert [row[0] for row in connection.execute("SELECT n FROM dbo.t ORDER BY v")] == [1, 3, 2]
        same = connection.execute("SELECT n FROM dbo.t WHERE v = '2024-01-01 10:00Z'").fetchall()
        assert [row[0] for row in same] == [1]
        with pytest.raises(pyodbc.Error) as caught:
            connection.execute("INSERT INTO dbo.t VALUES (4, '2024-01-01 14:00 +00:00')")
        assert number(caught.value) == 2627

    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("CAST(CAST('2024-01-01 12:00 +02:00' AS datetimeoffset) AS datetime2(0))", "2024-01-01 12:00:00"),
            ("CAST(CAST('2024-01-01 23:00 +02:00' AS datetimeoffset) AS date)", "2024-01-01"),
            ("CAST(CAST('2024-01-01 12:00' AS datetime) AS datetimeoffset(0))", "2024-01-01 12:00:00 +00:00"),
            ("SWITCHOFFSET(CAST('2024-01-01 12:00 +02:00' AS datetimeoffset(0)), '-08:00')",
             "2024-01-01 02:00:00 -08:00"),
            ("TODATETIMEOFFSET(CAST('2024-01-01 12:00' AS datetime2(0)), 90)", "2024-01-01 12:00:00 +01:30"),
            ("DATEADD(month, 1, CAST('2024-01-31 23:00 -05:00' AS datetimeoffset(0)))", "2024-02-29 23:00:00 -05:00"),
            ("DATEPART(hour, CAST('2024-01-31 23:00 -05:00' AS datetimeoffset))", "23"),
            ("DATEDIFF(hour, CAST('2024-01-31 23:00 -05:00' AS datetimeoffset), '2024-02-01 04:00Z')", "0"),
        ],
    )  # fmt: skip
    def test_conversions(self, connection: pyodbc.Connection, expression: str, expected: str) -> None:
        assert self.one(connection, expression) == expected

    def test_now_is_told_with_the_offset_of_the_server(self, connection: pyodbc.Connection) -> None:
        assert self.one(connection, "SYSDATETIMEOFFSET()").endswith(" +00:00")

    @pytest.mark.parametrize(
        ("statement", "expected"),
        [
            ("SELECT CAST('2024-01-01 12:00 +14:01' AS datetimeoffset)", 241),
            ("SELECT CAST('0001-01-01 00:00 +01:00' AS datetimeoffset)", 242),
            ("SELECT SWITCHOFFSET(SYSDATETIMEOFFSET(), 841)", 9812),
            ("SELECT CAST(SYSDATETIMEOFFSET() AS int)", 529),
        ],
    )
    def test_errors(self, connection: pyodbc.Connection, statement: str, expected: int) -> None:
        with pytest.raises(pyodbc.Error) as caught:
            connection.execute(statement)
        assert number(caught.value) == expected
