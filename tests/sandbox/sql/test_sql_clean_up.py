"""The two clean-up scripts of Microsoft's documentation, run as they stand there.

They are on the page "Replicate data to Azure SQL Database using Data Export Service" (learn.microsoft.com, Power
Platform, admin/replicate-data-microsoft-azure-sql-database), in the sections "How to delete all Data Export Profile
tables and stored procedures" and "How to delete Data Export Profile tables and stored procedures for a specific
entity". Only the values that a reader is told to provide are put in.
"""

# ruff: noqa: S608 - statements in text are what is tested

from __future__ import annotations

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number

ALL = """-----------------------------------------------------------------
-- Provide the value for the following parameters
DECLARE @prefix nvarchar(32) ='{prefix}'
DECLARE @schema nvarchar(32) ='dbo'
-----------------------------------------------------------------

DECLARE @sql nvarchar(max) = '';

SELECT @sql += 'DROP TABLE ' + QUOTENAME([TABLE_SCHEMA]) + '.' + QUOTENAME([TABLE_NAME]) + ';'
FROM [INFORMATION_SCHEMA].[TABLES]
WHERE [TABLE_TYPE] = 'BASE TABLE' AND [TABLE_NAME] like @prefix + '_%' AND [TABLE_SCHEMA]= @schema;

PRINT @sql
EXEC SP_EXECUTESQL @sql;

PRINT 'Finished dropping all tables. Starting to drop all stored procedures now.'

SELECT @sql='';
SELECT @sql += 'DROP PROCEDURE ' + QUOTENAME([ROUTINE_SCHEMA]) + '.' + QUOTENAME([ROUTINE_NAME]) + ';'
FROM [INFORMATION_SCHEMA].[ROUTINES]
WHERE [ROUTINE_TYPE] = 'PROCEDURE' AND [ROUTINE_NAME] like @prefix + '_%' AND [ROUTINE_SCHEMA]= @schema;
PRINT @sql
EXEC SP_EXECUTESQL @sql;

PRINT 'Finished dropping all stored procedures. Starting to drop all types now.'

SELECT @sql='';\x20
SELECT @sql += 'DROP TYPE ' + QUOTENAME(SCHEMA_NAME([SCHEMA_ID])) + '.' +  QUOTENAME([NAME]) + ';'
FROM SYS.TYPES
WHERE is_user_defined = 1 AND [NAME] LIKE @prefix + '_%' AND [SCHEMA_ID]=SCHEMA_ID(@schema);

PRINT @sql
EXEC SP_EXECUTESQL @sql;
"""

ONE_ENTITY = """-----------------------------------------------------------------
-- Provide the value for the following parameters
DECLARE @prefix nvarchar(32) ='{prefix}'
DECLARE @schema nvarchar(32) ='dbo'
DECLARE @entityName nvarchar(32) ='{entity}'
-----------------------------------------------------------------
DECLARE @sql nvarchar(max) = '';

IF @prefix != ''\x20
BEGIN
       SET @prefix = @prefix + '_'
END

SELECT @sql += 'DROP TABLE ' + QUOTENAME([TABLE_SCHEMA]) + '.' + QUOTENAME([TABLE_NAME]) + ';'
FROM [INFORMATION_SCHEMA].[TABLES]
WHERE [TABLE_TYPE] = 'BASE TABLE' AND [TABLE_NAME] like @prefix + @entityName  AND [TABLE_SCHEMA]= @schema;
PRINT @sql
EXEC SP_EXECUTESQL @sql;
PRINT 'Finished dropping the entity. Starting to drop the types associated with the entity'

SELECT @sql='';
SELECT @sql += 'DROP TYPE ' + QUOTENAME(SCHEMA_NAME([SCHEMA_ID])) + '.' + QUOTENAME([NAME]) + ';'
FROM SYS.TYPES
WHERE
  is_user_defined = 1
  AND (
    [NAME] LIKE @prefix + @entityName +'Type'\x20
    OR [NAME] LIKE @prefix + @entityName +'IdType'
  )
  AND [SCHEMA_ID] = SCHEMA_ID(@schema);
PRINT @sql
EXEC SP_EXECUTESQL @sql;
"""


def objects(connection: pyodbc.Connection) -> set[str]:
    query = "SELECT name FROM sys.objects WHERE type IN ('U', 'P') UNION SELECT name FROM sys.types WHERE is_user_defined = 1"  # noqa: E501
    return {row[0] for row in connection.execute(query)}


@pytest.fixture
def filled(connection: pyodbc.Connection) -> pyodbc.Connection:
    """Two profiles' objects: prefix `crm` for leads and accounts, prefix `other` for leads; and a table of ours."""
    for name in ("crm_lead", "crm_account", "other_lead"):
        entity = name.partition("_")[2]
        prefix = name.partition("_")[0]
        connection.execute(f"CREATE TABLE dbo.[{name}] (Id uniqueidentifier NOT NULL PRIMARY KEY, subject nvarchar(9))")
        connection.execute(
            f"CREATE TYPE dbo.[{name}Type] AS TABLE (Id uniqueidentifier NOT NULL PRIMARY KEY, subject nvarchar(9))"
        )
        connection.execute(f"CREATE TYPE dbo.[{name}IdType] AS TABLE (Id uniqueidentifier NOT NULL)")
        connection.execute(
            f"CREATE PROCEDURE dbo.[{prefix}_spMerge{entity}] @rows dbo.[{name}Type] READONLY AS "
            f"MERGE dbo.[{name}] AS t USING @rows AS s ON t.Id = s.Id WHEN MATCHED THEN UPDATE SET subject = s.subject "
            "WHEN NOT MATCHED THEN INSERT (Id, subject) VALUES (s.Id, s.subject);"
        )
    connection.execute("CREATE TABLE dbo.ours (a int)")
    return connection


def names(prefix: str, entity: str) -> set[str]:
    label = f"{prefix}_{entity}"
    return {label, f"{label}Type", f"{label}IdType", f"{prefix}_spMerge{entity}"}


def test_all_objects_of_a_profile_are_deleted_by_the_documented_script(filled: pyodbc.Connection) -> None:
    filled.execute(ALL.format(prefix="crm"))
    assert objects(filled) == names("other", "lead") | {"ours"}
    filled.execute(ALL.format(prefix=""))
    assert objects(filled) == set()


def test_one_entity_is_deleted_by_the_documented_script(filled: pyodbc.Connection) -> None:
    filled.execute("DROP PROCEDURE dbo.crm_spMergelead")
    filled.execute(ONE_ENTITY.format(prefix="crm", entity="lead"))
    assert objects(filled) == names("crm", "account") | names("other", "lead") | {"ours"}


def test_a_type_that_a_procedure_takes_stays(filled: pyodbc.Connection) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        cursor = filled.execute(ONE_ENTITY.format(prefix="crm", entity="lead"))
        while cursor.nextset():
            pass
    assert number(caught.value) == 3732
    assert "Cannot drop type 'dbo.crm_leadType' because it is being referenced by object 'crm_spMergelead'." in str(
        caught.value
    )
    assert objects(filled) >= {"crm_leadType", "crm_spMergelead"}
    assert not objects(filled) & {"crm_lead", "crm_leadIdType"}


def test_the_scripts_print_what_they_run(filled: pyodbc.Connection) -> None:
    filled.execute("DROP PROCEDURE dbo.crm_spMergelead")
    cursor = filled.cursor()
    cursor.execute(ONE_ENTITY.format(prefix="crm", entity="lead"))
    told = [text for _, text in cursor.messages]
    while cursor.nextset():
        told += [text for _, text in cursor.messages]
    shown = "\n".join(told)
    assert "DROP TABLE [dbo].[crm_lead];" in shown
    assert "DROP TYPE [dbo].[crm_leadType];" in shown
    assert "Finished dropping the entity." in shown


def test_the_export_user_with_its_grants_may_run_them(
    server: Server, database: str, filled: pyodbc.Connection
) -> None:  # fmt: skip
    user, password = server.user(database)
    filled.execute(f"GRANT CREATE TABLE, CREATE TYPE, CREATE VIEW, CREATE PROCEDURE TO [{user}]")
    filled.execute(f"GRANT ALTER, REFERENCES, INSERT, DELETE, UPDATE, SELECT, EXECUTE ON SCHEMA::dbo TO [{user}]")
    with closing(server.connect(database, user, password)) as exporter:
        exporter.execute(ALL.format(prefix="crm"))
    assert objects(filled) == names("other", "lead") | {"ours"}
