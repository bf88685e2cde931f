from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from setup_kit.service.metadata import fillings
from setup_kit.service.tables import Table, entity_table, identifier, input_sizes, literal, narrowed, rows, sql_time

NOW = datetime(2026, 1, 2, 3, 4, 5)
RECORD = {
    "@odata.etag": 'W/"1"',
    "accountid": "0f9f4f6a-0f7c-4e52-9d0a-6a3c3c7f3b11",
    "name": "Fabrikam",
    "revenue": Decimal("1200000.5"),
    "createdon": "2024-05-01T10:11:12Z",
    "donotfax": False,
    "versionnumber": 4711,
    "_ownerid_value": "7a0a8a6e-5a7e-4d07-8d4e-0a4f4b1d2c3d",
    "_ownerid_value@OData.Community.Display.V1.FormattedValue": "Ada Lovelace",
    "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "systemuser",
}


def account() -> Table:
    attributes: list[dict[str, Any]] = [
        {"LogicalName": "accountid", "AttributeType": "Uniqueidentifier"},
        {"LogicalName": "name", "AttributeType": "String", "MaxLength": 160},
        {"LogicalName": "revenue", "AttributeType": "Money", "Precision": 2},
        {"LogicalName": "createdon", "AttributeType": "DateTime"},
        {"LogicalName": "donotfax", "AttributeType": "Boolean"},
        {"LogicalName": "fax", "AttributeType": "String", "MaxLength": 50},
        {"LogicalName": "versionnumber", "AttributeType": "BigInt"},
        {"LogicalName": "ownerid", "AttributeType": "Owner"},
        {"LogicalName": "owneridname", "AttributeType": "String", "MaxLength": 100, "AttributeOf": "ownerid"},
        {"LogicalName": "owneridyominame", "AttributeType": "String", "MaxLength": 100, "AttributeOf": "ownerid"},
        {"LogicalName": "owneridtype", "AttributeType": "EntityName", "AttributeOf": "ownerid"},
        {"LogicalName": "secret", "AttributeType": "String", "MaxLength": 9, "IsValidForRead": False},
    ]
    return entity_table("account", {"PrimaryIdAttribute": "accountid", "Attributes": attributes})


def test_a_record_becomes_the_row_of_its_table() -> None:
    table = account()
    (row,) = rows(table, [RECORD], NOW)
    assert dict(zip((column.name for column in table.columns), row, strict=True)) == {
        "Id": RECORD["accountid"],
        "SinkCreatedOn": NOW,
        "SinkModifiedOn": NOW,
        "accountid": RECORD["accountid"],
        "name": "Fabrikam",
        "revenue": Decimal("1200000.50"),
        "createdon": datetime(2024, 5, 1, 10, 11, 12),
        "donotfax": False,
        "fax": None,
        "versionnumber": 4711,
        "ownerid": RECORD["_ownerid_value"],
        "ownerid_entitytype": "systemuser",
        "owneridname": "Ada Lovelace",
        "owneridyominame": None,
        "owneridtype": "systemuser",
    }


@given(moment=st.datetimes(timezones=st.none() | st.timezones()))
def test_any_point_in_time_fits_the_destination(moment: datetime) -> None:
    held = sql_time(moment)
    assert (held.tzinfo, held.microsecond % 1000) == (None, 0)
    same = held.replace(tzinfo=UTC) if moment.tzinfo else held
    assert timedelta(0) <= moment - same < timedelta(milliseconds=1)


@given(name=st.text(min_size=90, max_size=120))
def test_a_lookups_long_name_is_cut_to_its_column(name: str) -> None:
    table = account()
    (row,) = rows(table, [{**RECORD, "_ownerid_value@OData.Community.Display.V1.FormattedValue": name}], NOW)
    kept = row[[column.name for column in table.written].index("owneridname")]
    assert name.startswith(kept)
    assert len(kept.encode("utf-16-le")) // 2 in ({min(100, len(name.encode("utf-16-le")) // 2)} | {99})


def test_columns_that_are_empty_in_a_page_are_left_out_of_its_statement() -> None:
    table = account()
    batch = rows(table, [RECORD, {"accountid": "x", "fax": None}], NOW)
    narrow, values = narrowed(table, batch, frozenset())
    names = [column.name for column in narrow.columns]
    assert not {"fax", "owneridyominame"} & set(names)
    assert dict(zip(names, values[1], strict=True))["name"] is None
    wide, _ = narrowed(table, batch, frozenset({"fax"}))
    assert "fax" in [column.name for column in wide.columns]
    assert narrow.insert("dbo", 2).count("?") == 2 * len(names)


def test_texts_are_bound_as_long_as_the_batch_needs() -> None:
    table = account()
    names = [column.name for column in table.written]

    def bound(name: str) -> int:
        batch = rows(table, [{**RECORD, "name": name}], NOW)
        return input_sizes(table, batch)[names.index("name")][1]

    assert [bound("x" * length) for length in (0, 32, 33, 2000, 2001)] == [64, 64, 256, 4000, 0]


@given(name=st.text())
def test_any_name_is_quoted_as_an_identifier_and_as_a_literal(name: str) -> None:
    quoted = identifier(name)
    assert (quoted[0], quoted[-1], quoted[1:-1].replace("]]", "\0").count("]")) == ("[", "]", 0)
    text = literal(name)
    assert (text[:2], text[-1], text[2:-1].replace("''", "\0").count("'")) == ("N'", "'", 0)


def label(text: str) -> dict[str, Any]:
    english = {"Label": text, "LanguageCode": 1033}
    return {"LocalizedLabels": [english, {"Label": text + "!", "LanguageCode": 1031}], "UserLocalizedLabel": english}


def test_the_metadata_tables_say_what_options_and_lookups_mean() -> None:
    prefix = "#Microsoft.Dynamics.CRM."
    definition = {
        "LogicalName": "account",
        "Attributes": [
            {"LogicalName": "ownerid", "AttributeType": "Owner", "Targets": ["systemuser", "team"], "MetadataId": "m"},
            {"LogicalName": "revenue", "AttributeType": "Money", "Precision": 2, "MetadataId": "r"},
            {"LogicalName": "image", "AttributeType": "Virtual"},
        ],
    }
    option_sets: list[dict[str, Any]] = [
        {
            "@odata.type": prefix + "PicklistAttributeMetadata",
            "LogicalName": "industrycode",
            "OptionSet": {
                "Name": "account_industrycode",
                "IsGlobal": False,
                "Options": [{"Value": 1, "Label": label("A")}],
            },
            "GlobalOptionSet": None,
        },
        {
            "@odata.type": prefix + "PicklistAttributeMetadata",
            "LogicalName": "budgetstatus",
            "OptionSet": None,
            "GlobalOptionSet": {"Name": "budgetstatus", "Options": [{"Value": 7, "Label": label("G")}]},
        },
        {
            "@odata.type": prefix + "StatusAttributeMetadata",
            "LogicalName": "statuscode",
            "OptionSet": {"Options": [{"Value": 2, "State": 1, "Label": label("Inactive")}]},
        },
        {
            "@odata.type": prefix + "BooleanAttributeMetadata",
            "LogicalName": "donotfax",
            "OptionSet": {"TrueOption": {"Value": 1, "Label": label("Do Not Allow")}},
        },
    ]
    exported = frozenset({"ownerid", "revenue", "industrycode", "budgetstatus", "statuscode", "donotfax"})
    found = {
        (filling.table, filling.value): list(filling.rows)
        for filling in fillings(definition, option_sets, {"systemuser": "systemuserid"}, exported, NOW)
    }
    assert found == {
        ("OptionsetMetadata", "account"): [
            ("account", "industrycode", 1, True, 1033, "A"),
            ("account", "industrycode", 1, False, 1031, "A!"),
            ("account", "donotfax", 1, True, 1033, "Do Not Allow"),
            ("account", "donotfax", 1, False, 1031, "Do Not Allow!"),
        ],
        ("GlobalOptionsetMetadata", "budgetstatus"): [
            ("budgetstatus", 7, True, 1033, "G"),
            ("budgetstatus", 7, False, 1031, "G!"),
        ],
        ("StateMetadata", "account"): [],
        ("StatusMetadata", "account"): [
            ("account", 1, 2, True, 1033, "Inactive"),
            ("account", 1, 2, False, 1031, "Inactive!"),
        ],
        ("TargetMetadata", "account"): [
            ("account", "ownerid", "systemuser", "systemuserid"),
            ("account", "ownerid", "team", None),
        ],
        ("AttributeMetadata", "account"): [
            ("account", "ownerid", "Owner", 9, None, NOW, "m", None),
            ("account", "revenue", "Money", 8, None, NOW, "r", 2),
        ],
    }
