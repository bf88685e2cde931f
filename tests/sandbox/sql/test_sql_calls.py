"""Procedures called by clients and by EXEC: values in, values out, return codes, and what is wrong with a call."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytds  # type: ignore[import-untyped]
import pytest
import trustme

from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, Server, closing, number


@pytest.fixture
def tds(server: Server, database: str, authority: trustme.CA, tmp_path: Path) -> Iterator[Any]:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with closing(
        pytds.connect(
            "localhost", database, ADMINISTRATOR, PASSWORD, port=server.port, cafile=str(tmp_path / "ca.pem"),
            autocommit=True, disable_connect_retry=True,
        )
    ) as connection:  # fmt: skip
        yield connection


class TestByClients:
    def test_outputs_come_back_with_their_types_and_a_return_code(
        self, tds: Any, connection: pyodbc.Connection
    ) -> None:
        connection.execute(
            "CREATE PROCEDURE dbo.p @a int, @b nvarchar(20) OUTPUT, @c decimal(20, 5) OUTPUT, "
            "@d datetime2 = NULL OUTPUT AS SET @b = @b + N' é😀'; SET @c = @a / 4.0; "
            "SET @d = '2024-01-02T03:04:05.1234567'; RETURN 42"
        )
        with tds.cursor() as cursor:
            values = cursor.callproc(
                "dbo.p",
                [5, pytds.output("in", "nvarchar(20)"),
                 pytds.output(None, "decimal(20, 5)"),
                 pytds.output(None, "datetime2")],
            )  # fmt: skip
            assert cursor.get_proc_return_status() == 42
        assert values[1] == "in é😀"
        assert values[2] == Decimal("1.25000")
        assert str(values[3]).startswith("2024-01-02 03:04:05.123456")

    def test_parameters_by_name_come_in_any_order_and_defaults_stand_in(
        self, tds: Any, connection: pyodbc.Connection
    ) -> None:
        connection.execute("CREATE PROCEDURE dbo.p @a int, @b int = 7, @c int = 8 AS SELECT @a, @b, @c")
        with tds.cursor() as cursor:
            cursor.callproc("dbo.p", {"@c": 3, "@a": 1})
            assert cursor.fetchall() == [(1, 7, 3)]
            cursor.callproc("dbo.p", [1, pytds.default, 3])
            assert cursor.fetchall() == [(1, 7, 3)]

    @pytest.mark.parametrize(
        ("name", "arguments", "expected"),
        [
            ("dbo.nothing", [], 2812),
            ("dbo.p", [], 201),
            ("dbo.p", [1, 2, 3], 8144),
            ("dbo.p", {"@z": 1}, 8145),
            ("dbo.p", [pytds.output(1, "int")], 8162),
            ("dbo.p", ["x"], 8114),
            ("sp_executesql", [], 201),
            ("sp_executesql", [1], 214),
            ("sp_executesql", ["SELECT @a", "@a int"], 8178),
            ("sp_executesql", ["SELECT @a", "@a int", 1, 2], 8144),
            ("sp_executesql", ["SELECT @b", "@a int", 1], 137),
            ("sp_execute", [99], 8179),
            ("sp_unprepare", [99], 8179),
            ("sp_prepare", [None], 201),
            ("sp_cursoropen", [None, "SELECT 1"], 40514),
        ],
    )
    def test_what_is_wrong_with_a_call(
        self, tds: Any, connection: pyodbc.Connection, name: str, arguments: Any, expected: int
    ) -> None:
        connection.execute("CREATE PROCEDURE dbo.p @a int, @b int = 1 AS SELECT @a")
        with tds.cursor() as cursor:
            with pytest.raises(pytds.DatabaseError) as caught:
                cursor.callproc(name, arguments)
                cursor.fetchall()
            assert caught.value.number == expected
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == [(1,)]


class TestByExec:
    def test_a_text_gives_its_outputs_to_the_callers_variables(self, connection: pyodbc.Connection) -> None:
        row = connection.execute(
            "SET NOCOUNT ON; DECLARE @x nvarchar(20) = N'a', @code int; "
            "EXEC @code = sp_executesql N'SET @y = @y + @z', N'@y nvarchar(20) OUTPUT, @z nvarchar(5)', "
            "@y = @x OUTPUT, @z = N'b'; SELECT @x, @code"
        ).fetchone()
        assert tuple(row) == ("ab", 0)

    def test_so_does_a_procedure_with_its_return_code(self, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE PROCEDURE dbo.p @a int, @b int OUTPUT AS SET @b = @a * 2; RETURN 3")
        row = connection.execute(
            "SET NOCOUNT ON; DECLARE @x int, @code int; EXEC @code = dbo.p 21, @x OUTPUT; SELECT @x, @code"
        ).fetchone()
        assert tuple(row) == (42, 3)

    def test_an_output_that_is_not_declared_is_refused(self, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE PROCEDURE dbo.p @a int AS RETURN 0")
        with pytest.raises(pyodbc.Error) as caught:
            connection.execute("DECLARE @x int; EXEC dbo.p @x OUTPUT")
        assert number(caught.value) == 8162


class TestDescriptions:
    def described(self, connection: pyodbc.Connection, text: str) -> list[tuple[Any, ...]]:
        rows = connection.execute("EXEC sp_describe_undeclared_parameters ?", text).fetchall()
        return [(row.name, row.suggested_system_type_name) for row in rows]

    def test_parameters_of_a_call_have_the_types_of_the_procedure(self, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE PROCEDURE dbo.p @a int, @b nvarchar(20), @c date = NULL AS RETURN 0")
        assert self.described(connection, "EXEC dbo.p @P1, @c = @P2") == [("@P1", "int"), ("@P2", "date")]

    def test_parameters_of_a_statement_have_the_types_of_its_columns(self, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE TABLE dbo.t (a int, b nvarchar(20), c datetimeoffset(3))")
        assert self.described(connection, "INSERT INTO dbo.t VALUES (@P1, @P2, @P3)") == [
            ("@P1", "int"), ("@P2", "nvarchar(20)"), ("@P3", "datetimeoffset(3)"),
        ]  # fmt: skip

    def test_the_columns_of_a_result_are_told_without_running_it(self, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE TABLE dbo.t (a int NOT NULL, b nvarchar(max))")
        rows = connection.execute("EXEC sp_describe_first_result_set N'SELECT a, b, 1 / 0 AS c FROM dbo.t'").fetchall()
        assert [(row.name, row.system_type_name, row.is_nullable, row.max_length) for row in rows] == [
            ("a", "int", False, 4), ("b", "nvarchar(max)", True, -1), ("c", "int", True, 4),
        ]  # fmt: skip
