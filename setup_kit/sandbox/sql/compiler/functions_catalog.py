"""Metadata functions: numbers, names and properties of objects, columns, types, indexes and schemas.

"Metadata Functions" of the T-SQL reference. All give NULL for what the caller may not see.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from setup_kit.sandbox.sql import permissions
from setup_kit.sandbox.sql.compiler.bound import Runtime
from setup_kit.sandbox.sql.compiler.builtin import Entry, entry
from setup_kit.sandbox.sql.compiler.names import find_constraint, find_object, find_type, split_name
from setup_kit.sandbox.sql.compiler.object_facts import (
    KINDS,
    Constraint,
    constraints_of,
    default_definition,
    numbered_indexes,
    type_id,
)
from setup_kit.sandbox.sql.compiler.type_facts import shown_precision
from setup_kit.sandbox.sql.storage.catalog import Check, Column, DatabaseObject, fold
from setup_kit.sandbox.sql.values import types as t
from setup_kit.sandbox.sql.values.types import SqlType, Stored

_NAME = t.nvarchar(776)


def _known(runtime: Runtime, object_id: int | None) -> DatabaseObject | None:
    """The object of a number, if the caller may know of it."""
    found = runtime.catalog.objects.get(object_id) if object_id is not None else None
    return found if found is not None and runtime.permissions.sees(found) else None


def _constraint(runtime: Runtime, object_id: int | None) -> Constraint | None:
    """The constraint of a number, if the caller may know of its table."""
    for found in runtime.catalog.objects.values() if object_id is not None else ():
        for constraint in constraints_of(found):
            if constraint.id == object_id:
                return constraint if runtime.permissions.sees(found) else None
    return None


# Schemas and objects


def _schema_name(runtime: Runtime, schema_id: int | None = None) -> Stored:
    if schema_id is None:
        return runtime.catalog.principals[runtime.permissions.principal_id].default_schema or "dbo"
    found = runtime.catalog.schemas.get(schema_id)
    return found.name if found else None


def _schema_id(runtime: Runtime, name: str | None = None) -> Stored:
    found = runtime.catalog.schema(str(_schema_name(runtime)) if name is None else name)
    return found.id if found else None


def _object_id(runtime: Runtime, name: str | None, kind: str | None = None) -> Stored:
    if name is None:
        return None
    wanted = kind.strip().upper() if kind is not None else None
    found = find_object(runtime, name)
    if found is not None:
        return found.id if wanted is None or found.kind == wanted else None
    constraint = find_constraint(runtime, name)
    if constraint is None or (wanted is not None and constraint.kind != wanted):
        return None
    return constraint.id


def _object_name(runtime: Runtime, object_id: int | None, database_id: int | None = None) -> Stored:
    if database_id is not None and database_id != runtime.database.id:
        return None
    found = _known(runtime, object_id)
    if found is not None:
        return found.name
    constraint = _constraint(runtime, object_id)
    return constraint.name if constraint is not None else None


def _object_schema_name(runtime: Runtime, object_id: int | None, database_id: int | None = None) -> Stored:
    if database_id is not None and database_id != runtime.database.id:
        return None
    constraint = _constraint(runtime, object_id)
    found = constraint.table if constraint is not None else _known(runtime, object_id)
    return runtime.catalog.schemas[found.schema_id].name if found is not None else None


def _object_definition(runtime: Runtime, object_id: int | None) -> Stored:
    found = _known(runtime, object_id)
    if found is not None:
        return found.definition if runtime.permissions.holds("VIEW DEFINITION", permissions.of_object(found)) else None
    constraint = _constraint(runtime, object_id)
    match constraint.part if constraint is not None else None:
        case Column() as column:
            return default_definition(column.default_text)
        case Check() as check:
            return f"({check.text})"
        case _:
            return None


def _has_key(*kinds: str) -> Callable[[DatabaseObject], int]:
    return lambda found: int(any(key.kind in kinds for key in found.keys))


def _is_kind(*kinds: str) -> Callable[[DatabaseObject], int]:
    return lambda found: int(found.kind in kinds)


#: Properties of tables, views and procedures; a property that is asked of another kind of object is NULL or 0.
_OBJECT_PROPERTIES: dict[str, Callable[[DatabaseObject], int]] = {
    "execisansinullson": _is_kind("P"), "execisquotedidenton": _is_kind("P"), "isansinullson": _is_kind("U", "V", "P"),
    "ischeckcnst": lambda _: 0, "isconstraint": lambda _: 0, "isdefaultcnst": lambda _: 0, "isencrypted": lambda _: 0,
    "isexecuted": _is_kind("V", "P"), "isforeignkey": lambda _: 0, "isindexed": _has_key("PK", "UQ", "UI", "IX"),
    "isinlinefunction": lambda _: 0, "ismsshipped": lambda _: 0, "isprimarykey": lambda _: 0,
    "isprocedure": _is_kind("P"), "isquotedidenton": _is_kind("U", "V", "P"), "isscalarfunction": lambda _: 0,
    "isschemabound": lambda _: 0, "issystemtable": lambda _: 0, "istable": _is_kind("U"),
    "istablefunction": lambda _: 0, "istrigger": lambda _: 0, "isuniquecnst": lambda _: 0,
    "isusertable": _is_kind("U"), "isview": _is_kind("V"), "tablehascheckcnst": lambda found: int(bool(found.checks)),
    "tablehasclustindex": _has_key("PK"),
    "tablehasdefaultcnst": lambda found: int(any(column.default_text for column in found.columns)),
    "tablehasforeignkey": lambda found: int(bool(found.foreign_keys)),
    "tablehasidentity": lambda found: int(any(column.identity for column in found.columns)),
    "tablehasindex": _has_key("PK", "UQ", "UI", "IX"), "tablehasnonclustindex": _has_key("UQ", "UI", "IX"),
    "tablehasprimarykey": _has_key("PK"), "tablehasrowguidcol": lambda _: 0, "tablehastextimage": lambda _: 0,
    "tablehastimestamp": lambda _: 0, "tablehasuniquecnst": _has_key("UQ"),
    "tableisfake": lambda _: 0, "tableismemoryoptimized": lambda _: 0, "tabletemporaltype": lambda _: 0,
}  # fmt: skip


_CONSTRAINT_PROPERTIES = {
    "isprimarykey": "PK", "isuniquecnst": "UQ", "isdefaultcnst": "D", "ischeckcnst": "C", "isforeignkey": "F",
}  # fmt: skip


def _object_property(runtime: Runtime, object_id: int | None, name: str | None) -> Stored:
    if name is None:
        return None
    wanted = fold(name)
    constraint = _constraint(runtime, object_id)
    if constraint is not None:
        own = _CONSTRAINT_PROPERTIES.get(wanted)
        if own is not None or wanted == "isconstraint":
            return int(own is None or own == constraint.kind)
    found = constraint.table if constraint is not None else _known(runtime, object_id)
    if found is None:
        return None
    if wanted == "ownerid":
        return runtime.catalog.owner_of(found)
    if wanted == "schemaid":
        return found.schema_id
    answer = _OBJECT_PROPERTIES.get(wanted)
    if answer is None:
        return None
    return answer(found) if constraint is None else 0


def _object_property_extended(runtime: Runtime, object_id: int | None, name: str | None) -> Stored:
    wanted = fold(name or "")
    found = _known(runtime, object_id)
    if wanted == "basetype":
        return found.kind if found is not None and found.kind in KINDS else None
    if wanted == "cardinality":
        return runtime.count_rows(found) if found is not None and found.kind == "U" else None
    return _object_property(runtime, object_id, name)


# Columns


def _column_length(runtime: Runtime, table: str | None, column: str | None) -> Stored:
    found = find_object(runtime, table) if table is not None else None
    held = found.columns_by_name.get(fold(column)) if found is not None and column is not None else None
    return held.type.max_length if held else None


def _column_name(runtime: Runtime, object_id: int | None, column_id: int | None) -> Stored:
    found = _known(runtime, object_id)
    return next((c.name for c in found.columns if c.id == column_id), None) if found else None


def _column_property(runtime: Runtime, object_id: int | None, column: str | None, name: str | None) -> Stored:
    found = _known(runtime, object_id)
    held = found.columns_by_name.get(fold(column)) if found is not None and column is not None else None
    if held is None or name is None:
        return None
    precision, scale = shown_precision(held.type)
    values: dict[str, Stored] = {
        "allowsnull": int(held.nullable), "columnid": held.id, "isidentity": int(held.identity is not None),
        "precision": held.type.length if held.type.name in t.SIZED else precision,
        "scale": scale if held.type.name in t.NUMBERS or held.type.name in t.SCALED else None,
        "charmaxlen": held.type.length if held.type.name in t.SIZED else None,
        "usesansitrim": 1 if held.type.name in t.SIZED else None, "iscomputed": int(held.computed is not None),
        "isindexable": int(held.type.length != t.MAX),
        "isprecise": int(held.type.name not in t.FLOATS), "isdeterministic": None,
    }  # fmt: skip
    if fold(name) in values:
        return values[fold(name)]
    never = ("ishidden", "isidnotforrepl", "isrowguidcol", "issparse", "iscolumnset", "isfulltextindexed",
             "isoutparam", "generatedalwaystype", "isxmlindexable", "iscursortype")  # fmt: skip
    return 0 if fold(name) in never else None


# Types


def _type_name(runtime: Runtime, number: int | None) -> Stored:
    if number == 256:
        return "sysname"
    for name, known in t.SYSTEM_TYPE_IDS.items():
        if known == number:
            return name
    for found in runtime.catalog.types_by_name.values():
        if type_id(found) == number and runtime.permissions.sees(found):
            return found.name
    return None


def _type_id(runtime: Runtime, name: str | None) -> Stored:
    parts = split_name(name) if name else None
    if not parts or len(parts) > 2:
        return None
    if len(parts) == 1 or fold(parts[0]) == "sys":
        number = 256 if fold(parts[-1]) == "sysname" else t.SYSTEM_TYPE_IDS.get(fold(parts[-1]))
        if number is not None:
            return number
    found = find_type(runtime, name or "")
    return type_id(found) if found is not None else None


def _type_property(runtime: Runtime, name: str | None, wanted: str | None) -> Stored:
    parts = split_name(name) if name else None
    label = fold(parts[-1]) if parts else ""
    if label not in t.SYSTEM_TYPE_IDS or wanted is None:
        return None
    decimals = label in ("decimal", "numeric")
    kind = SqlType(label, 8000 if label in t.SIZED else 0, 38 if decimals else 0, 7 if label in t.SCALED else 0)
    precision, scale = (38, 38) if decimals else shown_precision(kind)
    if label in t.SIZED:
        precision = 4000 if label in t.NATIONAL else 8000
    values: dict[str, Stored] = {
        "allowsnull": 1, "precision": precision, "scale": scale if label in t.NUMBERS or label in t.SCALED else None,
        "ownerid": 4, "usesansitrim": 1 if label in t.SIZED else None,
    }  # fmt: skip
    return values.get(fold(wanted))


# Indexes and identity


def _index_column(runtime: Runtime, table: str | None, index_id: int | None, ordinal: int | None) -> Stored:
    found = find_object(runtime, table) if table is not None else None
    if found is None:
        return None
    for number, key in numbered_indexes(found):
        if number == index_id and ordinal is not None and 1 <= ordinal <= len(key.columns):
            return next(column.name for column in found.columns if column.id == key.columns[ordinal - 1])
    return None


def _index_property(runtime: Runtime, object_id: int | None, index: str | None, name: str | None) -> Stored:
    found = _known(runtime, object_id)
    for number, key in numbered_indexes(found) if found is not None and index is not None else ():
        if fold(key.name) == fold(index) and name is not None:
            values = {
                "indexid": number, "isclustered": int(number == 1), "isunique": int(key.kind != "IX"), "isdisabled": 0,
                "indexfillfactor": 0, "ispadindex": 0, "ishypothetical": 0, "isstatistics": 0, "isautostatistics": 0,
                "isfulltextkey": 0, "isrowlockdisallowed": 0, "ispagelockdisallowed": 0, "iscolumnstore": 0,
                "indexdepth": 1,
            }  # fmt: skip
            return values.get(fold(name))
    return None


def _identity_of(position: int) -> Callable[..., Stored]:
    """IDENT_SEED (0) or IDENT_INCR (1) of a table."""

    def answer(runtime: Runtime, table: str | None) -> Stored:
        found = find_object(runtime, table) if table is not None else None
        column = next((c for c in found.columns if c.identity), None) if found is not None else None
        return t.encode_scaled(column.identity[position], 0) if column is not None and column.identity else None

    return answer


def _identity_current(runtime: Runtime, table: str | None) -> Stored:
    """The last identity value of a table in any session; its seed when there has been none."""
    found = find_object(runtime, table) if table is not None else None
    column = next((c for c in found.columns if c.identity), None) if found is not None else None
    if found is None or column is None or column.identity is None:
        return None
    last = runtime.last_identity(found)
    return t.encode_decimal(Decimal(column.identity[0] if last is None else last))


def _part_of_name(runtime: Runtime, name: str | None, part: int | None) -> Stored:
    parts = split_name(name) if name is not None else None
    if not parts or part is None or not 1 <= part <= 4 or len(parts) > 4 or part > len(parts):
        return None
    return parts[-part] or None


TABLE: dict[str, Entry] = {
    "SCHEMA_NAME": entry(0, 1, "schema_name", t.SYSNAME, _schema_name, t.INT),
    "SCHEMA_ID": entry(0, 1, "schema_id", t.INT, _schema_id, _NAME),
    "OBJECT_ID": entry(1, 2, "object_id", t.INT, _object_id, _NAME, t.nvarchar(10)),
    "OBJECT_NAME": entry(1, 2, "object_name", t.SYSNAME, _object_name, t.INT, t.INT),
    "OBJECT_SCHEMA_NAME": entry(1, 2, "object_schema_name", t.SYSNAME, _object_schema_name, t.INT, t.INT),
    "OBJECT_DEFINITION": entry(1, 1, "object_definition", t.nvarchar(t.MAX), _object_definition, t.INT),
    "OBJECTPROPERTY": entry(2, 2, "objectproperty", t.INT, _object_property, t.INT, _NAME),
    "OBJECTPROPERTYEX": entry(2, 2, "objectpropertyex", t.VARIANT, _object_property_extended, t.INT, _NAME),
    "COL_LENGTH": entry(2, 2, "col_length", t.SMALLINT, _column_length, _NAME, _NAME),
    "COL_NAME": entry(2, 2, "col_name", t.SYSNAME, _column_name, t.INT, t.INT),
    "COLUMNPROPERTY": entry(3, 3, "columnproperty", t.INT, _column_property, t.INT, _NAME, _NAME),
    "TYPE_NAME": entry(1, 1, "type_name", t.SYSNAME, _type_name, t.INT),
    "TYPE_ID": entry(1, 1, "type_id", t.INT, _type_id, _NAME),
    "TYPEPROPERTY": entry(2, 2, "typeproperty", t.INT, _type_property, _NAME, _NAME),
    "INDEX_COL": entry(3, 3, "index_col", t.SYSNAME, _index_column, _NAME, t.INT, t.INT),
    "INDEXPROPERTY": entry(3, 3, "indexproperty", t.INT, _index_property, t.INT, _NAME, _NAME),
    "IDENT_SEED": entry(1, 1, "ident_seed", t.decimal(38, 0), _identity_of(0), _NAME),
    "IDENT_INCR": entry(1, 1, "ident_incr", t.decimal(38, 0), _identity_of(1), _NAME),
    "IDENT_CURRENT": entry(1, 1, "ident_current", t.decimal(38, 0), _identity_current, _NAME),
    "PARSENAME": entry(2, 2, "parsename", t.SYSNAME, _part_of_name, _NAME, t.INT),
}
