"""EXEC and remote procedure calls: the system's procedures that drivers call, and those of users."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import changes, errors, parser, permissions, queries, system_views
from setup_kit.sandbox.sql import statements as s
from setup_kit.sandbox.sql import types as t
from setup_kit.sandbox.sql.catalog import DatabaseObject, fold
from setup_kit.sandbox.sql.cursor import Cursor
from setup_kit.sandbox.sql.parameters import Call, Parameter
from setup_kit.sandbox.sql.tokens import Column, type_info
from setup_kit.sandbox.sql.types import MAX, SqlType, Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.session import Session

#: Numbers of the procedures that a client may call by number (MS-TDS 2.2.6.6).
PROCEDURE_NUMBERS = {
    1: "sp_cursor", 2: "sp_cursoropen", 3: "sp_cursorprepare", 4: "sp_cursorexecute", 5: "sp_cursorprepexec",
    6: "sp_cursorunprepare", 7: "sp_cursorfetch", 8: "sp_cursoroption", 9: "sp_cursorclose", 10: "sp_executesql",
    11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 14: "sp_prepexecrpc", 15: "sp_unprepare",
}  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """A statement that a client prepared: its text and the parameters it declared."""

    text: str
    parameters: tuple[tuple[str, SqlType, bool], ...]


def run_call(session: Session, call: Call) -> None:
    """One remote procedure call. Its errors are in the reply when this returns, but for those that end the batch."""
    name = PROCEDURE_NUMBERS.get(call.procedure_id, call.procedure)
    started = time.perf_counter()
    session.reply.calls += 1
    first_error, session.reply.first_error = session.reply.first_error, 0
    try:
        _dispatch(session, name, call.parameters)
    except errors.SqlError as error:
        session.reply.error(error)
        session.record(f"EXECUTE {name}"[:60], error.number, (time.perf_counter() - started) * 1000)
        if error.ends_session:
            raise
    finally:
        session.reply.calls -= 1
        failed = bool(session.reply.first_error)
        session.reply.first_error = first_error or session.reply.first_error
    session.reply.done_call(failed=failed)


def _dispatch(session: Session, name: str, parameters: Sequence[Parameter]) -> None:
    from setup_kit.sandbox.sql.session import EndOfBatch  # the two modules contain one another

    system = _SYSTEM.get(_bare(name))
    try:
        if system is not None:
            system(session, parameters)
        else:
            _call_by_client(session, name, parameters)
    except EndOfBatch:
        session.reply.return_status(-1)


def _bare(name: str) -> str:
    """`[sys].sp_x`, `sys.sp_x` and `sp_x` are the same."""
    bare = fold(name).replace("[", "").replace("]", "")
    return bare.removeprefix("sys.").removeprefix(".").partition(";")[0]


def execute(session: Session, statement: s.Execute) -> None:
    """EXEC in a batch."""
    if statement.text is not None:
        text = session.evaluate(statement.text, t.nvarchar(MAX))
        _run_nested(session, str(text or ""), {})
        return
    assert statement.procedure is not None  # noqa: S101 - it is EXEC of a text or of a procedure
    given = []
    for name, node, output in statement.arguments:
        kind, value = session.evaluate_as_is(node)
        given.append(Parameter(f"@{name}" if name else "", kind, value, output))
    system = _SYSTEM.get(_bare(str(statement.procedure))) if statement.procedure.schema in (None, "sys") else None
    if system is not None:
        session.reply.calls += 1
        try:
            system(session, given)
        finally:
            session.reply.calls -= 1
        return
    status, outputs = _call(session, statement.procedure, given)
    if statement.status is not None and fold(statement.status) in session.variable_types:
        session.variables[fold(statement.status)] = status
    for (_, node, output), (kind, value) in zip(statement.arguments, outputs, strict=False):
        if output and node.key == "parameter":
            target = session.variable_types[fold(node.this.name)]
            session.variables[fold(node.this.name)] = session.coerce(kind, value, target)
    session.reply.done()


# Users' procedures


def _call_by_client(session: Session, name: str, parameters: Sequence[Parameter]) -> None:
    cursor = Cursor(name.partition(";")[0])
    status, outputs = _call(session, cursor.name(), parameters)
    session.reply.return_status(status)
    for number, (parameter, (kind, value)) in enumerate(zip(parameters, outputs, strict=False)):
        if parameter.output:
            session.reply.return_value(number, parameter.name, kind, value)


def _call(session: Session, name: s.Name, given: Sequence[Parameter]) -> tuple[int, list[tuple[SqlType, Stored]]]:
    """Run a procedure; its return value, and what its parameters hold in the end, in the order they were given."""
    catalog = session.catalog_now()
    found = None
    for schema in [name.schema] if name.schema else [session.default_schema, "dbo"]:
        held = catalog.object(schema, name.name)
        if held is not None and held.kind == "P":
            found = held
            break
    if found is None:
        raise errors.unknown_procedure(str(name))
    session.permissions.require("EXECUTE", permissions.of_object(found))
    definition = parser.parse_batch(found.definition or "")[0]
    assert isinstance(definition, s.CreateProcedure)  # noqa: S101 - nothing else is kept as its definition
    values = _arguments(session, found, definition, given)
    schema = catalog.schemas[found.schema_id].name
    with session.inside_procedure(found.name, schema, values):
        status = session.run_body(definition.body)
        ended = {key: (session.variable_types[fold(key)], session.variables[fold(key)]) for key in values}
    names = [p.name for p in definition.parameters]
    ordered = []
    for number, parameter in enumerate(given):
        key = parameter.name.removeprefix("@") or names[number]
        ordered.append(next(value for label, value in ended.items() if fold(label) == fold(key)))
    return status, ordered


def _arguments(
    session: Session, found: DatabaseObject, definition: s.CreateProcedure, given: Sequence[Parameter]
) -> dict[str, tuple[SqlType, Stored]]:
    if len(given) > len(definition.parameters):
        raise errors.SqlError(8144, f"Procedure or function {found.name} has too many arguments specified.", 16, 2)
    by_name = {fold(p.name.removeprefix("@")): p for p in given if p.name}
    unknown = set(by_name) - {fold(p.name) for p in definition.parameters}
    if unknown:
        raise errors.SqlError(8145, f"@{min(unknown)} is not a parameter for procedure {found.name}.")
    values: dict[str, tuple[SqlType, Stored]] = {}
    for number, declared in enumerate(definition.parameters):
        held = by_name.get(fold(declared.name))
        if held is None and number < len(given) and not given[number].name:
            held = given[number]
        if held is not None and not held.default:
            values[declared.name] = (declared.type, session.coerce(held.type, held.value, declared.type))
        elif declared.default is not None:
            values[declared.name] = (declared.type, session.evaluate(declared.default, declared.type))
        else:
            raise errors.SqlError(
                201, f"Procedure or function '{found.name}' expects parameter '@{declared.name}', which was not "
                "supplied.", 16, 4,
            )  # fmt: skip
    return values


# Text with parameters


def parse_declarations(text: str) -> tuple[tuple[str, SqlType, bool], ...]:
    """The parameters that `@a int, @b nvarchar(10) OUTPUT` declares."""
    cursor = Cursor(text)
    found: list[tuple[str, SqlType, bool]] = []
    while not cursor.done:
        name = cursor.variable()
        cursor.accept("AS")
        kind = cursor.data_type(len(found) + 1)
        output = bool(cursor.accept_any("OUTPUT", "OUT"))
        found.append((name, kind, output))
        if not cursor.accept(","):
            break
    if not cursor.done:
        raise cursor.error()
    return tuple(found)


def _text(parameter: Parameter) -> str:
    if not isinstance(parameter.value, str):
        raise errors.SqlError(
            214, "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.", 16, 2, ends_batch=True
        )
    return parameter.value


def _bind(
    session: Session, declared: Sequence[tuple[str, SqlType, bool]], given: Sequence[Parameter]
) -> dict[str, tuple[SqlType, Stored]]:
    """Values for declared parameters, by name where a name is given, else in order; 8178 for one that is missing."""
    by_name = {fold(p.name.removeprefix("@")): p for p in given if p.name}
    values: dict[str, tuple[SqlType, Stored]] = {}
    for number, (name, kind, _) in enumerate(declared):
        parameter = by_name.get(fold(name)) if by_name else None
        if parameter is None and number < len(given) and not given[number].name:
            parameter = given[number]
        if parameter is None:
            names = ",".join(f"@{label} {shown}" for label, shown, _ in declared)
            raise errors.SqlError(
                8178, f"The parameterized query '({names[:80]})' expects the parameter '@{name}', which was not "
                "supplied.", ends_batch=True,
            )  # fmt: skip
        values[name] = (kind, session.coerce(parameter.type, parameter.value, kind))
    return values


def _run_nested(session: Session, text: str, values: dict[str, tuple[SqlType, Stored]]) -> dict[str, Stored]:
    """Run a text with variables of its own; gives what they hold in the end."""
    outer = session.variables, session.variable_types
    session.variables = {fold(name): value for name, (_, value) in values.items()}
    session.variable_types = {fold(name): kind for name, (kind, _) in values.items()}
    try:
        session.run_text(text)
        return {name: session.variables[fold(name)] for name in values}
    finally:
        session.variables, session.variable_types = outer


def _outputs(
    session: Session, declared: Sequence[tuple[str, SqlType, bool]], given: Sequence[Parameter], first: int,
    ended: dict[str, Stored],
) -> None:  # fmt: skip
    for number, parameter in enumerate(given):
        if parameter.output and number < len(declared):
            name, kind, _ = declared[number]
            session.reply.return_value(first + number, parameter.name, kind, ended[name])


def _executesql(session: Session, parameters: Sequence[Parameter]) -> None:
    text = _text(parameters[0])
    declared = parse_declarations(_text(parameters[1])) if len(parameters) > 1 and parameters[1].value else ()
    ended = _run_nested(session, text, _bind(session, declared, parameters[2:]))
    session.reply.return_status(0)
    _outputs(session, declared, parameters[2:], 2, ended)


def _prepare(session: Session, parameters: Sequence[Parameter]) -> None:
    """`@handle OUTPUT, @params, @stmt, @options`."""
    declared = parse_declarations(_text(parameters[1])) if parameters[1].value else ()
    prepared = Prepared(_text(parameters[2]), declared)
    parser.parse_batch(prepared.text)
    handle = session.next_handle()
    session.prepared[handle] = prepared
    session.reply.return_status(0)
    session.reply.return_value(0, parameters[0].name, t.INT, handle)


def _prepare_and_execute(session: Session, parameters: Sequence[Parameter]) -> None:
    """`@handle OUTPUT, @params, @stmt, values…`; a handle that is given is given up first."""
    if isinstance(parameters[0].value, int):
        session.prepared.pop(parameters[0].value, None)
    declared = parse_declarations(_text(parameters[1])) if parameters[1].value else ()
    prepared = Prepared(_text(parameters[2]), declared)
    handle = session.next_handle()
    session.prepared[handle] = prepared
    ended = _run_nested(session, prepared.text, _bind(session, declared, parameters[3:]))
    session.reply.return_status(0)
    session.reply.return_value(0, parameters[0].name, t.INT, handle)
    _outputs(session, declared, parameters[3:], 3, ended)


def _execute_prepared(session: Session, parameters: Sequence[Parameter]) -> None:
    """`@handle, values…`; 8179 for a handle that is not known."""
    handle = parameters[0].value
    prepared = session.prepared.get(handle) if isinstance(handle, int) else None
    if prepared is None:
        raise errors.SqlError(8179, f"Could not find prepared statement with handle {handle!s}.", 16, 2)
    ended = _run_nested(session, prepared.text, _bind(session, prepared.parameters, parameters[1:]))
    session.reply.return_status(0)
    _outputs(session, prepared.parameters, parameters[1:], 1, ended)


def _unprepare(session: Session, parameters: Sequence[Parameter]) -> None:
    handle = parameters[0].value
    if isinstance(handle, int):
        session.prepared.pop(handle, None)
    session.reply.return_status(0)


# What drivers ask


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


def _describe_parameters(session: Session, parameters: Sequence[Parameter]) -> None:
    """sp_describe_undeclared_parameters: the types that a statement's parameters would best have."""
    text = _text(parameters[0])
    declared = parse_declarations(_text(parameters[1])) if len(parameters) > 1 and parameters[1].value else ()
    types = {fold(name): kind for name, kind, _ in declared}
    suggestions: dict[str, SqlType] = {}
    session.catalog_now()
    for statement in parser.parse_batch(text):
        if not isinstance(statement, s.Query):
            raise errors.SqlError(11514, "The metadata could not be determined because the statement is not a query.")
        session.variable_types = types
        compiler = session.compiler(describe=True)
        if statement.label == "SELECT":
            queries.compile_query(compiler, statement.tree)
        else:
            changes.compile_change(compiler, statement.tree)
        suggestions |= compiler.program.suggestions
    order = _order_of_variables(text)
    rows: list[tuple[Stored, ...]] = []
    for name in order:
        kind = suggestions.get(name)
        if kind is None:
            continue
        precision, scale = system_views.shown_precision(kind)
        info = type_info(kind)
        rows.append(
            (
                len(rows) + 1,
                f"@{name}",
                t.SYSTEM_TYPE_IDS[kind.name],
                str(kind),
                kind.max_length,
                precision,
                scale,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                None,
                0,
                0,
                0,
                1,
                0,
                None,
                info[0],
                _tds_length(kind),
            )  # fmt: skip
        )
    _result(session, [Column(name, kind) for name, kind in _SUGGESTIONS], rows)


def _tds_length(kind: SqlType) -> int:
    if kind.name in t.SIZED:
        return 65535 if kind.length == MAX else kind.max_length
    return 17 if kind.name in ("decimal", "numeric") else kind.max_length


def _order_of_variables(text: str) -> list[str]:
    cursor = Cursor(text)
    found: list[str] = []
    while not cursor.done:
        if cursor.word() == "@" and cursor.word(1) != "@" and cursor.word(-1 if cursor.at else 0) != "@@":
            cursor.at += 1
            name = cursor.any_text()
            if name not in found:
                found.append(name)
        else:
            cursor.at += 1
    return found


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


def _describe_result(session: Session, parameters: Sequence[Parameter]) -> None:
    """sp_describe_first_result_set: the columns of the first query of a batch."""
    text = _text(parameters[0])
    declared = parse_declarations(_text(parameters[1])) if len(parameters) > 1 and parameters[1].value else ()
    session.catalog_now()
    session.variable_types = {fold(name): kind for name, kind, _ in declared}
    rows: list[tuple[Stored, ...]] = []
    for statement in parser.parse_batch(text):
        if isinstance(statement, s.Query) and statement.label == "SELECT":
            found = queries.compile_query(session.compiler(describe=True), statement.tree)
            for number, column in enumerate(found.columns, 1):
                kind = column.type
                precision, scale = system_views.shown_precision(kind)
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
                        type_info(kind)[0],
                        _tds_length(kind),
                        None,
                        None,
                    )  # fmt: skip
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
    ("bit", -7, 1, None, None, None, None, None, None), ("tinyint", -6, 3, None, None, None, 1, 0, 0),
    ("bigint", -5, 19, None, None, None, 0, 0, 0), ("varbinary", -3, 8000, "0x", None, "max length", None, None, None),
    ("binary", -2, 8000, "0x", None, "length", None, None, None), ("char", 1, 8000, "'", "'", "length", None, None, None),
    ("numeric", 2, 38, None, None, "precision,scale", 0, 0, 38), ("decimal", 3, 38, None, None, "precision,scale", 0, 0, 38),
    ("money", 3, 19, "$", None, None, 0, 4, 4), ("smallmoney", 3, 10, "$", None, None, 0, 4, 4),
    ("int", 4, 10, None, None, None, 0, 0, 0), ("smallint", 5, 5, None, None, None, 0, 0, 0),
    ("float", 6, 53, None, None, None, 0, None, None), ("real", 7, 24, None, None, None, 0, None, None),
    ("varchar", 12, 8000, "'", "'", "max length", None, None, None), ("date", 91, 10, "'", "'", None, None, None, None),
    ("datetime", 93, 23, "'", "'", None, None, 3, 3), ("smalldatetime", 93, 16, "'", "'", None, None, 0, 0),
    ("nchar", -8, 4000, "N'", "'", "length", None, None, None), ("nvarchar", -9, 4000, "N'", "'", "max length", None, None, None),
    ("uniqueidentifier", -11, 36, "'", "'", None, None, None, None), ("sql_variant", -150, 8000, None, None, None, None, 0, 0),
)  # fmt: skip


def _datatype_info(session: Session, parameters: Sequence[Parameter]) -> None:
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
                )  # fmt: skip
            )
    _result(session, [Column(name, kind) for name, kind in _TYPE_COLUMNS], rows)


def _reset(session: Session, parameters: Sequence[Parameter]) -> None:
    session.reset()
    session.reply.return_status(0)


_SYSTEM: dict[str, Callable[[Session, Sequence[Parameter]], None]] = {
    "sp_executesql": _executesql,
    "sp_prepare": _prepare,
    "sp_prepexec": _prepare_and_execute,
    "sp_execute": _execute_prepared,
    "sp_unprepare": _unprepare,
    "sp_describe_undeclared_parameters": _describe_parameters,
    "sp_describe_first_result_set": _describe_result,
    "sp_datatype_info": _datatype_info,
    "sp_datatype_info_90": _datatype_info,
    "sp_datatype_info_100": _datatype_info,
    "sp_reset_connection": _reset,
}
