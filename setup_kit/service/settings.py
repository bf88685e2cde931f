"""What a host says to the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from setup_kit.secret import Secret


@dataclass(frozen=True)
class Settings:
    """`authority`: Microsoft Entra's address without tenant. `audience`: what callers' tokens must be for.

    `client_id`, `client_secret`: the service's own application. `organizations`: id → URL of the served ones.
    `ca_file`, `sql_certificate`: what to trust besides the system's roots, for a private authority and server.
    """

    authority: str
    tenant_id: str
    audience: str
    client_id: str
    client_secret: Secret
    connector_url: str
    organizations: Mapping[str, str]
    region: str
    state_directory: Path
    ca_file: Path | None = None
    sql_certificate: Path | None = None
