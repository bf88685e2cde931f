"""What each statement asks for, beside the page of the T-SQL reference that says so.

Each row names its page, below https://learn.microsoft.com/sql/. A row whose page is among `PAGES_READ` was compared
with the "Permissions" section of that page: its needs, not the error texts, which the pages do not give. Every other
row is `assumed`: written from knowledge of SQL Server, its page not read or `silent` on it.

A need is met by any one of its ways, written as GRANT writes them, or by what implies it (`permission_model`); a fixed
database role stands for membership in it, where that itself decides. Where several needs are not met, the first is
told, or any with the same number: the reference gives no order among the tables of a statement. What a refusal says is
SQL Server's own text.
"""

from __future__ import annotations

from dataclasses import dataclass

#: The thirteen grants of the export user, as the Data Export Service asks for them.
CONTRACT = (
    "CREATE TABLE", "CREATE TYPE", "CREATE VIEW", "CREATE PROCEDURE", "ALTER ANY USER", "VIEW DATABASE STATE",
    "ALTER ON SCHEMA::dbo", "REFERENCES ON SCHEMA::dbo", "INSERT ON SCHEMA::dbo", "DELETE ON SCHEMA::dbo",
    "UPDATE ON SCHEMA::dbo", "SELECT ON SCHEMA::dbo", "EXECUTE ON SCHEMA::dbo",
)  # fmt: skip

#: The pages whose "Permissions" section was read and compared with every row that names them.
PAGES_READ = frozenset(
    {
        "relational-databases/security/authentication-access/database-level-roles",
        "relational-databases/security/permissions-database-engine",
        "relational-databases/system-catalog-views/sys-tables-transact-sql",
        "relational-databases/system-dynamic-management-views/sys-dm-db-partition-stats-transact-sql",
        "relational-databases/system-information-schema-views/tables-transact-sql",
        "relational-databases/system-stored-procedures/sp-addrolemember-transact-sql",
        "relational-databases/system-stored-procedures/sp-executesql-transact-sql",
        "relational-databases/system-stored-procedures/sp-rename-transact-sql",
        "relational-databases/tables/use-table-valued-parameters-database-engine",
        "t-sql/data-types/table-transact-sql",
        "t-sql/functions/has-perms-by-name-transact-sql",
        "t-sql/language-elements/execute-transact-sql",
        "t-sql/language-elements/set-local-variable-transact-sql",
        "t-sql/language-elements/waitfor-transact-sql",
        "t-sql/queries/output-clause-transact-sql",
        "t-sql/queries/select-transact-sql",
        "t-sql/queries/update-transact-sql",
        "t-sql/statements/alter-authorization-transact-sql",
        "t-sql/statements/alter-database-scoped-configuration-transact-sql",
        "t-sql/statements/alter-database-transact-sql-set-options",
        "t-sql/statements/alter-login-transact-sql",
        "t-sql/statements/alter-procedure-transact-sql",
        "t-sql/statements/alter-role-transact-sql",
        "t-sql/statements/alter-schema-transact-sql",
        "t-sql/statements/alter-table-transact-sql",
        "t-sql/statements/alter-user-transact-sql",
        "t-sql/statements/alter-view-transact-sql",
        "t-sql/statements/create-database-transact-sql",
        "t-sql/statements/create-index-transact-sql",
        "t-sql/statements/create-login-transact-sql",
        "t-sql/statements/create-procedure-transact-sql",
        "t-sql/statements/create-role-transact-sql",
        "t-sql/statements/create-schema-transact-sql",
        "t-sql/statements/create-table-transact-sql",
        "t-sql/statements/create-type-transact-sql",
        "t-sql/statements/create-user-transact-sql",
        "t-sql/statements/create-view-transact-sql",
        "t-sql/statements/delete-transact-sql",
        "t-sql/statements/deny-database-permissions-transact-sql",
        "t-sql/statements/deny-object-permissions-transact-sql",
        "t-sql/statements/drop-database-transact-sql",
        "t-sql/statements/drop-index-transact-sql",
        "t-sql/statements/drop-login-transact-sql",
        "t-sql/statements/drop-procedure-transact-sql",
        "t-sql/statements/drop-role-transact-sql",
        "t-sql/statements/drop-schema-transact-sql",
        "t-sql/statements/drop-table-transact-sql",
        "t-sql/statements/drop-type-transact-sql",
        "t-sql/statements/drop-user-transact-sql",
        "t-sql/statements/drop-view-transact-sql",
        "t-sql/statements/grant-database-permissions-transact-sql",
        "t-sql/statements/grant-object-permissions-transact-sql",
        "t-sql/statements/grant-schema-permissions-transact-sql",
        "t-sql/statements/grant-type-permissions-transact-sql",
        "t-sql/statements/insert-transact-sql",
        "t-sql/statements/merge-transact-sql",
        "t-sql/statements/revoke-schema-permissions-transact-sql",
        "t-sql/statements/set-identity-insert-transact-sql",
        "t-sql/statements/truncate-table-transact-sql",
    }
)

#: The objects that the statements work on.
SETUP = (
    "CREATE TABLE dbo.t (a int NOT NULL, b int NULL)",
    "INSERT INTO dbo.t (a, b) VALUES (1, 1)",
    "CREATE INDEX i ON dbo.t (a)",
    "CREATE TABLE dbo.u (a int NOT NULL PRIMARY KEY)",
    "INSERT INTO dbo.u (a) VALUES (1)",
    "CREATE VIEW dbo.v AS SELECT a FROM dbo.t",
    "CREATE PROCEDURE dbo.p AS SELECT 1 AS one",
    "CREATE TYPE dbo.tt AS TABLE (a int)",
    "CREATE TYPE dbo.word FROM nvarchar(20)",
    "CREATE PROCEDURE dbo.q @rows dbo.tt READONLY AS SELECT COUNT(*) AS how_many FROM @rows",
    "CREATE TABLE dbo.numbered (a int IDENTITY NOT NULL)",
    "CREATE SCHEMA side",
    "CREATE SCHEMA spare",
    "CREATE ROLE crew",
    "CREATE USER mate WITHOUT LOGIN",
)


@dataclass(frozen=True)
class Need:
    """Without any way a statement that nobody may carry out here."""

    ways: tuple[str, ...]
    number: int
    text: str


@dataclass(frozen=True)
class Row:
    statement: str
    page: str
    needs: tuple[Need, ...] = ()
    in_transaction: bool = True
    undo: str = ""  # what a rollback does not take back
    silent: bool = False  # the pages were read and do not say all that the row does
    also: str = ""  # the page that says the rest: what a statement inside it asks for, what a fixed role may

    @property
    def assumed(self) -> bool:
        """Whether nobody has held the row against its pages."""
        return self.silent or self.page not in PAGES_READ or (bool(self.also) and self.also not in PAGES_READ)


def on_object(permission: str, name: str) -> Need:
    schema, _, bare = name.partition(".")
    text = f"The {permission} permission was denied on the object '{bare}', database '{{database}}', schema '{schema}'."
    return Need((f"{permission} ON {name}",), 229, text)


def on_type(permission: str, name: str) -> Need:
    schema, _, bare = name.partition(".")
    text = f"The {permission} permission was denied on the object '{bare}', database '{{database}}', schema '{schema}'."
    return Need((f"{permission} ON TYPE::{name}",), 229, text)


def in_database(permission: str) -> Need:
    return Need((permission,), 262, f"{permission} permission denied in database '{{database}}'.")


def not_found(verb: str, kind: str, name: str, *ways: str) -> Need:
    return Need(
        ways, 15151, f"Cannot {verb} the {kind} '{name}', because it does not exist or you do not have permission."
    )


def may_not(verb: str, kind: str, name: str, *ways: str) -> Need:
    text = f"Cannot {verb} the {kind} '{name}', because it does not exist or you do not have permission."
    return Need(ways, 3701, text)


def cannot_find(name: str, *ways: str) -> Need:
    text = f'Cannot find the object "{name}" because it does not exist or you do not have permissions.'
    return Need(ways, 1088, text)


def no_item(name: str, kind: str, *ways: str) -> Need:
    text = f"No item by the name of '{name}' could be found in the current database '{{database}}', "
    return Need(ways, 15225, f"{text}given that @itemtype was input as '{kind}'.")


def not_permitted(*ways: str) -> Need:
    return Need(ways, 15247, "User does not have permission to perform this action.")


def schema_refused(schema: str) -> Need:
    text = f'The specified schema name "{schema}" either does not exist or you do not have permission to use it.'
    return Need((f"ALTER ON SCHEMA::{schema}",), 2760, text)


def no_grant_permission(*ways: str) -> Need:
    return Need(ways, 4613, "Grantor does not have GRANT permission.")


_IN_MASTER = Need((), 5001, "User must be in the master database.")
_DROP_TABLE = ("ALTER ON SCHEMA::dbo", "CONTROL ON dbo.u")
_OWN_SCHEMA = ("CONTROL ON SCHEMA::dbo", "db_securityadmin")

ROWS = (
    # Data
    Row("SELECT a FROM dbo.t", "t-sql/queries/select-transact-sql", (on_object("SELECT", "dbo.t"),)),
    Row("SELECT a FROM dbo.v", "t-sql/queries/select-transact-sql", (on_object("SELECT", "dbo.v"),)),
    Row(
        "SELECT t.a FROM dbo.t AS t JOIN dbo.u AS u ON u.a = t.a", "t-sql/queries/select-transact-sql",
        (on_object("SELECT", "dbo.t"), on_object("SELECT", "dbo.u")),
    ),
    Row("IF EXISTS (SELECT * FROM dbo.t) PRINT 'x'", "t-sql/queries/select-transact-sql",
        (on_object("SELECT", "dbo.t"),)),
    Row("DECLARE @a int = (SELECT MAX(a) FROM dbo.t)", "t-sql/queries/select-transact-sql",
        (on_object("SELECT", "dbo.t"),)),
    Row("DECLARE @a int; SELECT @a = a FROM dbo.t", "t-sql/queries/select-transact-sql",
        (on_object("SELECT", "dbo.t"),)),
    Row(
        "SELECT a INTO dbo.copy FROM dbo.t", "t-sql/queries/select-transact-sql",
        (in_database("CREATE TABLE"), schema_refused("dbo"), on_object("SELECT", "dbo.t")),
    ),
    Row("INSERT INTO dbo.t (a) VALUES (2)", "t-sql/statements/insert-transact-sql", (on_object("INSERT", "dbo.t"),)),
    Row(
        "INSERT INTO dbo.t (a) SELECT a FROM dbo.u", "t-sql/statements/insert-transact-sql",
        (on_object("SELECT", "dbo.u"), on_object("INSERT", "dbo.t")),
        also="t-sql/queries/select-transact-sql",
    ),
    Row("UPDATE dbo.t SET a = 2", "t-sql/queries/update-transact-sql", (on_object("UPDATE", "dbo.t"),)),
    Row(
        "UPDATE dbo.t SET a = 2 WHERE b = 1", "t-sql/queries/update-transact-sql",
        (on_object("SELECT", "dbo.t"), on_object("UPDATE", "dbo.t")),
    ),
    Row(
        "UPDATE dbo.t SET a = b", "t-sql/queries/update-transact-sql",
        (on_object("SELECT", "dbo.t"), on_object("UPDATE", "dbo.t")),
    ),
    Row("DELETE FROM dbo.t", "t-sql/statements/delete-transact-sql", (on_object("DELETE", "dbo.t"),)),
    Row(
        "DELETE FROM dbo.t WHERE a = 1", "t-sql/statements/delete-transact-sql",
        (on_object("SELECT", "dbo.t"), on_object("DELETE", "dbo.t")),
    ),
    Row(
        "MERGE dbo.t AS t USING dbo.u AS u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 2 "
        "WHEN NOT MATCHED THEN INSERT (a) VALUES (u.a) WHEN NOT MATCHED BY SOURCE THEN DELETE;",
        "t-sql/statements/merge-transact-sql",
        (
            on_object("SELECT", "dbo.t"), on_object("SELECT", "dbo.u"), on_object("UPDATE", "dbo.t"),
            on_object("INSERT", "dbo.t"), on_object("DELETE", "dbo.t"),
        ),
        silent=True,
    ),
    Row(
        "INSERT INTO dbo.t (a) OUTPUT inserted.a VALUES (2)", "t-sql/queries/output-clause-transact-sql",
        (on_object("SELECT", "dbo.t"), on_object("INSERT", "dbo.t")),
        also="t-sql/statements/insert-transact-sql",
    ),
    Row(
        "DELETE FROM dbo.u OUTPUT deleted.a INTO dbo.t (a)", "t-sql/queries/output-clause-transact-sql",
        (on_object("SELECT", "dbo.u"), on_object("DELETE", "dbo.u"), on_object("INSERT", "dbo.t")),
        also="t-sql/statements/delete-transact-sql",
    ),
    Row(
        "UPDATE t SET b = 2 FROM dbo.t AS t JOIN dbo.u AS u ON u.a = t.a", "t-sql/queries/update-transact-sql",
        (on_object("SELECT", "dbo.t"), on_object("SELECT", "dbo.u"), on_object("UPDATE", "dbo.t")),
        also="t-sql/queries/select-transact-sql",
    ),
    Row(
        "DELETE t FROM dbo.t AS t JOIN dbo.u AS u ON u.a = t.a", "t-sql/statements/delete-transact-sql",
        (on_object("SELECT", "dbo.t"), on_object("SELECT", "dbo.u"), on_object("DELETE", "dbo.t")),
        also="t-sql/queries/select-transact-sql",
    ),
    Row(
        "INSERT INTO dbo.t (a) EXEC dbo.p", "t-sql/statements/insert-transact-sql",
        (on_object("INSERT", "dbo.t"), on_object("EXECUTE", "dbo.p")),
        also="t-sql/language-elements/execute-transact-sql",
    ),
    Row("TRUNCATE TABLE dbo.t", "t-sql/statements/truncate-table-transact-sql",
        (cannot_find("t", "ALTER ON dbo.t"),)),
    # Procedures
    Row("EXEC dbo.p", "t-sql/language-elements/execute-transact-sql", (on_object("EXECUTE", "dbo.p"),)),
    Row(
        "DECLARE @rows dbo.tt; EXEC dbo.q @rows",
        "relational-databases/tables/use-table-valued-parameters-database-engine",
        (on_type("EXECUTE", "dbo.tt"), on_object("EXECUTE", "dbo.q")),
        also="t-sql/language-elements/execute-transact-sql",
    ),
    Row("EXEC (N'SELECT a FROM dbo.t')", "t-sql/language-elements/execute-transact-sql",
        (on_object("SELECT", "dbo.t"),)),
    Row("EXEC sp_executesql N'DELETE FROM dbo.t'",
        "relational-databases/system-stored-procedures/sp-executesql-transact-sql", (on_object("DELETE", "dbo.t"),),
        also="t-sql/statements/delete-transact-sql"),
    Row("CREATE PROCEDURE dbo.made AS SELECT 1 AS one", "t-sql/statements/create-procedure-transact-sql",
        (in_database("CREATE PROCEDURE"), schema_refused("dbo"))),
    Row("CREATE OR ALTER PROCEDURE dbo.made AS SELECT 1 AS one", "t-sql/statements/create-procedure-transact-sql",
        (in_database("CREATE PROCEDURE"), schema_refused("dbo"))),
    Row("CREATE OR ALTER PROCEDURE dbo.p AS SELECT 1 AS one", "t-sql/statements/create-procedure-transact-sql",
        (may_not("alter", "procedure", "p", "ALTER ON dbo.p"),), silent=True),
    Row("ALTER PROCEDURE dbo.p AS SELECT 2 AS two", "t-sql/statements/alter-procedure-transact-sql",
        (may_not("alter", "procedure", "p", "ALTER ON dbo.p"),)),
    Row("DROP PROCEDURE dbo.p", "t-sql/statements/drop-procedure-transact-sql",
        (may_not("drop", "procedure", "p", "ALTER ON SCHEMA::dbo", "CONTROL ON dbo.p"),)),
    # Tables and views
    Row("CREATE TABLE dbo.made (a int)", "t-sql/statements/create-table-transact-sql",
        (in_database("CREATE TABLE"), schema_refused("dbo"))),
    Row("CREATE TABLE side.made (a int)", "t-sql/statements/create-table-transact-sql",
        (in_database("CREATE TABLE"), schema_refused("side"))),
    Row("ALTER TABLE dbo.t ADD c int NULL", "t-sql/statements/alter-table-transact-sql",
        (cannot_find("t", "ALTER ON dbo.t"),)),
    Row("ALTER TABLE dbo.t ALTER COLUMN b bigint NULL", "t-sql/statements/alter-table-transact-sql",
        (cannot_find("t", "ALTER ON dbo.t"),)),
    Row("ALTER TABLE dbo.t ADD e int NOT NULL DEFAULT 0", "t-sql/statements/alter-table-transact-sql",
        (cannot_find("t", "ALTER ON dbo.t"), on_object("UPDATE", "dbo.t"))),
    Row("ALTER TABLE dbo.t DROP COLUMN b", "t-sql/statements/alter-table-transact-sql",
        (cannot_find("t", "ALTER ON dbo.t"),)),
    Row(
        "ALTER TABLE dbo.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES dbo.u (a)",
        "t-sql/statements/alter-table-transact-sql",
        (cannot_find("t", "ALTER ON dbo.t"), on_object("REFERENCES", "dbo.u")),
        also="relational-databases/security/permissions-database-engine",
    ),
    Row(
        "CREATE TABLE dbo.made (a int REFERENCES dbo.u (a))", "t-sql/statements/create-table-transact-sql",
        (in_database("CREATE TABLE"), schema_refused("dbo"), on_object("REFERENCES", "dbo.u")),
        also="relational-databases/security/permissions-database-engine",
    ),
    Row("SET IDENTITY_INSERT dbo.numbered ON", "t-sql/statements/set-identity-insert-transact-sql",
        (cannot_find("dbo.numbered", "ALTER ON dbo.numbered"),), undo="SET IDENTITY_INSERT dbo.numbered OFF"),
    Row("EXEC sp_rename 'dbo.u', 'renamed'",
        "relational-databases/system-stored-procedures/sp-rename-transact-sql",
        (no_item("dbo.u", "(null)", "ALTER ON dbo.u"),)),
    Row("EXEC sp_rename 'dbo.word', 'renamed', 'USERDATATYPE'",
        "relational-databases/system-stored-procedures/sp-rename-transact-sql",
        (no_item("dbo.word", "USERDATATYPE", "CONTROL ON TYPE::dbo.word"),)),
    Row("EXEC sp_rename 'dbo.t.b', 'renamed', 'COLUMN'",
        "relational-databases/system-stored-procedures/sp-rename-transact-sql",
        (no_item("dbo.t.b", "COLUMN", "ALTER ON dbo.t"),)),
    Row("DROP TABLE dbo.u", "t-sql/statements/drop-table-transact-sql", (may_not("drop", "table", "u", *_DROP_TABLE),)),
    Row("CREATE INDEX j ON dbo.t (b)", "t-sql/statements/create-index-transact-sql",
        (cannot_find("dbo.t", "ALTER ON dbo.t"),)),
    Row("DROP INDEX i ON dbo.t", "t-sql/statements/drop-index-transact-sql",
        (cannot_find("dbo.t.i", "ALTER ON dbo.t"),)),
    Row("CREATE VIEW dbo.made AS SELECT 1 AS one", "t-sql/statements/create-view-transact-sql",
        (in_database("CREATE VIEW"), schema_refused("dbo"))),
    Row("ALTER VIEW dbo.v AS SELECT 1 AS one", "t-sql/statements/alter-view-transact-sql",
        (may_not("alter", "view", "v", "ALTER ON dbo.v"),)),
    Row("DROP VIEW dbo.v", "t-sql/statements/drop-view-transact-sql",
        (may_not("drop", "view", "v", "ALTER ON SCHEMA::dbo", "CONTROL ON dbo.v"),)),
    # Types
    Row("CREATE TYPE dbo.made AS TABLE (a int)", "t-sql/statements/create-type-transact-sql",
        (in_database("CREATE TYPE"), schema_refused("dbo"))),
    Row("CREATE TYPE dbo.made FROM int", "t-sql/statements/create-type-transact-sql",
        (in_database("CREATE TYPE"), schema_refused("dbo"))),
    Row("DROP TYPE dbo.word", "t-sql/statements/drop-type-transact-sql",
        (Need(
            ("ALTER ON SCHEMA::dbo", "CONTROL ON TYPE::dbo.word"), 218,
            "Could not find the type 'dbo.word'. Either it does not exist or you do not have the necessary permission.",
        ),)),
    Row("DECLARE @rows dbo.tt", "relational-databases/tables/use-table-valued-parameters-database-engine",
        (on_type("EXECUTE", "dbo.tt"),)),
    Row("CREATE TABLE dbo.made (a dbo.word)", "t-sql/statements/create-table-transact-sql",
        (in_database("CREATE TABLE"), schema_refused("dbo"), on_type("REFERENCES", "dbo.word"))),
    # Schemas and owners
    Row("CREATE SCHEMA made", "t-sql/statements/create-schema-transact-sql", (not_permitted("CREATE SCHEMA"),)),
    Row(
        "CREATE SCHEMA made AUTHORIZATION mate", "t-sql/statements/create-schema-transact-sql",
        (not_permitted("CREATE SCHEMA"), not_found("find", "principal", "mate", "IMPERSONATE ON USER::mate")),
    ),
    Row("DROP SCHEMA spare", "t-sql/statements/drop-schema-transact-sql",
        (not_found("drop", "schema", "spare", "CONTROL ON SCHEMA::spare", "ALTER ANY SCHEMA"),)),
    Row(
        "ALTER SCHEMA side TRANSFER dbo.u", "t-sql/statements/alter-schema-transact-sql",
        (
            not_found("alter", "schema", "side", "ALTER ON SCHEMA::side"),
            not_found("transfer", "object", "u", "CONTROL ON dbo.u"),
        ),
    ),
    Row("ALTER AUTHORIZATION ON dbo.u TO exporter", "t-sql/statements/alter-authorization-transact-sql",
        (not_found("find", "object", "u", "TAKE OWNERSHIP ON dbo.u"),)),
    Row(
        "ALTER AUTHORIZATION ON SCHEMA::side TO crew", "t-sql/statements/alter-authorization-transact-sql",
        (
            not_found("find", "schema", "side", "TAKE OWNERSHIP ON SCHEMA::side"),
            not_found("find", "principal", "crew", "ALTER ON ROLE::crew"),
        ),
    ),
    # Users and roles
    Row("CREATE USER made WITHOUT LOGIN", "t-sql/statements/create-user-transact-sql",
        (not_permitted("ALTER ANY USER"),)),
    Row("ALTER USER mate WITH NAME = friend", "t-sql/statements/alter-user-transact-sql",
        (not_found("alter", "user", "mate", "ALTER ANY USER"),)),
    Row("ALTER USER mate WITH DEFAULT_SCHEMA = side", "t-sql/statements/alter-user-transact-sql",
        (not_found("alter", "user", "mate", "ALTER ON USER::mate"),)),
    Row("ALTER USER exporter WITH DEFAULT_SCHEMA = side", "t-sql/statements/alter-user-transact-sql"),
    Row("DROP USER mate", "t-sql/statements/drop-user-transact-sql",
        (not_found("drop", "user", "mate", "ALTER ANY USER"),)),
    Row("CREATE ROLE made", "t-sql/statements/create-role-transact-sql",
        (not_permitted("CREATE ROLE"),)),
    Row("ALTER ROLE crew ADD MEMBER mate", "t-sql/statements/alter-role-transact-sql",
        (not_found("alter", "role", "crew", "ALTER ON ROLE::crew"),)),
    Row("ALTER ROLE db_datareader ADD MEMBER mate", "t-sql/statements/alter-role-transact-sql",
        (not_found("alter", "role", "db_datareader", "db_owner"),)),
    Row("EXEC sp_addrolemember 'crew', 'mate'",
        "relational-databases/system-stored-procedures/sp-addrolemember-transact-sql",
        (not_found("alter", "role", "crew", "ALTER ON ROLE::crew"),)),
    Row("DROP ROLE crew", "t-sql/statements/drop-role-transact-sql",
        (not_found("drop", "role", "crew", "ALTER ANY ROLE", "CONTROL ON ROLE::crew"),)),
    # Permissions: db_securityadmin manages them, says database-level-roles; these pages name it beside AS alone
    Row("GRANT CREATE TABLE TO public", "t-sql/statements/grant-database-permissions-transact-sql",
        (no_grant_permission("CONTROL", "db_securityadmin"),),
        also="relational-databases/security/authentication-access/database-level-roles"),
    Row("DENY VIEW DATABASE STATE TO public", "t-sql/statements/deny-database-permissions-transact-sql",
        (no_grant_permission("CONTROL", "db_securityadmin"),),
        also="relational-databases/security/authentication-access/database-level-roles"),
    Row("GRANT SELECT ON SCHEMA::dbo TO public", "t-sql/statements/grant-schema-permissions-transact-sql",
        (not_found("find", "schema", "dbo", *_OWN_SCHEMA),),
        also="relational-databases/security/authentication-access/database-level-roles"),
    Row("REVOKE SELECT ON SCHEMA::dbo FROM public", "t-sql/statements/revoke-schema-permissions-transact-sql",
        (not_found("find", "schema", "dbo", *_OWN_SCHEMA),),
        also="relational-databases/security/authentication-access/database-level-roles"),
    Row("GRANT SELECT ON dbo.t TO public", "t-sql/statements/grant-object-permissions-transact-sql",
        (not_found("find", "object", "t", "CONTROL ON dbo.t", "db_securityadmin"),),
        also="relational-databases/security/authentication-access/database-level-roles"),
    Row("DENY INSERT ON dbo.t TO public", "t-sql/statements/deny-object-permissions-transact-sql",
        (not_found("find", "object", "t", "CONTROL ON dbo.t", "db_securityadmin"),),
        also="relational-databases/security/authentication-access/database-level-roles"),
    Row("GRANT EXECUTE ON TYPE::dbo.tt TO public", "t-sql/statements/grant-type-permissions-transact-sql",
        (not_found("find", "type", "tt", "CONTROL ON TYPE::dbo.tt", "db_securityadmin"),),
        also="relational-databases/security/authentication-access/database-level-roles"),
    # The database
    Row("ALTER DATABASE SCOPED CONFIGURATION SET MAXDOP = 2",
        "t-sql/statements/alter-database-scoped-configuration-transact-sql",
        (not_permitted("ALTER ANY DATABASE SCOPED CONFIGURATION"),)),
    Row("ALTER DATABASE CURRENT SET READ_COMMITTED_SNAPSHOT ON",
        "t-sql/statements/alter-database-transact-sql-set-options",
        (Need(("ALTER",), 5011, "User does not have permission to alter database '{database}', the database does not "
              "exist, or the database is not in a state that allows access checks."),),
        in_transaction=False, silent=True),
    # The page asks for VIEW DEFINITION beside VIEW DATABASE STATE: the export user is not granted that.
    Row("SELECT row_count FROM sys.dm_db_partition_stats",
        "relational-databases/system-dynamic-management-views/sys-dm-db-partition-stats-transact-sql",
        (in_database("VIEW DATABASE PERFORMANCE STATE"),), silent=True),
    # The server, which is asked in master alone
    Row("CREATE LOGIN made WITH PASSWORD = 'Export-Pass-123'", "t-sql/statements/create-login-transact-sql",
        (_IN_MASTER,), in_transaction=False),
    Row("ALTER LOGIN made DISABLE", "t-sql/statements/alter-login-transact-sql", (_IN_MASTER,), in_transaction=False,
        silent=True),
    Row("DROP LOGIN made", "t-sql/statements/drop-login-transact-sql", (_IN_MASTER,), in_transaction=False,
        silent=True),
    Row("CREATE DATABASE made", "t-sql/statements/create-database-transact-sql", (_IN_MASTER,), in_transaction=False,
        silent=True),
    Row("DROP DATABASE made", "t-sql/statements/drop-database-transact-sql", (_IN_MASTER,), in_transaction=False),
    # Open to everybody
    Row("SELECT name FROM sys.tables", "relational-databases/system-catalog-views/sys-tables-transact-sql"),
    Row("SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES",
        "relational-databases/system-information-schema-views/tables-transact-sql"),
    Row("DECLARE @a int = 1; SET @a = 2; IF @a = 2 PRINT 'two'",
        "t-sql/language-elements/set-local-variable-transact-sql", silent=True),
    Row("SELECT HAS_PERMS_BY_NAME('dbo.t', 'OBJECT', 'SELECT')", "t-sql/functions/has-perms-by-name-transact-sql"),
    Row("DECLARE @t TABLE (a int); INSERT INTO @t VALUES (1); SELECT a FROM @t",
        "t-sql/data-types/table-transact-sql", silent=True),
    Row("WAITFOR DELAY '00:00:00'", "t-sql/language-elements/waitfor-transact-sql", silent=True),
    Row("CREATE TABLE #made (a int)", "t-sql/statements/create-table-transact-sql"),
)  # fmt: skip


@dataclass(frozen=True)
class ServerRow:
    """A statement on the server, in master: who is in `role` there may carry it out."""

    statement: str
    page: str
    role: str
    number: int
    text: str
    before: str
    undo: str
    also: str = ""  # the page that says what the role may

    @property
    def assumed(self) -> bool:
        """Whether nobody has held the row against its pages."""
        return self.page not in PAGES_READ or (bool(self.also) and self.also not in PAGES_READ)


_ROLES = "relational-databases/security/authentication-access/database-level-roles"
_LOGIN, _DATABASE = "CREATE LOGIN made WITH PASSWORD = 'Export-Pass-123'", "CREATE DATABASE made"
_NOT_YOURS = "because it does not exist or you do not have permission."

SERVER_ROWS = (
    ServerRow(_LOGIN, "t-sql/statements/create-login-transact-sql", "loginmanager", 15247,
              "User does not have permission to perform this action.", "", "DROP LOGIN made"),
    ServerRow("ALTER LOGIN made DISABLE", "t-sql/statements/alter-login-transact-sql", "loginmanager", 15151,
              f"Cannot alter the login 'made', {_NOT_YOURS}", _LOGIN, "DROP LOGIN made", also=_ROLES),
    ServerRow("DROP LOGIN made", "t-sql/statements/drop-login-transact-sql", "loginmanager", 15151,
              f"Cannot drop the login 'made', {_NOT_YOURS}", _LOGIN, "DROP LOGIN made", also=_ROLES),
    ServerRow(_DATABASE, "t-sql/statements/create-database-transact-sql", "dbmanager", 262,
              "CREATE DATABASE permission denied in database 'master'.", "", "DROP DATABASE made"),
    ServerRow("DROP DATABASE made", "t-sql/statements/drop-database-transact-sql", "dbmanager", 3701,
              f"Cannot drop the database 'made', {_NOT_YOURS}", _DATABASE, "DROP DATABASE made"),
)  # fmt: skip
