"""sp_rename."""

from __future__ import annotations

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest

from tests.sandbox.sql.conftest import Server, closing, number


@pytest.fixture
def goods(connection: pyodbc.Connection) -> pyodbc.Connection:
    connection.execute(
        "CREATE TABLE dbo.goods (id int CONSTRAINT pk_goods PRIMARY KEY, [na]]me] nvarchar(9), "
        "n int CONSTRAINT df_n DEFAULT 7, CONSTRAINT ck_n CHECK (n > 0))"
    )
    connection.execute("CREATE INDEX ix_name ON dbo.goods ([na]]me])")
    connection.execute("CREATE TYPE dbo.phone FROM nvarchar(20)")
    connection.execute("INSERT INTO dbo.goods (id, [na]]me]) VALUES (1, N'a')")
    return connection


def test_a_table_keeps_its_rows_under_its_new_name(goods: pyodbc.Connection) -> None:
    goods.execute("EXEC sp_rename 'dbo.goods', 'wares'")
    assert goods.execute("SELECT n FROM dbo.wares").fetchval() == 7
    with pytest.raises(pyodbc.Error) as caught:
        goods.execute("SELECT n FROM dbo.goods")
    assert number(caught.value) == 208


@pytest.mark.parametrize(
    ("call", "query", "expected"),
    [
        ("'dbo.goods.[na]]me]', 'title', 'COLUMN'", "SELECT title FROM dbo.goods", "a"),
        ("N'goods.id', N'key', N'column'", "SELECT [key] FROM dbo.goods", 1),
        ("'dbo.goods.ix_name', 'ix_other', 'INDEX'", "SELECT name FROM sys.indexes WHERE index_id = 2", "ix_other"),
        ("'dbo.pk_goods', 'pk_wares'", "SELECT name FROM sys.key_constraints", "pk_wares"),
        ("'dbo.ck_n', 'ck_positive', 'OBJECT'", "SELECT name FROM sys.check_constraints", "ck_positive"),
        ("'dbo.df_n', 'df_seven'", "SELECT name FROM sys.default_constraints", "df_seven"),
        (
            "'dbo.phone', 'telephone', 'USERDATATYPE'",
            "SELECT name FROM sys.types WHERE is_user_defined = 1",
            "telephone",
        ),
    ],
)
def test_each_kind_of_thing_takes_another_name(
    goods: pyodbc.Connection, call: str, query: str, expected: object
) -> None:
    goods.execute(f"EXEC sp_rename {call}")
    assert goods.execute(query).fetchval() == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("'dbo.nothing', 'x'", 15225),
        ("'dbo.goods.nothing', 'x', 'COLUMN'", 15225),
        ("'dbo.goods', 'goods'", 15335),
        ("'dbo.goods.id', 'n', 'COLUMN'", 15335),
        ("'dbo.goods.n', 'm', 'COLUMN'", 15336),
        ("'dbo.goods', 'x', 'THING'", 15249),
        ("'dbo.goods', ''", 15224),
        ("'dbo.goods'", 201),
    ],
)
def test_what_cannot_be_renamed_is_refused(goods: pyodbc.Connection, call: str, expected: int) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        goods.execute(f"EXEC sp_rename {call}")
    assert number(caught.value) == expected


def test_a_rename_needs_alter_and_is_rolled_back(goods: pyodbc.Connection, server: Server, database: str) -> None:
    user, password = server.user(database)
    goods.execute(f"GRANT SELECT ON dbo.goods TO [{user}]")
    with closing(server.connect(database, user, password)) as connection:
        with pytest.raises(pyodbc.Error) as caught:
            connection.execute("EXEC sp_rename 'dbo.goods', 'mine'")
        assert number(caught.value) == 15225
    with closing(server.connect(database, autocommit=False)) as connection:
        connection.execute("EXEC sp_rename 'dbo.goods', 'wares'")
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM dbo.goods").fetchval() == 1


def test_a_procedure_that_is_not_carried_out_is_refused_by_name(connection: pyodbc.Connection) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        connection.execute("EXEC sp_getapplock @Resource = 'r', @LockMode = 'Exclusive'")
    assert (number(caught.value), "sp_getapplock" in str(caught.value)) == (40514, True)
