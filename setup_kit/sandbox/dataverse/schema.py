"""The organization's tables, columns, option sets and N:N relationships, read from the CSV files beside this module.

`tables.csv` has one line a table, `columns/<table>.csv` one line a column, `options.csv` one line a choice,
`relationships.csv` one line an N:N relationship. Names, types, lengths, precisions and choices are those of Microsoft's
public table reference and Common Data Model, and of the tables that the hosted export service made.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

NAMESPACE = uuid.UUID("6f0d6a52-8a0c-4f53-9c2e-6d1d0c6f7d31")
LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
CHOICES = frozenset({"Picklist", "State", "Status"})
NUMBERS = frozenset({"Money", "Decimal", "Double"})


def stable_id(*words: str) -> str:
    """The same GUID for the same words, in every organization."""
    return str(uuid.uuid5(NAMESPACE, "/".join(words)))


@dataclass(frozen=True)
class Option:
    """One choice of an option set; `state` is the state that a status reason belongs to."""

    value: int
    label: str
    state: int | None = None


@dataclass(frozen=True)
class OptionSet:
    name: str
    is_global: bool
    options: tuple[Option, ...]

    def label(self, value: int) -> str | None:
        return next((option.label for option in self.options if option.value == value), None)


@dataclass(frozen=True)
class Column:
    """A column; `type` is Dataverse's attribute type, with DateOnly for a DateTime that has no time of day.

    `of` names the lookup that this column describes (`owneridname` of `ownerid`): such a column has metadata but never
    stands in a row, where annotations say the same.
    """

    table: str
    schema_name: str
    type: str
    number: int
    label: str
    of: str | None = None
    max_length: int | None = None
    precision: int | None = None
    targets: tuple[str, ...] = ()
    option_set: OptionSet | None = None

    @functools.cached_property
    def name(self) -> str:
        return self.schema_name.lower()

    @functools.cached_property
    def id(self) -> str:
        return stable_id(self.table, self.name)

    @functools.cached_property
    def is_lookup(self) -> bool:
        return self.type in LOOKUPS

    @functools.cached_property
    def property(self) -> str:
        """Its name in a row of the Web API."""
        return f"_{self.name}_value" if self.is_lookup else self.name

    @functools.cached_property
    def base_of(self) -> str | None:
        """The money column whose value in the base currency this one holds."""
        return self.name.removesuffix("_base") if self.type == "Money" and self.name.endswith("_base") else None

    @functools.cached_property
    def in_rows(self) -> bool:
        return self.of is None and self.type != "PartyList"

    def navigation_property(self, target: str) -> str:
        """Name of the navigation property to `target`: one for each where a lookup has several targets."""
        if len(self.targets) < 2 or self.type == "Owner":
            return self.name
        suffix = f"_{self.table}" if self.name == "regardingobjectid" else ""
        return f"{self.name}_{target}{suffix}"


@dataclass(frozen=True)
class Table:
    name: str
    entity_set: str
    type_code: int
    primary_id: str
    primary_name: str | None
    display_name: str
    collection_name: str
    ownership: str
    kind: str  # table, activity, activities (what all activities have in common), intersect
    change_tracking: bool
    can_track_changes: bool
    columns: tuple[Column, ...]

    @functools.cached_property
    def id(self) -> str:
        return stable_id(self.name)

    @functools.cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @functools.cached_property
    def row_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.in_rows)

    @functools.cached_property
    def stored_columns(self) -> tuple[str, ...]:
        """Columns of the SQLite table: those of rows, and the target table of each lookup that has several."""
        names: list[str] = []
        for column in self.row_columns:
            names.append(column.name)
            if len(column.targets) > 1:
                names.append(f"{column.name}type")
        return tuple(names)

    @functools.cached_property
    def by_property(self) -> dict[str, Column]:
        """Row columns by their name in a row, and lookups by their own name too, as `$select` takes them."""
        names = {column.property: column for column in self.row_columns}
        return {column.name: column for column in self.row_columns if column.is_lookup} | names

    @functools.cached_property
    def navigation(self) -> dict[str, tuple[Column, str]]:
        """Lookup and target table by navigation property; a lookup's own name stands for it where that is plain."""
        found: dict[str, tuple[Column, str]] = {}
        for column in self.row_columns:
            for target in column.targets:
                found.setdefault(column.navigation_property(target), (column, target))
        return found

    @property
    def writable(self) -> bool:
        return self.kind in ("table", "activity")

    def columns_of_type(self, *types: str) -> Iterator[Column]:
        return (column for column in self.columns if column.type in types)


@dataclass(frozen=True)
class Relationship:
    """An N:N relationship and the intersect table that holds its pairs."""

    schema_name: str
    intersect_table: str
    table1: str
    attribute1: str
    table2: str
    attribute2: str

    @functools.cached_property
    def id(self) -> str:
        return stable_id("relationship", self.schema_name)


@dataclass(frozen=True)
class Schema:
    tables: dict[str, Table]
    relationships: tuple[Relationship, ...]
    option_sets: dict[str, OptionSet]

    @functools.cached_property
    def by_entity_set(self) -> dict[str, Table]:
        return {table.entity_set: table for table in self.tables.values()}

    def relationships_of(self, table: str) -> Iterator[Relationship]:
        return (item for item in self.relationships if table in (item.table1, item.table2))

    def relationship_through(self, intersect: str) -> Relationship:
        return next(item for item in self.relationships if item.intersect_table == intersect)


@functools.cache
def load() -> Schema:
    option_sets = _option_sets()
    columns: dict[str, tuple[Column, ...]] = {}
    tables: dict[str, Table] = {}
    for line in _read("tables.csv"):
        name = line["table"]
        if line["kind"] != "activities":
            columns[name] = _columns(name, option_sets)
    for line in _read("tables.csv"):
        name = line["table"]
        tables[name] = Table(
            name,
            line["entity_set"],
            int(line["type_code"]),
            line["primary_id"],
            line["primary_name"] or None,
            line["display_name"],
            line["collection_name"],
            line["ownership"],
            line["kind"],
            line["change_tracking"] == "yes",
            line["can_track_changes"] == "yes",
            columns.get(name) or _common_columns(name, columns),
        )
    relationships = tuple(Relationship(**line) for line in _read("relationships.csv"))
    return Schema(tables, relationships, {name: item for name, item in option_sets.items() if item.is_global})


ACTIVITIES = ("task", "phonecall")


def _common_columns(name: str, columns: dict[str, tuple[Column, ...]]) -> tuple[Column, ...]:
    """An activity pointer shows what all kinds of activity have in common; its choices are those of all of them."""
    kinds = [{column.name: column for column in columns[kind]} for kind in ACTIVITIES]
    shared = [column for column in kinds[0].values() if all(column.name in kind for kind in kinds)]
    return tuple(
        dataclasses.replace(
            column, table=name, number=number, option_set=_all_options(name, [kind[column.name] for kind in kinds])
        )
        for number, column in enumerate(shared, 1)
    )


def _all_options(table: str, columns: list[Column]) -> OptionSet | None:
    options: dict[int, Option] = {}
    for column in columns:
        for option in column.option_set.options if column.option_set else ():
            options.setdefault(option.value, option)
    return OptionSet(f"{table}_{columns[0].name}", False, tuple(options.values())) if options else None


def _columns(table: str, option_sets: dict[str, OptionSet]) -> tuple[Column, ...]:
    found = []
    for number, line in enumerate(_read(f"columns/{table}.csv"), 1):
        kind, detail, name = line["type"], line["detail"], line["column"].lower()
        found.append(
            Column(
                table,
                line["column"],
                kind,
                number,
                line["label"],
                line["of"] or None,
                int(detail) if kind in ("String", "Memo") else None,
                int(detail) if kind in NUMBERS else None,
                tuple(detail.split()) if kind in LOOKUPS else (),
                option_sets[detail or f"{table}.{name}"] if kind in CHOICES else None,
            )
        )
    return tuple(found)


def _option_sets() -> dict[str, OptionSet]:
    """By `<table>.<column>`, or by the name of a global one."""
    lines: dict[str, list[Option]] = {}
    for line in _read("options.csv"):
        state = int(line["state"]) if line["state"] else None
        lines.setdefault(line["option_set"], []).append(Option(int(line["value"]), line["label"], state))
    return {name: OptionSet(name.replace(".", "_"), "." not in name, tuple(items)) for name, items in lines.items()}


def _read(path: str) -> list[dict[str, str]]:
    folder = resources.files("setup_kit.sandbox.dataverse")
    return list(csv.DictReader(folder.joinpath(path).read_text(encoding="utf-8").splitlines()))
