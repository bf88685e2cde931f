"""Bodies of POST and PATCH: reads properties and bound lookups into stored columns; refuses what Dataverse refuses."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from setup_kit.sandbox.dataverse import errors, filters
from setup_kit.sandbox.dataverse.errors import WebApiError, bad_body
from setup_kit.sandbox.dataverse.schema import Column, Schema, Table
from setup_kit.sandbox.dataverse.tokens import GUID

_BOUND = re.compile(rf"(?:.*/)?(\w+)\(({GUID.pattern})\)")
KEPT_BY_SYSTEM = frozenset(
    {"versionnumber", "createdon", "modifiedon", "createdby", "modifiedby", "owninguser", "owningteam", "exchangerate"}
)
LARGEST = {"Integer": 2**31 - 1, "BigInt": 2**63 - 1}
MOST_MONEY = Decimal("922337203685477")
MOST_DOUBLE = 100_000_000_000
FIRST_DAY = "1753-01-01"  # of SQL Server's datetime


def read(schema: Schema, connection: sqlite3.Connection, table: Table, body: object) -> dict[str, Any]:
    """Stored values by column, for the given properties only. Raises WebApiError."""
    if not isinstance(body, Mapping):
        raise bad_body("A JSON object was expected.")
    values: dict[str, Any] = {}
    for name, value in body.items():
        if name.endswith("@odata.bind"):
            values |= _bound(schema, connection, table, name.removesuffix("@odata.bind"), value)
        elif "@" not in name:
            column = table.by_property.get(name)
            if column is None or (column.is_lookup and name == column.property):
                raise _unknown(table, name, column)
            if column.is_lookup:
                values |= _cleared(table, column, value)
            elif column.name not in KEPT_BY_SYSTEM and not column.base_of:
                values[column.name] = None if value is None else stored(column, value)
    return values


def _unknown(table: Table, name: str, column: Column | None) -> WebApiError:
    if column is not None:
        # The sentence that the Web API has for every attempt to set `_x_value`.
        return bad_body(
            "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead."
        )
    return errors.bad_body(
        f"Exception : Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table.name}'."
    )


def _cleared(table: Table, column: Column, value: object) -> dict[str, Any]:
    if value is not None:
        raise bad_body(f"A lookup is set with '{column.name}@odata.bind'.")
    return _lookup(column, None, None)


def _lookup(column: Column, target: str | None, record_id: str | None) -> dict[str, Any]:
    kind = {f"{column.name}type": target} if len(column.targets) > 1 else {}
    return {column.name: record_id} | kind


def _bound(schema: Schema, connection: sqlite3.Connection, table: Table, name: str, value: object) -> dict[str, Any]:
    found = table.navigation.get(name)
    if found is None:
        raise errors.bad_body(
            f"Exception : An undeclared property '{name}' which only has property annotations in the payload but no"
            " property value was found in the payload."
        )
    column, target = found
    if value is None:
        return _lookup(column, None, None)
    match = _BOUND.fullmatch(value) if isinstance(value, str) else None
    named = schema.by_entity_set.get(match.group(1)) if match else None
    if match is None or named is None:
        raise bad_body(f"The value of '{name}@odata.bind' is not the address of a record.")
    if named.name not in column.targets or (column.type != "Owner" and named.name != target):
        raise bad_body(f"'{name}' cannot refer to a record of '{named.name}'.")
    record_id = match.group(2).lower()
    statement = f'SELECT 1 FROM "{named.name}" WHERE "{named.primary_id}" = ?'  # noqa: S608 (names of our own schema)
    if connection.execute(statement, (record_id,)).fetchone() is None:
        raise errors.no_record(named.name, record_id)
    return _lookup(column, named.name, record_id)


def stored(column: Column, value: object) -> Any:
    """A JSON value in the form in which the column holds it; numbers with a point arrive as Decimal."""
    kind = column.type
    if kind in ("String", "Memo"):
        return _text(column, value)
    if kind == "Boolean" and isinstance(value, bool):
        return int(value)
    if kind == "Uniqueidentifier" and isinstance(value, str) and GUID.fullmatch(value):
        return value.lower()
    if kind in ("DateTime", "DateOnly") and isinstance(value, str):
        return _moment(column, value)
    if isinstance(value, bool):
        raise _wrong_type(column)
    if column.option_set is not None and isinstance(value, int):
        if column.option_set.label(value) is None:
            accepted = ",".join(str(option.value) for option in column.option_set.options)
            raise WebApiError(
                400,
                "0x80048408",
                f"A validation error occurred. The value {value} of '{column.name}' on record of type '{column.table}'"
                f" is outside the valid range. Accepted Values: {accepted}",
            )
        return value
    if kind in LARGEST and isinstance(value, int):
        if not -LARGEST[kind] - 1 <= value <= LARGEST[kind]:
            raise _out_of_range(column)
        return value
    if kind == "Double" and isinstance(value, int | Decimal):
        return _double(column, Decimal(value))
    if kind in ("Money", "Decimal") and isinstance(value, int | Decimal):
        return _amount(column, Decimal(value))
    raise _wrong_type(column)


def _text(column: Column, value: object) -> str:
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        raise _wrong_type(column)
    most = column.max_length or 0
    if utf16_length(value) > most:
        raise errors.too_long(column.table, column.name, most)
    return value


def utf16_length(text: str) -> int:
    """Length as SQL Server and Dataverse count it: an emoji is two."""
    return len(text.encode("utf-16-le")) // 2


def _moment(column: Column, value: str) -> str:
    found = filters.moment(value, column.type == "DateOnly")
    if found < FIRST_DAY:
        # The sentence, with its slip, is Dataverse's; its code is assumed.
        raise WebApiError(
            400,
            "0x80040203",
            "DateTime is less than minumum value supported by CrmDateTime."
            f" Actual value: {found}, Minimum value supported: 01/01/1753 00:00:00",
        )
    return found


def _double(column: Column, value: Decimal) -> float:
    if abs(value) > MOST_DOUBLE:
        raise _out_of_range(column)
    return float(value)


def _amount(column: Column, value: Decimal) -> str:
    if not value.is_finite() or abs(value) > MOST_MONEY:
        raise _out_of_range(column)
    return str(value.quantize(Decimal(1).scaleb(-(column.precision or 0))))


def _wrong_type(column: Column) -> WebApiError:
    return bad_body(
        f"Exception : Cannot convert the value of '{column.property}' to the expected type 'Edm' of {column.type}."
    )


def _out_of_range(column: Column) -> WebApiError:
    return WebApiError(
        400, "0x80044330", f"A validation error occurred. The value of '{column.name}' is outside the valid range."
    )
