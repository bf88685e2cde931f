"""Each kind of fault, seen through Microsoft's own clients and driver."""

from __future__ import annotations

import errno
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest
import requests
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from setup_kit.sandbox import faults
from setup_kit.sandbox.faults import SQL, Fault
from setup_kit.sandbox.latency import Pace, set_pace
from setup_kit.sandbox.requests import read_requests
from setup_kit.sandbox.tenant import Tenant
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import Connection, SqlAddress, SqlError, connect

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox

    Add = Callable[..., Fault]

# What sandbox.json calls them, and the request log.
PART = {
    "authority": "entra",
    "discovery": "export-service",
    "organization": "dataverse",
    "resource_manager": "resource-manager",
}
LOCATION = {"location": "westeurope"}
BOSS: dict[str, Any] = {"user": "boss", "password": Secret("Very-Secret-1")}


@pytest.fixture
def add(sandbox: Sandbox) -> Iterator[Add]:
    """Adds a fault for the length of a test."""
    yield lambda kind, **rule: faults.add(sandbox.directory, Fault(kind, **rule))
    faults.clear(sandbox.directory)


def met(sandbox: Sandbox, fault: Fault) -> list[dict[str, Any]]:
    return [entry for entry in read_requests(sandbox.directory) if entry.get("fault") == fault.id]


def groups(azure: Azure) -> set[str]:
    return {str(group.name) for group in azure.resources.resource_groups.list()}


# HTTP


@pytest.mark.parametrize(
    ("part", "path", "words"),
    [
        ("resource_manager", "/subscriptions", '"error": {"code": "TooManyRequests"'),
        ("graph", "/v1.0/organization", '"innerError"'),
        ("authority", "/common/discovery/instance", "AADSTS90033"),
        ("discovery", "/crm/exporter/aad/challenge", '"CorrelationId"'),
        ("organization", "/api/data/v9.2/WhoAmI", '"0x80072322"'),
    ],
)
def test_a_status_comes_with_its_headers_and_the_body_of_its_part(
    sandbox: Sandbox, azure: Azure, add: Add, part: str, path: str, words: str
) -> None:
    fault = add("status", part=PART.get(part, part), status=429, headers={"Retry-After": "7"}, path=path)
    base = sandbox["organization"]["url"] if part == "organization" else sandbox[part]
    answer = azure.call("GET", f"{base}{path}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert words in answer.text
    assert [(entry["path"], entry["status"]) for entry in met(sandbox, fault)] == [(path, 429)]


def test_azures_client_rides_out_a_throttled_call(sandbox: Sandbox, azure: Azure, add: Add) -> None:
    fault = add("status", part="resource-manager", status=429, headers={"retry-after-ms": "1"}, times=2)
    fresh = type(azure)(azure.sandbox, azure.client_id, azure.client_secret)
    options = fresh._options() | {"retry_total": 3}
    client: Any = type(azure.resources)(azure.credential, sandbox["subscription_id"], **options)
    assert list(client.resource_groups.list()) is not None
    assert len(met(sandbox, fault)) == 2


def test_a_reset_before_leaves_nothing_done_and_one_after_has_done_it(
    sandbox: Sandbox, azure: Azure, add: Add, name: str
) -> None:
    before = add("reset-before", part="resource-manager", method="PUT", path=f"*/{name}-before")
    after = add("reset-after", part="resource-manager", method="PUT", path=f"*/{name}-after")
    for end in ("before", "after"):
        with pytest.raises((ServiceRequestError, ServiceResponseError)):
            azure.resources.resource_groups.create_or_update(f"{name}-{end}", LOCATION)
    assert {each for each in groups(azure) if each.startswith(name)} == {f"{name}-after"}
    assert [len(met(sandbox, fault)) for fault in (before, after)] == [1, 1]


def test_a_reset_is_one_of_the_connection(azure: Azure, sandbox: Sandbox, add: Add) -> None:
    add("reset-before", part="entra")
    with pytest.raises(requests.ConnectionError, match="Connection aborted"):
        azure.call("GET", f"{sandbox['authority']}/common/discovery/instance")
    # Below TLS it is RST, which OpenSSL tells as an end.
    host, _, port = sandbox["authority"].removeprefix("https://").partition(":")
    tls = ssl.create_default_context(cafile=sandbox["ca_file"])
    with tls.wrap_socket(socket.create_connection((host, int(port))), server_hostname=host) as connection:
        connection.sendall(b"GET /common/discovery/instance HTTP/1.1\r\nHost: sandbox\r\n\r\n")
        poll = select.poll()
        poll.register(connection, select.POLLERR)
        assert poll.poll(10_000)
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET


def test_an_answer_that_drips_takes_its_time_and_is_whole(azure: Azure, sandbox: Sandbox, add: Add) -> None:
    url = f"{sandbox['authority']}/common/discovery/instance"
    whole = azure.call("GET", url).json()
    fault = add("drip", part="entra", seconds=0.5)
    started = time.monotonic()
    assert azure.call("GET", url).json() == whole
    assert time.monotonic() - started >= 0.5
    # The line is written after the last piece.
    until = time.monotonic() + 10
    while not met(sandbox, fault):
        assert time.monotonic() < until
    assert met(sandbox, fault)[0]["milliseconds"] >= 500


def test_a_truncated_body_is_half_of_what_its_head_promises(azure: Azure, add: Add, shared_group: str) -> None:
    add("truncate", part="resource-manager", method="GET", path=f"*/{shared_group}")
    with pytest.raises((IncompleteReadError, ServiceResponseError)):
        azure.resources.resource_groups.get(shared_group)


@pytest.mark.parametrize(
    ("part", "path", "audience", "words"),
    [
        (
            "resource_manager",
            "/subscriptions/{subscription_id}/resourceGroups?api-version=2022-12-01",
            "resource_manager_audience",
            "Expired",
        ),
        ("graph", "/v1.0/organization", "graph_audience", "token is expired"),
    ],
)
def test_a_token_that_has_expired_is_refused_by_the_part_itself(
    sandbox: Sandbox, azure: Azure, add: Add, part: str, path: str, audience: str, words: str
) -> None:
    fault = add("expired-token", part=PART.get(part, part), times=1)
    url, scope = f"{sandbox[part]}{path.format(**sandbox.document)}", sandbox[audience]
    answer = azure.call("GET", url, scope)
    assert answer.status_code == 401
    assert words in answer.text
    assert azure.call("GET", url, scope).status_code == 200
    assert [entry["caller"] for entry in met(sandbox, fault)] == [azure.client_id]


def test_an_expired_token_carries_the_parts_challenge(sandbox: Sandbox, azure: Azure, add: Add) -> None:
    add("expired-token", part="resource-manager", times=1)
    with pytest.raises(ClientAuthenticationError) as refused:
        azure.resources.resource_groups.get("nothing")
    answer: Any = refused.value.response
    challenge = answer.headers["WWW-Authenticate"]
    assert f'authorization_uri="{sandbox["authority"]}/{sandbox["tenant_id"]}"' in challenge


def test_an_operation_that_fails_is_accepted_and_then_failed_with_its_code(
    sandbox: Sandbox, azure: Azure, add: Add, shared_group: str, name: str
) -> None:
    fault = add("failed-operation", code="RegionDoesNotAllowProvisioning", path=f"*/servers/{name}")
    with pytest.raises(HttpResponseError) as failed:
        azure.server(shared_group, name)
    assert failed.value.error is not None
    assert failed.value.error.code == "RegionDoesNotAllowProvisioning"
    with pytest.raises(ResourceNotFoundError):
        azure.sql.servers.get(shared_group, name)
    # Only the request that began an operation has met it.
    assert [(entry["method"], entry["status"]) for entry in met(sandbox, fault)] == [("PUT", 202)]


# What holds only after a while


def test_a_role_assignment_holds_only_after_a_while(
    azure: Azure, sandbox: Sandbox, stranger: Azure, add: Add, shared_group: str
) -> None:
    fault = add("late", seconds=0.7, method="PUT", path="*/roleAssignments/*")
    scope = f"/subscriptions/{sandbox['subscription_id']}/resourceGroups/{shared_group}"
    principal = Tenant(sandbox.state, sandbox["tenant_id"]).principal_of(stranger.client_id)
    assert principal is not None
    reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    body: Any = {
        "properties": {
            "roleDefinitionId": f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{reader}",
            "principalId": principal.object_id,
        }
    }
    started = time.monotonic()
    made = azure.roles.role_assignments.create(scope, principal.object_id, body)
    assert azure.roles.role_assignments.get_by_id(made.id).principal_id == principal.object_id
    with pytest.raises(HttpResponseError, match="does not have authorization"):
        stranger.resources.resource_groups.get(shared_group)
    waited(lambda: stranger.resources.resource_groups.get(shared_group), HttpResponseError)
    assert time.monotonic() - started >= 0.7
    assert len(met(sandbox, fault)) == 1


def test_an_access_policy_holds_only_after_a_while_and_earlier_ones_go_on(
    azure: Azure, sandbox: Sandbox, stranger: Azure, add: Add, shared_group: str, name: str
) -> None:
    uri = azure.vault(shared_group, name, rbac=False)
    azure.secrets(uri).set_secret("conn", "value")
    principal = Tenant(sandbox.state, sandbox["tenant_id"]).principal_of(stranger.client_id)
    assert principal is not None
    add("late", seconds=0.7, path="*/accessPolicies/add")
    policies = [
        {
            "tenantId": sandbox["tenant_id"],
            "objectId": object_id,
            "permissions": {"secrets": ["get"]},
        }
        for object_id in (principal.object_id, sandbox["object_id"])
    ]
    body: Any = {"properties": {"accessPolicies": policies}}
    azure.vaults.vaults.update_access_policy(shared_group, name, "add", body)
    assert azure.secrets(uri).get_secret("conn").value == "value"
    with pytest.raises(HttpResponseError, match="does not have secrets get permission"):
        stranger.secrets(uri).get_secret("conn")
    waited(lambda: stranger.secrets(uri).get_secret("conn"), HttpResponseError)


def test_a_firewall_rule_holds_only_after_a_while(azure: Azure, add: Add, shared_group: str, name: str) -> None:
    azure.server(shared_group, name)
    add("late", seconds=0.7, path="*/firewallRules/*")
    admit(azure, shared_group, name)
    assert azure.sql.firewall_rules.get(shared_group, name, "me").name == "me"
    with pytest.raises(SqlError) as refused:
        log_in(azure, shared_group, name)
    assert refused.value.number == 40615
    waited(lambda: log_in(azure, shared_group, name).close(), SqlError)


def waited(call: Callable[[], object], refusal: type[Exception]) -> None:
    """Returns once the call is not refused any more; ten seconds at most."""
    until = time.monotonic() + 10
    while True:
        try:
            call()
        except refusal:
            assert time.monotonic() < until
        else:
            return


# SQL


def admit(azure: Azure, group: str, server: str) -> None:
    body: Any = {"properties": {"startIpAddress": "127.0.0.1", "endIpAddress": "127.0.0.1"}}
    azure.sql.firewall_rules.create_or_update(group, server, "me", body)


def log_in(azure: Azure, group: str, server: str, database: str = "master") -> Connection:
    address = str(azure.sql.servers.get(group, server).properties.fully_qualified_domain_name)
    certificate = Path(azure.sandbox["sql_certificate"])
    return connect(SqlAddress.parse(address), database, certificate=certificate, **BOSS)


@pytest.fixture(scope="module")
def sql(azure: Azure, shared_group: str) -> Callable[[], Connection]:
    """Logs in to a database of the module's own."""
    server = "faulty-" + shared_group
    azure.server(shared_group, server)
    admit(azure, shared_group, server)
    azure.sql.databases.begin_create_or_update(shared_group, server, "Sales", LOCATION).result()
    return lambda: log_in(azure, shared_group, server, "Sales")


@pytest.mark.parametrize(
    ("number", "ends"), [(40613, True), (40501, True), (10928, True), (1205, False), (49918, False), (4711, False)]
)
def test_a_statement_meets_an_error_by_number(
    sandbox: Sandbox, sql: Callable[[], Connection], add: Add, number: int, ends: bool
) -> None:
    connection = sql()
    fault = add("sql-error", number=number, method="SELECT", times=1)
    with pytest.raises(pyodbc.Error) as failed:
        connection.execute("SELECT 'not in the log'").fetchone()
    assert f"({number})" in str(failed.value) or ends
    assert "%" not in str(failed.value)
    assert [(entry["method"], entry["status"]) for entry in met(sandbox, fault)] == [("SELECT", number)]
    if ends:
        with pytest.raises(pyodbc.Error):
            connection.execute("SELECT 1").fetchone()
    else:
        assert connection.execute("SELECT 1").fetchone()[0] == 1


def test_a_class_and_state_of_ones_own_are_sent(sql: Callable[[], Connection], add: Add) -> None:
    connection = sql()
    add("sql-error", number=50001, severity=12, state=77, method="SELECT", times=1)
    connection.execute(
        "DECLARE @seen nvarchar(100); BEGIN TRY SELECT 1 END TRY"
        " BEGIN CATCH SET @seen = CONCAT(ERROR_NUMBER(), ' ', ERROR_SEVERITY(), ' ', ERROR_STATE());"
        " CREATE TABLE #seen (it nvarchar(100)); INSERT INTO #seen VALUES (@seen) END CATCH"
    )
    assert connection.execute("SELECT it FROM #seen").fetchone()[0] == "50001 12 77"


def test_a_login_meets_its_faults(sandbox: Sandbox, sql: Callable[[], Connection], add: Add) -> None:
    error = add("sql-error", number=40613, method="LOGIN", times=1)
    broken = [add(kind, part=SQL, method="LOGIN", times=1) for kind in ("reset-before", "reset-after")]
    with pytest.raises(SqlError) as refused:
        sql()
    assert refused.value.number == 40613
    for _ in broken:
        with pytest.raises(SqlError) as lost:
            sql()
        assert lost.value.state in ("08S01", "08001")
    sql().close()
    assert [len(met(sandbox, fault)) for fault in (error, *broken)] == [1, 1, 1]


@pytest.mark.parametrize(("kind", "there"), [("reset-before", 0), ("reset-after", 1)])
def test_a_connection_broken_off_before_or_after_its_statement(
    sql: Callable[[], Connection], add: Add, kind: str, there: int
) -> None:
    sql().execute("DROP TABLE IF EXISTS dbo.lost; CREATE TABLE dbo.lost (id int)")
    connection = sql()
    add(kind, part=SQL, method="INSERT", times=1)
    with pytest.raises(pyodbc.Error, match="08S01"):
        connection.execute("INSERT INTO dbo.lost VALUES (1)")
    assert sql().execute("SELECT COUNT(*) FROM dbo.lost").fetchone()[0] == there


def test_rows_sent_many_at_a_time_meet_faults_one_by_one(
    sandbox: Sandbox, sql: Callable[[], Connection], add: Add
) -> None:
    connection = sql()
    connection.execute("DROP TABLE IF EXISTS dbo.many; CREATE TABLE dbo.many (id int)")
    fault = add("sql-error", number=1205, method="INSERT", after=3, times=1)
    cursor: Any = connection.cursor()
    cursor.fast_executemany = True
    with pytest.raises(pyodbc.Error, match="1205"):
        cursor.executemany("INSERT INTO dbo.many VALUES (?)", [(number,) for number in range(10)])
    assert len(met(sandbox, fault)) == 1


def test_a_statement_that_drips_takes_its_time(sql: Callable[[], Connection], add: Add) -> None:
    connection = sql()
    add("drip", part=SQL, method="SELECT", seconds=0.4)
    started = time.monotonic()
    assert connection.execute("SELECT 1").fetchone()[0] == 1
    assert time.monotonic() - started >= 0.4


# Latency


def test_a_pace_that_is_set_holds_from_the_next_request_on(sandbox: Sandbox, azure: Azure, shared_group: str) -> None:
    set_pace(sandbox.directory, Pace("cloud", 2.0))
    try:
        started = time.monotonic()
        azure.resources.resource_groups.get(shared_group)
        assert time.monotonic() - started >= 0.4  # arm.get, twice the cloud's
    finally:
        set_pace(sandbox.directory, Pace("none"))
