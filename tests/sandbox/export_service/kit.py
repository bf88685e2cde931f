"""The kit's own clients, pointed at a sandbox."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from setup_kit.azure.clients import AzureClients
from setup_kit.clouds import Cloud, sandbox_cloud
from setup_kit.environment.models import Environment
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.organization import OrganizationClient
from setup_kit.identity import Identity
from setup_kit.resources.preflight import Preflight
from setup_kit.sandbox.dataverse.database import Database
from setup_kit.sandbox.tenant import Tenant

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox


class Kit:
    """Clients of one caller: the sandbox's administrator, or the application of the given id and secret."""

    def __init__(self, sandbox: Sandbox, client_id: str = "", client_secret: str = "") -> None:
        self.sandbox = sandbox
        with patch.dict(os.environ, {"SETUP_KIT_SANDBOX": str(sandbox.directory)}):
            self.cloud: Cloud = sandbox_cloud()
        self.identity = Identity(
            self.cloud,
            sandbox["tenant_id"],
            {
                "AZURE_CLIENT_ID": client_id or sandbox["client_id"],
                "AZURE_CLIENT_SECRET": client_secret or sandbox["client_secret"],
            },
        )
        self.azure = AzureClients(self.identity, self.cloud, sandbox["subscription_id"])
        self.organization = OrganizationClient(self.identity, self.cloud, sandbox["organization"]["url"])
        self.client = ExportServiceClient(
            self.identity,
            self.cloud,
            organization_url=sandbox["organization"]["url"],
            organization_id=sandbox["organization"]["id"],
        )

    def close(self) -> None:
        self.client.close()
        self.organization.close()
        self.azure.close()

    def environment(self, **changes: Any) -> Environment:
        """One of its own names; `changes` are dotted keys with `__` for the dot."""
        mark = uuid.uuid4().hex[:10]
        document: dict[str, Any] = {
            "cloud": "sandbox",
            "tenant": self.sandbox["tenant_id"],
            "subscription": self.sandbox["subscription_id"],
            "location": "westeurope",
            "resource_group": f"rg-{mark}",
            "sql": {
                "server": f"sql-{mark}",
                "administrator": {"entra_group": self.sandbox["sql_administrators"]},
                "database": {"name": "crm"},
            },
            "key_vault": {"name": f"kv-{mark}"},
            "dynamics": {
                "organization_url": self.sandbox["organization"]["url"],
                "organization_id": self.sandbox["organization"]["id"],
            },
            "profile": {"name": f"Profile {mark}", "entities": ["account", "contact"]},
        }
        for key, value in changes.items():
            *sections, last = key.split("__")
            place = document
            for section in sections:
                place = place.setdefault(section, {})
            place[last] = value
        return Environment.model_validate(document)

    def preflight(self, environment: Environment) -> Preflight:
        return Preflight(environment, self.azure, self.organization, self.client)

    def stranger(self) -> Kit:
        """An application of the tenant that is no user of the organization and has no role."""
        tenant = Tenant(self.sandbox.state, self.sandbox["tenant_id"])
        client_id = str(uuid.uuid4())
        secret = tenant.add_application(client_id, "Stranger")
        tenant.add_principal(client_id, "Stranger")
        return Kit(self.sandbox, client_id, secret)

    @contextmanager
    def dataverse(self) -> Iterator[Database]:
        """The organization's own state, to change it behind the kit's back. Put it back as it was."""
        database = Database(self.sandbox.directory / "dataverse.db")
        try:
            yield database
        finally:
            database.close()
