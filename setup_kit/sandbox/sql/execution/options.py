"""SET options of a session."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors, permissions, unsupported
from setup_kit.sandbox.sql.execution.objects import resolve
from setup_kit.sandbox.sql.language import statements as s

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

#: Options that do something here, or that only say how a client wants to be told things.
_KEPT = frozenset(
    {
        "NOCOUNT", "XACT_ABORT", "IMPLICIT_TRANSACTIONS", "LOCK_TIMEOUT", "TEXTSIZE", "ANSI_PADDING", "ANSI_WARNINGS",
        "ANSI_NULL_DFLT_ON", "ANSI_DEFAULTS", "ARITHABORT", "CURSOR_CLOSE_ON_COMMIT", "DEADLOCK_PRIORITY",
        "TRANSACTION ISOLATION LEVEL", "STATISTICS IO", "STATISTICS TIME", "NO_BROWSETABLE",
        "FMTONLY",
    }
)  # fmt: skip

#: Those of them that are not ON or OFF.
_VALUED = frozenset({"LOCK_TIMEOUT", "TEXTSIZE", "DEADLOCK_PRIORITY", "TRANSACTION ISOLATION LEVEL"})

#: And those of these that are a number.
_NUMBERS = frozenset({"LOCK_TIMEOUT", "TEXTSIZE"})

#: Options that would change what statements mean, with the only value that is carried out.
_FIXED = {
    "QUOTED_IDENTIFIER": "ON", "ANSI_NULLS": "ON", "CONCAT_NULL_YIELDS_NULL": "ON", "NUMERIC_ROUNDABORT": "OFF",
    "ROWCOUNT": "0", "NOEXEC": "OFF", "PARSEONLY": "OFF", "DATEFIRST": "7", "LANGUAGE": "US_ENGLISH",
    "DATEFORMAT": "MDY",
}  # fmt: skip


def set_identity_insert(session: Session, statement: s.SetIdentityInsert) -> None:
    """Whether INSERT gives the values of a table's identity column: for one table at a time (8107)."""
    session.catalog_now()
    table = resolve(session, statement.table, "U")
    allowed = table is not None and (table.is_local or session.permissions.holds("ALTER", permissions.of_object(table)))
    if table is None or not allowed:
        raise errors.cannot_find_index_object(str(statement.table), 11)
    if not any(column.identity for column in table.columns):
        raise errors.error(8106, statement.table)
    held = session.identity_insert
    if statement.on and held not in (0, table.id):
        other = session.catalog.objects.get(held)
        schema = session.catalog.schemas[other.schema_id].name if other is not None else ""
        name = other.name if other is not None else ""
        raise errors.error(8107, session.database.name, schema, name, statement.table)
    if statement.on or held == table.id:
        session.identity_insert = table.id if statement.on else 0


def set_option(session: Session, statement: s.SetOption) -> None:
    """`SET option[, option…] value`; 40517 for one that is not known, or a value that is not carried out."""
    value = statement.value.strip("'")
    for option in (part.strip() for part in statement.option.split(",")):
        if option not in _KEPT and _FIXED.get(option) != value.upper():
            raise unsupported.refused("SET", f"{option} {value}" if option in _FIXED else option)
        if option in _KEPT and option not in _VALUED and value.upper() not in ("ON", "OFF"):
            raise errors.incorrect_syntax(value)
        if option in _NUMBERS:
            value = value.replace(" ", "")
            if not re.fullmatch("-?[0-9]+", value):
                raise errors.incorrect_syntax(value)
            if len(value) > 11 or not -(2**31) <= int(value) < 2**31:
                raise errors.number_out_of_range(value)
            value = str(int(value))
        if option == "LOCK_TIMEOUT":
            milliseconds = int(value)
            session.transactions.lock_timeout = None if milliseconds < 0 else milliseconds / 1000
        if option == "TRANSACTION ISOLATION LEVEL":
            session.transactions.isolation = value.upper()
        session.set_options[option] = value.upper()
