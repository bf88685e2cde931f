-- Members of roles by procedure, as scripts for older versions have it: "Security Stored Procedures" of the SQL Server
-- documentation.

CREATE PROCEDURE sp_addrolemember @rolename sysname, @membername sysname
AS
BEGIN
    DECLARE @statement nvarchar(600) = N'ALTER ROLE ' + QUOTENAME(@rolename) + N' ADD MEMBER ' + QUOTENAME(@membername)
    EXEC (@statement)
END
GO
CREATE PROCEDURE sp_droprolemember @rolename sysname, @membername sysname
AS
BEGIN
    DECLARE @statement nvarchar(600) = N'ALTER ROLE ' + QUOTENAME(@rolename) + N' DROP MEMBER ' + QUOTENAME(@membername)
    EXEC (@statement)
END
