"""The service's presence in the tenant."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from setup_kit.azure.clients import AzureClients
from setup_kit.errors import KitError
from setup_kit.sandbox.tenant import Tenant
from tests.sandbox.azure.conftest import Kit


@dataclass(frozen=True)
class Application:
    id: str
    tenant: Tenant
    kit: Kit


@pytest.fixture
def application(kit: Kit) -> Iterator[Application]:
    """An export service of one's own, known to Entra and not yet in the tenant."""
    tenant = Tenant(kit.sandbox.state, kit.sandbox["tenant_id"])
    identifier = str(uuid.uuid4())
    tenant.add_application(identifier, "Our Export Service")
    yield Application(identifier, tenant, kit.but(export_service={"application_id": identifier}))
    tenant.remove_principal(identifier)


def test_an_absent_service_principal_is_added_and_said_plainly(application: Application) -> None:
    kit = application.kit
    [change] = kit.settle(kit.principal)
    assert "adds the application" in change.why
    observed = kit.principal.read()
    assert observed is not None
    assert (observed.application_id, observed.name) == (application.id, "Our Export Service")
    assert kit.drift(kit.principal) == []


def test_one_that_went_away_is_named_and_added_again(application: Application) -> None:
    kit = application.kit
    kit.settle(kit.principal)
    application.tenant.remove_principal(application.id)
    assert [change.resource for change in kit.settle(kit.principal)] == [kit.principal.address]
    assert kit.drift(kit.principal) == []


def test_who_may_not_add_it_reads_who_may_and_what_to_type(application: Application, stranger: AzureClients) -> None:
    kit = application.kit
    [change] = kit.drift(kit.principal)
    other = Kit(kit.sandbox, kit.environment, stranger)
    with pytest.raises(KitError) as refused:
        other.principal.apply(change)
    assert f"az ad sp create --id {application.id}" in refused.value.remedy


def test_an_application_that_nobody_knows_is_explained(kit: Kit) -> None:
    unknown = kit.but(export_service={"application_id": str(uuid.uuid4())})
    with pytest.raises(KitError) as refused:
        unknown.settle(unknown.principal)
    assert "export_service.application_id" in refused.value.remedy
    assert "does not reference a valid application" in refused.value.original
