"""What a driver tells of a result's columns: names, sizes, precision, scale, whether NULL may come."""

from __future__ import annotations

from tests.sandbox.sql.conformance.checks.values import TYPES
from tests.sandbox.sql.conformance.registry import add, check
from tests.sandbox.sql.conformance.session import Session


def _facets(kind: str) -> tuple[str, list[int]]:
    name, _, rest = kind.partition("(")
    return name, [int(part) for part in rest.rstrip(")").split(",") if part and part != "max)"]


def _described(kind: str) -> None:
    def body(sql: Session) -> None:
        table = sql.table(f"a {kind} NULL, b {kind} NOT NULL")
        columns = sql.described(f"SELECT a, b FROM {table}")
        assert [column.name for column in columns] == ["a", "b"]
        assert [column.nullable for column in columns] == [True, False]
        name, facets = _facets(kind.replace("max", ""))
        for column in columns:
            if name in ("decimal", "numeric"):
                assert (column.precision, column.scale) == tuple(facets)
            elif name in ("char", "varchar", "nchar", "nvarchar", "binary", "varbinary") and facets:
                assert column.length == facets[0]

    add(f"descriptions: {kind}", body)


for _type in TYPES:
    _described(_type)


@check()
def an_expression(sql: Session) -> None:
    (column,) = sql.described("SELECT 1 + 1 AS total")
    assert column.name == "total"


@check()
def columns_of_a_parameterised_statement(sql: Session) -> None:
    columns = sql.described("SELECT ? AS a, k AS b FROM (VALUES (1), (2)) AS t(k) WHERE k = ?", "x", 1)
    assert [column.name for column in columns] == ["a", "b"]


@check()
def columns_of_a_procedure(sql: Session) -> None:
    name = sql.name("p")
    sql.run(f"CREATE PROCEDURE dbo.{name} AS SELECT 1 AS a, N'x' AS b")
    assert [column.name for column in sql.described(f"EXEC dbo.{name}")] == ["a", "b"]


@check()
def columns_of_a_view(sql: Session) -> None:
    table, name = sql.table("k int NOT NULL, v nvarchar(7) NULL"), sql.name("v")
    sql.run(f"CREATE VIEW dbo.{name} AS SELECT k AS one, v AS two FROM {table}")
    columns = sql.described(f"SELECT * FROM dbo.{name}")
    assert [column.name for column in columns] == ["one", "two"]
    assert columns[1].length == 7
