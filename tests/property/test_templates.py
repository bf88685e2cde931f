"""Whatever a name or a password is, the server reads back exactly that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlglot.dialects.tsql import TSQL
from sqlglot.tokenizer_core import TokenType

from setup_kit.secret import Secret
from setup_kit.sqlserver.quoting import quote_identifier, quote_literal
from setup_kit.sqlserver.templates import render

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
hostile = st.sampled_from(["]", "]]", "'", "''", "--", "/*", "*/", ";", "[", '"', "\n", "GO", "{{", "}}", "{%", "#}"])
texts = st.one_of(st.text(characters, max_size=128), st.lists(hostile | characters, max_size=40).map("".join))


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


names = texts.filter(lambda text: 0 < units(text) <= 128)


@given(names)
def test_a_quoted_name_is_read_as_that_name(name: str) -> None:
    (token,) = TSQL().tokenize(quote_identifier(name))
    assert token.token_type is TokenType.IDENTIFIER
    assert token.text == name


@given(texts)
def test_a_quoted_text_is_read_as_that_text(text: str) -> None:
    (token,) = TSQL().tokenize(quote_literal(text))
    assert token.token_type is TokenType.NATIONAL_STRING
    assert token.text == text


@given(names, texts, names)
def test_a_batch_holds_its_names_and_password_and_no_statement_more(name: str, password: str, schema: str) -> None:
    text = render("create_contained_user", name=name, password=Secret(password), schema=schema).text
    found = TSQL().tokenize(text)
    assert [token.text for token in found] == [
        *("CREATE", "USER", name, "WITH", "PASSWORD", "=", password),
        *(",", "DEFAULT_SCHEMA", "=", schema),
    ]
