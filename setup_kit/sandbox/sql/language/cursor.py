"""Walking over the tokens of a batch."""

from __future__ import annotations

from sqlglot.tokenizer_core import Token, TokenType

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.language import dialect
from setup_kit.sandbox.sql.language.statements import Name
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType

#: Reserved words that begin a statement, so that they end the one before: T-SQL needs no semicolons.
STARTERS = frozenset(
    {
        "ALTER", "BEGIN", "BREAK", "CLOSE", "COMMIT", "CONTINUE", "CREATE", "DEALLOCATE", "DECLARE", "DELETE",
        "DENY", "DROP", "ELSE", "END", "EXEC", "EXECUTE", "FETCH", "GO", "GRANT", "IF", "INSERT", "KILL", "MERGE",
        "OPEN", "PRINT", "RAISERROR", "RETURN", "REVOKE", "ROLLBACK", "SAVE", "SELECT", "SET", "THROW", "TRUNCATE",
        "UPDATE", "USE", "WAITFOR", "WHILE", "WITH",
    }
)  # fmt: skip

_NAMELESS = frozenset({TokenType.STRING, TokenType.NATIONAL_STRING, TokenType.NUMBER, TokenType.HEX_STRING})
_TYPE_NAMES = {"integer": "int", "dec": "decimal", "sysname": "sysname", "timestamp": "rowversion"}


class Cursor:
    """A position among the tokens. Words are compared in capitals; a quoted identifier is never a word."""

    def __init__(self, text: str, tokens: list[Token] | None = None) -> None:
        self.text = text
        self.tokens = _split_words(dialect.tokenize(text)) if tokens is None else tokens
        self.at = 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    @property
    def line(self) -> int:
        return self.tokens[min(self.at, len(self.tokens) - 1)].line if self.tokens else 1

    def word(self, ahead: int = 0) -> str:
        """The word at the position, "" for an identifier in quotes, a string or the end."""
        if self.at + ahead >= len(self.tokens):
            return ""
        token = self.tokens[self.at + ahead]
        return "" if token.token_type in _QUOTED else token.text.upper()

    def accept(self, *words: str) -> bool:
        """Step over `words` when they stand here."""
        if all(self.word(index) == word for index, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def accept_any(self, *words: str) -> str:
        found = self.word()
        if found and found in words:
            self.at += 1
            return found
        return ""

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.error()

    def error(self) -> errors.SqlError:
        near = self.tokens[self.at].text if not self.done else (self.tokens[-1].text if self.tokens else "")
        error = errors.incorrect_syntax(near)
        error.line = self.line
        return error

    def identifier(self) -> str:
        """A name, with or without quotes."""
        if self.done:
            raise self.error()
        token = self.tokens[self.at]
        if token.token_type == TokenType.IDENTIFIER:
            if token.text.startswith("##"):
                raise unsupported.refused("global temporary table")
            self.at += 1
            return _checked(token.text, 116 if token.text.startswith("#") else 128)
        if token.token_type in _NAMELESS or not (token.text[:1].isalpha() or token.text[:1] == "_"):
            raise self.error()
        self.at += 1
        return _checked(token.text)

    def name(self) -> Name:
        """One or two parts; a third is the database, which must be left out."""
        parts = [self.identifier()]
        while self.accept("."):
            parts.append("" if self.word() == "." else self.identifier())
        if len(parts) > 2:
            if len(parts) == 3 and (not parts[0] or (parts[0].lower() == "tempdb" and parts[2].startswith("#"))):
                return Name(parts[2], parts[1] or None)
            raise errors.other_database(".".join(parts))
        return Name(parts[-1], (parts[0] or None) if len(parts) == 2 else None)

    def procedure(self) -> Name:
        """One to three parts; only EXEC may name a database, which is looked at when it runs."""
        start = self.at
        parts = [self.identifier()]
        while self.accept("."):
            parts.append("" if self.word() == "." else self.identifier())
        if len(parts) == 3 and parts[0]:
            return Name(parts[2], parts[1] or None, parts[0])
        self.at = start
        return self.name()

    def string(self) -> str:
        """A literal 'text' or N'text'."""
        if not self.done and self.tokens[self.at].token_type in (TokenType.STRING, TokenType.NATIONAL_STRING):
            self.at += 1
            return self.tokens[self.at - 1].text
        raise self.error()

    def number(self) -> int:
        negative = self.accept("-")
        if not self.done and self.tokens[self.at].token_type == TokenType.NUMBER:
            self.at += 1
            text = self.tokens[self.at - 1].text
            if text.isdigit():
                return -int(text) if negative else int(text)
            self.at -= 1
        raise self.error()

    def variable(self) -> str:
        """The name of an @variable, without the sign."""
        self.expect("@")
        return self.any_text()

    def any_text(self) -> str:
        if self.done:
            raise self.error()
        self.at += 1
        return self.tokens[self.at - 1].text

    def type_or_name(self, ordinal: int = 1) -> SqlType | Name:
        """A data type, or the name of an alias type or a table type, which only the catalog knows."""
        if self.word(1) == "." and self.word() != "SYS":
            return self.name()
        at = self.at
        try:
            return self.data_type(ordinal)
        except errors.SqlError as error:
            if error.number != errors.UNKNOWN_TYPE:
                raise
            self.at = at
            return self.name()

    def source(self, tokens: list[Token]) -> str:
        """The text that `tokens` were read from."""
        return self.text[tokens[0].start : tokens[-1].end + 1]

    def data_type(self, ordinal: int = 1) -> SqlType:
        """A data type with its facets; 2715 for one that does not exist, 40524 for one that is not carried here."""
        self.accept("SYS", ".")
        written = self.identifier()
        name = _TYPE_NAMES.get(written.lower(), written.lower())
        if name == "double" and self.accept("PRECISION"):
            return t.FLOAT
        if name in ("char", "character") and self.accept("VARYING"):
            name = "varchar"
        if name == "national":
            self.accept_any("CHAR", "CHARACTER")
            name = "nvarchar" if self.accept("VARYING") else "nchar"
        name = "char" if name == "character" else name
        facets: list[int] = []
        if self.accept("("):
            facets.append(MAX if self.accept("MAX") else self.number())
            if self.accept(","):
                facets.append(self.number())
            self.expect(")")
        return make_type(name, facets, ordinal)

    def balanced(self) -> list[Token]:
        """The tokens of a parenthesized list that starts here, without the outer parentheses."""
        self.expect("(")
        start, depth = self.at, 1
        while not self.done:
            word = self.word()
            depth += (word == "(") - (word == ")")
            self.at += 1
            if depth == 0:
                return self.tokens[start : self.at - 1]
        raise self.error()

    def until(self, *, stop: frozenset[str] = STARTERS, commas: bool = True) -> list[Token]:
        """Tokens up to a word of `stop`, a semicolon or (unless `commas`) a comma, outside parentheses and CASE."""
        start, depth, cases = self.at, 0, 0
        while not self.done:
            word = self.word()
            if word == "(":
                depth += 1
            elif word == ")":
                if depth == 0:
                    break
                depth -= 1
            elif depth == 0:
                if word == "CASE":
                    cases += 1
                elif word == "END" and cases:
                    cases -= 1
                elif self._ends(word, stop, commas, cases):
                    break
            self.at += 1
        return self.tokens[start : self.at]

    @staticmethod
    def _ends(word: str, stop: frozenset[str], commas: bool, cases: int) -> bool:
        if word == ",":
            return not commas and not cases
        return word == ";" or (word in stop and not (cases and word == "ELSE"))


_QUOTED = frozenset({TokenType.IDENTIFIER, TokenType.STRING, TokenType.NATIONAL_STRING})


def _checked(name: str, most: int = 128) -> str:
    if len(name) > most:
        raise errors.error(103, "identifier", name[:most], most)
    if not name:
        raise errors.missing_name()
    return name


def _split_words(tokens: list[Token]) -> list[Token]:
    """The tokens as they are read here.

    Keywords that sqlglot joins (PRIMARY KEY, CLUSTERED INDEX) are taken apart but for those its parser needs so; the
    sign and the name of a #table are one identifier; 0x without digits is an empty binary value.
    """
    found: list[Token] = []
    for token in tokens:
        last = found[-1] if found else None
        if token.token_type in _JOINED:
            start = token.start
            for word in token.text.split():
                found.append(Token(TokenType.VAR, word, token.line, token.col, start, start + len(word) - 1))
                start += len(word) + 1
        elif last is not None and last.end + 1 == token.start and last.text in ("#", "##") and _is_sign(last):
            found[-1] = Token(TokenType.IDENTIFIER, last.text + token.text, last.line, last.col, last.start, token.end)
        elif token.token_type == TokenType.IDENTIFIER and token.text == "0x" and token.end - token.start == 1:
            found.append(Token(TokenType.HEX_STRING, "", token.line, token.col, token.start, token.end))
        else:
            found.append(token)
    return found


def _is_sign(token: Token) -> bool:
    """Whether it is # or ## as such, and not [#]."""
    return token.end - token.start + 1 == len(token.text)


_JOINED = {TokenType.PRIMARY_KEY, TokenType.FOREIGN_KEY} | {
    kind
    for words, kind in dialect.Dialect.Tokenizer.KEYWORDS.items()
    if words.endswith((" INDEX", " VARYING", " PRECISION"))
}


def make_type(name: str, facets: list[int], ordinal: int = 1) -> SqlType:
    """The type `name(facets)` with T-SQL's defaults for those left out."""
    if name == "sysname":
        return t.SYSNAME
    if name in ("text", "ntext", "image"):
        return SqlType({"text": "varchar", "ntext": "nvarchar", "image": "varbinary"}[name], MAX)
    if name in ("xml", "rowversion", "geography", "geometry", "hierarchyid", "json", "vector"):
        raise unsupported.refused(name)
    if name in ("decimal", "numeric"):
        precision, scale = (facets[0] if facets else 18), (facets[1] if len(facets) > 1 else 0)
        if not 1 <= precision <= 38:
            raise errors.error(2750, ordinal, precision, 38)
        if not 0 <= scale <= precision:
            raise errors.error(192)
        return SqlType(name, precision=precision, scale=scale)
    if name == "float":
        return SqlType("real" if facets and facets[0] <= 24 else "float")
    if name in t.SCALED:
        scale = facets[0] if facets else 7
        if not 0 <= scale <= 7:
            raise errors.error(1002, 1, scale)
        return SqlType(name, scale=scale)
    if name in t.SIZED:
        length = facets[0] if facets else 1
        limit = 4000 if name in t.NATIONAL else 8000
        if length == MAX and name in ("nvarchar", "varchar", "varbinary"):
            return SqlType(name, MAX)
        if not 1 <= length <= limit:
            raise errors.error(131, length, "type", name, 8000)
        return SqlType(name, length)
    if name in t.FIXED_LENGTHS or name in ("money", "smallmoney"):
        if facets:
            raise errors.error(2716, ordinal, name)
        return SqlType(name)
    raise errors.unknown_type(ordinal, name)
