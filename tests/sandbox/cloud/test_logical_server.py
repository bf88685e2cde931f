from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from setup_kit.sandbox.logical_server import LogicalServer
from setup_kit.sandbox.tenant import Tenant

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox

PASSWORD = "Very-Secret-1"


@pytest.fixture
def server(azure: Azure, sandbox: Sandbox, shared_group: str, name: str) -> LogicalServer:
    """A new server as the SQL endpoint sees it."""
    azure.server(shared_group, name)
    return LogicalServer(sandbox.state, Tenant(sandbox.state, sandbox["tenant_id"]), name)


def test_a_new_server_admits_nobody(server: LogicalServer) -> None:
    assert list(server.firewall_rules()) == []
    assert server.entra_administrator() is None
    assert not server.entra_only()


def test_rules_hold_from_the_moment_they_are_written(azure: Azure, shared_group: str, server: LogicalServer) -> None:
    body: Any = {"properties": {"startIpAddress": "127.0.0.1", "endIpAddress": "127.0.0.9"}}
    azure.sql.firewall_rules.create_or_update(shared_group, server.name, "me", body)
    assert [(rule.name, rule.start, rule.end) for rule in server.firewall_rules()] == [("me", "127.0.0.1", "127.0.0.9")]
    azure.sql.servers.begin_update(
        shared_group, server.name, {"properties": {"publicNetworkAccess": "Disabled"}}
    ).result()
    assert list(server.firewall_rules()) == []


def test_a_rule_that_sql_sets_is_resource_managers_too(azure: Azure, shared_group: str, server: LogicalServer) -> None:
    def listed() -> list[tuple[Any, Any]]:
        rules = azure.sql.firewall_rules.list_by_server(shared_group, server.name)
        return [(rule.name, rule.end_ip_address) for rule in rules]

    server.set_firewall_rule("Office", "10.0.0.1", "10.0.0.9")
    server.set_firewall_rule("office", "10.0.0.1", "10.0.0.5")
    assert listed() == [("office", "10.0.0.5")]
    server.delete_firewall_rule("OFFICE")
    server.delete_firewall_rule("nothing")
    assert listed() == []


def test_the_administrator_has_the_newest_password_only(azure: Azure, shared_group: str, server: LogicalServer) -> None:
    assert server.check_administrator("BOSS", PASSWORD)
    assert not server.check_administrator("boss", PASSWORD.lower())
    assert not server.check_administrator("other", PASSWORD)
    azure.sql.servers.begin_update(
        shared_group, server.name, {"properties": {"administratorLoginPassword": "Other-Secret-2"}}
    ).result()
    assert not server.check_administrator("boss", PASSWORD)
    assert server.check_administrator("boss", "Other-Secret-2")


def test_while_entra_only_the_sql_administrator_is_nobody(
    azure: Azure, sandbox: Sandbox, shared_group: str, server: LogicalServer
) -> None:
    administrator: Any = {
        "properties": {
            "administratorType": "ActiveDirectory",
            "login": "the kit",
            "sid": sandbox["client_id"],
            "tenantId": sandbox["tenant_id"],
        }
    }
    azure.sql.server_azure_ad_administrators.begin_create_or_update(
        shared_group, server.name, "ActiveDirectory", administrator
    ).result()
    # An application's id stands for its principal.
    assert server.entra_administrator() == sandbox["object_id"]
    only: Any = {"properties": {"azureADOnlyAuthentication": True}}
    azure.sql.server_azure_ad_only_authentications.begin_create_or_update(
        shared_group, server.name, "Default", only
    ).result()
    assert server.entra_only()
    assert not server.check_administrator("boss", PASSWORD)


def test_a_database_is_online_from_its_creation_to_its_end(
    azure: Azure, shared_group: str, server: LogicalServer
) -> None:
    assert server.online("master")
    assert not server.online("Sales")
    azure.sql.databases.begin_create_or_update(shared_group, server.name, "Sales", {"location": "westeurope"}).result()
    assert server.online("sales")
    azure.sql.databases.begin_delete(shared_group, server.name, "Sales").result()
    assert not server.online("Sales")
