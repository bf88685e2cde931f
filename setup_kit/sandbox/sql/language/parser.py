"""From the text of a batch to its statements.

Statements on data (SELECT, INSERT, UPDATE, DELETE, MERGE) and all expressions go to sqlglot; what stands around them is
read here and in `parser_objects` and `parser_security`. The whole batch is read before any of it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.language import dialect, parser_bulk, parser_data, parser_objects, parser_security
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.language.cursor import STARTERS, Cursor
from setup_kit.sandbox.sql.storage.cache import SizedCache
from setup_kit.sandbox.sql.storage.catalog import fold

#: First words of statements that are not carried out here and that might be taken for the name of a procedure.
_NO_PROCEDURES = frozenset(
    {
        "GOTO",
        "BACKUP",
        "RESTORE",
        "DBCC",
        "SHUTDOWN",
        "RECONFIGURE",
        "CHECKPOINT",
        "BULK",
        "REVERT",
        "ENABLE",
        "DISABLE",
    }
)

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
    _refuse_twice_declared(found, ())
    return found


def _refuse_twice_declared(statements: tuple[s.Statement, ...], parameters: Sequence[str]) -> None:
    """134 for a variable that a batch or a procedure declares again."""
    seen = {fold(name) for name in parameters}
    left = list(reversed(statements))
    while left:
        statement = left.pop()
        names: list[str] = []
        if isinstance(statement, s.Declare):
            names = [name for name, _, _ in statement.variables]
        elif isinstance(statement, so.DeclareTable):
            names = [statement.variable]
        for name in names:
            if fold(name) in seen:
                error = errors.error(134, f"@{name}")
                error.line = statement.line
                raise error
            seen.add(fold(name))
        left += reversed(s.inner(statement))


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
    if word == "INSERT":
        target = parser_data.insert_target(cursor)
        if target is not None:
            cursor.at += 1
            execute = _execute(cursor, line)
            assert isinstance(execute, s.Execute)  # noqa: S101 - EXECUTE AS is refused
            return s.InsertExecute(table=target[0], columns=target[1], execute=execute, line=line)
    if word in parser_data.VERBS or word == "(":
        return parser_data.data_statement(cursor)
    read = _READERS.get(word)
    if read is None:
        if word in ("END", "ELSE", "GO"):
            raise cursor.error()
        if word in STARTERS:
            raise _refused(cursor, word)
        if not cursor.at and word not in _NO_PROCEDURES:  # a batch may begin with the name of a procedure
            return _call(cursor, line)
        if word in _NO_PROCEDURES:
            raise _refused(cursor, word)
        raise cursor.error()
    cursor.at += 1
    return read(cursor, line)


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
        raise unsupported.refused(f"BEGIN {cursor.word()}")
    body = statement_list(cursor, frozenset({"END"}))
    cursor.expect("END")
    if not body:
        raise errors.incorrect_syntax("END")
    return s.Block(body=body, line=line)


def _transaction_name(cursor: Cursor) -> str:
    if cursor.word() == "@":
        raise unsupported.refused("transaction name variable")
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
    variables: list[tuple[str, s.DeclaredType, exp.Expr | None]] = []
    while True:
        name = cursor.variable()
        cursor.accept("AS")
        if cursor.word() == "CURSOR":
            raise unsupported.refused("DECLARE CURSOR")
        if cursor.accept("TABLE"):
            columns, constraints = parser_objects.table_elements(cursor)
            return so.DeclareTable(variable=name, columns=columns, constraints=constraints, line=line)
        kind = cursor.type_or_name(len(variables) + 1)
        value = expression(cursor) if cursor.accept("=") else None
        variables.append((name, kind, value))
        if not cursor.accept(","):
            return s.Declare(variables=tuple(variables), line=line)


def _set(cursor: Cursor, line: int) -> s.Statement:
    if cursor.word() == "@":
        name = cursor.variable()
        operator = cursor.accept_any(*"+-*/%&|^")
        cursor.expect("=")
        return s.SetVariable(variable=name, value=expression(cursor), operator=operator, line=line)
    if cursor.accept("IDENTITY_INSERT"):
        table = cursor.name()
        switch = cursor.accept_any("ON", "OFF")
        if not switch:
            raise cursor.error()
        return s.SetIdentityInsert(table=table, on=switch == "ON", line=line)
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
    if len(parts) < 3 or not inner.done:
        raise cursor.error()
    options = set()
    if cursor.accept("WITH"):
        while True:
            option = cursor.accept_any("NOWAIT", "LOG", "SETERROR")
            if not option:
                raise cursor.error()
            options.add(option)
            if not cursor.accept(","):
                break
    return s.Raise(
        message=parts[0], severity=parts[1], state=parts[2], arguments=tuple(parts[3:]), options=frozenset(options),
        line=line,
    )  # fmt: skip


def _wait(cursor: Cursor, line: int) -> s.Statement:
    kind = cursor.accept_any("DELAY", "TIME")
    if not kind:
        raise unsupported.refused("WAITFOR (RECEIVE …)")
    return s.WaitFor(kind=kind, value=expression(cursor), line=line)


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
        raise unsupported.refused("EXECUTE AS")
    return _call(cursor, line)


def _call(cursor: Cursor, line: int) -> s.Execute:
    status = None
    if cursor.word() == "@":
        status = cursor.variable()
        cursor.expect("=")
    procedure = cursor.procedure()
    arguments: list[tuple[str, exp.Expr, bool]] = []
    while not cursor.done and cursor.word() != ";" and cursor.word() not in STARTERS:
        name = ""
        if cursor.word() == "@" and cursor.word(2) == "=":
            name = cursor.variable()
            cursor.expect("=")
        elif arguments and arguments[-1][0]:
            raise errors.error(119, len(arguments) + 1)
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


def _refused(cursor: Cursor, word: str) -> errors.SqlError:
    return unsupported.refused(word) if unsupported.is_listed(word) else cursor.error()


# CREATE, ALTER and DROP


def _refused_kind(verb: str, kind: str) -> errors.SqlError:
    """For an object that SQL Server has; 343 for one that it has not."""
    if unsupported.is_listed(f"{verb} {kind}"):
        return unsupported.refused(f"{verb} {kind}")
    return errors.error(343, kind)


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
            raise _refused_kind("CREATE OR ALTER", kind)
        reader = parser_security.READERS.get((verb, kind)) or parser_objects.READERS.get((verb, kind))
        if reader is None:
            raise _refused_kind(verb, kind)
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
        raise unsupported.refused("WITH option of a view or procedure", cursor.word())
    cursor.expect("AS")
    query = parser_data.data_statement(cursor)
    if not isinstance(query, s.Query) or not isinstance(query.tree, exp.Query):
        raise errors.incorrect_syntax(query.label)
    return so.CreateView(
        view=view, columns=tuple(columns), query=query.tree, definition=_source(cursor, start), alter=verb == "ALTER",
        or_alter=or_alter, line=line,
    )  # fmt: skip


def _procedure(cursor: Cursor, line: int, start: int, verb: str, or_alter: bool) -> s.Statement:
    procedure = cursor.name()
    parenthesized = cursor.accept("(")
    parameters: list[so.ParameterDefinition] = []
    while cursor.word() == "@":
        name = cursor.variable()
        cursor.accept("AS")
        kind = cursor.type_or_name(len(parameters) + 1)
        cursor.accept("NOT", "NULL") or cursor.accept("NULL")
        default = None
        if cursor.accept("="):
            default = expression(cursor, stop=STARTERS | {"AS", "OUTPUT", "OUT", "READONLY", ")"})
        output = bool(cursor.accept_any("OUTPUT", "OUT"))
        readonly = cursor.accept("READONLY")
        parameters.append(so.ParameterDefinition(name, kind, default, output, readonly))
        if not cursor.accept(","):
            break
    if parenthesized:
        cursor.expect(")")
    if cursor.accept("WITH"):
        raise unsupported.refused("WITH option of a view or procedure", cursor.word())
    cursor.expect("AS")
    body = statement_list(cursor, frozenset())
    _refuse_twice_declared(body, [parameter.name for parameter in parameters])
    return so.CreateProcedure(
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
    "WAITFOR": _wait,
    "WHILE": _while,
}
