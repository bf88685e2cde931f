"""The procedures that set extended properties of a database, which `sys.extended_properties` lists.

"sp_addextendedproperty" and the two beside it in the documentation of SQL Server. Of objects there are none here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.execution.arguments import Outcome, coerce, leading
from setup_kit.sandbox.sql.storage.catalog import PROPERTY, fold
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter
from setup_kit.sandbox.sql.tds.parameters import Parameter
from setup_kit.sandbox.sql.values import types as t

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session

_LEVELS = tuple(f"level{number}{part}" for number in (0, 1, 2) for part in ("type", "name"))


def _change(session: Session, label: str, given: Sequence[Parameter], *, value: bool, there: bool) -> None:
    """`value`: whether the procedure takes one; `there`: whether the property must be there. 15233, 15217."""
    names = ("name", *(("value",) if value else ()), *_LEVELS)
    found = leading(label, names, given, 1)
    if any(one.value is not None for one in found[2 if value else 1 :]):
        raise unsupported.refused("extended property of an object")
    name = str(coerce(found[0].type, found[0].value, t.SYSNAME) or "")
    text = coerce(found[1].type, found[1].value, t.nvarchar(3750)) if value and len(found) > 1 else None
    with session.transactions.writes():
        kept = next((key for key in session.catalog_now().options if fold(key) == fold(PROPERTY + name)), None)
        if not session.permissions.holds("ALTER"):
            raise errors.not_permitted()
        if (kept is not None) != there:
            raise errors.error(15217 if there else 15233, name, session.database.name)
        writer = CatalogWriter(session.connection)
        if kept is not None:
            writer.remove_option(kept)
        if value:
            writer.set_option(PROPERTY + name, "" if text is None else str(text))


def _add(session: Session, given: Sequence[Parameter]) -> Outcome:
    _change(session, "sp_addextendedproperty", given, value=True, there=False)
    return Outcome()


def _update(session: Session, given: Sequence[Parameter]) -> Outcome:
    _change(session, "sp_updateextendedproperty", given, value=True, there=True)
    return Outcome()


def _drop(session: Session, given: Sequence[Parameter]) -> Outcome:
    _change(session, "sp_dropextendedproperty", given, value=False, there=True)
    return Outcome()


PROCEDURES: dict[str, Callable[[Session, Sequence[Parameter]], Outcome]] = {
    "sp_addextendedproperty": _add,
    "sp_updateextendedproperty": _update,
    "sp_dropextendedproperty": _drop,
}
