"""The logical server: made, compared, refused where it cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.sql_servers import EntraAdministrator
from setup_kit.engine.resource import Action, Progress
from setup_kit.errors import KitError
from setup_kit.resources.providers import ProviderRegistrations
from setup_kit.resources.sql_server import SqlServer
from setup_kit.sandbox.resource_manager.groups import PROVIDERS
from setup_kit.sandbox.resource_manager.sql_servers import SERVERS, TAKEN
from setup_kit.secret import Secret
from tests.sandbox.azure.conftest import OWNER, Kit


def kept_server(kit: Kit) -> dict[str, object]:
    server = kit.sandbox.state.get(SERVERS, kit.server.name)
    assert server is not None
    return server


def test_a_new_server_takes_tls_1_2_only_and_has_the_group_as_its_administrator(kit: Kit) -> None:
    kit.settle(kit.group, kit.server)
    observed = kit.server.read()
    assert observed is not None
    assert (observed.minimal_tls, observed.public_access, observed.entra_only) == ("1.2", True, False)
    assert observed.entra is not None
    assert observed.entra.name == "SQL Administrators"
    assert observed.fqdn.startswith("127.0.0.1,")


def test_the_sql_administrator_that_the_file_names_gets_the_given_password(kit: Kit) -> None:
    named = kit.but(sql={"administrator": {"entra_group": None, "sql_login": "boss"}})
    named.settle(named.group, named.server)
    observed = named.server.read()
    assert observed is not None
    assert (observed.login, observed.entra) == ("boss", None)
    assert named.drift(named.server) == []


def test_a_password_that_azure_refuses_is_explained_and_not_repeated(kit: Kit) -> None:
    named = kit.but(sql={"administrator": {"entra_group": None, "sql_login": "boss"}})
    named.settle(named.group)
    weak = SqlServer(named.environment, named.azure, named.group, lambda: Secret("weakpassword"), owner=OWNER)
    with pytest.raises(AzureRefusal) as refused:
        named.settle(weak)
    assert refused.value.code == "PasswordNotComplex"
    assert "three of" in refused.value.remedy
    assert "weakpassword" not in f"{refused.value.what}{refused.value.original}{refused.value.why}"


def test_another_administrator_is_named_and_replaced(kit: Kit) -> None:
    kit.settle(kit.group, kit.server)
    somebody = EntraAdministrator("Somebody", kit.sandbox["object_id"], kit.sandbox["tenant_id"])
    kit.azure.sql_servers.set_entra_administrator(kit.group.name, kit.server.name, somebody)
    [change] = kit.settle(kit.server)
    assert (change.action, change.target, change.destructive) == (Action.UPDATE, "administrator", True)
    assert "Somebody" in str(change.before)
    assert "SQL Administrators" in str(change.after)
    assert "Somebody loses" in change.why
    assert kit.drift(kit.server) == []


def test_a_server_closed_to_the_network_is_opened(kit: Kit) -> None:
    kit.settle(kit.group, kit.server)
    kit.azure.sql_servers.update(kit.group.name, kit.server.name, public_access=False)
    [change] = kit.settle(kit.server)
    assert (change.target, change.before, change.after) == ("public network access", "disabled", "enabled")
    assert kit.drift(kit.server) == []


def test_an_old_tls_version_stays_and_is_warned_of(kit: Kit) -> None:
    kit.settle(kit.group, kit.server)
    kit.sandbox.state.put(SERVERS, kit.server.name, {**kept_server(kit), "minimal_tls": "1.0"})
    assert kit.drift(kit.server) == []
    assert kit.server.observed is not None
    [finding] = kit.server.audit(kit.server.observed)
    assert "TLS 1.0" in finding.message


def test_an_entra_only_server_is_refused_before_anything_is_made(kit: Kit) -> None:
    kit.settle(kit.group, kit.server)
    kit.sandbox.state.put(SERVERS, kit.server.name, {**kept_server(kit), "entra_only": True})
    with pytest.raises(KitError) as refused:
        kit.drift(kit.server)
    assert "az sql server ad-only-auth disable" in refused.value.remedy


def test_a_server_of_another_sql_administrator_is_refused(kit: Kit) -> None:
    kit.settle(kit.group, kit.server)
    named = kit.but(sql={"administrator": {"entra_group": None, "sql_login": "boss"}})
    with pytest.raises(KitError) as refused:
        named.drift(named.server)
    assert "sql.administrator.sql_login" in refused.value.remedy


def test_a_name_that_somebody_else_has_is_refused_before_anything_is_made(kit: Kit) -> None:
    kit.sandbox.state.put(TAKEN, f"server/{kit.server.name}", {})
    with pytest.raises(KitError) as refused:
        kit.drift(kit.server)
    assert kit.server.name in refused.value.what
    assert "already used" in refused.value.original


def test_a_name_taken_in_the_meantime_fails_the_operation_clearly(kit: Kit) -> None:
    kit.settle(kit.group)
    [change] = kit.drift(kit.server)
    kit.sandbox.state.put(TAKEN, f"server/{kit.server.name}", {})
    with pytest.raises(AzureRefusal) as refused:
        kit.server.apply(change)
    assert refused.value.code == "NameAlreadyExists"
    assert "sql.server" in refused.value.remedy


def test_who_may_not_make_a_server_reads_which_permission_is_missing(kit: Kit, stranger: AzureClients) -> None:
    kit.settle(kit.group)
    other = Kit(kit.sandbox, kit.environment, stranger)
    with pytest.raises(AzureRefusal) as refused:
        other.drift(other.server)
    assert refused.value.code == "AuthorizationFailed"
    assert "/read" in refused.value.remedy


@pytest.fixture
def unregistered(kit: Kit) -> Iterator[Kit]:
    state = kit.sandbox.state
    kit.settle(kit.group)
    state.put(PROVIDERS, "microsoft.sql", {"state": "NotRegistered"})
    yield kit
    state.delete(PROVIDERS, "microsoft.sql")


def test_a_subscription_that_is_not_registered_is_registered_by_a_change_of_its_own(unregistered: Kit) -> None:
    kit = unregistered
    registrations = ProviderRegistrations(kit.environment, kit.azure)
    [change] = kit.drift(registrations)
    assert (change.target, change.before, change.after) == ("Microsoft.Sql", "NotRegistered", "Registered")
    kit.settle(registrations)
    assert kit.drift(registrations) == []
    assert kit.settle(kit.server)


def test_without_that_the_error_says_what_to_type(unregistered: Kit) -> None:
    change = unregistered.server.diff(None)[0]
    with pytest.raises(AzureRefusal) as refused:
        unregistered.server.apply(change)
    assert refused.value.code == "MissingSubscriptionRegistration"
    assert refused.value.remedy == "run: az provider register --namespace Microsoft.Sql --wait"
    assert unregistered.sandbox.state.get(PROVIDERS, "microsoft.sql") == {"state": "NotRegistered"}


def test_a_server_made_for_another_environment_is_warned_of(kit: Kit) -> None:
    kit.settle(kit.group, kit.server)
    other = SqlServer(kit.environment, kit.azure, kit.group, lambda: Secret(""), owner="other")
    observed = other.read()
    assert observed is not None
    assert [finding.check for finding in other.audit(observed)] == ["sql_server.shared"]
    assert other.diff(observed) == []


def test_a_server_made_for_another_environment_is_not_changed(kit: Kit) -> None:
    kit.settle(kit.group, kit.server)
    tagged = kit.but(tags={"department": "finance"})
    other = SqlServer(tagged.environment, kit.azure, kit.group, lambda: Secret(""), owner="other")
    with pytest.raises(KitError) as refused:
        other.diff(other.read())
    assert OWNER in refused.value.what
    assert "tags" in refused.value.why
    assert f"-e {OWNER}" in refused.value.remedy


def test_a_repeated_creation_after_a_killed_run_is_the_same_request(kit: Kit) -> None:
    kit.settle(kit.group)
    [creation] = kit.drift(kit.server)
    first = kit.server.apply(creation)
    again = kit.server.apply(creation)
    assert again == first


def test_progress_is_told_in_seconds(kit: Kit) -> None:
    told: list[Progress] = []
    kit.server.report = told.append
    kit.settle(kit.group, kit.server)
    assert all(progress.unit == "seconds" for progress in told)


def test_what_the_kit_did_not_make_it_does_not_delete(kit: Kit) -> None:
    kit.azure.resource_groups.put(kit.group.name, "westeurope", {})
    observed = kit.group.read()
    assert observed is not None
    with pytest.raises(KitError, match="not made by setup-kit"):
        kit.group.delete(observed)
    assert kit.group.read() is not None


def test_what_the_kit_made_it_deletes(kit: Kit) -> None:
    kit.settle(kit.group, kit.server, kit.database)
    for resource in (kit.database, kit.server, kit.group):
        observed = resource.read()
        assert observed is not None
        resource.delete(observed)  # type: ignore[arg-type]
        assert resource.read() is None
