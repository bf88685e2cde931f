"""Statements that SQL Server refuses for their shape have its numbers, and near ones are carried out."""

from __future__ import annotations

from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import number


def fetch(connection: pyodbc.Connection, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(sql).fetchall()]


@pytest.fixture
def people(connection: pyodbc.Connection) -> pyodbc.Connection:
    connection.execute("CREATE TABLE dbo.people (id int NOT NULL PRIMARY KEY, name nvarchar(20) NULL, born date NULL)")
    connection.execute("INSERT dbo.people VALUES (1, N'Anna', '2024-01-01'), (2, N'Bob ', NULL), (3, N'anna', NULL)")
    return connection


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT DISTINCT name FROM people ORDER BY id", 145),
        ("SELECT DISTINCT name FROM people UNION SELECT name FROM people ORDER BY 1 + id", 207),
        ("SELECT id FROM people ORDER BY 'a'", 408),
        ("SELECT id FROM people ORDER BY id NULLS LAST", 102),
        ("SELECT TOP (-1) id FROM people", 127),
        ("SELECT TOP (1.5) id FROM people", 1060),
        ("SELECT TOP ('1') id FROM people", 1060),
        ("SELECT TOP (NULL) id FROM people", 1060),
        ("SELECT TOP 200 PERCENT id FROM people", 1031),
        ("DELETE TOP (-1) FROM people", 127),
        ("SELECT id FROM people OFFSET 1 ROWS", 102),
        ("SELECT TOP 1 id FROM people ORDER BY id OFFSET 1 ROWS", 10741),
        ("SELECT id FROM people ORDER BY id OFFSET -1 ROWS", 10742),
        ("SELECT id FROM people ORDER BY id OFFSET 1 ROWS FETCH NEXT 0 ROWS ONLY", 10744),
        ("SELECT id FROM people WHERE COUNT(*) > 1", 147),
        ("SELECT SUM(COUNT(*)) FROM people", 130),
        ("SELECT SUM((SELECT 1)) FROM people", 130),
        ("SELECT id FROM people WHERE ROW_NUMBER() OVER (ORDER BY id) = 1", 4108),
        ("SELECT * FROM people AS a JOIN people AS a ON 1 = 1", 1011),
        ("SELECT * FROM dbo.people JOIN dbo.people ON 1 = 1", 1013),
        ("SELECT x.id FROM people AS x JOIN people AS y", 156),
        ("SELECT * FROM people NATURAL JOIN sys.schemas", 156),
        ("SELECT dbo.people.id FROM dbo.people AS x", 4104),
        ("SELECT id FROM people WITH (NOTHING)", 321),
        ("SELECT * FROM (SELECT id FROM people ORDER BY id) AS x", 1033),
        ("WITH x AS (SELECT id FROM people ORDER BY id) SELECT * FROM x", 1033),
        ("SELECT id FROM people WHERE id IN (SELECT id FROM people ORDER BY id)", 1033),
        ("CREATE VIEW dbo.ordered AS SELECT id FROM dbo.people ORDER BY id", 1033),
        ("SELECT * FROM (SELECT 1 AS a, 2 AS a) AS x", 8156),
        ("WITH x AS (SELECT 1) SELECT * FROM x", 8155),
        ("SELECT DATEADD(hour, 1, born) FROM people", 9810),
        ("SELECT DATEPART(minute, born) FROM people", 9810),
        ("SELECT DATEADD(day, 1, CAST('10:00' AS time))", 9810),
        ("CREATE TABLE sys.mine (a int)", 2760),
        ("ALTER TABLE people WITH NOCHECK ADD CHECK (id > 9)", 40514),
        ("EXEC sp_rename @objname = 'dbo.people', 'persons'", 119),
    ],
)
def test_a_statement_is_refused_with_sql_servers_number(people: pyodbc.Connection, sql: str, expected: int) -> None:
    with pytest.raises(pyodbc.Error) as refusal:
        people.execute(sql).fetchall()
    assert number(refusal.value) == expected
    assert fetch(people, "SELECT COUNT(*) FROM people") == [(3,)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM (SELECT TOP 1 id FROM people ORDER BY id DESC) AS x", [(3,)]),
        ("SELECT id FROM people WHERE EXISTS (SELECT 1) ORDER BY (SELECT NULL), id", [(1,), (2,), (3,)]),
        ("SELECT 1 FROM people HAVING COUNT(*) > 2", [(1,)]),
        ("SELECT 1 FROM people HAVING COUNT(*) > 5", []),
        ("SELECT x.id FROM people AS x, people AS y WHERE x.id = y.id + 2", [(3,)]),
        ("SELECT id FROM people WITH (NOLOCK, INDEX(1)) WHERE id = 1", [(1,)]),
        ("SELECT id FROM people WHERE name LIKE N'bob'", []),
        ("SELECT id FROM people WHERE name LIKE N'bob '", [(2,)]),
        ("SELECT 1 WHERE CAST('bob ' AS varchar(9)) LIKE 'bob'", [(1,)]),
        ("SELECT v FROM (VALUES ('z'), ('_'), (N'é'), ('1'), ('f'), ('E')) AS t(v) ORDER BY v",
         [("_",), ("1",), ("E",), ("é",), ("f",), ("z",)]),
        ("SELECT COUNT(DISTINCT v) FROM (VALUES (N'e'), (N'é'), (N'É')) AS t(v)", [(2,)]),
        ("SELECT CONVERT(varchar(20), CAST(1234567.8951 AS money), 1)", [("1,234,567.90",)]),
        ("SELECT CONVERT(varchar(20), CAST(-1234567.8912 AS money), 2)", [("-1234567.8912",)]),
        ("SELECT CONVERT(varchar(30), CAST('2024-01-05' AS date), 100)", [("Jan  5 2024",)]),
        ("SELECT CONVERT(varchar(30), CAST('13:04:05' AS time), 100)", [(" 1:04PM",)]),
        ("SELECT CONVERT(varchar(30), CAST('2024-01-05' AS datetime), 106)", [("05 Jan 2024",)]),
        ("SELECT CONVERT(varchar(30), CAST('2024-01-05' AS datetime), 1)", [("01/05/24",)]),
        ("SELECT YEAR(CAST('2024' AS date))", [(2024,)]),
        ("SELECT LOG(8, 2), LOG(1)", [(3.0, 0.0)]),
    ],
)  # fmt: skip
def test_what_is_near_is_carried_out(people: pyodbc.Connection, sql: str, expected: list[tuple[Any, ...]]) -> None:
    assert fetch(people, sql) == expected


def test_a_view_of_every_column_goes_on_when_its_table_gets_more_and_is_refused_when_it_has_fewer(
    people: pyodbc.Connection,
) -> None:
    people.execute("CREATE VIEW dbo.everybody AS SELECT * FROM dbo.people")
    people.execute("ALTER TABLE dbo.people ADD height int NULL")
    names = [column[0] for column in people.execute("SELECT * FROM dbo.everybody").description]
    assert names == ["id", "name", "born"]
    people.execute("ALTER TABLE dbo.people DROP COLUMN height")
    people.execute("ALTER TABLE dbo.people DROP COLUMN born")
    with pytest.raises(pyodbc.Error) as refusal:
        people.execute("SELECT * FROM dbo.everybody")
    assert number(refusal.value) == 4502


def test_keys_may_change_places_in_one_update(people: pyodbc.Connection) -> None:
    changed = people.execute("UPDATE people SET id = id + 1 OUTPUT deleted.id, inserted.id").fetchall()
    assert [tuple(row) for row in changed] == [(1, 2), (2, 3), (3, 4)]
    people.execute("UPDATE people SET id = CASE id WHEN 2 THEN 3 WHEN 3 THEN 2 ELSE id END")
    assert fetch(people, "SELECT id, name FROM people ORDER BY id") == [(2, "Bob "), (3, "Anna"), (4, "anna")]
    with pytest.raises(pyodbc.Error) as refusal:
        people.execute("UPDATE people SET id = CASE id WHEN 2 THEN 4 ELSE id END")
    assert number(refusal.value) == 2627
    assert fetch(people, "SELECT id FROM people ORDER BY id") == [(2,), (3,), (4,)]
