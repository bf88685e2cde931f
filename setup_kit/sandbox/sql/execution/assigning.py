"""SELECT @variable = value, SELECT … INTO and INSERT … EXEC: queries whose rows go elsewhere than to the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.compiler.bound import Bound, Program
from setup_kit.sandbox.sql.compiler.row_assignments import compile_assignments
from setup_kit.sandbox.sql.compiler.scope import Scope
from setup_kit.sandbox.sql.execution import tables
from setup_kit.sandbox.sql.execution.objects import new_object_schema
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.storage.catalog import Column, DatabaseObject, fold

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


def assign(session: Session, statement: s.Assign) -> None:
    """Each row assigns; without rows the variables stay as they are."""
    executor = session.executor
    with session.transactions.reads():
        session.catalog_now()
        compiler = executor.compiler()
        compiler.recursion = statement.recursion
        found = compile_assignments(compiler, statement)
        inputs = dict(zip(found.inputs, found.query.columns, strict=False))
        outer = session.variables, session.variable_types
        kinds = {**outer[1], **{name: column.type for name, column in inputs.items()}}
        session.variables, session.variable_types = dict(outer[0]), kinds
        count = 0
        try:
            steps: list[tuple[str, Program, Bound]] = []
            for name, node in found.steps:
                inner = executor.compiler()
                steps.append((name, inner.program, inner.program.convert(inner.value(node, Scope()), kinds[name])))
            executor.ready(compiler.program)
            cursor = session.connection.execute(found.query.sql, compiler.program.values(session))
            for row in cursor.fetchall():  # a query that is open while the steps run would see them
                session.variables |= dict(zip(found.inputs, row, strict=False))
                for name, program, bound in steps:
                    session.variables[name] = executor.single(program, bound)
                count += 1
        finally:
            outer[0].update({name: session.variables[name] for name, _ in found.steps})
            session.variables, session.variable_types = outer
    session.row_count = count
    session.reply.done()


def select_into(session: Session, statement: s.SelectInto) -> None:
    """A new table with the columns and the rows of a query; 1038 for a column without a name."""
    with session.transactions.writes():
        session.catalog_now()
        compiler = session.executor.compiler()
        query = compiler.query(statement.tree)
        columns: list[Column] = []
        for number, given in enumerate(query.columns, 1):
            if not given.name:
                raise errors.missing_name()
            if any(fold(given.name) == fold(column.name) for column in columns):
                raise errors.error(2705, given.name, statement.table.name)
            identity = (1, 1) if given.identity else None
            columns.append(Column(number, given.name, given.type, given.nullable and not identity, identity))
        name = statement.table.name
        if name.startswith("#"):
            table = session.local_tables.create(name, columns)
        else:
            schema_id = new_object_schema(session, statement.table, "CREATE TABLE", kind="U")
            tables.add_table(session, schema_id, name, columns)
            table = tables.resolve_now(session, schema_id, name)
        session.executor.ready(compiler.program)
        sql = f"INSERT INTO {table.stored} {query.sql}" if not query.sql.startswith("WITH") else ""
        sql = sql or f"INSERT INTO {table.stored} SELECT * FROM ({query.sql})"  # noqa: S608 - compiled
        count = session.connection.execute(sql, compiler.program.values(session)).rowcount
        _go_on_numbering(session, table)
    session.row_count = count
    # As an INSERT, so that drivers take the count for that of a change (assumed).
    session.reply.done("INSERT", None if session.options["NOCOUNT"] == "ON" else count)


def _go_on_numbering(session: Session, table: DatabaseObject) -> None:
    """An identity column that came with the rows goes on behind them."""
    column = next((column for column in table.columns if column.identity is not None), None)
    if column is None:
        return
    last = session.connection.execute(f"SELECT max({column.physical}) FROM {table.stored}").fetchone()[0]  # noqa: S608
    if last is None:
        return
    if table.is_local:
        session.connection.execute("INSERT OR REPLACE INTO temp.local_identity VALUES (?, ?)", (table.id, last))
    else:
        session.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"identity.{table.id}", last))
