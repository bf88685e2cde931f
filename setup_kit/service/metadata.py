"""The tables that describe the exported entities: option sets, states, status reasons, lookup targets, attributes.

Columns of the four label tables: as the hosted service made them. Of `TargetMetadata`, `AttributeMetadata` and
`DeleteLog`: as published by owners of destination databases and by Microsoft's DataverseToSql.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from setup_kit.service.tables import BIGINT, BIT, DATETIME, INT, Column, SqlType, Table

NAME = SqlType.nvarchar(64)
LABEL = SqlType.nvarchar(256)

_LABEL_COLUMNS = (
    Column("isuserlocalizedlabel", BIT, nullable=False),
    Column("localizedlabellanguagecode", INT, nullable=False),
    Column("localizedlabel", LABEL),
)

# Table → its columns and the column whose value its rows are replaced by.
_TABLES: dict[str, tuple[tuple[Column, ...], str]] = {
    "GlobalOptionsetMetadata": (
        (
            Column("optionsetname", NAME, nullable=False),
            Column("option", INT, nullable=False),
            *_LABEL_COLUMNS,
        ),
        "optionsetname",
    ),
    "OptionsetMetadata": (
        (
            Column("entityname", NAME, nullable=False),
            Column("optionsetname", NAME, nullable=False),
            Column("option", INT, nullable=False),
            *_LABEL_COLUMNS,
        ),
        "entityname",
    ),
    "StateMetadata": (
        (Column("entityname", NAME, nullable=False), Column("state", INT, nullable=False), *_LABEL_COLUMNS),
        "entityname",
    ),
    "StatusMetadata": (
        (
            Column("entityname", NAME, nullable=False),
            Column("state", INT, nullable=False),
            Column("status", INT, nullable=False),
            *_LABEL_COLUMNS,
        ),
        "entityname",
    ),
    "TargetMetadata": (
        (
            Column("EntityName", NAME, nullable=False),
            Column("AttributeName", NAME, nullable=False),
            Column("ReferencedEntity", NAME, nullable=False),
            Column("ReferencedAttribute", NAME),
        ),
        "EntityName",
    ),
    "AttributeMetadata": (
        (
            Column("Id", BIGINT, nullable=False, identity=True),
            Column("EntityName", NAME, nullable=False),
            Column("AttributeName", NAME, nullable=False),
            Column("AttributeType", NAME, nullable=False),
            Column("AttributeTypeCode", INT, nullable=False),
            Column("Version", BIGINT),
            Column("Timestamp", DATETIME),
            Column("MetadataId", NAME),
            Column("Precision", INT),
        ),
        "EntityName",
    ),
}

# AttributeTypeCode of the Web API's metadata, the values of `AttributeTypeCode`'s members.
_TYPE_CODES = {
    "Boolean": 0,
    "Customer": 1,
    "DateTime": 2,
    "Decimal": 3,
    "Double": 4,
    "Integer": 5,
    "Lookup": 6,
    "Memo": 7,
    "Money": 8,
    "Owner": 9,
    "PartyList": 10,
    "Picklist": 11,
    "State": 12,
    "Status": 13,
    "String": 14,
    "Uniqueidentifier": 15,
    "CalendarRules": 16,
    "Virtual": 17,
    "BigInt": 18,
    "ManagedProperty": 19,
    "EntityName": 20,
}


@dataclass(frozen=True)
class Filling:
    """Rows that replace those whose column `by` has `value`."""

    table: str
    by: str
    value: str
    rows: tuple[tuple[Any, ...], ...]


def tables(prefix: str) -> dict[str, Table]:
    """The metadata tables by their names without prefix."""

    def named(name: str) -> str:
        return f"{prefix}_{name}" if prefix else name

    return {
        name: Table(named(name), columns, ("Id",) if columns[0].identity else ())
        for name, (columns, _) in _TABLES.items()
    }


def delete_log(prefix: str) -> Table:
    name = f"{prefix}_DeleteLog" if prefix else "DeleteLog"
    return Table(
        name,
        (
            Column("Id", BIGINT, nullable=False, identity=True),
            Column("EntityName", NAME, nullable=False),
            Column("RecordId", NAME, nullable=False),
            Column("SinkDeleteTime", DATETIME, nullable=False),
            Column("VersionNumber", BIGINT, nullable=False),
        ),
        ("Id",),
    )


def fillings(
    definition: Mapping[str, Any],
    option_sets: Sequence[Mapping[str, Any]],
    primary_ids: Mapping[str, str],
    exported: frozenset[str],
    written_on: datetime,
) -> list[Filling]:
    """What the metadata tables say of one entity. `primary_ids`: of all; `exported`: attributes that have a column."""
    entity = definition["LogicalName"]
    options: list[tuple[Any, ...]] = []
    states: list[tuple[Any, ...]] = []
    statuses: list[tuple[Any, ...]] = []
    shared: dict[str, list[tuple[Any, ...]]] = {}
    for attribute in option_sets:
        name = attribute["LogicalName"]
        if name not in exported:
            continue
        kind = str(attribute["@odata.type"]).rpartition(".")[2]
        local, common = attribute.get("OptionSet") or {}, attribute.get("GlobalOptionSet") or {}
        if local.get("IsGlobal"):
            local, common = {}, common or local
        if kind == "StateAttributeMetadata":
            states += [(entity, value, *label) for value, _, label in _labels(local)]
        elif kind == "StatusAttributeMetadata":
            statuses += [(entity, state, value, *label) for value, state, label in _labels(local)]
        else:
            options += [(entity, name, value, *label) for value, _, label in _labels(local)]
        if common:
            shared[common["Name"]] = [(common["Name"], value, *label) for value, _, label in _labels(common)]
    targets = [
        (entity, attribute["LogicalName"], target, primary_ids.get(target))
        for attribute in definition["Attributes"]
        for target in attribute.get("Targets") or ()
        if attribute["LogicalName"] in exported
    ]
    attributes = [
        (
            entity,
            attribute["LogicalName"],
            attribute["AttributeType"],
            _TYPE_CODES.get(attribute["AttributeType"], -1),
            None,
            written_on,
            attribute.get("MetadataId"),
            attribute.get("Precision"),
        )
        for attribute in definition["Attributes"]
        if attribute["LogicalName"] in exported
    ]
    per_entity = {
        "OptionsetMetadata": options,
        "StateMetadata": states,
        "StatusMetadata": statuses,
        "TargetMetadata": targets,
        "AttributeMetadata": attributes,
    }
    return [
        *(Filling(table, _TABLES[table][1], entity, tuple(found)) for table, found in per_entity.items()),
        *(Filling("GlobalOptionsetMetadata", "optionsetname", name, tuple(found)) for name, found in shared.items()),
    ]


def _labels(option_set: Mapping[str, Any]) -> Iterator[tuple[int, int | None, tuple[bool, int, str | None]]]:
    """Each option's value, its state where it is a status reason's, and each of its labels."""
    options = [*(option_set.get("Options") or ()), option_set.get("FalseOption"), option_set.get("TrueOption")]
    for option in options:
        if not option:
            continue
        text = option.get("Label") or {}
        user = (text.get("UserLocalizedLabel") or {}).get("LanguageCode")
        for label in text.get("LocalizedLabels") or ():
            language = label["LanguageCode"]
            yield option["Value"], option.get("State"), (language == user, language, (label.get("Label") or "")[:256])
