"""The service and its client write the wire's words down separately; here they meet."""

from __future__ import annotations

import inspect
import json
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit import known_errors
from setup_kit.export_service import reading
from setup_kit.export_service.errors import Problem, read_error
from setup_kit.export_service.models import Description, MetadataState, State, SyncState
from setup_kit.resources import validation
from setup_kit.service import description as service_description
from setup_kit.service import errors as service_errors
from setup_kit.service import profile as service_profile
from setup_kit.service import validation as service_validation
from setup_kit.service import vault as service_vault

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)

DESCRIPTIONS = st.builds(
    Description,
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=40),
    organization_id=st.uuids().map(str),
    organization_url=st.just("https://contoso.crm4.dynamics.com"),
    entities=st.lists(NAMES, min_size=1, max_size=6, unique=True).map(tuple),
    key_vault_uri=st.just("https://Kv-Contoso.vault.azure.net/secrets/Export"),
    relationships=st.lists(NAMES, max_size=3, unique=True).map(tuple),
    prefix=st.from_regex(r"[A-Za-z0-9]{0,14}", fullmatch=True),
    schema=st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,20}", fullmatch=True),
    retry_count=st.integers(0, 20),
    interval_seconds=st.integers(0, 3600),
    delete_log=st.booleans(),
)


@given(DESCRIPTIONS)
def test_the_service_reads_a_description_as_the_client_means_it(description: Description) -> None:
    read, problems = service_description.read(json.loads(json.dumps(description.to_wire())))
    assert problems == []
    assert read.id is None
    assert (read.name, read.key_vault_uri) == (description.name, description.key_vault_uri)
    assert tuple(choice.name for choice in read.entities) == description.entities
    assert tuple(choice.name for choice in read.relationships) == description.relationships
    assert (read.prefix, read.schema) == (description.prefix, description.schema)
    assert (read.retry.maximum, read.retry.interval) == (description.retry_count, description.interval_seconds)
    assert read.write_delete_log is description.delete_log


@given(DESCRIPTIONS)
def test_the_client_reads_a_profile_as_the_service_means_it(description: Description) -> None:
    read, _ = service_description.read(description.to_wire())
    held = service_profile.Profile("p", 7, service_profile.ProfileState.ACTIVE, read, metadata=True, data=True)
    statuses = {
        name: service_profile.Status(
            name,
            total=12,
            success=11,
            failure=1,
            metadata=service_profile.MetadataState.CREATED,
            initial=service_profile.SyncState.WITH_FAILURES,
        )
        for name in description.entities
    }
    found = reading.profile(json.loads(json.dumps(held.to_wire({}, statuses))))
    assert (found.id, found.version, found.state) == ("p", "7", State.ACTIVE)
    assert found.description == description
    assert len(found.statuses) == len(description.entities) + len(description.relationships)
    first = found.statuses[0]
    assert (first.name, first.total, first.succeeded, first.failed) == (description.entities[0], 12, 11, 1)
    assert (first.metadata, first.initial_sync) == (MetadataState.CREATED, SyncState.COMPLETED_WITH_FAILURES)


@pytest.mark.parametrize("word", list(service_profile.ProfileState))
def test_the_client_knows_every_state_of_a_profile(word: str) -> None:
    assert reading.enumeration(reading.STATES, word) is not State.UNKNOWN


@pytest.mark.parametrize("word", list(service_profile.SyncState))
def test_the_client_knows_every_state_of_a_synchronization(word: str) -> None:
    assert reading.enumeration(reading.SYNC_STATES, word) is not SyncState.UNKNOWN


@pytest.mark.parametrize("word", list(service_profile.MetadataState))
def test_the_client_knows_every_state_of_a_table(word: str) -> None:
    assert reading.enumeration(reading.METADATA_STATES, word) is not MetadataState.UNKNOWN


def test_an_error_body_arrives_whole() -> None:
    problems = [service_errors.Problem("SecretTag", "x", "no tag"), service_errors.Problem("Firewall", "1.2.3.4", "no")]
    sent = service_errors.ServiceError.of(problems)
    correlation_id = str(uuid.uuid4())
    body = read_error(json.dumps(sent.to_wire(correlation_id)))
    assert body.correlation_id == correlation_id
    assert body.message == "no tag no"
    assert body.problems == (Problem("SecretTag", "x", "no tag"), Problem("Firewall", "1.2.3.4", "no"))


def test_what_the_service_finds_missing_has_a_remedy() -> None:
    text = inspect.getsource(service_validation) + inspect.getsource(service_vault)
    said = set(re.findall(r'Problem\(\s*(?:\w+\s*,\s*)?"(\w+)"', text))
    assert len(said) > 15
    # Of these two nothing more is known than what the message says.
    assert {code for code in said if known_errors.find("service", code) is None} <= {
        "Destination",
        "InvalidDescription",
    }
    assert said >= validation.SETTLING
