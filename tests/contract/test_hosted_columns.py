"""Our type mapping against columns that the hosted service made, as Microsoft's own templates recorded them."""

import csv
from pathlib import Path
from typing import Any

from setup_kit.service import metadata
from setup_kit.service.tables import attribute_columns, entity_table

FACTS = Path(__file__).with_name("hosted_columns.csv")
PRECISE = {"Money", "Double", "Decimal"}


def facts() -> list[dict[str, str]]:
    with FACTS.open(newline="") as file:
        return list(csv.DictReader(file))


def attributes() -> dict[str, dict[str, Any]]:
    """The attributes of the facts as the Web API describes them."""
    found = {}
    for fact in facts():
        attribute: dict[str, Any] = {"LogicalName": fact["attribute"], "AttributeType": fact["type"]}
        attribute["AttributeOf"] = fact["of"] or None
        if fact["size"]:
            attribute["Precision" if fact["type"] in PRECISE else "MaxLength"] = int(fact["size"])
        found[fact["attribute"]] = attribute
    return found


def test_each_attribute_becomes_the_columns_that_the_hosted_service_made() -> None:
    described = attributes()
    made = {
        name: [(column.name, column.type.sql, "yes" if column.nullable else "no") for column in columns]
        for name, columns in ((name, attribute_columns(described[name], described)) for name in described)
    }
    hosted: dict[str, list[tuple[str, str, str]]] = {name: [] for name in described}
    for fact in facts():
        if fact["column"]:
            hosted[fact["attribute"]].append((fact["column"], fact["sql_type"], fact["nullable"]))
    assert made == hosted


def test_an_entitys_table_begins_as_the_hosted_services_did() -> None:
    described = attributes()
    table = entity_table(
        "p_account", {"PrimaryIdAttribute": "accountid", "Attributes": list(reversed(described.values()))}
    )
    columns = [(column.name, column.type.sql, column.nullable) for column in table.columns]
    assert columns[:3] == [
        ("Id", "uniqueidentifier", False),
        ("SinkCreatedOn", "datetime", True),
        ("SinkModifiedOn", "datetime", True),
    ]
    # Then states, option sets, two options, lookups, owners and customers, money, and all the rest.
    order = [name for name, _, _ in columns[3:]]
    landmarks = ["statecode", "industrycode", "donotfax", "primarycontactid", "ownerid", "creditlimit", "name"]
    assert [name for name in order if name in landmarks] == landmarks
    assert table.create("dbo").startswith(
        "CREATE TABLE [dbo].[p_account] ([Id] uniqueidentifier NOT NULL PRIMARY KEY, "
    )


LABELS = [
    ("isuserlocalizedlabel", "bit", "no"),
    ("localizedlabellanguagecode", "int", "no"),
    ("localizedlabel", "nvarchar(256)", "yes"),
]
HOSTED_METADATA = {
    "OptionsetMetadata": [
        ("entityname", "nvarchar(64)", "no"),
        ("optionsetname", "nvarchar(64)", "no"),
        ("option", "int", "no"),
        *LABELS,
    ],
    "GlobalOptionsetMetadata": [("optionsetname", "nvarchar(64)", "no"), ("option", "int", "no"), *LABELS],
    "StateMetadata": [("entityname", "nvarchar(64)", "no"), ("state", "int", "no"), *LABELS],
    "StatusMetadata": [
        ("entityname", "nvarchar(64)", "no"),
        ("state", "int", "no"),
        ("status", "int", "no"),
        *LABELS,
    ],
}


def test_the_label_tables_are_those_of_the_hosted_service() -> None:
    tables = metadata.tables("p")
    for name, columns in HOSTED_METADATA.items():
        made = [(column.name, column.type.sql, "yes" if column.nullable else "no") for column in tables[name].columns]
        assert (tables[name].name, made) == (f"p_{name}", columns)


def test_without_a_prefix_names_have_no_underscore() -> None:
    assert metadata.tables("")["TargetMetadata"].name == "TargetMetadata"
    assert metadata.delete_log("").name == "DeleteLog"
    assert metadata.delete_log("p").name == "p_DeleteLog"
