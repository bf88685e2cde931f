"""SELECT, INSERT, UPDATE, DELETE and MERGE.

Clauses of T-SQL's own (OUTPUT, TOP of a change, OPTION, `SELECT @variable = …`, compound assignments) are taken out of
the tokens; what is left goes whole to sqlglot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.language import dialect
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.cursor import STARTERS, Cursor

VERBS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH"})
_SET_OPERATORS = frozenset({"UNION", "ALL", "EXCEPT", "INTERSECT"})
_COMPOUND = frozenset("+-*/%&|^")
_AFTER_OUTPUT = frozenset(
    {"VALUES", "SELECT", "WITH", "DEFAULT", "EXEC", "EXECUTE", "FROM", "WHERE", "OUTPUT", "OPTION", ";"}
)
_AFTER_LIST = frozenset(
    {"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "UNION", "EXCEPT", "INTERSECT", "INTO", "OPTION", "FOR"}
)
_AFTER_SET = frozenset({"FROM", "WHERE", "OUTPUT", "OPTION", "WHEN", ";"})


def data_statement(cursor: Cursor) -> s.Query | s.Assign | s.SelectInto:
    """One statement on data."""
    line, first = cursor.line, cursor.word()
    tokens, main = _extent(cursor, first)
    clauses = _Clauses(cursor.text, tokens, main)
    recursion = clauses.take_options()
    verb = clauses.word(main)
    if verb in ("SELECT", "("):
        targets = clauses.take_assignments() if verb == "SELECT" else ()
        tree = dialect.parse(clauses.tokens, cursor.text)
        if not isinstance(tree, exp.Query):
            raise errors.incorrect_syntax(first)
        if targets:
            if isinstance(tree, exp.SetOperation):
                raise errors.error(10734)
            return s.Assign(tree=tree, targets=targets, recursion=recursion, line=line)
        into = tree.args.get("into")
        if into is not None:
            tree.set("into", None)
            if not isinstance(into.this, exp.Table):
                raise errors.incorrect_syntax("(")
            return s.SelectInto(tree=tree, table=_name(into.this), line=line)
        return s.Query(tree=tree, label="SELECT", recursion=recursion, line=line)
    top, percent = clauses.take_top()
    output = clauses.take_output()
    clauses.spread_compound_assignments()
    tree = dialect.parse(clauses.tokens, cursor.text)
    if not isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Merge)):
        raise errors.incorrect_syntax(first)
    return s.Query(
        tree=tree, label=tree.key.upper(), top=top, percent=percent, output=output, recursion=recursion, line=line
    )


def insert_target(cursor: Cursor) -> tuple[exp.Table, tuple[str, ...]] | None:
    """The table and columns of INSERT … EXEC, whose EXEC is next; None, and nothing read, for another INSERT."""
    start = cursor.at
    cursor.at += 1
    cursor.accept("INTO")
    while not cursor.done and cursor.word() not in STARTERS | {"(", "VALUES", "DEFAULT", "OUTPUT", "TOP", ";"}:
        cursor.at += 1
    end = cursor.at
    columns: list[Token] = cursor.balanced() if cursor.word() == "(" else []
    if cursor.word() not in ("EXEC", "EXECUTE"):
        cursor.at = start
        return None
    begin = start + (2 if cursor.tokens[start + 1].text.upper() == "INTO" else 1)
    names = Cursor(cursor.text, columns)
    listed = [names.identifier()] if columns else []
    while names.accept(","):
        listed.append(names.identifier())
    return _table(cursor.tokens[begin:end], cursor.text), tuple(listed)


def _extent(cursor: Cursor, first: str) -> tuple[list[Token], int]:
    """The tokens of the statement that starts here, and where its verb stands behind WITH.

    A reserved word ends it where this kind of statement does not expect it.
    """
    start = cursor.at
    main = first
    if first == "WITH":
        cursor.at += 1
        cursor.until(stop=VERBS - {"WITH"})
        main = cursor.word()
    at = cursor.at - start
    cursor.at += first != "("
    if main == "MERGE":
        cursor.until(stop=frozenset())
        return cursor.tokens[start : cursor.at], at
    allowed = {"INSERT": ["SELECT", "WITH"], "UPDATE": ["SET"]}.get(main, [])
    while True:
        cursor.until(stop=STARTERS)
        word, before = cursor.word(), cursor.word(-1)
        hint = word == "WITH" and (cursor.word(1) == "(" or before == "FOR")
        fetch = word == "FETCH" and before in ("ROW", "ROWS")  # OFFSET … FETCH
        ties = word == "WITH" and cursor.word(1) == "TIES"
        if hint or fetch or ties or (word == "SELECT" and before in _SET_OPERATORS):
            cursor.at += 1
        elif word and word in allowed:
            if word != "WITH":
                allowed = []
            cursor.at += 1
        else:
            return cursor.tokens[start : cursor.at], at


def _name(table: exp.Table) -> s.Name:
    """A table's name as a statement holds it."""
    if table.args.get("catalog") and table.catalog.lower() != "tempdb":
        raise errors.other_database(".".join(part.name for part in table.parts))
    if table.this.args.get("global_"):
        raise unsupported.refused("global temporary table")
    mark = "#" if table.this.args.get("temporary") else ""
    return s.Name(mark + table.name, table.db or None)


def _table(tokens: Sequence[Token], text: str) -> exp.Table:
    """A table's name, or a table variable, alone."""
    if not tokens:
        raise errors.incorrect_syntax("INTO")
    tree = dialect.parse([*_words(tokens[0], "SELECT", "*", "FROM"), *tokens], text)
    found = tree.args["from_"].this if isinstance(tree, exp.Select) and tree.args.get("from_") else None
    if not isinstance(found, exp.Table) or isinstance(found.this, exp.Anonymous):
        raise errors.incorrect_syntax(tokens[0].text)
    return found


_KINDS = {
    "SELECT": TokenType.SELECT, "*": TokenType.STAR, "FROM": TokenType.FROM, "(": TokenType.L_PAREN,
    ")": TokenType.R_PAREN,
}  # fmt: skip


def _words(at: Token, *words: str) -> list[Token]:
    """Tokens of our own, at the place of another."""
    return [Token(_KINDS[word], word, at.line, at.col, at.start, at.start) for word in words]


class _Clauses:
    """The tokens of one statement, whose verb is at `main`."""

    def __init__(self, text: str, tokens: list[Token], main: int) -> None:
        self.text = text
        self.tokens = tokens
        self.main = main

    def word(self, index: int) -> str:
        return Cursor(self.text, self.tokens).word(index) if 0 <= index < len(self.tokens) else ""

    def outer_words(self, start: int) -> Iterator[tuple[int, str]]:
        """The words outside parentheses and CASE, with their places."""
        cursor = Cursor(self.text, self.tokens)
        depth = 0
        for index in range(start, len(self.tokens)):
            word = cursor.word(index)
            if word in ("(", "CASE"):
                depth += 1
            elif depth and word in (")", "END"):
                depth -= 1
            elif not depth and word:
                yield index, word

    def first(self, words: frozenset[str], start: int) -> int:
        """Where the first of `words` stands, outside parentheses; the end when there is none."""
        return next((index for index, word in self.outer_words(start) if word in words), len(self.tokens))

    def closing(self, start: int) -> int:
        """Where the parenthesis that opens at `start` is closed."""
        cursor = Cursor(self.text, self.tokens)
        cursor.at = start
        cursor.balanced()
        return cursor.at - 1

    def take_options(self) -> int:
        """OPTION (…) at the end: the number of MAXRECURSION; query hints have no meaning here."""
        at = self.first(frozenset({"OPTION"}), self.main)
        if at >= len(self.tokens) or self.word(at + 1) != "(":
            return 100
        hints = Cursor(self.text, self.tokens[at + 2 : self.closing(at + 1)])
        del self.tokens[at : self.closing(at + 1) + 1]
        while not hints.done:
            if hints.accept("MAXRECURSION"):
                return hints.number()
            hints.at += 1
        return 100

    def take_top(self) -> tuple[exp.Expr | None, bool]:
        """TOP (n) [PERCENT] of a change."""
        at = self.main + 1
        if self.word(at) != "TOP":
            return None, False
        if self.word(at + 1) == "(":
            end = self.closing(at + 1)
            value = dialect.parse_expression(self.tokens[at + 2 : end], self.text)
        else:
            end = at + 1
            value = dialect.parse_expression(self.tokens[at + 1 : at + 2], self.text)
        percent = self.word(end + 1) == "PERCENT"
        del self.tokens[at : end + 1 + percent]
        return value, percent

    def take_output(self) -> s.Output | None:
        start = self.first(frozenset({"OUTPUT"}), self.main)
        if start >= len(self.tokens):
            return None
        end = self.first(_AFTER_OUTPUT, start + 1)
        clause = self.tokens[start + 1 : end]
        del self.tokens[start:end]
        if self.first(frozenset({"OUTPUT"}), self.main) < len(self.tokens):
            raise unsupported.refused("two OUTPUT clauses")
        inner = _Clauses(self.text, clause, 0)
        into = inner.first(frozenset({"INTO"}), 0)
        items, target = clause[:into], clause[into + 1 :]
        if not items:
            raise errors.incorrect_syntax("OUTPUT")
        tree = dialect.parse([*_words(items[0], "SELECT"), *items], self.text)
        listed = tuple(tree.expressions)
        if into >= len(clause):
            return s.Output(listed)
        columns: list[str] = []
        paren = next((index for index, token in enumerate(target) if token.token_type == TokenType.L_PAREN), -1)
        if paren >= 0:
            names = Cursor(self.text, target[paren + 1 : -1])
            columns.append(names.identifier())
            while names.accept(","):
                columns.append(names.identifier())
            target = target[:paren]
        return s.Output(listed, _table(target, self.text), tuple(columns))

    def take_assignments(self) -> tuple[tuple[str, str], ...]:
        """`@variable =` in front of the columns of a SELECT; 141 when only some have it."""
        at = self.main + 1
        while self.word(at) in ("DISTINCT", "ALL"):
            at += 1
        if self.word(at) == "TOP":
            at = self.closing(at + 1) + 1 if self.word(at + 1) == "(" else at + 2
            at += self.word(at) == "PERCENT"
            at += 2 * (self.word(at) == "WITH")
        end = self.first(_AFTER_LIST, at)
        starts = [at, *[index + 1 for index, word in self.outer_words(at) if word == "," and index < end]]
        found = [self._assignment(start) for start in starts]
        if not any(found):
            return ()
        targets = []
        for start, one in reversed(list(zip(starts, found, strict=True))):
            if one is None:
                raise errors.error(141)
            name, operator, length = one
            del self.tokens[start : start + length]
            targets.append((name, operator))
        return tuple(reversed(targets))

    def _assignment(self, at: int) -> tuple[str, str, int] | None:
        """The variable, the operator and the number of tokens of `@variable operator=`."""
        if self.word(at) != "@" or self.word(at + 1) in ("@", ""):
            return None
        operator = self.word(at + 2)
        if operator == "=":
            return self.tokens[at + 1].text, "", 3
        if operator in _COMPOUND and self.word(at + 3) == "=":
            return self.tokens[at + 1].text, operator, 4
        return None

    def spread_compound_assignments(self) -> None:
        """`SET column += value` becomes `SET column = column + (value)`."""
        at = self.main
        while (at := self.first(frozenset({"SET"}), at + 1)) < len(self.tokens):
            item = at + 1
            while item < len(self.tokens):
                end = self.first(_AFTER_SET | {","}, item)
                item = self._spread(item, end) + 1
                if self.word(item - 1) != ",":
                    break

    def _spread(self, start: int, end: int) -> int:
        """Spread one assignment; gives where it now ends."""
        for at in range(start, end - 1):
            word = self.word(at)
            if word == "=":
                return end
            if word in _COMPOUND and self.word(at + 1) == "=":
                operator, equals = self.tokens[at : at + 2]
                opening, closing = _words(operator, "(", ")")
                left, value = self.tokens[start:at], self.tokens[at + 2 : end]
                self.tokens[start:end] = [*left, equals, *left, operator, opening, *value, closing]
                return end + len(left) + 2
        return end
