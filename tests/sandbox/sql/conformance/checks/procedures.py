"""Procedures, prepared statements and parameter arrays."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import Any

from tests.sandbox.sql.conformance.client import Need, ServerError
from tests.sandbox.sql.conformance.registry import check
from tests.sandbox.sql.conformance.session import Session


def procedure(sql: Session, definition: str) -> str:
    name = f"dbo.{sql.name('p')}"
    sql.run(f"CREATE PROCEDURE {name} {definition}")
    return name


@check()
def a_procedure_with_parameters(sql: Session) -> None:
    name = procedure(sql, "@a int, @b nvarchar(20) AS SELECT @a + 1, @b + N'!'")
    assert sql.rows(f"EXEC {name} ?, ?", 1, "ä") == [(2, "ä!")]


@check()
def a_procedure_with_named_parameters(sql: Session) -> None:
    name = procedure(sql, "@a int, @b int AS SELECT @a, @b")
    assert sql.rows(f"EXEC {name} @b = ?, @a = ?", 1, 2) == [(2, 1)]


@check()
def a_procedure_with_a_default(sql: Session) -> None:
    name = procedure(sql, "@a int, @b nvarchar(20) = N'default' AS SELECT @a, @b")
    assert sql.rows(f"EXEC {name} ?", 1) == [(1, "default")]


@check()
def a_procedure_with_several_result_sets(sql: Session) -> None:
    name = procedure(sql, "AS BEGIN SELECT 1; SELECT 2, 3; END")
    assert sql.sets(f"EXEC {name}") == [[(1,)], [(2, 3)]]


@check()
def the_return_code_in_a_batch(sql: Session) -> None:
    name = procedure(sql, "@a int AS RETURN @a * 2")
    assert sql.rows(f"DECLARE @r int; EXEC @r = {name} ?; SELECT @r", 21) == [(42,)]


@check()
def an_output_parameter_in_a_batch(sql: Session) -> None:
    name = procedure(sql, "@a int, @b int OUTPUT AS SET @b = @a * 2")
    assert sql.rows(f"DECLARE @o int; EXEC {name} ?, @o OUTPUT; SELECT @o", 21) == [(42,)]


@check()
def a_procedure_that_calls_another(sql: Session) -> None:
    inner = procedure(sql, "@a int AS SELECT @a, @@NESTLEVEL")
    outer = procedure(sql, f"@a int AS EXEC {inner} @a")
    assert sql.rows(f"EXEC {outer} 5") == [(5, 2)]


@check()
def a_missing_argument(sql: Session) -> None:
    name = procedure(sql, "@a int AS SELECT @a")
    text = f"Procedure or function '{name.partition('.')[2]}' expects parameter '@a', which was not supplied."
    sql.fails(ServerError(text, 201, 16, 4), f"EXEC {name}")


@check()
def too_many_arguments(sql: Session) -> None:
    name = procedure(sql, "@a int AS SELECT @a")
    text = f"Procedure or function {name.partition('.')[2]} has too many arguments specified."
    sql.fails(ServerError(text, 8144, 16, 2), f"EXEC {name} 1, 2")


@check()
def an_error_within_aprocedure(sql: Session) -> None:
    name = procedure(sql, "AS\nBEGIN\nSELECT 1 / 0\nEND")
    sql.fails(ServerError("Divide by zero error encountered.", 8134, 16, 1, 3), f"EXEC {name}")


@check(Need.CALLPROC)
def callproc_with_a_result_set(sql: Session) -> None:
    name = procedure(sql, "@a int, @b nvarchar(20) AS SELECT @a + 1, @b")
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.call(cursor, name, [1, "x"])
        assert next(sql.results(cursor)) == [(2, "x")]


@check(Need.CALLPROC)
def callproc_without_arguments(sql: Session) -> None:
    name = procedure(sql, "AS SELECT 7")
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.call(cursor, name, [])
        assert next(sql.results(cursor)) == [(7,)]


@check(Need.CALLPROC)
def callproc_of_what_is_not_there(sql: Session) -> None:
    with contextlib.closing(sql.cursor()) as cursor:
        expected = ServerError("Could not find stored procedure 'dbo.nowhere'.", 2812, 16, 62)
        sql.fails(expected, lambda: sql.client.call(cursor, "dbo.nowhere", []))


@check(Need.OUTPUTS)
def output_parameters(sql: Session) -> None:
    name = procedure(
        sql, "@a int, @b int OUTPUT, @c nvarchar(20) OUTPUT AS BEGIN SET @b = @a * 2; SET @c = @c + N'!'; END"
    )
    assert sql.client.call_for_outputs(sql.connection, name, [21], [(None, "int"), ("x", "nvarchar(20)")]) == [42, "x!"]


@check(Need.RETURN_CODES)
def the_return_code(sql: Session) -> None:
    name = procedure(sql, "@a int AS RETURN @a")
    assert sql.client.return_code(sql.connection, name, [-7]) == -7


@check()
def the_same_statement_a_hundred_times(sql: Session) -> None:
    with contextlib.closing(sql.cursor()) as cursor:
        for number in range(100):
            sql.client.execute(cursor, "SELECT ? + 1, ?", [number, f"n{number}"])
            assert tuple(cursor.fetchall()[0]) == (number + 1, f"n{number}")


@check()
def a_statement_with_parameters_of_changing_types(sql: Session) -> None:
    with contextlib.closing(sql.cursor()) as cursor:
        for value in (1, "text", Decimal("1.5"), 2.5, dt.date(2026, 1, 1), b"\x01", None, "x" * 5000, 2**40):
            sql.client.execute(cursor, "SELECT ?", [value])
            assert sql.client.normal(cursor.fetchall()[0][0]) == value


@check()
def a_prepared_statement_after_its_table_has_changed(sql: Session) -> None:
    table = sql.table("v int")
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.execute(cursor, f"SELECT * FROM {table} WHERE v = ? OR v IS NULL", [1])
        cursor.fetchall()
        sql.client.execute(cursor, f"ALTER TABLE {table} ADD w int NULL", [])
        sql.client.execute(cursor, f"INSERT INTO {table} (v) VALUES (1)", [])
        sql.client.execute(cursor, f"SELECT * FROM {table} WHERE v = ? OR v IS NULL", [1])
        assert [tuple(row) for row in cursor.fetchall()] == [(1, None)]


@check()
def sp_prepare_and_sp_execute(sql: Session) -> None:
    text = (
        "SET NOCOUNT ON; DECLARE @h int; EXEC sp_prepare @h OUTPUT, N'@a int', N'SELECT @a + 1'; "
        "EXEC sp_execute @h, 41; EXEC sp_unprepare @h"
    )
    assert sql.sets(text)[-1] == [(42,)]


@check()
def text_that_looks_like_sql_stays_text(sql: Session) -> None:
    value = '\'; DROP TABLE x; -- [a] "b" @p1 ? %s {fn now()} \0end'[:-4]
    assert sql.value("SELECT ?", value) == value


@check()
def executemany(sql: Session) -> None:
    table = sql.table("a int, b nvarchar(20), c decimal(9,2)")
    rows: list[tuple[Any, ...]] = [(i, f"row {i}", Decimal(i) / 4) for i in range(100)]
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.executemany(cursor, f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
    assert sql.rows(f"SELECT a, b, c FROM {table} ORDER BY a") == rows


@check()
def executemany_with_null_values(sql: Session) -> None:
    table = sql.table("a int, b nvarchar(20)")
    rows = [(1, None), (2, "two"), (3, None), (4, "four")]
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.executemany(cursor, f"INSERT INTO {table} VALUES (?, ?)", rows)
    assert sql.rows(f"SELECT a, b FROM {table} ORDER BY a") == rows


@check()
def executemany_of_updates(sql: Session) -> None:
    table = sql.table("a int PRIMARY KEY, b int")
    sql.run(f"INSERT INTO {table} VALUES (1, 0), (2, 0), (3, 0)")
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.executemany(cursor, f"UPDATE {table} SET b = ? WHERE a = ?", [(10, 1), (30, 3)])
    assert sql.rows(f"SELECT a, b FROM {table} ORDER BY a") == [(1, 10), (2, 0), (3, 30)]


@check()
def executemany_with_an_error(sql: Session) -> None:
    table = sql.table("a int NOT NULL CONSTRAINT pk_many PRIMARY KEY")
    text = (
        f"Violation of PRIMARY KEY constraint 'pk_many'. Cannot insert duplicate key in object '{table}'. "
        "The duplicate key value is (1)."
    )
    with contextlib.closing(sql.cursor()) as cursor:
        sql.fails(
            ServerError(text, 2627, 14, 1, 1),
            lambda: sql.client.executemany(cursor, f"INSERT INTO {table} VALUES (?)", [(1,), (2,), (1,)]),
        )
    sql.connection.rollback()


@check(Need.FAST_EXECUTEMANY)
def parameter_arrays(sql: Session) -> None:
    table = sql.table("a int, b nvarchar(50), c decimal(18,4), d float, e datetime2(6), f varbinary(20), g bit, h date")
    rows: list[tuple[Any, ...]] = [
        (i, f"row {i} ň😀", Decimal(i) / 8, i / 3, dt.datetime(2026, 1, 1, 1, 1, i % 60, i), bytes([i % 256]) * 3,
         i % 2 == 0, dt.date(2026, 1, 1 + i % 28))
        for i in range(1000)
    ]  # fmt: skip
    with contextlib.closing(sql.cursor()) as cursor:
        text = f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        sql.client.fast_executemany(cursor, text, rows)
    assert sql.rows(f"SELECT * FROM {table} ORDER BY a") == rows


@check(Need.FAST_EXECUTEMANY)
def parameter_arrays_with_null_values(sql: Session) -> None:
    table = sql.table("a int, b nvarchar(50), c decimal(18,4), d datetime2(6)")
    moment = dt.datetime(2026, 1, 1, 1, 1, 1, 1)
    rows = [
        (i, None if i % 2 else f"r{i}", None if i % 3 else Decimal("0.5000"), moment if i % 5 else None)
        for i in range(50)
    ]
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.fast_executemany(cursor, f"INSERT INTO {table} VALUES (?, ?, ?, ?)", rows)
    assert sql.rows(f"SELECT * FROM {table} ORDER BY a") == rows


@check(Need.FAST_EXECUTEMANY)
def parameter_arrays_of_long_texts(sql: Session) -> None:
    table = sql.table("a int, b nvarchar(max)")
    rows = [(i, "ä" * (i * 1000)) for i in range(1, 12)]
    with contextlib.closing(sql.cursor()) as cursor:
        sql.client.fast_executemany(cursor, f"INSERT INTO {table} VALUES (?, ?)", rows)
    assert sql.rows(f"SELECT * FROM {table} ORDER BY a") == rows


@check(Need.FAST_EXECUTEMANY)
def parameter_arrays_with_an_error(sql: Session) -> None:
    table = sql.table("a int NOT NULL CONSTRAINT pk_array PRIMARY KEY")
    text = (
        f"Violation of PRIMARY KEY constraint 'pk_array'. Cannot insert duplicate key in object '{table}'. "
        "The duplicate key value is (1)."
    )
    with contextlib.closing(sql.cursor()) as cursor:
        sql.fails(
            ServerError(text, 2627, 14, 1, 1),
            lambda: sql.client.fast_executemany(cursor, f"INSERT INTO {table} VALUES (?)", [(1,), (2,), (1,)]),
        )
    sql.connection.rollback()
