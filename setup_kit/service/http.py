"""HTTPS calls of the service, on azure-core's pipeline.

Chosen over an asynchronous client because everything that uses it blocks anyway (ODBC, the Key Vault SDK) and runs in
the service's own threads, and because the pipeline brings tokens, their renewal, retries and `Retry-After` along.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    RetryPolicy,
    UserAgentPolicy,
)
from azure.identity import ClientSecretCredential

from setup_kit.service.settings import Settings

USER_AGENT = "DataExportService"
CONNECT_SECONDS = 10
READ_SECONDS = 120  # Dataverse gives up on a query after two minutes


def trust(ca_file: Path | None) -> str | bool:
    """requests' `verify`: the CA file of a private authority, or the system's roots."""
    return str(ca_file) if ca_file else True


def credential(settings: Settings) -> ClientSecretCredential:
    """The service's own identity. It takes no part in instance discovery: `settings.authority` is the host's word."""
    return ClientSecretCredential(
        settings.tenant_id,
        settings.client_id,
        settings.client_secret.reveal(),
        authority=settings.authority,
        disable_instance_discovery=True,
        connection_verify=trust(settings.ca_file),
    )


def client(base: str, ca_file: Path | None, identity: TokenCredential | None = None, audience: str = "") -> Any:
    """A client for `base`; with `identity` each request carries a token for `audience`."""
    policies: list[Any] = [
        RequestIdPolicy(),
        HeadersPolicy({"Accept": "application/json"}),
        UserAgentPolicy(base_user_agent=USER_AGENT),
        RetryPolicy(retry_total=6, retry_connect=2, retry_read=2, retry_backoff_factor=0.5, retry_backoff_max=30),
    ]
    if identity is not None:
        policies.append(BearerTokenCredentialPolicy(identity, f"{audience.rstrip('/')}/.default"))
    return PipelineClient(
        base,
        policies=policies,
        connection_verify=trust(ca_file),
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )
