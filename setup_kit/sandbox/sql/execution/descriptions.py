"""What drivers ask before they send a statement: types of its parameters, columns of its result, the list of types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot.tokenizer_core import TokenType

from setup_kit.sandbox.sql.compiler import type_facts
from setup_kit.sandbox.sql.compiler.compile import compile_statement
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.declarations import parse_declarations, text_of
from setup_kit.sandbox.sql.language.dialect import tokenize
from setup_kit.sandbox.sql.storage.catalog import fold
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
    session.reply.return_status(0)


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


def describe_parameters(session: Session, parameters: Sequence[Parameter]) -> None:
    """sp_describe_undeclared_parameters: the types that a statement's parameters would best have."""
    text = text_of(parameters[0])
    declared = text_of(parameters[1]) if len(parameters) > 1 and parameters[1].value else ""
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
    session.reply.return_status(0)


def _suggest(session: Session, text: str, declared: str) -> list[tuple[Stored, ...]]:
    types = {fold(name): kind for name, kind, _ in parse_declarations(declared)}
    suggestions: dict[str, SqlType] = {}
    for statement in parser.parse_batch(text):
        if not isinstance(statement, s.Query):
            continue  # only statements on data take parameters
        session.variable_types = types
        compiler = session.executor.compiler(describe=True)
        compile_statement(compiler, statement.tree)
        session.executor.check(compiler.program)
        suggestions |= compiler.program.suggestions
    rows: list[tuple[Stored, ...]] = []
    for name in _variables_in_order(text):
        kind = suggestions.get(name)
        if kind is not None:
            precision, scale = type_facts.shown_precision(kind)
            number = t.SYSTEM_TYPE_IDS[kind.name]
            middle = (None,) * 9
            rows.append(
                (len(rows) + 1, f"@{name}", number, str(kind), kind.max_length, precision, scale, *middle,
                 0, 0, 0, 1, 0, None, type_info.encode(kind)[0], _tds_length(kind))
            )  # fmt: skip
    return rows


def _tds_length(kind: SqlType) -> int:
    if kind.name in t.SIZED:
        return 65535 if kind.length == MAX else kind.max_length
    return 17 if kind.name in ("decimal", "numeric") else kind.max_length


def _variables_in_order(text: str) -> list[str]:
    tokens = tokenize(text)
    names = [
        after.text
        for before, sign, after in zip([None, *tokens], tokens, tokens[1:], strict=False)
        if sign.token_type == TokenType.PARAMETER and after.token_type != TokenType.PARAMETER
        and (before is None or before.token_type != TokenType.PARAMETER)
    ]  # fmt: skip
    return list(dict.fromkeys(names))


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


def describe_result(session: Session, parameters: Sequence[Parameter]) -> None:
    """sp_describe_first_result_set: the columns of the first query of a batch."""
    text = text_of(parameters[0])
    declared = parse_declarations(text_of(parameters[1])) if len(parameters) > 1 and parameters[1].value else ()
    session.catalog_now()
    session.variable_types = {fold(name): kind for name, kind, _ in declared}
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


_TYPE_COLUMNS = (
    ("TYPE_NAME", t.SYSNAME), ("DATA_TYPE", t.SMALLINT), ("PRECISION", t.INT), ("LITERAL_PREFIX", t.varchar(32)),
    ("LITERAL_SUFFIX", t.varchar(32)), ("CREATE_PARAMS", t.varchar(32)), ("NULLABLE", t.SMALLINT),
    ("CASE_SENSITIVE", t.SMALLINT), ("SEARCHABLE", t.SMALLINT), ("UNSIGNED_ATTRIBUTE", t.SMALLINT),
    ("MONEY", t.SMALLINT), ("AUTO_INCREMENT", t.SMALLINT), ("LOCAL_TYPE_NAME", t.SYSNAME),
    ("MINIMUM_SCALE", t.SMALLINT), ("MAXIMUM_SCALE", t.SMALLINT), ("SQL_DATA_TYPE", t.SMALLINT),
    ("SQL_DATETIME_SUB", t.SMALLINT), ("NUM_PREC_RADIX", t.INT), ("INTERVAL_PRECISION", t.SMALLINT),
    ("USERTYPE", t.SMALLINT),
)  # fmt: skip

#: name, ODBC type, precision, prefix, suffix, parameters, unsigned, least and most scale
_TYPES: tuple[tuple[str, int, int, str | None, str | None, str | None, int | None, int | None, int | None], ...] = (
    ("datetime2", 93, 27, "'", "'", "scale               ", None, 0, 7),
    ("time", -154, 16, "'", "'", "scale               ", None, 0, 7),
    ("bit", -7, 1, None, None, None, None, None, None),
    ("tinyint", -6, 3, None, None, None, 1, 0, 0),
    ("bigint", -5, 19, None, None, None, 0, 0, 0),
    ("varbinary", -3, 8000, "0x", None, "max length", None, None, None),
    ("binary", -2, 8000, "0x", None, "length", None, None, None),
    ("char", 1, 8000, "'", "'", "length", None, None, None),
    ("numeric", 2, 38, None, None, "precision,scale", 0, 0, 38),
    ("decimal", 3, 38, None, None, "precision,scale", 0, 0, 38),
    ("money", 3, 19, "$", None, None, 0, 4, 4),
    ("smallmoney", 3, 10, "$", None, None, 0, 4, 4),
    ("int", 4, 10, None, None, None, 0, 0, 0),
    ("smallint", 5, 5, None, None, None, 0, 0, 0),
    ("float", 6, 53, None, None, None, 0, None, None),
    ("real", 7, 24, None, None, None, 0, None, None),
    ("varchar", 12, 8000, "'", "'", "max length", None, None, None),
    ("date", 91, 10, "'", "'", None, None, None, None),
    ("datetime", 93, 23, "'", "'", None, None, 3, 3),
    ("smalldatetime", 93, 16, "'", "'", None, None, 0, 0),
    ("nchar", -8, 4000, "N'", "'", "length", None, None, None),
    ("nvarchar", -9, 4000, "N'", "'", "max length", None, None, None),
    ("uniqueidentifier", -11, 36, "'", "'", None, None, None, None),
    ("sql_variant", -150, 8000, None, None, None, None, 0, 0),
)


def datatype_info(session: Session, parameters: Sequence[Parameter]) -> None:
    """sp_datatype_info_100, which drivers ask for on connecting; a first argument chooses one ODBC type."""
    wanted = parameters[0].value if parameters else 0
    rows: list[tuple[Stored, ...]] = []
    for name, odbc, precision, prefix, suffix, create, unsigned, low, high in _TYPES:
        if wanted in (0, None, odbc):
            exact = name in t.NUMBERS and name != "bit"
            rows.append(
                (
                    name,
                    odbc,
                    precision,
                    prefix,
                    suffix,
                    create,
                    1,
                    0,
                    3 if prefix in ("'", "N'") else 2,
                    unsigned,
                    int(name in ("money", "smallmoney")),
                    0 if exact else None,
                    name,
                    low,
                    high,
                    9 if odbc in (91, 93) else odbc,
                    {91: 1, 93: 3}.get(odbc),
                    10 if exact else None,
                    None,
                    t.SYSTEM_TYPE_IDS[name] % 32,
                )
            )
    _result(session, [Column(name, kind) for name, kind in _TYPE_COLUMNS], rows)
