"""EXEC and remote procedure calls: the system's procedures that drivers call, and those of users."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.compiler import names
from setup_kit.sandbox.sql.errors import EndOfBatch
from setup_kit.sandbox.sql.execution import descriptions, extended_properties, firewall_rules, renaming, table_values
from setup_kit.sandbox.sql.execution.arguments import (
    Outcome,
    check_output,
    coerce,
    given_value,
    leading,
    match,
    missing,
)
from setup_kit.sandbox.sql.execution.objects import find_procedure, require_type, resolve_type
from setup_kit.sandbox.sql.execution.prepared import Prepared
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.language import statements as s
from setup_kit.sandbox.sql.language.declarations import parse_declarations, text_of
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.tds.parameters import Call, Parameter
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import MAX, SqlType, Stored

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session
    from setup_kit.sandbox.sql.execution.table_values import TableArgument

#: Numbers of the procedures that a client may call by number (MS-TDS 2.2.6.6).
PROCEDURE_NUMBERS = {
    1: "sp_cursor", 2: "sp_cursoropen", 3: "sp_cursorprepare", 4: "sp_cursorexecute", 5: "sp_cursorprepexec",
    6: "sp_cursorunprepare", 7: "sp_cursorfetch", 8: "sp_cursoroption", 9: "sp_cursorclose", 10: "sp_executesql",
    11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 14: "sp_prepexecrpc", 15: "sp_unprepare",
}  # fmt: skip
EXECUTE_SQL, EXECUTE_PREPARED = 10, 12

#: Keys of a session's context; SQL Server bounds their size in all, 1 MB, instead.
_MOST_CONTEXT = 256


def run_call(session: Session, call: Call) -> None:
    """One remote procedure call. Its errors are in the reply when this returns, but for those that end the batch."""
    name = PROCEDURE_NUMBERS.get(call.procedure_id, call.procedure)
    started = time.perf_counter()
    reply = session.reply
    reply.calls += 1
    first_error, reply.first_error = reply.first_error, 0
    try:
        outcome = _outcome(session, _name(session, name), call.parameters)
        reply.return_status(outcome.status)
        for position, (kind, value) in sorted(outcome.outputs.items()):
            reply.return_value(position, call.parameters[position].name, kind, value)
    except EndOfBatch:
        reply.return_status(-1)
    except errors.SqlError as error:
        reply.error(error)
        session.record(f"EXECUTE {name}"[:60], error.number, (time.perf_counter() - started) * 1000, "")
        if error.ends_session:
            raise
    finally:
        reply.calls -= 1
        failed = bool(reply.first_error)
        reply.first_error = first_error or reply.first_error
    reply.done_call(failed=failed)


def _outcome(session: Session, name: s.Name, given: Sequence[Parameter]) -> Outcome:
    system = _SYSTEM.get(fold(name.name)) if fold(name.schema or "sys") in ("sys", "dbo") else None
    if system is not None:  # one that is not written in T-SQL; it is found without a schema, in `sys` and in `dbo`
        return system(session, given)
    return _call(session, name, given)


def _in_its_database(session: Session, name: s.Name, given: Sequence[Parameter]) -> Outcome:
    """On a machine a procedure of another database works there; in Azure SQL Database there is none (40515)."""
    if name.database is None or fold(name.database) == fold(session.database.name):
        return _outcome(session, name, given)
    if not session.virtual_machine:
        raise errors.other_database(f"{name.database}.{name}")
    with session.elsewhere(name.database):
        return _outcome(session, name, given)


def _name(session: Session, text: str) -> s.Name:
    """A procedure's name as clients send it, such as `[db].[sys].sp_tables` or `p;1`; the database must be this one."""
    before, semicolon, after = text.rpartition(";")
    parts = names.split_name(before if semicolon and after.isdigit() else text)
    if not parts or len(parts) > 3 or not parts[-1]:
        raise errors.unknown_procedure(text)
    if len(parts) == 3 and parts[0] and fold(parts[0]) != fold(session.database.name):
        raise errors.other_database(text)
    return s.Name(parts[-1], (parts[-2] if len(parts) > 1 else "") or None)


def execute(session: Session, statement: s.Execute) -> None:
    """EXEC in a batch."""
    if statement.text is not None:
        text = session.executor.evaluate(statement.text, t.nvarchar(MAX))
        _run_nested(session, str(text or ""), _Binding({}, {}))
        return
    assert statement.procedure is not None  # noqa: S101 - it is EXEC of a text or of a procedure
    given = [_argument(session, *argument) for argument in statement.arguments]
    session.reply.calls += 1
    try:
        outcome = _in_its_database(session, statement.procedure, given)
    finally:
        session.reply.calls -= 1
    if statement.status is not None and fold(statement.status) in session.variable_types:
        session.variables[fold(statement.status)] = outcome.status
    for position, (kind, value) in outcome.outputs.items():
        node = statement.arguments[position][1]
        if node.key == "parameter":
            variable = fold(node.this.name)
            session.variables[variable] = coerce(kind, value, session.variable_types[variable])
    session.reply.done()


def _argument(session: Session, name: str, node: exp.Expr, output: bool) -> Parameter:
    """An argument of EXEC: DEFAULT, a word that stands for itself, a table variable, or a value."""
    label = f"@{name}" if name else ""
    if isinstance(node, exp.Column) and not node.table:
        if node.name.upper() == "DEFAULT" and not node.this.args.get("quoted"):
            return Parameter(label, t.INT, None, default=True)
        return Parameter(label, t.nvarchar(4000), node.name)
    if isinstance(node, exp.Parameter):
        table = session.local_tables.find(f"@{node.name}")
        if table is not None:
            return Parameter(label, SqlType("table"), None, table=table_values.rows_of(session, table))
    kind, value = session.executor.evaluate_as_is(node)
    return Parameter(label, kind, value, output)


# Users' procedures


def _call(session: Session, name: s.Name, given: Sequence[Parameter]) -> Outcome:
    schema, owner, definition = find_procedure(session, name)
    label = definition.procedure.name
    declared = definition.parameters
    places = match(label, [parameter.name for parameter in declared], given)
    values: dict[str, tuple[SqlType, Stored]] = {}
    tables: dict[str, TableArgument] = {}
    for number, (parameter, place) in enumerate(zip(declared, places, strict=True), 1):
        kind = resolve_type(session, parameter.type, number)
        if kind.table is not None:
            require_type(session, "EXECUTE", kind.table)
            tables[parameter.name] = table_values.argument(kind.table, None if place is None else given[place])
        elif place is not None and not given[place].default:
            check_output(parameter.name, given[place], declared=parameter.output)
            values[parameter.name] = kind.type, given_value(given[place], kind.type)
        elif parameter.default is not None:
            default = parameter.default
            if isinstance(default, exp.Column) and not default.table:  # a word that stands for itself
                default = exp.National(this=default.name)
            values[parameter.name] = kind.type, session.executor.evaluate(default, kind.type)
        else:
            raise missing(label, parameter.name)
    with session.inside_procedure(label, schema, owner), session.with_variables(values, tables):
        status = session.interpreter.run_body(definition.body)
        outputs = {
            place: (values[parameter.name][0], session.variables[fold(parameter.name)])
            for parameter, place in zip(declared, places, strict=True)
            if place is not None and given[place].output and parameter.name in values
        }
    return Outcome(status, outputs)


# Text with parameters


@dataclass(frozen=True)
class _Binding:
    """Values for the parameters that a text declares; `outputs` are names of those wanted back, by position."""

    values: dict[str, tuple[SqlType, Stored]]
    outputs: dict[int, str]
    tables: dict[str, TableArgument] = field(default_factory=dict)


def _bind(
    session: Session, declared: Sequence[tuple[str, s.DeclaredType, bool]], given: Sequence[Parameter], first: int
) -> _Binding:
    """8178 for a parameter that is missing. `first` is the position of the first of `given` in its call."""
    values: dict[str, tuple[SqlType, Stored]] = {}
    outputs: dict[int, str] = {}
    tables: dict[str, TableArgument] = {}
    places = match("", [name for name, _, _ in declared], given)
    for number, ((name, written, output), place) in enumerate(zip(declared, places, strict=True), 1):
        if place is None:
            names = ",".join(f"@{label} {shown}" for label, shown, _ in declared)
            raise errors.error(8178, f"({names[:80]})", f"@{name}")
        parameter = given[place]
        kind = written
        if isinstance(kind, s.Name):
            session.catalog_now()
            resolved = resolve_type(session, kind, number)
            if resolved.table is not None:
                require_type(session, "EXECUTE", resolved.table)
                tables[name] = table_values.argument(resolved.table, parameter)
                continue
            kind = resolved.type
        values[name] = kind, given_value(parameter, kind)
        if parameter.output:
            check_output(name, parameter, declared=output)
            outputs[first + place] = name
    return _Binding(values, outputs, tables)


def _run_nested(session: Session, text: str, binding: _Binding) -> dict[int, tuple[SqlType, Stored]]:
    """Run a text with variables of its own; gives what is wanted back."""
    with session.inside_text(), session.with_variables(binding.values, binding.tables):
        session.interpreter.run_text(text)
        return {
            place: (binding.values[name][0], session.variables[fold(name)]) for place, name in binding.outputs.items()
        }


def _executesql(session: Session, given: Sequence[Parameter]) -> Outcome:
    """`@stmt, @params, values…`."""
    first = leading("sp_executesql", ("stmt", "params"), given, 1)
    text, declared = text_of(first[0]), _declared(first[1:])
    return Outcome(0, _run_nested(session, text, _bind(session, declared, given[2:], 2)))


def _declared(parameters: Sequence[Parameter]) -> tuple[tuple[str, s.DeclaredType, bool], ...]:
    return parse_declarations(text_of(parameters[0])) if parameters and parameters[0].value is not None else ()


def _prepare(session: Session, given: Sequence[Parameter]) -> Outcome:
    """`@handle OUTPUT, @params, @stmt, @options`."""
    first = leading("sp_prepare", ("handle", "params", "stmt", "options"), given, 3)
    prepared = Prepared(text_of(first[2]), _declared(first[1:2]))
    parser.parse_batch(prepared.text)
    return Outcome(0, {0: (t.INT, session.prepared.add(prepared))})


def _prepare_and_execute(session: Session, given: Sequence[Parameter]) -> Outcome:
    """`@handle OUTPUT, @params, @stmt, values…`; a handle that is given is given up first."""
    first = leading("sp_prepexec", ("handle", "params", "stmt"), given, 3)
    if isinstance(first[0].value, int):
        session.prepared.remove(first[0].value)
    prepared = Prepared(text_of(first[2]), _declared(first[1:2]))
    parser.parse_batch(prepared.text)  # what cannot be read gets no handle
    handle = session.prepared.add(prepared)
    outputs = _run_nested(session, prepared.text, _bind(session, prepared.parameters, given[3:], 3))
    return Outcome(0, {0: (t.INT, handle), **outputs})


def _prepare_and_call(session: Session, given: Sequence[Parameter]) -> Outcome:
    """`@handle OUTPUT, @procedure, values…`: what ODBC makes of {CALL procedure (?, …)}."""
    first = leading("sp_prepexecrpc", ("handle", "RpcCall"), given, 2)
    name = text_of(first[1])
    handle = session.prepared.add(Prepared(name, is_procedure=True))
    outcome = _call(session, _name(session, name), given[2:])
    return Outcome(outcome.status, {0: (t.INT, handle), **_moved(outcome.outputs, 2)})


def _execute_prepared(session: Session, given: Sequence[Parameter]) -> Outcome:
    """`@handle, values…`; 8179 for a handle that is not known."""
    handle = leading("sp_execute", ("handle",), given, 1)[0].value
    prepared = session.prepared.get(handle)
    if prepared is None:
        raise errors.error(8179, f"{handle!s}")
    if prepared.is_procedure:
        outcome = _call(session, _name(session, prepared.text), given[1:])
        return Outcome(outcome.status, _moved(outcome.outputs, 1))
    return Outcome(0, _run_nested(session, prepared.text, _bind(session, prepared.parameters, given[1:], 1)))


def _moved(outputs: Mapping[int, tuple[SqlType, Stored]], by: int) -> dict[int, tuple[SqlType, Stored]]:
    return {place + by: value for place, value in outputs.items()}


def _unprepare(session: Session, given: Sequence[Parameter]) -> Outcome:
    handle = leading("sp_unprepare", ("handle",), given, 1)[0].value
    if not session.prepared.remove(handle):
        raise errors.error(8179, f"{handle!s}")
    return Outcome()


def _reset(session: Session, given: Sequence[Parameter]) -> Outcome:
    session.reset()
    return Outcome()


def _cursor(name: str) -> _System:
    """Server cursors, which no driver here asks for unless it is told to."""

    def refuse(session: Session, given: Sequence[Parameter]) -> Outcome:
        raise unsupported.refused("server cursor", name)

    return refuse


_System = Callable[["Session", Sequence[Parameter]], Outcome]


def _set_session_context(session: Session, given: Sequence[Parameter]) -> Outcome:
    """`@key, @value, @read_only`: what SESSION_CONTEXT gives back; 15664 for a key that has been made read-only."""
    first = leading("sp_set_session_context", ("key", "value", "read_only"), given, 2)
    key = str(coerce(first[0].type, first[0].value, t.SYSNAME) or "")
    if session.session_context.get(fold(key), (None, False))[1]:
        raise errors.error(15664, key)
    if fold(key) not in session.session_context and len(session.session_context) >= _MOST_CONTEXT:
        raise errors.error(15665, key)
    value = coerce(first[1].type, first[1].value, t.VARIANT)
    session.session_context[fold(key)] = value, len(first) > 2 and bool(first[2].value)
    return Outcome()


_SYSTEM: dict[str, _System] = {
    **{name: _cursor(name) for number, name in PROCEDURE_NUMBERS.items() if number < EXECUTE_SQL},
    "sp_executesql": _executesql,
    "sp_prepare": _prepare,
    "sp_prepexec": _prepare_and_execute,
    "sp_prepexecrpc": _prepare_and_call,
    "sp_execute": _execute_prepared,
    "sp_unprepare": _unprepare,
    "sp_describe_undeclared_parameters": descriptions.describe_parameters,
    "sp_describe_first_result_set": descriptions.describe_result,
    "sp_reset_connection": _reset,
    "sp_set_session_context": _set_session_context,
    **firewall_rules.PROCEDURES,
    **extended_properties.PROCEDURES,
    "sp_rename": renaming.rename,
}
