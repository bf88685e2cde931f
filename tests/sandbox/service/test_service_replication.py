import re
import sqlite3
from pathlib import Path
from typing import Any

import requests

from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlAddress, to_ado_net
from tests.sandbox.service.conftest import DATABASE, PASSWORD, USER, Ground, Host, Service, done, entities
from tests.sandbox.service.proxy import BreakingProxy

ENTITIES = ("account", "contact", "lead", "opportunity", "incident", "systemuser")
RELATIONSHIP = "contactleads_association"


def source_count(ground: Ground, entity_set: str) -> int:
    """Rows of an entity set, counted through the Web API as the administrator."""
    url: str | None = f"{ground.azure.sandbox['organization']['url']}/api/data/v9.2/{entity_set}"
    count = 0
    while url:
        answer = ground.azure.call("GET", url, ground.azure.sandbox["organization"]["url"]).json()
        count += len(answer["value"])
        url = answer.get("@odata.nextLink")
    return count


def destination_count(ground: Ground, table: str) -> int:
    return int(ground.rows(f"SELECT COUNT_BIG(*) FROM [dbo].[{table}]")[0][0])  # noqa: S608


def failure_entries(service: Service, profile_id: str) -> list[str]:
    """The lines of the failure log, read as the address of it allows."""
    container, _, signature = service.call("GET", f"profiles/{profile_id}/failures").json().partition("?")

    def get(path: str) -> str:
        return requests.get(f"{container}{path}&{signature}", verify=service.azure.sandbox["ca_file"], timeout=30).text

    names = re.findall(r"<Name>([^<]+)</Name>", get("?restype=container&comp=list&prefix=failurelog/"))
    return [line for name in names for line in get(f"/{name}?").splitlines()]


def test_every_row_of_every_entity_arrives(service: Service, ground: Ground) -> None:
    description = ground.description(
        Entities=entities(*ENTITIES), Relationships=entities(RELATIONSHIP), WriteDeleteLog=True
    )
    profile_id = service.create(description)
    active = service.call("POST", f"profiles/{profile_id}/activate").json()
    assert active["State"] == "Active"
    statuses = service.finish(profile_id)
    assert {status["InitialSyncState"] for status in statuses.values()} == {"Completed"}
    assert {status["EntityMetadataState"] for status in statuses.values()} == {"Created"}
    prefix = description["DestinationPrefix"]
    sets = {"account": "accounts", "contact": "contacts", "lead": "leads", "opportunity": "opportunities"}
    sets |= {"incident": "incidents", "systemuser": "systemusers"}
    for entity in ENTITIES:
        status = statuses[entity]
        rows = source_count(ground, sets[entity])
        assert rows > 0
        assert destination_count(ground, f"{prefix}_{entity}") == rows
        assert (status["TotalNotifications"], status["SuccessNotifications"], status["FailureNotifications"]) == (
            rows,
            rows,
            0,
        )
        assert status["LastExportDate"].endswith("Z")
    assert destination_count(ground, f"{prefix}_contactleads") == source_count(ground, "contactleadscollection")
    for table in ("GlobalOptionset", "Optionset", "State", "Status", "Target", "Attribute"):
        assert destination_count(ground, f"{prefix}_{table}Metadata") > 0
    assert destination_count(ground, f"{prefix}_DeleteLog") == 0


def test_a_record_arrives_with_its_values(service: Service, ground: Ground) -> None:
    description = ground.description()
    profile_id = service.create(description)
    service.call("POST", f"profiles/{profile_id}/activate")
    service.finish(profile_id)
    organization = ground.azure.sandbox["organization"]["url"]
    record = requests.get(
        f"{organization}/api/data/v9.2/accounts?$top=1&$filter=revenue ne null",
        headers={
            "Authorization": f"Bearer {ground.azure.token(organization)}",
            "Prefer": 'odata.include-annotations="*"',
        },
        verify=ground.azure.sandbox["ca_file"],
        timeout=60,
    ).json()["value"][0]
    columns = (
        "[Id], [name], [revenue], [createdon], [ownerid], [ownerid_entitytype], [owneridname], [statecode], [donotfax],"
        " [versionnumber], [SinkCreatedOn]"
    )
    table = f"[dbo].[{description['DestinationPrefix']}_account]"
    row = ground.rows(f"SELECT {columns} FROM {table} WHERE [Id] = '{record['accountid']}'")[0]  # noqa: S608
    lookup = "Microsoft.Dynamics.CRM.lookuplogicalname"
    assert row[0].lower() == record["accountid"]
    assert row[1] == record["name"]
    assert float(row[2]) == record["revenue"]
    assert row[3].strftime("%Y-%m-%dT%H:%M:%SZ") == record["createdon"]
    assert row[4].lower() == record["_ownerid_value"]
    assert row[5] == record[f"_ownerid_value@{lookup}"]
    assert row[6] == record["_ownerid_value@OData.Community.Display.V1.FormattedValue"]
    assert (row[7], row[8], row[9]) == (record["statecode"], record["donotfax"], record["versionnumber"])
    assert row[10] is not None


def test_a_profile_is_created_listed_changed_tested_and_deleted(service: Service, ground: Ground) -> None:
    description = ground.description()
    created = service.call("POST", "profiles", description).json()
    assert (created["Version"], created["State"], created["Entities"][0]["Status"]) == (1, "Inactive", None)
    assert created["OrganizationUrl"] == ground.azure.sandbox["organization"]["url"]
    path = f"profiles/{created['Id']}"
    named = {
        profile["Id"]: profile
        for profile in service.call("GET", "profiles", organizationId=ground.organization_id).json()
    }
    assert named[created["Id"]]["Entities"][0]["DisplayName"] == "Account"
    refused = service.call("POST", "profiles", {**description, "DestinationPrefix": "other"})
    assert (refused.status_code, refused.json()["Details"][0]["Code"]) == (400, "NameTaken")
    changed = service.call("PUT", path, {**description, "Entities": entities("account", "contact")}).json()
    assert (changed["Version"], [entry["Type"] for entry in changed["Entities"]]) == (2, ["account", "contact"])
    assert service.call("GET", path).json() == changed
    results = service.call("GET", f"{path}/test").json()
    assert {result["Name"] for result in results} >= {"Organization", "Entities", "Secret", "Destination"}
    assert all(result["Succeeded"] for result in results), results
    assert service.call("DELETE", path).status_code == 204
    assert service.call("GET", path).status_code == 404


def test_metadata_and_data_can_be_activated_one_after_the_other(service: Service, ground: Ground) -> None:
    description = ground.description()
    profile_id = service.create(description)
    service.call("POST", f"profiles/{profile_id}/activatemetadata")
    found = service.follow(profile_id, lambda found: found["account"]["EntityMetadataState"] == "Created")
    assert found["account"]["InitialSyncState"] == "NotStarted"
    assert destination_count(ground, f"{description['DestinationPrefix']}_account") == 0
    # The profile's own tables do not stand in its way.
    assert service.call("POST", "profiles/validate", {**description, "Id": profile_id}).status_code == 200
    service.call("POST", f"profiles/{profile_id}/activatedata")
    assert service.finish(profile_id)["account"]["InitialSyncState"] == "Completed"
    assert destination_count(ground, f"{description['DestinationPrefix']}_account") > 0


def test_an_entity_added_to_an_active_profile_is_loaded(service: Service, ground: Ground) -> None:
    description = ground.description(Entities=entities("systemuser"))
    profile_id = service.create(description)
    service.call("POST", f"profiles/{profile_id}/activate")
    service.finish(profile_id)
    service.call(
        "PUT", f"profiles/{profile_id}", {**description, "Entities": entities("systemuser", "transactioncurrency")}
    )
    statuses = service.finish(profile_id)
    assert set(statuses) == {"systemuser", "transactioncurrency"}
    assert destination_count(ground, f"{description['DestinationPrefix']}_transactioncurrency") > 0


def test_an_entity_whose_table_was_made_meanwhile_fails_alone(service: Service, ground: Ground) -> None:
    description = ground.description(Entities=entities("account", "systemuser"))
    profile_id = service.create(description)
    table = f"{description['DestinationPrefix']}_systemuser"
    ground.run(f"CREATE TABLE [dbo].[{table}] ([Id] int NULL)")
    service.call("POST", f"profiles/{profile_id}/activate")
    statuses = service.finish(profile_id)
    assert statuses["account"]["InitialSyncState"] == "Completed"
    failed = statuses["systemuser"]
    assert (failed["InitialSyncState"], failed["LastExportStatus"]) == ("CompletedWithFailures", "Failed")
    assert (failed["EntityMetadataState"], failed["FailureNotifications"]) == ("Failure", 1)
    # As the documentation says: drop it by hand, and activate again.
    ground.run(f"DROP TABLE [dbo].[{table}]")
    service.call("POST", f"profiles/{profile_id}/activate")
    again = service.follow(profile_id, lambda found: found["systemuser"]["InitialSyncState"] == "Completed")
    assert again["systemuser"]["FailureNotifications"] == 0


def test_records_that_do_not_fit_are_counted_and_the_others_arrive(service: Service, ground: Ground) -> None:
    description = ground.description(Entities=entities("systemuser"))
    profile_id = service.create(description)
    service.call("POST", f"profiles/{profile_id}/activatemetadata")
    service.follow(profile_id, lambda found: found["systemuser"]["EntityMetadataState"] == "Created")
    # The column is as wide as its attribute; somebody made it narrower.
    table = f"[dbo].[{description['DestinationPrefix']}_systemuser]"
    ground.run(f"ALTER TABLE {table} ALTER COLUMN [fullname] nvarchar(11) NULL")
    service.call("POST", f"profiles/{profile_id}/activatedata")
    status = service.finish(profile_id)["systemuser"]
    assert (status["InitialSyncState"], status["LastExportStatus"]) == ("CompletedWithFailures", "Failed")
    assert status["SuccessNotifications"] > 0
    assert status["FailureNotifications"] > 0
    assert status["TotalNotifications"] == status["SuccessNotifications"] + status["FailureNotifications"]
    rows = destination_count(ground, f"{description['DestinationPrefix']}_systemuser")
    assert rows == status["SuccessNotifications"]
    entries = failure_entries(service, profile_id)
    assert len(entries) == status["FailureNotifications"]
    assert all("ChangeType: New, FailureReason: String or binary data would be truncated" in e for e in entries)
    # As the documentation says: widen the column by hand, then synchronize anew.
    ground.run(f"ALTER TABLE {table} ALTER COLUMN [fullname] nvarchar(200) NULL")
    service.call("POST", f"profiles/{profile_id}/activate")
    again = service.follow(profile_id, lambda found: found["systemuser"]["InitialSyncState"] == "Completed")
    assert again["systemuser"]["SuccessNotifications"] == source_count(ground, "systemusers")


def test_a_killed_service_finishes_the_load_when_it_is_started_again(host: Host, ground: Ground) -> None:
    service = Service(host.start(), ground.azure)
    service.accept_privacy_terms()
    description = ground.description(Entities=entities("account", "incident", "opportunity"))
    profile_id = service.create(description)
    service.call("POST", f"profiles/{profile_id}/activate")

    def half_way(found: dict[str, dict[str, Any]]) -> bool:
        return any(status["TotalNotifications"] for status in found.values())

    before = service.follow(profile_id, half_way)
    host.kill()
    assert not all(done(status) for status in before.values())
    service.url = host.start()
    statuses = service.finish(profile_id)
    assert {status["InitialSyncState"] for status in statuses.values()} == {"Completed"}
    sets = {"account": "accounts", "incident": "incidents", "opportunity": "opportunities"}
    for entity, entity_set in sets.items():
        rows = source_count(ground, entity_set)
        assert destination_count(ground, f"{description['DestinationPrefix']}_{entity}") == rows
        assert statuses[entity]["TotalNotifications"] == rows


def test_a_deactivated_profile_stops_and_goes_on_when_it_is_activated_again(service: Service, ground: Ground) -> None:
    description = ground.description(Entities=entities("account", "opportunity"))
    profile_id = service.create(description)
    service.call("POST", f"profiles/{profile_id}/activate")
    assert service.call("POST", f"profiles/{profile_id}/deactivate").json()["State"] == "Inactive"
    service.call("POST", f"profiles/{profile_id}/activate")
    statuses = service.finish(profile_id)
    assert {status["InitialSyncState"] for status in statuses.values()} == {"Completed"}
    assert destination_count(ground, f"{description['DestinationPrefix']}_opportunity") == source_count(
        ground, "opportunities"
    )


def test_no_secret_is_kept_in_the_services_state(host: Host, ground: Ground) -> None:
    service = Service(host.start(), ground.azure)
    service.accept_privacy_terms()
    profile_id = service.create(ground.description(Entities=entities("systemuser")))
    service.call("POST", f"profiles/{profile_id}/activate")
    service.finish(profile_id)
    directory = Path(host.settings["state_directory"])
    with sqlite3.connect(directory / "service.db") as state:
        dump = "\n".join(state.iterdump())
    state.close()
    for secret in (PASSWORD, host.settings["client_secret"], "Password="):
        assert secret not in dump
        for file in directory.rglob("*"):
            assert file.is_dir() or secret.encode() not in file.read_bytes()


def test_broken_connections_lose_no_record_and_write_none_twice(service: Service, ground: Ground) -> None:
    with BreakingProxy((ground.address.host, ground.address.port), breaks=3, after=100_000) as proxy:
        name = f"Through{proxy.port}"
        through = to_ado_net(SqlAddress("127.0.0.1", proxy.port), DATABASE, USER, Secret(PASSWORD))
        ground.write_secret(through, name=name)
        description = ground.description(
            Entities=entities("account", "systemuser"),
            DestinationKeyVaultUri=f"{ground.vault_uri.rstrip('/')}/secrets/{name}",
            RetryPolicy={"MaxRetryCount": 5, "IntervalInSeconds": 0, "Backoff": "Simple"},
        )
        profile_id = service.create(description)
        service.call("POST", f"profiles/{profile_id}/activate")
        statuses = service.finish(profile_id)
        assert proxy.broken == 3
    for entity, entity_set in {"account": "accounts", "systemuser": "systemusers"}.items():
        rows = source_count(ground, entity_set)
        assert statuses[entity]["InitialSyncState"] == "Completed"
        assert (statuses[entity]["TotalNotifications"], statuses[entity]["SuccessNotifications"]) == (rows, rows)
        assert destination_count(ground, f"{description['DestinationPrefix']}_{entity}") == rows
