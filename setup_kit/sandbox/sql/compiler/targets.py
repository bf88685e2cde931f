"""What INSERT, UPDATE, DELETE and MERGE have in common: the table that changes, and values that go into its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler import sources
from setup_kit.sandbox.sql.compiler.bound import Bound, Slot
from setup_kit.sandbox.sql.compiler.compiler import Compiler
from setup_kit.sandbox.sql.compiler.intake import Given, Intake
from setup_kit.sandbox.sql.compiler.scope import Scope, Source
from setup_kit.sandbox.sql.language import cursor, dialect
from setup_kit.sandbox.sql.storage.catalog import Column, DatabaseObject, fold
from setup_kit.sandbox.sql.values import conversions


@dataclass(frozen=True)
class Target:
    """The table that changes; `shown` is schema.table as messages have it, `qualified` with the database before it."""

    table: DatabaseObject
    schema: str

    @property
    def shown(self) -> str:
        return f"{self.schema}.{self.table.name}"


def find_target(compiler: Compiler, node: exp.Expr) -> Target:
    if not isinstance(node, exp.Table) or not isinstance(node.this, (exp.Identifier, exp.Parameter)):
        raise errors.incorrect_syntax(node.sql(dialect="tsql")[:60])
    schema, name = sources.table_parts(node)
    if fold(schema) in ("sys", "information_schema"):
        raise errors.error(259)
    found = sources.find_table(compiler, schema, name)
    if found is None:
        raise errors.invalid_object(f"{schema}.{name}" if schema else name)
    if found.kind == "TT":
        raise errors.error(10700, name)
    if found.kind != "U":
        raise unsupported.refused("change through a view")
    return Target(found, compiler.catalog.schemas[found.schema_id].name)


def assigned(compiler: Compiler, target: Target, column: Column, node: exp.Expr, scope: Scope) -> Bound:
    """The value of an expression, as the column takes it.

    A variable alone is converted by the type it has when the statement runs: clients declare the same parameter with
    another length each time, and the statement need not be compiled again for that.
    """
    if isinstance(node, exp.Parameter) and isinstance(node.this, exp.Var):
        name = fold(node.this.name)
        if name in compiler.variables:
            intake = compiler.intakes.get(column.id)
            if intake is None:
                intake = compiler.intakes[column.id] = Intake(f"{compiler.database_name}.{target.shown}", column)
            return compiler.program.from_slot(Given(name, intake), column.type)
    return column_value(compiler, target, column, compiler.value(node, scope))


def column_value(compiler: Compiler, target: Target, column: Column, value: Bound) -> Bound:
    """`value` as the column takes it: converted, and refused when it is too long (2628)."""
    program = compiler.program
    if value.undeclared or value.null:
        return program.convert(value, column.type)
    table = f"{compiler.database_name}.{target.shown}"
    convert = conversions.column_converter(value.type, column.type, table, column.name)
    return program.converted(
        value, column.type, convert, f"{value.type} into {target.table.id} {column.id} {column.name}"
    )


def default_slot(compiler: Compiler, target: Target, column: Column) -> Slot:
    """The value of a column that is left out: its DEFAULT, or NULL."""
    if column.default_text is None:
        return lambda _: None
    tokens = cursor.Cursor(column.default_text).tokens
    node = dialect.parse_expression(tokens, column.default_text)
    compiler.program.volatile = True
    bound = column_value(compiler, target, column, compiler.value(node, Scope()))
    compiler.program.volatile = False
    if bound.slot is None:
        raise unsupported.refused("DEFAULT with a condition", column.default_text)
    return bound.slot


def named_columns(target: Target, names: Sequence[str], *, identity_insert: bool = False) -> list[Column]:
    """The columns of an INSERT's list; the identity column only while IDENTITY_INSERT is ON (544, 545)."""
    found: list[Column] = []
    seen: set[int] = set()
    for name in names:
        column = target.table.columns_by_name.get(fold(name))
        if column is None:
            raise errors.invalid_column(name)
        if column.id in seen:
            raise errors.error(264, name)
        seen.add(column.id)
        refuse_computed(column)
        if column.identity is not None and not identity_insert:
            raise errors.error(544, target.table.name)
        found.append(column)
    if identity_insert and not any(column.identity for column in found):
        raise errors.error(545, target.table.name)
    return found


def refuse_computed(column: Column) -> None:
    if column.computed is not None:
        raise errors.error(271, column.name)


def left_out(
    compiler: Compiler, target: Target, columns: Sequence[Column]
) -> tuple[list[Column], tuple[Slot, ...], Column | None]:
    """Columns that an INSERT leaves out, with their values, and the identity column, numbered as rows are written."""
    given = {column.id for column in columns}
    rest = [c for c in target.table.columns if c.id not in given and c.given]
    rest = [c for c in rest if c.default_text is not None or not c.nullable]
    identity = next((c for c in target.table.columns if c.identity is not None and c.id not in given), None)
    return rest, tuple(default_slot(compiler, target, column) for column in rest), identity


def count_error(given: int, wanted: int, *, named: bool) -> errors.SqlError:
    if not named:
        return errors.column_count_mismatch()
    few = given < wanted
    return errors.error(109 if few else 110)


def find_rows(compiler: Compiler, tree: exp.Expr, node: exp.Expr, scope: Scope) -> tuple[Target, str, str]:
    """The target of an UPDATE or DELETE, its label in the query, and the text of FROM."""
    source = tree.args.get("from_") or tree.args.get("from") or tree.args.get("using_from")
    text = ""
    if source is not None:
        text = sources.add_source(compiler, source.this, scope)
        for found in scope.sources:
            if found.object is not None and found.object.kind == "U" and _is_target(compiler, found, node):
                schema = compiler.catalog.schemas[found.object.schema_id].name
                return Target(found.object, schema), found.label, text
    if isinstance(node, exp.Table) and not node.db and scope.common_table(node.name) is not None:
        raise unsupported.refused("change through a common table expression")
    target = find_target(compiler, node)
    compiler.sources += 1
    label = f"s{compiler.sources}"
    alias = node.alias or target.table.name
    scope.sources.append(sources.table_source(compiler, target.table, alias, label))
    own = f"{target.table.stored} AS {label}"
    return target, label, f"{own} CROSS JOIN {text}" if text else own


def _is_target(compiler: Compiler, source: Source, node: exp.Expr) -> bool:
    if not isinstance(node, exp.Table):
        return False
    schema, name = sources.table_parts(node)
    if fold(source.alias) == fold(name) and not schema:
        return True
    if name.startswith("@"):
        return False
    found = sources.find_table(compiler, schema, name)
    return found is not None and found is source.object


def assignments(
    compiler: Compiler, target: Target, items: Sequence[exp.Expr], scope: Scope
) -> tuple[list[Column], list[str]]:
    columns: list[Column] = []
    values: list[str] = []
    for item in items:
        if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
            raise unsupported.refused("SET @variable = column")
        column = target.table.columns_by_name.get(fold(item.this.name))
        if column is None:
            raise errors.invalid_column(item.this.name)
        refuse_computed(column)
        if column.identity is not None:
            raise errors.error(8102, column.name)
        if column in columns:
            raise errors.error(264, column.name)
        columns.append(column)
        if isinstance(item.expression, exp.Var) and item.expression.name.upper() == "DEFAULT":
            values.append(compiler.program.place(default_slot(compiler, target, column)))
        else:
            values.append(assigned(compiler, target, column, item.expression, scope).sql)
    return columns, values
