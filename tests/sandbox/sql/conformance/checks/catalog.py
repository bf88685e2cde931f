"""What the catalog says of tables, columns, keys, indexes and procedures: by ODBC's methods, procedures and views."""

from __future__ import annotations

import contextlib
from typing import Any

from tests.sandbox.sql.conformance.client import Need
from tests.sandbox.sql.conformance.registry import add, check
from tests.sandbox.sql.conformance.session import Session

COLUMNS = (
    "k int NOT NULL, a nvarchar(20) NULL, b decimal(9,2) NOT NULL, c datetime2(3) NULL, d varbinary(max) NULL, "
    "e bit NOT NULL, CONSTRAINT pk_{n} PRIMARY KEY (k)"
)


def _table(sql: Session) -> str:
    """A table with a primary key and an index; its name without schema."""
    name = sql.name("catalog")
    sql.run(f"CREATE TABLE dbo.{name} ({COLUMNS.replace('{n}', name)})")
    sql.run(f"CREATE INDEX ix_{name} ON dbo.{name} (a, b)")
    return name


def _asked(sql: Session, method: str, *arguments: object, **named: object) -> list[dict[str, Any]]:
    """The rows of a catalog method, by the names of their columns in lower case."""
    with contextlib.closing(sql.cursor()) as cursor:
        getattr(cursor, method)(*arguments, **named)
        names = [column[0].lower() for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@check(Need.CATALOG)
def cursor_tables(sql: Session) -> None:
    name = _table(sql)
    (row,) = _asked(sql, "tables", table=name, schema="dbo")
    assert (row["table_cat"], row["table_schem"], row["table_name"], row["table_type"]) == (
        sql.options.database, "dbo", name, "TABLE",
    )  # fmt: skip


@check(Need.CATALOG)
def cursor_tables_of_a_pattern(sql: Session) -> None:
    name = _table(sql)
    assert name in [row["table_name"] for row in _asked(sql, "tables", table="catalog%")]


@check(Need.CATALOG)
def cursor_tables_of_a_kind(sql: Session) -> None:
    name = _table(sql)
    sql.run(f"CREATE VIEW dbo.v{name} AS SELECT k FROM dbo.{name}")
    rows = _asked(sql, "tables", schema="dbo", tableType="VIEW")
    assert [(row["table_name"], row["table_type"]) for row in rows if row["table_name"].endswith(name)] == [
        (f"v{name}", "VIEW")
    ]


@check(Need.CATALOG)
def cursor_columns(sql: Session) -> None:
    rows = _asked(sql, "columns", table=_table(sql))
    assert [(row["column_name"], row["nullable"], row["ordinal_position"]) for row in rows] == [
        ("k", 0, 1), ("a", 1, 2), ("b", 0, 3), ("c", 1, 4), ("d", 1, 5), ("e", 0, 6),
    ]  # fmt: skip


@check(Need.CATALOG)
def cursor_columns_tells_types_and_sizes(sql: Session) -> None:
    rows = {row["column_name"]: row for row in _asked(sql, "columns", table=_table(sql))}
    assert [(row["type_name"], row["column_size"]) for row in (rows["k"], rows["a"], rows["b"])] == [
        ("int", 10), ("nvarchar", 20), ("decimal", 9),
    ]  # fmt: skip
    assert rows["b"]["decimal_digits"] == 2


@check(Need.CATALOG)
def cursor_columns_of_one_column(sql: Session) -> None:
    assert [row["column_name"] for row in _asked(sql, "columns", table=_table(sql), column="a")] == ["a"]


@check(Need.CATALOG)
def cursor_primary_keys(sql: Session) -> None:
    name = _table(sql)
    (row,) = _asked(sql, "primaryKeys", name)
    assert (row["table_name"], row["column_name"], row["key_seq"], row["pk_name"]) == (name, "k", 1, f"pk_{name}")


@check(Need.CATALOG)
def cursor_foreign_keys_of_a_table_without_any(sql: Session) -> None:
    assert _asked(sql, "foreignKeys", table=_table(sql)) == []


@check(Need.CATALOG)
def cursor_statistics(sql: Session) -> None:
    name = _table(sql)
    rows = _asked(sql, "statistics", name)
    found = [(row["index_name"], row["ordinal_position"], row["column_name"]) for row in rows if row["index_name"]]
    assert sorted(found) == [(f"ix_{name}", 1, "a"), (f"ix_{name}", 2, "b"), (f"pk_{name}", 1, "k")]


@check(Need.CATALOG)
def cursor_statistics_of_unique_indexes(sql: Session) -> None:
    name = _table(sql)
    rows = _asked(sql, "statistics", name, unique=True)
    assert {row["index_name"] for row in rows if row["index_name"]} == {f"pk_{name}"}


@check(Need.CATALOG)
def cursor_procedures(sql: Session) -> None:
    name = sql.name("p")
    sql.run(f"CREATE PROCEDURE dbo.{name} @a int AS SELECT @a")
    (row,) = _asked(sql, "procedures", name, schema="dbo")
    assert (row["procedure_schem"], row["procedure_name"].partition(";")[0]) == ("dbo", name)


@check(Need.CATALOG)
def cursor_get_type_info(sql: Session) -> None:
    rows = {row["type_name"] for row in _asked(sql, "getTypeInfo")}
    assert {"int", "nvarchar", "decimal", "datetime2", "uniqueidentifier", "varbinary", "bit", "money"} <= rows


@check(Need.CATALOG)
def cursor_get_type_info_of_one_type(sql: Session) -> None:
    sql_integer = 4
    assert {row["type_name"] for row in _asked(sql, "getTypeInfo", sql_integer)} >= {"int"}


@check(Need.CATALOG)
def cursor_row_id_columns(sql: Session) -> None:
    assert [row["column_name"] for row in _asked(sql, "rowIdColumns", _table(sql))] == ["k"]


def _named(sql: Session, text: str) -> list[dict[str, Any]]:
    with sql.executed(text) as cursor:
        while not cursor.description:
            assert cursor.nextset()
        names = [column[0].lower() for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@check()
def sp_tables(sql: Session) -> None:
    name = _table(sql)
    (row,) = _named(sql, f"EXEC sp_tables @table_name = N'{name}', @table_owner = N'dbo'")
    assert (row["table_qualifier"], row["table_owner"], row["table_name"], row["table_type"]) == (
        sql.options.database, "dbo", name, "TABLE",
    )  # fmt: skip


@check()
def sp_columns(sql: Session) -> None:
    rows = _named(sql, f"EXEC sp_columns @table_name = N'{_table(sql)}'")
    assert [(row["column_name"], row["type_name"], row["precision"], row["nullable"]) for row in rows][:3] == [
        ("k", "int", 10, 0), ("a", "nvarchar", 20, 1), ("b", "decimal", 9, 0),
    ]  # fmt: skip


@check()
def sp_pkeys(sql: Session) -> None:
    name = _table(sql)
    (row,) = _named(sql, f"EXEC sp_pkeys @table_name = N'{name}'")
    assert (row["column_name"], row["key_seq"], row["pk_name"]) == ("k", 1, f"pk_{name}")


@check()
def sp_statistics(sql: Session) -> None:
    name = _table(sql)
    rows = _named(sql, f"EXEC sp_statistics @table_name = N'{name}'")
    assert {row["index_name"] for row in rows if row["index_name"]} == {f"ix_{name}", f"pk_{name}"}


@check()
def sp_stored_procedures(sql: Session) -> None:
    name = sql.name("p")
    sql.run(f"CREATE PROCEDURE dbo.{name} @a int AS SELECT @a")
    (row,) = _named(sql, f"EXEC sp_stored_procedures @sp_name = N'{name}'")
    assert row["procedure_name"] == f"{name};1"


@check()
def sp_datatype_info(sql: Session) -> None:
    rows = {row["type_name"]: row for row in _named(sql, "EXEC sp_datatype_info")}
    assert (rows["int"]["data_type"], rows["int"]["precision"]) == (4, 10)


@check()
def sp_describe_first_result_set(sql: Session) -> None:
    rows = _named(sql, "EXEC sp_describe_first_result_set N'SELECT 1 AS a, CAST(NULL AS nvarchar(7)) AS b'")
    assert [(row["name"], row["is_nullable"], row["system_type_name"]) for row in rows] == [
        ("a", False, "int"), ("b", True, "nvarchar(7)"),
    ]  # fmt: skip


QUERIES = (
    ("sys.tables", "SELECT name, SCHEMA_NAME(schema_id) FROM sys.tables WHERE name = N'{n}'", [("{n}", "dbo")]),
    (
        "sys.columns",
        "SELECT name, TYPE_NAME(user_type_id), max_length, precision, scale, is_nullable FROM sys.columns "
        "WHERE object_id = OBJECT_ID(N'dbo.{n}') AND column_id < 5 ORDER BY column_id",
        [
            ("k", "int", 4, 10, 0, False),
            ("a", "nvarchar", 40, 0, 0, True),
            ("b", "decimal", 5, 9, 2, False),
            ("c", "datetime2", 7, 23, 3, True),
        ],
    ),
    (
        "sys.indexes",
        "SELECT name, type_desc, is_unique, is_primary_key FROM sys.indexes WHERE object_id = OBJECT_ID(N'dbo.{n}') "
        "AND name IS NOT NULL ORDER BY index_id",
        [("pk_{n}", "CLUSTERED", True, True), ("ix_{n}", "NONCLUSTERED", False, False)],
    ),
    (
        "sys.index_columns",
        "SELECT COL_NAME(c.object_id, c.column_id), c.key_ordinal FROM sys.index_columns AS c "
        "INNER JOIN sys.indexes AS i ON i.object_id = c.object_id AND i.index_id = c.index_id "
        "WHERE i.name = N'ix_{n}' ORDER BY c.key_ordinal",
        [("a", 1), ("b", 2)],
    ),
    (
        "sys.objects",
        "SELECT type, type_desc FROM sys.objects WHERE object_id = OBJECT_ID(N'dbo.{n}')",
        [("U ", "USER_TABLE")],
    ),
    ("sys.schemas", "SELECT schema_id FROM sys.schemas WHERE name = N'dbo'", [(1,)]),
    (
        "INFORMATION_SCHEMA.TABLES",
        "SELECT TABLE_SCHEMA, TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = N'{n}'",
        [("dbo", "BASE TABLE")],
    ),
    (
        "INFORMATION_SCHEMA.COLUMNS",
        "SELECT COLUMN_NAME, IS_NULLABLE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH FROM INFORMATION_SCHEMA.COLUMNS "
        "WHERE TABLE_NAME = N'{n}' AND ORDINAL_POSITION IN (1, 2, 5) ORDER BY ORDINAL_POSITION",
        [("k", "NO", "int", None), ("a", "YES", "nvarchar", 20), ("d", "YES", "varbinary", -1)],
    ),
    (
        "the count of rows in sys.partitions",
        "SELECT SUM(rows) FROM sys.partitions WHERE object_id = OBJECT_ID(N'dbo.{n}') AND index_id IN (0, 1)",
        [(0,)],
    ),
    (
        "OBJECTPROPERTY and COLUMNPROPERTY",
        "SELECT OBJECTPROPERTY(OBJECT_ID(N'dbo.{n}'), 'IsUserTable'), "
        "COLUMNPROPERTY(OBJECT_ID(N'dbo.{n}'), 'a', 'AllowsNull')",
        [(1, 1)],
    ),
    ("HAS_PERMS_BY_NAME", "SELECT HAS_PERMS_BY_NAME(N'dbo.{n}', 'OBJECT', 'SELECT')", [(1,)]),
    ("IS_ROLEMEMBER", "SELECT IS_ROLEMEMBER('db_owner')", [(1,)]),
    (
        "sys.database_principals",
        "SELECT type_desc FROM sys.database_principals WHERE name = 'public'",
        [("DATABASE_ROLE",)],
    ),
    ("sys.types", "SELECT system_type_id, max_length FROM sys.types WHERE name = 'bigint'", [(127, 8)]),
    ("sys.databases", "SELECT COUNT(*) FROM sys.databases WHERE name = DB_NAME()", [(1,)]),
)


def _query(label: str, text: str, rows: list[tuple[Any, ...]]) -> None:
    def body(sql: Session) -> None:
        name = _table(sql)
        expected = [
            tuple(value.replace("{n}", name) if isinstance(value, str) else value for value in row) for row in rows
        ]
        assert sql.rows(text.replace("{n}", name)) == expected

    add(f"catalog: {label}", body)


for _label, _text, _rows in QUERIES:
    _query(_label, _text, _rows)
