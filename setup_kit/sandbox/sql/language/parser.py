"""From the text of a batch to its statements.

Statements on data (SELECT, INSERT, UPDATE, DELETE, MERGE) and all expressions go to sqlglot; what stands around them is
read here and in `parser_objects` and `parser_security`. The whole batch is read before any of it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.language import dialect, parser_bulk, parser_objects, parser_security
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.cursor import STARTERS, Cursor
from setup_kit.sandbox.sql.storage.cache import SizedCache
from setup_kit.sandbox.sql.values.types import SqlType

_DATA = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH"})
#: First words of statements that are not carried out here and that might be taken for the name of a procedure.
_NO_PROCEDURES = frozenset(
    {"BACKUP", "RESTORE", "DBCC", "SHUTDOWN", "RECONFIGURE", "CHECKPOINT", "BULK", "REVERT", "ENABLE", "DISABLE"}
)
_SET_OPERATORS = frozenset({"UNION", "ALL", "EXCEPT", "INTERSECT"})

#: Characters of text whose statements are remembered: a tree takes about a hundred bytes for each.
_parsed: SizedCache[str, tuple[s.Statement, ...]] = SizedCache(256 * 1024)


def parse_batch(text: str) -> tuple[s.Statement, ...]:
    """The statements of a batch; raises the error of the first that cannot be read (102, 40510 and others)."""
    found = _parsed.get(text)
    if found is None:
        found = _parse(text)
        _parsed.put(text, found, len(text) + 100)
    return found


def _parse(text: str) -> tuple[s.Statement, ...]:
    cursor = Cursor(text)
    found = statement_list(cursor, ends=frozenset())
    if not cursor.done:
        raise cursor.error()
    if len(found) > 1:
        for statement in found:
            if statement.alone:
                raise errors.must_be_alone(statement.label)
    return found


def statement_list(cursor: Cursor, ends: frozenset[str]) -> tuple[s.Statement, ...]:
    found: list[s.Statement] = []
    while True:
        while cursor.accept(";"):
            pass
        if cursor.done or cursor.word() in ends:
            return tuple(found)
        found.append(statement(cursor))


def statement(cursor: Cursor) -> s.Statement:
    word, line = cursor.word(), cursor.line
    if cursor.accept("INSERT", "BULK"):
        return parser_bulk.read_insert_bulk(cursor, line)
    if word in _DATA or word == "(":
        return data_statement(cursor)
    read = _READERS.get(word)
    if read is None:
        if word in ("END", "ELSE", "GO"):
            raise cursor.error()
        if word in STARTERS:
            raise errors.unsupported_statement(word)
        if not cursor.at and word not in _NO_PROCEDURES:  # a batch may begin with the name of a procedure
            return _call(cursor, line)
        if word in _NO_PROCEDURES:
            raise errors.unsupported_statement(word)
        raise cursor.error()
    cursor.at += 1
    return read(cursor, line)


# Statements on data


def data_statement(cursor: Cursor) -> s.Query:
    """One SELECT, INSERT, UPDATE, DELETE or MERGE, given whole to sqlglot."""
    line, first = cursor.line, cursor.word()
    tokens = _extent(cursor, first)
    tree = dialect.parse(tokens, cursor.text)
    if isinstance(tree, exp.Insert):
        label = "INSERT"
    elif isinstance(tree, exp.Query):
        label = "SELECT"
    elif isinstance(tree, (exp.Update, exp.Delete, exp.Merge)):
        label = tree.key.upper()
    else:
        raise errors.unsupported_statement(first)
    return s.Query(tree=tree, label=label, line=line)


def _extent(cursor: Cursor, first: str) -> list[Token]:
    """The tokens of the statement that starts here; a reserved word ends it where this kind does not expect it."""
    start = cursor.at
    main = first
    if first == "WITH":
        cursor.at += 1
        cursor.until(stop=_DATA - {"WITH"})
        main = cursor.word()
    cursor.at += 1
    if main == "MERGE":
        cursor.until(stop=frozenset())
        return cursor.tokens[start : cursor.at]
    allowed = {"INSERT": ["SELECT", "WITH", "EXEC", "EXECUTE"], "UPDATE": ["SET"]}.get(main, [])
    while True:
        cursor.until(stop=STARTERS)
        word, before = cursor.word(), cursor.word(-1)
        hint = word == "WITH" and (cursor.word(1) == "(" or before == "FOR")
        fetch = word == "FETCH" and before in ("ROW", "ROWS")  # OFFSET … FETCH
        if hint or fetch or (word == "SELECT" and before in _SET_OPERATORS):
            cursor.at += 1
        elif word and word in allowed:
            if word in ("EXEC", "EXECUTE"):
                raise errors.unsupported_statement("INSERT EXEC")
            if word != "WITH":
                allowed = []
            cursor.at += 1
        else:
            return cursor.tokens[start : cursor.at]


def expression(cursor: Cursor, *, commas: bool = False, stop: frozenset[str] = STARTERS) -> exp.Expr:
    tokens = cursor.until(stop=stop, commas=commas)
    if not tokens:
        raise cursor.error()
    return dialect.parse_expression(tokens, cursor.text)


# Flow


def _if(cursor: Cursor, line: int) -> s.Statement:
    condition = expression(cursor, commas=True)
    then = statement(cursor)
    at = cursor.at
    while cursor.accept(";"):
        pass
    if cursor.accept("ELSE"):
        return s.If(condition=condition, then=then, otherwise=statement(cursor), line=line)
    cursor.at = at
    return s.If(condition=condition, then=then, otherwise=None, line=line)


def _while(cursor: Cursor, line: int) -> s.Statement:
    condition = expression(cursor, commas=True)
    return s.While(condition=condition, body=statement(cursor), line=line)


def _begin(cursor: Cursor, line: int) -> s.Statement:
    if cursor.accept_any("TRAN", "TRANSACTION"):
        return s.Transaction(action="BEGIN", name=_transaction_name(cursor), line=line)
    if cursor.accept("TRY"):
        body = statement_list(cursor, frozenset({"END"}))
        cursor.expect("END", "TRY")
        cursor.accept(";")
        cursor.expect("BEGIN", "CATCH")
        handler = statement_list(cursor, frozenset({"END"}))
        cursor.expect("END", "CATCH")
        return s.Try(body=body, handler=handler, line=line)
    if cursor.word() in ("DISTRIBUTED", "DIALOG", "CONVERSATION"):
        raise errors.unsupported_statement(f"BEGIN {cursor.word()}")
    body = statement_list(cursor, frozenset({"END"}))
    cursor.expect("END")
    if not body:
        raise errors.incorrect_syntax("END")
    return s.Block(body=body, line=line)


def _transaction_name(cursor: Cursor) -> str:
    if cursor.word() == "@":
        raise errors.unsupported_option("transaction name variable")
    if cursor.done or cursor.word() in STARTERS or cursor.word() in (";", "WITH"):
        return ""
    return cursor.identifier()


def _commit(cursor: Cursor, line: int) -> s.Statement:
    if not cursor.accept_any("TRAN", "TRANSACTION"):
        cursor.accept("WORK")
        return s.Transaction(action="COMMIT", line=line)
    return s.Transaction(action="COMMIT", name=_transaction_name(cursor), line=line)


def _rollback(cursor: Cursor, line: int) -> s.Statement:
    if not cursor.accept_any("TRAN", "TRANSACTION"):
        cursor.accept("WORK")
        return s.Transaction(action="ROLLBACK", line=line)
    return s.Transaction(action="ROLLBACK", name=_transaction_name(cursor), line=line)


def _save(cursor: Cursor, line: int) -> s.Statement:
    if not cursor.accept_any("TRAN", "TRANSACTION"):
        raise cursor.error()
    return s.Transaction(action="SAVE", name=cursor.identifier(), line=line)


def _leave(kind: str) -> Callable[[Cursor, int], s.Statement]:
    def read(cursor: Cursor, line: int) -> s.Statement:
        value = None
        if kind == "RETURN" and not cursor.done and cursor.word() not in STARTERS and cursor.word() != ";":
            value = expression(cursor)
        return s.Leave(kind=kind, value=value, line=line)

    return read


def _declare(cursor: Cursor, line: int) -> s.Statement:
    variables: list[tuple[str, SqlType, exp.Expr | None]] = []
    while True:
        name = cursor.variable()
        cursor.accept("AS")
        if cursor.word() in ("TABLE", "CURSOR"):
            raise errors.unsupported_statement(f"DECLARE {cursor.word()}")
        kind = cursor.data_type(len(variables) + 1)
        value = expression(cursor) if cursor.accept("=") else None
        variables.append((name, kind, value))
        if not cursor.accept(","):
            return s.Declare(variables=tuple(variables), line=line)


def _set(cursor: Cursor, line: int) -> s.Statement:
    if cursor.word() == "@":
        name = cursor.variable()
        operator = ""
        if cursor.word() in ("+", "-", "*", "/", "%"):
            operator = cursor.any_text()
        cursor.expect("=")
        value = expression(cursor)
        if operator:
            kinds: dict[str, type[exp.Binary]] = {
                "+": exp.Add, "-": exp.Sub, "*": exp.Mul, "/": exp.Div, "%": exp.Mod,
            }  # fmt: skip
            value = kinds[operator](this=exp.Parameter(this=exp.var(name)), expression=exp.Paren(this=value))
        return s.SetVariable(variable=name, value=value, line=line)
    words = [token.text.upper() for token in cursor.until(commas=True, stop=STARTERS - {"READ"})]
    if words[:3] == ["TRANSACTION", "ISOLATION", "LEVEL"]:
        return s.SetOption(option="TRANSACTION ISOLATION LEVEL", value=" ".join(words[3:]), line=line)
    if len(words) < 2:
        raise cursor.error()
    split = len(words) - 1 if "," in words else 2 if words[0] == "STATISTICS" else 1
    return s.SetOption(option=" ".join(words[:split]), value=" ".join(words[split:]), line=line)


def _print(cursor: Cursor, line: int) -> s.Statement:
    return s.Print(value=expression(cursor), line=line)


def _raiserror(cursor: Cursor, line: int) -> s.Statement:
    inner = Cursor(cursor.text, cursor.balanced())
    parts = [expression(inner)]
    while inner.accept(","):
        parts.append(expression(inner))
    if len(parts) < 3:
        raise cursor.error()
    if cursor.accept("WITH"):
        cursor.accept_any("NOWAIT", "LOG", "SETERROR")
    return s.Raise(message=parts[0], severity=parts[1], state=parts[2], arguments=tuple(parts[3:]), line=line)


def _throw(cursor: Cursor, line: int) -> s.Statement:
    if cursor.done or cursor.word() == ";" or cursor.word() in STARTERS:
        return s.Raise(message=None, severity=None, state=None, rethrow=True, line=line)
    number = expression(cursor)
    cursor.expect(",")
    message = expression(cursor)
    cursor.expect(",")
    return s.Raise(message=message, severity=None, state=expression(cursor), number=number, line=line)


def _execute(cursor: Cursor, line: int) -> s.Statement:
    if cursor.word() == "(":
        inner = cursor.balanced()
        return s.Execute(procedure=None, arguments=(), text=dialect.parse_expression(inner, cursor.text), line=line)
    if cursor.word() == "AS" and cursor.word(1) in ("USER", "LOGIN", "CALLER"):
        raise errors.unsupported_statement("EXECUTE AS")
    return _call(cursor, line)


def _call(cursor: Cursor, line: int) -> s.Execute:
    status = None
    if cursor.word() == "@":
        status = cursor.variable()
        cursor.expect("=")
    procedure = cursor.name()
    arguments: list[tuple[str, exp.Expr, bool]] = []
    while not cursor.done and cursor.word() != ";" and cursor.word() not in STARTERS:
        name = ""
        if cursor.word() == "@" and cursor.word(2) == "=":
            name = cursor.variable()
            cursor.expect("=")
        value = expression(cursor, stop=STARTERS | {"OUTPUT", "OUT"})
        if isinstance(value, exp.Column) and not value.table:
            value = exp.National(this=value.name)  # a bare word stands for its letters, as in EXEC sp_help orders
        arguments.append((name, value, bool(cursor.accept_any("OUTPUT", "OUT"))))
        if not cursor.accept(","):
            break
    return s.Execute(procedure=procedure, arguments=tuple(arguments), status=status, line=line)


def _use(cursor: Cursor, line: int) -> s.Statement:
    return s.Use(database=cursor.identifier(), line=line)


def _truncate(cursor: Cursor, line: int) -> s.Statement:
    cursor.expect("TABLE")
    return s.Truncate(table=cursor.name(), line=line)


# CREATE, ALTER and DROP


def _definition(verb: str) -> Callable[[Cursor, int], s.Statement]:
    def read(cursor: Cursor, line: int) -> s.Statement:
        start = cursor.at - 1
        or_alter = verb == "CREATE" and cursor.accept("OR", "ALTER")
        kind = cursor.word()
        if kind == "PROC":
            kind = "PROCEDURE"
        if kind in ("VIEW", "PROCEDURE") and verb != "DROP":
            cursor.at += 1
            if kind == "VIEW":
                return _view(cursor, line, start, verb, or_alter)
            return _procedure(cursor, line, start, verb, or_alter)
        if or_alter:
            raise errors.unsupported_statement(f"CREATE OR ALTER {kind}")
        reader = parser_security.READERS.get((verb, kind)) or parser_objects.READERS.get((verb, kind))
        if reader is None:
            raise errors.unsupported_statement(f"{verb} {kind}".strip())
        cursor.at += 1
        return reader(cursor, line)

    return read


def _view(cursor: Cursor, line: int, start: int, verb: str, or_alter: bool) -> s.Statement:
    view = cursor.name()
    columns: list[str] = []
    if cursor.word() == "(":
        inner = Cursor(cursor.text, cursor.balanced())
        columns.append(inner.identifier())
        while inner.accept(","):
            columns.append(inner.identifier())
    if cursor.accept("WITH"):
        raise errors.unsupported_option(f"WITH {cursor.word()}")
    cursor.expect("AS")
    query = data_statement(cursor)
    if not isinstance(query.tree, exp.Query):
        raise errors.incorrect_syntax(query.label)
    return s.CreateView(
        view=view, columns=tuple(columns), query=query.tree, definition=_source(cursor, start), alter=verb == "ALTER",
        or_alter=or_alter, line=line,
    )  # fmt: skip


def _procedure(cursor: Cursor, line: int, start: int, verb: str, or_alter: bool) -> s.Statement:
    procedure = cursor.name()
    parenthesized = cursor.accept("(")
    parameters: list[s.ParameterDefinition] = []
    while cursor.word() == "@":
        name = cursor.variable()
        cursor.accept("AS")
        kind = cursor.data_type(len(parameters) + 1)
        default = None
        if cursor.accept("="):
            default = expression(cursor, stop=STARTERS | {"AS", "OUTPUT", "OUT", ")"})
        output = bool(cursor.accept_any("OUTPUT", "OUT"))
        parameters.append(s.ParameterDefinition(name, kind, default, output))
        if not cursor.accept(","):
            break
    if parenthesized:
        cursor.expect(")")
    if cursor.accept("WITH"):
        raise errors.unsupported_option(f"WITH {cursor.word()}")
    cursor.expect("AS")
    body = statement_list(cursor, frozenset())
    return s.CreateProcedure(
        procedure=procedure, parameters=tuple(parameters), body=body, definition=_source(cursor, start),
        alter=verb == "ALTER", or_alter=or_alter, line=line,
    )  # fmt: skip


def _source(cursor: Cursor, start: int) -> str:
    last = cursor.tokens[cursor.at - 1]
    return cursor.text[cursor.tokens[start].start : last.end + 1]


_READERS: dict[str, Callable[[Cursor, int], s.Statement]] = {
    "ALTER": _definition("ALTER"),
    "BEGIN": _begin,
    "BREAK": _leave("BREAK"),
    "COMMIT": _commit,
    "CONTINUE": _leave("CONTINUE"),
    "CREATE": _definition("CREATE"),
    "DECLARE": _declare,
    "DENY": parser_security.read_permissions("DENY"),
    "DROP": _definition("DROP"),
    "EXEC": _execute,
    "EXECUTE": _execute,
    "GRANT": parser_security.read_permissions("GRANT"),
    "IF": _if,
    "PRINT": _print,
    "RAISERROR": _raiserror,
    "RETURN": _leave("RETURN"),
    "REVOKE": parser_security.read_permissions("REVOKE"),
    "ROLLBACK": _rollback,
    "SAVE": _save,
    "SET": _set,
    "THROW": _throw,
    "TRUNCATE": _truncate,
    "USE": _use,
    "WHILE": _while,
}
