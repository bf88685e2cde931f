"""The sandbox's owner at work behind the kit's back: plain calls to Resource Manager, Key Vault, SQL, the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import requests
from azure.identity import ClientSecretCredential

from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlAddress, connect
from tests.sandbox.job.harness import Kit

API = {"Microsoft.Sql": "2023-08-01", "Microsoft.KeyVault": "2024-11-01", "Microsoft.Authorization": "2022-04-01"}
SERVICE_AUDIENCE = "https://dataexportserviceformicrosoftdynamics365.com/"


class Owner:
    def __init__(self, kit: Kit, environment: dict[str, Any]) -> None:
        self.box = kit.document
        self.environment = environment
        self.group = f"/subscriptions/{environment['subscription']}/resourceGroups/{environment['resource_group']}"
        self.server = f"{self.group}/providers/Microsoft.Sql/servers/{environment['sql'].get('server')}"
        self.vault = f"{self.group}/providers/Microsoft.KeyVault/vaults/{environment['key_vault']['name']}"

    @cache  # noqa: B019 - lives as long as its test
    def token(self, audience: str) -> str:
        credential = ClientSecretCredential(
            self.box["tenant_id"],
            self.box["client_id"],
            self.box["client_secret"],
            authority=self.box["authority"],
            disable_instance_discovery=True,
            connection_verify=self.box["ca_file"],
        )
        return credential.get_token(
            audience.rstrip("/") + "//.default" if audience.endswith("/") else f"{audience}/.default"
        ).token

    def call(self, method: str, url: str, audience: str, body: Any = None, **parameters: str) -> requests.Response:
        return requests.request(
            method,
            url,
            params=parameters,
            json=body,
            headers={"Authorization": f"Bearer {self.token(audience)}"},
            verify=self.box["ca_file"],
            timeout=30,
        )

    def manage(self, method: str, path: str, body: Any = None, **parameters: str) -> Any:
        """A call to Resource Manager that must succeed; its answer's JSON."""
        provider = path.rsplit("/providers/", 1)[1].split("/")[0]
        url = self.box["resource_manager"] + path
        parameters.setdefault("api-version", API[provider])
        answer = self.call(method, url, self.box["resource_manager_audience"], body, **parameters)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def sql(self, statement: str, database: str = "") -> list[Any]:
        """Runs a statement as the server's Entra administrator; its rows when it has some."""
        address = self.manage("GET", self.server)["properties"]["fullyQualifiedDomainName"]
        connection = connect(
            SqlAddress.parse(address),
            database or self.environment["sql"]["database"]["name"],
            access_token=Secret(self.token(self.box["sql_audience"])),
            certificate=self.box["sql_certificate"],
        )
        try:
            cursor = connection.execute(statement)
            return cursor.fetchall() if statement.startswith("SELECT") else []
        finally:
            connection.close()

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """While it is entered, the server's firewall admits this machine."""
        rule = f"{self.server}/firewallRules/owner"
        self.manage("PUT", rule, {"properties": {"startIpAddress": "127.0.0.1", "endIpAddress": "127.0.0.1"}})
        try:
            yield
        finally:
            self.manage("DELETE", rule)

    def secret(self) -> dict[str, Any]:
        return dict(self._secret("GET").json())

    def secret_versions(self) -> list[dict[str, Any]]:
        return list(self._secret("GET", "versions").json()["value"])

    def update_secret(self, **attributes: Any) -> None:
        version = self.secret()["id"].rsplit("/", 1)[1]
        assert self._secret("PATCH", version, attributes).ok

    def _secret(self, method: str, version: str = "", body: Any = None) -> requests.Response:
        uri = self.manage("GET", self.vault)["properties"]["vaultUri"].rstrip("/")
        url = f"{uri}/secrets/{self.environment['key_vault']['secret']}" + (f"/{version}" if version else "")
        return self.call(method, url, self.box["vault_audience"], body, **{"api-version": "7.5"})

    def profile(self) -> dict[str, Any]:
        """The environment's profile as the export service lists it."""
        organization = self.box["organization"]["id"]
        answer = self.service("GET", "profiles", organizationId=organization)
        return next(found for found in answer.json() if found["Name"] == self.environment["profile"]["name"])

    def validate(self) -> requests.Response:
        """Has the service itself validate the profile as it stands."""
        return self.service("POST", "profiles/validate", self.profile())

    def service(self, method: str, path: str, body: Any = None, **parameters: str) -> requests.Response:
        url = f"{self.box['discovery']}/crm/exporter/{path}"
        return self.call(method, url, SERVICE_AUDIENCE, body, **parameters)
