"""The views of sys and INFORMATION_SCHEMA and the metadata functions: what they show, and to whom."""

from __future__ import annotations

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number

_TABLE = """
CREATE TABLE dbo.orders (id bigint IDENTITY(10, 5) NOT NULL, name nvarchar(20) NOT NULL CONSTRAINT df_name DEFAULT N'x',
  amount decimal(12, 3) NULL CONSTRAINT df_amount DEFAULT 0,
  made datetime2(3) NULL CONSTRAINT df_made DEFAULT SYSUTCDATETIME(), ratio float NULL, raw varbinary(max) NULL,
  CONSTRAINT pk_orders PRIMARY KEY (id), CONSTRAINT uq_orders UNIQUE (name, amount))
"""


@pytest.fixture
def orders(connection: pyodbc.Connection) -> pyodbc.Connection:
    connection.execute(_TABLE)
    connection.execute("CREATE INDEX ix_made ON dbo.orders (made)")
    connection.execute("CREATE VIEW dbo.names AS SELECT id, name FROM dbo.orders")
    connection.execute("CREATE PROCEDURE dbo.add_up @a int, @b decimal(9, 2) OUTPUT AS SELECT 1 AS one")
    connection.execute("CREATE TYPE dbo.pairs AS TABLE (a int NOT NULL PRIMARY KEY, b nvarchar(10) NULL)")
    connection.execute("INSERT INTO dbo.orders (name) VALUES (N'a'), (N'b')")
    return connection


def test_every_system_view_can_be_read_and_has_the_columns_it_is_said_to_have(orders: pyodbc.Connection) -> None:
    views = orders.execute("SELECT SCHEMA_NAME(schema_id), name, object_id FROM sys.all_views WHERE is_ms_shipped = 1")
    listed = views.fetchall()
    assert len(listed) > 50
    for schema, name, object_id in listed:
        with closing(orders.execute(f"SELECT * FROM {schema}.{name}")) as cursor:  # noqa: S608
            names = [column[0] for column in cursor.description]
        said = orders.cursor().execute(
            "SELECT name FROM sys.all_columns WHERE object_id = ? ORDER BY column_id", object_id
        )
        assert names == [row.name for row in said], name


def test_no_system_view_shows_a_user_what_the_user_may_not_see(
    server: Server, database: str, orders: pyodbc.Connection
) -> None:
    user, password = server.user(database)
    with closing(server.connect(database, user, password)) as connection:
        for view in ("objects", "tables", "views", "procedures", "columns", "indexes", "index_columns", "parameters",
                     "key_constraints", "default_constraints", "identity_columns", "sql_modules", "table_types",
                     "partitions", "sysobjects", "database_firewall_rules"):  # fmt: skip
            assert connection.execute(f"SELECT count(*) FROM sys.{view}").fetchval() == 0, view  # noqa: S608
        for view in ("TABLES", "COLUMNS", "VIEWS", "ROUTINES", "PARAMETERS", "TABLE_CONSTRAINTS", "KEY_COLUMN_USAGE",
                     "CONSTRAINT_COLUMN_USAGE", "TABLE_PRIVILEGES"):  # fmt: skip
            assert connection.execute(f"SELECT count(*) FROM INFORMATION_SCHEMA.{view}").fetchval() == 0, view  # noqa: S608
        orders.execute(f"GRANT SELECT ON dbo.orders TO [{user}]")
        assert connection.execute("SELECT name FROM sys.tables").fetchval() == "orders"
        assert connection.execute("SELECT definition FROM sys.sql_modules").fetchall() == []


def test_columns_of_information_schema_give_type_and_default(orders: pyodbc.Connection, database: str) -> None:
    rows = orders.execute(
        "SELECT COLUMN_NAME, COLUMN_DEFAULT, IS_NULLABLE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, CHARACTER_OCTET_LENGTH, "
        "NUMERIC_PRECISION, NUMERIC_PRECISION_RADIX, NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_SET_NAME "
        "FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'orders' ORDER BY ORDINAL_POSITION"
    )
    assert [tuple(row) for row in rows] == [
        ("id", None, "NO", "bigint", None, None, 19, 10, 0, None, None),
        ("name", "(N'x')", "NO", "nvarchar", 20, 40, None, None, None, None, "UNICODE"),
        ("amount", "((0))", "YES", "decimal", None, None, 12, 10, 3, None, None),
        ("made", "(sysutcdatetime())", "YES", "datetime2", None, None, None, None, None, 3, None),
        ("ratio", None, "YES", "float", None, None, 53, 2, None, None, None),
        ("raw", None, "YES", "varbinary", -1, -1, None, None, None, None, None),
    ]


def test_constraints_are_listed_with_their_columns(orders: pyodbc.Connection) -> None:
    rows = orders.execute(
        "SELECT c.CONSTRAINT_NAME, c.CONSTRAINT_TYPE, k.COLUMN_NAME, k.ORDINAL_POSITION "
        "FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS c JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE AS k "
        "ON k.CONSTRAINT_NAME = c.CONSTRAINT_NAME ORDER BY c.CONSTRAINT_NAME, k.ORDINAL_POSITION"
    )
    assert [tuple(row) for row in rows] == [
        ("pk_orders", "PRIMARY KEY", "id", 1), ("uq_orders", "UNIQUE", "name", 1), ("uq_orders", "UNIQUE", "amount", 2),
    ]  # fmt: skip
    rows = orders.execute(
        "SELECT name, type, OBJECT_NAME(parent_object_id) FROM sys.objects WHERE parent_object_id <> 0"
    )
    assert {tuple(row) for row in rows} == {
        ("pk_orders", "PK", "orders"), ("uq_orders", "UQ", "orders"), ("df_name", "D ", "orders"),
        ("df_amount", "D ", "orders"), ("df_made", "D ", "orders"),
    }  # fmt: skip


def test_indexes_number_the_primary_key_first(orders: pyodbc.Connection) -> None:
    rows = orders.execute(
        "SELECT name, index_id, type_desc, is_unique, is_primary_key FROM sys.indexes ORDER BY index_id"
    )
    assert [tuple(row) for row in rows] == [
        ("pk_orders", 1, "CLUSTERED", True, True), ("uq_orders", 2, "NONCLUSTERED", True, False),
        ("ix_made", 3, "NONCLUSTERED", False, False),
    ]  # fmt: skip


def test_row_counts_are_those_of_the_table(orders: pyodbc.Connection) -> None:
    query = "SELECT {} FROM {} WHERE object_id = OBJECT_ID('dbo.orders') AND index_id IN (0, 1)"
    assert orders.execute(query.format("rows", "sys.partitions")).fetchval() == 2
    assert orders.execute(query.format("row_count", "sys.dm_db_partition_stats")).fetchval() == 2


def test_identity_columns_tell_seed_and_last_value(orders: pyodbc.Connection) -> None:
    row = orders.execute(
        "SELECT CAST(seed_value AS int), CAST(increment_value AS int), CAST(last_value AS int) "
        "FROM sys.identity_columns"
    ).fetchone()
    assert tuple(row) == (10, 5, 15)
    row = orders.execute(
        "SELECT IDENT_SEED('dbo.orders'), IDENT_INCR('dbo.orders'), IDENT_CURRENT('orders'), SCOPE_IDENTITY()"
    ).fetchone()
    assert [int(value) for value in row] == [10, 5, 15, 15]


def test_routines_and_their_parameters(orders: pyodbc.Connection) -> None:
    row = orders.execute(
        "SELECT ROUTINE_NAME, ROUTINE_TYPE, LEFT(ROUTINE_DEFINITION, 16) FROM INFORMATION_SCHEMA.ROUTINES"
    )
    assert tuple(row.fetchone()) == ("add_up", "PROCEDURE", "CREATE PROCEDURE")
    rows = orders.execute(
        "SELECT PARAMETER_NAME, PARAMETER_MODE, DATA_TYPE, NUMERIC_SCALE FROM INFORMATION_SCHEMA.PARAMETERS ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [("@a", "IN", "int", 0), ("@b", "INOUT", "decimal", 2)]


def test_table_types_have_columns(orders: pyodbc.Connection) -> None:
    rows = orders.execute(
        "SELECT t.name, c.name, TYPE_NAME(c.user_type_id) FROM sys.table_types AS t "
        "JOIN sys.columns AS c ON c.object_id = t.type_table_object_id ORDER BY c.column_id"
    )
    assert [tuple(row) for row in rows] == [("pairs", "a", "int"), ("pairs", "b", "nvarchar")]
    number_ = orders.execute("SELECT TYPE_ID('dbo.pairs')").fetchval()
    assert orders.execute("SELECT TYPE_NAME(?)", number_).fetchval() == "pairs"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("OBJECT_NAME(OBJECT_ID('dbo.orders'))", "orders"),
        ("OBJECT_NAME(OBJECT_ID('dbo.pk_orders', 'PK'))", "pk_orders"),
        ("OBJECT_NAME(OBJECT_ID('df_name', 'D'))", "df_name"),
        ("OBJECT_ID('dbo.orders', 'V')", None),
        ("OBJECT_SCHEMA_NAME(OBJECT_ID('[dbo].[orders]'))", "dbo"),
        ("OBJECTPROPERTY(OBJECT_ID('dbo.orders'), 'IsUserTable')", 1),
        ("OBJECTPROPERTY(OBJECT_ID('dbo.orders'), 'TableHasPrimaryKey')", 1),
        ("OBJECTPROPERTY(OBJECT_ID('dbo.orders'), 'TableHasIdentity')", 1),
        ("OBJECTPROPERTY(OBJECT_ID('dbo.names'), 'IsView')", 1),
        ("OBJECTPROPERTY(OBJECT_ID('dbo.names'), 'IsProcedure')", 0),
        ("OBJECTPROPERTY(OBJECT_ID('pk_orders'), 'IsPrimaryKey')", 1),
        ("OBJECTPROPERTY(OBJECT_ID('dbo.orders'), 'NoSuchProperty')", None),
        ("CAST(OBJECTPROPERTYEX(OBJECT_ID('dbo.orders'), 'BaseType') AS char(2))", "U "),
        ("CAST(OBJECTPROPERTYEX(OBJECT_ID('dbo.orders'), 'Cardinality') AS int)", 2),
        ("LEFT(OBJECT_DEFINITION(OBJECT_ID('dbo.names')), 11)", "CREATE VIEW"),
        ("OBJECT_DEFINITION(OBJECT_ID('df_amount'))", "((0))"),
        ("COL_NAME(OBJECT_ID('dbo.orders'), 2)", "name"),
        ("COL_LENGTH('dbo.orders', 'name')", 40),
        ("COLUMNPROPERTY(OBJECT_ID('dbo.orders'), 'id', 'IsIdentity')", 1),
        ("COLUMNPROPERTY(OBJECT_ID('dbo.orders'), 'name', 'AllowsNull')", 0),
        ("COLUMNPROPERTY(OBJECT_ID('dbo.orders'), 'amount', 'Precision')", 12),
        ("COLUMNPROPERTY(OBJECT_ID('dbo.orders'), 'amount', 'Scale')", 3),
        ("INDEX_COL('dbo.orders', 2, 2)", "amount"),
        ("INDEXPROPERTY(OBJECT_ID('dbo.orders'), 'ix_made', 'IsUnique')", 0),
        ("INDEXPROPERTY(OBJECT_ID('dbo.orders'), 'pk_orders', 'IndexID')", 1),
        ("TYPEPROPERTY('decimal', 'Precision')", 38),
        ("TYPEPROPERTY('nvarchar', 'Precision')", 4000),
        ("TYPE_NAME(TYPE_ID('sysname'))", "sysname"),
        ("TYPE_ID('nothing')", None),
        ("SCHEMA_NAME(SCHEMA_ID('dbo'))", "dbo"),
        ("SCHEMA_ID('nothing')", None),
        ("DB_NAME(DB_ID())", "DATABASE"),
        ("USER_NAME(USER_ID('public'))", "public"),
        ("DATABASE_PRINCIPAL_ID('nobody')", None),
        ("CURRENT_USER", "dbo"),
        ("SYSTEM_USER", "sqladmin"),
        ("ORIGINAL_LOGIN()", "sqladmin"),
        ("SUSER_SNAME(SUSER_SID())", "sqladmin"),
        ("IS_MEMBER('db_owner')", 1),
        ("IS_MEMBER('nobody')", None),
        ("IS_ROLEMEMBER('db_datareader', 'public')", 0),
        ("IS_SRVROLEMEMBER('sysadmin')", 0),
        ("HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE')", 1),
        ("HAS_PERMS_BY_NAME('dbo.orders', 'OBJECT', 'SELECT')", 1),
        ("HAS_PERMS_BY_NAME('dbo.nothing', 'OBJECT', 'SELECT')", 0),
        ("HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'NO SUCH THING')", None),
        ("CAST(SERVERPROPERTY('EngineEdition') AS int)", 5),
        ("CAST(SERVERPROPERTY('Edition') AS nvarchar(20))", "SQL Azure"),
        ("CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(20))", "12.0.2000.8"),
        ("CAST(SERVERPROPERTY('Collation') AS nvarchar(60))", "SQL_Latin1_General_CP1_CI_AS"),
        ("CAST(SERVERPROPERTY('NoSuchProperty') AS nvarchar(20))", None),
        ("CAST(DATABASEPROPERTYEX(DB_NAME(), 'Status') AS nvarchar(20))", "ONLINE"),
        ("CAST(CONNECTIONPROPERTY('net_transport') AS nvarchar(20))", "TCP"),
        ("@@MAX_PRECISION", 38),
        ("@@LANGUAGE", "us_english"),
        ("@@DATEFIRST", 7),
        ("@@OPTIONS & 512", 0),
        ("PARSENAME('a.[b.c].d', 2)", "b.c"),
        ("PARSENAME('a.b', 3)", None),
    ],
)  # fmt: skip
def test_metadata_functions(orders: pyodbc.Connection, database: str, expression: str, expected: object) -> None:
    found = orders.execute(f"SELECT {expression}").fetchval()
    assert found == (database if expected == "DATABASE" else expected)


def test_messages_are_those_that_the_server_raises(connection: pyodbc.Connection) -> None:
    row = connection.execute("SELECT severity, text FROM sys.messages WHERE message_id = 208").fetchone()
    assert tuple(row) == (16, "Invalid object name '%.*ls'.")


def test_the_sessions_context_keeps_values_until_the_session_is_reset(connection: pyodbc.Connection) -> None:
    connection.execute("EXEC sp_set_session_context N'user', N'Ann'")
    connection.execute("EXEC sp_set_session_context @key = N'fixed', @value = N'once', @read_only = 1")
    query = "SELECT CAST(SESSION_CONTEXT(N'user') AS nvarchar(9)), CAST(SESSION_CONTEXT(N'fixed') AS nvarchar(9))"
    assert tuple(connection.execute(query).fetchone()) == ("Ann", "once")
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute("EXEC sp_set_session_context N'fixed', N'twice'")
    assert number(caught.value) == 15664


def test_nesting_is_counted(connection: pyodbc.Connection) -> None:
    connection.execute("CREATE PROCEDURE dbo.deep AS SELECT @@NESTLEVEL AS deep")
    assert connection.execute("EXEC dbo.deep").fetchval() == 1
    assert connection.execute("SELECT @@NESTLEVEL").fetchval() == 0


@pytest.mark.parametrize("view", ["firewall_rules", "sql_logins", "server_principals"])
def test_views_of_the_server_have_rows_in_master_only(server: Server, connection: pyodbc.Connection, view: str) -> None:
    assert connection.execute(f"SELECT count(*) FROM sys.{view}").fetchval() == 0  # noqa: S608


def test_permissions_of_oneself_are_listed(server: Server, database: str, orders: pyodbc.Connection) -> None:
    user, password = server.user(database)
    orders.execute(f"GRANT SELECT, INSERT ON dbo.orders TO [{user}]")
    with closing(server.connect(database, user, password)) as connection:
        query = "SELECT permission_name FROM sys.fn_my_permissions('dbo.orders', 'OBJECT') ORDER BY 1"
        assert [row[0] for row in connection.execute(query)] == ["INSERT", "SELECT"]
        query = "SELECT entity_name, permission_name FROM fn_my_permissions(NULL, 'DATABASE')"
        assert ("database", "CONNECT") in [tuple(row) for row in connection.execute(query)]
        query = (
            "SELECT covering_permission_name FROM sys.fn_builtin_permissions('SCHEMA') WHERE permission_name = 'SELECT'"
        )
        assert connection.execute(query).fetchval() == "CONTROL"


@pytest.fixture
def related(connection: pyodbc.Connection) -> pyodbc.Connection:
    """Tables with checks, a computed column, an alias type and a foreign key."""
    connection.execute("CREATE TYPE dbo.code FROM nvarchar(8) NOT NULL")
    connection.execute("CREATE TYPE dbo.pairs AS TABLE (a int NOT NULL, b dbo.code NULL)")
    connection.execute(
        "CREATE TABLE dbo.parents (a int NOT NULL, b int NOT NULL, kind dbo.code, double AS a * 2, "
        "CONSTRAINT pk_parents PRIMARY KEY (a, b), CONSTRAINT ck_parents CHECK (a > 0))"
    )
    connection.execute(
        "CREATE TABLE dbo.children (id int CONSTRAINT pk_children PRIMARY KEY, x int, y int, "
        "CONSTRAINT fk_children FOREIGN KEY (x, y) REFERENCES dbo.parents (a, b) ON DELETE CASCADE)"
    )
    connection.execute("CREATE PROCEDURE dbo.take @rows dbo.pairs READONLY, @one dbo.code AS SELECT 1 AS one")
    return connection


def test_foreign_keys_tell_both_sides(related: pyodbc.Connection, database: str) -> None:
    found = [tuple(row) for row in related.cursor().foreignKeys(table="parents")]
    assert found == [
        (database, "dbo", "parents", "a", database, "dbo", "children", "x", 1, 1, 0, "fk_children", "pk_parents", 7),
        (database, "dbo", "parents", "b", database, "dbo", "children", "y", 2, 1, 0, "fk_children", "pk_parents", 7),
    ]
    assert [tuple(row) for row in related.cursor().foreignKeys(foreignTable="children")] == found
    row = related.execute(
        "SELECT name, OBJECT_NAME(referenced_object_id), delete_referential_action_desc, "
        "update_referential_action_desc FROM sys.foreign_keys"
    ).fetchone()
    assert tuple(row) == ("fk_children", "parents", "CASCADE", "NO_ACTION")
    row = related.execute(
        "SELECT CONSTRAINT_NAME, UNIQUE_CONSTRAINT_NAME, UPDATE_RULE, DELETE_RULE "
        "FROM INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS"
    ).fetchone()
    assert tuple(row) == ("fk_children", "pk_parents", "NO ACTION", "CASCADE")


def test_checks_and_computed_columns_show_their_expressions(related: pyodbc.Connection) -> None:
    assert tuple(related.execute("SELECT name, definition FROM sys.check_constraints").fetchone()) == (
        "ck_parents", "(a > 0)",
    )  # fmt: skip
    assert related.execute("SELECT OBJECT_DEFINITION(OBJECT_ID('ck_parents', 'C'))").fetchval() == "(a > 0)"
    assert related.execute("SELECT CHECK_CLAUSE FROM INFORMATION_SCHEMA.CHECK_CONSTRAINTS").fetchval() == "(a > 0)"
    found = related.execute("SELECT name, definition FROM sys.computed_columns").fetchall()
    assert [tuple(row) for row in found] == [("double", "(a * 2)")]
    query = "SELECT COLUMNPROPERTY(OBJECT_ID('dbo.parents'), 'double', 'IsComputed')"
    assert related.execute(query).fetchval() == 1


def test_constraints_of_every_kind_are_listed(related: pyodbc.Connection) -> None:
    rows = related.execute("SELECT CONSTRAINT_NAME, CONSTRAINT_TYPE FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS")
    assert {tuple(row) for row in rows} == {
        ("pk_parents", "PRIMARY KEY"), ("pk_children", "PRIMARY KEY"), ("ck_parents", "CHECK"),
        ("fk_children", "FOREIGN KEY"),
    }  # fmt: skip
    rows = related.execute(
        "SELECT COLUMN_NAME, ORDINAL_POSITION FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE "
        "WHERE CONSTRAINT_NAME = 'fk_children' ORDER BY 2"
    )
    assert [tuple(row) for row in rows] == [("x", 1), ("y", 2)]


def test_alias_types_are_named_where_they_are_used(related: pyodbc.Connection, database: str) -> None:
    row = related.execute(
        "SELECT t.name, TYPE_NAME(t.system_type_id), t.max_length, t.is_nullable, t.is_user_defined "
        "FROM sys.types AS t JOIN sys.columns AS c ON c.user_type_id = t.user_type_id WHERE c.name = 'kind'"
    ).fetchone()
    assert tuple(row) == ("code", "nvarchar", 16, False, True)
    row = related.execute(
        "SELECT DATA_TYPE, DOMAIN_SCHEMA, DOMAIN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE COLUMN_NAME = 'kind'"
    ).fetchone()
    assert tuple(row) == ("nvarchar", "dbo", "code")
    rows = related.execute("SELECT DOMAIN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.DOMAINS ORDER BY 1")
    assert [tuple(row) for row in rows] == [("code", "nvarchar"), ("pairs", "table type")]


def test_parameters_of_made_types_are_named(related: pyodbc.Connection) -> None:
    rows = related.execute(
        "SELECT p.name, TYPE_NAME(p.user_type_id), p.is_readonly FROM sys.parameters AS p ORDER BY p.parameter_id"
    )
    assert [tuple(row) for row in rows] == [("@rows", "pairs", True), ("@one", "code", False)]
    rows = related.execute(
        "SELECT PARAMETER_NAME, DATA_TYPE, USER_DEFINED_TYPE_NAME FROM INFORMATION_SCHEMA.PARAMETERS "
        "ORDER BY ORDINAL_POSITION"
    )
    assert [tuple(row) for row in rows] == [("@rows", "table type", "pairs"), ("@one", "nvarchar", "code")]
    found = [(row.column_name, row.data_type, row.type_name) for row in related.cursor().procedureColumns("take")]
    assert found[1:] == [("@rows", -153, "pairs"), ("@one", -9, "nvarchar")]
