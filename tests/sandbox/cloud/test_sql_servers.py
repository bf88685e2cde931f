from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox

PASSWORD = "Very-Secret-1"


def code_of(error: HttpResponseError) -> str | None:
    return error.error.code if error.error else None


def path_of(group: str, server: str) -> str:
    return f"/resourceGroups/{group}/providers/Microsoft.Sql/servers/{server}"


@pytest.fixture(scope="module")
def server(azure: Azure, shared_group: str) -> str:
    """A server for tests that leave it as it is."""
    azure.server(shared_group, "shared" + shared_group[-8:])
    return "shared" + shared_group[-8:]


def test_a_new_server_is_accepted_and_then_polled(azure: Azure, shared_group: str, name: str) -> None:
    body = {
        "location": "westeurope",
        "properties": {"administratorLogin": "boss", "administratorLoginPassword": PASSWORD},
    }
    accepted = azure.arm("PUT", path_of(shared_group, name), body, version="2025-01-01")
    assert accepted.status_code == 202
    assert accepted.json()["operation"] == "UpsertLogicalServer"
    assert set(accepted.json()) == {"operation", "startTime"}
    assert "/locations/westeurope/serverOperationResults/" in accepted.headers["Location"]
    status = azure.call("GET", accepted.headers["Azure-AsyncOperation"], azure.sandbox["resource_manager_audience"])
    assert (status.status_code, status.json()["status"]) == (200, "Succeeded")
    assert set(status.json()) == {"name", "status", "startTime"}


def test_a_server_tells_its_address_and_never_its_password(azure: Azure, shared_group: str, server: str) -> None:
    kept = azure.sql.servers.get(shared_group, server)
    host, _, port = str(kept.properties.fully_qualified_domain_name).partition(",")
    assert (host, port.isdigit()) == ("127.0.0.1", True)
    assert kept.properties.administrator_login == "boss"
    assert PASSWORD not in azure.arm("GET", path_of(shared_group, server), version="2025-01-01").text
    for file in azure.sandbox.directory.glob("*"):
        assert not file.is_file() or PASSWORD.encode() not in file.read_bytes(), file


def test_a_servers_address_stays_when_it_is_updated(azure: Azure, shared_group: str, name: str) -> None:
    before = azure.server(shared_group, name)
    updated = azure.sql.servers.begin_update(shared_group, name, {"tags": {"a": "b"}}).result()
    assert updated.tags == {"a": "b"}
    assert updated.properties.fully_qualified_domain_name == before.properties.fully_qualified_domain_name


@pytest.mark.parametrize("bad", ["-x", "x-", "Upper", "with.dot", "x" * 64])
def test_a_name_that_the_cloud_forbids_is_refused(azure: Azure, shared_group: str, bad: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        azure.server(shared_group, bad)
    assert (refused.value.status_code, code_of(refused.value)) == (400, "InvalidServerName")


def test_a_name_that_somebody_else_has_fails_the_operation(
    azure: Azure, sandbox: Sandbox, shared_group: str, name: str
) -> None:
    sandbox.state.put("taken-names", f"server/{name}", {})
    available = azure.sql.servers.check_name_availability({"name": name, "type": "Microsoft.Sql/servers"})
    assert (available.available, available.reason) == (False, "AlreadyExists")
    with pytest.raises(HttpResponseError) as failed:
        azure.server(shared_group, name)
    assert code_of(failed.value) == "NameAlreadyExists"
    with pytest.raises(ResourceNotFoundError):
        azure.sql.servers.get(shared_group, name)


def test_a_weak_password_fails_the_operation(azure: Azure, shared_group: str, name: str) -> None:
    body: Any = {
        "location": "westeurope",
        "properties": {"administratorLogin": "boss", "administratorLoginPassword": "weak"},
    }
    with pytest.raises(HttpResponseError) as failed:
        azure.sql.servers.begin_create_or_update(shared_group, name, body).result()
    assert code_of(failed.value) == "PasswordNotComplex"


def test_a_server_elsewhere_is_not_moved(azure: Azure, shared_group: str, server: str) -> None:
    answer = azure.arm("PUT", path_of(shared_group, server), {"location": "northeurope"}, version="2025-01-01")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidResourceLocation")


def test_deleting_a_server_that_is_gone_is_204(azure: Azure, shared_group: str, name: str) -> None:
    azure.server(shared_group, name)
    azure.sql.servers.begin_delete(shared_group, name).result()
    assert azure.arm("DELETE", path_of(shared_group, name), version="2025-01-01").status_code == 204
    with pytest.raises(ResourceNotFoundError) as missing:
        azure.sql.servers.get(shared_group, name)
    assert code_of(missing.value) == "ResourceNotFound"


def test_an_entra_administrator_is_set_and_removed(azure: Azure, shared_group: str, name: str) -> None:
    azure.server(shared_group, name)
    group = azure.sandbox["sql_administrators"]
    administrators = azure.sql.server_azure_ad_administrators
    body: Any = {
        "properties": {
            "administratorType": "ActiveDirectory",
            "login": group["name"],
            "sid": group["object_id"],
            "tenantId": azure.sandbox["tenant_id"],
        }
    }
    made = administrators.begin_create_or_update(shared_group, name, "ActiveDirectory", body).result()
    assert made.properties.sid == group["object_id"]
    expanded = azure.sql.servers.get(shared_group, name, expand="administrators/ActiveDirectory")
    assert expanded.properties.administrators.login == group["name"]
    administrators.begin_delete(shared_group, name, "ActiveDirectory").result()
    assert list(administrators.list_by_server(shared_group, name)) == []


def test_an_entra_only_server_has_no_sql_administrator_of_ours(azure: Azure, shared_group: str, name: str) -> None:
    group = azure.sandbox["sql_administrators"]
    administrator = {
        "administratorType": "ActiveDirectory",
        "principalType": "Group",
        "login": group["name"],
        "sid": group["object_id"],
        "tenantId": azure.sandbox["tenant_id"],
        "azureADOnlyAuthentication": True,
    }
    body: Any = {"location": "westeurope", "properties": {"administrators": administrator}}
    made = azure.sql.servers.begin_create_or_update(shared_group, name, body).result()
    assert str(made.properties.administrator_login).startswith("CloudSA")
    only = azure.sql.server_azure_ad_only_authentications
    assert only.get(shared_group, name, "Default").properties.azure_ad_only_authentication is True
    off: Any = {"properties": {"azureADOnlyAuthentication": False}}
    only.begin_create_or_update(shared_group, name, "Default", off).result()
    assert only.get(shared_group, name, "Default").properties.azure_ad_only_authentication is False


def test_a_database_is_created_updated_listed_and_dropped(azure: Azure, shared_group: str, name: str) -> None:
    azure.server(shared_group, name)
    databases = azure.sql.databases
    body: Any = {"location": "westeurope", "sku": {"name": "P1"}, "tags": {"a": "b"}}
    made = databases.begin_create_or_update(shared_group, name, "Sales", body).result()
    assert made.sku.as_dict() == {"name": "Premium", "tier": "Premium", "capacity": 125}
    assert made.properties.current_service_objective_name == "P1"
    assert made.properties.max_size_bytes == 500 * 2**30
    smaller: Any = {"sku": {"name": "S0"}, "properties": {"maxSizeBytes": 2**30}}
    updated = databases.begin_update(shared_group, name, "sales", smaller).result()
    assert (updated.name, updated.properties.current_service_objective_name) == ("Sales", "S0")
    assert updated.properties.database_id == made.properties.database_id
    assert updated.tags == {"a": "b"}
    assert {each.name for each in databases.list_by_server(shared_group, name)} == {"master", "Sales"}
    databases.begin_delete(shared_group, name, "Sales").result()
    assert {each.name for each in databases.list_by_server(shared_group, name)} == {"master"}


def test_creating_and_updating_a_database_have_names_of_their_own(azure: Azure, shared_group: str, name: str) -> None:
    azure.server(shared_group, name)
    path = path_of(shared_group, name) + "/databases/sales"
    said = [azure.arm("PUT", path, {"location": "westeurope"}, version="2025-01-01").json() for _ in range(2)]
    assert [each["operation"] for each in said] == ["CreateLogicalDatabase", "UpdateLogicalDatabase"]


@pytest.mark.parametrize("reserved", ["master", "TempDB", "model", "msdb"])
def test_a_reserved_database_name_is_40636(azure: Azure, shared_group: str, server: str, reserved: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        azure.sql.databases.begin_create_or_update(shared_group, server, reserved, {"location": "westeurope"})
    assert (refused.value.status_code, code_of(refused.value)) == (400, "40636")


def test_a_database_of_no_server_misses_its_parent(azure: Azure, shared_group: str, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as missing:
        azure.sql.databases.begin_create_or_update(shared_group, name, "sales", {"location": "westeurope"})
    assert code_of(missing.value) == "ParentResourceNotFound"
    assert f"/servers/{name}' could not be found" in str(missing.value)


def test_a_firewall_rule_is_200_from_the_start(azure: Azure, shared_group: str, name: str) -> None:
    azure.server(shared_group, name)
    path = path_of(shared_group, name) + "/firewallRules/service"
    for end in ("40.68.252.224", "40.68.252.225"):
        body = {"properties": {"startIpAddress": "40.68.252.224", "endIpAddress": end}}
        assert azure.arm("PUT", path, body, version="2025-01-01").status_code == 200
    rules = list(azure.sql.firewall_rules.list_by_server(shared_group, name))
    assert [(each.name, each.properties.end_ip_address) for each in rules] == [("service", "40.68.252.225")]
    assert azure.arm("DELETE", path, version="2025-01-01").status_code == 200
    assert azure.arm("DELETE", path, version="2025-01-01").status_code == 204
    with pytest.raises(ResourceNotFoundError):
        azure.sql.firewall_rules.get(shared_group, name, "service")


@pytest.mark.parametrize(("start", "end"), [("1.2.3.5", "1.2.3.4"), ("1.2.3", "1.2.3.4"), ("::1", "::1"), (None, None)])
def test_a_range_that_is_none_is_refused(
    azure: Azure, shared_group: str, server: str, start: str | None, end: str | None
) -> None:
    body = {"properties": {"startIpAddress": start, "endIpAddress": end}}
    answer = azure.arm("PUT", path_of(shared_group, server) + "/firewallRules/x", body, version="2025-01-01")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidParameterValue")


def test_a_server_listens_while_it_is_there(azure: Azure, shared_group: str, name: str) -> None:
    made = azure.server(shared_group, name)
    port = int(str(made.properties.fully_qualified_domain_name).partition(",")[2])

    async def listening() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    assert asyncio.run(listening())
    azure.sql.servers.begin_delete(shared_group, name).result()
    assert not asyncio.run(listening())


def test_the_certificate_is_the_sandboxs_own(azure: Azure) -> None:
    context = ssl.create_default_context(cafile=azure.sandbox["ca_file"])
    port = int(azure.sandbox["resource_manager"].rpartition(":")[2])

    async def names() -> list[tuple[str, str]]:
        _, writer = await asyncio.open_connection("localhost", port, ssl=context)
        certificate = writer.get_extra_info("peercert")
        writer.close()
        return sorted(certificate["subjectAltName"])

    assert asyncio.run(names()) == [("DNS", "localhost"), ("IP Address", "127.0.0.1")]
