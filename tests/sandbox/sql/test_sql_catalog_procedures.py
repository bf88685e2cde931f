"""The catalog functions of ODBC, through Microsoft's driver and FreeTDS: what tools ask before they show a database."""

from __future__ import annotations

from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conformance import freetds
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, Server, closing, number

_TABLES = """
CREATE TABLE dbo.orders (id int IDENTITY(5, 2) NOT NULL CONSTRAINT pk_orders PRIMARY KEY,
  name nvarchar(20) NOT NULL CONSTRAINT df_name DEFAULT N'none', note varchar(max) NULL, price decimal(10, 2) NULL,
  code char(3) NULL CONSTRAINT uq_code UNIQUE, made datetime2(3) NULL, seen datetime NULL, born date NULL,
  noon time(0) NULL, ratio float NULL, small real NULL, cost money NULL, big bigint NULL, flag bit NULL,
  raw varbinary(8) NULL, key_ uniqueidentifier NULL, at datetimeoffset(7) NULL)
"""


@pytest.fixture
def orders(connection: pyodbc.Connection) -> pyodbc.Connection:
    """A database with a table, a view and a procedure."""
    connection.execute(_TABLES)
    connection.execute("CREATE INDEX ix_name ON dbo.orders (name, price)")
    connection.execute("CREATE VIEW dbo.names AS SELECT id, name FROM dbo.orders")
    connection.execute(
        "CREATE PROCEDURE dbo.count_up @start int, @label nvarchar(10) = N'x', @end int OUTPUT AS RETURN 1"
    )
    return connection


def _columns(cursor: pyodbc.Cursor) -> list[str]:
    return [column[0] for column in cursor.description]


def _rows(cursor: pyodbc.Cursor, *names: str) -> list[tuple[Any, ...]]:
    places = [_columns(cursor).index(name) for name in names]
    return [tuple(row[place] for place in places) for row in cursor.fetchall()]


def test_tables_lists_tables_and_views_of_users_and_of_the_system(orders: pyodbc.Connection, database: str) -> None:
    cursor = orders.cursor().tables()
    assert _columns(cursor) == ["table_cat", "table_schem", "table_name", "table_type", "remarks"]
    found = [tuple(row) for row in cursor.fetchall()]
    assert (database, "dbo", "orders", "TABLE", None) in found
    assert (database, "dbo", "names", "VIEW", None) in found
    assert (database, "INFORMATION_SCHEMA", "COLUMNS", "VIEW", None) in found
    assert (database, "sys", "objects", "VIEW", None) in found
    assert found == sorted(found, key=lambda row: (row[3], row[0], row[1].lower(), row[2].lower()))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"table": "ord%"}, ["orders"]),
        ({"table": "o_ders", "schema": "dbo"}, ["orders"]),
        ({"table": "ORDERS"}, ["orders"]),
        ({"schema": "dbo", "tableType": "VIEW"}, ["names"]),
        ({"schema": "dbo", "tableType": "TABLE,VIEW"}, ["orders", "names"]),
        ({"schema": "dbo", "tableType": "SYSTEM TABLE"}, []),
        ({"schema": "nowhere"}, []),
    ],
)
def test_tables_chooses_by_pattern_and_type(
    orders: pyodbc.Connection, asked: dict[str, str], expected: list[str]
) -> None:
    assert [row.table_name for row in orders.cursor().tables(**asked)] == expected


def test_tables_shows_only_what_the_user_may_select(server: Server, database: str, orders: pyodbc.Connection) -> None:
    user, password = server.user(database)
    orders.execute(f"GRANT SELECT ON dbo.names TO [{user}]")
    orders.execute(f"GRANT INSERT ON dbo.orders TO [{user}]")
    with closing(server.connect(database, user, password)) as connection:
        assert [row.table_name for row in connection.cursor().tables(schema="dbo")] == ["names"]


def test_tables_lists_catalogs_schemas_and_types(orders: pyodbc.Connection, database: str) -> None:
    cursor = orders.cursor()
    assert {row.table_cat for row in cursor.tables(catalog="%", schema="", table="")} == {database, "master"}
    assert "dbo" in {row.table_schem for row in cursor.tables(catalog="", schema="%", table="")}
    kinds = [row.table_type for row in cursor.tables(catalog="", schema="", table="", tableType="%")]
    assert kinds == ["SYSTEM TABLE", "TABLE", "VIEW"]


def test_another_database_is_refused(orders: pyodbc.Connection) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        orders.execute("EXEC sp_tables @table_qualifier = 'elsewhere'")
    assert number(caught.value) == 15250


# Name, type by code and name, size, length of the buffer, digits, radix, type and subtype of the descriptor.
_EXPECTED = [
    ("id", 4, "int identity", 10, 4, 0, 10, 4, None),
    ("name", -9, "nvarchar", 20, 40, None, None, -9, None),
    ("note", 12, "varchar", 0, 0, None, None, 12, None),
    ("price", 3, "decimal", 10, 12, 2, 10, 3, None),
    ("code", 1, "char", 3, 3, None, None, 1, None),
    ("made", 93, "datetime2", 23, 16, 3, None, 9, 3),
    ("seen", 93, "datetime", 23, 16, 3, None, 9, 3),
    ("born", 91, "date", 10, 6, None, None, 9, 1),
    ("noon", -154, "time", 8, 12, 0, None, -154, 0),
    ("ratio", 6, "float", 53, 8, None, 2, 6, None),
    ("small", 7, "real", 24, 4, None, 2, 7, None),
    ("cost", 3, "money", 19, 21, 4, 10, 3, None),
    ("big", -5, "bigint", 19, 8, 0, 10, -5, None),
    ("flag", -7, "bit", 1, 1, None, None, -7, None),
    ("raw", -3, "varbinary", 8, 8, None, None, -3, None),
    ("key_", -11, "uniqueidentifier", 36, 16, None, None, -11, None),
    ("at", -155, "datetimeoffset", 34, 20, 7, None, -155, 0),
]


def test_columns_describes_every_type(orders: pyodbc.Connection) -> None:
    cursor = orders.cursor().columns(table="orders")
    names = ("column_name", "data_type", "type_name", "column_size", "buffer_length", "decimal_digits",
             "num_prec_radix", "sql_data_type", "sql_datetime_sub")  # fmt: skip
    assert _rows(cursor, *names) == _EXPECTED


def test_columns_tells_defaults_nulls_and_order(orders: pyodbc.Connection) -> None:
    first, second, *_ = list(orders.cursor().columns(table="orders", schema="dbo"))
    assert (first.nullable, first.is_nullable, first.column_def, first.ordinal_position) == (0, "NO", None, 1)
    assert (second.nullable, second.is_nullable, second.column_def, second.char_octet_length) == (
        0, "NO", "(N'none')", 40,
    )  # fmt: skip
    assert (first.ss_is_identity, second.ss_is_identity) == (1, 0)
    assert [row.column_name for row in orders.cursor().columns(table="orders", column="n%")] == ["name", "note", "noon"]


def test_columns_of_views_and_system_views(orders: pyodbc.Connection) -> None:
    cursor = orders.cursor()
    assert [row.column_name for row in cursor.columns(table="names")] == ["id", "name"]
    found = [row.column_name for row in cursor.columns(table="TABLES", schema="INFORMATION_SCHEMA")]
    assert found == ["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_TYPE"]


def test_primary_keys_and_foreign_keys(orders: pyodbc.Connection, database: str) -> None:
    cursor = orders.cursor()
    assert [tuple(row) for row in cursor.primaryKeys("orders")] == [(database, "dbo", "orders", "id", 1, "pk_orders")]
    assert [tuple(row) for row in cursor.primaryKeys("orders", schema="sys")] == []
    assert list(cursor.foreignKeys(table="orders")) == []
    assert list(cursor.foreignKeys(foreignTable="orders")) == []


def test_statistics_lists_the_table_then_its_indexes(orders: pyodbc.Connection) -> None:
    orders.execute("INSERT INTO dbo.orders (code) VALUES ('a'), ('b')")
    names = ("non_unique", "index_name", "type", "ordinal_position", "column_name", "asc_or_desc", "cardinality")
    assert _rows(orders.cursor().statistics("orders"), *names) == [
        (None, None, 0, None, None, None, 2),
        (0, "pk_orders", 1, 1, "id", "A", 2),
        (0, "uq_code", 3, 1, "code", "A", 2),
        (1, "ix_name", 3, 1, "name", "A", 2),
        (1, "ix_name", 3, 2, "price", "A", 2),
    ]
    unique = _rows(orders.cursor().statistics("orders", unique=True), "index_name")
    assert unique == [(None,), ("pk_orders",), ("uq_code",)]


def test_special_columns_are_the_primary_key(orders: pyodbc.Connection) -> None:
    # Through EXEC: pyodbc 5.5 sends the table's name of rowIdColumns wrongly.
    row = orders.execute("EXEC sp_special_columns_100 N'orders', N'dbo', NULL, 'R', 'T', 'U', 3").fetchall()
    assert [tuple(one) for one in row] == [(1, "id", 4, "int identity", 10, 4, 0, 1)]
    assert orders.execute("EXEC sp_special_columns N'orders', @col_type = 'V'").fetchall() == []


def test_procedures_and_their_parameters(orders: pyodbc.Connection, database: str) -> None:
    cursor = orders.cursor()
    found = list(cursor.procedures(schema="dbo"))
    assert [tuple(row) for row in found] == [(database, "dbo", "count_up;1", -1, -1, -1, None, 2)]
    names = ("column_name", "column_type", "type_name", "column_size", "nullable", "ordinal_position")
    assert _rows(cursor.procedureColumns("count_up"), *names) == [
        ("@RETURN_VALUE", 5, "int", 10, 0, 0), ("@start", 1, "int", 10, 1, 1), ("@label", 1, "nvarchar", 10, 1, 2),
        ("@end", 2, "int", 10, 1, 3),
    ]  # fmt: skip


def test_type_info_lists_each_type_by_its_odbc_code(connection: pyodbc.Connection) -> None:
    cursor = connection.cursor()
    rows = _rows(cursor.getTypeInfo(), "data_type", "type_name", "column_size", "create_params", "fixed_prec_scale")
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert (3, "decimal", 38, "precision,scale", 0) in rows
    assert (3, "money", 19, None, 1) in rows
    assert (4, "int identity", 10, None, 0) in rows
    assert _rows(cursor.getTypeInfo(93), "type_name") == [("datetime2",), ("datetime",), ("smalldatetime",)]


def test_the_older_procedures_show_newer_types_as_strings(orders: pyodbc.Connection) -> None:
    """What a driver made before SQL Server 2008 can read: no date, no time, (max) as text."""
    with closing(orders.execute("EXEC sp_columns N'orders', @ODBCVer = 3")) as cursor:
        found = {row.COLUMN_NAME: row for row in cursor.fetchall()}
    assert (found["born"].DATA_TYPE, found["born"].TYPE_NAME, found["born"].PRECISION) == (-9, "date", 10)
    assert (found["note"].DATA_TYPE, found["note"].PRECISION) == (-1, 2147483647)
    older = {row.COLUMN_NAME: row for row in orders.execute("EXEC sp_columns orders").fetchall()}
    assert (older["seen"].DATA_TYPE, older["ratio"].PRECISION, older["ratio"].RADIX) == (11, 15, 10)


def test_privileges_name_grantor_and_grantee(orders: pyodbc.Connection, server: Server, database: str) -> None:
    user, _ = server.user(database)
    orders.execute(f"GRANT SELECT ON dbo.names TO [{user}] WITH GRANT OPTION")
    rows = orders.execute("EXEC sp_table_privileges N'names'").fetchall()
    assert ("dbo", user, "SELECT", "YES") in [(r.GRANTOR, r.GRANTEE, r.PRIVILEGE, r.IS_GRANTABLE) for r in rows]
    rows = orders.execute("EXEC sp_column_privileges N'names', @column_name = N'id'").fetchall()
    assert ("id", user, "SELECT") in [(r.COLUMN_NAME, r.GRANTEE, r.PRIVILEGE) for r in rows]


def test_server_info_and_databases(connection: pyodbc.Connection, database: str) -> None:
    found = connection.execute("EXEC sp_server_info @attribute_id = 16").fetchall()
    assert [tuple(row) for row in found] == [(16, "IDENTIFIER_CASE", "MIXED")]
    assert [row.DATABASE_NAME for row in connection.execute("EXEC sys.sp_databases").fetchall()] == [database]


@pytest.mark.parametrize("prefix", ["", "sys.", "[sys].", "dbo.", "SYS."])
def test_a_system_procedure_is_found_under_each_of_its_names(connection: pyodbc.Connection, prefix: str) -> None:
    assert connection.execute(f"EXEC {prefix}sp_server_info 1").fetchone()[2] == "Microsoft SQL Server"


def test_freetds_finds_the_same(server: Server, database: str, orders: pyodbc.Connection) -> None:
    """It names parameters, and calls the older procedures."""
    text = (
        f"Driver={freetds.driver()};Server=127.0.0.1;Port={server.port};TDS_Version=7.4;Encryption=require;"
        f"Database={database};UID={ADMINISTRATOR};PWD={PASSWORD}"
    )
    with closing(pyodbc.connect(text, autocommit=True)) as connection:
        cursor = connection.cursor()
        assert [row.table_name for row in cursor.tables(schema="dbo", tableType="TABLE,VIEW")] == ["orders", "names"]
        columns = {row.column_name: row for row in cursor.columns(table="orders", schema="dbo")}
        assert list(columns) == [row[0] for row in _EXPECTED]
        assert (columns["born"].data_type, columns["born"].type_name) == (-9, "date")
        assert [row.column_name for row in cursor.primaryKeys("orders")] == ["id"]
        assert [row.index_name for row in cursor.statistics("orders")][1:3] == ["pk_orders", "uq_code"]
        assert [row.column_name for row in cursor.rowIdColumns("orders")] == ["id"]
        assert [row.procedure_name for row in cursor.procedures(schema="dbo")] == ["count_up;1"]
        found = [row.column_name for row in cursor.procedureColumns("count_up")]
        assert found == ["@RETURN_VALUE", "@start", "@label", "@end"]
        assert {row.data_type for row in cursor.getTypeInfo(93)} == {93}
