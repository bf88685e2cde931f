"""Definitions as the Web API shows them: entities, attributes, option sets, relationships."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from setup_kit.sandbox.dataverse.schema import Column, OptionSet, Relationship, Schema, Table, stable_id

PREFIX = "Microsoft.Dynamics.CRM"
LANGUAGE = 1033
KINDS = {
    "Lookup": "Lookup",
    "Customer": "Lookup",
    "Owner": "Lookup",
    "PartyList": "Lookup",
    "DateOnly": "DateTime",
    "Uniqueidentifier": "UniqueIdentifier",
}
# Least and greatest value of each type of number, as new columns have them.
RANGES: dict[str, tuple[float, float]] = {
    "Money": (-922337203685477, 922337203685477),
    "Decimal": (-100000000000, 100000000000),
    "Double": (-100000000000, 100000000000),
    "Integer": (-2147483648, 2147483647),
}


def kind_of(column: Column) -> str:
    """The name of the column's metadata type, without namespace."""
    return f"{KINDS.get(column.type, column.type)}AttributeMetadata"


def label(text: str) -> dict[str, Any]:
    return labels({str(LANGUAGE): text} if text else {})


def labels(texts: Mapping[str, str]) -> dict[str, Any]:
    """A Label from its texts by language; the user's language is the organization's."""
    localized = [
        {
            "Label": text,
            "LanguageCode": int(language),
            "IsManaged": True,
            "MetadataId": stable_id("label", text),
            "HasChanged": None,
        }
        for language, text in texts.items()
    ]
    own = next((each for each in localized if each["LanguageCode"] == LANGUAGE), None)
    return {"LocalizedLabels": localized, "UserLocalizedLabel": own}


def managed(value: object, name: str, can_be_changed: bool = True) -> dict[str, Any]:
    return {"Value": value, "CanBeChanged": can_be_changed, "ManagedPropertyLogicalName": name}


def entity(table: Table, change_tracking: bool) -> dict[str, Any]:
    """An EntityMetadata without its collections."""
    is_activity = table.kind in ("activity", "activities")
    return {
        "ActivityTypeMask": 1 if table.kind == "activity" else 0,
        "AutoRouteToOwnerQueue": False,
        "CanTriggerWorkflow": table.kind != "intersect",
        "EntityHelpUrlEnabled": False,
        "IsDocumentManagementEnabled": False,
        "IsActivity": is_activity,
        "IsActivityParty": table.name in ("account", "contact", "lead", "systemuser"),
        "IsAvailableOffline": table.kind != "intersect",
        "IsChildEntity": False,
        "IsAIRUpdated": False,
        "IsCustomEntity": False,
        "IsBusinessProcessEnabled": table.writable,
        "IsImportable": table.writable,
        "IsIntersect": table.kind == "intersect",
        "IsManaged": True,
        "IsEnabledForCharts": table.kind != "intersect",
        "IsEnabledForTrace": False,
        "IsValidForAdvancedFind": table.kind != "intersect",
        "IsReadingPaneEnabled": True,
        "IsPrivate": False,
        "IsStateModelAware": any(table.columns_of_type("State")),
        "EnforceStateTransitions": False,
        "LogicalName": table.name,
        "SchemaName": _schema_name(table),
        "LogicalCollectionName": table.entity_set,
        "EntitySetName": table.entity_set,
        "CollectionSchemaName": table.collection_name.replace(" ", ""),
        "ObjectTypeCode": table.type_code,
        "OwnershipType": table.ownership,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "PrimaryImageAttribute": "entityimage" if "entityimageid" in table.by_name else None,
        "TableType": "Standard",
        "DataProviderId": None,
        "IntroducedVersion": "5.0.0.0",
        "IsLogicalEntity": False,
        "ChangeTrackingEnabled": change_tracking,
        "CanChangeTrackingBeEnabled": managed(table.can_track_changes, "canchangetrackingbeenabled"),
        "IsAuditEnabled": managed(False, "canmodifyauditsettings"),
        "IsCustomizable": managed(table.kind != "intersect", "iscustomizable", False),
        "IsRenameable": managed(table.kind != "intersect", "isrenameable", False),
        "MetadataId": table.id,
        "HasChanged": None,
        "DisplayName": label(table.display_name),
        "DisplayCollectionName": label(table.collection_name),
        "Description": label(""),
    }


def _schema_name(table: Table) -> str:
    """The column that holds the key is written as the table is, with `Id` at its end, in all but the activities."""
    key = table.by_name[table.primary_id].schema_name
    return key[:-2] if key[:-2].lower() == table.name else table.display_name.replace(" ", "")


def attribute(table: Table, column: Column) -> dict[str, Any]:
    """An AttributeMetadata of the column's own type, without its option set."""
    return _common(table, column) | _details(column)


def _common(table: Table, column: Column) -> dict[str, Any]:
    is_key, is_name = column.name == table.primary_id, column.name == table.primary_name
    kept = column.of is not None or column.name in ("versionnumber", "createdon", "modifiedon") or bool(column.base_of)
    attribute_type = "DateTime" if column.type == "DateOnly" else column.type
    return {
        "@odata.type": f"#{PREFIX}.{kind_of(column)}",
        "AttributeOf": column.of,
        "AttributeType": attribute_type,
        "AttributeTypeName": {"Value": f"{attribute_type}Type"},
        "ColumnNumber": column.number,
        "EntityLogicalName": table.name,
        "LogicalName": column.name,
        "SchemaName": column.schema_name,
        "DisplayName": label(column.label or ("" if column.of else column.schema_name)),
        "Description": label(""),
        "InheritsFrom": None,
        "IntroducedVersion": "5.0.0.0",
        "IsCustomAttribute": "_" in column.name and column.name.split("_")[0] in ("msdyn", "new"),
        "IsFilterable": column.of is None,
        "IsLogical": column.of is not None,
        "IsManaged": True,
        "IsPrimaryId": is_key,
        "IsPrimaryName": is_name,
        "IsRetrievable": True,
        "IsSearchable": False,
        "IsSecured": False,
        "IsValidForAdvancedFind": managed(column.of is None, "canmodifysearchsettings"),
        "IsValidForCreate": not kept,
        "IsValidForRead": True,
        "IsValidForUpdate": not kept and not is_key,
        "IsValidODataAttribute": column.in_rows,
        "RequiredLevel": managed("SystemRequired" if is_key else "None", "canmodifyrequirementlevelsettings"),
        "MetadataId": column.id,
        "HasChanged": None,
        "SourceType": None if column.is_lookup else 0,
    }


# What every attribute has, and can be selected without a cast.
COMMON = frozenset(
    _common(Table("", "", 0, "", None, "", "", "", "table", False, False, ()), Column("", "", "String", 0, ""))
) - {"@odata.type"}


def _details(column: Column) -> dict[str, Any]:
    kind = column.type
    if kind in ("String", "Memo"):
        longest = column.max_length
        shape = {"Format": "Text" if kind == "String" else "TextArea", "MaxLength": longest, "ImeMode": "Auto"}
        more = {"FormatName": {"Value": "Text"}, "YomiOf": None, "DatabaseLength": (longest or 0) * 2}
        return shape | (more if kind == "String" else {"IsLocalizable": False})
    if kind in RANGES:
        least, most = RANGES[kind]
        numbers: dict[str, Any] = {"MinValue": least, "MaxValue": most}
        if kind == "Integer":
            return numbers | {"Format": "None", "SourceTypeMask": 0}
        numbers |= {"Precision": column.precision, "ImeMode": "Disabled", "SourceTypeMask": 0}
        if kind == "Money":
            base = column.base_of
            numbers |= {"PrecisionSource": 2, "IsBaseCurrency": base is not None, "CalculationOf": base}
        return numbers
    if kind == "BigInt":
        return {"MinValue": -(2**63), "MaxValue": 2**63 - 1}
    if kind in ("DateTime", "DateOnly"):
        only_day = kind == "DateOnly"
        return {
            "Format": "DateOnly" if only_day else "DateAndTime",
            "DateTimeBehavior": {"Value": "DateOnly" if only_day else "UserLocal"},
            "ImeMode": "Inactive",
        }
    if column.targets:
        return {"Targets": list(column.targets), "Format": "None"}
    if kind in ("Picklist", "State", "Status"):
        return {"DefaultFormValue": -1}
    return {"DefaultValue": False} if kind == "Boolean" else {}


def option_set_of(column: Column) -> dict[str, Any] | None:
    """What `$expand=OptionSet` adds to a choice or a two-option column."""
    if column.type == "Boolean":
        name = f"{column.table}_{column.name}"
        return {
            "MetadataId": stable_id("optionset", name),
            "Name": name,
            "IsGlobal": False,
            "OptionSetType": "Boolean",
            "TrueOption": _option(1, "Yes"),
            "FalseOption": _option(0, "No"),
        }
    return None if column.option_set is None else option_set(column.option_set, column)


def option_set(found: OptionSet, column: Column | None = None) -> dict[str, Any]:
    kind = column.type if column else "Picklist"
    return {
        "MetadataId": stable_id("optionset", found.name),
        "HasChanged": None,
        "IsCustomOptionSet": False,
        "IsGlobal": found.is_global,
        "IsManaged": True,
        "Name": found.name,
        "OptionSetType": kind,
        "DisplayName": label(column.label if column else found.name),
        "Description": label(""),
        "Options": [_choice(kind, found, number) for number in range(len(found.options))],
    }


def _choice(kind: str, found: OptionSet, number: int) -> dict[str, Any]:
    option = found.options[number]
    item = _option(option.value, option.label)
    if kind == "Status":
        return (
            {"@odata.type": f"#{PREFIX}.StatusOptionMetadata"} | item | {"State": option.state, "TransitionData": None}
        )
    if kind == "State":
        invariant = option.label.replace(" ", "")
        return (
            {"@odata.type": f"#{PREFIX}.StateOptionMetadata"}
            | item
            | {
                "InvariantName": invariant,
                "DefaultStatus": None,
            }
        )
    return item


def _option(value: int, text: str) -> dict[str, Any]:
    return {
        "Value": value,
        "Label": label(text),
        "Description": label(""),
        "Color": None,
        "IsManaged": True,
        "ExternalValue": "",
        "ParentValues": [],
    }


def many_to_many(schema: Schema, found: Relationship) -> dict[str, Any]:
    return {
        "@odata.type": f"#{PREFIX}.ManyToManyRelationshipMetadata",
        "SchemaName": found.schema_name,
        "RelationshipType": "ManyToManyRelationship",
        "SecurityTypes": "None",
        "IsManaged": True,
        "IsCustomRelationship": False,
        "IsValidForAdvancedFind": True,
        "IntroducedVersion": "5.0.0.0",
        "IntersectEntityName": found.intersect_table,
        "Entity1LogicalName": found.table1,
        "Entity1IntersectAttribute": found.attribute1,
        "Entity1NavigationPropertyName": found.schema_name,
        "Entity2LogicalName": found.table2,
        "Entity2IntersectAttribute": found.attribute2,
        "Entity2NavigationPropertyName": found.schema_name,
        "MetadataId": found.id,
        "HasChanged": None,
        "IsCustomizable": managed(False, "iscustomizable", False),
    }


def one_to_many(schema: Schema) -> list[dict[str, Any]]:
    """The N:1 side of every lookup whose target is a table of this organization."""
    found = []
    for table in schema.tables.values():
        for column in table.row_columns:
            for target in column.targets:
                if target in schema.tables:
                    found.append(_many_to_one(schema, table, column, schema.tables[target]))
    return found


def _many_to_one(schema: Schema, table: Table, column: Column, target: Table) -> dict[str, Any]:
    name = f"{target.name}_{table.name}_{column.name}"
    return {
        "@odata.type": f"#{PREFIX}.OneToManyRelationshipMetadata",
        "SchemaName": name,
        "RelationshipType": "OneToManyRelationship",
        "SecurityTypes": "Append",
        "IsManaged": True,
        "IsCustomRelationship": False,
        "IntroducedVersion": "5.0.0.0",
        "ReferencedEntity": target.name,
        "ReferencedAttribute": target.primary_id,
        "ReferencedEntityNavigationPropertyName": name,
        "ReferencingEntity": table.name,
        "ReferencingAttribute": column.name,
        "ReferencingEntityNavigationPropertyName": column.navigation_property(target.name),
        "MetadataId": stable_id("relationship", name),
        "HasChanged": None,
    }


def select(item: Mapping[str, Any], names: tuple[str, ...] | None, keep: tuple[str, ...] = ()) -> dict[str, Any]:
    """The chosen properties; MetadataId and the type always come along."""
    if names is None:
        return dict(item)
    always = ("@odata.type", "MetadataId", *keep)
    return {name: value for name, value in item.items() if name in names or name in always}
