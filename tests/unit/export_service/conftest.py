from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from setup_kit.clouds import CLOUDS
from setup_kit.environment.models import Environment
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.identity import Identity

TENANT = "11111111-1111-1111-1111-111111111111"
ORGANIZATION = "22222222-2222-2222-2222-222222222222"

MakeEnvironment = Callable[..., Environment]


@pytest.fixture
def make_environment() -> MakeEnvironment:
    """An environment whose profile has the given keys."""

    def make(**profile: Any) -> Environment:
        return Environment.model_validate(
            {
                "tenant": TENANT,
                "subscription": "33333333-3333-3333-3333-333333333333",
                "location": "westeurope",
                "resource_group": "rg-contoso",
                "sql": {
                    "server": "sql-contoso",
                    "administrator": {"sql_login": "sqladministrator"},
                    "database": {"name": "crm"},
                },
                "key_vault": {"name": "kv-contoso"},
                "dynamics": {
                    "organization_url": "https://contoso.crm4.dynamics.com",
                    "organization_id": ORGANIZATION,
                },
                "profile": {"name": "Contoso CRM", "prefix": "crm", "entities": ["account", "contact"], **profile},
            }
        )

    return make


@pytest.fixture
def client() -> ExportServiceClient:
    """Of the hosted service; it connects only when it is called, which no unit test does."""
    cloud = CLOUDS["public"]
    return ExportServiceClient(
        Identity(cloud, TENANT, {}),
        cloud,
        organization_url="https://contoso.crm4.dynamics.com",
        organization_id=ORGANIZATION,
    )
