"""How an entity's attributes become a destination table, and its records that table's rows.

Columns, types and their grouping are those that the hosted service made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from setup_kit.service.dataverse import FORMATTED, LOOKUP_TYPE, PAGE_SIZE

# SQL types as ODBC numbers them, for binding parameters without asking the server what they are.
SQL_GUID = -11
SQL_WVARCHAR = -9
SQL_BIT = -7
SQL_BIGINT = -5
SQL_DECIMAL = 3
SQL_INTEGER = 4
SQL_TYPE_TIMESTAMP = 93

NVARCHAR_LIMIT = 4000  # longer is nvarchar(max)
DECIMAL_PRECISION = 38
PARAMETERS_LIMIT = 2000  # SQL Server takes 2100, some of which the driver needs
ROWS_LIMIT = 1000  # SQL Server's, of one VALUES


@dataclass(frozen=True)
class SqlType:
    """`size`: characters of nvarchar (None: max); `scale`: digits of a decimal after the point."""

    odbc: int
    sql: str
    size: int | None = None
    scale: int = 0

    @classmethod
    def nvarchar(cls, size: int | None) -> SqlType:
        if size is None or size > NVARCHAR_LIMIT or size < 1:
            return cls(SQL_WVARCHAR, "nvarchar(max)")
        return cls(SQL_WVARCHAR, f"nvarchar({size})", size)

    @classmethod
    def decimal(cls, scale: int) -> SqlType:
        return cls(SQL_DECIMAL, f"decimal({DECIMAL_PRECISION},{scale})", scale=scale)


UNIQUEIDENTIFIER = SqlType(SQL_GUID, "uniqueidentifier")
INT = SqlType(SQL_INTEGER, "int")
BIGINT = SqlType(SQL_BIGINT, "bigint")
BIT = SqlType(SQL_BIT, "bit")
DATETIME = SqlType(SQL_TYPE_TIMESTAMP, "datetime")
ENTITY_TYPE = SqlType.nvarchar(128)
ENTITY_NAME = SqlType.nvarchar(4000)

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Column:
    """`source`: the record's member that it is read from; None where there is none."""

    name: str
    type: SqlType
    source: str | None = None
    convert: Convert | None = None
    nullable: bool = True
    identity: bool = False


@dataclass(frozen=True)
class Table:
    """A destination table; `name` without schema. `key`: its primary key's columns."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    def create(self, schema: str) -> str:
        definitions = []
        for column in self.columns:
            definition = f"{identifier(column.name)} {column.type.sql}"
            if column.identity:
                definition += " IDENTITY(1,1)"
            definition += " NULL" if column.nullable else " NOT NULL"
            if self.key == (column.name,):
                definition += " PRIMARY KEY"
            definitions.append(definition)
        if len(self.key) > 1:
            definitions.append(f"PRIMARY KEY ({', '.join(identifier(name) for name in self.key)})")
        return f"CREATE TABLE {qualified(schema, self.name)} ({', '.join(definitions)})"

    @property
    def written(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if not column.identity)

    def insert(self, schema: str, rows: int) -> str:
        """A statement for so many rows at once."""
        names = ", ".join(identifier(column.name) for column in self.written)
        marks = f"({', '.join('?' for _ in self.written)})"
        values = ", ".join(marks for _ in range(rows))
        return f"INSERT INTO {qualified(schema, self.name)} ({names}) VALUES {values}"  # noqa: S608 (quoted)

    @property
    def rows_a_statement(self) -> int:
        """As many as one statement's parameters hold, such that the same statement does for all of a full page."""
        most = max(1, min(ROWS_LIMIT, PARAMETERS_LIMIT // len(self.written)))
        return next(count for count in range(most, 0, -1) if PAGE_SIZE % count == 0)


def identifier(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def qualified(schema: str, name: str) -> str:
    return f"{identifier(schema)}.{identifier(name)}"


def literal(text: str) -> str:
    return "N'" + text.replace("'", "''") + "'"


_SINK = (
    Column("SinkCreatedOn", DATETIME),
    Column("SinkModifiedOn", DATETIME),
)
_LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
_SIMPLE: dict[str, SqlType] = {
    "State": INT,
    "Status": INT,
    "Picklist": INT,
    "Boolean": BIT,
    "Uniqueidentifier": UNIQUEIDENTIFIER,
    "Integer": INT,
    "BigInt": BIGINT,
    "DateTime": DATETIME,
    "EntityName": ENTITY_NAME,
    "Memo": SqlType.nvarchar(None),
}
# The order in which the hosted service laid columns out.
_GROUPS = {
    "State": 0,
    "Status": 0,
    "Picklist": 1,
    "Boolean": 2,
    "Lookup": 3,
    "Customer": 4,
    "Owner": 4,
    "Money": 5,
    "PartyList": 6,
}


def entity_table(name: str, definition: Mapping[str, Any]) -> Table:
    """An entity's table. Attributes of types that are not exported (virtual, file, image, …) have no column."""
    primary = definition["PrimaryIdAttribute"]
    attributes = {attribute["LogicalName"]: attribute for attribute in definition["Attributes"]}
    ordered = sorted(attributes.values(), key=lambda attribute: _GROUPS.get(attribute["AttributeType"], 9))
    columns = [Column("Id", UNIQUEIDENTIFIER, primary, nullable=False), *_SINK]
    for attribute in ordered:
        columns += attribute_columns(attribute, attributes)
    return Table(name, tuple(columns), ("Id",))


def attribute_columns(attribute: Mapping[str, Any], attributes: Mapping[str, Mapping[str, Any]]) -> list[Column]:
    """The columns of one attribute: none, one, or for a lookup its id and the type of what it points to."""
    name = attribute["LogicalName"]
    kind = attribute["AttributeType"]
    if attribute.get("IsValidForRead") is False:
        return []
    described = attributes.get(attribute.get("AttributeOf") or "", {})
    lookup = described.get("LogicalName") if described.get("AttributeType") in _LOOKUPS else None
    if kind in _LOOKUPS:
        return [
            Column(name, UNIQUEIDENTIFIER, f"_{name}_value"),
            Column(f"{name}_entitytype", ENTITY_TYPE, f"_{name}_value@{LOOKUP_TYPE}"),
        ]
    if kind == "PartyList":
        # A party list is many records; the hosted service made this column all the same. What it held is not recorded.
        return [Column(name, UNIQUEIDENTIFIER)]
    if kind == "EntityName" and lookup:
        return [Column(name, ENTITY_NAME, f"_{lookup}_value@{LOOKUP_TYPE}")]
    if kind == "String":
        type_ = SqlType.nvarchar(attribute.get("MaxLength"))
        if lookup:
            # A name beside a lookup is an annotation in the Web API, which knows no phonetic ("yomi") names of lookups.
            # The annotation may be longer than the attribute that stands for it.
            source = None if name.endswith("yominame") else f"_{lookup}_value@{FORMATTED}"
            return [Column(name, type_, source, _cut(type_.size))]
        return [Column(name, type_, name)]
    if kind in {"Decimal", "Double", "Money"}:
        scale = int(attribute.get("Precision") or 0)
        return [Column(name, SqlType.decimal(scale), name, _decimal(scale))]
    if kind == "DateTime":
        return [Column(name, DATETIME, name, date_time)]
    if kind in _SIMPLE:
        return [Column(name, _SIMPLE[kind], name)]
    return []


def _cut(size: int | None) -> Convert | None:
    if size is None:
        return None

    def convert(value: str) -> str:
        # nvarchar counts UTF-16 units; a character outside the basic plane is two, and is not halved.
        return value if 2 * len(value) <= size else value.encode("utf-16-le")[: 2 * size].decode("utf-16-le", "ignore")

    return convert


def _decimal(scale: int) -> Convert:
    step = Decimal(1).scaleb(-scale)

    def convert(value: Any) -> Decimal:
        return Decimal(value).quantize(step)

    return convert


def date_time(value: str) -> datetime:
    """A date, or a point in time of the Web API."""
    return sql_time(datetime.fromisoformat(value))


def sql_time(moment: datetime) -> datetime:
    """In UTC, without a zone and in whole milliseconds: no more goes into SQL Server's `datetime`."""
    moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def rows(table: Table, records: Iterable[Mapping[str, Any]], written_on: datetime) -> list[tuple[Any, ...]]:
    """Records of the Web API as rows of the table, in the order of its columns."""
    sink = {column.name for column in _SINK}
    plan: list[tuple[str | None, Convert | None, Any]] = [
        (column.source, column.convert, written_on if column.name in sink else None) for column in table.written
    ]
    return [
        tuple(
            constant
            if source is None or (value := record.get(source)) is None
            else value
            if convert is None
            else convert(value)
            for source, convert, constant in plan
        )
        for record in records
    ]


def narrowed(table: Table, batch: Sequence[Sequence[Any]], kept: frozenset[str]) -> tuple[Table, list[list[Any]]]:
    """Table and rows without the columns that are empty in all rows, except the `kept` ones.

    Half of an entity's columns are empty in most organizations, and a column left out is NULL.
    """
    numbers = [
        number
        for number, (column, values) in enumerate(zip(table.written, zip(*batch, strict=True), strict=True))
        if column.name in kept or any(value is not None for value in values)
    ]
    columns = tuple(table.written[number] for number in numbers)
    return Table(table.name, columns, table.key), [[row[number] for number in numbers] for row in batch]


def input_sizes(table: Table, batch: Sequence[Sequence[Any]]) -> list[tuple[int, int, int]]:
    """How to bind a batch: each column's ODBC type, size and digits.

    A text is bound as long as the batch needs, not as its column allows: the driver keeps room for every row's longest.
    """
    sizes = []
    for number, column in enumerate(table.written):
        type_ = column.type
        if type_.odbc == SQL_WVARCHAR:
            # In UTF-16 units, of which a character has at most two.
            longest = max((2 * len(row[number]) for row in batch if row[number] is not None), default=0)
            sizes.append((SQL_WVARCHAR, _bucket(longest), 0))
        elif type_.odbc == SQL_DECIMAL:
            sizes.append((SQL_DECIMAL, DECIMAL_PRECISION, type_.scale))
        elif type_.odbc == SQL_TYPE_TIMESTAMP:
            sizes.append((SQL_TYPE_TIMESTAMP, 23, 3))
        else:
            sizes.append((type_.odbc, 0, 0))
    return sizes


def _bucket(length: int) -> int:
    """Few different sizes, so that the driver prepares few different statements; 0 is nvarchar(max)."""
    for size in (64, 256, 1024, NVARCHAR_LIMIT):
        if length <= size:
            return size
    return 0
