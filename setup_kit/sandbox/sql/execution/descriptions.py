"""What drivers ask before they send a statement: the types of its parameters, the columns of its result."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from setup_kit.sandbox.sql.compiler import type_facts
from setup_kit.sandbox.sql.compiler.compile import compile_statement
from setup_kit.sandbox.sql.execution.arguments import Outcome, leading, match
from setup_kit.sandbox.sql.execution.objects import DeclaredType, find_procedure, resolve_type
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.declarations import parse_declarations, text_of
from setup_kit.sandbox.sql.storage.catalog import DatabaseObject, fold
from setup_kit.sandbox.sql.tds import type_info
from setup_kit.sandbox.sql.tds.parameters import Parameter
from setup_kit.sandbox.sql.tds.tokens import Column, row_encoder
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_KEPT = 8  # answers that a session remembers: a driver asks again each time it prepares


def _result(session: Session, columns: Sequence[Column], rows: Sequence[Sequence[Stored]]) -> None:
    session.reply.columns(columns)
    for row in rows:
        session.reply.row(row)
    session.reply.done("SELECT", len(rows))


_SUGGESTIONS = (
    ("parameter_ordinal", t.INT), ("name", t.SYSNAME), ("suggested_system_type_id", t.INT),
    ("suggested_system_type_name", t.nvarchar(256)), ("suggested_max_length", t.SMALLINT),
    ("suggested_precision", t.TINYINT), ("suggested_scale", t.TINYINT), ("suggested_user_type_id", t.INT),
    ("suggested_user_type_database", t.SYSNAME), ("suggested_user_type_schema", t.SYSNAME),
    ("suggested_user_type_name", t.SYSNAME), ("suggested_assembly_qualified_type_name", t.nvarchar(4000)),
    ("suggested_xml_collection_id", t.INT), ("suggested_xml_collection_database", t.SYSNAME),
    ("suggested_xml_collection_schema", t.SYSNAME), ("suggested_xml_collection_name", t.SYSNAME),
    ("suggested_is_xml_document", t.BIT), ("suggested_is_case_sensitive", t.BIT),
    ("suggested_is_fixed_length_clr_type", t.BIT), ("suggested_is_input", t.BIT), ("suggested_is_output", t.BIT),
    ("formal_parameter_name", t.SYSNAME), ("suggested_tds_type_id", t.INT), ("suggested_tds_length", t.INT),
)  # fmt: skip


def describe_parameters(session: Session, parameters: Sequence[Parameter]) -> Outcome:
    """sp_describe_undeclared_parameters: the types that a statement's parameters would best have."""
    first = leading("sp_describe_undeclared_parameters", ("tsql", "params"), parameters, 1)
    text = text_of(first[0])
    declared = text_of(first[1]) if len(first) > 1 and first[1].value is not None else ""
    key = (session.catalog_now().version, text, declared)
    known = session.suggestions.get(key)
    columns = [Column(name, kind) for name, kind in _SUGGESTIONS]
    if known is None:
        encode = row_encoder(columns)
        rows = [encode(row) for row in _suggest(session, text, declared)]
        known = len(rows), b"".join(rows)
        if len(session.suggestions) >= _KEPT:
            session.suggestions.clear()
        session.suggestions[key] = known
    session.reply.columns(columns)
    session.reply.add(known[1])
    session.reply.done("SELECT", known[0])
    return Outcome()


#: Variables, and all that may hold what looks like one.
_WORDS = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\[(?:[^]]|]])*]|--[^\n]*|/\*.*?\*/|@([\w@#$]+)", re.DOTALL)


def _suggest(session: Session, text: str, declared: str) -> list[tuple[Stored, ...]]:
    types = _types(session, parse_declarations(declared))
    suggestions: dict[str, DeclaredType] = {}
    for statement in parser.parse_batch(text):
        if isinstance(statement, s.Execute) and statement.procedure is not None:
            suggestions |= _of_call(session, statement, types)
        if not isinstance(statement, s.Query):
            continue
        session.variable_types = types
        compiler = session.executor.compiler(describe=True)
        compile_statement(compiler, statement)
        session.executor.check(compiler.program)
        suggestions |= {name: DeclaredType(kind) for name, kind in compiler.program.suggestions.items()}
    rows: list[tuple[Stored, ...]] = []
    for name in dict.fromkeys(word[1] for word in _WORDS.finditer(text) if word[1] in suggestions):  # in their order
        found = suggestions[name]
        described = _of_table(session, found.table) if found.table is not None else _of_value(found.type)
        rows.append((len(rows) + 1, f"@{name}", *described))
    return rows


def _of_value(kind: SqlType) -> tuple[Stored, ...]:
    precision, scale = type_facts.shown_precision(kind)
    return (
        t.SYSTEM_TYPE_IDS[kind.name], str(kind), kind.max_length, precision, scale, *(None,) * 9,
        0, 0, 0, 1, 0, None, type_info.encode(kind)[0], _tds_length(kind),
    )  # fmt: skip


def _of_table(session: Session, table: DatabaseObject) -> tuple[Stored, ...]:
    """A table type is told by its name (*assumed*: lengths as in sys.types)."""
    schema = session.catalog.schemas[table.schema_id].name
    return (
        type_info.TABLE, None, -1, 0, 0, table.id, session.database.name, schema, table.name, *(None,) * 5,
        0, 0, 0, 1, 0, None, type_info.TABLE, 0,
    )  # fmt: skip


def _types(session: Session, declared: Sequence[tuple[str, s.DeclaredType, bool]]) -> dict[str, SqlType]:
    """The types of declared parameters that are not tables."""
    types = {fold(name): resolve_type(session, kind, at) for at, (name, kind, _) in enumerate(declared, 1)}
    return {name: found.type for name, found in types.items() if found.table is None}


def _of_call(session: Session, statement: s.Execute, declared: Mapping[str, SqlType]) -> dict[str, DeclaredType]:
    """The types of a procedure's parameters, for the variables that EXEC gives them."""
    assert statement.procedure is not None  # noqa: S101 - the caller has looked
    _, _, definition = find_procedure(session, statement.procedure)
    names = [parameter.name for parameter in definition.parameters]
    given = [Parameter(f"@{name}" if name else "", t.INT, None) for name, _, _ in statement.arguments]
    found: dict[str, DeclaredType] = {}
    for parameter, place in zip(definition.parameters, match(definition.procedure.name, names, given), strict=True):
        node = statement.arguments[place][1] if place is not None else None
        if isinstance(node, exp.Parameter) and fold(node.this.name) not in declared:
            found[node.this.name] = resolve_type(session, parameter.type, 1)
    return found


def _tds_length(kind: SqlType) -> int:
    if kind.name in t.SIZED:
        return 65535 if kind.length == MAX else kind.max_length
    return 17 if kind.name in ("decimal", "numeric") else kind.max_length


_FIRST_RESULT = (
    ("is_hidden", t.BIT), ("column_ordinal", t.INT), ("name", t.SYSNAME), ("is_nullable", t.BIT),
    ("system_type_id", t.INT), ("system_type_name", t.nvarchar(256)), ("max_length", t.SMALLINT),
    ("precision", t.TINYINT), ("scale", t.TINYINT), ("collation_name", t.SYSNAME), ("user_type_id", t.INT),
    ("user_type_database", t.SYSNAME), ("user_type_schema", t.SYSNAME), ("user_type_name", t.SYSNAME),
    ("assembly_qualified_type_name", t.nvarchar(4000)), ("xml_collection_id", t.INT),
    ("xml_collection_database", t.SYSNAME), ("xml_collection_schema", t.SYSNAME), ("xml_collection_name", t.SYSNAME),
    ("is_xml_document", t.BIT), ("is_case_sensitive", t.BIT), ("is_fixed_length_clr_type", t.BIT),
    ("source_server", t.SYSNAME), ("source_database", t.SYSNAME), ("source_schema", t.SYSNAME),
    ("source_table", t.SYSNAME), ("source_column", t.SYSNAME), ("is_identity_column", t.BIT),
    ("is_part_of_unique_key", t.BIT), ("is_updateable", t.BIT), ("is_computed_column", t.BIT),
    ("is_sparse_column_set", t.BIT), ("ordinal_in_order_by_list", t.SMALLINT), ("order_by_is_descending", t.SMALLINT),
    ("order_by_list_length", t.SMALLINT), ("tds_type_id", t.INT), ("tds_length", t.INT), ("tds_collation_id", t.INT),
    ("tds_collation_sort_id", t.TINYINT),
)  # fmt: skip


def describe_result(session: Session, parameters: Sequence[Parameter]) -> Outcome:
    """sp_describe_first_result_set: the columns of the first query of a batch."""
    first = leading("sp_describe_first_result_set", ("tsql", "params", "browse_information_mode"), parameters, 1)
    text = text_of(first[0])
    declared = parse_declarations(text_of(first[1])) if len(first) > 1 and first[1].value is not None else ()
    session.catalog_now()
    session.variable_types = _types(session, declared)
    rows: list[tuple[Stored, ...]] = []
    for statement in parser.parse_batch(text):
        if isinstance(statement, s.Query) and statement.label == "SELECT":
            compiler = session.executor.compiler(describe=True)
            found = compiler.query(statement.tree)
            session.executor.check(compiler.program)
            for number, column in enumerate(found.columns, 1):
                kind = column.type
                precision, scale = type_facts.shown_precision(kind)
                collation = "SQL_Latin1_General_CP1_CI_AS" if kind.name in t.STRINGS else None
                rows.append(
                    (
                        0,
                        number,
                        column.name or None,
                        int(column.nullable),
                        t.SYSTEM_TYPE_IDS[kind.name],
                        str(kind),
                        kind.max_length,
                        precision,
                        scale,
                        collation,
                        *(None,) * 9,
                        0,
                        0,
                        0,
                        *(None,) * 5,
                        int(column.identity),
                        None,
                        0,
                        0,
                        0,
                        None,
                        None,
                        None,
                        type_info.encode(kind)[0],
                        _tds_length(kind),
                        None,
                        None,
                    )
                )
            break
    _result(session, [Column(name, kind) for name, kind in _FIRST_RESULT], rows)
    return Outcome()
