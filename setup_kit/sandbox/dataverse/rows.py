"""Writes rows as the JSON of the Web API: properties, etags, annotations of lookups, choices, amounts and dates.

The text is put together by hand: amounts keep every digit that JSON's floats would lose, and a page of thousands of
rows of a hundred and fifty columns takes a fraction of a second.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from setup_kit.sandbox.dataverse.options import FORMATTED, LOGICAL_NAME, NAVIGATION, Preferences
from setup_kit.sandbox.dataverse.schema import Column, Schema, Table

Values = Sequence[Any]
CHUNK = 500


@dataclass(frozen=True)
class Names:
    """Primary names of the rows that lookups of a page point to, and what amounts of a currency look like."""

    rows: dict[tuple[str, str], str]
    symbols: dict[str, str]


class RowWriter:
    """Writes rows of one table with the given columns; the values it takes are in the order of `stored`."""

    def __init__(self, schema: Schema, table: Table, columns: Iterable[Column], preferences: Preferences) -> None:
        self._schema = schema
        self._table = table
        self.columns = tuple(columns)
        self._formatted = preferences.wants(FORMATTED)
        self._logical_name = preferences.wants(LOGICAL_NAME)
        self._navigation = preferences.wants(NAVIGATION)
        self.stored = self._needed()
        self._index = {name: position for position, name in enumerate(self.stored)}
        self._version = self._index.get("versionnumber")
        self._key = self._index[table.primary_id]
        self._currency = self._index.get("transactioncurrencyid")
        self._plan = [
            (f",{encode_basestring(column.property)}:", self._index[column.name], WRITERS[column.type], column)
            for column in self.columns
        ]

    def _needed(self) -> tuple[str, ...]:
        """Stored columns to read: those asked for, the key, the version, and what annotations are made from."""
        names = dict.fromkeys(column.name for column in self.columns)
        for column in self.columns:
            if len(column.targets) > 1:
                names[f"{column.name}type"] = None
            if column.type == "Money" and "transactioncurrencyid" in self._table.by_name:
                names["transactioncurrencyid"] = None
        names[self._table.primary_id] = None
        if "versionnumber" in self._table.by_name:
            names["versionnumber"] = None
        return tuple(names)

    @property
    def select_list(self) -> str:
        return ", ".join(f'"{name}"' for name in self.stored)

    def key(self, row: Values) -> str:
        return str(row[self._key])

    def value(self, row: Values, name: str) -> Any:
        return row[self._index[name]]

    def write(self, connection: sqlite3.Connection, rows: Sequence[Values]) -> list[str]:
        """One JSON object a row."""
        if self._formatted or self._logical_name or self._navigation:
            names = self._names(connection, rows)
            return [self._annotated(row, names) for row in rows]
        return [self._plain(row) for row in rows]

    def _etag(self, row: Values) -> str:
        return "" if self._version is None else f'"@odata.etag":"W/\\"{row[self._version]}\\""'

    def _plain(self, row: Values) -> str:
        parts = []
        for prefix, index, write, _ in self._plan:
            value = row[index]
            parts.append(prefix)
            parts.append("null" if value is None else write(value))
        return _object(self._etag(row), "".join(parts))

    def _annotated(self, row: Values, names: Names) -> str:
        parts = []
        for prefix, index, write, column in self._plan:
            value = row[index]
            if value is None:
                parts.append(prefix + "null")
                continue
            name = column.property
            if column.is_lookup:
                target = self._target(column, row)
                if self._navigation:
                    parts.append(_pair(f"{name}@{NAVIGATION}", column.navigation_property(target)))
                if self._logical_name:
                    parts.append(_pair(f"{name}@{LOGICAL_NAME}", target))
                shown = names.rows.get((target, value))
            else:
                shown = self._shown(column, value, row, names) if self._formatted else None
            if self._formatted and shown is not None:
                parts.append(_pair(f"{name}@{FORMATTED}", shown))
            parts.append(prefix + write(value))
        return _object(self._etag(row), "".join(parts))

    def _target(self, column: Column, row: Values) -> str:
        return str(row[self._index[f"{column.name}type"]]) if len(column.targets) > 1 else column.targets[0]

    def _shown(self, column: Column, value: Any, row: Values, names: Names) -> str | None:
        if column.type == "Status" and self._table.kind == "activities":
            return None  # the same number means another reason in another kind of activity
        if column.option_set is not None:
            return column.option_set.label(value)
        if column.type == "Money":
            currency = "" if column.base_of or self._currency is None else row[self._currency]
            return f"{names.symbols.get(str(currency), '')}{Decimal(value):,.2f}"
        if column.name == "activitytypecode":
            return self._schema.tables[value].display_name
        writer = SHOWN.get(column.type)
        return writer(value) if writer else None

    def _names(self, connection: sqlite3.Connection, rows: Sequence[Values]) -> Names:
        wanted: dict[str, set[str]] = {}
        if self._formatted:
            for column in self.columns:
                if column.is_lookup:
                    index = self._index[column.name]
                    for row in rows:
                        if row[index] is not None:
                            wanted.setdefault(self._target(column, row), set()).add(row[index])
        found: dict[tuple[str, str], str] = {}
        for name, ids in wanted.items():
            table = self._schema.tables.get(name)
            if table is not None and table.primary_name is not None:
                found.update(((name, key), text) for key, text in _primary_names(connection, table, sorted(ids)))
        symbols = dict(connection.execute("SELECT transactioncurrencyid, currencysymbol FROM transactioncurrency"))
        base = connection.execute("SELECT basecurrencysymbol FROM organization").fetchone()
        return Names(found, symbols | {"": base[0]})


def chunks(items: Sequence[str]) -> Iterable[Sequence[str]]:
    """Parts small enough for the parameters of one statement."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _primary_names(connection: sqlite3.Connection, table: Table, ids: Sequence[str]) -> Iterable[tuple[str, str]]:
    for part in chunks(ids):
        marks = ", ".join("?" * len(part))
        statement = f'SELECT "{table.primary_id}", "{table.primary_name}" FROM "{table.name}"'  # noqa: S608
        yield from connection.execute(
            f'{statement} WHERE "{table.primary_id}" IN ({marks}) AND "{table.primary_name}" IS NOT NULL', part
        )


def _object(etag: str, members: str) -> str:
    return "{" + (etag + members if etag else members[1:]) + "}"


def _pair(name: str, value: str) -> str:
    return f",{encode_basestring(name)}:{encode_basestring(value)}"


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _date_shown(text: str) -> str:
    # Dates are shown as in the United States, the format of an organization whose locale is 1033.
    found = datetime.fromisoformat(text)
    day = f"{found.month}/{found.day}/{found.year}"
    if len(text) == len("2000-01-01"):
        return day
    return f"{day} {found.hour % 12 or 12}:{found.minute:02} {'PM' if found.hour >= 12 else 'AM'}"


def _verbatim(value: Any) -> str:
    return str(value)


WRITERS: dict[str, Callable[[Any], str]] = {
    "Boolean": _boolean,
    "Double": repr,
} | dict.fromkeys(("Integer", "BigInt", "Picklist", "State", "Status", "Money", "Decimal"), _verbatim)
WRITERS |= dict.fromkeys(
    ("String", "Memo", "EntityName", "Uniqueidentifier", "DateTime", "DateOnly", "Lookup", "Customer", "Owner"),
    encode_basestring,
)
SHOWN: dict[str, Callable[[Any], str]] = {
    "Boolean": lambda value: "Yes" if value else "No",
    "Integer": lambda value: f"{value:,}",
    "BigInt": lambda value: f"{value:,}",
    "Double": lambda value: f"{value:,}",
    "Decimal": lambda value: f"{Decimal(value):,}",
    "DateTime": _date_shown,
    "DateOnly": _date_shown,
}
