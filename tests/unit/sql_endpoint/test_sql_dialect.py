"""Clauses and operators of other dialects, which the parser would take, are no T-SQL."""

from __future__ import annotations

import pytest

from setup_kit.sandbox.sql.errors import SqlError
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.parser import parse_batch


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM t LIMIT 5",
        "SELECT a FROM t QUALIFY a > 1 ORDER BY a",
        "SELECT a FROM t JOIN u USING (a)",
        "SELECT DISTINCT ON (a) a, b FROM t",
        "SELECT a FROM t GROUP BY ALL",
        "SELECT * EXCEPT (a) FROM t",
        "SELECT a FROM t WHERE a == 1",
        "SELECT a FROM t WHERE a && b",
        "SELECT a FROM t WHERE a NOTNULL",
        "SELECT a FROM t WHERE a ILIKE 'x'",
        "SELECT a FROM t WHERE a BETWEEN SYMMETRIC 1 AND 2",
        "WITH x AS MATERIALIZED (SELECT 1 AS a) SELECT a FROM x",
        "DELETE FROM t LIMIT 5",
        "DELETE FROM t WHERE a = 1 ORDER BY a LIMIT 1",
        "DELETE FROM t RETURNING a",
        "UPDATE t SET a = 1 ORDER BY a LIMIT 1",
        "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT OVERWRITE t SELECT 1",
    ],
)
def test_a_clause_of_another_dialect_is_refused(text: str) -> None:
    with pytest.raises(SqlError) as refusal:
        parse_batch(text)
    assert refusal.value.number in (102, 156)  # 156 where it stops at a reserved word


@pytest.mark.parametrize("word", ["limit", "format", "first", "show", "interval", "array", "settings", "natural"])
def test_a_word_of_another_dialect_is_a_name(word: str) -> None:
    (statement,) = parse_batch(f"SELECT {word} FROM t ORDER BY {word}")  # noqa: S608 - words of the test
    assert isinstance(statement, s.Query)
