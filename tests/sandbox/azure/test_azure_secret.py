"""The secret: the password is made once and kept, whatever else is mended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from setup_kit.azure.clients import AzureClients
from setup_kit.engine.resource import Action, NotReadable
from setup_kit.errors import KitError
from setup_kit.sandbox.key_vault.store import Secrets as Store
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net
from tests.sandbox.azure.conftest import Kit


@pytest.fixture
def made(kit: Kit) -> Kit:
    kit.settle()
    return kit


def versions(kit: Kit) -> int:
    return len(store(kit).versions(kit.secret.name)[1])


def store(kit: Kit) -> Store:
    return Store(kit.sandbox.state, kit.vault.name)


def value(kit: Kit) -> Secret:
    observed = kit.secret.read()
    assert observed is not None
    assert observed.value is not None
    return observed.value


def organization(kit: Kit) -> str:
    return str(kit.environment.dynamics.organization_id)


def test_it_holds_a_connection_string_that_leads_to_the_database(made: Kit) -> None:
    given = parse_ado_net(value(made))
    assert made.server.observed is not None
    assert made.server.observed.fqdn == f"{given.address.host},{given.address.port}"
    assert (given.database, given.user) == ("crm", "dataexport")
    assert given.password is not None
    assert len(given.password.reveal()) >= 32


def test_its_address_has_no_version_and_its_tag_names_organization_and_tenant(made: Kit) -> None:
    observed = made.secret.read()
    assert observed is not None
    assert made.vault.observed is not None
    assert observed.uri_without_version == f"{made.vault.observed.uri}secrets/data-export-connection"
    assert observed.tags[organization(made)] == made.sandbox["tenant_id"]


def test_a_lost_tag_is_named_and_put_back_without_a_new_version(made: Kit) -> None:
    store(made).update(made.secret.name, "", None, {"theirs": "1"}, {})
    [change] = made.settle(made.secret)
    assert (change.action, change.target) == (Action.UPDATE, f"tag {organization(made)}")
    assert change.after == made.sandbox["tenant_id"]
    observed = made.secret.read()
    assert observed is not None
    assert observed.tags == {"theirs": "1", organization(made): made.sandbox["tenant_id"]}
    assert versions(made) == 1
    assert made.drift() == []


def test_a_wrong_tag_shows_both_values(made: Kit) -> None:
    store(made).update(made.secret.name, "", None, {organization(made): "elsewhere"}, {})
    [change] = made.drift(made.secret)
    assert (change.before, change.after) == ("elsewhere", made.sandbox["tenant_id"])


def test_another_user_and_database_keep_the_password_and_the_tags(made: Kit) -> None:
    store(made).update(made.secret.name, "", None, {"theirs": "1", organization(made): made.sandbox["tenant_id"]}, {})
    password = parse_ado_net(value(made)).password
    other = made.but(sql={"database": {"name": "crm2"}, "export_user": {"name": "exporter"}})
    other.drift(other.server, other.vault, other.operator_access)
    changes = other.settle(other.secret)
    assert [(change.target, change.before, change.after) for change in changes] == [
        ("database", "crm", "crm2"),
        ("user", "dataexport", "exporter"),
    ]
    given = parse_ado_net(value(other))
    assert (given.database, given.user, given.password) == ("crm2", "exporter", password)
    assert versions(made) == 2
    observed = other.secret.read()
    assert observed is not None
    assert observed.tags["theirs"] == "1"
    assert other.drift(other.secret) == []


def test_a_disabled_secret_is_enabled_and_whatever_else_is_wrong_is_mended_with_it(made: Kit) -> None:
    store(made).update(made.secret.name, "", None, {}, {"enabled": False})
    [change] = made.settle(made.secret)
    assert (change.target, change.before, change.after) == ("enabled", False, True)
    assert made.drift() == []
    assert versions(made) == 1


def test_an_expired_secret_gets_a_new_version_with_the_same_password(made: Kit) -> None:
    password = parse_ado_net(value(made)).password
    store(made).update(made.secret.name, "", None, None, {"exp": int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())})
    [change] = made.settle(made.secret)
    assert (change.target, change.before, change.after) == ("expiry", "2020-01-01", "never")
    assert parse_ado_net(value(made)).password == password
    assert made.drift() == []


def test_a_secret_that_holds_only_later_gets_a_new_version_with_the_same_password(made: Kit) -> None:
    password = parse_ado_net(value(made)).password
    store(made).update(made.secret.name, "", None, None, {"nbf": int(datetime(2999, 1, 1, tzinfo=UTC).timestamp())})
    [change] = made.settle(made.secret)
    assert (change.action, change.target) == (Action.UPDATE, "not before")
    assert (change.before, change.after) == ("2999-01-01", "now")
    assert parse_ado_net(value(made)).password == password
    assert made.drift() == []


def test_a_secret_that_holds_since_a_while_is_right(made: Kit) -> None:
    store(made).update(made.secret.name, "", None, None, {"nbf": int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())})
    assert made.drift(made.secret) == []


def test_a_secret_about_to_expire_is_warned_of(made: Kit) -> None:
    soon = datetime.now(UTC) + timedelta(days=3)
    store(made).update(made.secret.name, "", None, None, {"exp": int(soon.timestamp())})
    assert made.drift(made.secret) == []
    assert made.secret.observed is not None
    [finding] = made.secret.audit(made.secret.observed)
    assert f"{soon:%Y-%m-%d}" in finding.message


@pytest.mark.parametrize("broken", ["no connection string", "Server=s;Initial Catalog=crm;User ID=dataexport"])
def test_a_value_that_is_of_no_use_is_written_anew_and_never_shown(made: Kit, broken: str) -> None:
    made.azure.secrets(made.vault.observed.uri if made.vault.observed else "").set(
        made.secret.name, Secret(broken), {organization(made): made.sandbox["tenant_id"]}, ""
    )
    changes = made.settle(made.secret)
    assert [(change.target, change.after) for change in changes] == [
        ("connection string", "a new connection string with a new password")
    ]
    assert broken not in str(changes)
    assert made.drift() == []


def test_a_deleted_secret_is_recovered_with_its_password(made: Kit) -> None:
    password = parse_ado_net(value(made)).password
    store(made).delete(made.secret.name, 90)
    [change] = made.drift(made.secret)
    assert (change.action, change.before, change.after) == (Action.CREATE, "deleted", "recovered")
    made.settle(made.secret)
    assert parse_ado_net(value(made)).password == password
    assert made.drift() == []


def test_without_the_permission_to_recover_the_command_is_said(policy_kit: Kit) -> None:
    policy_kit.settle()
    store(policy_kit).delete(policy_kit.secret.name, 90)
    with pytest.raises(KitError) as refused:
        policy_kit.settle(policy_kit.secret)
    assert "az keyvault secret recover" in refused.value.remedy


def test_fifteen_tags_of_others_leave_no_room(made: Kit) -> None:
    others: dict[str, Any] = {f"tag{number}": "1" for number in range(15)}
    store(made).update(made.secret.name, "", None, others, {})
    with pytest.raises(KitError, match="cannot get the tag"):
        made.settle(made.secret)


def test_who_may_not_read_it_is_told_what_opens_the_way(made: Kit, stranger: AzureClients) -> None:
    other = Kit(made.sandbox, made.environment, stranger)
    other.vault.observed = made.vault.observed
    with pytest.raises(NotReadable) as obstacle:
        other.secret.read()
    assert obstacle.value.remedy


def test_a_killed_run_leaves_a_secret_whose_password_stays(made: Kit) -> None:
    """The second run finds the secret that the first one wrote before it was killed."""
    first = value(made)
    again = Kit(made.sandbox, made.environment, made.azure)
    assert again.settle() == []
    assert value(again) == first
