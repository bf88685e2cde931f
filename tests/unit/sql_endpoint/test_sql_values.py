"""Types, conversions, passwords, the firewall: the parts that need no session."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from setup_kit.sandbox.sql import firewall
from setup_kit.sandbox.sql.compiler.names import split_name
from setup_kit.sandbox.sql.errors import SqlError
from setup_kit.sandbox.sql.execution import logins
from setup_kit.sandbox.sql.language.cursor import make_type
from setup_kit.sandbox.sql.language.declarations import parse_declarations
from setup_kit.sandbox.sql.values import collation
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.conversions import converter
from setup_kit.sandbox.sql.values.types import SqlType


def test_a_hash_matches_its_password_alone_and_holds_none_of_it() -> None:
    stored = logins.hash_password("Correct-Horse-9")
    assert logins.password_matches("Correct-Horse-9", stored)
    assert not logins.password_matches("correct-horse-9", stored)
    assert "Horse" not in stored
    assert stored != logins.hash_password("Correct-Horse-9")


@pytest.mark.parametrize("name", ["sa", "Admin", "ROOT", "guest", "loginmanager", "dom\\user"])
def test_reserved_names_are_refused(name: str) -> None:
    with pytest.raises(SqlError):
        logins.check_name(name)


ZERO = "0.0.0.0"  # noqa: S104 - an address in a rule


@dataclass(frozen=True)
class Rule:
    name: str
    start: str
    end: str


@pytest.mark.parametrize(
    ("start", "end", "address", "from_azure", "admitted"),
    [
        ("10.0.0.1", "10.0.0.1", "10.0.0.1", False, True),
        ("10.0.0.1", "10.0.0.9", "10.0.0.10", False, False),
        ("9.255.255.255", "10.0.0.0", "10.0.0.0", False, True),
        (ZERO, ZERO, "10.0.0.1", True, True),
        (ZERO, ZERO, "10.0.0.1", False, False),
        (ZERO, "255.255.255.255", "10.0.0.1", False, True),
    ],
)
def test_a_rule_admits_addresses_by_number(
    start: str, end: str, address: str, from_azure: bool, admitted: bool
) -> None:
    assert firewall.admits([Rule("r", start, end)], address, from_azure=from_azure) is admitted
    assert not firewall.admits([], address, from_azure=from_azure)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("t", ["t"]), ("dbo.t", ["dbo", "t"]), ("[dbo].[a]]b.c]", ["dbo", "a]b.c"]), ('"x""y" . z', ['x"y', "z"]),
        ("..t", ["", "", "t"]), ("[open", None), ("[a]b", None),
    ],
)  # fmt: skip
def test_a_name_in_text_comes_apart(text: str, parts: list[str] | None) -> None:
    assert split_name(text) == parts


def test_declarations_are_read_whichever_way_they_are_written() -> None:
    text = "@P1 int,@P2 nvarchar(12), @p3 AS decimal( 38 , 10 ) OUTPUT,@P4 varbinary(max) , @P5 datetime2(3) OUT"
    assert [(name, str(kind), output) for name, kind, output in parse_declarations(text)] == [
        ("P1", "int", False), ("P2", "nvarchar(12)", False), ("p3", "decimal(38,10)", True),
        ("P4", "varbinary(max)", False), ("P5", "datetime2(3)", True),
    ]  # fmt: skip
    assert parse_declarations("@a [int], @b sys.sysname")[1][1] == t.SYSNAME


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        (t.nvarchar(20), t.INT, " 12 ", 12),
        (t.FLOAT, t.INT, -2.9, -2),
        (t.decimal(10, 2), t.INT, t.encode_scaled(-299, 2), -2),
        (SqlType("money"), t.INT, t.encode_scaled(25000, 4), 3),
        (t.INT, t.nvarchar(5), 123, "123"),
        (t.decimal(10, 4), t.nvarchar(20), t.encode_scaled(-5, 4), "-0.0005"),
        (t.FLOAT, t.nvarchar(30), 1e300, "1e+300"),
        (t.GUID, t.nvarchar(36), bytes(16), "00000000-0000-0000-0000-000000000000"),
        (t.nvarchar(5), t.varchar(5), "a表", "a?"),
        (t.nvarchar(5), t.nvarchar(2), "abc", "ab"),
        (t.nvarchar(5), t.BIT, "TRUE", 1),
        (t.INT, t.varbinary(2), 258, b"\x01\x02"),
    ],
)  # fmt: skip
def test_a_conversion_has_sql_servers_result(
    source: SqlType, target: SqlType, value: t.Stored, expected: t.Stored
) -> None:
    convert = converter(source, target, explicit=True)
    assert (convert(value) if convert else value) == expected


def test_types_have_the_facets_that_t_sql_gives_them() -> None:
    assert str(make_type("nvarchar", [])) == "nvarchar(1)"
    assert str(make_type("decimal", [])) == "decimal(18,0)"
    assert str(make_type("datetime2", [])) == "datetime2(7)"
    assert make_type("float", [24]).name == "real"
    assert make_type("sysname", []) == t.SYSNAME
    assert make_type("nvarchar", [t.MAX]).max_length == -1


def test_upper_and_lower_keep_the_length() -> None:
    for text in ("Straße", "İstanbul", "ﬁne", "ÉCOLE"):
        assert len(collation.upper(text)) == len(collation.lower(text)) == len(text)
