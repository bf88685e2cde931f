-- Procedures by which a person looks at a database: "Database Engine Stored Procedures" and "Security Stored
-- Procedures" of the SQL Server documentation.

CREATE PROCEDURE sp_help @objname nvarchar(776) = NULL
AS
IF @objname IS NULL
BEGIN
    SELECT Name = o.name, Owner = USER_NAME(OBJECTPROPERTY(o.object_id, 'OwnerId')),
        Object_type = CASE o.type WHEN 'U' THEN 'user table' WHEN 'V' THEN 'view' WHEN 'P' THEN 'stored procedure' END
    FROM sys.objects AS o
    WHERE o.type IN ('U', 'V', 'P')
    ORDER BY Owner, Object_type DESC, Name
    SELECT User_type = t.name, Storage_type = TYPE_NAME(t.system_type_id), Length = t.max_length, Prec = t.precision,
        Scale = t.scale, Nullable = CASE t.is_nullable WHEN 1 THEN 'yes' ELSE 'no' END, Default_name = 'none',
        Rule_name = 'none', Collation = t.collation_name
    FROM sys.types AS t
    WHERE t.is_user_defined = 1
    ORDER BY User_type
    RETURN 0
END
IF OBJECT_ID(@objname) IS NULL
BEGIN
    DECLARE @database sysname = DB_NAME()
    RAISERROR (15009, -1, -1, @objname, @database)
    RETURN 1
END
DECLARE @id int = OBJECT_ID(@objname)
SELECT Name = o.name, Owner = USER_NAME(OBJECTPROPERTY(o.object_id, 'OwnerId')),
    Type = CASE o.type WHEN 'U' THEN 'user table' WHEN 'V' THEN 'view' WHEN 'P' THEN 'stored procedure' ELSE o.type_desc END,
    Created_datetime = o.create_date
FROM sys.objects AS o
WHERE o.object_id = @id
IF EXISTS (SELECT 1 FROM sys.columns AS c WHERE c.object_id = @id)
BEGIN
    SELECT Column_name = c.name, Type = TYPE_NAME(c.user_type_id), Computed = CASE c.is_computed WHEN 1 THEN 'yes' ELSE 'no' END,
        Length = CONVERT(int, c.max_length),
        Prec = CASE WHEN TYPE_NAME(c.system_type_id) IN ('tinyint', 'smallint', 'int', 'bigint', 'decimal', 'numeric', 'money',
            'smallmoney', 'time', 'datetime2', 'datetimeoffset', 'float', 'real') THEN CONVERT(char(5), c.precision) ELSE '     ' END,
        Scale = CASE WHEN TYPE_NAME(c.system_type_id) IN ('tinyint', 'smallint', 'int', 'bigint', 'decimal', 'numeric', 'money',
            'smallmoney', 'time', 'datetime2', 'datetimeoffset') THEN CONVERT(char(5), c.scale) ELSE '     ' END,
        Nullable = CASE c.is_nullable WHEN 1 THEN 'yes' ELSE 'no' END,
        TrimTrailingBlanks = CASE c.is_ansi_padded WHEN 1 THEN 'no' ELSE '(n/a)' END,
        FixedLenNullInSource = CASE WHEN c.is_ansi_padded = 0 THEN '(n/a)' WHEN c.is_nullable = 1 THEN 'yes' ELSE 'no' END,
        Collation = c.collation_name
    FROM sys.columns AS c
    WHERE c.object_id = @id
    ORDER BY c.column_id
    IF EXISTS (SELECT 1 FROM sys.identity_columns AS i WHERE i.object_id = @id)
        SELECT [Identity] = i.name, Seed = IDENT_SEED(@objname), Increment = IDENT_INCR(@objname),
            [Not For Replication] = CONVERT(int, i.is_not_for_replication)
        FROM sys.identity_columns AS i
        WHERE i.object_id = @id
    ELSE
        SELECT [Identity] = 'No identity column defined.', Seed = IDENT_SEED(@objname), Increment = IDENT_INCR(@objname),
            [Not For Replication] = CONVERT(int, NULL)
    IF OBJECTPROPERTY(@id, 'IsTable') = 1
    BEGIN
        SELECT RowGuidCol = 'No rowguidcol column defined.'
        SELECT Data_located_on_filegroup = 'PRIMARY'
        EXEC sp_helpindex @objname
    END
END
ELSE IF EXISTS (SELECT 1 FROM sys.parameters AS p WHERE p.object_id = @id)
    SELECT Parameter_name = p.name, Type = TYPE_NAME(p.user_type_id), Length = CONVERT(int, p.max_length),
        Prec = CONVERT(int, p.precision), Scale = CONVERT(int, p.scale), Param_order = p.parameter_id,
        Collation = CASE WHEN TYPE_NAME(p.system_type_id) IN ('char', 'varchar', 'nchar', 'nvarchar')
            THEN 'SQL_Latin1_General_CP1_CI_AS' END
    FROM sys.parameters AS p
    WHERE p.object_id = @id
    ORDER BY p.parameter_id
GO
CREATE PROCEDURE sp_helpindex @objname nvarchar(776)
AS
IF OBJECT_ID(@objname) IS NULL
BEGIN
    DECLARE @database sysname = DB_NAME()
    RAISERROR (15009, -1, -1, @objname, @database)
    RETURN 1
END
SELECT index_name = i.name,
    index_description = CONVERT(varchar(210), CASE i.type WHEN 1 THEN 'clustered' ELSE 'nonclustered' END
        + CASE i.is_unique WHEN 1 THEN ', unique' ELSE '' END + CASE i.is_primary_key WHEN 1 THEN ', primary key' ELSE '' END
        + CASE i.is_unique_constraint WHEN 1 THEN ', unique key' ELSE '' END + ' located on PRIMARY'),
    index_keys = CONVERT(nvarchar(2078), (
        SELECT STRING_AGG(COL_NAME(x.object_id, x.column_id), ', ')
        FROM sys.index_columns AS x
        WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND x.is_included_column = 0))
FROM sys.indexes AS i
WHERE i.object_id = OBJECT_ID(@objname) AND i.index_id > 0
ORDER BY index_name
GO
CREATE PROCEDURE sp_helptext @objname nvarchar(776)
AS
IF OBJECT_ID(@objname) IS NULL
BEGIN
    DECLARE @database sysname = DB_NAME()
    RAISERROR (15009, -1, -1, @objname, @database)
    RETURN 1
END
IF OBJECT_DEFINITION(OBJECT_ID(@objname)) IS NULL
BEGIN
    RAISERROR (15197, -1, -1, @objname)
    RETURN 1
END
SELECT Text = CONVERT(nvarchar(255), l.text) FROM sys.spt_lines(@objname) AS l ORDER BY l.number
GO
CREATE PROCEDURE sp_spaceused @objname nvarchar(776) = NULL
AS
IF @objname IS NOT NULL AND OBJECT_ID(@objname) IS NULL
BEGIN
    DECLARE @database sysname = DB_NAME()
    RAISERROR (15009, -1, -1, @objname, @database)
    RETURN 1
END
-- Sizes are those that the rows would have in pages of 8 KB.
IF @objname IS NOT NULL
    SELECT name = o.name, rows = CONVERT(char(20), s.rows),
        reserved = CONVERT(varchar(18), CONVERT(varchar(15), (s.data_pages + s.index_pages) * 8) + ' KB'),
        data = CONVERT(varchar(18), CONVERT(varchar(15), s.data_pages * 8) + ' KB'),
        index_size = CONVERT(varchar(18), CONVERT(varchar(15), s.index_pages * 8) + ' KB'), unused = CONVERT(varchar(18), '0 KB')
    FROM sys.spt_storage AS s JOIN sys.tables AS o ON o.object_id = s.object_id
    WHERE s.object_id = OBJECT_ID(@objname)
ELSE
BEGIN
    SELECT database_name = CONVERT(nvarchar(128), DB_NAME()),
        database_size = CONVERT(varchar(18), CONVERT(varchar(12), CONVERT(decimal(15, 2), ISNULL(SUM(s.data_pages + s.index_pages), 0) / 128.0)) + ' MB'),
        [unallocated space] = CONVERT(varchar(18), '0.00 MB')
    FROM sys.spt_storage AS s
    SELECT reserved = CONVERT(varchar(18), CONVERT(varchar(15), ISNULL(SUM(s.data_pages + s.index_pages), 0) * 8) + ' KB'),
        data = CONVERT(varchar(18), CONVERT(varchar(15), ISNULL(SUM(s.data_pages), 0) * 8) + ' KB'),
        index_size = CONVERT(varchar(18), CONVERT(varchar(15), ISNULL(SUM(s.index_pages), 0) * 8) + ' KB'),
        unused = CONVERT(varchar(18), '0 KB')
    FROM sys.spt_storage AS s
END
GO
CREATE PROCEDURE sp_who @loginame sysname = NULL
AS
SELECT spid = s.session_id, ecid = CONVERT(smallint, 0), status = CONVERT(nchar(30), s.status), loginame = s.login_name,
    hostname = CONVERT(nchar(128), s.host_name), blk = CONVERT(char(5), '0'), dbname = DB_NAME(s.database_id),
    cmd = CONVERT(nchar(16), CASE s.status WHEN 'running' THEN 'SELECT' ELSE 'AWAITING COMMAND' END),
    request_id = CONVERT(int, 0)
FROM sys.dm_exec_sessions AS s
WHERE @loginame IS NULL OR s.login_name = @loginame OR CONVERT(nvarchar(128), s.session_id) = @loginame
    OR (@loginame = 'active' AND s.status = 'running')
ORDER BY spid
GO
CREATE PROCEDURE sp_helpuser @name_in_db sysname = NULL
AS
IF @name_in_db IS NOT NULL AND DATABASE_PRINCIPAL_ID(@name_in_db) IS NULL
BEGIN
    RAISERROR (15198, -1, -1, @name_in_db)
    RETURN 1
END
SELECT UserName = u.name, RoleName = ISNULL(USER_NAME(m.role_principal_id), 'public'), LoginName = SUSER_SNAME(u.sid),
    DefDBName = CONVERT(sysname, NULL), DefSchemaName = u.default_schema_name, UserID = CONVERT(char(10), u.principal_id),
    SID = u.sid
FROM sys.database_principals AS u
    LEFT JOIN sys.database_role_members AS m ON m.member_principal_id = u.principal_id
WHERE u.type <> 'R' AND (@name_in_db IS NULL OR u.name = @name_in_db)
ORDER BY UserName, RoleName
GO
CREATE PROCEDURE sp_helprole @rolename sysname = NULL
AS
IF @rolename IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sys.database_principals AS r WHERE r.name = @rolename AND r.type = 'R')
BEGIN
    RAISERROR (15409, -1, -1, @rolename)
    RETURN 1
END
SELECT RoleName = r.name, RoleId = CONVERT(smallint, r.principal_id), IsAppRole = CONVERT(int, 0)
FROM sys.database_principals AS r
WHERE r.type = 'R' AND (@rolename IS NULL OR r.name = @rolename)
ORDER BY RoleId
GO
CREATE PROCEDURE sp_helprolemember @rolename sysname = NULL
AS
IF @rolename IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sys.database_principals AS r WHERE r.name = @rolename AND r.type = 'R')
BEGIN
    RAISERROR (15409, -1, -1, @rolename)
    RETURN 1
END
SELECT DbRole = USER_NAME(m.role_principal_id), MemberName = u.name, MemberSID = u.sid
FROM sys.database_role_members AS m
    JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id
WHERE @rolename IS NULL OR USER_NAME(m.role_principal_id) = @rolename
ORDER BY DbRole, MemberName
GO
CREATE PROCEDURE sp_helprotect @name nvarchar(776) = NULL, @username sysname = NULL, @grantorname sysname = NULL
AS
SELECT Owner = CONVERT(sysname, ISNULL(OBJECT_SCHEMA_NAME(p.major_id), '.')), Object = CONVERT(sysname, ISNULL(OBJECT_NAME(p.major_id), '.')),
    Grantee = USER_NAME(p.grantee_principal_id), Grantor = USER_NAME(p.grantor_principal_id),
    ProtectType = CONVERT(nvarchar(10), CASE p.state WHEN 'D' THEN 'Deny' WHEN 'W' THEN 'Grant_WGO' ELSE 'Grant' END),
    Action = CONVERT(nvarchar(60), p.permission_name),
    [Column] = CONVERT(sysname, CASE WHEN p.class = 1 AND p.type IN ('SL', 'UP', 'RF') THEN '(All+New)' ELSE '.' END)
FROM sys.database_permissions AS p
WHERE p.class IN (0, 1) AND (@name IS NULL OR p.major_id = OBJECT_ID(@name))
    AND (@username IS NULL OR USER_NAME(p.grantee_principal_id) = @username)
    AND (@grantorname IS NULL OR USER_NAME(p.grantor_principal_id) = @grantorname)
ORDER BY Owner, Object, Grantee, Grantor, ProtectType, Action
