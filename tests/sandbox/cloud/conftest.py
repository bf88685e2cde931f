"""Microsoft's own clients, pointed at the sandbox."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.sql import SqlManagementClient

from setup_kit.sandbox.tenant import Tenant

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox


@dataclass(frozen=True)
class Azure:
    """One application's clients."""

    sandbox: Sandbox
    client_id: str
    client_secret: str

    @cached_property
    def credential(self) -> ClientSecretCredential:
        return ClientSecretCredential(
            self.sandbox["tenant_id"],
            self.client_id,
            self.client_secret,
            authority=self.sandbox["authority"],
            disable_instance_discovery=True,
            connection_verify=self.sandbox["ca_file"],
        )

    def _options(self) -> dict[str, Any]:
        return {
            "base_url": self.sandbox["resource_manager"],
            "credential_scopes": [self.sandbox["resource_manager_audience"] + ".default"],
            "connection_verify": self.sandbox["ca_file"],
            "polling_interval": 0.01,
            "retry_total": 0,
        }

    # Their models are of optional parts throughout, and not tested here.
    @cached_property
    def resources(self) -> Any:
        return ResourceManagementClient(self.credential, self.sandbox["subscription_id"], **self._options())

    @cached_property
    def sql(self) -> Any:
        return SqlManagementClient(self.credential, self.sandbox["subscription_id"], **self._options())

    @cached_property
    def vaults(self) -> Any:
        return KeyVaultManagementClient(self.credential, self.sandbox["subscription_id"], **self._options())

    @cached_property
    def roles(self) -> Any:
        return AuthorizationManagementClient(self.credential, self.sandbox["subscription_id"], **self._options())

    def secrets(self, uri: str) -> SecretClient:
        return SecretClient(
            uri,
            self.credential,
            verify_challenge_resource=False,
            connection_verify=self.sandbox["ca_file"],
            retry_total=0,
        )

    def token(self, audience: str) -> str:
        return self.credential.get_token(audience.rstrip("/") + "/.default").token

    def call(self, method: str, url: str, audience: str = "", body: Any = None) -> requests.Response:
        """A plain HTTPS request, with a token for `audience` when one is named."""
        headers = {"Authorization": f"Bearer {self.token(audience)}"} if audience else {}
        return requests.request(method, url, json=body, headers=headers, verify=self.sandbox["ca_file"], timeout=30)

    def arm(self, method: str, path: str, body: object = None, version: str = "2024-07-01") -> requests.Response:
        """A request to Resource Manager; `path` begins below the subscription."""
        url = f"{self.sandbox['resource_manager']}/subscriptions/{self.sandbox['subscription_id']}{path}"
        return self.call(method, f"{url}?api-version={version}", self.sandbox["resource_manager_audience"], body)

    def vault(self, group: str, name: str, *, rbac: bool, **properties: Any) -> str:
        """Make a vault that lets this application at its secrets, and return its URI."""
        everything = ["get", "list", "set", "delete", "recover", "purge"]
        policy = {
            "tenantId": self.sandbox["tenant_id"],
            "objectId": self.sandbox["object_id"],
            "permissions": {"secrets": everything},
        }
        body: Any = {
            "location": "westeurope",
            "properties": {
                "tenantId": self.sandbox["tenant_id"],
                "sku": {"family": "A", "name": "standard"},
                "accessPolicies": [policy],
                "enableRbacAuthorization": rbac,
                **properties,
            },
        }
        made = self.vaults.vaults.begin_create_or_update(group, name, body).result()
        return str(made.properties.vault_uri)

    def server(self, group: str, name: str) -> Any:
        """Make a logical server with a SQL administrator."""
        body: Any = {
            "location": "westeurope",
            "properties": {"administratorLogin": "boss", "administratorLoginPassword": "Very-Secret-1"},
        }
        return self.sql.servers.begin_create_or_update(group, name, body).result()


@pytest.fixture(scope="session")
def azure(sandbox: Sandbox) -> Azure:
    """The administrator."""
    return Azure(sandbox, sandbox["client_id"], sandbox["client_secret"])


@pytest.fixture
def stranger(sandbox: Sandbox) -> Azure:
    """An application of the tenant that has been given nothing."""
    tenant = Tenant(sandbox.state, sandbox["tenant_id"])
    client = str(uuid.uuid4())
    secret = tenant.add_application(client, "Stranger")
    tenant.add_principal(client, "Stranger")
    return Azure(sandbox, client, secret)


@pytest.fixture(scope="session")
def shared_group(azure: Azure) -> str:
    """A resource group for what needs one and leaves it as it is."""
    name = f"shared-{uuid.uuid4().hex[:8]}"
    azure.resources.resource_groups.create_or_update(name, {"location": "westeurope"})
    return name


@pytest.fixture
def name() -> Iterator[str]:
    """A name that nothing else has, good for groups, servers and vaults."""
    yield f"n{uuid.uuid4().hex[:14]}"
