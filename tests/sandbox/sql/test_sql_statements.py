"""Statements that the kit and the service use, and what the server says to those it does not know."""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number


@pytest.fixture
def rows(connection: pyodbc.Connection) -> pyodbc.Connection:
    """Tables of accounts and contacts with a few rows."""
    connection.execute(
        "CREATE TABLE dbo.account (id int NOT NULL PRIMARY KEY, name nvarchar(40) NOT NULL, city nvarchar(20) NULL, "
        "revenue decimal(38, 2) NULL)"
    )
    connection.execute(
        "CREATE TABLE dbo.contact (id int NOT NULL PRIMARY KEY, account int NULL, name nvarchar(40) NULL)"
    )
    connection.execute(
        "INSERT INTO dbo.account (id, name, city, revenue) VALUES (1, N'Adventure', N'Aarhus', 10.50), "
        "(2, N'Blue Yonder', N'Bergen', 20.25), (3, N'City Power', NULL, NULL)"
    )
    connection.execute("INSERT INTO dbo.contact VALUES (1, 1, N'Ann'), (2, 1, N'Bob'), (3, NULL, N'Cem')")
    return connection


def fetch(connection: pyodbc.Connection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(sql, *values).fetchall()]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT name FROM dbo.account WHERE revenue > 15", [("Blue Yonder",)]),
        ("SELECT a.name, c.name FROM account a JOIN contact AS c ON c.account = a.id ORDER BY c.name DESC",
         [("Adventure", "Bob"), ("Adventure", "Ann")]),
        ("SELECT c.name, a.id FROM contact c LEFT JOIN account a ON a.id = c.account ORDER BY c.id",
         [("Ann", 1), ("Bob", 1), ("Cem", None)]),
        ("SELECT a.id, c.id FROM contact c FULL JOIN account a ON a.id = c.account WHERE c.id IS NULL "
         "OR a.id IS NULL ORDER BY 1",
         [(None, 3), (2, None), (3, None)]),
        ("SELECT COUNT_BIG(*), COUNT(city), SUM(revenue), AVG(revenue), MAX(name) FROM account",
         [(3, 2, Decimal("30.75"), Decimal("15.375000"), "City Power")]),
        ("SELECT account, COUNT(*) AS n FROM contact GROUP BY account HAVING COUNT(*) > 1", [(1, 2)]),
        ("SELECT TOP (2) id FROM account ORDER BY id DESC", [(3,), (2,)]),
        ("SELECT id FROM account ORDER BY id OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", [(2,)]),
        ("SELECT id FROM account WHERE id IN (SELECT account FROM contact) OR name LIKE N'city%'", [(1,), (3,)]),
        ("SELECT id FROM account a WHERE NOT EXISTS (SELECT * FROM contact c WHERE c.account = a.id)", [(2,), (3,)]),
        ("SELECT (SELECT COUNT(*) FROM contact c WHERE c.account = a.id) FROM account a ORDER BY a.id",
         [(2,), (0,), (0,)]),
        ("WITH rich AS (SELECT id FROM account WHERE revenue > 15) SELECT * FROM rich UNION ALL SELECT 9",
         [(2,), (9,)]),
        ("SELECT LOWER(city) FROM account UNION SELECT N'AARHUS' WHERE 1 = 0 ORDER BY 1",
         [(None,), ("aarhus",), ("bergen",)]),
        ("SELECT id FROM account EXCEPT SELECT account FROM contact ORDER BY id", [(2,), (3,)]),
        ("SELECT x.n FROM (SELECT id * 2 AS n FROM account) AS x WHERE x.n BETWEEN 3 AND 5", [(4,)]),
        ("SELECT v.a + v.b FROM (VALUES (1, 2), (3, 4)) AS v (a, b)", [(3,), (7,)]),
        ("SELECT ROW_NUMBER() OVER (ORDER BY name DESC), id FROM account ORDER BY id", [(3, 1), (2, 2), (1, 3)]),
        ("SELECT CASE city WHEN N'bergen' THEN 1 ELSE 0 END FROM account ORDER BY id", [(0,), (1,), (0,)]),
        ("SELECT DISTINCT account FROM contact ORDER BY account", [(None,), (1,)]),
        ("SELECT id AS [the ]] id], [name] = city FROM account WHERE id = 2", [(2, "Bergen")]),
    ],
)  # fmt: skip
def test_a_query_gives_its_rows(rows: pyodbc.Connection, sql: str, expected: list[tuple[Any, ...]]) -> None:
    found = fetch(rows, sql)
    assert found == expected if "ORDER BY" in sql else sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    ("sql", "count", "names"),
    [
        ("UPDATE dbo.account SET name = UPPER(name) WHERE id = 1", 1, ["ADVENTURE", "Blue Yonder", "City Power"]),
        ("UPDATE a SET name = c.name FROM account AS a JOIN contact AS c ON c.account = a.id WHERE c.id = 2", 1,
         ["Bob", "Blue Yonder", "City Power"]),
        ("UPDATE account SET name = city, city = name WHERE city IS NOT NULL", 2, ["Aarhus", "Bergen", "City Power"]),
        ("DELETE FROM account WHERE revenue IS NULL", 1, ["Adventure", "Blue Yonder"]),
        ("DELETE account", 3, []),
        ("DELETE a FROM account a JOIN contact c ON c.account = a.id", 1, ["Blue Yonder", "City Power"]),
        ("INSERT INTO account (id, name) SELECT id + 10, name FROM contact WHERE account = 1", 2,
         ["Adventure", "Blue Yonder", "City Power", "Ann", "Bob"]),
        ("INSERT account (id, name) VALUES (4, N'Four'), (5, LOWER(N'FIVE'))", 2,
         ["Adventure", "Blue Yonder", "City Power", "Four", "five"]),
        ("MERGE account AS t USING (VALUES (1, N'One'), (9, N'Nine')) AS s (id, name) ON t.id = s.id "
         "WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name) "
         "WHEN NOT MATCHED BY SOURCE AND t.id = 3 THEN DELETE;", 3, ["One", "Blue Yonder", "Nine"]),
    ],
)  # fmt: skip
def test_a_change_touches_the_rows_it_names(rows: pyodbc.Connection, sql: str, count: int, names: list[str]) -> None:
    assert rows.execute(sql).rowcount == count
    assert [row[0] for row in fetch(rows, "SELECT name FROM account ORDER BY id")] == names


def test_many_rows_are_inserted_by_parameters(server: Server, database: str, connection: pyodbc.Connection) -> None:
    columns = ", ".join(f"c{index} nvarchar(50) NULL" for index in range(60))
    connection.execute(f"CREATE TABLE dbo.wide (Id uniqueidentifier NOT NULL PRIMARY KEY, {columns})")
    marks = ", ".join("?" * 61)
    data = [
        (str(uuid.UUID(int=n)).upper(), *[f"{n}x{c}" if (n + c) % 3 else None for c in range(60)]) for n in range(100)
    ]
    connection.cursor().executemany(f"INSERT INTO dbo.wide VALUES ({marks})", data)
    assert sorted(fetch(connection, "SELECT * FROM dbo.wide")) == sorted(data)


def test_several_rows_of_parameters_go_in_one_statement(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a int NOT NULL PRIMARY KEY, b nvarchar(10) NULL)")
    values = [item for n in range(500) for item in (n, None if n % 2 else f"v{n}")]
    connection.execute(f"INSERT INTO dbo.t (a, b) VALUES {', '.join(['(?, ?)'] * 500)}", values)
    assert fetch(connection, "SELECT COUNT(*), COUNT(b), MAX(a) FROM dbo.t") == [(500, 250, 499)]


def test_a_large_result_is_streamed_whole(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a int, b nvarchar(200))")
    connection.execute("INSERT INTO dbo.t VALUES (1, REPLICATE(N'x', 200))")
    for _ in range(13):
        connection.execute("INSERT INTO dbo.t SELECT a + 1, b FROM dbo.t")
    cursor = connection.execute("SELECT a, b FROM dbo.t")
    assert len(cursor.fetchall()) == 2**13
    half_read = connection.execute("SELECT a, b FROM dbo.t")
    half_read.fetchmany(10)
    half_read.close()  # sends an attention in the middle of the rows
    assert fetch(connection, "SELECT COUNT(*) FROM dbo.t") == [(2**13,)]


def test_a_table_is_altered_and_dropped(rows: pyodbc.Connection) -> None:
    rows.execute("ALTER TABLE dbo.account ADD phone nvarchar(10) NULL, rating int NOT NULL DEFAULT 3")
    assert fetch(rows, "SELECT phone, rating FROM account WHERE id = 1") == [(None, 3)]
    rows.execute("ALTER TABLE dbo.account ALTER COLUMN city nvarchar(max) NULL")
    rows.execute("ALTER TABLE dbo.account DROP COLUMN phone")
    found = fetch(
        rows,
        "SELECT name, max_length, is_nullable FROM sys.columns WHERE object_id = OBJECT_ID(N'dbo.account') "
        "ORDER BY column_id",
    )
    assert found == [
        ("id", 4, False),
        ("name", 80, False),
        ("city", -1, True),
        ("revenue", 17, True),
        ("rating", 4, False),
    ]
    rows.execute("DROP TABLE dbo.account")
    rows.execute("DROP TABLE IF EXISTS dbo.account")
    assert fetch(rows, "SELECT OBJECT_ID(N'dbo.account', N'U')") == [(None,)]


def test_identity_and_defaults_fill_what_is_left_out(connection: pyodbc.Connection) -> None:
    connection.execute(
        "CREATE TABLE dbo.t (id int IDENTITY(10, 5) PRIMARY KEY, made datetime NOT NULL DEFAULT GETUTCDATE(), "
        "mark uniqueidentifier NOT NULL DEFAULT NEWID(), word nvarchar(5) DEFAULT N'o''k')"
    )
    connection.execute("INSERT INTO dbo.t (word) VALUES (N'a'), (DEFAULT)")
    connection.execute("INSERT INTO dbo.t DEFAULT VALUES")
    found = fetch(connection, "SELECT id, word FROM dbo.t ORDER BY id")
    assert found == [(10, "a"), (15, "o'k"), (20, "o'k")]
    assert fetch(connection, "SELECT COUNT(DISTINCT mark) FROM dbo.t") == [(3,)]
    assert fetch(connection, "SELECT CAST(SCOPE_IDENTITY() AS int), @@IDENTITY") == [(20, Decimal(20))]


def test_the_database_tells_of_itself(server: Server, database: str, rows: pyodbc.Connection) -> None:
    assert fetch(rows, "SELECT TABLE_SCHEMA, TABLE_NAME FROM INFORMATION_SCHEMA.TABLES ORDER BY TABLE_NAME") == [
        ("dbo", "account"), ("dbo", "contact"),
    ]  # fmt: skip
    found = fetch(
        rows,
        "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, IS_NULLABLE "
        "FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = N'account' ORDER BY ORDINAL_POSITION",
    )
    assert found == [
        ("id", "int", None, 10, 0, "NO"), ("name", "nvarchar", 40, None, None, "NO"),
        ("city", "nvarchar", 20, None, None, "YES"), ("revenue", "decimal", None, 38, 2, "YES"),
    ]  # fmt: skip
    assert fetch(
        rows,
        "SELECT t.name, s.name FROM sys.tables t JOIN sys.schemas s ON s.schema_id = t.schema_id "
        "WHERE t.name = N'ACCOUNT'",
    ) == [("account", "dbo")]
    assert fetch(
        rows,
        "SELECT ty.name FROM sys.columns c JOIN sys.types ty ON ty.user_type_id = c.user_type_id "
        "WHERE c.name = N'revenue'",
    ) == [("decimal",)]
    rows.execute(f"ALTER DATABASE [{database}] SET READ_COMMITTED_SNAPSHOT OFF WITH ROLLBACK IMMEDIATE")
    rows.execute("ALTER DATABASE SCOPED CONFIGURATION SET MAXDOP = 1")
    options = "SELECT is_read_committed_snapshot_on FROM sys.databases WHERE name = DB_NAME()"
    assert fetch(rows, options) == [(False,)]
    rows.execute("ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON")
    assert fetch(rows, options) == [(True,)]
    maxdop = "SELECT CAST(value AS int) FROM sys.database_scoped_configurations WHERE name = N'MAXDOP'"
    assert fetch(rows, maxdop) == [(1,)]
    version, edition, spid = fetch(rows, "SELECT @@VERSION, CAST(SERVERPROPERTY('EngineEdition') AS int), @@SPID")[0]
    assert version.startswith("Microsoft SQL Azure")
    assert edition == 5
    assert spid > 50


def test_flow_and_variables(rows: pyodbc.Connection) -> None:
    rows.execute("IF NOT EXISTS (SELECT * FROM sys.schemas WHERE name = N'extra') EXEC(N'CREATE SCHEMA extra')")
    rows.execute("IF NOT EXISTS (SELECT * FROM sys.schemas WHERE name = N'extra') EXEC(N'CREATE SCHEMA extra')")
    assert fetch(rows, "SELECT COUNT(*) FROM sys.schemas WHERE name = N'extra'") == [(1,)]
    rows.execute(
        "DECLARE @n int = 0, @text nvarchar(10) = N'x'; WHILE @n < 10 BEGIN SET @n += 1; IF @n = 2 CONTINUE; "
        "IF @n > 3 BREAK; "
        "INSERT INTO contact (id, name) VALUES (100 + @n, @text) END"
    )
    assert fetch(rows, "SELECT id FROM contact WHERE id > 100 ORDER BY id") == [(101,), (103,)]
    caught = "BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_MESSAGE() END CATCH"
    assert fetch(rows, caught) == [(8134, "Divide by zero error encountered.")]
    with pytest.raises(pyodbc.Error, match="told so") as error:
        rows.execute("RAISERROR(N'told so', 16, 1)")
    assert number(error.value) == 50000
    with pytest.raises(pyodbc.Error) as error:
        rows.execute("THROW 51000, N'thrown', 1")
    assert number(error.value) == 51000


def test_a_procedure_runs_with_its_parameters(rows: pyodbc.Connection) -> None:
    rows.execute(
        "CREATE PROCEDURE dbo.rename_account @id int, @name nvarchar(40) = N'nobody' AS BEGIN "
        "UPDATE account SET name = @name WHERE id = @id; SELECT name FROM account WHERE id = @id END"
    )
    assert fetch(rows, "SET NOCOUNT ON; EXEC dbo.rename_account @id = 2") == [("nobody",)]
    assert fetch(rows, "SET NOCOUNT ON; EXEC dbo.rename_account ?, ?", 1, "someone") == [("someone",)]
    assert fetch(rows, "{CALL dbo.rename_account (?, ?)}", 1, "someone") == [("someone",)]
    assert fetch(rows, "SELECT name FROM account ORDER BY id") == [("someone",), ("nobody",), ("City Power",)]
    with pytest.raises(pyodbc.Error) as caught:
        rows.execute("EXEC dbo.no_such_procedure")
    assert number(caught.value) == 2812


@pytest.mark.parametrize(
    ("sql", "expected", "names"),
    [
        ("BACKUP DATABASE x TO DISK = 'y'", 40510, "BACKUP"),
        ("KILL 55", 40510, "KILL"),
        ("CREATE TRIGGER t ON x AFTER INSERT AS SELECT 1", 40510, "CREATE TRIGGER"),
        ("EXECUTE AS USER = 'dbo'", 40510, "EXECUTE AS"),
        ("SELECT * FROM sys.tables FOR JSON AUTO", 40514, "FOR"),
        ("SELECT name FROM sys.tables CROSS APPLY fn_my_permissions(name, 'OBJECT')", 40514, "APPLY"),
        ("SET ROWCOUNT 5", 40517, "SET ROWCOUNT 5"),
        ("CREATE TABLE t (a geography)", 40524, "geography"),
        ("CREATE LOGIN x FROM WINDOWS", 40517, "WINDOWS"),
        ("SELEC 1", 2812, "SELEC"),
        ("SELECT 'open", 105, ""),
        ("CREATE TABLE t (a int", 102, ""),
        ("SELECT * FROM sys.no_such_view", 208, "sys.no_such_view"),
        ("DELETE FROM sys.tables", 259, "system catalogs"),
        ("GRANT FLY TO public", 102, "FLY"),
        ("GRANT CREATE TABLE ON SCHEMA::dbo TO public", 102, "CREATE TABLE"),
        ("SELECT a, COUNT(*) FROM (VALUES (1)) v (a)", 8120, "v.a"),
        ("SELECT name FROM sys.tables t JOIN sys.schemas s ON 1 = 1", 209, "name"),
        ("SELECT x.name FROM sys.tables t", 4104, "x.name"),
        ("INSERT INTO nowhere VALUES (1)", 208, "nowhere"),
        ("EXEC sp_configure", 2812, "sp_configure"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_by_name(
    connection: pyodbc.Connection, sql: str, expected: int, names: str
) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute(sql).fetchall()
    assert (number(caught.value), names in str(caught.value)) == (expected, True)
    assert fetch(connection, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TABLE dbo.account (a int)", 2714),
        ("CREATE SCHEMA dbo", 2714),
        ("CREATE TABLE dbo.new (a int, A int)", 2705),
        ("CREATE TABLE nowhere.new (a int)", 2760),
        ("DROP TABLE dbo.nothing", 3701),
        ("ALTER TABLE dbo.nothing ADD a int NULL", 4902),
        ("ALTER TABLE dbo.account ADD name int NULL", 2705),
        ("ALTER TABLE dbo.account ADD must int NOT NULL", 4901),
        ("ALTER TABLE dbo.account ALTER COLUMN city nvarchar(20) NOT NULL", 515),
        ("ALTER TABLE dbo.account ALTER COLUMN name nvarchar(3) NOT NULL", 2628),
        ("CREATE UNIQUE INDEX one ON dbo.contact (account)", 0),
        ("INSERT INTO account (id) VALUES (1, 2)", 110),
        ("INSERT INTO account VALUES (1)", 213),
        ("INSERT INTO account (id, id) VALUES (1, 2)", 264),
        ("INSERT INTO account (id, nothing) VALUES (1, 2)", 207),
        ("UPDATE account SET nothing = 1", 207),
        ("UPDATE account SET name = NULL", 515),
        ("UPDATE account SET id = 1 WHERE id = 2", 2627),
        ("DROP SCHEMA dbo", 15151),
    ],
)
def test_a_definition_or_change_that_cannot_be_is_refused(rows: pyodbc.Connection, sql: str, expected: int) -> None:
    before = fetch(rows, "SELECT * FROM account")
    if expected:
        with pytest.raises(pyodbc.Error) as caught:
            rows.execute(sql)
        assert number(caught.value) == expected
    else:
        with pytest.raises(pyodbc.Error) as caught:
            rows.execute(sql)
        assert number(caught.value) == 1505
    assert fetch(rows, "SELECT * FROM account") == before


def test_a_list_of_statements_needs_no_semicolons(server: Server, database: str) -> None:
    with closing(server.connect()) as master:
        master.execute("CREATE LOGIN NewUser WITH PASSWORD='New-Password-1'")
    with closing(server.connect(database)) as connection:
        connection.execute(
            "CREATE USER NewUser FOR LOGIN NewUser\n"
            "GRANT CREATE TABLE, CREATE TYPE, CREATE VIEW, CREATE PROCEDURE, ALTER ANY USER to NewUser\n"
            "GRANT ALTER, REFERENCES, INSERT, DELETE, UPDATE, SELECT, EXECUTE ON SCHEMA::dbo TO NewUser"
        )
        grants = "SELECT COUNT(*) FROM sys.database_permissions WHERE grantee_principal_id = USER_ID(N'NewUser')"
        assert fetch(connection, grants) == [(13,)]


def test_the_request_log_names_statements_by_class_and_holds_no_text(
    server: Server, database: str, rows: pyodbc.Connection
) -> None:
    before = len(server.host.log.lines)
    with pytest.raises(pyodbc.Error):
        rows.execute("SELECT secret_word FROM account")
    fetch(rows, "SELECT id FROM account WHERE name = ?", "secret_value")
    rows.execute("GRANT SELECT TO public")
    path = f"/shared/{database}"
    assert server.host.log.lines[before:] == [
        ("sql", "SELECT", path, 207, "sqladmin"),
        ("sql", "SELECT", path, 0, "sqladmin"),
        ("sql", "GRANT", path, 0, "sqladmin"),
    ]


def test_half_a_surrogate_pair_is_refused_and_the_session_goes_on(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a nvarchar(10))")
    with pytest.raises((pyodbc.Error, UnicodeEncodeError)):
        connection.execute("INSERT INTO dbo.t VALUES (?)", "a\ud800")
    with pytest.raises((pyodbc.Error, UnicodeEncodeError)):
        connection.execute("INSERT INTO dbo.t VALUES (N'a\ud800')")
    assert fetch(connection, "SELECT COUNT(*) FROM dbo.t") == [(0,)]
