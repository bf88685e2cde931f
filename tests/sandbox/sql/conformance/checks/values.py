"""Values of every type go to the server and come back as they were: as literals and as parameters, and NULL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from tests.sandbox.sql.conformance.registry import add, check
from tests.sandbox.sql.conformance.session import Session


@dataclass(frozen=True)
class Case:
    """A value as T-SQL writes it and as Python has it; `back` is what returns when that differs (padding)."""

    type: str
    label: str
    literal: str
    value: object
    back: object = None

    @property
    def expected(self) -> object:
        value = self.value if self.back is None else self.back
        return str(value).upper() if isinstance(value, UUID) else value


def _integers() -> Iterator[Case]:
    yield Case("bit", "one", "1", True)
    yield Case("bit", "zero", "0", False)
    for name, low, high in (
        ("tinyint", 0, 255), ("smallint", -(2**15), 2**15 - 1), ("int", -(2**31), 2**31 - 1),
        ("bigint", -(2**63), 2**63 - 1),
    ):  # fmt: skip
        yield Case(name, "typical", "42", 42)
        yield Case(name, "lowest", str(low), low)
        yield Case(name, "highest", str(high), high)


def _decimals() -> Iterator[Case]:
    for kind, label, text in (
        ("decimal(9,2)", "typical", "1234567.89"),
        ("decimal(9,2)", "lowest", "-9999999.99"),
        ("decimal(9,2)", "highest", "9999999.99"),
        ("decimal(9,2)", "zero", "0.00"),
        ("decimal(18,4)", "typical", "-12345678901234.5678"),
        ("decimal(38,0)", "highest", "9" * 38),
        ("decimal(38,0)", "lowest", "-" + "9" * 38),
        ("decimal(38,10)", "typical", "1234567890123456789012345678.0123456789"),
        ("decimal(38,38)", "highest", "0." + "9" * 38),
        ("numeric(5,5)", "smallest", "0.00001"),
        ("numeric(28,6)", "typical", "-9876543210987654321012.654321"),
        ("money", "typical", "1234.5678"),
        ("money", "highest", "922337203685477.5807"),
        ("money", "lowest", "-922337203685477.5808"),
        ("smallmoney", "typical", "-0.0001"),
        ("smallmoney", "highest", "214748.3647"),
        ("smallmoney", "lowest", "-214748.3648"),
    ):
        yield Case(kind, label, text, Decimal(text))


def _floats() -> Iterator[Case]:
    for kind, label, text in (
        ("float", "typical", "3.141592653589793E0"),
        ("float", "highest", "1.7976931348623157E308"),
        ("float", "lowest", "-1.7976931348623157E308"),
        ("float", "smallest", "2.2250738585072014E-308"),
        ("float", "zero", "0E0"),
        ("real", "typical", "-1.5E0"),
        ("real", "highest", "3.4028234663852886E38"),
    ):
        yield Case(kind, label, text, float(text))


def quoted(value: str, national: bool = True) -> str:
    return ("N'" if national else "'") + value.replace("'", "''") + "'"


def _strings() -> Iterator[Case]:
    for kind, label, value in (
        ("char(10)", "typical", "abc"),
        ("char(10)", "empty", ""),
        ("char(10)", "full", "0123456789"),
        ("nchar(10)", "typical", "äöü"),
        ("nchar(10)", "empty", ""),
        ("varchar(50)", "typical", "some text"),
        ("varchar(50)", "empty", ""),
        ("varchar(50)", "of code page 1252", "Größe € ½"),
        ("varchar(50)", "with quotes", 'it\'s [a] "b" --;'),
        ("varchar(50)", "with trailing blanks", "a  "),
        ("varchar(8000)", "longest", "x" * 8000),
        ("varchar(max)", "typical", "some text"),
        ("varchar(max)", "empty", ""),
        ("varchar(max)", "of 10,000 characters", "0123456789" * 1000),
        ("nvarchar(50)", "typical", "Žluťoučký kůň"),
        ("nvarchar(50)", "empty", ""),
        ("nvarchar(50)", "of other scripts", "日本語 العربية हिन्दी"),
        ("nvarchar(50)", "with surrogate pairs", "a😀b𝄞c"),
        ("nvarchar(50)", "with quotes and line ends", "it's\r\n\t[x]"),
        ("nvarchar(4000)", "longest", "ß" * 4000),
        ("nvarchar(max)", "typical", "Žluťoučký kůň"),
        ("nvarchar(max)", "empty", ""),
        ("nvarchar(max)", "with surrogate pairs", "😀" * 5000),
    ):
        back = None
        if kind in ("char(10)", "nchar(10)"):
            back = value.ljust(10)
        yield Case(kind, label, quoted(value, kind.startswith("n")), value, back)


def _binaries() -> Iterator[Case]:
    for kind, label, value in (
        ("binary(8)", "typical", bytes.fromhex("0102030405060708")),
        ("binary(8)", "padded", b"\x01"),
        ("varbinary(50)", "typical", bytes(range(50))),
        ("varbinary(50)", "empty", b""),
        ("varbinary(50)", "of zeros", bytes(7)),
        ("varbinary(8000)", "longest", bytes(range(250)) * 32),
        ("varbinary(max)", "typical", b"\xff\x00\xfe"),
        ("varbinary(max)", "empty", b""),
        ("varbinary(max)", "of 10,000 bytes", bytes(range(250)) * 40),
    ):
        yield Case(kind, label, f"0x{value.hex()}", value, value.ljust(8, b"\0") if kind == "binary(8)" else None)


def _moments() -> Iterator[Case]:
    for kind, label, text in (
        ("date", "typical", "2026-11-23"),
        ("date", "first", "0001-01-01"),
        ("date", "last", "9999-12-31"),
    ):
        yield Case(kind, label, f"'{text}'", dt.date.fromisoformat(text))
    for kind, label, text in (
        ("time(0)", "typical", "12:34:56"),
        ("time(3)", "typical", "12:34:56.789"),
        ("time(7)", "typical", "12:34:56.789012"),
        ("time(7)", "midnight", "00:00:00"),
        ("time(7)", "last", "23:59:59.999999"),
    ):
        yield Case(kind, label, f"'{text}'", dt.time.fromisoformat(text))
    for kind, label, text in (
        ("datetime", "typical", "2026-11-23T12:34:56.123"),
        ("datetime", "first", "1753-01-01T00:00:00.000"),
        ("datetime", "last", "9999-12-31T23:59:59.997"),
        ("smalldatetime", "typical", "2026-11-23T12:34:00"),
        ("smalldatetime", "first", "1900-01-01T00:00:00"),
        ("smalldatetime", "last", "2079-06-06T23:59:00"),
        ("datetime2(0)", "typical", "2026-11-23T12:34:56"),
        ("datetime2(3)", "typical", "2026-11-23T12:34:56.789"),
        ("datetime2(7)", "typical", "2026-11-23T12:34:56.789012"),
        ("datetime2(7)", "first", "0001-01-01T00:00:00"),
        ("datetime2(7)", "last", "9999-12-31T23:59:59.999999"),
        ("datetime2(7)", "leap day", "2024-02-29T00:00:00"),
        ("datetimeoffset(0)", "typical", "2026-11-23T12:34:56+02:00"),
        ("datetimeoffset(7)", "typical", "2026-11-23T12:34:56.789012+02:00"),
        ("datetimeoffset(7)", "west", "2026-11-23T23:34:56.789012-08:30"),
        ("datetimeoffset(7)", "UTC", "2026-11-23T12:34:56+00:00"),
        ("datetimeoffset(7)", "farthest east", "2026-01-01T00:00:00+14:00"),
    ):
        yield Case(kind, label, f"'{text}'", dt.datetime.fromisoformat(text))


def _identifiers() -> Iterator[Case]:
    for label, text in (
        ("typical", "6F9619FF-8B86-D011-B42D-00C04FC964FF"),
        ("zero", "00000000-0000-0000-0000-000000000000"),
        ("highest", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"),
    ):
        yield Case("uniqueidentifier", label, f"'{text}'", UUID(text))


CASES = (
    *_integers(), *_decimals(), *_floats(), *_strings(), *_binaries(), *_moments(), *_identifiers(),
)  # fmt: skip
TYPES = tuple(dict.fromkeys(case.type for case in CASES))


def same(found: object, expected: object) -> bool:
    """Equal, of the same kind, and for moments with an offset of the same offset."""
    if isinstance(expected, bool):
        return found is expected
    if isinstance(expected, dt.datetime) and isinstance(found, dt.datetime):
        return found == expected and found.utcoffset() == expected.utcoffset()
    if isinstance(expected, dt.date) and not isinstance(expected, dt.datetime) and isinstance(found, dt.datetime):
        return False
    return type(found) is type(expected) and found == expected


def shown(value: object) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:100]}… ({len(text)} characters)"


def expect(found: object, expected: object) -> None:
    assert same(found, expected), f"expected {shown(expected)}, found {shown(found)}"


def _literal(case: Case) -> None:
    def body(sql: Session) -> None:
        expect(sql.value(f"SELECT CAST({case.literal} AS {case.type}) AS v"), case.expected)

    add(f"values: {case.type}, {case.label}, by literal", body)


def _stored(case: Case) -> None:
    def body(sql: Session) -> None:
        table = sql.table(f"v {case.type} NULL")
        sql.run(f"INSERT INTO {table} VALUES ({case.literal})")
        expect(sql.value(f"SELECT v FROM {table}"), case.expected)

    add(f"values: {case.type}, {case.label}, stored", body)


def _parameter(case: Case) -> None:
    def body(sql: Session) -> None:
        table = sql.table(f"v {case.type} NULL")
        with sql.cursor() as cursor:
            sql.client.execute_typed(cursor, f"INSERT INTO {table} (v) VALUES (?)", case.value, case.type)
        expect(sql.value(f"SELECT v FROM {table}"), case.expected)

    add(f"values: {case.type}, {case.label}, by parameter", body)


def _null(kind: str) -> None:
    def by_literal(sql: Session) -> None:
        assert sql.value(f"SELECT CAST(NULL AS {kind}) AS v") is None

    def by_parameter(sql: Session) -> None:
        table = sql.table(f"v {kind} NULL")
        with sql.cursor() as cursor:
            sql.client.execute_typed(cursor, f"INSERT INTO {table} (v) VALUES (?)", None, kind)
        assert sql.rows(f"SELECT v, CASE WHEN v IS NULL THEN 1 ELSE 0 END FROM {table}") == [(None, 1)]

    add(f"values: {kind}, NULL, by literal", by_literal)
    add(f"values: {kind}, NULL, by parameter", by_parameter)


def _found(case: Case) -> None:
    def body(sql: Session) -> None:
        table = sql.table(f"v {case.type} NULL")
        sql.run(f"INSERT INTO {table} VALUES ({case.literal})")
        assert sql.value(f"SELECT COUNT(*) FROM {table} WHERE v = ?", case.value) == 1

    add(f"values: {case.type} is found by a parameter", body)


for _case in CASES:
    _literal(_case)
    _parameter(_case)
    if _case.label == "typical":
        _stored(_case)
        if _case.type not in ("float", "datetime"):
            _found(_case)
for _type in TYPES:
    _null(_type)

LARGE = 5 * 1024 * 1024


@check()
def five_megabytes_of_nvarchar(sql: Session) -> None:
    value = "0123456789ä€ " * (LARGE // 26)
    table = sql.table("v nvarchar(max)")
    sql.run(f"INSERT INTO {table} VALUES (?)", value)
    assert sql.value(f"SELECT DATALENGTH(v) FROM {table}") == 2 * len(value)
    assert sql.value(f"SELECT v FROM {table}") == value


@check()
def five_megabytes_of_varchar(sql: Session) -> None:
    value = "0123456789abcdef" * (LARGE // 16)
    table = sql.table("v varchar(max)")
    sql.run(f"INSERT INTO {table} VALUES (?)", value)
    assert sql.value(f"SELECT DATALENGTH(v) FROM {table}") == len(value)
    assert sql.value(f"SELECT v FROM {table}") == value


@check()
def five_megabytes_of_varbinary(sql: Session) -> None:
    value = bytes(range(256)) * (LARGE // 256)
    table = sql.table("v varbinary(max)")
    sql.run(f"INSERT INTO {table} VALUES (?)", value)
    assert sql.value(f"SELECT DATALENGTH(v) FROM {table}") == len(value)
    assert sql.value(f"SELECT v FROM {table}") == value


@check()
def five_megabytes_made_by_the_server(sql: Session) -> None:
    assert sql.value(f"SELECT REPLICATE(CAST('x' AS varchar(max)), {LARGE})") == "x" * LARGE


@check()
def a_statement_of_a_million_characters(sql: Session) -> None:
    value = "x" * 1_000_000
    assert sql.value(f"SELECT LEN('{value}')") == len(value)


@check()
def the_seventh_digit_of_a_second_is_kept(sql: Session) -> None:
    found = sql.row(
        "SELECT CONVERT(varchar(30), CAST('2026-11-23T12:34:56.7890123' AS datetime2(7))), "
        "CONVERT(varchar(30), CAST('12:34:56.7890123' AS time(7)))"
    )
    assert found == ("2026-11-23 12:34:56.7890123", "12:34:56.7890123")


@check()
def datetime_is_kept_in_three_hundredths_of_a_second(sql: Session) -> None:
    found = sql.rows(
        "SELECT CONVERT(varchar(30), CAST(v AS datetime), 121) FROM "
        "(VALUES ('2026-01-01 00:00:00.001'), ('2026-01-01 00:00:00.002'), ('2026-01-01 00:00:00.005')) AS t(v)"
    )
    assert [row[0][-4:] for row in found] == [".000", ".003", ".007"]


@check()
def smalldatetime_is_rounded_to_the_minute(sql: Session) -> None:
    assert sql.value("SELECT CAST('2026-01-01T00:00:30' AS smalldatetime)") == dt.datetime(2026, 1, 1, 0, 1)


@check()
def real_has_the_precision_of_four_bytes(sql: Session) -> None:
    assert abs(sql.value("SELECT CAST(3.4 AS real)") - 3.4) < 1e-6
    assert sql.value("SELECT CAST(CAST(3.4 AS real) AS float)") == 3.4000000953674316


@check()
def a_decimal_is_rounded_to_its_scale(sql: Session) -> None:
    assert sql.value("SELECT CAST(1.005 AS decimal(9,2))") == Decimal("1.01")


@check()
def several_parameters_of_several_types(sql: Session) -> None:
    values = (7, "seven", Decimal("7.70"), dt.date(2026, 7, 7), b"\x07", None, 7.5)
    columns = "a int, b nvarchar(20), c decimal(9,2), d date, e varbinary(9), f int, g float"
    table = sql.table(columns)
    sql.run(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
    assert sql.row(f"SELECT * FROM {table}") == values


@check()
def a_hundred_parameters(sql: Session) -> None:
    assert sql.row(f"SELECT {', '.join('?' * 100)}", *range(100)) == tuple(range(100))


@check()
def a_row_of_five_hundred_columns(sql: Session) -> None:
    assert sql.row("SELECT " + ", ".join(f"{i} AS c{i}" for i in range(500))) == tuple(range(500))


@check()
def a_row_of_null_values_only(sql: Session) -> None:
    nulls = ", ".join(f"CAST(NULL AS {kind})" for kind in TYPES)
    assert sql.row(f"SELECT {nulls}") == (None,) * len(TYPES)


@check()
def a_table_with_a_column_of_every_type(sql: Session) -> None:
    cases = [next(case for case in CASES if case.type == kind) for kind in TYPES if not kind.endswith("000)")]
    table = sql.table(", ".join(f"c{i} {case.type} NULL" for i, case in enumerate(cases)))
    sql.run(f"INSERT INTO {table} VALUES ({', '.join(case.literal for case in cases)})")
    sql.run(f"INSERT INTO {table} VALUES ({', '.join('NULL' for _ in cases)})")
    full, empty = sql.rows(f"SELECT * FROM {table} ORDER BY CASE WHEN c0 IS NULL THEN 1 ELSE 0 END")
    for found, case in zip(full, cases, strict=True):
        expect(found, case.expected)
    assert set(empty) == {None}
