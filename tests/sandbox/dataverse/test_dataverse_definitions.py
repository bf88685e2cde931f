"""Definitions of entities, attributes, option sets and relationships."""

from __future__ import annotations

from typing import Any

import pytest

from setup_kit.sandbox.dataverse.schema import load
from tests.sandbox.dataverse.harness import Client

CRM = "Microsoft.Dynamics.CRM"
ACCOUNT = "EntityDefinitions(LogicalName='account')"
MERGE = {"MSCRM.MergeLabels": "true"}


def tracking(client: Client, name: str) -> bool:
    found = client.get(f"EntityDefinitions(LogicalName='{name}')?$select=ChangeTrackingEnabled").json
    return bool(found["ChangeTrackingEnabled"])


def parameters(*names: str) -> dict[str, str]:
    entities = "".join(f"<entity>{name}</entity>" for name in names)
    return {"ParameterXml": f"<importexportxml><entities>{entities}</entities></importexportxml>"}


def test_entities_say_whether_their_changes_are_tracked_and_may_be(client: Client) -> None:
    select = "LogicalName,EntitySetName,ChangeTrackingEnabled,CanChangeTrackingBeEnabled,IsPrivate,IsIntersect"
    found = {item["LogicalName"]: item for item in client.get(f"EntityDefinitions?$select={select}").rows}
    assert found["account"]["ChangeTrackingEnabled"] and found["account"]["EntitySetName"] == "accounts"
    assert not found["competitor"]["ChangeTrackingEnabled"]
    assert found["competitor"]["CanChangeTrackingBeEnabled"]["Value"]
    assert not found["activitypointer"]["ChangeTrackingEnabled"]
    assert not found["activitypointer"]["CanChangeTrackingBeEnabled"]["Value"]
    assert found["contactleads"]["IsIntersect"] and not found["account"]["IsIntersect"]
    assert set(found["account"]) == {*select.split(","), "MetadataId"}


def test_entities_are_filtered_by_simple_conditions(client: Client) -> None:
    def names(condition: str) -> set[str]:
        return {
            item["LogicalName"]
            for item in client.get(f"EntityDefinitions?$select=LogicalName&$filter={condition}").rows
        }

    assert names("LogicalName eq 'account' or LogicalName eq 'lead'") == {"account", "lead"}
    assert names("IsIntersect eq true and ChangeTrackingEnabled eq true") == {"contactleads", "teammembership"}
    assert names("CanChangeTrackingBeEnabled/Value eq false and IsActivity eq true") == {"activitypointer"}
    assert client.get("EntityDefinitions?$filter=startswith(LogicalName,'a')").status == 501
    assert client.get("EntityDefinitions?$filter=NoSuch eq 1").status == 400


def test_an_entity_is_found_by_name_and_by_id(client: Client) -> None:
    by_name = client.get(ACCOUNT).json
    by_id = client.get(f"EntityDefinitions({by_name['MetadataId']})").json
    assert by_id == by_name
    assert (by_name["PrimaryIdAttribute"], by_name["PrimaryNameAttribute"], by_name["ObjectTypeCode"]) == (
        "accountid",
        "name",
        1,
    )
    assert by_name["DisplayName"]["UserLocalizedLabel"]["Label"] == "Account"
    assert client.get("EntityDefinitions(LogicalName='o''brien')").error == (404, "0x80040217")
    assert client.get("EntityDefinitions(00000000-0000-4000-8000-000000000000)").status == 404


def test_attributes_come_with_an_entity_and_have_their_own_types(client: Client) -> None:
    found = client.get(f"{ACCOUNT}?$select=LogicalName&$expand=Attributes").json
    attributes = {item["LogicalName"]: item for item in found["Attributes"]}
    assert len(attributes) == len(load().tables["account"].columns)
    assert attributes["name"]["@odata.type"] == f"#{CRM}.StringAttributeMetadata"
    assert attributes["name"]["MaxLength"] == 160
    assert attributes["revenue_base"]["CalculationOf"] == "revenue"
    assert attributes["revenue_base"]["IsBaseCurrency"] and attributes["revenue_base"]["Precision"] == 4
    assert attributes["ownerid"]["AttributeType"] == "Owner"
    assert attributes["ownerid"]["Targets"] == ["systemuser", "team"]
    assert attributes["owneridname"]["AttributeOf"] == "ownerid"
    assert not attributes["owneridname"]["IsValidODataAttribute"]
    assert attributes["accountid"]["IsPrimaryId"] and attributes["versionnumber"]["AttributeType"] == "BigInt"


def test_chosen_attributes_have_only_what_was_chosen(client: Client) -> None:
    customer = f"AttributeType eq {CRM}.AttributeTypeCode'Customer'"
    select = f"Attributes($select=LogicalName,AttributeType;$filter={customer})"
    found = client.get(f"EntityDefinitions(LogicalName='contact')?$select=LogicalName&$expand={select}").json
    assert [item["LogicalName"] for item in found["Attributes"]] == ["parentcustomerid"]
    assert set(found["Attributes"][0]) == {"@odata.type", "MetadataId", "LogicalName", "AttributeType"}
    refused = client.get(f"{ACCOUNT}/Attributes?$select=MaxLength")
    assert refused.status == 400 and "AttributeMetadata" in refused.message


@pytest.mark.parametrize(
    ("kind", "name", "property_name", "value"),
    [
        ("String", "emailaddress1", "MaxLength", 100),
        ("Memo", "description", "MaxLength", 2000),
        ("Money", "creditlimit", "Precision", 2),
        ("Decimal", "exchangerate", "Precision", 10),
        ("Double", "address1_latitude", "Precision", 5),
        ("Integer", "numberofemployees", "MaxValue", 2147483647),
        ("DateTime", "createdon", "DateTimeBehavior", {"Value": "UserLocal"}),
        ("Lookup", "primarycontactid", "Targets", ["contact"]),
        ("BigInt", "versionnumber", "MaxValue", 2**63 - 1),
        ("Boolean", "creditonhold", "DefaultValue", False),
    ],
)
def test_a_cast_gives_the_attributes_of_one_type(
    client: Client, kind: str, name: str, property_name: str, value: object
) -> None:
    path = f"{ACCOUNT}/Attributes/{CRM}.{kind}AttributeMetadata?$select=LogicalName,{property_name}"
    found = {item["LogicalName"]: item for item in client.get(path).rows}
    assert found[name][property_name] == value
    assert "@odata.type" not in found[name]
    one = client.get(f"{ACCOUNT}/Attributes(LogicalName='{name}')/{CRM}.{kind}AttributeMetadata").json
    assert one[property_name] == value


def test_a_cast_to_another_type_finds_nothing(client: Client) -> None:
    path = f"{ACCOUNT}/Attributes(LogicalName='name')/{CRM}.MoneyAttributeMetadata"
    assert client.get(path).status == 404
    assert client.get(f"{ACCOUNT}/Attributes/{CRM}.NoSuchMetadata").status == 404
    assert client.get(f"{ACCOUNT}/Attributes/{CRM}.ImageAttributeMetadata").rows == []
    assert client.get(f"{ACCOUNT}/Attributes(LogicalName='nosuch')").status == 404


def options(client: Client, entity: str, kind: str, name: str) -> list[dict[str, Any]]:
    path = f"EntityDefinitions(LogicalName='{entity}')/Attributes/{CRM}.{kind}AttributeMetadata"
    rows = client.get(f"{path}?$select=LogicalName&$expand=OptionSet($select=Name,Options)").rows
    found: list[dict[str, Any]] = next(item for item in rows if item["LogicalName"] == name)["OptionSet"]["Options"]
    return found


def test_choices_states_and_status_reasons_have_their_options(client: Client) -> None:
    industries = options(client, "account", "Picklist", "industrycode")
    assert {item["Value"]: item["Label"]["UserLocalizedLabel"]["Label"] for item in industries}[1] == "Accounting"
    assert [item["Value"] for item in options(client, "lead", "State", "statecode")] == [0, 1, 2]
    reasons = {item["Value"]: item["State"] for item in options(client, "opportunity", "Status", "statuscode")}
    assert (reasons[1], reasons[3], reasons[4]) == (0, 1, 2)
    path = f"{ACCOUNT}/Attributes(LogicalName='creditonhold')/{CRM}.BooleanAttributeMetadata?$expand=OptionSet"
    assert client.get(path).json["OptionSet"]["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "Yes"


def test_global_option_sets_are_shared_by_their_columns(client: Client) -> None:
    names = {item["Name"] for item in client.get("GlobalOptionSetDefinitions?$select=Name").rows}
    assert {"budgetstatus", "need", "purchaseprocess"} <= names
    one = client.get("GlobalOptionSetDefinitions(Name='budgetstatus')").json
    assert one["IsGlobal"] and [item["Value"] for item in one["Options"]] == [0, 1, 2, 3]
    for entity in ("lead", "opportunity"):
        path = f"EntityDefinitions(LogicalName='{entity}')/Attributes(LogicalName='budgetstatus')"
        found = client.get(f"{path}/{CRM}.PicklistAttributeMetadata?$expand=OptionSet,GlobalOptionSet").json
        assert found["GlobalOptionSet"]["MetadataId"] == found["OptionSet"]["MetadataId"] == one["MetadataId"]
    assert client.get("GlobalOptionSetDefinitions(Name='nosuch')").status == 404


def test_relationships_between_many_are_listed_with_their_intersect_entity(client: Client) -> None:
    cast = f"RelationshipDefinitions/{CRM}.ManyToManyRelationshipMetadata"
    names = {item["SchemaName"] for item in client.get(f"{cast}?$select=SchemaName").rows}
    assert {"contactleads_association", "opportunitycompetitors_association"} <= names
    condition = "$filter=Entity1LogicalName eq 'opportunity' or Entity2LogicalName eq 'opportunity'"
    found = client.get(f"{cast}?{condition}").rows
    assert [(item["SchemaName"], item["IntersectEntityName"], item["Entity2LogicalName"]) for item in found] == [
        ("opportunitycompetitors_association", "opportunitycompetitors", "competitor")
    ]
    of_contact = client.get("EntityDefinitions(LogicalName='contact')/ManyToManyRelationships").rows
    assert [item["SchemaName"] for item in of_contact] == ["contactleads_association"]
    one = client.get("RelationshipDefinitions(SchemaName='contactleads_association')").json
    assert one["Entity1IntersectAttribute"] == "contactid"


def test_change_tracking_is_switched_by_putting_the_definition_back_and_publishing_it(client: Client) -> None:
    whole = client.get("EntityDefinitions(LogicalName='competitor')").json
    whole["ChangeTrackingEnabled"] = True
    path = f"EntityDefinitions({whole['MetadataId']})"
    assert client.call("PUT", path, whole, **MERGE).status == 204
    assert not tracking(client, "competitor")
    assert client.call("POST", "PublishXml", parameters("account")).status == 204
    assert not tracking(client, "competitor")
    assert client.call("POST", "PublishXml", parameters("account", "competitor")).status == 204
    assert tracking(client, "competitor")
    assert client.get("competitors?$select=name", "odata.track-changes").status == 200
    assert client.get("EntityDefinitions(LogicalName='competitor')").json["DisplayName"] == whole["DisplayName"]
    part = {"@odata.type": f"#{CRM}.EntityMetadata", "ChangeTrackingEnabled": False}
    assert client.call("PUT", "EntityDefinitions(LogicalName='competitor')", part).status == 204
    assert client.call("POST", "PublishAllXml").status == 204
    assert not tracking(client, "competitor")


def test_labels_in_other_languages_stay_only_when_they_are_merged(client: Client) -> None:
    path = "EntityDefinitions(LogicalName='competitor')"

    def put(texts: dict[int, str], **headers: str) -> dict[int, str]:
        label = {"LocalizedLabels": [{"Label": text, "LanguageCode": code} for code, text in texts.items()]}
        assert client.call("PUT", path, {"DisplayName": label}, **headers).status == 204
        assert client.call("POST", "PublishXml", parameters("competitor")).status == 204
        found = client.get(path).json["DisplayName"]
        assert (found["UserLocalizedLabel"] or {}).get("Label") == texts.get(1033, "Rival" if headers else None)
        return {each["LanguageCode"]: each["Label"] for each in found["LocalizedLabels"]}

    assert put({1033: "Rival"}, **MERGE) == {1033: "Rival"}
    assert put({1031: "Mitbewerber"}, **MERGE) == {1033: "Rival", 1031: "Mitbewerber"}
    assert put({1031: "Gegner"}) == {1031: "Gegner"}
    assert put({1033: "Competitor"}) == {1033: "Competitor"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("PublishXml", None, 400),
        ("PublishXml", {"ParameterXml": "<importexportxml>"}, 400),
        ("PublishXml", {"ParameterXml": "<entities/>"}, 400),
        (
            "PublishXml",
            {"ParameterXml": "<importexportxml><entities><entity>no</entity></entities></importexportxml>"},
            404,
        ),
        ("PublishXml/more", {"ParameterXml": "<importexportxml/>"}, 404),
    ],
)
def test_what_cannot_be_published_is_refused(client: Client, path: str, body: object, status: int) -> None:
    assert client.call("POST", path, body).status == status


def test_only_an_administrator_publishes(client: Client) -> None:
    client.token = "service"
    assert client.call("POST", "PublishAllXml").error == (403, "0x80040220")


def test_what_is_switched_behind_the_organization_shows_at_once(client: Client) -> None:
    client.database.set_change_tracking("account", False)
    assert not tracking(client, "account")
    client.database.set_change_tracking("account", True)
    assert tracking(client, "account")
    with pytest.raises(KeyError):
        client.database.set_change_tracking("nosuch", True)


def test_change_tracking_that_cannot_be_is_refused(client: Client) -> None:
    path = "EntityDefinitions(LogicalName='activitypointer')"
    refused = client.call("PUT", path, {"ChangeTrackingEnabled": True})
    assert refused.status == 400 and "canchangetrackingbeenabled" in refused.message
    assert not tracking(client, "activitypointer")


def test_definitions_are_not_patched_piece_by_piece(client: Client) -> None:
    assert client.call("PATCH", ACCOUNT, {"ChangeTrackingEnabled": False}).status == 405
    assert client.call("PUT", ACCOUNT, {"ChangeTrackingEnabled": "no"}).status == 400
    assert client.call("PUT", ACCOUNT, {"NoSuch": 1}).status == 400
    assert client.call("PUT", ACCOUNT, {"DisplayName": {"LocalizedLabels": ["x"]}}).status == 400
    assert client.call("PUT", ACCOUNT, {}, **{"MSCRM.MergeLabels": "yes"}).status == 400
    assert client.call("DELETE", ACCOUNT).status == 405
    assert tracking(client, "account")
