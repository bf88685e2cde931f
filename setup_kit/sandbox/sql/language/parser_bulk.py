"""INSERT BULK, which clients send before the rows of a bulk load. It is no statement for people: MS-TDS 2.2.6.1."""

from __future__ import annotations

from setup_kit.sandbox.sql import unsupported
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.cursor import Cursor

_OPTIONS = frozenset({"CHECK_CONSTRAINTS", "FIRE_TRIGGERS", "KEEP_IDENTITY", "KEEP_NULLS", "TABLOCK"})
_NUMBERED = frozenset({"ROWS_PER_BATCH", "KILOBYTES_PER_BATCH"})


def read_insert_bulk(cursor: Cursor, line: int) -> s.InsertBulk:
    """`table (column type [COLLATE name] [[NOT] NULL], …) [WITH (option, …)]`, after INSERT BULK."""
    table = cursor.name()
    cursor.expect("(")
    columns: list[str] = []
    while True:
        columns.append(cursor.identifier())
        cursor.data_type(len(columns))  # the rows tell their types themselves
        while cursor.accept("NOT", "NULL") or cursor.accept("NULL") or cursor.accept("COLLATE"):
            if cursor.word() not in (",", ")", "NOT", "NULL", "COLLATE"):
                cursor.identifier()
        if not cursor.accept(","):
            break
    cursor.expect(")")
    options: set[str] = set()
    if cursor.accept("WITH"):
        cursor.expect("(")
        while True:
            options.add(_option(cursor))
            if not cursor.accept(","):
                break
        cursor.expect(")")
    return s.InsertBulk(table=table, columns=tuple(columns), options=frozenset(options), line=line)


def _option(cursor: Cursor) -> str:
    word = cursor.word()
    if word == "ORDER":  # how the rows are sorted: they may come in any order here
        cursor.at += 1
        cursor.balanced()
    elif word in _NUMBERED:
        cursor.at += 1
        cursor.expect("=")
        cursor.number()
    elif word in _OPTIONS:
        cursor.at += 1
    else:
        raise unsupported.refused("INSERT BULK", word) if word else cursor.error()
    return word
