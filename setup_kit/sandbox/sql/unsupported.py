"""What this server does not carry out: the one table of it, which every refusal goes through.

Each entry has the number with which SQL Server (Azure SQL Database, where it has one of its own) refuses what it does
not carry out itself: 40510 a statement, 40511 a function, 40514 a part of a statement, 40517 an option, 40524 a type.
`setup-kit sandbox sql` prints the table, and a test runs each `example`.
"""

from __future__ import annotations

from dataclasses import dataclass

from setup_kit.sandbox.sql import errors

STATEMENT, FUNCTION, FEATURE, OPTION, TYPE = 40510, 40511, 40514, 40517, 40524

#: What the numbers stand for, in the order in which people read them.
GROUPS = {
    STATEMENT: "Statements", FUNCTION: "Functions", FEATURE: "Parts of statements", OPTION: "Other options of",
    TYPE: "Data types",
}  # fmt: skip


@dataclass(frozen=True)
class Unsupported:
    """`example`: a batch that is refused for it; empty where only a client's messages can ask for it."""

    name: str
    number: int
    example: str = ""


def refused(name: str, detail: str = "") -> errors.SqlError:
    """The error for an entry of the table; KeyError for what is not listed. `detail` says more in the text."""
    entry = ENTRIES[name]
    return errors.error(entry.number, f"{entry.name} {detail}" if detail else entry.name)


def is_listed(name: str) -> bool:
    return name in ENTRIES


def _statements() -> dict[str, str]:
    found = {
        "ALTER TABLE of a temporary table": "CREATE TABLE #t (a int, b int); ALTER TABLE #t DROP COLUMN b",
        "BACKUP": "BACKUP DATABASE d TO DISK = 'x'",
        "BEGIN CONVERSATION": "BEGIN CONVERSATION TIMER ('x') TIMEOUT = 1",
        "BEGIN DIALOG": "BEGIN DIALOG @d FROM SERVICE a TO SERVICE 'b'",
        "BEGIN DISTRIBUTED": "BEGIN DISTRIBUTED TRAN",
        "BULK": "BULK INSERT t FROM 'x'",
        "CHECKPOINT": "CHECKPOINT",
        "CLOSE": "CLOSE c",
        "CREATE TYPE EXTERNAL NAME": "CREATE TYPE t EXTERNAL NAME a.b",
        "DBCC": "DBCC CHECKDB",
        "DEALLOCATE": "DEALLOCATE c",
        "DECLARE CURSOR": "DECLARE @c CURSOR",
        "DISABLE": "DISABLE TRIGGER x ON t",
        "ENABLE": "ENABLE TRIGGER x ON t",
        "EXECUTE AS": "EXECUTE AS USER = 'x'",
        "FETCH": "FETCH NEXT FROM c",
        "GOTO": "GOTO there",
        "KILL": "KILL 51",
        "OPEN": "OPEN c",
        "RECONFIGURE": "RECONFIGURE",
        "RESTORE": "RESTORE DATABASE d FROM DISK = 'x'",
        "REVERT": "REVERT",
        "SHUTDOWN": "SHUTDOWN",
        "WAITFOR (RECEIVE …)": "WAITFOR (RECEIVE * FROM q)",
        "ALTER TABLE in this form": "ALTER TABLE t SWITCH TO u",
        "ALTER SERVER": "ALTER SERVER CONFIGURATION SET PROCESS AFFINITY CPU = 0",
        "ALTER SERVER ROLE": "ALTER SERVER ROLE sysadmin ADD MEMBER x",
    }
    for verb, kinds in _KINDS_OF_OBJECTS.items():
        found |= {f"{verb} {kind}": f"{verb} {kind} x" for kind in kinds.split(", ")}
    return found


#: Objects that SQL Server has and this server does not, by the statements that make, change and drop them.
_KINDS_OF_OBJECTS = {
    "CREATE": (
        "AGGREGATE, APPLICATION, ASSEMBLY, ASYMMETRIC, CERTIFICATE, COLUMN, COLUMNSTORE, CREDENTIAL, DEFAULT, EVENT, "
        "EXTERNAL, FULLTEXT, FUNCTION, MASTER, PARTITION, QUEUE, RULE, SECURITY, SEQUENCE, SERVICE, SPATIAL, "
        "STATISTICS, SYMMETRIC, SYNONYM, TRIGGER, XML"
    ),
    "ALTER": (
        "APPLICATION, ASSEMBLY, ASYMMETRIC, CERTIFICATE, CREDENTIAL, EVENT, EXTERNAL, FULLTEXT, FUNCTION, INDEX, "
        "MASTER, PARTITION, QUEUE, SECURITY, SEQUENCE, SERVICE, SYMMETRIC, TRIGGER, XML"
    ),
    "DROP": (
        "AGGREGATE, APPLICATION, ASSEMBLY, ASYMMETRIC, CERTIFICATE, CREDENTIAL, DEFAULT, EVENT, EXTERNAL, FULLTEXT, "
        "FUNCTION, MASTER, PARTITION, QUEUE, RULE, SECURITY, SEQUENCE, SERVICE, SIGNATURE, STATISTICS, SYMMETRIC, "
        "SYNONYM, TRIGGER, XML"
    ),
    "CREATE OR ALTER": "FUNCTION, TRIGGER",
}

_FEATURES = {
    "ALTER TABLE ADD … IDENTITY": "CREATE TABLE t (a int); ALTER TABLE t ADD b int IDENTITY",
    "APPLY": "SELECT * FROM sys.tables t CROSS APPLY (SELECT 1 AS a) x",
    "AT TIME ZONE": "SELECT GETDATE() AT TIME ZONE 'UTC'",
    "Always Encrypted parameter": "",
    "COLLATE": "SELECT N'a' COLLATE Latin1_General_BIN",
    "CONVERT of a string in style": "SELECT CONVERT(datetime, '06/05/1445', 131)",
    "CONVERT with a style that is not a number": "SELECT CONVERT(nvarchar(9), 1, @@SPID)",
    "DEFAULT with a condition": (
        "CREATE TABLE t (a int DEFAULT (CASE WHEN 1 = 1 THEN 2 END), b int); INSERT t (b) VALUES (1)"
    ),
    "FOR JSON": "SELECT name FROM sys.tables FOR JSON AUTO",
    "FOR XML": "SELECT name FROM sys.tables FOR XML AUTO",
    "FOR SYSTEM_TIME": "SELECT * FROM t FOR SYSTEM_TIME ALL",
    "GROUP BY ROLLUP, CUBE or GROUPING SETS": "SELECT name FROM sys.tables GROUP BY ROLLUP (name)",
    "MERGE TOP": "CREATE TABLE t (a int); MERGE TOP (1) t USING t AS s ON 1 = 0 WHEN MATCHED THEN DELETE;",
    "NEXT VALUE FOR": "SELECT NEXT VALUE FOR s",
    "OPENJSON": "SELECT * FROM OPENJSON('[]')",
    "OPENROWSET": "SELECT * FROM OPENROWSET('a', 'b', 'c')",
    "PIVOT": "SELECT * FROM sys.tables PIVOT (COUNT(name) FOR type IN ([U])) p",
    "RPC with NoExecFlag": "",
    "SET @variable = column": "CREATE TABLE t (a int); DECLARE @v int; UPDATE t SET @v = a = 1",
    "TABLESAMPLE": "SELECT * FROM sys.tables TABLESAMPLE (10 PERCENT)",
    "TDS before 7.3": "",
    "USE beside temporary tables": "",
    "USE within a transaction": "",
    "WINDOW": "SELECT COUNT(*) OVER w FROM sys.tables WINDOW w AS (ORDER BY name)",
    "aggregate OVER of a decimal": "SELECT SUM(1.5) OVER (PARTITION BY name) FROM sys.schemas",
    "ALL, ANY or SOME": "SELECT 1 WHERE 1 = ANY (SELECT 1)",
    "change of the password at login": "",
    "change through a common table expression": "WITH c AS (SELECT 1 AS a) DELETE FROM c",
    "change through a view": "EXEC('CREATE VIEW v AS SELECT 1 AS a'); EXEC('DELETE FROM v')",
    "extended property of an object": "EXEC sp_addextendedproperty N'a', N'b', N'SCHEMA', N'dbo'",
    "filtered unique index": "CREATE TABLE t (a int); CREATE UNIQUE INDEX i ON t (a) WHERE a > 1",
    "function over a window": "SELECT LAG(name) OVER (ORDER BY name) FROM sys.tables",
    "global temporary table": "CREATE TABLE ##t (a int)",
    "key on a computed column": "CREATE TABLE t (a int, b AS (a + 1)); CREATE INDEX i ON t (b)",
    "server cursor": "EXEC sp_cursoropen 1",
    **{
        name: f"EXEC {name}"
        for name in (
            "sp_describe_cursor",
            "sp_getapplock",
            "sp_getbindtoken",
            "sp_helpdb",
            "sp_lock",
            "sp_recompile",
            "sp_refreshview",
            "sp_releaseapplock",
            "sp_updatestats",
            "sp_who2",
            "sp_xml_preparedocument",
        )
    },
    "subquery of an assigned variable": (
        "DECLARE @v int; SELECT @v = (SELECT COUNT(*) FROM sys.tables t WHERE t.object_id > @v + s.schema_id) "
        "FROM sys.schemas s"
    ),
    "system function of a column": (
        "SELECT * FROM sys.schemas s JOIN sys.fn_my_permissions(s.name, 'SCHEMA') p ON 1 = 1"
    ),
    "TOP PERCENT WITH TIES": "SELECT TOP (5) PERCENT WITH TIES name FROM sys.tables ORDER BY name",
    "WITH NOCHECK": "CREATE TABLE t (a int); ALTER TABLE t WITH NOCHECK ADD CHECK (a > 1)",
    "two OUTPUT clauses": "CREATE TABLE t (a int); DELETE t OUTPUT deleted.a INTO #x OUTPUT deleted.a",
    "unpaired surrogate": "",
    "window frame": "SELECT SUM(schema_id) OVER (ORDER BY name ROWS UNBOUNDED PRECEDING) FROM sys.schemas",
}

_FUNCTIONS = (
    "CHECKSUM", "CHECKSUM_AGG", "COMPRESS", "CURRENT_TIMEZONE", "DATE_BUCKET", "DATETRUNC", "DECOMPRESS", "DIFFERENCE",
    "FORMAT", "FORMATMESSAGE", "GREATEST", "GROUPING",
    "GROUPING_ID", "ISJSON", "JSON_ARRAY", "JSON_MODIFY", "JSON_OBJECT", "JSON_QUERY",
    "JSON_VALUE", "LEAST", "OPENXML", "PARSE", "RAND", "SOUNDEX", "STDEV", "STDEVP", "STR", "STRING_ESCAPE",
    "TRY_PARSE", "VAR", "VARP",
)  # fmt: skip

_OPTIONS = {
    "ALL": "GRANT ALL TO public",
    "ALTER AUTHORIZATION ON": "ALTER AUTHORIZATION ON DATABASE::d TO dbo",
    "ALTER DATABASE": "ALTER DATABASE CURRENT COLLATE x",
    "ALTER DATABASE SCOPED CONFIGURATION": "ALTER DATABASE SCOPED CONFIGURATION SET IDENTITY_CACHE = OFF",
    "ALTER LOGIN": "ALTER LOGIN x WITH DEFAULT_DATABASE = d",
    "ALTER USER": "ALTER USER x WITH ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = ON",
    "column permission": "GRANT SELECT (name) ON sys.tables TO public",
    "CREATE DATABASE": "CREATE DATABASE d COLLATE x",
    "CREATE LOGIN": "CREATE LOGIN x WITH PASSWORD = 'Some-Pass-1', CHECK_POLICY = OFF",
    "CREATE LOGIN FROM": "CREATE LOGIN x FROM WINDOWS",
    "CREATE SCHEMA …": "CREATE SCHEMA s CREATE TABLE t (a int)",
    "CREATE SCHEMA AUTHORIZATION": "CREATE SCHEMA AUTHORIZATION dbo",
    "CREATE TABLE AS": "CREATE TABLE t AS FILETABLE",
    "CREATE USER": "CREATE USER x WITH PASSWORD = 'Some-Pass-1', ALLOW_ENCRYPTED_VALUE_MODIFICATIONS = ON",
    "CREATE USER FOR": "CREATE USER x FOR CERTIFICATE c",
    "FOREIGN KEY ON UPDATE, SET DEFAULT": (
        "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE c (a int REFERENCES p ON UPDATE CASCADE)"
    ),
    "FROM EXTERNAL PROVIDER without OBJECT_ID": "CREATE USER x FROM EXTERNAL PROVIDER",
    "INDEX in CREATE TABLE": "CREATE TABLE t (a int, INDEX i (a))",
    "INSERT BULK": "INSERT BULK t (a int) WITH (ERRORFILE)",
    "SET": "SET QUERY_GOVERNOR_COST_LIMIT 1",
    "column option": "CREATE TABLE t (a int SPARSE)",
    "transaction name variable": "DECLARE @n varchar(9) = 'x'; BEGIN TRAN @n",
    "WITH option of a view or procedure": "CREATE VIEW v WITH SCHEMABINDING AS SELECT 1 AS a",
}

_TYPES = {
    **{
        name: f"DECLARE @x {name}"
        for name in ("xml", "rowversion", "geography", "geometry", "hierarchyid", "json", "vector")
    },
    "CLR": "",
    "sql_variant of another type": "",
}

_TABLES = {
    STATEMENT: _statements(),
    FUNCTION: {name: f"SELECT {name}(1)" for name in _FUNCTIONS},
    FEATURE: _FEATURES,
    OPTION: _OPTIONS,
    TYPE: _TYPES,
}

ENTRIES: dict[str, Unsupported] = {
    name: Unsupported(name, number, example) for number, table in _TABLES.items() for name, example in table.items()
}
