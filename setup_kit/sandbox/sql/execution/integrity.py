"""CHECK and FOREIGN KEY constraints: looked at when a statement has changed its rows (547)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.compiler.sources import table_source
from setup_kit.sandbox.sql.language import dialect
from setup_kit.sandbox.sql.language.cursor import Cursor
from setup_kit.sandbox.sql.storage import layout
from setup_kit.sandbox.sql.storage.catalog import Check, DatabaseObject, ForeignKey

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_ROW = "k"  # the name of a row under test
_MOST_LEVELS = 32


def concerns(session: Session, table: DatabaseObject) -> bool:
    """Whether a change of the table's rows must be looked at."""
    return bool(table.checks or table.foreign_keys or session.catalog.references_to(table.id))


def verify(session: Session, table: DatabaseObject, verb: str, *, removed: bool) -> None:
    """Raise 547 when the rows whose ids are in `touched` (`changed_rows`) break a rule, or when rows that refer to the
    table have lost what they refer to; carries out the actions of foreign keys first. `removed`: rows were deleted or
    updated.
    """
    _verify(session, table, verb, f"{_ROW}.rowid IN (SELECT id FROM temp.touched)")  # noqa: S608 - our own names
    if removed:
        _follow(session, table, verb, 0)


def last_row(session: Session, table: DatabaseObject) -> int:
    """The highest rowid; rows that come later have higher ones."""
    return int(session.connection.execute(f"SELECT max(rowid) FROM {table.stored}").fetchone()[0] or 0)  # noqa: S608


def verify_after(session: Session, table: DatabaseObject, row_id: int) -> None:
    """Raise 547 when rows inserted after that one break a rule."""
    _verify(session, table, "INSERT", f"{_ROW}.rowid > {row_id}")


def _verify(session: Session, table: DatabaseObject, verb: str, among: str) -> None:
    for check in table.checks:
        if _breaks(session, table, check, among):
            raise _conflict(session, verb, "CHECK", check.name, table, check.columns)
    for key in table.foreign_keys:
        if _is_orphaned(session, table, key, among):
            parent = session.catalog.objects[key.table]
            raise _conflict(session, verb, _kind(table, key), key.name, parent, key.references)


def verify_all(session: Session, table: DatabaseObject, rule: Check | ForeignKey) -> None:
    """Raise 547 when any row of the table breaks a rule that is new."""
    if isinstance(rule, Check):
        if _breaks(session, table, rule, "1"):
            raise _conflict(session, "ALTER TABLE", "CHECK", rule.name, table, rule.columns)
    elif _is_orphaned(session, table, rule, "1"):
        parent = session.catalog_now().objects[rule.table]
        raise _conflict(session, "ALTER TABLE", _kind(table, rule), rule.name, parent, rule.references)


def _breaks(session: Session, table: DatabaseObject, check: Check, among: str) -> bool:
    compiler = session.executor.compiler()
    scope = Scope(sources=[table_source(compiler, table, table.name, _ROW)])
    condition = compiler.condition(dialect.parse_expression(Cursor(check.text).tokens, check.text), scope)
    session.executor.ready(compiler.program)
    sql = f"SELECT 1 FROM {table.stored} AS {_ROW} WHERE {among} AND NOT {condition} LIMIT 1"  # noqa: S608 - compiled
    return session.connection.execute(sql, compiler.program.values(session)).fetchone() is not None


def _orphans(session: Session, table: DatabaseObject, key: ForeignKey) -> str:
    """The condition that a row refers to something that is not there."""
    parent = table if key.table == table.id else session.catalog_now().objects[key.table]
    own = [f"{_ROW}.{column.physical}" for column in layout.columns_of(table, key.columns)]
    theirs = [f"r.{column.physical}" for column in layout.columns_of(parent, key.references)]
    given = " AND ".join(f"{column} IS NOT NULL" for column in own)
    same = " AND ".join(f"{other} = {column}" for other, column in zip(theirs, own, strict=True))
    return f"{given} AND NOT EXISTS (SELECT 1 FROM {parent.stored} AS r WHERE {same})"  # noqa: S608 - our own names


def _is_orphaned(session: Session, table: DatabaseObject, key: ForeignKey, among: str) -> bool:
    sql = f"SELECT 1 FROM {table.stored} AS {_ROW} WHERE {among} AND {_orphans(session, table, key)} LIMIT 1"  # noqa: S608
    return session.connection.execute(sql).fetchone() is not None


def _follow(session: Session, parent: DatabaseObject, verb: str, level: int) -> None:
    """What a deletion or a change of keys does to the rows that refer to them."""
    for child, key in session.catalog.references_to(parent.id):
        lost = _orphans(session, child, key)
        named = [column.physical for column in layout.columns_of(child, key.columns)]
        action = key.on_delete if verb == "DELETE" else key.on_update
        if action == "NO ACTION" or level >= _MOST_LEVELS or (action == "CASCADE" and verb != "DELETE"):
            if _is_orphaned(session, child, key, "1"):
                kind = "SAME TABLE REFERENCE" if child.id == parent.id else "REFERENCE"
                raise _conflict(session, verb, kind, key.name, child, key.columns)
        elif action == "CASCADE":
            deleted = session.connection.execute(f"DELETE FROM {child.stored} AS {_ROW} WHERE {lost}").rowcount  # noqa: S608
            if deleted:
                _follow(session, child, verb, level + 1)
        else:
            sets = ", ".join(f"{name} = NULL" for name in named)
            session.connection.execute(f"UPDATE {child.stored} AS {_ROW} SET {sets} WHERE {lost}")  # noqa: S608


def _kind(table: DatabaseObject, key: ForeignKey) -> str:
    return "FOREIGN KEY SAME TABLE" if key.table == table.id else "FOREIGN KEY"


def _conflict(
    session: Session, verb: str, kind: str, name: str, table: DatabaseObject, columns: Sequence[int]
) -> errors.SqlError:
    """547; a single column of the constraint is named."""
    schema = session.catalog.schemas[table.schema_id].name
    column = f", column '{layout.columns_of(table, columns)[0].name}'" if len(columns) == 1 else ""
    return errors.error(547, verb, kind, name, session.database.name, f"{schema}.{table.name}", "", "", column)
