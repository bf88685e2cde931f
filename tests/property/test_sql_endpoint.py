"""Quoting, parsing and ordering in the SQL endpoint hold for any input."""

from __future__ import annotations

import uuid
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from setup_kit.sandbox.sql.compiler import operators
from setup_kit.sandbox.sql.compiler.names import split_name
from setup_kit.sandbox.sql.errors import ProtocolError, SqlError
from setup_kit.sandbox.sql.language import statements_security as ss
from setup_kit.sandbox.sql.language.parser import parse_batch
from setup_kit.sandbox.sql.tds.login import Login7, PreLogin
from setup_kit.sandbox.sql.tds.parameters import Calls
from setup_kit.sandbox.sql.values import collation
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.conversions import converter

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=128)
DECIMALS = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=Decimal("-1e28"), max_value=Decimal("1e28"), places=10
)


def bracketed(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def literal(text: str) -> str:
    return "N'" + text.replace("'", "''") + "'"


@given(NAMES, TEXT)
def test_a_quoted_name_and_a_quoted_text_mean_themselves(name: str, text: str) -> None:
    (login,) = parse_batch(f"CREATE LOGIN {bracketed(name)} WITH PASSWORD = {literal(text)}")
    assert isinstance(login, ss.CreateLogin)
    assert (login.login, login.password) == (name, text)
    quoted = '"' + name.replace('"', '""') + '"'
    (user,) = parse_batch(f"CREATE USER {quoted} FOR LOGIN {bracketed(name)}")
    assert isinstance(user, ss.CreateUser)
    assert (user.user, user.login) == (name, name)


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_the_parts_of_a_quoted_name_come_back(parts: list[str]) -> None:
    assert split_name(".".join(bracketed(part) for part in parts)) == parts


@given(TEXT)
def test_any_text_is_read_or_refused_with_an_error_of_sql_server(text: str) -> None:
    try:
        parse_batch(text)
    except SqlError as error:
        assert error.number > 0


WORDS = st.sampled_from(
    ["SELECT", "FROM", "WHERE", "CREATE", "TABLE", "(", ")", ",", ";", "'a'", "[b]", "1", "IF", "BEGIN", "END", "GRANT",
     "ON", "TO", "INSERT", "INTO", "VALUES", "UPDATE", "SET", "=", "@x", "EXEC", "WITH", "AS", "UNION", "CASE", "WHEN",
     "ELSE", "MERGE", "*"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=25))
def test_any_row_of_keywords_is_read_or_refused_with_an_error_of_sql_server(words: list[str]) -> None:
    try:
        parse_batch(" ".join(words))
    except SqlError as error:
        assert error.number > 0


@given(DECIMALS, DECIMALS)
def test_stored_decimals_sort_as_numbers_and_come_back_exactly(left: Decimal, right: Decimal) -> None:
    a, b = t.encode_decimal(left), t.encode_decimal(right)
    assert (a < b, a == b) == (left < right, left == right)
    assert t.decode_decimal(a) == left
    assert t.decode_scaled(a, 10) == int(t.EXACT.scaleb(left, 10))


@given(DECIMALS, st.integers(0, 20))
def test_a_conversion_rounds_half_away_from_zero_and_loses_no_digit(value: Decimal, scale: int) -> None:
    convert = converter(t.decimal(38, 10), t.decimal(38, scale))
    stored = t.encode_decimal(value)
    try:
        found = t.decode_decimal(str(convert(stored) if convert else stored))
    except SqlError as error:
        assert error.number == 8115
        assert abs(value) >= 10 ** (38 - scale) - 1
        return
    assert abs(t.EXACT.subtract(found, value)) <= Decimal(5).scaleb(-scale - 1)


@given(st.uuids())
def test_a_stored_identifier_comes_back(value: uuid.UUID) -> None:
    assert t.decode_guid(t.encode_guid(value)) == value


@given(TEXT, TEXT)
def test_comparison_is_an_order_that_knows_no_case(left: str, right: str) -> None:
    assert collation.compare(left, right) == -collation.compare(right, left)
    assert collation.compare(left, left + "  ") == 0
    if left.isascii():
        assert collation.compare(left.upper(), left.lower()) == 0


@given(TEXT)
def test_a_pattern_with_its_signs_escaped_matches_the_text_itself(text: str) -> None:
    escaped = "".join("!" + c if c in "%_[!" else c for c in text)
    assert operators.like_pattern(escaped, "!").fullmatch(text)
    assert operators.like_pattern("%" + escaped + "_", "!").fullmatch("abc" + text + "z")


@given(st.binary(max_size=300))
def test_bytes_that_are_no_message_break_the_protocol_and_nothing_else(data: bytes) -> None:
    for decode in (PreLogin.decode, Login7.decode, lambda data: list(Calls(data))):
        try:
            decode(data)
        except (ProtocolError, SqlError):
            continue
