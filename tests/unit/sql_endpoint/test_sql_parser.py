"""Batches of T-SQL come apart into the statements that SQL Server would see."""

from __future__ import annotations

import pytest

from setup_kit.sandbox.sql.errors import SqlError
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.language import statements_security as ss
from setup_kit.sandbox.sql.language.parser import parse_batch


def labels(text: str) -> list[str]:
    return [statement.label for statement in parse_batch(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ;; ", []),
        ("SELECT 1 SELECT 2", ["SELECT", "SELECT"]),
        ("SELECT 1 UNION ALL SELECT 2 SELECT 3", ["SELECT", "SELECT"]),
        ("INSERT INTO t (a) SELECT 1 SELECT 2", ["INSERT", "SELECT"]),
        ("UPDATE t SET a = 1 DELETE t SET NOCOUNT ON", ["UPDATE", "DELETE", "SET"]),
        ("SELECT CASE WHEN 1 = 1 THEN 2 ELSE 3 END SELECT 4", ["SELECT", "SELECT"]),
        ("SELECT * FROM t WITH (NOLOCK) SELECT 1", ["SELECT", "SELECT"]),
        ("WITH x AS (SELECT 1 AS a) SELECT a FROM x; SELECT 2", ["SELECT", "SELECT"]),
        ("SELECT 'a; SELECT 2' -- ; SELECT 3\n/* SELECT 4 */", ["SELECT"]),
        ("SELECT [a; b], [SELECT] FROM [x]]; DROP TABLE t--]", ["SELECT"]),
        ("IF 1 = 1 SELECT 1 ELSE SELECT 2 SELECT 3", ["IF", "SELECT"]),
        ("BEGIN TRAN INSERT t VALUES (1) COMMIT", ["TRANSACTION", "INSERT", "TRANSACTION"]),
        ("DECLARE @a int = 1, @b decimal(5, 2) SET @a = 2 PRINT @a", ["DECLARE", "SET", "PRINT"]),
        ("MERGE t USING s ON t.a = s.a WHEN MATCHED THEN DELETE; SELECT 1", ["MERGE", "SELECT"]),
        ("CREATE TABLE t (a int) DROP TABLE t", ["CREATE TABLE", "DROP TABLE"]),
        ("GRANT SELECT, INSERT ON SCHEMA::[d] TO [u] REVOKE DELETE TO u", ["GRANT", "REVOKE"]),
    ],
)
def test_statements_are_told_apart_with_and_without_semicolons(text: str, expected: list[str]) -> None:
    assert labels(text) == expected


def test_names_and_passwords_are_taken_exactly() -> None:
    (login,) = parse_batch("CREATE LOGIN [x]]; DROP TABLE t--] WITH PASSWORD = N'o''brien''; --'")
    assert isinstance(login, ss.CreateLogin)
    assert (login.login, login.password) == ("x]; DROP TABLE t--", "o'brien'; --")


def test_a_password_is_not_in_the_statements_text() -> None:
    for text in (
        "CREATE LOGIN l WITH PASSWORD = N'Hidden-Word-1'",
        "ALTER LOGIN l WITH PASSWORD = N'Hidden-Word-1' OLD_PASSWORD = N'Hidden-Word-1'",
        "CREATE USER u WITH PASSWORD = N'Hidden-Word-1'",
        "ALTER USER u WITH PASSWORD = N'Hidden-Word-1'",
    ):
        assert "Hidden" not in repr(parse_batch(text))


def test_a_line_number_is_kept() -> None:
    assert [statement.line for statement in parse_batch("SELECT 1\n\nSELECT 2\nGRANT SELECT TO u")] == [1, 3, 4]


def test_the_permissions_of_a_grant_have_several_words() -> None:
    (grant,) = parse_batch('GRANT CREATE TABLE, ALTER ANY USER, VIEW DATABASE STATE TO [a b], "c" WITH GRANT OPTION')
    assert isinstance(grant, ss.ChangePermissions)
    assert grant.permissions == ("CREATE TABLE", "ALTER ANY USER", "VIEW DATABASE STATE")
    assert grant.principals == ("a b", "c")
    assert grant.grant_option


def test_columns_have_their_types_and_constraints() -> None:
    (table,) = parse_batch(
        "CREATE TABLE [d].[t] ([Id] uniqueidentifier NOT NULL PRIMARY KEY CLUSTERED, a nvarchar(max) NULL, "
        "b decimal(38,4), "
        "c real DEFAULT (1.5), d int IDENTITY(5,2), e datetime CONSTRAINT df DEFAULT getutcdate() NOT NULL, "
        "CONSTRAINT [u] UNIQUE NONCLUSTERED (a ASC, b DESC),)"
    )
    assert isinstance(table, so.CreateTable)
    assert [str(column.type) for column in table.columns] == [
        "uniqueidentifier", "nvarchar(max)", "decimal(38,4)", "real", "int", "datetime",
    ]  # fmt: skip
    assert [column.nullable for column in table.columns] == [False, True, None, None, None, False]
    assert table.columns[3].default_text == "1.5"
    assert table.columns[4].identity == (5, 2)
    assert (table.columns[5].default_name, table.columns[5].default_text) == ("df", "getutcdate()")
    keys = [key for key in table.constraints if isinstance(key, so.KeyDefinition)]
    assert [(key.kind, key.columns, key.name) for key in keys] == [
        ("PK", ("Id",), None),
        ("UQ", ("a", "b"), "u"),
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SELECT 1 CREATE SCHEMA s", 40530),
        ("CREATE LOGIN a WITH PASSWORD = x", 102),
        ("CREATE USER u WITH LANGUAGE = x", 40517),
        ("GRANT SELECT (a) ON t TO u", 40517),
        ("DBCC CHECKDB", 40510),
        ("CREATE FUNCTION f() RETURNS int AS BEGIN RETURN 1 END", 40510),
        ("BEGIN SELECT 1", 102),
        ("END", 156),
        ("SELECT * FROM", 156),
        ("CREATE TABLE a.b.c.d (x int)", 40515),
        ("CREATE TABLE t (a nvarchar(4001))", 131),
        ("CREATE TABLE t (a decimal(39, 0))", 2750),
        ("CREATE TABLE t (a decimal(5, 6))", 192),
        ("CREATE TABLE t (a int(4))", 2716),
        (f"SELECT 1 AS [{'x' * 129}]; CREATE TABLE [{'x' * 129}] (a int)", 103),
        ("SELECT [open", 105),
        ("SELECT " + "(" * 5000, 102),
    ],
)
def test_what_cannot_be_read_has_its_error_number(text: str, number: int) -> None:
    with pytest.raises(SqlError) as caught:
        parse_batch(text)
    assert caught.value.number in (number, 8631 if len(text) > 5000 else number)
