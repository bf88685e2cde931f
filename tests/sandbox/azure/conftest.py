"""The kit's Azure clients and resources on the sandbox, each test with names of its own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from setup_kit.azure.clients import AzureClients
from setup_kit.clouds import Cloud
from setup_kit.engine.resource import Change, Resource
from setup_kit.environment.models import Environment
from setup_kit.identity import Identity
from setup_kit.resources.database import Database
from setup_kit.resources.firewall import FirewallRules
from setup_kit.resources.operator_vault_access import OperatorVaultAccess
from setup_kit.resources.resource_group import ResourceGroup
from setup_kit.resources.secret import ConnectionSecret
from setup_kit.resources.service_principal import ServicePrincipal
from setup_kit.resources.sql_server import SqlServer
from setup_kit.resources.vault import Vault
from setup_kit.resources.vault_access import ServiceVaultAccess
from setup_kit.sandbox.tenant import Tenant
from setup_kit.secret import Secret
from tests.sandbox.conftest import Sandbox

OWNER = "rehearsal"
ADDRESSES = (
    "authority",
    "resource_manager",
    "resource_manager_audience",
    "graph",
    "graph_audience",
    "vault_audience",
    "sql_audience",
    "discovery",
)
WRITES = frozenset({"PUT", "POST", "PATCH", "DELETE"})


@dataclass
class Kit:
    """One environment's resources, as the graph wires them, and the world they are in."""

    sandbox: Sandbox
    environment: Environment
    azure: AzureClients

    def __post_init__(self) -> None:
        environment, azure = self.environment, self.azure
        self.group = ResourceGroup(environment, azure, owner=OWNER)
        self.server = SqlServer(environment, azure, self.group, lambda: Secret("Very-Secret-1"), owner=OWNER)
        self.firewall = FirewallRules(environment, azure, self.server)
        self.database = Database(environment, azure, self.server, owner=OWNER)
        self.vault = Vault(environment, azure, self.group, owner=OWNER)
        self.operator_access = OperatorVaultAccess(environment, azure, self.vault, azure.identity)
        self.secret = ConnectionSecret(environment, azure, self.vault, self.operator_access, self.server, owner=OWNER)
        self.principal = ServicePrincipal(environment, azure)
        self.service_access = ServiceVaultAccess(environment, azure, self.vault, self.secret, self.principal)

    @property
    def resources(self) -> tuple[Resource[Any], ...]:
        """All, needs first."""
        return (
            self.principal,
            self.group,
            self.server,
            self.firewall,
            self.database,
            self.vault,
            self.operator_access,
            self.secret,
            self.service_access,
        )

    def but(self, **changes: Any) -> Kit:
        """The same world, seen by an environment file that differs: `but(key_vault={"name": …})`."""
        document = self.environment.model_dump(mode="json", by_alias=True)
        return Kit(self.sandbox, Environment.model_validate(merge(document, changes)), self.azure)

    def requests(self) -> list[dict[str, Any]]:
        """What the sandbox was asked so far, tokens aside."""
        lines = Path(self.sandbox.directory, "requests.jsonl").read_text(encoding="utf-8").splitlines()
        return [entry for entry in map(json.loads, lines) if entry["part"] != "entra"]

    def settle(self, *resources: Resource[Any]) -> list[Change]:
        """Reads, compares and applies each in turn, as the engine does; the changes made."""
        made = []
        for resource in resources or self.resources:
            for change in self.drift(resource):
                resource.observed = resource.apply(change)
                made.append(change)
        return made

    def drift(self, *resources: Resource[Any]) -> list[Change]:
        """The differences between what is wanted and what is there now."""
        found = []
        for resource in resources or self.resources:
            absent = resource.within is not None and resource.within.observed is None
            resource.observed = None if absent else resource.read()
            found += resource.diff(resource.observed)
        return found


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        there = merged.get(key)
        merged[key] = merge(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return merged


def cloud_of(sandbox: Sandbox) -> Cloud:
    document = sandbox.document
    certificate = document["sql_certificate"]
    return Cloud(
        name="sandbox",
        **{name: document[name] for name in ADDRESSES},
        ca_file=Path(document["ca_file"]),
        sql_certificate=Path(certificate) if certificate else None,
    )


def identity_of(sandbox: Sandbox, client_id: str = "", client_secret: str = "") -> Identity:
    """The administrator's, or another application's."""
    variables = {
        "AZURE_CLIENT_ID": client_id or sandbox["client_id"],
        "AZURE_CLIENT_SECRET": client_secret or sandbox["client_secret"],
    }
    return Identity(cloud_of(sandbox), sandbox["tenant_id"], variables)


def clients_of(sandbox: Sandbox, identity: Identity) -> AzureClients:
    return AzureClients(identity, cloud_of(sandbox), sandbox["subscription_id"])


def document_of(sandbox: Sandbox) -> dict[str, Any]:
    """An environment file's contents with names that nothing else has."""
    unique = uuid.uuid4().hex[:12]
    return {
        "cloud": "sandbox",
        "tenant": sandbox["tenant_id"],
        "subscription": sandbox["subscription_id"],
        "location": sandbox["location"],
        "resource_group": f"rg-{unique}",
        "tags": {"department": "sales"},
        "sql": {
            "server": f"sql-{unique}",
            "administrator": {"entra_group": sandbox["sql_administrators"]},
            "database": {"name": "crm"},
            "firewall": {
                "service_region": "West Europe",
                "rules": [{"name": "office", "start": "203.0.113.0", "end": "203.0.113.7"}],
            },
        },
        "key_vault": {"name": f"kv-{unique}"},
        "dynamics": {
            "organization_url": sandbox["organization"]["url"],
            "organization_id": sandbox["organization"]["id"],
        },
        "profile": {"name": "Contoso", "entities": ["account"]},
    }


@pytest.fixture(scope="session")
def azure(sandbox: Sandbox) -> Iterator[AzureClients]:
    """The administrator's clients."""
    clients = clients_of(sandbox, identity_of(sandbox))
    yield clients
    clients.close()


@pytest.fixture
def kit(sandbox: Sandbox, azure: AzureClients) -> Kit:
    """Nothing of its environment is there yet, except what every environment shares."""
    return Kit(sandbox, Environment.model_validate(document_of(sandbox)), azure)


@pytest.fixture
def policy_kit(kit: Kit) -> Kit:
    """The same with a vault that goes by access policies."""
    return kit.but(key_vault={"authorization": "access_policy"})


@pytest.fixture
def stranger(sandbox: Sandbox) -> Iterator[AzureClients]:
    """The clients of an application of the tenant that has been given nothing."""
    tenant = Tenant(sandbox.state, sandbox["tenant_id"])
    application = str(uuid.uuid4())
    secret = tenant.add_application(application, "Stranger")
    tenant.add_principal(application, "Stranger")
    clients = clients_of(sandbox, identity_of(sandbox, application, secret))
    yield clients
    clients.close()
