"""T-SQL through every driver: queries, changes, objects, variables, control of flow."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.sandbox.sql.conformance.registry import add, check
from tests.sandbox.sql.conformance.session import Session


@dataclass(frozen=True)
class Query:
    """`{t}` stands for a table of k int, v nvarchar(20), n decimal(9,2): 1, one, 1.10; 2, two, 2.20; 3, NULL, 3.30."""

    label: str
    text: str
    rows: list[tuple[Any, ...]]


QUERIES = (
    Query("WHERE", "SELECT k FROM {t} WHERE n > 1.5 AND v IS NOT NULL", [(2,)]),
    Query("ORDER BY descending", "SELECT k FROM {t} ORDER BY k DESC", [(3,), (2,), (1,)]),
    Query("NULL comes first", "SELECT k FROM {t} ORDER BY v", [(3,), (1,), (2,)]),
    Query("TOP", "SELECT TOP (2) k FROM {t} ORDER BY k", [(1,), (2,)]),
    Query("OFFSET and FETCH", "SELECT k FROM {t} ORDER BY k OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", [(2,)]),
    Query("DISTINCT", "SELECT DISTINCT k % 2 FROM {t} ORDER BY 1", [(0,), (1,)]),
    Query("GROUP BY and HAVING", "SELECT k % 2 AS odd, COUNT(*) FROM {t} GROUP BY k % 2 HAVING COUNT(*) > 1", [(1, 2)]),
    Query("aggregates", "SELECT COUNT(v), SUM(n), MIN(k), MAX(k), AVG(k) FROM {t}", [(2, Decimal("6.60"), 1, 3, 2)]),
    Query(
        "CASE",
        "SELECT CASE WHEN v IS NULL THEN 'none' ELSE 'some' END FROM {t} ORDER BY k",
        [("some",), ("some",), ("none",)],
    ),
    Query(
        "IIF, ISNULL and COALESCE",
        "SELECT IIF(k = 3, 1, 0), ISNULL(v, '-'), COALESCE(v, '-') FROM {t} WHERE k = 3",
        [(1, "-", "-")],
    ),
    Query("IN and BETWEEN", "SELECT k FROM {t} WHERE k IN (1, 3) AND n BETWEEN 1 AND 2", [(1,)]),
    Query("LIKE", "SELECT k FROM {t} WHERE v LIKE '[n-t]%' AND v LIKE '_w%'", [(2,)]),
    Query("texts compare without case", "SELECT k FROM {t} WHERE v = 'TWO'", [(2,)]),
    Query("texts compare without trailing blanks", "SELECT k FROM {t} WHERE v = 'two  '", [(2,)]),
    Query("EXISTS", "SELECT k FROM {t} AS a WHERE NOT EXISTS (SELECT * FROM {t} AS b WHERE b.k > a.k)", [(3,)]),
    Query(
        "inner join",
        "SELECT a.k, b.v FROM {t} AS a INNER JOIN {t} AS b ON b.k = a.k + 1 ORDER BY a.k",
        [(1, "two"), (2, None)],
    ),
    Query(
        "left join",
        "SELECT a.k, b.k FROM {t} AS a LEFT JOIN {t} AS b ON b.k = a.k + 1 ORDER BY a.k",
        [(1, 2), (2, 3), (3, None)],
    ),
    Query("cross join", "SELECT COUNT(*) FROM {t} AS a CROSS JOIN {t} AS b", [(9,)]),
    Query("UNION", "SELECT k FROM {t} UNION SELECT 3 ORDER BY 1", [(1,), (2,), (3,)]),
    Query("UNION ALL", "SELECT k FROM {t} UNION ALL SELECT 3 ORDER BY 1", [(1,), (2,), (3,), (3,)]),
    Query("EXCEPT", "SELECT k FROM {t} EXCEPT SELECT 2 ORDER BY 1", [(1,), (3,)]),
    Query("INTERSECT", "SELECT k FROM {t} INTERSECT SELECT 2", [(2,)]),
    Query("a subquery as a value", "SELECT k, (SELECT MAX(k) FROM {t}) FROM {t} WHERE k = 1", [(1, 3)]),
    Query("a derived table", "SELECT s FROM (SELECT SUM(n) AS s FROM {t}) AS d", [(Decimal("6.60"),)]),
    Query("a common table expression", "WITH c AS (SELECT k + 1 AS k FROM {t}) SELECT MAX(k) FROM c", [(4,)]),
    Query(
        "VALUES as a table",
        "SELECT a, b FROM (VALUES (1, N'x'), (2, N'y')) AS t(a, b) ORDER BY a",
        [(1, "x"), (2, "y")],
    ),
    Query("integer division and remainder", "SELECT 7 / 2, -7 / 2, 7 % 3, -7 % 3", [(3, -3, 1, -1)]),
    Query(
        "decimal division",
        "SELECT 1.0 / 3, CAST(1 AS decimal(9,2)) / CAST(3 AS int)",
        [(Decimal("0.333333"), Decimal("0.3333333333333"))],
    ),
    Query("strings joined", "SELECT N'a' + N'b', CONCAT('a', NULL, 1)", [("ab", "a1")]),
    Query(
        "string functions",
        "SELECT LEN('ab  '), DATALENGTH(N'ab'), UPPER('ab'), LOWER('AB'), REVERSE('abc'), SUBSTRING('abcd', 2, 2)",
        [(2, 4, "AB", "ab", "cba", "bc")],
    ),
    Query(
        "more string functions",
        "SELECT LEFT('abc', 2), RIGHT('abc', 2), LTRIM(' a'), RTRIM('a '), REPLACE('aba', 'a', 'x'), "
        "CHARINDEX('b', 'abc'), STUFF('abc', 2, 1, 'x')",
        [("ab", "bc", "a", "a", "xbx", 2, "axc")],
    ),
    Query(
        "numeric functions",
        "SELECT ABS(-3), SIGN(-3), ROUND(2.567, 1), FLOOR(2.5), CEILING(2.5), POWER(2, 10)",
        [(3, -1, Decimal("2.600"), Decimal(2), Decimal(3), 1024)],
    ),
    Query(
        "date functions",
        "SELECT DATEADD(day, 1, CAST('2024-02-28' AS date)), DATEDIFF(day, '2024-02-28', '2024-03-01'), "
        "YEAR('2024-02-28'), DATEPART(month, '2024-02-28')",
        [(dt.date(2024, 2, 29), 2, 2024, 2)],
    ),
    Query("STRING_AGG", "SELECT STRING_AGG(v, ',') FROM {t} WHERE k <> 2", [("one",)]),
    Query(
        "STRING_AGG WITHIN GROUP",
        "SELECT STRING_AGG(v, ',') WITHIN GROUP (ORDER BY k DESC) FROM {t}",
        [("two,one",)],
    ),
    Query("ROW_NUMBER", "SELECT k, ROW_NUMBER() OVER (ORDER BY k DESC) FROM {t} ORDER BY k", [(1, 3), (2, 2), (3, 1)]),
    Query("NULL is not equal to NULL", "SELECT COUNT(*) FROM {t} WHERE v = NULL", [(0,)]),
    Query("a quoted name", 'SELECT k AS [a b], v AS "c d" FROM {t} WHERE k = 1', [(1, "one")]),
    Query("TRY_CAST and TRY_CONVERT", "SELECT TRY_CAST('x' AS int), TRY_CONVERT(int, '7')", [(None, 7)]),
    Query("CONVERT with a style", "SELECT CONVERT(varchar(10), CAST('2026-11-23' AS date), 104)", [("23.11.2026",)]),
    Query("NEWID differs", "SELECT COUNT(DISTINCT n) FROM (SELECT NEWID() AS n FROM {t}) AS d", [(3,)]),
    Query(
        "metadata functions",
        "SELECT OBJECT_NAME(OBJECT_ID('{t}')), SCHEMA_NAME(SCHEMA_ID('dbo')), COL_LENGTH('{t}', 'v')",
        [("{n}", "dbo", 40)],
    ),
)


def filled(sql: Session) -> str:
    table = sql.table("k int NOT NULL PRIMARY KEY, v nvarchar(20) NULL, n decimal(9,2) NOT NULL")
    sql.run(f"INSERT INTO {table} VALUES (1, N'one', 1.10), (2, N'two', 2.20), (3, NULL, 3.30)")
    return table


def _query(query: Query) -> None:
    def body(sql: Session) -> None:
        table = filled(sql) if "{t}" in query.text else ""
        expected = [tuple(table.partition(".")[2] if value == "{n}" else value for value in row) for row in query.rows]
        assert sql.rows(query.text.replace("{t}", table)) == expected

    add(f"statements: {query.label}", body)


for _each in QUERIES:
    _query(_each)


@check()
def identity_values(sql: Session) -> None:
    table = sql.table("k int IDENTITY(10, 5), v int")
    found = sql.sets(f"SET NOCOUNT ON; INSERT INTO {table} (v) VALUES (1), (2); SELECT SCOPE_IDENTITY(), @@IDENTITY")[
        -1
    ]
    assert found == [(Decimal(15), Decimal(15))]


@check()
def identity_values_of_the_client(sql: Session) -> None:
    table = sql.table("k int IDENTITY(10, 5), v int")
    sql.run(
        f"SET IDENTITY_INSERT {table} ON; INSERT INTO {table} (k, v) VALUES (40, 1); SET IDENTITY_INSERT {table} OFF"
    )
    sql.run(f"INSERT INTO {table} (v) VALUES (2)")
    assert sql.rows(f"SELECT k, v FROM {table} ORDER BY v") == [(40, 1), (45, 2)]


@check()
def defaults(sql: Session) -> None:
    table = sql.table("k int, v nvarchar(9) NOT NULL DEFAULT N'none', d int DEFAULT 5")
    sql.run(f"INSERT INTO {table} (k) VALUES (1); INSERT INTO {table} VALUES (2, DEFAULT, NULL)")
    assert sql.rows(f"SELECT k, v, d FROM {table} ORDER BY k") == [(1, "none", 5), (2, "none", None)]


@check()
def insert_from_a_select(sql: Session) -> None:
    table = filled(sql)
    assert sql.count(f"INSERT INTO {table} (k, v, n) SELECT k + 10, v, n FROM {table} WHERE k < 3") == 2


@check()
def update_from_a_join(sql: Session) -> None:
    table = filled(sql)
    text = f"UPDATE t SET v = s.v FROM {table} AS t INNER JOIN (VALUES (3, N'three')) AS s(k, v) ON s.k = t.k"
    assert sql.count(text) == 1
    assert sql.value(f"SELECT v FROM {table} WHERE k = 3") == "three"


@check()
def delete_by_a_subquery(sql: Session) -> None:
    table = filled(sql)
    assert sql.count(f"DELETE FROM {table} WHERE k = (SELECT MAX(k) FROM {table})") == 1


@check()
def truncate_table(sql: Session) -> None:
    table = filled(sql)
    sql.run(f"TRUNCATE TABLE {table}")
    assert sql.value(f"SELECT COUNT(*) FROM {table}") == 0


@check()
def a_column_added(sql: Session) -> None:
    table = filled(sql)
    sql.run(f"ALTER TABLE {table} ADD w int NULL")
    assert sql.rows(f"SELECT k, w FROM {table} WHERE k = 1") == [(1, None)]


@check()
def drop_if_exists(sql: Session) -> None:
    table = filled(sql)
    sql.run(f"DROP TABLE IF EXISTS {table}; DROP TABLE IF EXISTS {table}")
    assert sql.value("SELECT OBJECT_ID(?)", table) is None


@check()
def a_view(sql: Session) -> None:
    table, name = filled(sql), sql.name("view")
    sql.run(f"CREATE VIEW dbo.{name} AS SELECT k, n * 2 AS doubled FROM {table}")
    assert sql.rows(f"SELECT k, doubled FROM dbo.{name} WHERE k = 2") == [(2, Decimal("4.40"))]


@check()
def a_schema(sql: Session) -> None:
    name = sql.name("schema")
    sql.run(f"CREATE SCHEMA {name}")
    sql.run(f"CREATE TABLE {name}.things (v int); INSERT INTO {name}.things VALUES (1)")
    assert sql.value(f"SELECT v FROM {name}.things") == 1


@check()
def variables(sql: Session) -> None:
    text = (
        "DECLARE @a int = 1, @b nvarchar(20); SET @a = @a + ?; SET @b = N'b' + CAST(@a AS nvarchar(9)); SELECT @a, @b"
    )
    assert sql.rows(text, 6) == [(7, "b7")]


@check()
def if_and_else(sql: Session) -> None:
    assert sql.sets("IF 1 = 2 SELECT 'no' ELSE BEGIN SELECT 'yes'; SELECT 'too' END") == [[("yes",)], [("too",)]]


@check()
def a_loop(sql: Session) -> None:
    text = (
        "DECLARE @i int = 0, @s int = 0; WHILE @i < 10 BEGIN SET @i = @i + 1; IF @i = 5 CONTINUE; SET @s = @s + @i; "
        "END; SELECT @s"
    )
    assert sql.rows(text) == [(50,)]


@check()
def execution_of_a_string(sql: Session) -> None:
    assert sql.rows("DECLARE @s nvarchar(100) = N'SELECT 1 + 1'; EXEC (@s)") == [(2,)]


@check()
def sp_executesql(sql: Session) -> None:
    text = (
        "DECLARE @r int; EXEC sp_executesql N'SET @out = @in * 2', N'@in int, @out int OUTPUT', @in = 21, "
        "@out = @r OUTPUT; SELECT @r"
    )
    assert sql.rows(text) == [(42,)]


@check()
def grants_and_roles(sql: Session) -> None:
    role, user = sql.name("role"), sql.name("user")
    sql.run(f"CREATE USER {user} WITHOUT LOGIN; CREATE ROLE {role}; ALTER ROLE {role} ADD MEMBER {user}")
    sql.run(f"GRANT SELECT ON SCHEMA::dbo TO {role}")
    assert sql.value("SELECT IS_ROLEMEMBER(?, ?)", role, user) == 1
