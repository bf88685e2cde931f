"""T-SQL that no person should write: words in no order, statements with something wrong, and what nests without end."""

# ruff: noqa: E501, SIM905, S608 - texts are read better whole

from __future__ import annotations

import random

_WORDS = (
    "SELECT FROM WHERE GROUP BY ORDER HAVING UNION ALL EXCEPT INTERSECT JOIN LEFT RIGHT FULL CROSS APPLY OUTER ON AS INSERT INTO VALUES "
    "UPDATE SET DELETE MERGE USING WHEN MATCHED THEN NOT AND OR IN EXISTS BETWEEN LIKE ESCAPE IS NULL CASE ELSE END TOP DISTINCT "
    "CREATE ALTER DROP TABLE VIEW INDEX PROCEDURE TYPE SCHEMA USER ROLE LOGIN DATABASE PRIMARY KEY UNIQUE IDENTITY DEFAULT CONSTRAINT "
    "BEGIN TRAN COMMIT ROLLBACK SAVE TRY CATCH THROW RAISERROR PRINT DECLARE EXEC EXECUTE IF WHILE BREAK CONTINUE RETURN GO GOTO "
    "GRANT DENY REVOKE TO WITH PASSWORD OPTION OVER PARTITION ROW_NUMBER() COUNT(*) MAX MIN SUM AVG CAST CONVERT TRY_CAST COALESCE "
    "ISNULL NULLIF IIF LEN SUBSTRING REPLACE UPPER CONCAT GETDATE() DATEADD DATEDIFF NEWID() @@TRANCOUNT @@ERROR SCOPE_IDENTITY() "
    "OBJECT_ID DB_NAME() STRING_AGG JSON_VALUE OPENJSON FOR XML PATH OFFSET ROWS FETCH NEXT ONLY PIVOT int bigint nvarchar(10) "
    "nvarchar(max) decimal(38,10) datetime2 uniqueidentifier varbinary(max) bit money sql_variant table READONLY OUTPUT INSERTED "
    "TRUNCATE USE WAITFOR DELAY BULK OPENROWSET sp_executesql sys.objects sys.columns sys.tables INFORMATION_SCHEMA.TABLES dbo.t "
    "dbo.u #temp ##g t u a b c @a @b @t * + - / % = <> < > <= >= != !< ( ) ( ) , , . ; :: & | ^ ~ { } [ ] ' \" -- /* */ \\ $ ? # "
    "COLLATE Latin1_General_CI_AS AT TIME ZONE CUBE ROLLUP GROUPING SETS"
).split()  # fmt: skip
_LITERALS = (
    "0", "1", "-1", "2147483648", "9223372036854775808", "99999999999999999999999999999999999999", "1e308", "1e-400", ".5", "0x", "0xFF",
    "0xABC", "N'x'", "''", "'it''s'", "N'\U0001f600'", "'\x00'", "[a]]b]", '"q""q"', "[]", "'", "N'", "[", '"', "/*", "--\n", "1.1.1.1",
    "\ud800", "\u2028", "\x1a", "é", "ſ", "İ", "$1", "$", "£5", "@", "@@", "#", "''''''", "';DROP TABLE dbo.t;--", "%s{}\\n",
)  # fmt: skip
STATEMENTS = (
    "SELECT a, COUNT(*) FROM dbo.t WHERE b LIKE N'%x%' AND a IN (1, 2) GROUP BY a HAVING COUNT(*) > 0 ORDER BY a DESC OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY",
    "INSERT INTO dbo.t (a, b) VALUES (1, N'x'), (2, NULL), (3, DEFAULT)",
    "UPDATE t SET b = CONCAT(b, N'y') FROM dbo.t AS t INNER JOIN dbo.u AS u ON u.a = t.a WHERE t.a BETWEEN 1 AND 3",
    "DELETE FROM dbo.t WHERE EXISTS (SELECT 1 FROM dbo.u WHERE u.a = t.a)",
    "MERGE dbo.t AS t USING dbo.u AS u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = u.b WHEN NOT MATCHED THEN INSERT (a, b) VALUES (u.a, u.b);",
    "DECLARE @i int = 0; WHILE @i < 5 BEGIN SET @i = @i + 1; IF @i = 3 CONTINUE; PRINT @i END",
    "BEGIN TRY BEGIN TRAN; INSERT dbo.t (a) VALUES (1/0); COMMIT END TRY BEGIN CATCH ROLLBACK; THROW END CATCH",
    "CREATE TABLE dbo.made (a int NOT NULL PRIMARY KEY, b decimal(18, 4) DEFAULT 0, c nvarchar(max)); DROP TABLE dbo.made",
    "CREATE PROCEDURE dbo.p @a int, @b nvarchar(10) = N'x' OUTPUT AS BEGIN SELECT @a, @b; RETURN 1 END",
    "EXEC sp_executesql N'SELECT @a', N'@a int', @a = 1",
    "WITH c AS (SELECT a FROM dbo.t UNION ALL SELECT a FROM dbo.u) SELECT * FROM c CROSS JOIN c AS d",
    "SELECT CASE WHEN a = 1 THEN N'one' ELSE CAST(a AS nvarchar(10)) END, TRY_CONVERT(int, b), DATEADD(day, 1, GETDATE()) FROM dbo.t",
    "CREATE USER [x]]y] WITH PASSWORD = N'Secret-Pass-99'; DROP USER [x]]y]",
    "GRANT SELECT ON SCHEMA::dbo TO public; DENY EXECUTE ON OBJECT::dbo.p TO public; REVOKE SELECT ON SCHEMA::dbo FROM public",
    "SELECT o.name, c.name FROM sys.objects o JOIN sys.columns c ON c.object_id = o.object_id WHERE o.type = 'U'",
    "SET XACT_ABORT ON; SET NOCOUNT ON; SET IMPLICIT_TRANSACTIONS ON; SELECT @@TRANCOUNT; SET IMPLICIT_TRANSACTIONS OFF",
    "SELECT STRING_AGG(b, N',') WITHIN GROUP (ORDER BY a) FROM dbo.t",
)  # fmt: skip


def sql(chance: random.Random) -> str:
    """Words in no order, or a statement with words put in, taken out and put elsewhere."""
    if chance.random() < 0.4:
        parts = [chance.choice(_WORDS if chance.random() < 0.8 else _LITERALS) for _ in range(chance.randint(1, 40))]
        return " ".join(parts) if chance.random() < 0.9 else "".join(parts)
    parts = chance.choice(STATEMENTS).split(" ")
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(parts) + 1)
        match chance.randrange(5):
            case 0:
                del parts[at : at + chance.randint(1, 4)]
            case 1:
                parts.insert(at, chance.choice(_LITERALS))
            case 2:
                parts.insert(at, chance.choice(_WORDS))
            case 3 if at < len(parts):
                word = parts[at]
                cut = chance.randrange(len(word) + 1)
                parts[at] = word[:cut] + chance.choice(_LITERALS) + word[cut:]
            case _:
                parts[at:at] = parts[chance.randrange(len(parts) + 1) :][:6]
    return " ".join(parts)


_DEEP = 10_000
#: What nests ten thousand deep, is that long, or tries to break out of quotes.
HARD: tuple[str, ...] = (
    "SELECT " + "(" * _DEEP + "1" + ")" * _DEEP, "SELECT " + "(" * _DEEP, "SELECT " + ")" * _DEEP, "SELECT " + "- " * _DEEP + "1",
    "SELECT " + "NOT " * _DEEP + "1", "SELECT 1 WHERE " + "NOT " * _DEEP + "1 = 1", "SELECT 1" + " + 1" * _DEEP, "SELECT 1 WHERE 1 = 1" + " AND 1 = 1" * _DEEP,
    "SELECT 1 WHERE 1 = 1" + " OR 1 = 1" * _DEEP, "SELECT " + "CASE WHEN 1 = 1 THEN " * _DEEP + "1" + " END" * _DEEP,
    "SELECT * FROM " + "(SELECT * FROM " * _DEEP + "dbo.t" + ") AS x" * _DEEP, "SELECT 1" + " UNION ALL SELECT 1" * _DEEP,
    "BEGIN " * _DEEP + "SELECT 1" + " END" * _DEEP, "IF 1 = 1 " * _DEEP + "SELECT 1", "WHILE 1 = 0 " * _DEEP + "SELECT 1",
    "BEGIN TRY " * _DEEP + "SELECT 1" + " END TRY BEGIN CATCH END CATCH" * _DEEP, "BEGIN TRAN;" * _DEEP + "SELECT @@TRANCOUNT; ROLLBACK",
    "SELECT " + "ISNULL(" * _DEEP + "1" + ", 1)" * _DEEP, "SELECT " + "CAST(" * _DEEP + "1" + " AS int)" * _DEEP, "SELECT 1 IN " + "(SELECT 1 WHERE 1 IN " * _DEEP,
    "SELECT " + "a." * _DEEP + "b", "SELECT " + "[a]." * _DEEP + "b FROM dbo.t", "SELECT '" + "''" * _DEEP + "'", "SELECT " + "[" * _DEEP, "/*" * _DEEP,
    "SELECT 1 " + "/*" * _DEEP + "*/" * _DEEP, "DECLARE " + ", ".join(f"@a{n} int" for n in range(_DEEP)), "SELECT " + ", ".join(["1"] * 5000),
    "INSERT INTO dbo.t (a) VALUES " + ", ".join(["(1)"] * 5000), "SELECT * FROM dbo.t WHERE a IN (" + ", ".join(["1"] * _DEEP) + ")",
    "EXEC(N'" * 12 + "SELECT 1" + "')" * 12, "SELECT N'" + "x" * 1_000_000 + "'", "SELECT REPLICATE(CAST(N'x' AS nvarchar(max)), 2000000000)",
    "DECLARE @s nvarchar(max) = N'x'; WHILE 1 = 1 SET @s = @s + @s", "DECLARE @s varbinary(max) = 0x00; WHILE 1 = 1 SET @s = @s + @s",
    "SELECT SPACE(2000000000), REPLICATE('x', 2000000000), STUFF(REPLICATE(CAST('x' AS varchar(max)), 2000000000), 1, 1, '')",
    "CREATE PROCEDURE dbo.again AS EXEC dbo.again", "EXEC dbo.again", "WHILE 1 = 1 SELECT 1", "WHILE 1 = 1 PRINT N'x'",
    "SELECT COUNT(*) FROM sys.all_objects a, sys.all_objects b, sys.all_objects c, sys.all_objects d, sys.all_objects e",
    "WITH c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c) SELECT COUNT(*) FROM c", "CREATE TABLE dbo.[a]]; DROP TABLE dbo.t;--] (a int)",
    'CREATE TABLE dbo."b""; DROP TABLE dbo.t;--" ([x''] int, ["] int, [;] int)', "SELECT [x''], [\"], [;] FROM dbo.[b\"; DROP TABLE dbo.t;--]",
    "CREATE USER [u'; DROP TABLE dbo.t;--] WITHOUT LOGIN", "SELECT OBJECT_ID(N'dbo.[a]]; DROP TABLE dbo.t;--]'), OBJECT_ID(N'[[[[]]]]')",
    "EXEC sp_executesql N'SELECT @a', N'@a int = 1); DROP TABLE dbo.t;--', 1", "SELECT 1 AS [" + "n" * 129 + "]", "SELECT 1 AS [" + "]]" * 5000 + "]",
    "SELECT '\x00' + N'\uffff'", "\x00", ";" * _DEEP, "\n" * _DEEP + "x", "SELECT " + "1" * _DEEP, "SELECT 0x" + "F" * (2 * _DEEP), "SELECT 1e" + "9" * _DEEP,
    "WAITFOR DELAY '10:00:00'", "SELECT " + "MAX(" * 200 + "a" + ")" * 200 + " FROM dbo.t", "SELECT 1 ORDER BY " + ", ".join(["1"] * 3000),
)  # fmt: skip
