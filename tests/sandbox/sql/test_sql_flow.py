"""Flow of control, errors in it, dynamic SQL, and nesting as deep as it comes."""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import number
from tests.sandbox.sql.test_sql_tables import fetch, refusal

DEEP = 10_000


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_LINE(), ERROR_PROCEDURE() END CATCH",
         (8134, 1, None)),
        ("BEGIN TRY EXEC dbo.fails END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_LINE(), ERROR_PROCEDURE() "
         "END CATCH",
         (8134, 3, "fails")),
        ("BEGIN TRY RAISERROR(N'%s has %d of %x %%', 12, 5, N'x', 3, 255) END TRY BEGIN CATCH "
         "SELECT ERROR_MESSAGE(), ERROR_SEVERITY(), ERROR_STATE() END CATCH", ("x has 3 of ff %", 12, 5)),
        ("BEGIN TRY BEGIN TRY THROW 50001, N'inner', 2 END TRY BEGIN CATCH THROW END CATCH END TRY "
         "BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_MESSAGE() END CATCH", (50001, "inner")),
        ("DECLARE @i int = 0, @n int = 0; WHILE 1 = 1 BEGIN SET @i += 1; IF @i = 2 CONTINUE; IF @i > 4 BREAK; "
         "SET @n += @i "
         "END SELECT @n", (8,)),
        ("DECLARE @r int, @b int; EXEC @r = dbo.doubles @a = 4, @b = @b OUTPUT; SELECT @r, @b", (7, 8)),
        ("DECLARE @t sysname = N'sys.schemas'; EXEC (N'DECLARE @n int; SELECT @n = COUNT(*) FROM ' + @t + N' "
         "WHERE name = "
         "N''dbo''; SELECT @n')", (1,)),
        ("DECLARE @n int; EXEC sp_executesql N'SET @out = @in + 1', N'@in int, @out int OUTPUT', @in = 4, @out "
         "= @n OUTPUT; "
         "SELECT @n", (5,)),
        ("UPDATE sys_copy SET a = 1; SELECT 1", (1,)),
    ],
)  # fmt: skip
def test_flow_and_errors(connection: pyodbc.Connection, sql: str, expected: tuple[object, ...]) -> None:
    connection.execute("CREATE PROCEDURE dbo.fails AS\nBEGIN\nSELECT 1 / 0\nEND")
    connection.execute("CREATE PROCEDURE dbo.doubles @a int, @b int OUTPUT AS BEGIN SET @b = @a * 2; RETURN 7 END")
    connection.execute("CREATE TABLE sys_copy (a int)")
    assert fetch(connection, "SET NOCOUNT ON; " + sql) == [expected]


def test_calls_are_nested_32_deep_at_most(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE PROCEDURE dbo.again AS EXEC dbo.again")
    assert refusal(connection, "EXEC dbo.again")[0] == 217


def test_a_wait_is_as_long_as_it_says_and_can_be_called_off(connection: pyodbc.Connection) -> None:
    assert fetch(
        connection, "DECLARE @s datetime2 = SYSDATETIME(); WAITFOR DELAY '00:00:00.2'; "
        "SELECT IIF(DATEDIFF(millisecond, @s, SYSDATETIME()) >= 190, 1, 0)",
    ) == [(1,)]  # fmt: skip
    assert refusal(connection, "WAITFOR DELAY 'x'")[0] == 148
    connection.timeout = 1
    with pytest.raises(pyodbc.Error):
        connection.execute("WAITFOR DELAY '01:00:00'")
    connection.timeout = 0
    assert fetch(connection, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * DEEP + "1" + ")" * DEEP,
        "BEGIN " * DEEP + "SELECT 1 " + "END " * DEEP,
        "SELECT " + "CASE WHEN 1 = 1 THEN " * DEEP + "1" + " END" * DEEP,
        "SELECT * FROM " + "(SELECT * FROM " * DEEP + "sys.tables" + ") x" * DEEP,
        "WITH c AS (" * DEEP + "SELECT 1 a" + ") SELECT * FROM c" * DEEP,
        "IF 1 = 1 " * DEEP + "SELECT 1",
        "DECLARE @a int; SELECT @a = " + "(" * DEEP + "@a" + ")" * DEEP + " FROM sys.tables",
        "CREATE TABLE dbo.t (a int CHECK (" + "(" * DEEP + "a = 1" + ")" * DEEP + "))",
        "DELETE sys.tables OUTPUT " + "(" * DEEP + "deleted.name" + ")" * DEEP,
    ],
    ids=["parentheses", "BEGIN", "CASE", "derived", "WITH", "IF", "variables", "CHECK", "OUTPUT"],
)
def test_what_is_nested_too_deeply_is_refused_and_the_session_goes_on(connection: pyodbc.Connection, sql: str) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(sql)
    assert number(caught.value) in (191, 8631)
    assert fetch(connection, "SELECT 1") == [(1,)]


def test_a_condition_of_many_members_is_no_nesting(connection: pyodbc.Connection) -> None:
    members = " OR ".join(f"schema_id = {number}" for number in range(900))
    assert fetch(connection, f"SELECT COUNT(*) FROM sys.schemas WHERE {members}") == [(4,)]


NAMES = ["a]b", "a'b", 'a"b', "a;b--", "]]", "' OR 1=1 --", "[x]", "/* y */", "a\nb", "ü😀"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_means_itself_wherever_it_stands(connection: pyodbc.Connection, name: str) -> None:
    quoted = f"[{name.replace(']', ']]')}]"
    text = name.replace("'", "''")
    connection.execute(f"CREATE TABLE #t ({quoted} nvarchar(40) CHECK ({quoted} <> N'no'))")
    connection.execute(f"INSERT #t ({quoted}) OUTPUT inserted.{quoted} VALUES (N'{text}')")
    assert fetch(connection, f"SELECT {quoted} FROM #t WHERE {quoted} = N'{text}'") == [(name,)]
    assert fetch(connection, f"DECLARE @s nvarchar(max) = N''; SELECT @s += {quoted} + N'|' FROM #t; SELECT @s") == [
        (f"{name}|",)
    ]
    statement = f"SELECT QUOTENAME({quoted}) FROM #t"
    assert fetch(connection, statement) == [(quoted,)]
