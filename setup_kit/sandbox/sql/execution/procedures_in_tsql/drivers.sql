-- The catalog procedures that drivers call: "Catalog Stored Procedures" of the SQL Server documentation.
-- Patterns have T-SQL's own wildcards; a driver writes those of its escape character as [_] and [%].

CREATE PROCEDURE sp_tables
    @table_name nvarchar(384) = NULL, @table_owner nvarchar(384) = NULL, @table_qualifier sysname = NULL,
    @table_type varchar(100) = NULL, @fUsePattern bit = 1
AS
IF @table_qualifier = '%' AND @table_owner = '' AND @table_name = ''
    SELECT TABLE_QUALIFIER = CONVERT(sysname, d.name), TABLE_OWNER = CONVERT(sysname, NULL),
        TABLE_NAME = CONVERT(sysname, NULL), TABLE_TYPE = CONVERT(varchar(32), NULL), REMARKS = CONVERT(varchar(254), NULL)
    FROM sys.databases AS d
    ORDER BY TABLE_QUALIFIER
ELSE IF @table_owner = '%' AND @table_name = ''
    SELECT TABLE_QUALIFIER = CONVERT(sysname, NULL), TABLE_OWNER = CONVERT(sysname, s.name),
        TABLE_NAME = CONVERT(sysname, NULL), TABLE_TYPE = CONVERT(varchar(32), NULL), REMARKS = CONVERT(varchar(254), NULL)
    FROM sys.schemas AS s
    ORDER BY TABLE_OWNER
ELSE IF @table_type = '%' AND @table_owner = '' AND @table_name = ''
    SELECT TABLE_QUALIFIER = CONVERT(sysname, NULL), TABLE_OWNER = CONVERT(sysname, NULL),
        TABLE_NAME = CONVERT(sysname, NULL), TABLE_TYPE = CONVERT(varchar(32), t.kind), REMARKS = CONVERT(varchar(254), NULL)
    FROM (VALUES ('SYSTEM TABLE'), ('TABLE'), ('VIEW')) AS t (kind)
    ORDER BY TABLE_TYPE
ELSE
BEGIN
    IF @table_qualifier <> DB_NAME() AND @table_qualifier <> ''
    BEGIN
        RAISERROR (15250, -1, -1)
        RETURN 1
    END
    SELECT TABLE_QUALIFIER = CONVERT(sysname, DB_NAME()), TABLE_OWNER = CONVERT(sysname, SCHEMA_NAME(o.schema_id)),
        TABLE_NAME = CONVERT(sysname, o.name),
        TABLE_TYPE = CONVERT(varchar(32), CASE o.type WHEN 'U' THEN 'TABLE' WHEN 'S' THEN 'SYSTEM TABLE' ELSE 'VIEW' END),
        REMARKS = CONVERT(varchar(254), NULL)
    FROM sys.all_objects AS o
    WHERE o.type IN ('U', 'S', 'V')
        AND (@table_qualifier IS NULL OR @table_qualifier <> '')
        AND (@table_name IS NULL OR o.name = @table_name OR (@fUsePattern = 1 AND o.name LIKE @table_name))
        AND (@table_owner IS NULL OR SCHEMA_NAME(o.schema_id) = @table_owner
            OR (@fUsePattern = 1 AND SCHEMA_NAME(o.schema_id) LIKE @table_owner))
        AND (@table_type IS NULL OR CHARINDEX(
            CASE o.type WHEN 'U' THEN '''TABLE''' WHEN 'S' THEN '''SYSTEM TABLE''' ELSE '''VIEW''' END, @table_type) > 0)
        AND (o.is_ms_shipped = 1
            OR HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + '.' + QUOTENAME(o.name), 'OBJECT', 'SELECT') = 1)
    ORDER BY TABLE_TYPE, TABLE_QUALIFIER, TABLE_OWNER, TABLE_NAME
END
GO
CREATE PROCEDURE sp_columns
    @table_name nvarchar(384), @table_owner nvarchar(384) = NULL, @table_qualifier sysname = NULL,
    @column_name nvarchar(384) = NULL, @ODBCVer int = 2, @fUsePattern bit = 1
AS
IF @table_qualifier <> DB_NAME() AND @table_qualifier <> ''
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
SELECT TABLE_QUALIFIER = CONVERT(sysname, DB_NAME()), TABLE_OWNER = CONVERT(sysname, SCHEMA_NAME(o.schema_id)),
    TABLE_NAME = CONVERT(sysname, o.name), COLUMN_NAME = CONVERT(sysname, c.name), f.DATA_TYPE, f.TYPE_NAME, f.PRECISION,
    f.LENGTH, f.SCALE, f.RADIX, NULLABLE = CONVERT(smallint, c.is_nullable), REMARKS = CONVERT(varchar(254), NULL),
    COLUMN_DEF = CONVERT(nvarchar(4000), d.definition), f.SQL_DATA_TYPE, f.SQL_DATETIME_SUB, f.CHAR_OCTET_LENGTH,
    ORDINAL_POSITION = CONVERT(int, c.column_id),
    IS_NULLABLE = CONVERT(varchar(254), CASE c.is_nullable WHEN 1 THEN 'YES' ELSE 'NO' END), f.SS_DATA_TYPE
FROM sys.all_objects AS o
    JOIN sys.all_columns AS c ON c.object_id = o.object_id
    JOIN sys.spt_columns(@ODBCVer, 90) AS f ON f.object_id = c.object_id AND f.column_id = c.column_id
    LEFT JOIN sys.default_constraints AS d ON d.object_id = c.default_object_id
WHERE o.type <> 'TT'
    AND (@table_qualifier IS NULL OR @table_qualifier <> '')
    AND (o.name = @table_name OR (@fUsePattern = 1 AND o.name LIKE @table_name))
    AND (@table_owner IS NULL OR SCHEMA_NAME(o.schema_id) = @table_owner
        OR (@fUsePattern = 1 AND SCHEMA_NAME(o.schema_id) LIKE @table_owner))
    AND (@column_name IS NULL OR c.name = @column_name OR (@fUsePattern = 1 AND c.name LIKE @column_name))
ORDER BY TABLE_QUALIFIER, TABLE_OWNER, TABLE_NAME, ORDINAL_POSITION
GO
CREATE PROCEDURE sp_columns_100
    @table_name nvarchar(384), @table_owner nvarchar(384) = NULL, @table_qualifier sysname = NULL,
    @column_name nvarchar(384) = NULL, @NameScope int = 0, @ODBCVer int = 2, @fUsePattern bit = 1
AS
IF @table_qualifier <> DB_NAME() AND @table_qualifier <> ''
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
SELECT TABLE_QUALIFIER = CONVERT(sysname, DB_NAME()),
    TABLE_OWNER = CONVERT(sysname, SCHEMA_NAME(CASE o.type WHEN 'TT' THEN t.schema_id ELSE o.schema_id END)),
    TABLE_NAME = CONVERT(sysname, CASE o.type WHEN 'TT' THEN t.name ELSE o.name END),
    COLUMN_NAME = CONVERT(sysname, c.name), f.DATA_TYPE, f.TYPE_NAME, f.PRECISION, f.LENGTH, f.SCALE, f.RADIX,
    NULLABLE = CONVERT(smallint, c.is_nullable), REMARKS = CONVERT(varchar(254), NULL),
    COLUMN_DEF = CONVERT(nvarchar(4000), d.definition), f.SQL_DATA_TYPE, f.SQL_DATETIME_SUB, f.CHAR_OCTET_LENGTH,
    ORDINAL_POSITION = CONVERT(int, c.column_id),
    IS_NULLABLE = CONVERT(varchar(254), CASE c.is_nullable WHEN 1 THEN 'YES' ELSE 'NO' END),
    SS_IS_SPARSE = CONVERT(smallint, c.is_sparse), SS_IS_COLUMN_SET = CONVERT(smallint, c.is_column_set),
    SS_IS_COMPUTED = CONVERT(smallint, c.is_computed), SS_IS_IDENTITY = CONVERT(smallint, c.is_identity),
    SS_UDT_CATALOG_NAME = CONVERT(sysname, NULL), SS_UDT_SCHEMA_NAME = CONVERT(sysname, NULL),
    SS_UDT_ASSEMBLY_TYPE_NAME = CONVERT(nvarchar(4000), NULL), SS_XML_SCHEMACOLLECTION_CATALOG_NAME = CONVERT(sysname, NULL),
    SS_XML_SCHEMACOLLECTION_SCHEMA_NAME = CONVERT(sysname, NULL), SS_XML_SCHEMACOLLECTION_NAME = CONVERT(sysname, NULL),
    f.SS_DATA_TYPE
FROM sys.all_objects AS o
    JOIN sys.all_columns AS c ON c.object_id = o.object_id
    JOIN sys.spt_columns(@ODBCVer, 100) AS f ON f.object_id = c.object_id AND f.column_id = c.column_id
    LEFT JOIN sys.default_constraints AS d ON d.object_id = c.default_object_id
    LEFT JOIN sys.table_types AS t ON t.type_table_object_id = o.object_id
-- @NameScope chooses tables and views (0) or the columns of table types (1).
WHERE ((@NameScope = 0 AND o.type <> 'TT') OR (@NameScope = 1 AND o.type = 'TT'))
    AND (@table_qualifier IS NULL OR @table_qualifier <> '')
    AND (ISNULL(t.name, o.name) = @table_name OR (@fUsePattern = 1 AND ISNULL(t.name, o.name) LIKE @table_name))
    AND (@table_owner IS NULL OR SCHEMA_NAME(ISNULL(t.schema_id, o.schema_id)) = @table_owner
        OR (@fUsePattern = 1 AND SCHEMA_NAME(ISNULL(t.schema_id, o.schema_id)) LIKE @table_owner))
    AND (@column_name IS NULL OR c.name = @column_name OR (@fUsePattern = 1 AND c.name LIKE @column_name))
ORDER BY TABLE_QUALIFIER, TABLE_OWNER, TABLE_NAME, ORDINAL_POSITION
GO
CREATE PROCEDURE sp_pkeys @table_name sysname, @table_owner sysname = NULL, @table_qualifier sysname = NULL
AS
IF @table_qualifier <> DB_NAME()
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
SELECT TABLE_QUALIFIER = CONVERT(sysname, DB_NAME()), TABLE_OWNER = CONVERT(sysname, SCHEMA_NAME(o.schema_id)),
    TABLE_NAME = CONVERT(sysname, o.name), COLUMN_NAME = CONVERT(sysname, c.name),
    KEY_SEQ = CONVERT(smallint, x.key_ordinal), PK_NAME = CONVERT(sysname, k.name)
FROM sys.key_constraints AS k
    JOIN sys.tables AS o ON o.object_id = k.parent_object_id
    JOIN sys.index_columns AS x ON x.object_id = k.parent_object_id AND x.index_id = k.unique_index_id
    JOIN sys.columns AS c ON c.object_id = x.object_id AND c.column_id = x.column_id
WHERE k.type = 'PK' AND o.object_id = OBJECT_ID(ISNULL(QUOTENAME(@table_owner) + '.', '') + QUOTENAME(@table_name))
ORDER BY TABLE_QUALIFIER, TABLE_OWNER, TABLE_NAME, KEY_SEQ
GO
CREATE PROCEDURE sp_fkeys
    @pktable_name sysname = NULL, @pktable_owner sysname = NULL, @pktable_qualifier sysname = NULL,
    @fktable_name sysname = NULL, @fktable_owner sysname = NULL, @fktable_qualifier sysname = NULL
AS
IF @pktable_name IS NULL AND @fktable_name IS NULL
BEGIN
    RAISERROR (15252, -1, -1)
    RETURN 1
END
IF ISNULL(@pktable_qualifier, DB_NAME()) <> DB_NAME() OR ISNULL(@fktable_qualifier, DB_NAME()) <> DB_NAME()
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
SELECT PKTABLE_QUALIFIER = CONVERT(sysname, DB_NAME()),
    PKTABLE_OWNER = CONVERT(sysname, OBJECT_SCHEMA_NAME(f.referenced_object_id)),
    PKTABLE_NAME = CONVERT(sysname, OBJECT_NAME(f.referenced_object_id)),
    PKCOLUMN_NAME = CONVERT(sysname, COL_NAME(x.referenced_object_id, x.referenced_column_id)),
    FKTABLE_QUALIFIER = CONVERT(sysname, DB_NAME()),
    FKTABLE_OWNER = CONVERT(sysname, OBJECT_SCHEMA_NAME(f.parent_object_id)),
    FKTABLE_NAME = CONVERT(sysname, OBJECT_NAME(f.parent_object_id)),
    FKCOLUMN_NAME = CONVERT(sysname, COL_NAME(x.parent_object_id, x.parent_column_id)),
    KEY_SEQ = CONVERT(smallint, x.constraint_column_id),
    -- ODBC counts CASCADE 0 and NO ACTION 1, the catalog the other way round.
    UPDATE_RULE = CONVERT(smallint, CASE f.update_referential_action WHEN 0 THEN 1 WHEN 1 THEN 0 ELSE f.update_referential_action END),
    DELETE_RULE = CONVERT(smallint, CASE f.delete_referential_action WHEN 0 THEN 1 WHEN 1 THEN 0 ELSE f.delete_referential_action END),
    FK_NAME = CONVERT(sysname, f.name), PK_NAME = CONVERT(sysname, i.name), DEFERRABILITY = CONVERT(smallint, 7)
FROM sys.foreign_keys AS f
    JOIN sys.foreign_key_columns AS x ON x.constraint_object_id = f.object_id
    JOIN sys.indexes AS i ON i.object_id = f.referenced_object_id AND i.index_id = f.key_index_id
WHERE (@pktable_name IS NULL
        OR f.referenced_object_id = OBJECT_ID(ISNULL(QUOTENAME(@pktable_owner) + '.', '') + QUOTENAME(@pktable_name)))
    AND (@fktable_name IS NULL
        OR f.parent_object_id = OBJECT_ID(ISNULL(QUOTENAME(@fktable_owner) + '.', '') + QUOTENAME(@fktable_name)))
ORDER BY FKTABLE_QUALIFIER, FKTABLE_OWNER, FKTABLE_NAME, FK_NAME, KEY_SEQ
GO
CREATE PROCEDURE sp_statistics
    @table_name sysname, @table_owner sysname = NULL, @table_qualifier sysname = NULL, @index_name sysname = '%',
    @is_unique char(1) = 'N', @accuracy char(1) = 'Q'
AS
IF @table_qualifier <> DB_NAME()
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
SELECT TABLE_QUALIFIER = CONVERT(sysname, DB_NAME()), TABLE_OWNER = CONVERT(sysname, SCHEMA_NAME(o.schema_id)),
    TABLE_NAME = CONVERT(sysname, o.name), NON_UNIQUE = CONVERT(smallint, NULL), INDEX_QUALIFIER = CONVERT(sysname, NULL),
    INDEX_NAME = CONVERT(sysname, NULL), TYPE = CONVERT(smallint, 0), SEQ_IN_INDEX = CONVERT(smallint, NULL),
    COLUMN_NAME = CONVERT(sysname, NULL), COLLATION = CONVERT(char(1), NULL), CARDINALITY = CONVERT(int, p.rows),
    PAGES = CONVERT(int, p.data_pages), FILTER_CONDITION = CONVERT(varchar(128), NULL)
FROM sys.tables AS o JOIN sys.spt_storage AS p ON p.object_id = o.object_id
WHERE o.object_id = OBJECT_ID(ISNULL(QUOTENAME(@table_owner) + '.', '') + QUOTENAME(@table_name))
UNION ALL
SELECT CONVERT(sysname, DB_NAME()), CONVERT(sysname, SCHEMA_NAME(o.schema_id)), CONVERT(sysname, o.name),
    CONVERT(smallint, 1 - i.is_unique), CONVERT(sysname, o.name), CONVERT(sysname, i.name),
    CONVERT(smallint, CASE i.type WHEN 1 THEN 1 ELSE 3 END), CONVERT(smallint, x.key_ordinal), CONVERT(sysname, c.name),
    CONVERT(char(1), CASE x.is_descending_key WHEN 1 THEN 'D' ELSE 'A' END), CONVERT(int, p.rows),
    CONVERT(int, p.data_pages), CONVERT(varchar(128), NULL)
FROM sys.indexes AS i
    JOIN sys.tables AS o ON o.object_id = i.object_id
    JOIN sys.index_columns AS x ON x.object_id = i.object_id AND x.index_id = i.index_id
    JOIN sys.columns AS c ON c.object_id = x.object_id AND c.column_id = x.column_id
    JOIN sys.spt_storage AS p ON p.object_id = i.object_id
WHERE i.index_id > 0 AND x.is_included_column = 0 AND i.name LIKE @index_name AND (@is_unique <> 'Y' OR i.is_unique = 1)
    AND o.object_id = OBJECT_ID(ISNULL(QUOTENAME(@table_owner) + '.', '') + QUOTENAME(@table_name))
ORDER BY NON_UNIQUE, TYPE, INDEX_QUALIFIER, INDEX_NAME, SEQ_IN_INDEX
GO
CREATE PROCEDURE sp_statistics_100
    @table_name sysname, @table_owner sysname = NULL, @table_qualifier sysname = NULL, @index_name sysname = '%',
    @is_unique char(1) = 'N', @accuracy char(1) = 'Q'
AS
EXEC sp_statistics @table_name, @table_owner, @table_qualifier, @index_name, @is_unique, @accuracy
GO
CREATE PROCEDURE sp_special_columns_100
    @table_name sysname, @table_owner sysname = NULL, @table_qualifier sysname = NULL, @col_type char(1) = 'R',
    @scope char(1) = 'T', @nullable char(1) = 'U', @ODBCVer int = 2
AS
-- The columns of the first unique index, the primary key before all others. No type here changes by itself ('V').
SELECT SCOPE = CONVERT(smallint, CASE @scope WHEN 'C' THEN 0 ELSE 1 END), COLUMN_NAME = CONVERT(sysname, c.name), f.DATA_TYPE,
    f.TYPE_NAME, f.PRECISION, f.LENGTH, f.SCALE, PSEUDO_COLUMN = CONVERT(smallint, 1)
FROM sys.index_columns AS x
    JOIN sys.columns AS c ON c.object_id = x.object_id AND c.column_id = x.column_id
    JOIN sys.spt_columns(@ODBCVer, 100) AS f ON f.object_id = c.object_id AND f.column_id = c.column_id
WHERE @col_type = 'R'
    AND x.object_id = OBJECT_ID(ISNULL(QUOTENAME(@table_owner) + '.', '') + QUOTENAME(@table_name))
    AND x.index_id = (
        SELECT MIN(i.index_id) FROM sys.indexes AS i
        WHERE i.object_id = x.object_id AND i.is_unique = 1
            AND (@nullable <> 'O' OR NOT EXISTS (
                SELECT 1 FROM sys.index_columns AS y JOIN sys.columns AS n ON n.object_id = y.object_id AND n.column_id = y.column_id
                WHERE y.object_id = i.object_id AND y.index_id = i.index_id AND n.is_nullable = 1)))
ORDER BY x.key_ordinal
GO
CREATE PROCEDURE sp_special_columns
    @table_name sysname, @table_owner sysname = NULL, @qualifier sysname = NULL, @col_type char(1) = 'R',
    @scope char(1) = 'T', @nullable char(1) = 'U', @ODBCVer int = 2
AS
EXEC sp_special_columns_100 @table_name, @table_owner, @qualifier, @col_type, @scope, @nullable, @ODBCVer
GO
CREATE PROCEDURE sp_stored_procedures
    @sp_name nvarchar(390) = NULL, @sp_owner nvarchar(384) = NULL, @sp_qualifier sysname = NULL, @fUsePattern bit = 1
AS
IF @sp_qualifier <> DB_NAME() AND @sp_qualifier <> ''
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
SELECT PROCEDURE_QUALIFIER = CONVERT(sysname, DB_NAME()), PROCEDURE_OWNER = CONVERT(sysname, SCHEMA_NAME(o.schema_id)),
    PROCEDURE_NAME = CONVERT(nvarchar(134), o.name + ';1'), NUM_INPUT_PARAMS = CONVERT(int, -1),
    NUM_OUTPUT_PARAMS = CONVERT(int, -1), NUM_RESULT_SETS = CONVERT(int, -1), REMARKS = CONVERT(varchar(254), NULL),
    PROCEDURE_TYPE = CONVERT(smallint, 2)
FROM sys.procedures AS o
WHERE (@sp_name IS NULL OR o.name = @sp_name OR (@fUsePattern = 1 AND o.name LIKE @sp_name))
    AND (@sp_owner IS NULL OR SCHEMA_NAME(o.schema_id) = @sp_owner
        OR (@fUsePattern = 1 AND SCHEMA_NAME(o.schema_id) LIKE @sp_owner))
    AND HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + '.' + QUOTENAME(o.name), 'OBJECT', 'EXECUTE') = 1
ORDER BY PROCEDURE_QUALIFIER, PROCEDURE_OWNER, PROCEDURE_NAME
GO
CREATE PROCEDURE sp_sproc_columns
    @procedure_name nvarchar(390) = '%', @procedure_owner nvarchar(384) = NULL, @procedure_qualifier sysname = NULL,
    @column_name nvarchar(384) = NULL, @ODBCVer int = 2, @fUsePattern bit = 1
AS
IF @procedure_qualifier <> DB_NAME() AND @procedure_qualifier <> ''
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
SELECT PROCEDURE_QUALIFIER = CONVERT(sysname, DB_NAME()), PROCEDURE_OWNER = CONVERT(sysname, SCHEMA_NAME(o.schema_id)),
    PROCEDURE_NAME = CONVERT(nvarchar(134), o.name + ';1'), COLUMN_NAME = CONVERT(sysname, f.name), f.COLUMN_TYPE, f.DATA_TYPE,
    f.TYPE_NAME, f.PRECISION, f.LENGTH, f.SCALE, f.RADIX, f.NULLABLE, REMARKS = CONVERT(varchar(254), NULL),
    COLUMN_DEF = CONVERT(nvarchar(4000), NULL), f.SQL_DATA_TYPE, f.SQL_DATETIME_SUB, f.CHAR_OCTET_LENGTH,
    ORDINAL_POSITION = f.column_id,
    IS_NULLABLE = CONVERT(varchar(254), CASE f.NULLABLE WHEN 1 THEN 'YES' ELSE 'NO' END), f.SS_DATA_TYPE
FROM sys.procedures AS o JOIN sys.spt_parameters(@ODBCVer, 90) AS f ON f.object_id = o.object_id
WHERE (@procedure_name IS NULL OR o.name = @procedure_name OR (@fUsePattern = 1 AND o.name LIKE @procedure_name))
    AND (@procedure_owner IS NULL OR SCHEMA_NAME(o.schema_id) = @procedure_owner
        OR (@fUsePattern = 1 AND SCHEMA_NAME(o.schema_id) LIKE @procedure_owner))
    AND (@column_name IS NULL OR f.name = @column_name OR (@fUsePattern = 1 AND f.name LIKE @column_name))
ORDER BY PROCEDURE_QUALIFIER, PROCEDURE_OWNER, PROCEDURE_NAME, ORDINAL_POSITION
GO
CREATE PROCEDURE sp_sproc_columns_100
    @procedure_name nvarchar(390) = '%', @procedure_owner nvarchar(384) = NULL, @procedure_qualifier sysname = NULL,
    @column_name nvarchar(384) = NULL, @ODBCVer int = 2, @fUsePattern bit = 1
AS
IF @procedure_qualifier <> DB_NAME() AND @procedure_qualifier <> ''
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
SELECT PROCEDURE_QUALIFIER = CONVERT(sysname, DB_NAME()), PROCEDURE_OWNER = CONVERT(sysname, SCHEMA_NAME(o.schema_id)),
    PROCEDURE_NAME = CONVERT(nvarchar(134), o.name + ';1'), COLUMN_NAME = CONVERT(sysname, f.name), f.COLUMN_TYPE, f.DATA_TYPE,
    f.TYPE_NAME, f.PRECISION, f.LENGTH, f.SCALE, f.RADIX, f.NULLABLE, REMARKS = CONVERT(varchar(254), NULL),
    COLUMN_DEF = CONVERT(nvarchar(4000), NULL), f.SQL_DATA_TYPE, f.SQL_DATETIME_SUB, f.CHAR_OCTET_LENGTH,
    ORDINAL_POSITION = f.column_id,
    IS_NULLABLE = CONVERT(varchar(254), CASE f.NULLABLE WHEN 1 THEN 'YES' ELSE 'NO' END),
    SS_TYPE_CATALOG_NAME = CONVERT(sysname, CASE WHEN f.TYPE_SCHEMA IS NOT NULL THEN DB_NAME() END),
    SS_TYPE_SCHEMA_NAME = CONVERT(sysname, f.TYPE_SCHEMA), SS_UDT_CATALOG_NAME = CONVERT(sysname, NULL),
    SS_UDT_SCHEMA_NAME = CONVERT(sysname, NULL), SS_UDT_ASSEMBLY_TYPE_NAME = CONVERT(nvarchar(4000), NULL),
    SS_XML_SCHEMACOLLECTION_CATALOG_NAME = CONVERT(sysname, NULL), SS_XML_SCHEMACOLLECTION_SCHEMA_NAME = CONVERT(sysname, NULL),
    SS_XML_SCHEMACOLLECTION_NAME = CONVERT(sysname, NULL), f.SS_DATA_TYPE
FROM sys.procedures AS o JOIN sys.spt_parameters(@ODBCVer, 100) AS f ON f.object_id = o.object_id
WHERE (@procedure_name IS NULL OR o.name = @procedure_name OR (@fUsePattern = 1 AND o.name LIKE @procedure_name))
    AND (@procedure_owner IS NULL OR SCHEMA_NAME(o.schema_id) = @procedure_owner
        OR (@fUsePattern = 1 AND SCHEMA_NAME(o.schema_id) LIKE @procedure_owner))
    AND (@column_name IS NULL OR f.name = @column_name OR (@fUsePattern = 1 AND f.name LIKE @column_name))
ORDER BY PROCEDURE_QUALIFIER, PROCEDURE_OWNER, PROCEDURE_NAME, ORDINAL_POSITION
GO
CREATE PROCEDURE sp_datatype_info @data_type int = 0, @ODBCVer tinyint = 2
AS
SELECT * FROM sys.spt_datatype_info(@ODBCVer, 90) AS t
WHERE @data_type = 0 OR t.DATA_TYPE = @data_type
ORDER BY t.DATA_TYPE, t.AUTO_INCREMENT, t.MONEY, t.USERTYPE
GO
CREATE PROCEDURE sp_datatype_info_90 @data_type int = 0, @ODBCVer tinyint = 2
AS
EXEC sp_datatype_info @data_type, @ODBCVer
GO
CREATE PROCEDURE sp_datatype_info_100 @data_type int = 0, @ODBCVer tinyint = 2
AS
SELECT * FROM sys.spt_datatype_info(@ODBCVer, 100) AS t
WHERE @data_type = 0 OR t.DATA_TYPE = @data_type
ORDER BY t.DATA_TYPE, t.AUTO_INCREMENT, t.MONEY, t.USERTYPE
GO
CREATE PROCEDURE sp_databases
AS
-- DATABASE_SIZE in KB; the size of a database here is not known in pages.
SELECT DATABASE_NAME = CONVERT(sysname, d.name), DATABASE_SIZE = CONVERT(int, NULL), REMARKS = CONVERT(varchar(254), NULL)
FROM sys.databases AS d
WHERE d.database_id = DB_ID() OR DB_NAME() = 'master'
ORDER BY DATABASE_NAME
GO
CREATE PROCEDURE sp_server_info @attribute_id int = NULL
AS
SELECT attribute_id = CONVERT(int, a.number), attribute_name = CONVERT(varchar(60), a.name),
    attribute_value = CONVERT(varchar(255), a.value)
FROM (VALUES
    (1, 'DBMS_NAME', 'Microsoft SQL Server'), (2, 'DBMS_VER', 'Microsoft SQL Azure - 12.0.2000.8'),
    (10, 'OWNER_TERM', 'owner'), (11, 'TABLE_TERM', 'table'), (12, 'MAX_OWNER_NAME_LENGTH', '128'),
    (13, 'TABLE_LENGTH', '128'), (14, 'MAX_QUAL_LENGTH', '128'), (15, 'COLUMN_LENGTH', '128'),
    (16, 'IDENTIFIER_CASE', 'MIXED'), (17, 'TX_ISOLATION', '2'),
    (18, 'COLLATION_SEQ', 'charset=iso_1 sort_order=nocase_iso charset_num=1 sort_order_num=52'),
    (19, 'SAVEPOINT_SUPPORT', 'Y'), (20, 'MULTI_RESULT_SETS', 'Y'), (22, 'ACCESSIBLE_TABLES', 'Y'),
    (100, 'USERID_LENGTH', '128'), (101, 'QUALIFIER_TERM', 'database'), (102, 'NAMED_TRANSACTIONS', 'Y'),
    (103, 'SPROC_AS_LANGUAGE', 'Y'), (104, 'ACCESSIBLE_SPROC', 'Y'), (105, 'MAX_INDEX_COLS', '16'),
    (106, 'RENAME_TABLE', 'Y'), (107, 'RENAME_COLUMN', 'Y'), (108, 'DROP_COLUMN', 'Y'),
    (109, 'INCREASE_COLUMN_LENGTH', 'Y'), (110, 'DDL_IN_TRANSACTION', 'Y'), (111, 'DESCENDING_INDEXES', 'Y'),
    (112, 'SP_RENAME', 'Y'), (113, 'REMOTE_SPROC', 'Y'), (500, 'SYS_SPROC_VERSION', '16.00.0')
) AS a (number, name, value)
WHERE @attribute_id IS NULL OR a.number = @attribute_id
ORDER BY attribute_id
GO
CREATE PROCEDURE sp_table_privileges
    @table_name nvarchar(384), @table_owner nvarchar(384) = NULL, @table_qualifier sysname = NULL, @fUsePattern bit = 1
AS
IF @table_qualifier <> DB_NAME()
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
-- What owners hold of themselves is granted by dbo to dbo; then what has been granted.
SELECT TABLE_QUALIFIER = CONVERT(sysname, DB_NAME()), TABLE_OWNER = CONVERT(sysname, t.TABLE_SCHEMA),
    TABLE_NAME = CONVERT(sysname, t.TABLE_NAME), GRANTOR = CONVERT(sysname, t.GRANTOR), GRANTEE = CONVERT(sysname, t.GRANTEE),
    PRIVILEGE = CONVERT(varchar(32), t.PRIVILEGE_TYPE), IS_GRANTABLE = CONVERT(varchar(3), t.IS_GRANTABLE)
FROM (
    SELECT o.TABLE_SCHEMA, o.TABLE_NAME, GRANTOR = 'dbo', GRANTEE = 'dbo', PRIVILEGE_TYPE = p.name, IS_GRANTABLE = 'YES'
    FROM INFORMATION_SCHEMA.TABLES AS o
        CROSS JOIN (VALUES ('DELETE'), ('INSERT'), ('REFERENCES'), ('SELECT'), ('UPDATE')) AS p (name)
    UNION ALL
    SELECT g.TABLE_SCHEMA, g.TABLE_NAME, g.GRANTOR, g.GRANTEE, g.PRIVILEGE_TYPE, g.IS_GRANTABLE
    FROM INFORMATION_SCHEMA.TABLE_PRIVILEGES AS g
) AS t
WHERE (t.TABLE_NAME = @table_name OR (@fUsePattern = 1 AND t.TABLE_NAME LIKE @table_name))
    AND (@table_owner IS NULL OR t.TABLE_SCHEMA = @table_owner OR (@fUsePattern = 1 AND t.TABLE_SCHEMA LIKE @table_owner))
ORDER BY TABLE_QUALIFIER, TABLE_OWNER, TABLE_NAME, PRIVILEGE, GRANTOR, GRANTEE
GO
CREATE PROCEDURE sp_column_privileges
    @table_name sysname, @table_owner sysname = NULL, @table_qualifier sysname = NULL, @column_name nvarchar(384) = NULL
AS
IF @table_qualifier <> DB_NAME()
BEGIN
    RAISERROR (15250, -1, -1)
    RETURN 1
END
SELECT TABLE_QUALIFIER = CONVERT(sysname, DB_NAME()), TABLE_OWNER = CONVERT(sysname, t.TABLE_SCHEMA),
    TABLE_NAME = CONVERT(sysname, t.TABLE_NAME), COLUMN_NAME = CONVERT(sysname, t.COLUMN_NAME),
    GRANTOR = CONVERT(sysname, t.GRANTOR), GRANTEE = CONVERT(sysname, t.GRANTEE),
    PRIVILEGE = CONVERT(varchar(32), t.PRIVILEGE_TYPE), IS_GRANTABLE = CONVERT(varchar(3), t.IS_GRANTABLE)
FROM (
    SELECT o.TABLE_SCHEMA, o.TABLE_NAME, o.COLUMN_NAME, GRANTOR = 'dbo', GRANTEE = 'dbo', PRIVILEGE_TYPE = p.name,
        IS_GRANTABLE = 'YES'
    FROM INFORMATION_SCHEMA.COLUMNS AS o CROSS JOIN (VALUES ('INSERT'), ('REFERENCES'), ('SELECT'), ('UPDATE')) AS p (name)
    UNION ALL
    SELECT g.TABLE_SCHEMA, g.TABLE_NAME, g.COLUMN_NAME, g.GRANTOR, g.GRANTEE, g.PRIVILEGE_TYPE, g.IS_GRANTABLE
    FROM INFORMATION_SCHEMA.COLUMN_PRIVILEGES AS g
) AS t
WHERE t.TABLE_NAME = @table_name AND (@table_owner IS NULL OR t.TABLE_SCHEMA = @table_owner)
    AND (@column_name IS NULL OR t.COLUMN_NAME LIKE @column_name)
ORDER BY TABLE_QUALIFIER, TABLE_OWNER, TABLE_NAME, COLUMN_NAME, PRIVILEGE
GO
CREATE PROCEDURE sp_tablecollations_100 @object nvarchar(4000)
AS
SELECT colid = c.column_id, name = CONVERT(sysname, c.name),
    tds_collation_100 = CONVERT(binary(5), CASE WHEN c.collation_name IS NOT NULL THEN 0x0904D00034 END),
    collation_100 = CONVERT(sysname, c.collation_name)
FROM sys.all_columns AS c
WHERE c.object_id = OBJECT_ID(@object)
ORDER BY colid
