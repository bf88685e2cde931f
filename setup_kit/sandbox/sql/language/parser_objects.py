"""CREATE, ALTER and DROP of tables, indexes, types and schemas."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot.tokenizer_core import TokenType

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.language import dialect
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.language.cursor import STARTERS, Cursor
from setup_kit.sandbox.sql.values import types as t

_COLUMN_STOP = frozenset(
    {"NOT", "NULL", "CONSTRAINT", "PRIMARY", "UNIQUE", "DEFAULT", "IDENTITY", "CHECK", "REFERENCES", "PERSISTED"}
)
_CONSTRAINTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "REFERENCES")
_REFUSED_IN_COLUMNS = ("SPARSE", "ROWGUIDCOL", "MASKED", "GENERATED", "ENCRYPTED", "FILESTREAM", "HIDDEN")


def _create_table(cursor: Cursor, line: int) -> s.Statement:
    table = cursor.name()
    if cursor.word() == "AS":
        raise unsupported.refused("CREATE TABLE AS", cursor.word(1))
    columns, constraints = table_elements(cursor)
    _table_options(cursor)
    return so.CreateTable(table=table, columns=columns, constraints=constraints, line=line)


def _table_options(cursor: Cursor) -> None:
    while True:
        if cursor.accept("WITH"):
            cursor.balanced()  # compression and index options: no meaning here
        elif cursor.accept("ON") or cursor.accept("TEXTIMAGE_ON"):
            cursor.identifier()  # a filegroup, for which Azure has only PRIMARY
        else:
            return


def table_elements(cursor: Cursor) -> tuple[tuple[so.ColumnDefinition, ...], tuple[so.Constraint, ...]]:
    """The parenthesized list of columns and constraints."""
    cursor.expect("(")
    columns: list[so.ColumnDefinition] = []
    constraints: list[so.Constraint] = []
    while True:
        if cursor.word() in _CONSTRAINTS or (cursor.word() == "INDEX" and cursor.word(1) not in (",", ")")):
            constraints.append(_table_constraint(cursor))
        else:
            columns.append(_column(cursor, constraints, len(columns) + 1))
        if not cursor.accept(","):
            break
        if cursor.word() == ")":  # SQL Server lets a comma stand before the end
            break
    cursor.expect(")")
    if not columns:
        raise cursor.error()
    return tuple(columns), tuple(constraints)


def _column(cursor: Cursor, constraints: list[so.Constraint], ordinal: int) -> so.ColumnDefinition:
    name = cursor.identifier()
    if cursor.accept("AS"):
        return _computed_column(cursor, constraints, name)
    kind = cursor.type_or_name(ordinal)
    nullable: bool | None = None
    identity: tuple[int, int] | None = None
    default: tuple[str | None, str] | None = None
    while not cursor.done and cursor.word() not in (",", ")", ";"):
        if cursor.accept("NOT", "NULL"):
            nullable = False
        elif cursor.accept("NULL"):
            nullable = True
        elif cursor.accept("COLLATE"):
            collation = cursor.identifier()
            if collation.upper() not in ("SQL_LATIN1_GENERAL_CP1_CI_AS", "DATABASE_DEFAULT"):
                raise unsupported.refused("COLLATE", collation)
        elif cursor.accept("IDENTITY"):
            identity = (1, 1)
            if cursor.accept("("):
                seed = cursor.number()
                cursor.expect(",")
                identity = (seed, cursor.number())
                cursor.expect(")")
        elif cursor.word() in (*_CONSTRAINTS, "DEFAULT"):
            constraint = cursor.identifier() if cursor.accept("CONSTRAINT") else None
            if cursor.accept("DEFAULT"):
                default = (constraint, _default_text(cursor))
            else:
                constraints.append(_constraint(cursor, constraint, [name]))
        elif cursor.word() in _REFUSED_IN_COLUMNS:
            raise unsupported.refused("column option", cursor.word())
        else:
            break
    label, text = default or (None, None)
    return so.ColumnDefinition(name, kind, nullable, identity, label, text)


def _computed_column(cursor: Cursor, constraints: list[so.Constraint], name: str) -> so.ColumnDefinition:
    """`name AS (expression) [PERSISTED [NOT NULL]]`: PERSISTED has no meaning here."""
    text = _expression_text(cursor)
    nullable = None
    if cursor.accept("PERSISTED") and cursor.accept("NOT", "NULL"):
        nullable = False
    while cursor.word() in ("CONSTRAINT", "PRIMARY", "UNIQUE"):
        raise unsupported.refused("key on a computed column")
    return so.ColumnDefinition(name, t.INT, nullable, computed=text)


def _expression_text(cursor: Cursor) -> str:
    """An expression as text; read once here so that a wrong one is refused at once."""
    tokens = cursor.until(stop=_COLUMN_STOP - {"NULL"} | {"FOR", "WITH"}, commas=False)
    if not tokens:
        raise cursor.error()
    dialect.parse_expression(tokens, cursor.text)
    return cursor.source(tokens)


def _default_text(cursor: Cursor) -> str:
    """The expression of a DEFAULT, without parentheses around all of it."""
    start = Cursor(cursor.text, cursor.tokens)
    start.at = cursor.at
    text = _expression_text(cursor)
    if any(token.text.upper() == "SELECT" and token.token_type == TokenType.SELECT for token in
           cursor.tokens[start.at : cursor.at]):  # fmt: skip
        raise errors.error(1046)
    if start.word() == "(":
        inside = start.balanced()
        if start.at == cursor.at and inside:
            return cursor.source(inside)
    return text


def _constraint(cursor: Cursor, name: str | None, columns: list[str]) -> so.Constraint:
    """What follows CONSTRAINT name; `columns` is the column it stands behind, [] for a constraint of the table."""
    if cursor.accept("CHECK"):
        cursor.accept("NOT", "FOR", "REPLICATION")
        tokens = cursor.balanced()
        dialect.parse_expression(tokens, cursor.text)
        return so.CheckDefinition(cursor.source(tokens), tuple(columns), name)
    if cursor.word() in ("FOREIGN", "REFERENCES"):
        return _foreign_key(cursor, name, columns)
    if cursor.accept("PRIMARY", "KEY"):
        kind = "PK"
    elif cursor.accept("UNIQUE"):
        kind = "UQ"
    elif cursor.word() == "INDEX":
        raise unsupported.refused("INDEX in CREATE TABLE")
    else:
        raise cursor.error()
    cursor.accept_any("CLUSTERED", "NONCLUSTERED")
    if not columns:
        columns = _column_list(cursor)
    if cursor.accept("WITH"):
        cursor.balanced()
    if cursor.accept("ON"):
        cursor.identifier()
    return so.KeyDefinition(kind, tuple(columns), name)


def _foreign_key(cursor: Cursor, name: str | None, columns: list[str]) -> so.Constraint:
    if cursor.accept("FOREIGN", "KEY") and not columns:
        columns = _column_list(cursor)
    cursor.expect("REFERENCES")
    table = cursor.name()
    references = _column_list(cursor) if cursor.word() == "(" else []
    actions = {"DELETE": "NO ACTION", "UPDATE": "NO ACTION"}
    while cursor.accept("ON"):
        event = cursor.accept_any("DELETE", "UPDATE")
        if not event:
            raise cursor.error()
        if cursor.accept("NO", "ACTION"):
            actions[event] = "NO ACTION"
        elif cursor.accept("CASCADE"):
            actions[event] = "CASCADE"
        else:
            cursor.expect("SET")
            actions[event] = f"SET {cursor.accept_any('NULL', 'DEFAULT')}"
    cursor.accept("NOT", "FOR", "REPLICATION")
    return so.ForeignKeyDefinition(tuple(columns), table, tuple(references), actions["DELETE"], actions["UPDATE"], name)


def _column_list(cursor: Cursor) -> list[str]:
    cursor.expect("(")
    columns = []
    while True:
        columns.append(cursor.identifier())
        cursor.accept_any("ASC", "DESC")
        if not cursor.accept(","):
            break
    cursor.expect(")")
    return columns


def _table_constraint(cursor: Cursor) -> so.Constraint:
    name = cursor.identifier() if cursor.accept("CONSTRAINT") else None
    if cursor.accept("DEFAULT"):
        text = _default_text(cursor)
        cursor.expect("FOR")
        found = so.DefaultDefinition(cursor.identifier(), text, name)
        if cursor.accept("WITH"):
            cursor.expect("VALUES")
        return found
    return _constraint(cursor, name, [])


def _alter_table(cursor: Cursor, line: int) -> s.Statement:
    table = cursor.name()
    if cursor.accept("WITH"):
        if cursor.accept("NOCHECK"):
            raise unsupported.refused("WITH NOCHECK")
        cursor.accept("CHECK")
    if cursor.accept("ADD"):
        columns: list[so.ColumnDefinition] = []
        constraints: list[so.Constraint] = []
        while True:
            if cursor.word() in (*_CONSTRAINTS, "DEFAULT"):
                constraints.append(_table_constraint(cursor))
            else:
                columns.append(_column(cursor, constraints, len(columns) + 1))
            if not cursor.accept(","):
                return so.AlterTable(
                    table=table, add_columns=tuple(columns), add_constraints=tuple(constraints), line=line
                )
    if cursor.accept("ALTER", "COLUMN"):
        return so.AlterTable(table=table, alter_column=_column(cursor, [], 1), line=line)
    if cursor.accept("DROP"):
        kind = cursor.accept_any("COLUMN", "CONSTRAINT") or "CONSTRAINT"
        if_exists = cursor.accept("IF", "EXISTS")
        names = [cursor.identifier()]
        while cursor.accept(","):
            names.append(cursor.identifier())
        if kind == "COLUMN":
            return so.AlterTable(table=table, drop_columns=tuple(names), if_exists=if_exists, line=line)
        return so.AlterTable(table=table, drop_constraints=tuple(names), if_exists=if_exists, line=line)
    raise unsupported.refused("ALTER TABLE in this form", cursor.word())


def _drop(kind: str) -> Callable[[Cursor, int], s.Statement]:
    def read(cursor: Cursor, line: int) -> s.Statement:
        if_exists = cursor.accept("IF", "EXISTS")
        names = [cursor.name()]
        while cursor.accept(","):
            names.append(cursor.name())
        return so.DropObject(label=f"DROP {kind}", kind=kind, names=tuple(names), if_exists=if_exists, line=line)

    return read


def _create_index(cursor: Cursor, line: int, *, unique: bool = False) -> s.Statement:
    index = cursor.identifier()
    cursor.expect("ON")
    table = cursor.name()
    columns = _column_list(cursor)
    if cursor.accept("INCLUDE"):
        cursor.balanced()
    where = None
    if cursor.accept("WHERE"):
        tokens = cursor.until(stop=STARTERS | {"ON"})
        dialect.parse_expression(tokens, cursor.text)
        where = cursor.source(tokens)
    _table_options(cursor)
    return so.CreateIndex(index=index, table=table, columns=tuple(columns), unique=unique, where=where, line=line)


def _create_qualified_index(cursor: Cursor, line: int) -> s.Statement:
    """CREATE [UNIQUE] [CLUSTERED | NONCLUSTERED] INDEX; the first of these words has been read."""
    unique = cursor.word(-1) == "UNIQUE"
    cursor.accept_any("CLUSTERED", "NONCLUSTERED")
    if not cursor.accept("INDEX"):
        raise cursor.error()
    return _create_index(cursor, line, unique=unique)


def _drop_index(cursor: Cursor, line: int) -> s.Statement:
    if_exists = cursor.accept("IF", "EXISTS")
    index = cursor.identifier()
    cursor.expect("ON")
    return so.DropIndex(index=index, table=cursor.name(), if_exists=if_exists, line=line)


def _create_type(cursor: Cursor, line: int) -> s.Statement:
    name = cursor.name()
    if cursor.accept("FROM"):
        base = cursor.data_type()
        nullable = not cursor.accept("NOT", "NULL")
        if nullable:
            cursor.accept("NULL")
        return so.CreateAliasType(type=name, base=base, nullable=nullable, line=line)
    if cursor.word() == "EXTERNAL":
        raise unsupported.refused("CREATE TYPE EXTERNAL NAME")
    cursor.expect("AS", "TABLE")
    columns, constraints = table_elements(cursor)
    _table_options(cursor)
    return so.CreateType(type=name, columns=columns, constraints=constraints, line=line)


def _create_schema(cursor: Cursor, line: int) -> s.Statement:
    if cursor.word() == "AUTHORIZATION":
        raise unsupported.refused("CREATE SCHEMA AUTHORIZATION")
    schema = cursor.identifier()
    owner = cursor.identifier() if cursor.accept("AUTHORIZATION") else None
    if not cursor.done and cursor.word() != ";":
        raise unsupported.refused("CREATE SCHEMA …", cursor.word())
    return so.CreateSchema(schema=schema, owner=owner, line=line)


def _drop_schema(cursor: Cursor, line: int) -> s.Statement:
    if_exists = cursor.accept("IF", "EXISTS")
    return so.DropSchema(schema=cursor.identifier(), if_exists=if_exists, line=line)


READERS: dict[tuple[str, str], Callable[[Cursor, int], s.Statement]] = {
    ("CREATE", "TABLE"): _create_table,
    ("ALTER", "TABLE"): _alter_table,
    ("DROP", "TABLE"): _drop("TABLE"),
    ("DROP", "VIEW"): _drop("VIEW"),
    ("DROP", "PROC"): _drop("PROCEDURE"),
    ("DROP", "PROCEDURE"): _drop("PROCEDURE"),
    ("DROP", "TYPE"): _drop("TYPE"),
    ("CREATE", "INDEX"): _create_index,
    ("CREATE", "UNIQUE"): _create_qualified_index,
    ("CREATE", "CLUSTERED"): _create_qualified_index,
    ("CREATE", "NONCLUSTERED"): _create_qualified_index,
    ("DROP", "INDEX"): _drop_index,
    ("CREATE", "TYPE"): _create_type,
    ("CREATE", "SCHEMA"): _create_schema,
    ("DROP", "SCHEMA"): _drop_schema,
}
