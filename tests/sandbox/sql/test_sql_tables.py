"""Table variables, table types and their parameters, temporary tables, OUTPUT, constraints."""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number


def fetch(connection: pyodbc.Connection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of the last result of a batch."""
    cursor = connection.execute(sql, *values)
    found: list[tuple[Any, ...]] = []
    while True:
        if cursor.description is not None:
            found = [tuple(row) for row in cursor.fetchall()]
        if not cursor.nextset():
            return found


def refusal(connection: pyodbc.Connection, sql: str) -> tuple[int, str]:
    """The number and the text of the error that a batch ends in."""
    with pytest.raises(pyodbc.Error) as caught:
        fetch(connection, sql)
    return number(caught.value), str(caught.value.args[1])


# Variables


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DECLARE @a int, @b nvarchar(9); SELECT @a = n, @b = s FROM (VALUES (1, N'x'), (2, N'y')) v (n, s) "
         "ORDER BY n; "
         "SELECT @a, @b", (2, "y")),
        ("DECLARE @a int = 5; SELECT @a = n FROM (VALUES (1)) v (n) WHERE n > 1; SELECT @a, @@ROWCOUNT", (5, 0)),
        ("DECLARE @s nvarchar(max) = N''; SELECT @s += s + N';' FROM (VALUES (2, N'b'), (1, N'a')) v (n, s) "
         "ORDER BY n; "
         "SELECT @s", ("a;b;",)),
        ("DECLARE @s nvarchar(max); SELECT @s = COALESCE(@s + N', ', N'') + s FROM (VALUES (2, N'b'), (1, N'a')) v "
         "(n, s) ORDER BY n; SELECT @s", ("a, b",)),
        ("DECLARE @s varchar(9); SELECT @s = CASE WHEN @s IS NULL THEN s ELSE @s + '|' + s END FROM "
         "(VALUES (1, 'a'), (2, 'b'), (3, 'c')) v (n, s) ORDER BY n DESC; SELECT @s", ("c|b|a",)),
        ("DECLARE @n int = 1; SELECT @n *= n FROM (VALUES (2), (3), (7)) v (n); SELECT @n, @@ROWCOUNT", (42, 3)),
        ("DECLARE @n int, @m int = 3; SELECT @n = COUNT(*), @m = @m + SUM(n) FROM (VALUES (2), (3)) v (n); "
         "SELECT @n, @m", (2, 8)),
        ("DECLARE @d date = '2026-01-31'; SELECT @d = DATEADD(month, n, @d) FROM (VALUES (1), (1)) v (n); "
         "SELECT CONVERT(char(10), @d, 23)", ("2026-03-28",)),
        ("DECLARE @a int = 7; SET @a += 5; SET @a -= 2; SET @a *= 3; SET @a /= 4; SET @a %= 4; SET @a |= 4; "
         "SET @a &= 6; SET @a ^= 1; SELECT @a", (7,)),
        ("DECLARE @i int = 0, @s varchar(9) = ''; WHILE @i < 3 BEGIN DECLARE @x int; SET @x = ISNULL(@x, 0) + 1; "
         "SET @s += CAST(@x AS varchar(9)); SET @i += 1 END SELECT @s", ("123",)),
        ("DECLARE @a int; WITH c AS (SELECT 4 AS n) SELECT @a = n FROM c; SELECT @a", (4,)),
        ("DECLARE @a int; SELECT TOP (1) @a = n FROM (VALUES (1), (9)) v (n) ORDER BY n DESC; SELECT @a", (9,)),
    ],
)  # fmt: skip
def test_variables_take_values_from_rows(connection: pyodbc.Connection, sql: str, expected: tuple[Any, ...]) -> None:
    assert fetch(connection, sql) == [expected]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DECLARE @a int; SELECT @a = 1, 2", 141),
        ("DECLARE @a int; SELECT @a = 1 UNION SELECT 2", 10734),
        ("SELECT @nowhere = 1", 137),
        ("SELECT * FROM @nowhere", 1087),
        ("DECLARE @a int, @a int", 134),
        ("DECLARE @a int; IF 1 = 1 BEGIN DECLARE @A int END", 134),
        ("DECLARE @t TABLE (a int); DECLARE @t TABLE (a int)", 134),
        ("DECLARE @x dbo.nothing", 2715),
        ("SELECT * FROM #nowhere", 208),
        ("CREATE TABLE ##all (a int)", 40514),
        ("SELECT * INTO ##all FROM sys.tables", 40514),
    ],
)  # fmt: skip
def test_a_variable_or_table_that_cannot_be_is_refused(
    connection: pyodbc.Connection, sql: str, expected: int
) -> None:  # fmt: skip
    assert refusal(connection, sql)[0] == expected


# Table variables and types


def test_a_table_variable_lives_for_its_batch(connection: pyodbc.Connection) -> None:
    assert fetch(
        connection,
        "SET NOCOUNT ON; DECLARE @t TABLE (id int IDENTITY(10, 5) PRIMARY KEY, name nvarchar(9) NOT NULL "
        "DEFAULT N'none', "
        "CHECK (name <> N'bad')); INSERT INTO @t (name) VALUES (N'a'), (N'b'); INSERT @t DEFAULT VALUES; "
        "UPDATE t SET name = UPPER(name) FROM @t AS t WHERE id = 10; DELETE FROM @t WHERE name = N'b'; "
        "SELECT * FROM @t ORDER BY id",
    ) == [(10, "A"), (20, "none")]  # fmt: skip
    assert refusal(connection, "INSERT INTO @t (name) VALUES (N'a')")[0] == 1087


def test_a_table_variable_outlives_a_rollback_and_a_temporary_table_does_not(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.kept (a int)")
    assert fetch(
        connection,
        "SET NOCOUNT ON; DECLARE @t TABLE (a int PRIMARY KEY); CREATE TABLE #t (a int); INSERT #t VALUES (1); "
        "BEGIN TRAN; INSERT @t VALUES (1); INSERT #t VALUES (2); INSERT dbo.kept VALUES (1); DECLARE @u TABLE (b int); "
        "INSERT @u VALUES (7); ROLLBACK; "
        "SELECT (SELECT COUNT(*) FROM @t), (SELECT COUNT(*) FROM #t), (SELECT COUNT(*) FROM dbo.kept), "
        "(SELECT MAX(b) FROM @u)",
    ) == [(1, 1, 0, 7)]  # fmt: skip


def test_a_temporary_table_made_or_dropped_in_a_transaction_follows_it(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.any_table (a int)")
    connection.execute("CREATE TABLE #old (a int); INSERT #old VALUES (3)")
    connection.execute(
        "BEGIN TRAN; INSERT dbo.any_table VALUES (1); CREATE TABLE #new (a int); DROP TABLE #old; ROLLBACK"
    )
    assert fetch(connection, "SELECT a FROM #old") == [(3,)]
    assert refusal(connection, "SELECT a FROM #new")[0] == 208


def test_rules_of_table_variables_hold(connection: pyodbc.Connection) -> None:
    start = "DECLARE @t TABLE (a int PRIMARY KEY, b varchar(3) NOT NULL CHECK (b <> 'bad')); "
    assert refusal(connection, start + "INSERT @t VALUES (1, 'x'), (1, 'y')")[0] == 2627
    assert refusal(connection, start + "INSERT @t VALUES (1, NULL)")[0] == 515
    assert refusal(connection, start + "INSERT @t VALUES (1, 'long')")[0] == 2628
    assert refusal(connection, start + "INSERT @t VALUES (1, 'bad')")[0] == 547


@pytest.fixture
def export(connection: pyodbc.Connection) -> pyodbc.Connection:
    """What the export service makes for one entity: a table, its types and the procedures that write into it."""
    connection.execute(
        "CREATE TABLE [dbo].[crm_lead] ([Id] uniqueidentifier NOT NULL PRIMARY KEY, [SinkCreatedOn] datetime NULL, "
        "[SinkModifiedOn] datetime NULL, [subject] nvarchar(300) NULL, [revenue] decimal(38, 2) NULL, "
        "[versionnumber] bigint NULL)"
    )
    connection.execute(
        "CREATE TYPE [dbo].[crm_leadType] AS TABLE ([Id] uniqueidentifier NOT NULL, [SinkCreatedOn] datetime NULL, "
        "[SinkModifiedOn] datetime NULL, [subject] nvarchar(300) NULL, [revenue] decimal(38, 2) NULL, "
        "[versionnumber] bigint NULL, PRIMARY KEY CLUSTERED ([Id] ASC) WITH (IGNORE_DUP_KEY = OFF))"
    )
    connection.execute("CREATE TYPE [dbo].[crm_leadIdType] AS TABLE ([Id] uniqueidentifier NOT NULL)")
    connection.execute(
        "CREATE PROCEDURE [dbo].[crm_spMergelead] @rows [dbo].[crm_leadType] READONLY AS BEGIN SET NOCOUNT ON; "
        "MERGE [dbo].[crm_lead] WITH (HOLDLOCK) AS [target] USING @rows AS [source] ON [target].[Id] = [source].[Id] "
        "WHEN MATCHED AND [source].[versionnumber] > [target].[versionnumber] THEN UPDATE SET "
        "[SinkModifiedOn] = [source].[SinkModifiedOn], [subject] = [source].[subject], "
        "[revenue] = [source].[revenue], [versionnumber] = [source].[versionnumber] "
        "WHEN NOT MATCHED BY TARGET THEN INSERT ([Id], [SinkCreatedOn], [subject], [revenue], [versionnumber]) VALUES "
        "([source].[Id], [source].[SinkCreatedOn], [source].[subject], [source].[revenue], [source].[versionnumber]); "
        "END"
    )
    connection.execute(
        "CREATE PROCEDURE [dbo].[crm_spDeletelead] @ids [dbo].[crm_leadIdType] READONLY AS "
        "DELETE t FROM [dbo].[crm_lead] t INNER JOIN @ids i ON i.[Id] = t.[Id]"
    )
    return connection


FIRST, SECOND = "11111111-0000-0000-0000-000000000001", "11111111-0000-0000-0000-000000000002"


def test_a_procedure_merges_a_table_valued_parameter(export: pyodbc.Connection) -> None:
    call = "SET NOCOUNT ON; DECLARE @r dbo.crm_leadType; INSERT @r (Id, subject, versionnumber) VALUES {}; " \
        "EXEC dbo.crm_spMergelead @rows = @r"  # fmt: skip
    export.execute(call.format(f"('{FIRST}', N'one', 1), ('{SECOND}', N'two', 5)"))
    export.execute(call.format(f"('{FIRST}', N'ONE', 2), ('{SECOND}', N'older', 4)"))
    assert fetch(export, "SELECT subject, versionnumber FROM dbo.crm_lead ORDER BY Id") == [("ONE", 2), ("two", 5)]
    export.execute(f"DECLARE @i dbo.crm_leadIdType; INSERT @i VALUES ('{FIRST}'); EXEC dbo.crm_spDeletelead @i")
    assert fetch(export, "SELECT subject FROM dbo.crm_lead") == [("two",)]


def test_a_table_valued_parameter_cannot_be_changed(export: pyodbc.Connection) -> None:
    export.execute("CREATE PROCEDURE dbo.wrong @rows dbo.crm_leadIdType READONLY AS DELETE FROM @rows")
    shown, text = refusal(export, "DECLARE @i dbo.crm_leadIdType; EXEC dbo.wrong @i")
    assert shown == 10700
    assert 'The table-valued parameter "@rows" is READONLY and cannot be modified.' in text
    assert refusal(export, "CREATE PROCEDURE dbo.p @rows dbo.crm_leadIdType AS SELECT 1")[0] == 352
    assert refusal(export, "CREATE PROCEDURE dbo.p @n int READONLY AS SELECT 1")[0] == 346
    assert refusal(export, "CREATE PROCEDURE dbo.p @n dbo.nothing READONLY AS SELECT 1")[0] == 2715
    assert refusal(export, "EXEC dbo.crm_spDeletelead 5")[0] == 206
    assert fetch(export, "SET NOCOUNT ON; EXEC dbo.crm_spDeletelead; SELECT 1") == [(1,)]


def test_a_table_goes_through_sp_executesql(export: pyodbc.Connection) -> None:
    assert fetch(
        export,
        f"SET NOCOUNT ON; DECLARE @i dbo.crm_leadIdType, @n int; INSERT @i VALUES ('{FIRST}'), ('{SECOND}'); "
        "EXEC sp_executesql N'SELECT @n = COUNT(*) FROM @t', N'@t dbo.crm_leadIdType READONLY, @n int OUTPUT', "
        "@t = @i, @n = @n OUTPUT; SELECT @n",
    ) == [(2,)]  # fmt: skip


def test_an_alias_type_serves_columns_variables_and_parameters(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TYPE dbo.short FROM nvarchar(5) NOT NULL")
    connection.execute("CREATE TABLE dbo.t (a dbo.short, b short NULL)")
    connection.execute("CREATE PROCEDURE dbo.p @x dbo.short AS INSERT dbo.t VALUES (@x, NULL)")
    connection.execute("DECLARE @v dbo.short = N'abcdefgh'; EXEC dbo.p @v")
    assert fetch(connection, "SELECT a, b FROM dbo.t") == [("abcde", None)]
    assert refusal(connection, "INSERT dbo.t VALUES (NULL, NULL)")[0] == 515
    assert refusal(connection, "INSERT dbo.t VALUES (N'abcdef', NULL)")[0] == 2628
    assert refusal(connection, "CREATE TYPE dbo.short FROM int")[0] == 219


# Temporary tables


def test_a_temporary_table_belongs_to_its_session(server: Server, database: str, connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE #t (id int NOT NULL PRIMARY KEY, name nvarchar(10) NULL)")
    connection.execute("INSERT INTO #t VALUES (1, N'a'), (2, N'b')")
    connection.execute("CREATE TABLE dbo.t (id int); INSERT dbo.t VALUES (2)")
    assert fetch(connection, "SELECT #t.name FROM #t JOIN dbo.t ON t.id = #t.id") == [("b",)]
    assert fetch(connection, "SELECT COUNT(*) FROM tempdb..#t") == [(2,)]
    assert fetch(connection, "IF OBJECT_ID('tempdb..#t') IS NOT NULL SELECT 1 ELSE SELECT 0") == [(1,)]
    connection.execute("ALTER TABLE #t ADD more int NULL")
    connection.execute("CREATE INDEX i ON #t (name)")
    connection.execute("UPDATE #t SET more = id * 2")
    assert fetch(connection, "SELECT SUM(more) FROM #t") == [(6,)]
    with closing(server.connect(database)) as other:
        assert refusal(other, "SELECT * FROM #t") == (208, refusal(other, "SELECT * FROM #t")[1])
        other.execute("CREATE TABLE #t (other int)")
    assert refusal(connection, "INSERT #t (id) VALUES (1)")[0] == 2627
    connection.execute("DROP TABLE #t")
    connection.execute("DROP TABLE IF EXISTS #t")
    assert refusal(connection, "DROP TABLE #t")[0] == 3701


def test_a_temporary_table_is_seen_inside_procedures_and_ends_with_its_maker(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE PROCEDURE dbo.adds AS INSERT #t VALUES (2)")
    connection.execute("CREATE PROCEDURE dbo.makes AS BEGIN CREATE TABLE #t (a int); INSERT #t VALUES (9); "
                       "EXEC dbo.adds; SELECT COUNT(*) FROM #t END")  # fmt: skip
    assert fetch(connection, "SET NOCOUNT ON; EXEC dbo.makes") == [(2,)]
    assert refusal(connection, "SELECT * FROM #t")[0] == 208
    connection.execute("CREATE TABLE #t (a int)")
    connection.execute("EXEC dbo.adds")
    assert fetch(connection, "SET NOCOUNT ON; EXEC dbo.makes; SELECT COUNT(*) FROM #t") == [(1,)]
    assert refusal(connection, "EXEC('CREATE TABLE #inner (a int)'); SELECT * FROM #inner")[0] == 208


def test_a_query_makes_a_table(connection: pyodbc.Connection) -> None:
    cursor = connection.execute(
        "SELECT n AS id, CAST(N'x' AS nvarchar(7)) AS name INTO dbo.made FROM (VALUES (1), (2)) v (n)"
    )
    assert cursor.rowcount == 2
    assert fetch(connection, "SELECT id, name FROM dbo.made") == [(1, "x"), (2, "x")]
    connection.execute("SELECT * INTO #copy FROM dbo.made WHERE id > 1")
    assert fetch(connection, "SELECT * FROM #copy") == [(2, "x")]
    assert refusal(connection, "SELECT 1 INTO dbo.other")[0] == 1038
    assert refusal(connection, "SELECT 1 AS a INTO dbo.made")[0] == 2714


def test_results_of_a_procedure_or_text_go_into_a_table(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE PROCEDURE dbo.p @n int AS BEGIN SELECT @n, N'p'; SELECT @n + 1, N'q' END")
    assert fetch(
        connection,
        "SET NOCOUNT ON; DECLARE @t TABLE (a int, b nvarchar(3)); INSERT INTO @t EXEC dbo.p @n = 4; "
        "INSERT @t (b) EXEC ('SELECT N''z'''); SELECT * FROM @t ORDER BY b",
    ) == [(4, "p"), (5, "q"), (None, "z")]  # fmt: skip
    assert refusal(connection, "DECLARE @t TABLE (a int); INSERT @t EXEC dbo.p 1")[0] == 213


# OUTPUT and TOP


@pytest.fixture
def stock(connection: pyodbc.Connection) -> pyodbc.Connection:
    connection.execute("CREATE TABLE dbo.stock (id int IDENTITY PRIMARY KEY, name nvarchar(9), n int)")
    connection.execute("INSERT dbo.stock (name, n) VALUES (N'a', 1), (N'b', 2), (N'c', 3), (N'd', 4)")
    return connection


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("INSERT dbo.stock (name, n) OUTPUT inserted.id, inserted.name VALUES (N'x', 1), (N'y', 2)",
         [(5, "x"), (6, "y")]),
        ("INSERT dbo.stock (name) OUTPUT inserted.* SELECT N'z'", [(5, "z", None)]),
        ("UPDATE dbo.stock SET n += 10 OUTPUT deleted.n AS old, inserted.n - deleted.n AS more WHERE id < 3",
         [(1, 10), (2, 10)]),
        ("DELETE FROM dbo.stock OUTPUT deleted.name WHERE n > 2", [("c",), ("d",)]),
        ("UPDATE s SET n = v.n OUTPUT inserted.name, v.n FROM dbo.stock s JOIN (VALUES (1, 70)) v (id, n) ON "
         "v.id = s.id",
         [("a", 70)]),
        ("MERGE dbo.stock AS t USING (VALUES (1, 10, 'k1'), (9, 90, 'k9')) AS s (id, n, k) ON t.id = s.id "
         "WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT (name, n) VALUES (N'new', s.n) "
         "OUTPUT $action, inserted.id, deleted.n, s.k;",
         [("UPDATE", 1, 1, "k1"), ("INSERT", 5, None, "k9")]),
        ("DECLARE @o TABLE (id int, word nvarchar(20)); DELETE TOP (2) FROM dbo.stock OUTPUT deleted.id, N'was ' + "
         "deleted.name INTO @o (id, word); SELECT COUNT(*) FROM @o", [(2,)]),
        ("DELETE TOP (3) FROM dbo.stock; SELECT COUNT(*) FROM dbo.stock", [(1,)]),
        ("DELETE TOP (50) PERCENT FROM dbo.stock; SELECT COUNT(*) FROM dbo.stock", [(2,)]),
        ("UPDATE TOP (1) dbo.stock SET n = 100; SELECT COUNT(*) FROM dbo.stock WHERE n = 100", [(1,)]),
        ("INSERT TOP (1) INTO dbo.stock (name) SELECT name FROM dbo.stock; SELECT COUNT(*) FROM dbo.stock", [(5,)]),
        ("WITH big AS (SELECT id FROM dbo.stock WHERE n > 2) DELETE FROM dbo.stock WHERE id IN (SELECT id FROM big); "
         "SELECT COUNT(*) FROM dbo.stock", [(2,)]),
    ],
)  # fmt: skip
def test_a_change_tells_what_it_did(stock: pyodbc.Connection, sql: str, expected: list[tuple[Any, ...]]) -> None:
    assert fetch(stock, "SET NOCOUNT ON; " + sql) == expected


# Constraints


@pytest.fixture
def family(connection: pyodbc.Connection) -> pyodbc.Connection:
    connection.execute(
        "CREATE TABLE dbo.parent (id int NOT NULL CONSTRAINT PK_parent PRIMARY KEY, code nvarchar(5) NULL "
        "CONSTRAINT UQ_code UNIQUE)"
    )
    connection.execute(
        "CREATE TABLE dbo.child (id int NOT NULL PRIMARY KEY, parent int NULL CONSTRAINT FK_child REFERENCES "
        "dbo.parent, "
        "age int CONSTRAINT CK_age CHECK (age >= 0), size int, CONSTRAINT CK_both CHECK (size > age), "
        "twice AS (age * 2), label AS CONCAT(N'#', id))"
    )
    connection.execute("INSERT dbo.parent VALUES (1, N'one'), (2, N'two')")
    connection.execute("INSERT dbo.child (id, parent, age, size) VALUES (10, 1, 5, 6), (11, NULL, NULL, NULL)")
    return connection


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("INSERT dbo.child (id, parent) VALUES (12, 3)",
         'The INSERT statement conflicted with the FOREIGN KEY constraint "FK_child". The conflict occurred in '
         "database \"{}\", table \"dbo.parent\", column 'id'."),
        ("UPDATE dbo.child SET parent = 3 WHERE id = 11",
         'The UPDATE statement conflicted with the FOREIGN KEY constraint "FK_child".'),
        ("DELETE dbo.parent",
         'The DELETE statement conflicted with the REFERENCE constraint "FK_child". The conflict occurred in '
         "database \"{}\", table \"dbo.child\", column 'parent'."),
        ("UPDATE dbo.parent SET id = 7 WHERE id = 1",
         'The UPDATE statement conflicted with the REFERENCE constraint "FK_child".'),
        ("INSERT dbo.child (id, age) VALUES (12, -1)",
         'The INSERT statement conflicted with the CHECK constraint "CK_age". The conflict occurred in database "{}", '
         "table \"dbo.child\", column 'age'."),
        ("UPDATE dbo.child SET size = 1 WHERE id = 10",
         'The UPDATE statement conflicted with the CHECK constraint "CK_both". The conflict occurred in database "{}", '
         'table "dbo.child".'),
        ("ALTER TABLE dbo.child ADD CONSTRAINT CK_no CHECK (age > 100)",
         'The ALTER TABLE statement conflicted with the CHECK constraint "CK_no".'),
    ],
)  # fmt: skip
def test_a_row_that_breaks_a_constraint_is_refused(
    database: str, family: pyodbc.Connection, sql: str, text: str
) -> None:  # fmt: skip
    shown, told = refusal(family, sql)
    assert (shown, text.format(database) in told) == (547, True), told
    assert fetch(family, "SELECT COUNT(*), SUM(age), MIN(parent) FROM dbo.child") == [(2, 5, 1)]


def test_constraints_are_added_and_dropped_by_name(family: pyodbc.Connection) -> None:
    family.execute("ALTER TABLE dbo.child DROP CONSTRAINT FK_child, CK_age")
    family.execute("INSERT dbo.child (id, parent, age, size) VALUES (12, 99, -5, 0)")
    assert (
        refusal(
            family, "ALTER TABLE dbo.child ADD CONSTRAINT FK_again FOREIGN KEY (parent) REFERENCES dbo.parent (id)"
        )[0]
        == 547
    )
    family.execute("DELETE dbo.child WHERE id = 12")
    family.execute(
        "ALTER TABLE dbo.child ADD CONSTRAINT FK_again FOREIGN KEY (parent) REFERENCES dbo.parent (id) ON "
        "DELETE CASCADE"
    )
    family.execute("DELETE dbo.parent WHERE id = 1")
    assert fetch(family, "SELECT id FROM dbo.child") == [(11,)]
    family.execute("ALTER TABLE dbo.child ADD CONSTRAINT DF_size DEFAULT 8 FOR size")
    family.execute("INSERT dbo.child (id) VALUES (13)")
    assert fetch(family, "SELECT size FROM dbo.child WHERE id = 13") == [(8,)]
    assert refusal(family, "DROP TABLE dbo.parent")[0] == 3726
    assert refusal(family, "TRUNCATE TABLE dbo.parent")[0] == 4712
    assert refusal(family, "ALTER TABLE dbo.child DROP CONSTRAINT nothing")[0] == 3728
    assert (
        refusal(family, "ALTER TABLE dbo.child ADD CONSTRAINT FK_x FOREIGN KEY (parent) REFERENCES dbo.gone")[0] == 1767
    )
    assert refusal(family, "ALTER TABLE dbo.child ADD CONSTRAINT PK_parent UNIQUE (age)")[0] == 2714


def test_unique_takes_one_null_and_a_filter_lets_more_in(family: pyodbc.Connection) -> None:
    family.execute("INSERT dbo.parent VALUES (3, NULL)")
    shown, text = refusal(family, "INSERT dbo.parent VALUES (4, NULL)")
    assert (shown, "UQ_code" in text, "(<NULL>)" in text) == (2627, True, True)
    family.execute("CREATE UNIQUE INDEX U ON dbo.child (age) WHERE age IS NOT NULL")
    family.execute("INSERT dbo.child (id) VALUES (20), (21)")
    assert refusal(family, "INSERT dbo.child (id, age, size) VALUES (22, 5, 9)")[0] == 2601
    family.execute("CREATE INDEX I ON dbo.child (parent) INCLUDE (age) WHERE age > 3")


def test_a_computed_column_is_computed_where_it_is_read(family: pyodbc.Connection) -> None:
    assert fetch(family, "SELECT twice, label FROM dbo.child WHERE twice = 10") == [(10, "#10")]
    family.execute("UPDATE dbo.child SET age = 4 WHERE twice = 10")
    assert fetch(family, "SELECT * FROM dbo.child WHERE id = 10") == [(10, 1, 4, 6, 8, "#10")]
    assert refusal(family, "UPDATE dbo.child SET twice = 1")[0] == 271
    assert refusal(family, "INSERT dbo.child (id, twice) VALUES (1, 1)")[0] == 271


def test_a_table_refers_to_itself(connection: pyodbc.Connection) -> None:
    connection.execute(
        "CREATE TABLE dbo.node (id int PRIMARY KEY, parent int CONSTRAINT FK_node REFERENCES dbo.node (id))"
    )
    connection.execute("INSERT dbo.node VALUES (1, NULL), (2, 1), (3, 3)")
    assert "FOREIGN KEY SAME TABLE constraint" in refusal(connection, "INSERT dbo.node VALUES (4, 9)")[1]
    assert "SAME TABLE REFERENCE constraint" in refusal(connection, "DELETE dbo.node WHERE id = 1")[1]
    connection.execute("DELETE dbo.node")


def test_identity_values_are_given_while_that_is_on(stock: pyodbc.Connection) -> None:
    assert refusal(stock, "INSERT dbo.stock (id, name) VALUES (40, N'x')")[0] == 544
    stock.execute("SET IDENTITY_INSERT dbo.stock ON")
    stock.execute("INSERT dbo.stock (id, name) VALUES (40, N'x')")
    assert refusal(stock, "INSERT dbo.stock (name) VALUES (N'y')")[0] == 545
    assert refusal(stock, "INSERT dbo.stock VALUES (N'y', 1)")[0] == 8101
    stock.execute("CREATE TABLE dbo.more (id int IDENTITY, a int); CREATE TABLE dbo.less (a int)")
    assert refusal(stock, "SET IDENTITY_INSERT dbo.more ON")[0] == 8107
    assert refusal(stock, "SET IDENTITY_INSERT dbo.less ON")[0] == 8106
    stock.execute("SET IDENTITY_INSERT dbo.stock OFF")
    stock.execute("INSERT dbo.stock (name) VALUES (N'y')")
    assert fetch(stock, "SELECT id FROM dbo.stock WHERE name IN (N'x', N'y') ORDER BY id") == [(40,), (41,)]


# Queries


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("WITH c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT SUM(n), COUNT(*) FROM c",
         [(15, 5)]),
        ("WITH c (n, path) AS (SELECT id, CAST(name AS nvarchar(99)) FROM dbo.stock WHERE id = 1 UNION ALL "
         "SELECT s.id, CAST(c.path + N'/' + s.name AS nvarchar(99)) FROM dbo.stock s JOIN c ON s.id = c.n + 1) "
         "SELECT MAX(path) FROM c", [("a/b/c/d",)]),
        ("WITH c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 300) SELECT MAX(n) FROM c "
         "OPTION (MAXRECURSION 0)", [(300,)]),
        ("SELECT TOP (2) WITH TIES name FROM (VALUES (N'a', 1), (N'b', 2), (N'c', 2), (N'd', 3)) v (name, n) "
         "ORDER BY n",
         [("a",), ("b",), ("c",)]),
        ("SELECT TOP (50) PERCENT id FROM dbo.stock ORDER BY id DESC", [(4,), (3,)]),
        ("SELECT STRING_AGG(name, N', ') WITHIN GROUP (ORDER BY n DESC) FROM dbo.stock", [("d, c, b, a",)]),
        ("SELECT n % 2, STRING_AGG(name, N'') WITHIN GROUP (ORDER BY name) FROM dbo.stock GROUP BY n % 2 ORDER BY 1",
         [(0, "bd"), (1, "ac")]),
    ],
)  # fmt: skip
def test_a_query_of_t_sqls_own_kind(stock: pyodbc.Connection, sql: str, expected: list[tuple[Any, ...]]) -> None:
    assert sorted(fetch(stock, sql), key=str) == sorted(expected, key=str)


def test_a_recursion_has_a_bound_and_one_type(connection: pyodbc.Connection) -> None:
    endless = "WITH c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c) SELECT COUNT(*) FROM c"
    shown, text = refusal(connection, endless)
    assert (shown, "The maximum recursion 100 has been exhausted" in text) == (530, True)
    assert refusal(connection, endless + " OPTION (MAXRECURSION 7)")[0] == 530
    other = "WITH c AS (SELECT N'a' AS s UNION ALL SELECT s + N'a' FROM c) SELECT * FROM c"
    assert refusal(connection, other)[0] == 240
