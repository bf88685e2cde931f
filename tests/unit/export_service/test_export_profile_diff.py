from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from setup_kit.engine.resource import Action
from setup_kit.environment.models import Environment
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.models import Profile, State
from setup_kit.resources.profile import ExportProfile, wanted_description

MakeEnvironment = Callable[..., Environment]

URI = "https://Kv-Contoso.vault.azure.net/secrets/data-export-connection"


@dataclass
class Known:
    """A secret whose URI is known."""

    uri_without_version: str


@dataclass
class SecretResource:
    observed: Known | None


SECRET = SecretResource(Known(URI))


def held(make_environment: MakeEnvironment, **profile: object) -> Profile:
    """A profile that the service holds, as the environment file with these keys would have made it."""
    return Profile("id", "1", State.ACTIVE, wanted_description(make_environment(**profile), URI))


@pytest.fixture
def resource(make_environment: MakeEnvironment, client: ExportServiceClient) -> ExportProfile:
    return ExportProfile(make_environment(), client, SECRET)


def test_a_profile_as_wanted_needs_no_change(resource: ExportProfile, make_environment: MakeEnvironment) -> None:
    assert resource.diff(held(make_environment)) == []


def test_the_order_and_case_of_entities_do_not_matter(
    resource: ExportProfile, make_environment: MakeEnvironment
) -> None:
    found = held(make_environment)
    assert resource.diff(replace(found, description=replace(found.description, entities=("Contact", "account")))) == []


def test_a_missing_profile_is_created_with_all_it_holds(resource: ExportProfile) -> None:
    (change,) = resource.diff(None)
    assert change.action is Action.CREATE
    assert change.detail["entities"] == ["account", "contact"]
    assert change.detail["key_vault_uri"] == URI


def test_a_profile_is_planned_before_its_secret_is_there(
    make_environment: MakeEnvironment, client: ExportServiceClient
) -> None:
    resource = ExportProfile(make_environment(), client, SecretResource(None))
    assert resource.diff(held(make_environment)) == []
    (change,) = resource.diff(None)
    assert "known when" in str(change.detail["key_vault_uri"])
    with pytest.raises(KitError, match="cannot be written"):
        resource.apply(change)


def test_entities_added_and_removed_are_named_with_the_table_that_stays(
    resource: ExportProfile, make_environment: MakeEnvironment
) -> None:
    (change,) = resource.diff(held(make_environment, entities=["account", "lead"]))
    assert (change.target, change.before, change.after) == ("entities", ["account", "lead"], ["account", "contact"])
    assert "adds contact" in change.why
    assert "removes lead" in change.why
    assert "dbo.crm_lead" in change.why


def test_every_field_that_differs_is_a_change_of_its_own(
    resource: ExportProfile, make_environment: MakeEnvironment
) -> None:
    found = held(
        make_environment, retry={"count": 3, "interval_seconds": 60}, delete_log=False, relationships=["contactleads"]
    )
    changes = {change.target: (change.before, change.after) for change in resource.diff(found)}
    assert changes == {
        "relationships": (["contactleads"], []),
        "retry.count": (3, 12),
        "retry.interval_seconds": (60, 5),
        "delete_log": (False, True),
    }


@pytest.mark.parametrize("there", [URI + "/0123456789abcdef", URI.lower(), "https://other.vault.azure.net/secrets/x"])
def test_a_secret_uri_with_a_version_or_in_another_case_is_another_one(
    resource: ExportProfile, make_environment: MakeEnvironment, there: str
) -> None:
    found = held(make_environment)
    (change,) = resource.diff(replace(found, description=replace(found.description, key_vault_uri=there)))
    assert (change.target, change.before, change.after) == ("key_vault_uri", there, URI)


def test_the_port_that_older_tools_printed_is_no_difference(
    resource: ExportProfile, make_environment: MakeEnvironment
) -> None:
    found = held(make_environment)
    uri = URI.replace(".net/", ".net:443/")
    assert resource.diff(replace(found, description=replace(found.description, key_vault_uri=uri))) == []


def test_another_prefix_means_another_profile(resource: ExportProfile, make_environment: MakeEnvironment) -> None:
    with pytest.raises(KitError, match="prefix of the profile 'Contoso CRM' is 'old' and cannot become 'crm'") as error:
        resource.diff(held(make_environment, prefix="old"))
    assert "profile.name" in error.value.remedy


def test_a_profile_in_a_state_of_error_is_reported(resource: ExportProfile, make_environment: MakeEnvironment) -> None:
    (finding,) = resource.audit(replace(held(make_environment), state=State.ERROR))
    assert "Error" in finding.message
