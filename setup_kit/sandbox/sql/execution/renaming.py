"""sp_rename: another name for an object, a column, an index or a type. What mentions the old name stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql import permissions as p
from setup_kit.sandbox.sql.compiler.names import find_constraint, find_object, find_type, split_name
from setup_kit.sandbox.sql.execution.arguments import Outcome, coerce, leading
from setup_kit.sandbox.sql.storage.catalog import DatabaseObject, fold
from setup_kit.sandbox.sql.storage.catalog_writer import CatalogWriter
from setup_kit.sandbox.sql.tds.parameters import Parameter
from setup_kit.sandbox.sql.values import types as t

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.execution.session import Session


def rename(session: Session, given: Sequence[Parameter]) -> Outcome:
    """`@objname, @newname, @objtype`; without a type an object, a column or an index, whichever the name is of."""
    found = leading("sp_rename", ("objname", "newname", "objtype"), given, 2)
    old, new, *kind = [str(coerce(one.type, one.value, t.nvarchar(776)) or "") for one in found]
    label = kind[0].upper() if kind and kind[0] else ""
    if not new or len(new) > 128:
        raise errors.error(15224, new[:128])
    if label and label not in _KINDS:
        raise errors.error(15249, label)
    with session.transactions.writes():
        session.catalog_now()
        for name in (label,) if label else ("OBJECT", "COLUMN", "INDEX"):
            if _KINDS[name](session, old, new):
                session.reply.message(15477, 1, 10, errors.error(15477).message)
                return Outcome()
    raise errors.error(15225, old, session.database.name, label or "(null)")


def _object(session: Session, old: str, new: str) -> bool:
    found = find_object(session, old)
    constraint = find_constraint(session, old) if found is None else None
    owner = found or (constraint.table if constraint is not None else None)
    if owner is None or owner.is_local or not _may_alter(session, owner):
        return False
    schema = session.catalog.schemas[owner.schema_id].name
    taken = f"[{schema}].[{new.replace(']', ']]')}]"
    if find_object(session, taken) is not None or find_constraint(session, taken) is not None:
        raise errors.error(15335, new, "object")
    writer = CatalogWriter(session.connection)
    if found is not None:
        writer.rename_object(found.id, new)
    elif constraint is not None and constraint.kind == "D":
        column = next(c for c in owner.columns if c.default_name and fold(c.default_name) == fold(constraint.name))
        writer.rename_default(owner.id, column.id, new)
    elif constraint is not None:
        writer.rename_constraint(constraint.id, new)
    return True


def _column(session: Session, old: str, new: str) -> bool:
    owner, name = _inside(session, old)
    column = owner.columns_by_name.get(fold(name)) if owner is not None else None
    if owner is None or column is None or not _may_alter(session, owner):
        return False
    if fold(new) != fold(name) and fold(new) in owner.columns_by_name:
        raise errors.error(15335, new, "COLUMN")
    texts = [check.text for check in owner.checks] + [c.computed for c in owner.columns if c.computed]
    if any(re.search(rf"(?<![\w@#$]){re.escape(fold(name))}(?![\w@#$])", fold(text)) for text in texts):
        raise errors.error(15336, old)
    CatalogWriter(session.connection).rename_column(owner.id, column.id, new)
    return True


def _index(session: Session, old: str, new: str) -> bool:
    owner, name = _inside(session, old)
    key = next((key for key in owner.keys if fold(key.name) == fold(name)), None) if owner is not None else None
    if owner is None or key is None or not _may_alter(session, owner):
        return False
    if any(other.id != key.id and fold(other.name) == fold(new) for other in owner.keys):
        raise errors.error(15335, new, "INDEX")
    CatalogWriter(session.connection).rename_constraint(key.id, new)
    return True


def _type(session: Session, old: str, new: str) -> bool:
    found = find_type(session, old)
    if found is None or not session.permissions.holds("CONTROL", p.of_object(found)):
        return False
    if (found.schema_id, fold(new)) in session.catalog.types_by_name:
        raise errors.error(15335, new, "USERDATATYPE")
    CatalogWriter(session.connection).rename_object(found.id, new)
    return True


def _inside(session: Session, name: str) -> tuple[DatabaseObject | None, str]:
    """The table of `table.part` or `schema.table.part`, and the part."""
    parts = split_name(name) or []
    if not 2 <= len(parts) <= 3:
        return None, ""
    table = ".".join(f"[{part.replace(']', ']]')}]" for part in parts[:-1])
    found = find_object(session, table)
    return (found if found is not None and found.kind == "U" and not found.is_local else None), parts[-1]


def _may_alter(session: Session, found: DatabaseObject) -> bool:
    """Who may not is told what is told of an object that is not there."""
    return session.permissions.holds("ALTER", p.of_object(found))


_KINDS: dict[str, Callable[[Session, str, str], bool]] = {
    "OBJECT": _object, "COLUMN": _column, "INDEX": _index, "USERDATATYPE": _type,
}  # fmt: skip
