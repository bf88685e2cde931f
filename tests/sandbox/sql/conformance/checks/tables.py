"""What T-SQL does with rows on their way: OUTPUT, temporary tables, table variables, table types."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal

from tests.sandbox.sql.conformance.checks.procedures import procedure
from tests.sandbox.sql.conformance.checks.statements import filled
from tests.sandbox.sql.conformance.client import Need
from tests.sandbox.sql.conformance.registry import check
from tests.sandbox.sql.conformance.session import Session


@check()
def output_of_an_insert(sql: Session) -> None:
    table = sql.table("k int IDENTITY(5, 5), v nvarchar(20)")
    assert sql.rows(f"INSERT INTO {table} (v) OUTPUT inserted.k, inserted.v VALUES (?), (?)", "a", "b") == [
        (5, "a"),
        (10, "b"),
    ]


@check()
def output_of_an_update(sql: Session) -> None:
    table = filled(sql)
    text = f"UPDATE {table} SET n = n + 1 OUTPUT deleted.n, inserted.n WHERE k = ?"
    assert sql.rows(text, 1) == [(Decimal("1.10"), Decimal("2.10"))]


@check()
def output_of_a_delete(sql: Session) -> None:
    table = filled(sql)
    assert sql.rows(f"DELETE FROM {table} OUTPUT deleted.k, deleted.v WHERE v IS NULL") == [(3, None)]


@check()
def output_into_a_table_variable(sql: Session) -> None:
    table = filled(sql)
    text = (
        f"SET NOCOUNT ON; DECLARE @gone TABLE (k int); DELETE FROM {table} OUTPUT deleted.k INTO @gone WHERE k > 1; "
        "SELECT k FROM @gone ORDER BY k"
    )
    assert sql.rows(text) == [(2,), (3,)]


@check()
def merge_with_output(sql: Session) -> None:
    table = filled(sql)
    text = (
        f"MERGE {table} AS t USING (VALUES (1, N'uno'), (9, N'nine')) AS s(k, v) ON t.k = s.k "
        "WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (k, v, n) VALUES (s.k, s.v, 0) "
        "WHEN NOT MATCHED BY SOURCE AND t.k = 3 THEN DELETE OUTPUT $action, inserted.k, deleted.k;"
    )
    assert sorted(sql.rows(text)) == [("DELETE", None, 3), ("INSERT", 9, None), ("UPDATE", 1, 1)]
    assert sql.rows(f"SELECT k, v FROM {table} ORDER BY k") == [(1, "uno"), (2, "two"), (9, "nine")]


@check()
def a_temporary_table(sql: Session) -> None:
    sql.run("CREATE TABLE #own (k int, v nvarchar(20))")
    sql.run("INSERT INTO #own VALUES (?, ?)", 1, "one")
    assert sql.rows("SELECT k, v FROM #own") == [(1, "one")]
    sql.run("DROP TABLE #own")


@check()
def a_temporary_table_belongs_to_its_session(sql: Session) -> None:
    with sql.another(autocommit=True) as one, sql.another(autocommit=True) as two:
        one.run("CREATE TABLE #own (v int); INSERT INTO #own VALUES (1)")
        two.run("CREATE TABLE #own (v int); INSERT INTO #own VALUES (2)")
        assert one.rows("SELECT v FROM #own") == [(1,)]
        assert two.rows("SELECT v FROM #own") == [(2,)]


@check()
def select_into_a_temporary_table(sql: Session) -> None:
    table = filled(sql)
    sql.run(f"SELECT k, v INTO #copy FROM {table} WHERE k < 3")
    assert sql.rows("SELECT k, v FROM #copy ORDER BY k") == [(1, "one"), (2, "two")]
    sql.run("DROP TABLE #copy")


@check()
def select_into_a_table(sql: Session) -> None:
    table, name = filled(sql), f"dbo.{sql.name()}"
    assert sql.count(f"SELECT k, v INTO {name} FROM {table}") == 3
    assert sql.value(f"SELECT COUNT(*) FROM {name}") == 3


@check()
def a_table_variable(sql: Session) -> None:
    text = (
        "SET NOCOUNT ON; DECLARE @t TABLE (k int PRIMARY KEY, v nvarchar(9)); "
        "INSERT INTO @t VALUES (1, N'a'), (2, N'b'); "
        "UPDATE @t SET v = N'c' WHERE k = 2; SELECT k, v FROM @t ORDER BY k"
    )
    assert sql.rows(text) == [(1, "a"), (2, "c")]


@check()
def a_variable_of_a_table_type(sql: Session) -> None:
    name = sql.name("type")
    sql.run(f"CREATE TYPE dbo.{name} AS TABLE (k int NOT NULL, v nvarchar(9) NULL)")
    text = f"SET NOCOUNT ON; DECLARE @t dbo.{name}; INSERT INTO @t VALUES (1, N'a'); SELECT k, v FROM @t"
    assert sql.rows(text) == [(1, "a")]


@check()
def a_procedure_that_merges_a_table_parameter(sql: Session) -> None:
    table, kind, procedure = filled(sql), sql.name("type"), sql.name("merge")
    sql.run(f"CREATE TYPE dbo.{kind} AS TABLE (k int NOT NULL, v nvarchar(20) NULL)")
    sql.run(
        f"CREATE PROCEDURE dbo.{procedure} @rows dbo.{kind} READONLY AS BEGIN SET NOCOUNT ON; "
        f"MERGE {table} AS t USING @rows AS s ON t.k = s.k WHEN MATCHED THEN UPDATE SET v = s.v "
        "WHEN NOT MATCHED THEN INSERT (k, v, n) VALUES (s.k, s.v, 0); END"
    )
    sql.run(f"DECLARE @r dbo.{kind}; INSERT INTO @r VALUES (1, N'uno'), (7, N'seven'); EXEC dbo.{procedure} @rows = @r")
    assert sql.rows(f"SELECT k, v FROM {table} ORDER BY k") == [(1, "uno"), (2, "two"), (3, None), (7, "seven")]


@check()
def an_alias_type(sql: Session) -> None:
    name = sql.name("alias")
    sql.run(f"CREATE TYPE dbo.{name} FROM nvarchar(12) NOT NULL")
    table = sql.table(f"v dbo.{name}")
    sql.run(f"INSERT INTO {table} VALUES (?)", "äöü")
    assert sql.value(f"SELECT v FROM {table}") == "äöü"


@check()
def variables_from_a_select(sql: Session) -> None:
    table = filled(sql)
    assert sql.rows(
        f"DECLARE @v nvarchar(20), @n int; SELECT @v = v, @n = k FROM {table} WHERE k = 2; SELECT @v, @n"
    ) == [("two", 2)]


@check(Need.TABLES_AS_PARAMETERS)
def a_table_as_a_parameter(sql: Session) -> None:
    kind = sql.name("type")
    with sql.committed_table("k int, v nvarchar(20)"):
        sql.run(f"CREATE TYPE dbo.{kind} AS TABLE (k int NOT NULL, v nvarchar(20) NULL)")
        name = procedure(sql, f"@rows dbo.{kind} READONLY AS SELECT k, v FROM @rows ORDER BY k")
        sql.connection.commit()
        rows = [(3, "three"), (1, None), (2, "ž😀")]
        with contextlib.closing(sql.cursor()) as cursor:
            sql.client.call_with_table(cursor, name, f"dbo.{kind}", [("k", "int"), ("v", "nvarchar(20)")], rows)
            assert next(sql.results(cursor)) == sorted(rows)
        sql.connection.rollback()
        sql.run(f"DROP PROCEDURE {name}; DROP TYPE dbo.{kind}")
        sql.connection.commit()


@check(Need.TABLES_AS_PARAMETERS)
def a_table_of_a_thousand_rows_as_a_parameter(sql: Session) -> None:
    kind = sql.name("type")
    sql.run(f"CREATE TYPE dbo.{kind} AS TABLE (k int NOT NULL, d decimal(9,2) NULL, t datetime2(6) NULL)")
    name = procedure(sql, f"@rows dbo.{kind} READONLY AS SELECT COUNT(*), SUM(k), SUM(d), MAX(t) FROM @rows")
    sql.connection.commit()
    moment = dt.datetime(2026, 11, 23, 12, 0, 0, 5)
    rows = [(i, Decimal("1.25"), moment) for i in range(1000)]
    columns = [("k", "int"), ("d", "decimal(9,2)"), ("t", "datetime2(6)")]
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.call_with_table(cursor, name, f"dbo.{kind}", columns, rows)
        assert next(sql.results(cursor)) == [(1000, 499500, Decimal("1250.00"), moment)]
    sql.connection.rollback()
    sql.run(f"DROP PROCEDURE {name}; DROP TYPE dbo.{kind}")
    sql.connection.commit()


@check(Need.POOL)
def a_pooled_connection_comes_back_reset(sql: Session) -> None:
    with sql.another(pool=True, autocommit=True) as first:
        first.run("SET XACT_ABORT ON")
        first.run("CREATE TABLE #left (v int)")
        spid = first.value("SELECT @@SPID")
    with sql.another(pool=True, autocommit=True) as second:
        assert second.value("SELECT @@SPID") == spid, "the connection was not pooled"
        assert second.row("SELECT OBJECT_ID('tempdb..#left'), @@OPTIONS & 16384, @@TRANCOUNT") == (None, 0, 0)


@check(Need.TABLES_AS_PARAMETERS)
def a_table_as_a_parameter_of_a_procedure_that_merges(sql: Session) -> None:
    table, kind = filled(sql), sql.name("type")
    sql.run(f"CREATE TYPE dbo.{kind} AS TABLE (k int NOT NULL, v nvarchar(20) NULL)")
    name = procedure(
        sql,
        f"@rows dbo.{kind} READONLY AS BEGIN SET NOCOUNT ON; MERGE {table} AS t USING @rows AS s ON t.k = s.k "
        "WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (k, v, n) VALUES (s.k, s.v, 0); "
        "SELECT @@ROWCOUNT; END",
    )
    sql.connection.commit()
    rows = [(1, "uno"), (3, None), (8, "eight"), (9, "nine")]
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.call_with_table(cursor, name, f"dbo.{kind}", [("k", "int"), ("v", "nvarchar(20)")], rows)
        assert next(sql.results(cursor)) == [(4,)]
    assert sql.rows(f"SELECT k, v FROM {table} ORDER BY k") == [
        (1, "uno"), (2, "two"), (3, None), (8, "eight"), (9, "nine"),
    ]  # fmt: skip
    sql.rollback()
    sql.run(f"DROP PROCEDURE {name}; DROP TYPE dbo.{kind}; DROP TABLE {table}")
    sql.connection.commit()
