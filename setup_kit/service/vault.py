"""The secret with the destination's connection string, read from Key Vault as the service's own principal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.keyvault.secrets import SecretClient

from setup_kit.secret import Secret
from setup_kit.service import http
from setup_kit.service.description import SecretAddress
from setup_kit.service.errors import Problem
from setup_kit.service.settings import Settings

_CHALLENGED_AUTHORITY = re.compile(r'authorization(?:_uri)?="?https://[^/"]+/([^/"\s,]+)')


@dataclass(frozen=True)
class Reading:
    """The secret's value, or None, and everything that is wrong with it."""

    value: Secret | None
    problems: tuple[Problem, ...]


class Vaults:
    def __init__(self, settings: Settings, identity: TokenCredential) -> None:
        self._settings = settings
        self._identity = identity

    def read(self, uri: str, organization_id: str) -> Reading:
        """The connection string for an organization; the secret must carry the organization's tag.

        Every answer of Key Vault's becomes a problem; nothing is raised.
        """
        address = SecretAddress.parse(uri)
        if address is None:
            return Reading(
                None, (Problem("InvalidDescription", "DestinationKeyVaultUri", f"'{uri}' is no secret's URI."),)
            )
        foreign = self._foreign_tenant(address)
        if foreign:
            message = (
                f"Key vault {address.vault} belongs to tenant {foreign}, the organization to tenant"
                f" {self._settings.tenant_id}: both must be in the same tenant."
            )
            return Reading(None, (Problem("KeyVaultTenant", address.vault, message),))
        client = SecretClient(
            address.vault,
            self._identity,
            verify_challenge_resource=False,
            connection_verify=http.trust(self._settings.ca_file),
            connection_timeout=http.CONNECT_SECONDS,
            read_timeout=http.CONNECT_SECONDS * 3,
            retry_total=3,
            retry_backoff_factor=0.3,
        )
        try:
            with client:
                secret = client.get_secret(address.name, address.version)
        except (AzureError, ValueError) as error:
            return Reading(None, (_problem(uri, error),))
        problems: list[Problem] = []
        properties = secret.properties
        now = datetime.now(UTC)
        if properties.enabled is False:
            problems.append(Problem("SecretDisabled", uri, f"The secret {uri} is disabled."))
        if properties.expires_on and properties.expires_on <= now:
            problems.append(
                Problem(
                    "SecretExpired", uri, f"The secret {uri} expired on {properties.expires_on:%Y-%m-%d %H:%M} UTC."
                )
            )
        if properties.not_before and properties.not_before > now:
            problems.append(
                Problem(
                    "SecretNotYetValid", uri, f"The secret {uri} is valid from {properties.not_before:%Y-%m-%d} on."
                )
            )
        problems += self._tag_problem(uri, organization_id, properties.tags or {})
        return Reading(Secret(secret.value) if secret.value is not None else None, tuple(problems))

    def _tag_problem(self, uri: str, organization_id: str, tags: dict[str, str]) -> list[Problem]:
        values = {name.strip().lower(): value for name, value in tags.items()}
        tenant = values.get(organization_id.lower())
        if tenant is not None and tenant.strip().lower() == self._settings.tenant_id.lower():
            return []
        wanted = f"the tag '{organization_id}' with the value '{self._settings.tenant_id}' (organization id, tenant id)"
        if tenant is None:
            message = f"The secret {uri} does not carry {wanted}, by which its owner allows the organization to use it."
        else:
            message = f"The secret {uri} does not carry {wanted}: its value is '{tenant}'."
        return [Problem("SecretTag", organization_id, message)]

    def _foreign_tenant(self, address: SecretAddress) -> str | None:
        """The vault's tenant where it is not the service's; the vault's challenge names it to anybody."""
        with http.client(address.vault, self._settings.ca_file) as client:
            try:
                response = client.send_request(
                    HttpRequest("GET", f"{address.vault}/secrets/{address.name}", params={"api-version": "7.4"})
                )
            except AzureError:
                return None  # reading the secret will say so in full
        found = _CHALLENGED_AUTHORITY.search(response.headers.get("WWW-Authenticate", ""))
        return found[1] if found and found[1].lower() != self._settings.tenant_id.lower() else None


def _problem(uri: str, error: AzureError | ValueError) -> Problem:
    if isinstance(error, ResourceNotFoundError):
        return Problem("SecretNotFound", uri, f"The secret {uri} does not exist.")
    if isinstance(error, HttpResponseError) and error.status_code == 403:
        inner = getattr(error.error, "innererror", None) or {}
        code = inner.get("code") if isinstance(inner, dict) else None
        if code == "SecretDisabled":
            return Problem("SecretDisabled", uri, f"The secret {uri} is disabled.")
        said = (error.error.message if error.error else None) or error.message
        if code in ("ForbiddenByFirewall", "ForbiddenByConnection"):
            message = f"The network rules of the vault of the secret {uri} keep the service out: {said}"
            return Problem("KeyVaultFirewall", uri, message)
        return Problem(
            "SecretUnreadable",
            uri,
            f"The service may not read the secret {uri} (it needs the secret permission 'get' or the role"
            f" Key Vault Secrets User). Key Vault answered 403{f' {code}' if code else ''}: {said}",
        )
    if isinstance(error, ClientAuthenticationError):
        return Problem("SecretUnreadable", uri, f"The service got no token for the vault of {uri}: {error.message}")
    said = error.message if isinstance(error, AzureError) else str(error)
    return Problem("KeyVaultUnreachable", uri, f"The vault of the secret {uri} does not answer as it should: {said}")
