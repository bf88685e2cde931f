"""T-SQL as sqlglot reads it, with SQL Server's own functions left as they are written."""

from __future__ import annotations

import logging
import re
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.tsql import TSQL
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.tsql import TSQLParser
from sqlglot.tokenizer_core import Token, TokenType

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.language import shape
from setup_kit.sandbox.sql.values.units import utf16_length

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # its warnings repeat statements, which may hold passwords

_LONGEST_NAME = 128
_NAMES = frozenset({TokenType.IDENTIFIER, TokenType.VAR})
_VARIABLE, _ENDS = [TokenType.PARAMETER, TokenType.VAR], ([TokenType.COMMA], [TokenType.R_PAREN])
_WITH_SYNTAX_OF_THEIR_OWN = ("CAST", "CONVERT", "TRY_CAST", "TRY_CONVERT", "STRING_AGG")

# T-SQL's own of the words that sqlglot knows; those of other dialects are names like any other. Commands are left out,
# because they would swallow the rest of the text, REAL, which would be taken for FLOAT, and SYSTEM_USER.
_KEYWORDS = frozenset(
    """
    ALL ALTER AND ANY APPLY AS ASC BEGIN BETWEEN BIGINT BINARY BIT CASE CHAR CHARACTER COLLATE COLUMN CONSTRAINT CREATE
    CROSS CUBE CURRENT_TIMESTAMP CURRENT_USER DATABASE DATE DATETIME DATETIME2 DATETIMEOFFSET DEC DECIMAL DECLARE
    DEFAULT DELETE DESC DISTINCT DROP ELSE END ESCAPE EXCEPT EXISTS FETCH FLOAT FOR FROM FULL FUNCTION HAVING IMAGE IN
    INDEX INNER INSERT INT INTEGER INTERSECT INTO IS JOIN JSON LEFT LIKE MERGE MONEY NCHAR NEXT NOT NTEXT NULL NUMERIC
    NVARCHAR OFFSET ON OPTION OR OUTER OUTPUT OVER PARTITION PERCENT PIVOT PROC PROCEDURE RANGE REFERENCES RIGHT ROLLUP
    ROW ROWS ROWVERSION SCHEMA SELECT SESSION_USER SET SMALLDATETIME SMALLINT SMALLMONEY SOME SQL_VARIANT TABLE
    TABLESAMPLE TEXT THEN TIME TIMESTAMP TINYINT TOP UNION UNIQUE UNIQUEIDENTIFIER UNPIVOT UPDATE USE USING VALUES
    VARBINARY VARCHAR VIEW WHEN WHERE WINDOW WITH XML
    """.split()  # noqa: SIM905 - words, read as text
) | {
    "CHAR VARYING", "CHARACTER VARYING", "DOUBLE PRECISION", "FOREIGN KEY", "GROUP BY", "GROUPING SETS", "ORDER BY",
    "PARTITION BY", "PRIMARY KEY", "!=", "<>", "<=", ">=", "::",
}  # fmt: skip


class Dialect(TSQL):
    """sqlglot's T-SQL, but every function call stays `Anonymous`: `functions.py` knows them by SQL Server's names."""

    class Tokenizer(TSQL.Tokenizer):
        COMMANDS: ClassVar = set()
        KEYWORDS: ClassVar = {word: kind for word, kind in TSQL.Tokenizer.KEYWORDS.items() if word in _KEYWORDS}

    class Parser(TSQLParser):
        FUNCTIONS: ClassVar = {}
        FUNCTION_PARSERS: ClassVar = {
            name: read for name, read in TSQLParser.FUNCTION_PARSERS.items() if name in _WITH_SYNTAX_OF_THEIR_OWN
        }

        def _parse_assignment(self) -> exp.Expr | None:
            """A variable alone, of which one INSERT may have thousands, is read without asking for each operator."""
            kinds = [token.token_type for token in self._tokens[self._index : self._index + 3]]
            if kinds[:2] == _VARIABLE and kinds[2:] in _ENDS:
                self._advance()
                return self._parse_parameter()
            return super()._parse_assignment()


_DIALECT = Dialect()


def tokenize(text: str) -> list[Token]:
    """The tokens of a batch; 105 or 103 where it cannot be read."""
    try:
        tokens = [_empty_binary(token, text) for token in _with_exponents(_DIALECT.tokenize(text), text)]
    except TokenError as error:
        raise errors.error(105, _unclosed(text)) from error
    for token in tokens:
        if token.token_type in _NAMES:
            if utf16_length(token.text) > _LONGEST_NAME:
                raise errors.too_long_identifier(token.text)
            if "\0" in token.text:  # SQLite takes it for the end
                raise errors.incorrect_syntax(token.text)
    return tokens


_WHOLE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\[(?:[^]]|]])*]|--[^\n]*|/\*.*?\*/|[^'\"[]", re.DOTALL)


def _unclosed(text: str) -> str:
    """What follows the first quotation mark that has no second."""
    at = 0
    while (found := _WHOLE.match(text, at)) is not None:
        at = found.end()
    return text[at + 1 :]


_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE](?:[+-]?[0-9]+)?")
_SUM_PART = re.compile(r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?P<exponent>[eE](?:[+-]?[0-9]+)?)?)(?P<sign>[+-]?)")


def _with_exponents(tokens: list[Token], text: str) -> list[Token]:
    """sqlglot takes the sign behind 1e0 for the exponent's: it reads such sums again with other digits in their place.

    A sum of numbers is looked at as a whole, as each of them may lead the next astray.
    """
    hidden: dict[int, str] = {}
    end = 0
    for token in tokens:
        if token.token_type != TokenType.NUMBER or token.start < end or "e" not in token.text.lower():
            continue
        if (first := _NUMBER.match(text, token.start)) is None or first.end() > token.end:
            continue
        at = token.start
        while (number := _SUM_PART.match(text, at)) is not None:
            if number["exponent"]:
                hidden[at] = number["number"]
            at = end = number.end()
            if not number["sign"]:
                break
    if not hidden:
        return tokens
    parts, at = [], 0
    for start, number_text in hidden.items():
        parts += [text[at:start], "1" * len(number_text)]
        at = start + len(number_text)
    return [
        Token(token.token_type, text[token.start : token.end + 1], token.line, token.col, token.start, token.end)
        if token.start in hidden
        else token
        for token in _DIALECT.tokenize("".join([*parts, text[at:]]))
    ]


def _empty_binary(token: Token, text: str) -> Token:
    """sqlglot takes 0x, the binary value of no bytes, for a name."""
    if token.token_type != TokenType.IDENTIFIER or text[token.start : token.end + 1] not in ("0x", "0X"):
        return token
    return Token(TokenType.HEX_STRING, "", token.line, token.col, token.start, token.end)


def parse(tokens: list[Token], text: str) -> exp.Expr:
    """The one statement that `tokens` are; raises 102 naming the token where sqlglot stopped."""
    try:
        parsed = _DIALECT.parser().parse(_with_inner(_without_trim_from(tokens)), text)
    except ParseError as error:
        near = error.errors[0].get("highlight") if error.errors else None
        raise errors.incorrect_syntax(str(near or tokens[-1].text)) from error
    except RecursionError as error:
        raise errors.too_deep() from error
    except (TokenError, ValueError, TypeError, AttributeError) as error:  # sqlglot's own slips over what makes no sense
        raise errors.incorrect_syntax(tokens[-1].text) from error
    found = parsed[0] if len(parsed) == 1 else None
    if found is None or isinstance(found, exp.Command):
        raise errors.incorrect_syntax(tokens[0].text)
    shape.check(found, tokens[-1].text)
    return found


_BEFORE_JOIN = frozenset({"INNER", "OUTER", "LEFT", "RIGHT", "FULL", "CROSS", "HASH", "LOOP", "MERGE", "REMOTE"})


def _with_inner(tokens: list[Token]) -> list[Token]:
    """INNER where it is left out: in sqlglot's tree a JOIN without a condition is else the same as a comma."""
    found: list[Token] = []
    for token in tokens:
        if token.token_type == TokenType.JOIN and not (found and found[-1].text.upper() in _BEFORE_JOIN):
            found.append(Token(TokenType.INNER, "INNER", token.line, token.col, token.start, token.start))
        found.append(token)
    return found


def _without_trim_from(tokens: list[Token]) -> list[Token]:
    """TRIM(characters FROM text) as TRIM(characters, text): sqlglot's TRIM gives way to ours."""
    found = tokens
    for start, token in enumerate(tokens[:-1]):
        if token.text.upper() != "TRIM" or tokens[start + 1].token_type != TokenType.L_PAREN:
            continue
        depth = 0
        for at in range(start + 1, len(tokens)):
            depth += (tokens[at].token_type == TokenType.L_PAREN) - (tokens[at].token_type == TokenType.R_PAREN)
            if not depth:
                break
            if depth == 1 and tokens[at].token_type == TokenType.FROM:
                found = list(tokens) if found is tokens else found
                here = tokens[at]
                found[at] = Token(TokenType.COMMA, ",", here.line, here.col, here.start, here.end)
    return found


_OPERATORS: dict[str, type[exp.Expr]] = {
    "+": exp.Add, "-": exp.Sub, "*": exp.Mul, "/": exp.Div, "%": exp.Mod, "&": exp.BitwiseAnd, "|": exp.BitwiseOr,
    "^": exp.BitwiseXor,
}  # fmt: skip


def compound(variable: str, operator: str, value: exp.Expr) -> exp.Expr:
    """What a compound assignment such as `@variable += value` assigns; `value` itself for the operator ""."""
    if not operator:
        return value
    return _OPERATORS[operator](this=exp.Parameter(this=exp.var(variable)), expression=exp.Paren(this=value))


def parse_expression(tokens: list[Token], text: str) -> exp.Expr:
    """The expression or condition that `tokens` are."""
    if not tokens:
        raise errors.incorrect_syntax("")
    first = tokens[0]
    select = Token(TokenType.SELECT, "SELECT", first.line, first.col, first.start, first.start)
    parsed = parse([select, *tokens], text)
    if (
        not isinstance(parsed, exp.Select)
        or len(parsed.expressions) != 1
        or len([v for v in parsed.args.values() if v]) > 1
    ):
        raise errors.incorrect_syntax(tokens[-1].text)
    found = parsed.expressions[0]
    if isinstance(found, exp.Alias):
        raise errors.incorrect_syntax(found.alias)
    assert isinstance(found, exp.Expr)  # noqa: S101 - tells the type checker
    return found
