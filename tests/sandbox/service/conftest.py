"""A destination that the service may use, made with Microsoft's own clients, and the service as its clients see it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from setup_kit.sandbox.tenant import SERVICE_APP_ID, SERVICE_AUDIENCE, Tenant
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import Connection, SqlAddress, connect, to_ado_net
from tests.sandbox.cloud.conftest import Azure
from tests.sandbox.conftest import Sandbox

DATABASE = "Destination"
USER, PASSWORD = "exporter", "Ex-porter 1; '\"}{"
SECRET = "DestinationConnection"
DATABASE_GRANTS = (
    "CREATE TABLE",
    "CREATE TYPE",
    "CREATE VIEW",
    "CREATE PROCEDURE",
    "ALTER ANY USER",
    "VIEW DATABASE STATE",
)
SCHEMA_GRANTS = ("ALTER", "REFERENCES", "INSERT", "DELETE", "UPDATE", "SELECT", "EXECUTE")

# Hosts the service alone, on plain HTTP of this machine; its settings, client secret included, come on standard input.
HOST = """
import asyncio, json, sys
from pathlib import Path
from aiohttp import web
from setup_kit.secret import Secret
from setup_kit.service import Settings, application
told = json.load(sys.stdin)
told["client_secret"] = Secret(told["client_secret"])
for name in ("state_directory", "ca_file", "sql_certificate"):
    told[name] = Path(told[name])
async def serve():
    runner = web.AppRunner(application(Settings(**told)))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(serve())
"""


@dataclass
class Service:
    """The service as an administrator's client sees it."""

    url: str
    azure: Azure
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, body: Any = None, **query: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.azure.token(SERVICE_AUDIENCE)}"}
        return self.session.request(
            method,
            f"{self.url}/crm/exporter/{path}",
            params=query,
            json=body,
            headers=headers,
            verify=self.azure.sandbox["ca_file"],
            timeout=120,
        )

    def accept_privacy_terms(self) -> None:
        answer = self.call(
            "POST", "metadata/acceptprivacyterms", organizationId=self.azure.sandbox["organization"]["id"]
        )
        assert answer.status_code == 200, answer.text

    def create(self, description: dict[str, Any]) -> str:
        answer = self.call("POST", "profiles", description)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["Id"])

    def statuses(self, profile_id: str) -> dict[str, dict[str, Any]]:
        profile = self.call("GET", f"profiles/{profile_id}", status="true").json()
        return {entry["Type"]: entry["Status"] for entry in profile["Entities"] + profile["Relationships"]}

    def follow(
        self, profile_id: str, until: Callable[[dict[str, dict[str, Any]]], bool], seconds: float = 60
    ) -> dict[str, dict[str, Any]]:
        """Asks for the statuses until they are as wanted; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        while not until(found := self.statuses(profile_id)):
            assert time.monotonic() < deadline, found
            pause.wait(0.05)
        return found

    def finish(self, profile_id: str) -> dict[str, dict[str, Any]]:
        return self.follow(profile_id, lambda found: all(done(status) for status in found.values()))


def done(status: dict[str, Any]) -> bool:
    return status["InitialSyncState"] in {"Completed", "CompletedWithFailures"}


@dataclass(frozen=True)
class Ground:
    """A server, database, user with the thirteen grants, vault and secret. What a test takes away it puts back."""

    azure: Azure
    group: str
    name: str
    address: SqlAddress
    vault_uri: str

    @property
    def secret_uri(self) -> str:
        return f"{self.vault_uri.rstrip('/')}/secrets/{SECRET}"

    @property
    def organization_id(self) -> str:
        return str(self.azure.sandbox["organization"]["id"])

    def sql(self, database: str = DATABASE) -> Connection:
        """As the server's administrator."""
        certificate = Path(self.azure.sandbox["sql_certificate"])
        password = Secret("Very-Secret-1")
        return connect(self.address, database, user="boss", password=password, certificate=certificate)

    def run(self, statement: str, database: str = DATABASE) -> None:
        connection = self.sql(database)
        try:
            connection.execute(statement)
        finally:
            connection.close()

    def rows(self, query: str) -> list[Any]:
        connection = self.sql()
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    @contextmanager
    def changed(self, there: str, back: str, database: str = DATABASE) -> Iterator[None]:
        self.run(there, database)
        try:
            yield
        finally:
            self.run(back, database)

    def write_secret(self, value: Secret | None = None, name: str = SECRET, **options: Any) -> None:
        value = value or to_ado_net(self.address, DATABASE, USER, Secret(PASSWORD))
        tags = {self.organization_id: self.azure.sandbox["tenant_id"]}
        with self.azure.secrets(self.vault_uri) as client:
            client.set_secret(name, value.reveal(), **{"tags": tags, **options})

    def let_the_service_in(self, permissions: list[str]) -> None:
        """Sets the service's access policy at the vault."""
        principal = Tenant(self.azure.sandbox.state, self.azure.sandbox["tenant_id"]).principal_of(SERVICE_APP_ID)
        assert principal is not None
        body: Any = {
            "properties": {
                "accessPolicies": [
                    {
                        "tenantId": self.azure.sandbox["tenant_id"],
                        "objectId": principal.object_id,
                        "permissions": {"secrets": permissions},
                    }
                ]
            }
        }
        kind: Any = "add" if permissions else "remove"
        if not permissions:
            body["properties"]["accessPolicies"][0]["permissions"]["secrets"] = ["get"]
        self.azure.vaults.vaults.update_access_policy(self.group, self.name, kind, body)

    def open_firewall(self) -> None:
        rule: Any = {"properties": {"startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0"}}  # noqa: S104 (Azure's sign)
        self.azure.sql.firewall_rules.create_or_update(self.group, self.name, "AllowAllWindowsAzureIps", rule)

    def shut_firewall(self) -> None:
        self.azure.sql.firewall_rules.delete(self.group, self.name, "AllowAllWindowsAzureIps")

    def description(self, **changes: Any) -> dict[str, Any]:
        """A description as Microsoft's client sends it; a prefix of its own keeps tests apart."""
        return {
            "Id": None,
            "Version": None,
            "State": None,
            "OrganizationUrl": None,
            "OrganizationId": self.organization_id,
            "Name": f"profile {uuid.uuid4().hex}",
            "Entities": [{"Type": "account", "Settings": {}, "LogicalName": None, "DisplayName": None, "Status": None}],
            "DestinationType": "sqlazure",
            "DestinationKeyVaultUri": self.secret_uri,
            "DestinationPrefix": f"t{uuid.uuid4().hex[:8]}",
            "DestinationSchemaName": "dbo",
            "RetryPolicy": {"MaxRetryCount": 2, "IntervalInSeconds": 0, "Backoff": "Simple"},
            "WriteDeleteLog": False,
            **changes,
        }


def entities(*names: str) -> list[dict[str, Any]]:
    return [{"Type": name, "Settings": {}} for name in names]


@pytest.fixture(scope="session")
def azure(sandbox: Sandbox) -> Azure:
    return Azure(sandbox, sandbox["client_id"], sandbox["client_secret"])


@pytest.fixture(scope="session")
def ground(azure: Azure) -> Ground:
    group = name = f"g{uuid.uuid4().hex[:12]}"
    azure.resources.resource_groups.create_or_update(group, {"location": "westeurope"})
    server = azure.server(group, name)
    database: Any = {"location": "westeurope"}
    azure.sql.databases.begin_create_or_update(group, name, DATABASE, database).result()
    rule: Any = {"properties": {"startIpAddress": "127.0.0.1", "endIpAddress": "127.0.0.1"}}
    azure.sql.firewall_rules.create_or_update(group, name, "tests", rule)
    vault_uri = azure.vault(group, name, rbac=False)
    made = Ground(azure, group, name, SqlAddress.parse(server.fully_qualified_domain_name), vault_uri)
    password = PASSWORD.replace("'", "''")
    made.run(f"CREATE LOGIN [{USER}] WITH PASSWORD = N'{password}'", "master")
    made.run(f"CREATE USER [{USER}] FOR LOGIN [{USER}] WITH DEFAULT_SCHEMA = [dbo]")
    made.run(f"GRANT {', '.join(DATABASE_GRANTS)} TO [{USER}]")
    made.run(f"GRANT {', '.join(SCHEMA_GRANTS)} ON SCHEMA::[dbo] TO [{USER}]")
    made.open_firewall()
    made.write_secret()
    made.let_the_service_in(["get"])
    return made


@pytest.fixture(scope="session")
def service(sandbox: Sandbox, azure: Azure) -> Service:
    """The sandbox's own, with the privacy terms accepted."""
    hosted = Service(sandbox["discovery"], azure)
    hosted.accept_privacy_terms()
    return hosted


@dataclass
class Host:
    """The service in a process of its own, which a test may kill and start again on the same state."""

    settings: dict[str, Any]
    process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Returns its URL."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(self.settings))
        self.process.stdin.close()
        port = self.process.stdout.readline().strip()
        assert port, "the service did not start"
        return f"http://127.0.0.1:{port}"

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            if self.process.stdout is not None:
                self.process.stdout.close()
            self.process = None


@pytest.fixture
def host(sandbox: Sandbox, tmp_path: Path) -> Iterator[Host]:
    registered = Tenant(sandbox.state, sandbox["tenant_id"]).application(SERVICE_APP_ID)
    assert registered is not None
    made = Host(
        {
            "authority": sandbox["authority"],
            "tenant_id": sandbox["tenant_id"],
            "audience": SERVICE_AUDIENCE,
            "client_id": SERVICE_APP_ID,
            "client_secret": registered["secret"],
            "connector_url": "http://127.0.0.1",
            "organizations": {sandbox["organization"]["id"]: sandbox["organization"]["url"]},
            "region": "West Europe",
            "state_directory": str(tmp_path / "service"),
            "ca_file": sandbox["ca_file"],
            "sql_certificate": sandbox["sql_certificate"],
        }
    )
    yield made
    made.kill()
