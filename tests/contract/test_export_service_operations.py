"""Every operation of the service, called by the kit's own client: they were written apart and must agree."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
import requests

from setup_kit.export_service.errors import RefusedError
from setup_kit.export_service.models import Description, EntityStatus, MetadataState, Profile, State, SyncState
from tests.sandbox.export_service.kit import Kit
from tests.sandbox.service.conftest import Ground


@pytest.fixture
def description(kit: Kit, ground: Ground) -> Description:
    """Of a profile with a name and a prefix of its own."""
    mark = uuid.uuid4().hex[:8]
    kit.client.metadata.accept_privacy_terms()
    return Description(
        name=f"Profile {mark}",
        organization_id=kit.sandbox["organization"]["id"],
        organization_url=kit.sandbox["organization"]["url"],
        entities=("businessunit", "transactioncurrency"),
        key_vault_uri=ground.secret_uri,
        relationships=("teammembership_association",),
        prefix=f"c{mark}",
        retry_count=2,
        interval_seconds=0,
        delete_log=False,
    )


def follow(
    kit: Kit, profile_id: str, until: Callable[[EntityStatus], bool] = lambda status: status.initial_sync.over
) -> Profile:
    """The profile when every entity is as far as wanted: its first synchronization over."""
    pause = threading.Event()
    for _ in range(600):
        found = kit.client.profiles.get(profile_id, status=True)
        assert found is not None
        if found.statuses and all(until(status) for status in found.statuses):
            return found
        pause.wait(0.1)
    raise AssertionError(found)


def test_the_organization_is_the_same_whichever_way_it_is_asked_for(kit: Kit) -> None:
    discovered = kit.client.metadata.discover()
    assert [discovered] == kit.client.metadata.organizations()
    assert discovered.id == kit.sandbox["organization"]["id"]
    assert discovered.connector_url == kit.client.connector
    assert discovered.error == ""


def test_what_can_be_exported_is_listed_by_logical_and_schema_name(kit: Kit) -> None:
    entities = {entity.logical_name: entity.display_name for entity in kit.client.metadata.entities()}
    assert {"account", "contact", "lead", "opportunity", "incident", "systemuser"} <= set(entities)
    assert entities["incident"] == "Case"
    assert "activitypointer" not in entities
    relationships = {found.schema_name: found for found in kit.client.metadata.relationships()}
    assert relationships["contactleads_association"].intersect_entity == "contactleads"
    assert set(relationships["contactleads_association"].entities) == {"contact", "lead"}


def test_a_profile_lives_from_its_validation_to_its_end(kit: Kit, ground: Ground, description: Description) -> None:
    profiles = kit.client.profiles
    profiles.validate(description)
    made = profiles.create(description)
    assert made.description == description
    assert made.state is not State.ACTIVE
    assert profiles.find(description.name) == made
    assert profiles.activate(made.id).state is State.ACTIVE
    done = follow(kit, made.id)
    assert {status.name: status.initial_sync for status in done.statuses} == dict.fromkeys(
        (*description.entities, *description.relationships), SyncState.COMPLETED
    )
    assert {status.metadata for status in done.statuses} == {MetadataState.CREATED}
    counts = {status.name: status.succeeded for status in done.statuses}
    assert counts["businessunit"] == kit.organization.count_rows("businessunit")
    assert counts["teammembership_association"] == kit.organization.count_rows("teammembership")
    profiles.validate(description, made.id)
    assert all(trial.succeeded for trial in profiles.test(made.id))
    changed = profiles.update(made.id, replace(description, retry_count=3, entities=("businessunit",)))
    assert changed.description.retry_count == 3
    assert changed.description.entities == ("businessunit",)
    assert changed.version != made.version
    assert profiles.deactivate(made.id).state is not State.ACTIVE
    profiles.delete(made.id)
    assert profiles.get(made.id) is None
    assert profiles.find(description.name) is None


def test_metadata_can_be_activated_before_data(kit: Kit, description: Description) -> None:
    profiles = kit.client.profiles
    made = profiles.create(description)
    profiles.activate_metadata(made.id)
    found = follow(kit, made.id, lambda status: status.metadata is MetadataState.CREATED)
    assert not any(status.initial_sync.begun for status in found.statuses)
    profiles.activate_data(made.id)
    assert {status.initial_sync for status in follow(kit, made.id).statuses} == {SyncState.COMPLETED}
    profiles.delete(made.id)


def test_tables_that_stayed_behind_are_in_the_way_of_a_new_profile(kit: Kit, description: Description) -> None:
    profiles = kit.client.profiles
    made = profiles.create(description)
    profiles.activate(made.id)
    follow(kit, made.id)
    profiles.delete(made.id)
    with pytest.raises(RefusedError) as refusal:
        profiles.validate(description)
    assert {problem.code for problem in refusal.value.problems} == {"TableExists"}
    assert f"dbo.{description.prefix}_businessunit" in {problem.target for problem in refusal.value.problems}


def test_everything_wrong_with_a_description_is_named_at_once(kit: Kit, description: Description) -> None:
    wrong = replace(
        description,
        entities=("businessunit", "nosuchentity", "competitor"),
        relationships=("nosuch_association",),
        key_vault_uri=description.key_vault_uri + "x",
    )
    with pytest.raises(RefusedError) as refusal:
        kit.client.profiles.validate(wrong)
    found = {(problem.code, problem.target) for problem in refusal.value.problems}
    assert found == {
        ("EntityNotFound", "nosuchentity"),
        ("ChangeTracking", "competitor"),
        ("RelationshipNotFound", "nosuch_association"),
        ("SecretNotFound", wrong.key_vault_uri),
    }


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"retry_count": 21}, "MaxRetryCount"),
        ({"interval_seconds": 3601}, "IntervalInSeconds"),
        ({"prefix": "fifteencharsxxx"}, "DestinationPrefix"),
        ({"schema": "a-b"}, "DestinationSchemaName"),
        ({"entities": ()}, "Entities"),
    ],
)
def test_a_description_over_the_limits_is_refused(
    kit: Kit, description: Description, change: dict[str, object], target: str
) -> None:
    with pytest.raises(RefusedError) as refusal:
        kit.client.profiles.validate(replace(description, **change))  # type: ignore[arg-type]
    assert any(target in problem.target for problem in refusal.value.problems)


def test_a_callers_rights_are_checked_by_every_operation(kit: Kit) -> None:
    stranger = kit.stranger()
    assert stranger.client.metadata.organizations() == []
    for call in (
        stranger.client.metadata.discover,
        stranger.client.metadata.connector,
        stranger.client.metadata.privacy_terms_accepted,
        stranger.client.metadata.accept_privacy_terms,
    ):
        with pytest.raises(RefusedError) as refusal:
            call()
        assert refusal.value.status == 403
    stranger.close()


def test_the_failure_log_is_a_container_that_its_address_lets_one_read(
    kit: Kit, ground: Ground, description: Description
) -> None:
    """Read as a client of Azure Storage reads it: list blobs, get a blob, with the signature of the address."""
    profiles = kit.client.profiles
    made = profiles.create(description)
    table = f"{description.prefix}_businessunit"
    ground.run(f"CREATE TABLE [dbo].[{table}] ([Id] int NULL)")
    profiles.activate(made.id)
    follow(kit, made.id)
    address = profiles.failures(made.id)
    assert str(address) == "***"
    container, _, signature = address.reveal().partition("?")
    tls = kit.sandbox["ca_file"]

    listed = requests.get(f"{container}?restype=container&comp=list&{signature}", verify=tls, timeout=30)
    names = re.findall(r"<Name>([^<]+)</Name>", listed.text)
    (name,) = [name for name in names if name.startswith("failurelog/")]
    assert re.fullmatch(r"failurelog/\d{4}/\d\d/\d\d/\d\d/failures\.txt", name)
    assert any(name.startswith("metadata/") for name in names)
    blob = requests.get(f"{container}/{name}?{signature}", verify=tls, timeout=30)
    assert blob.text == (
        "Entity: businessunit, RecordId: N/A, NotificationTime: , ChangeType: Trigger Initial Export,"
        f" FailureReason: There is already an object named '{table}' in the database.\n"
    )
    ranged = {"x-ms-range": "bytes=0-6"}
    first = requests.get(f"{container}/{name}?{signature}", headers=ranged, verify=tls, timeout=30)
    assert (first.status_code, first.text) == (206, "Entity:")

    forged = requests.get(f"{container}/{name}?{signature}x", verify=tls, timeout=30)
    assert forged.status_code == 403
    assert "<Code>AuthenticationFailed</Code>" in forged.text
    assert requests.get(f"{container}/{name}", verify=tls, timeout=30).status_code == 401
    assert requests.put(f"{container}/{name}?{signature}", b"x", verify=tls, timeout=30).status_code == 403
    log = (kit.sandbox.directory / "requests.jsonl").read_text(encoding="utf-8")
    assert name in log
    assert "sig=" not in log
    profiles.delete(made.id)
    assert requests.get(f"{container}/{name}?{signature}", verify=tls, timeout=30).status_code == 404
