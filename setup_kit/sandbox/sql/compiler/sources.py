"""FROM: tables, views, subqueries, VALUES and joins, brought into scope."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler import system_views
from setup_kit.sandbox.sql.compiler.bound import Bound, Runtime, Slot, SystemRows, common_type
from setup_kit.sandbox.sql.compiler.compiler import Compiler, refuse_order
from setup_kit.sandbox.sql.compiler.scope import Compiled, Scope, Source
from setup_kit.sandbox.sql.compiler.views import SystemView
from setup_kit.sandbox.sql.language import dialect, parser
from setup_kit.sandbox.sql.language import statements_objects as so
from setup_kit.sandbox.sql.language.cursor import Cursor
from setup_kit.sandbox.sql.storage.catalog import Column as TableColumn
from setup_kit.sandbox.sql.storage.catalog import DatabaseObject, fold
from setup_kit.sandbox.sql.tds.tokens import Column
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import Stored


def table_parts(node: exp.Table) -> tuple[str, str]:
    """Schema ("" when left out) and name of a table, with the sign of `#table` and `@table`; 40515 for one in another
    database, 40514 for a ##table.
    """
    if isinstance(node.this, exp.Parameter):
        return "", f"@{node.this.name}"
    if node.this.args.get("global_"):
        raise unsupported.refused("global temporary table")
    if node.this.args.get("temporary"):
        return "", f"#{node.name}"
    if node.args.get("catalog"):
        raise errors.other_database(".".join(part.name for part in node.parts))
    return node.db, node.name


def find_table(compiler: Compiler, schema: str, name: str) -> DatabaseObject | None:
    """A table or view by name: in the user's default schema, then in dbo, when no schema is given.

    1087 for a table variable that is not declared.
    """
    if name.startswith("#") and not schema:
        return compiler.local_table(name)
    if name.startswith("@") and not schema:
        found = compiler.local_table(name)
        if found is None:
            raise errors.error(1087, name)
        return found
    for candidate in [schema] if schema else [compiler.default_schema, "dbo"]:
        found = compiler.catalog.object(candidate, name)
        if found is not None:
            return found
    return None


def add_source(compiler: Compiler, node: exp.Expr, scope: Scope) -> str:
    """Bring a source into scope; gives its text for FROM."""
    if isinstance(node, exp.Table):
        text = _table(compiler, node, scope)
    elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
        text = add_source(compiler, node.this, scope)
    elif isinstance(node, exp.Subquery):
        found = compiler.query(refuse_order(node.this), Scope(scope.parent, common=scope.common))
        text = _derived(compiler, found, node.args.get("alias"), scope)
    elif isinstance(node, exp.Values):
        text = _derived(compiler, _values(compiler, node, scope), node.args.get("alias"), scope)
    else:
        raise errors.incorrect_syntax(node.key.upper())
    for item in node.args.get("joins") or ():
        text += join(compiler, item, scope)
    return text


_REFUSED_CLAUSES = (
    ("pivots", "PIVOT"), ("sample", "TABLESAMPLE"), ("version", "FOR SYSTEM_TIME"), ("laterals", "APPLY"),
)  # fmt: skip


def _table(compiler: Compiler, node: exp.Table, scope: Scope) -> str:
    for argument, refused in _REFUSED_CLAUSES:
        if node.args.get(argument):
            raise unsupported.refused(refused)
    for hint in node.args.get("hints") or ():
        _check_hints(hint)
    compiler.sources += 1
    label = f"s{compiler.sources}"
    if isinstance(node.this, exp.Anonymous):
        return _system_function(compiler, node, scope, label)
    schema, name = table_parts(node)
    alias = node.alias or name
    common = None if schema else scope.common_table(name)
    if common is not None:
        columns = _bound_columns(common.columns, [f"{label}.c{n}" for n in range(1, len(common.columns) + 1)])
        scope.sources.append(Source(alias, columns))
        return f"{common.sql} AS {label}"
    view = system_views.find(schema, name)
    if view is not None:
        return _system_rows(compiler, view, (), alias, scope, label)
    found = find_table(compiler, schema, name)
    if found is None or (found.kind not in ("U", "V") and not found.is_local):
        raise errors.invalid_object(f"{schema}.{name}" if schema else name)
    compiler.demand("SELECT", found)
    if found.kind == "V":
        return _view(compiler, found, alias, scope, label)
    written = f"{schema}.{name}" if schema and not node.alias else ""
    source = replace(table_source(compiler, found, alias, label), written=written)
    scope.sources.append(replace(source, schema="") if node.alias else source)  # an alias hides the table's own name
    return f"{found.stored} AS {label}"


_HINTS = frozenset(
    (
        "FORCESCAN", "FORCESEEK", "HOLDLOCK", "INDEX", "NOEXPAND", "NOLOCK", "NOWAIT", "PAGLOCK", "READCOMMITTED",
        "READCOMMITTEDLOCK", "READPAST", "READUNCOMMITTED", "REPEATABLEREAD", "ROWLOCK", "SERIALIZABLE", "SNAPSHOT",
        "TABLOCK", "TABLOCKX", "UPDLOCK", "XLOCK",
    )
)  # fmt: skip


def _check_hints(hint: exp.Expr) -> None:
    """Table hints speak of locks and plans, which are not here: they mean nothing. 321 for what is none."""
    for item in hint.expressions:
        name = str(item.this.name if isinstance(item, exp.EQ) else item.name or item.this)
        if name.upper() not in _HINTS:
            raise errors.error(321, name)


def refuse_same_names(scope: Scope) -> None:
    """1011 or 1013 for two sources that are called alike."""
    seen: dict[str, list[str]] = {}
    for source in scope.sources:
        others = seen.setdefault(fold(source.alias), [])
        if others and (not source.written or not all(others)):
            raise errors.error(1011, source.alias)
        if source.written and fold(source.written) in others:
            raise errors.error(1013, source.written, source.written)
        others.append(fold(source.written))


def table_source(compiler: Compiler, table: DatabaseObject, alias: str, label: str) -> Source:
    """A table under an alias, whose rows are called `label` in the text for SQLite."""
    plain = Source(alias, tuple(_stored_column(label, c) for c in table.columns if c.computed is None))
    columns = tuple(
        _stored_column(label, column) if column.computed is None else _computed_column(compiler, plain, column)
        for column in table.columns
    )
    schema = fold(compiler.catalog.schemas[table.schema_id].name)
    return Source(alias, columns, table, schema, label)


def _stored_column(label: str, column: TableColumn) -> tuple[str, Bound]:
    text = f"{label}.{column.physical}"
    return column.name, Bound(
        text, column.type, column.nullable, name=column.name, identity=column.identity is not None
    )


def _computed_column(compiler: Compiler, source: Source, column: TableColumn) -> tuple[str, Bound]:
    """A computed column is its expression, wherever it is read."""
    text = column.computed or ""
    node = dialect.parse_expression(Cursor(text).tokens, text)
    value = compiler.program.convert(compiler.value(node, Scope(sources=[source])), column.type)
    return column.name, replace(value, name=column.name, slot=None)


def _bound_columns(columns: Sequence[Column], texts: Sequence[str]) -> tuple[tuple[str, Bound], ...]:
    return tuple(
        (column.name, Bound(text, column.type, column.nullable, name=column.name))
        for column, text in zip(columns, texts, strict=True)
    )


def _view(compiler: Compiler, found: DatabaseObject, alias: str, scope: Scope, label: str) -> str:
    """A view's query in its place."""
    statement = parser.parse_batch(found.definition or "")[0]
    assert isinstance(statement, so.CreateView)  # noqa: S101 - nothing else is kept as a view's definition
    with compiler.inside_view(found):
        inner = compiler.query(statement.query)
    names = [column.name for column in found.columns]
    if len(inner.columns) < len(names):
        raise errors.error(4502, found.name)
    # A * in it stands for the columns that there were when the view was made, and not for those added since.
    columns = tuple(Column(name, c.type, c.nullable) for name, c in zip(names, inner.columns, strict=False))
    scope.sources.append(
        Source(alias, _bound_columns(columns, [f"{label}.c{n}" for n in range(1, len(names) + 1)]), found,
               fold(compiler.catalog.schemas[found.schema_id].name))
    )  # fmt: skip
    return f"({inner.named(*[f'c{n}' for n in range(1, len(inner.columns) + 1)])}) AS {label}"


def _system_function(compiler: Compiler, node: exp.Table, scope: Scope, label: str) -> str:
    function = node.this
    name = str(function.this)
    view = system_views.find_function(node.db, name)
    if name.upper() == "STRING_SPLIT":
        return _string_split(compiler, node, scope, label)
    if name.upper() in ("OPENJSON", "OPENROWSET"):
        raise unsupported.refused(name.upper())
    if view is None:
        raise errors.invalid_object(name)
    arguments = [compiler.program.convert(compiler.value(a, scope), t.nvarchar(776)) for a in function.expressions]
    if len(arguments) != view.arguments:
        raise errors.SqlError(
            313 if len(arguments) < view.arguments else 8144,
            f"An insufficient number of arguments were supplied for the procedure or function {name}."
            if len(arguments) < view.arguments
            else f"Procedure or function {name} has too many arguments specified.",
            ends_batch=True,
        )
    slots = [argument.slot for argument in arguments]
    if any(slot is None for slot in slots):
        raise unsupported.refused("system function of a column", name)
    known = tuple(slot for slot in slots if slot is not None)
    return _system_rows(compiler, view, known, node.alias or name, scope, label)


def _string_split(compiler: Compiler, node: exp.Table, scope: Scope, label: str) -> str:
    """STRING_SPLIT(text, separator[, 1]): a list that SQLite reads as JSON, row by row."""
    given = node.this.expressions
    if not 2 <= len(given) <= 3:
        raise errors.error(174, "string_split", 2)
    text, mark = (compiler.value(argument, scope) for argument in given[:2])
    kind = t.nvarchar(text.type.length) if text.type.name in t.NATIONAL else t.varchar(text.type.length or 8000)
    inputs = [compiler.program.convert(bound, t.nvarchar(t.MAX)) for bound in (text, mark)]

    def split(_: Runtime, value: Stored, separator: Stored) -> Stored:
        if len(str(separator)) != 1 or separator is None:
            raise errors.error(214, "separator", "nchar(1)/nvarchar(1)", state=11)
        return json.dumps([] if value is None else str(value).split(str(separator)))

    listed = compiler.program.apply("string_split", split, t.nvarchar(t.MAX), *inputs, folds=False)
    columns = [("value", Bound(f"{label}.value", kind, name="value"))]
    if len(given) == 3:
        columns.append(("ordinal", Bound(f"({label}.key + 1)", t.BIGINT, nullable=False, name="ordinal")))
    scope.sources.append(Source(node.alias or "STRING_SPLIT", tuple(columns)))
    return f"json_each({listed.sql}) AS {label}"


def _system_rows(
    compiler: Compiler, view: SystemView, arguments: tuple[Slot, ...], alias: str,
    scope: Scope, label: str,
) -> str:  # fmt: skip
    table = f"{view.table}_{label}" if arguments else view.table
    compiler.program.system_rows.append(SystemRows(table, view.key, arguments))
    texts = [f"{label}.c{number}" for number in range(1, len(view.columns) + 1)]
    scope.sources.append(Source(alias, _bound_columns(view.columns, texts), schema=view.schema))
    return f"temp.{table} AS {label}"


def _derived(compiler: Compiler, found: Compiled, alias: exp.Expr | None, scope: Scope) -> str:
    if not isinstance(alias, exp.TableAlias) or not alias.name:
        raise errors.incorrect_syntax(")")
    names = [column.name for column in alias.columns] or [column.name for column in found.columns]
    if len(names) != len(found.columns):
        raise errors.error(8158, alias.name)
    check_names(names, alias.name)
    compiler.sources += 1
    label = f"s{compiler.sources}"
    physical = [f"c{number}" for number in range(1, len(names) + 1)]
    columns = tuple(Column(name, c.type, c.nullable) for name, c in zip(names, found.columns, strict=True))
    scope.sources.append(Source(alias.name, _bound_columns(columns, [f"{label}.{name}" for name in physical])))
    return f"({found.named(*physical)}) AS {label}"


def check_names(names: Sequence[str], table: str) -> None:
    """8155 for a column without a name, 8156 for two with the same."""
    seen = set()
    for number, name in enumerate(names, 1):
        if not name:
            raise errors.error(8155, number, table)
        if fold(name) in seen:
            raise errors.error(8156, name, table)
        seen.add(fold(name))


def _values(compiler: Compiler, node: exp.Values, scope: Scope) -> Compiled:
    """The rows of VALUES as a source."""
    rows = [[compiler.value(item, Scope(scope.parent)) for item in row.expressions] for row in node.expressions]
    if len({len(row) for row in rows}) != 1:
        raise errors.error(10709)
    kinds = []
    for column in zip(*rows, strict=True):
        kinds.append(common_type(*column))
    texts = []
    for row in rows:
        converted = [compiler.program.convert(value, kind).sql for value, kind in zip(row, kinds, strict=True)]
        texts.append(f"({', '.join(converted)})")
    return Compiled(f"VALUES {', '.join(texts)}", tuple(Column("", kind) for kind in kinds))


def _apply(compiler: Compiler, node: exp.Lateral, scope: Scope) -> str:
    """CROSS APPLY of a function that SQLite can call for each row; other APPLYs are refused."""
    function = node.this
    split = isinstance(function, exp.Anonymous) and str(function.this).upper() == "STRING_SPLIT"
    if not split or not node.args.get("cross_apply"):
        raise unsupported.refused("APPLY")
    alias = node.args.get("alias")
    return f" CROSS JOIN {_table(compiler, exp.Table(this=function, alias=alias), scope)}"


def join(compiler: Compiler, node: exp.Join, scope: Scope) -> str:
    side, kind = str(node.args.get("side") or "").upper(), str(node.args.get("kind") or "").upper()
    if isinstance(node.this, exp.Lateral):
        return _apply(compiler, node.this, scope)
    before = len(scope.sources)
    text = add_source(compiler, node.this, scope)
    for index, source in enumerate(scope.sources):
        if side == "FULL" or (side == "LEFT" and index >= before) or (side == "RIGHT" and index < before):
            columns = tuple((name, replace(bound, nullable=True)) for name, bound in source.columns)
            scope.sources[index] = replace(source, columns=columns)
    condition = node.args.get("on")
    if condition is None:
        if side or kind in ("INNER", "OUTER"):
            raise errors.incorrect_syntax("JOIN")
        return f" CROSS JOIN {text}"
    return f" {side + ' ' if side else ''}JOIN {text} ON {compiler.condition(condition, scope)}"
