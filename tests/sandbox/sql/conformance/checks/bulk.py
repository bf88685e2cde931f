"""Bulk load, for the drivers that have it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.sandbox.sql.conformance.client import Need
from tests.sandbox.sql.conformance.registry import add, check
from tests.sandbox.sql.conformance.session import Session

Rows = Sequence[tuple[Any, ...]]

MOMENT = dt.datetime(2026, 11, 23, 12, 34, 56, 789012)
TYPES: tuple[tuple[str, Sequence[Any]], ...] = (
    ("bit", (True, False)),
    ("tinyint", (0, 255)),
    ("smallint", (-(2**15), 2**15 - 1)),
    ("int", (-(2**31), 2**31 - 1)),
    ("bigint", (-(2**63), 2**63 - 1)),
    ("decimal(38,10)", (Decimal("1234567890123456789012345678.0123456789"), Decimal("-0.0000000001"))),
    ("money", (Decimal("1234.5678"), Decimal("0.0001"))),
    ("float", (3.141592653589793, -1.7976931348623157e308)),
    ("real", (-1.5, 0.0)),
    ("varchar(50)", ("some text", "")),
    ("nvarchar(50)", ("Žluťoučký 😀", "")),
    ("nvarchar(max)", ("ß" * 10_000, "")),
    ("varbinary(50)", (bytes(range(50)), b"\0")),
    ("varbinary(max)", (bytes(range(256)) * 40, b"\0")),
    ("date", (dt.date(1, 1, 1), dt.date(9999, 12, 31))),
    ("time(6)", (dt.time(12, 34, 56, 789012), dt.time(0))),
    ("datetime", (dt.datetime(2026, 11, 23, 12, 34, 56), dt.datetime(1753, 1, 1))),
    ("datetime2(6)", (MOMENT, dt.datetime(1, 1, 1))),
    ("datetimeoffset(6)", (MOMENT.replace(tzinfo=dt.timezone(dt.timedelta(hours=2))),)),
    ("datetimeoffset(3)", (dt.datetime(2026, 11, 23, 12, 34, 56, 789000, dt.UTC),)),
    ("uniqueidentifier", (UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"),)),
)


def _type(kind: str, values: Sequence[Any]) -> None:
    def body(sql: Session) -> None:
        rows = [(number, value) for number, value in enumerate([*values, None])]
        with sql.committed_table(f"k int NOT NULL, v {kind} NULL") as table:
            sql.client.bulk(sql, table, [("k", "int"), ("v", kind)], rows)
            found = sql.rows(f"SELECT k, v FROM {table} ORDER BY k")
        assert found == [(number, str(v).upper() if isinstance(v, UUID) else v) for number, v in rows]

    add(f"bulk: {kind}", body, Need.BULK)


for _kind, _values in TYPES:
    _type(_kind, _values)


@check(Need.BULK)
def ten_thousand_rows(sql: Session) -> None:
    rows = [(i, f"row {i}", Decimal(i) / 4) for i in range(10_000)]
    with sql.committed_table("a int NOT NULL PRIMARY KEY, b nvarchar(20), c decimal(9,2)") as table:
        sql.client.bulk(sql, table, [("a", "int"), ("b", "nvarchar(20)"), ("c", "decimal(9,2)")], rows)
        assert sql.row(f"SELECT COUNT(*), SUM(a), MAX(b), SUM(c) FROM {table}") == (
            10_000, 49_995_000, "row 9999", Decimal("12498750.00"),
        )  # fmt: skip


@check(Need.BULK)
def no_rows(sql: Session) -> None:
    with sql.committed_table("a int") as table:
        sql.client.bulk(sql, table, [("a", "int")], [])
        assert sql.value(f"SELECT COUNT(*) FROM {table}") == 0


@check(Need.BULK)
def some_of_the_columns(sql: Session) -> None:
    with sql.committed_table("k int IDENTITY(5, 1), a int, b nvarchar(9) NULL") as table:
        sql.client.bulk(sql, table, [("a", "int")], [(1,), (2,)])
        assert sql.rows(f"SELECT k, a, b FROM {table} ORDER BY k") == [(5, 1, None), (6, 2, None)]


@check(Need.BULK)
def a_value_of_five_megabytes(sql: Session) -> None:
    value = "0123456789abcdef" * (5 * 2**16)
    with sql.committed_table("v nvarchar(max)") as table:
        sql.client.bulk(sql, table, [("v", "nvarchar(max)")], [(value,)])
        assert sql.value(f"SELECT v FROM {table}") == value


@check(Need.BULK)
def a_duplicate_key(sql: Session) -> None:
    with sql.committed_table("a int NOT NULL PRIMARY KEY") as table:
        try:
            sql.client.bulk(sql, table, [("a", "int")], [(1,), (2,), (1,)])
        except Exception as error:  # noqa: BLE001 - each driver has its own classes
            assert "Violation of PRIMARY KEY constraint" in str(error)
        else:
            raise AssertionError("the duplicate key was accepted")
        sql.connection.rollback()
        assert sql.value(f"SELECT COUNT(*) FROM {table}") == 0
