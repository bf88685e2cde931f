"""EXEC and remote procedure calls: the system's procedures that drivers call, and those of users."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors, permissions
from setup_kit.sandbox.sql.errors import EndOfBatch
from setup_kit.sandbox.sql.execution import descriptions
from setup_kit.sandbox.sql.execution.prepared import Prepared
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.cursor import Cursor
from setup_kit.sandbox.sql.language.declarations import parse_declarations, text_of
from setup_kit.sandbox.sql.storage.catalog import DatabaseObject, fold
from setup_kit.sandbox.sql.tds.parameters import Call, Parameter
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.conversions import converter
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

#: Numbers of the procedures that a client may call by number (MS-TDS 2.2.6.6).
PROCEDURE_NUMBERS = {
    1: "sp_cursor", 2: "sp_cursoropen", 3: "sp_cursorprepare", 4: "sp_cursorexecute", 5: "sp_cursorprepexec",
    6: "sp_cursorunprepare", 7: "sp_cursorfetch", 8: "sp_cursoroption", 9: "sp_cursorclose", 10: "sp_executesql",
    11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 14: "sp_prepexecrpc", 15: "sp_unprepare",
}  # fmt: skip
EXECUTE_PREPARED = 12


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
        text = session.executor.evaluate(statement.text, t.nvarchar(MAX))
        _run_nested(session, str(text or ""), {})
        return
    assert statement.procedure is not None  # noqa: S101 - it is EXEC of a text or of a procedure
    given = []
    for name, node, output in statement.arguments:
        kind, value = session.executor.evaluate_as_is(node)
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
            session.variables[fold(node.this.name)] = coerce(kind, value, target)
    session.reply.done()


# Users' procedures


def _call_by_client(session: Session, name: str, parameters: Sequence[Parameter], first: int = 0) -> None:
    """Call a user's procedure; `first` is the position of the first of `parameters` in the client's call."""
    cursor = Cursor(name.partition(";")[0])
    status, outputs = _call(session, cursor.name(), parameters)
    session.reply.return_status(status)
    for number, (parameter, (kind, value)) in enumerate(zip(parameters, outputs, strict=False)):
        if parameter.output:
            session.reply.return_value(first + number, parameter.name, kind, value)


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
    with session.inside_procedure(found.name, schema), session.with_variables(values):
        status = session.interpreter.run_body(definition.body)
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
            values[declared.name] = (declared.type, coerce(held.type, held.value, declared.type))
        elif declared.default is not None:
            values[declared.name] = (declared.type, session.executor.evaluate(declared.default, declared.type))
        else:
            raise errors.SqlError(
                201, f"Procedure or function '{found.name}' expects parameter '@{declared.name}', which was not "
                "supplied.", 16, 4,
            )  # fmt: skip
    return values


# Text with parameters


def coerce(kind: SqlType, value: Stored, target: SqlType) -> Stored:
    """A parameter's value as the type it is declared with."""
    if value is None or kind == target:
        return value
    convert = converter(kind, target)
    return convert(value) if convert is not None else value


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
        values[name] = (kind, coerce(parameter.type, parameter.value, kind))
    return values


def _run_nested(session: Session, text: str, values: dict[str, tuple[SqlType, Stored]]) -> dict[str, Stored]:
    """Run a text with variables of its own; gives what they hold in the end."""
    with session.with_variables(values):
        session.interpreter.run_text(text)
        return {name: session.variables[fold(name)] for name in values}


def _outputs(
    session: Session, declared: Sequence[tuple[str, SqlType, bool]], given: Sequence[Parameter], first: int,
    ended: dict[str, Stored],
) -> None:  # fmt: skip
    for number, parameter in enumerate(given):
        if parameter.output and number < len(declared):
            name, kind, _ = declared[number]
            session.reply.return_value(first + number, parameter.name, kind, ended[name])


def _executesql(session: Session, parameters: Sequence[Parameter]) -> None:
    text = text_of(parameters[0])
    declared = parse_declarations(text_of(parameters[1])) if len(parameters) > 1 and parameters[1].value else ()
    ended = _run_nested(session, text, _bind(session, declared, parameters[2:]))
    session.reply.return_status(0)
    _outputs(session, declared, parameters[2:], 2, ended)


def _prepare(session: Session, parameters: Sequence[Parameter]) -> None:
    """`@handle OUTPUT, @params, @stmt, @options`."""
    declared = parse_declarations(text_of(parameters[1])) if parameters[1].value else ()
    prepared = Prepared(text_of(parameters[2]), declared)
    parser.parse_batch(prepared.text)
    handle = session.prepare(prepared)
    session.reply.return_status(0)
    session.reply.return_value(0, parameters[0].name, t.INT, handle)


def _prepare_and_execute(session: Session, parameters: Sequence[Parameter]) -> None:
    """`@handle OUTPUT, @params, @stmt, values…`; a handle that is given is given up first."""
    if isinstance(parameters[0].value, int):
        session.prepared.pop(parameters[0].value, None)
    declared = parse_declarations(text_of(parameters[1])) if parameters[1].value else ()
    prepared = Prepared(text_of(parameters[2]), declared)
    handle = session.prepare(prepared)
    ended = _run_nested(session, prepared.text, _bind(session, declared, parameters[3:]))
    session.reply.return_status(0)
    session.reply.return_value(0, parameters[0].name, t.INT, handle)
    _outputs(session, declared, parameters[3:], 3, ended)


def _prepare_and_call(session: Session, parameters: Sequence[Parameter]) -> None:
    """`@handle OUTPUT, @procedure, values…`: what ODBC makes of {CALL procedure (?, …)}."""
    name = text_of(parameters[1])
    handle = session.prepare(Prepared(name, is_procedure=True))
    _call_by_client(session, name, parameters[2:], first=2)
    session.reply.return_value(0, parameters[0].name, t.INT, handle)


def _execute_prepared(session: Session, parameters: Sequence[Parameter]) -> None:
    """`@handle, values…`; 8179 for a handle that is not known."""
    handle = parameters[0].value
    prepared = session.prepared.get(handle) if isinstance(handle, int) else None
    if prepared is None:
        raise errors.SqlError(8179, f"Could not find prepared statement with handle {handle!s}.", 16, 2)
    if prepared.is_procedure:
        _call_by_client(session, prepared.text, parameters[1:], first=1)
        return
    ended = _run_nested(session, prepared.text, _bind(session, prepared.parameters, parameters[1:]))
    session.reply.return_status(0)
    _outputs(session, prepared.parameters, parameters[1:], 1, ended)


def _unprepare(session: Session, parameters: Sequence[Parameter]) -> None:
    handle = parameters[0].value
    if isinstance(handle, int):
        session.prepared.pop(handle, None)
    session.reply.return_status(0)


def _reset(session: Session, parameters: Sequence[Parameter]) -> None:
    session.reset()
    session.reply.return_status(0)


_SYSTEM: dict[str, Callable[[Session, Sequence[Parameter]], None]] = {
    "sp_executesql": _executesql,
    "sp_prepare": _prepare,
    "sp_prepexec": _prepare_and_execute,
    "sp_prepexecrpc": _prepare_and_call,
    "sp_execute": _execute_prepared,
    "sp_unprepare": _unprepare,
    "sp_describe_undeclared_parameters": descriptions.describe_parameters,
    "sp_describe_first_result_set": descriptions.describe_result,
    "sp_datatype_info": descriptions.datatype_info,
    "sp_datatype_info_90": descriptions.datatype_info,
    "sp_datatype_info_100": descriptions.datatype_info,
    "sp_reset_connection": _reset,
}
