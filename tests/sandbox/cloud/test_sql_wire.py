"""What Resource Manager says is what the SQL endpoint does, seen through Microsoft's driver."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from setup_kit.sandbox.requests import read_requests
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlAddress, SqlError, connect

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox

PASSWORD = "Very-Secret-1"
BOSS: dict[str, Any] = {"user": "boss", "password": Secret(PASSWORD)}


@pytest.fixture
def server(azure: Azure, shared_group: str, name: str) -> str:
    """A server that admits this machine."""
    azure.server(shared_group, name)
    admit(azure, shared_group, name)
    return name


def admit(azure: Azure, group: str, server: str) -> None:
    body: Any = {"properties": {"startIpAddress": "127.0.0.1", "endIpAddress": "127.0.0.1"}}
    azure.sql.firewall_rules.create_or_update(group, server, "me", body)


def log_in(azure: Azure, group: str, server: str, database: str = "master", **who: Any) -> list[Any]:
    """The user and the database that a new session finds itself as and in."""
    address = str(azure.sql.servers.get(group, server).properties.fully_qualified_domain_name)
    connection = connect(
        SqlAddress.parse(address), database, certificate=Path(azure.sandbox["sql_certificate"]), **(who or BOSS)
    )
    try:
        return list(connection.execute("SELECT SUSER_SNAME(), DB_NAME()").fetchone())
    finally:
        connection.close()


def refused(call: Callable[[], object]) -> int:
    with pytest.raises(SqlError) as error:
        call()
    return error.value.number or 0


def test_the_administrator_logs_in_once_the_firewall_admits_him(azure: Azure, shared_group: str, name: str) -> None:
    azure.server(shared_group, name)
    assert refused(lambda: log_in(azure, shared_group, name)) == 40615
    admit(azure, shared_group, name)
    assert log_in(azure, shared_group, name) == ["boss", "master"]
    azure.sql.firewall_rules.delete(shared_group, name, "me")
    assert refused(lambda: log_in(azure, shared_group, name)) == 40615


def test_a_wrong_password_is_18456(azure: Azure, shared_group: str, server: str) -> None:
    who: dict[str, Any] = {"user": "boss", "password": Secret("Wrong-Secret-1")}
    assert refused(lambda: log_in(azure, shared_group, server, **who)) == 18456


def test_a_database_can_be_opened_while_it_is_there(azure: Azure, shared_group: str, server: str) -> None:
    assert refused(lambda: log_in(azure, shared_group, server, "Sales")) == 4060
    azure.sql.databases.begin_create_or_update(shared_group, server, "Sales", {"location": "westeurope"}).result()
    assert log_in(azure, shared_group, server, "Sales") == ["boss", "Sales"]
    azure.sql.databases.begin_delete(shared_group, server, "Sales").result()
    assert refused(lambda: log_in(azure, shared_group, server, "Sales")) == 4060


def test_a_member_of_the_entra_administrators_logs_in_with_a_token(
    azure: Azure, sandbox: Sandbox, stranger: Azure, shared_group: str, server: str
) -> None:
    token = Secret(azure.token(sandbox["sql_audience"]))
    assert refused(lambda: log_in(azure, shared_group, server, access_token=token)) == 18456
    group = sandbox["sql_administrators"]
    body: Any = {
        "properties": {
            "administratorType": "ActiveDirectory",
            "login": group["name"],
            "sid": group["object_id"],
            "tenantId": sandbox["tenant_id"],
        }
    }
    administrators = azure.sql.server_azure_ad_administrators
    administrators.begin_create_or_update(shared_group, server, "ActiveDirectory", body).result()
    assert log_in(azure, shared_group, server, access_token=token)[1] == "master"
    strangers = Secret(stranger.token(sandbox["sql_audience"]))
    assert refused(lambda: log_in(azure, shared_group, server, access_token=strangers)) == 18456
    elsewhere = Secret(azure.token("https://vault.azure.net"))
    assert refused(lambda: log_in(azure, shared_group, server, access_token=elsewhere)) == 18456


def test_a_server_made_anew_knows_nothing_of_the_old_one(azure: Azure, shared_group: str, server: str) -> None:
    azure.sql.databases.begin_create_or_update(shared_group, server, "Sales", {"location": "westeurope"}).result()
    azure.sql.servers.begin_delete(shared_group, server).result()
    assert not (azure.sandbox.directory / "sql" / server).exists()
    azure.server(shared_group, server)
    assert refused(lambda: log_in(azure, shared_group, server)) == 40615
    admit(azure, shared_group, server)
    assert refused(lambda: log_in(azure, shared_group, server, "Sales")) == 4060


def test_log_ins_and_statements_are_in_the_request_log(azure: Azure, shared_group: str, server: str) -> None:
    log_in(azure, shared_group, server)
    entries = [each for each in read_requests(azure.sandbox.directory) if each["path"] == f"/{server}/master"]
    assert {(each["part"], each["method"], each["status"], each["caller"]) for each in entries} >= {
        ("sql", "LOGIN", 0, "boss"),
        ("sql", "SELECT", 0, "boss"),
    }
