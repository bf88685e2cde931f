"""CREATE, ALTER and DROP of tables, indexes, types and schemas."""

from __future__ import annotations

from collections.abc import Callable

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.language import dialect
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.cursor import Cursor

_COLUMN_STOP = frozenset(
    {"NOT", "NULL", "CONSTRAINT", "PRIMARY", "UNIQUE", "DEFAULT", "IDENTITY", "CHECK", "REFERENCES"}
)
_Elements = tuple[list[s.ColumnDefinition], list[s.KeyDefinition]]


def _create_table(cursor: Cursor, line: int) -> s.Statement:
    table = cursor.name()
    columns, keys = _elements(cursor)
    _table_options(cursor)
    return s.CreateTable(table=table, columns=tuple(columns), keys=tuple(keys), line=line)


def _table_options(cursor: Cursor) -> None:
    if cursor.accept("WITH"):
        cursor.balanced()  # compression and index options: no meaning here
    if cursor.accept("ON"):
        cursor.identifier()  # a filegroup, for which Azure has only PRIMARY


def _elements(cursor: Cursor) -> _Elements:
    """The parenthesized list of columns and constraints."""
    cursor.expect("(")
    columns: list[s.ColumnDefinition] = []
    keys: list[s.KeyDefinition] = []
    while True:
        if cursor.word() in ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "INDEX"):
            keys.append(_table_constraint(cursor))
        else:
            columns.append(_column(cursor, keys, len(columns) + 1))
        if not cursor.accept(","):
            break
        if cursor.word() == ")":  # SQL Server lets a comma stand before the end
            break
    cursor.expect(")")
    if not columns:
        raise cursor.error()
    return columns, keys


def _column(cursor: Cursor, keys: list[s.KeyDefinition], ordinal: int) -> s.ColumnDefinition:
    name = cursor.identifier()
    if cursor.word() == "AS":
        raise errors.unsupported_option("computed column")
    kind = cursor.data_type(ordinal)
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
                raise errors.unsupported(f"COLLATE {collation}")
        elif cursor.accept("IDENTITY"):
            identity = (1, 1)
            if cursor.accept("("):
                seed = cursor.number()
                cursor.expect(",")
                identity = (seed, cursor.number())
                cursor.expect(")")
        elif cursor.word() in ("CONSTRAINT", "PRIMARY", "UNIQUE", "DEFAULT"):
            constraint = cursor.identifier() if cursor.accept("CONSTRAINT") else None
            if cursor.accept("DEFAULT"):
                default = (constraint, _default_text(cursor))
            else:
                keys.append(_key(cursor, constraint, [name]))
        elif cursor.word() in ("CHECK", "REFERENCES", "FOREIGN"):
            raise errors.unsupported_option(f"{cursor.word()} constraint")
        elif cursor.word() in ("SPARSE", "ROWGUIDCOL", "MASKED", "GENERATED", "ENCRYPTED"):
            raise errors.unsupported_option(cursor.word())
        else:
            break
    label, text = default or (None, None)
    return s.ColumnDefinition(name, kind, nullable, identity, label, text)


def _default_text(cursor: Cursor) -> str:
    """The expression of a DEFAULT as text; read once here so that a wrong one is refused at once."""
    in_parentheses = cursor.word() == "("
    tokens = cursor.balanced() if in_parentheses else cursor.until(stop=_COLUMN_STOP - {"NULL"}, commas=False)
    if not tokens:
        raise cursor.error()
    dialect.parse_expression(tokens, cursor.text)
    return cursor.text[tokens[0].start : tokens[-1].end + 1]


def _key(cursor: Cursor, name: str | None, columns: list[str]) -> s.KeyDefinition:
    if cursor.accept("PRIMARY", "KEY"):
        kind = "PK"
    elif cursor.accept("UNIQUE"):
        kind = "UQ"
    else:
        raise errors.unsupported_option(f"{cursor.word() or 'unknown'} constraint")
    cursor.accept_any("CLUSTERED", "NONCLUSTERED")
    if not columns:
        columns = _column_list(cursor)
    if cursor.accept("WITH"):
        cursor.balanced()
    if cursor.accept("ON"):
        cursor.identifier()
    return s.KeyDefinition(kind, tuple(columns), name)


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


def _table_constraint(cursor: Cursor) -> s.KeyDefinition:
    name = cursor.identifier() if cursor.accept("CONSTRAINT") else None
    return _key(cursor, name, [])


def _alter_table(cursor: Cursor, line: int) -> s.Statement:
    table = cursor.name()
    if cursor.accept("WITH"):
        cursor.accept_any("CHECK", "NOCHECK")
    if cursor.accept("ADD"):
        columns: list[s.ColumnDefinition] = []
        keys: list[s.KeyDefinition] = []
        while True:
            if cursor.word() in ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "DEFAULT"):
                keys.append(_table_constraint(cursor))
            else:
                columns.append(_column(cursor, keys, len(columns) + 1))
            if not cursor.accept(","):
                return s.AlterTable(table=table, add_columns=tuple(columns), add_keys=tuple(keys), line=line)
    if cursor.accept("ALTER", "COLUMN"):
        keys = []
        return s.AlterTable(table=table, alter_column=_column(cursor, keys, 1), line=line)
    if cursor.accept("DROP"):
        kind = cursor.accept_any("COLUMN", "CONSTRAINT") or "CONSTRAINT"
        if_exists = cursor.accept("IF", "EXISTS")
        names = [cursor.identifier()]
        while cursor.accept(","):
            names.append(cursor.identifier())
        if kind == "COLUMN":
            return s.AlterTable(table=table, drop_columns=tuple(names), if_exists=if_exists, line=line)
        return s.AlterTable(table=table, drop_constraints=tuple(names), if_exists=if_exists, line=line)
    raise errors.unsupported_statement(f"ALTER TABLE {cursor.word()}")


def _drop(kind: str) -> Callable[[Cursor, int], s.Statement]:
    def read(cursor: Cursor, line: int) -> s.Statement:
        if_exists = cursor.accept("IF", "EXISTS")
        names = [cursor.name()]
        while cursor.accept(","):
            names.append(cursor.name())
        return s.DropObject(label=f"DROP {kind}", kind=kind, names=tuple(names), if_exists=if_exists, line=line)

    return read


def _create_index(cursor: Cursor, line: int, *, unique: bool = False) -> s.Statement:
    index = cursor.identifier()
    cursor.expect("ON")
    table = cursor.name()
    columns = _column_list(cursor)
    if cursor.accept("INCLUDE"):
        cursor.balanced()
    if cursor.accept("WHERE"):
        raise errors.unsupported_option("filtered index")
    _table_options(cursor)
    return s.CreateIndex(index=index, table=table, columns=tuple(columns), unique=unique, line=line)


def _create_qualified_index(cursor: Cursor, line: int) -> s.Statement:
    """CREATE [UNIQUE] [CLUSTERED | NONCLUSTERED] INDEX; the first of these words has been read."""
    unique = cursor.word(-1) == "UNIQUE"
    cursor.accept_any("CLUSTERED", "NONCLUSTERED")
    if not cursor.accept("INDEX"):
        raise errors.unsupported_statement(f"CREATE {cursor.word(-1)} {cursor.word()}")
    return _create_index(cursor, line, unique=unique)


def _drop_index(cursor: Cursor, line: int) -> s.Statement:
    if_exists = cursor.accept("IF", "EXISTS")
    index = cursor.identifier()
    cursor.expect("ON")
    return s.DropIndex(index=index, table=cursor.name(), if_exists=if_exists, line=line)


def _create_type(cursor: Cursor, line: int) -> s.Statement:
    name = cursor.name()
    if not cursor.accept("AS", "TABLE"):
        raise errors.unsupported_statement("CREATE TYPE FROM")
    columns, keys = _elements(cursor)
    return s.CreateType(type=name, columns=tuple(columns), keys=tuple(keys), line=line)


def _create_schema(cursor: Cursor, line: int) -> s.Statement:
    if cursor.word() == "AUTHORIZATION":
        raise errors.unsupported_option("CREATE SCHEMA AUTHORIZATION")
    schema = cursor.identifier()
    owner = cursor.identifier() if cursor.accept("AUTHORIZATION") else None
    if not cursor.done and cursor.word() != ";":
        raise errors.unsupported_option(f"CREATE SCHEMA … {cursor.word()}")
    return s.CreateSchema(schema=schema, owner=owner, line=line)


def _drop_schema(cursor: Cursor, line: int) -> s.Statement:
    if_exists = cursor.accept("IF", "EXISTS")
    return s.DropSchema(schema=cursor.identifier(), if_exists=if_exists, line=line)


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
