"""Secrets of one vault, over its data plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from setup_kit.azure import pipeline
from setup_kit.azure.errors import AzureRefusal, translating
from setup_kit.azure.patience import BUSY, Patience
from setup_kit.secret import Secret

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import RequestsTransport
    from azure.keyvault.secrets import KeyVaultSecret, SecretProperties

    from setup_kit.clouds import Cloud

# Azure's words for a caller who may not read, or may not read yet.
NO_PERMISSION = ("ForbiddenByRbac", "AccessDenied", "ForbiddenByPolicy")

MAXIMUM_TAGS = 15


@dataclass(frozen=True)
class KeptOut:
    """Why a vault's network rules keep this machine from its secrets, and what would open the way."""

    why: str
    remedy: str


@dataclass(frozen=True)
class StoredSecret:
    """`value` is None where a disabled secret keeps it to itself, and with `kept_out`. `uri` has no version."""

    name: str
    uri: str
    value: Secret | None
    tags: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    not_before: datetime | None = None
    expires_on: datetime | None = None
    created: datetime | None = None
    version: str = ""
    kept_out: KeptOut | None = None


@dataclass(frozen=True)
class Version:
    """One version of a secret; what it holds is not read."""

    version: str
    created: datetime | None
    enabled: bool
    not_before: datetime | None
    expires_on: datetime | None


class Secrets:
    def __init__(
        self,
        vault_uri: str,
        credential: TokenCredential,
        cloud: Cloud,
        transport: RequestsTransport,
        patience: Patience,
    ) -> None:
        from azure.keyvault.secrets import SecretClient

        self._patience = patience
        self._uri = vault_uri.rstrip("/")
        self._client = SecretClient(
            vault_url=self._uri,
            credential=credential,
            # A vault's host lies under the audience that its challenge names, except in a sandbox.
            verify_challenge_resource=bool(cloud.vault_suffix),
            transport=transport,
            **pipeline.retry_options(),
        )

    def uri(self, name: str) -> str:
        """The secret's address without a version: that of whatever version is the newest."""
        return f"{self._uri}/secrets/{name}"

    def get(self, name: str) -> StoredSecret | None:
        """The newest version, or None when there is none. One that is disabled has no value and no tags here."""
        try:
            with translating(f"Reading the secret {name} in {self._uri} failed"):
                return self._stored(self._client.get_secret(name))
        except AzureRefusal as refusal:
            if refusal.is_any("SecretNotFound"):
                return None
            if refusal.is_any("SecretDisabled"):
                return StoredSecret(name=name, uri=self.uri(name), value=None, enabled=False)
            raise

    def names(self) -> set[str]:
        with translating(f"Listing the secrets in {self._uri} failed"):
            return {str(each.name) for each in self._client.list_properties_of_secrets()}

    def versions(self, name: str) -> list[Version]:
        """All versions, the newest first; none when there is no such secret. Needs the permission to list."""
        with translating(f"Listing the versions of the secret {name} in {self._uri} failed"):
            found = [
                Version(each.version or "", each.created_on, bool(each.enabled), each.not_before, each.expires_on)
                for each in self._client.list_properties_of_secret_versions(name)
            ]
        return sorted(found, key=lambda version: str(version.created), reverse=True)

    def deleted(self, name: str) -> StoredSecret | None:
        """The deleted secret of this name that can be recovered, without its value."""
        try:
            with translating(f"Reading the deleted secret {name} in {self._uri} failed"):
                return self._described(self._client.get_deleted_secret(name).properties, None)
        except AzureRefusal as refusal:
            if refusal.not_found:
                return None
            raise

    def recover(self, name: str) -> None:
        """Brings a deleted secret back and waits until it is there."""
        with translating(f"Recovering the deleted secret {name} in {self._uri} failed"):
            self._client.begin_recover_deleted_secret(name).wait()

    def set(self, name: str, value: Secret, tags: Mapping[str, str], content_type: str) -> StoredSecret:
        """Writes a new version, enabled and without an end."""

        def write() -> StoredSecret:
            with translating(f"Writing the secret {name} in {self._uri} failed"):
                return self._stored(
                    self._client.set_secret(name, value.reveal(), tags=dict(tags), content_type=content_type)
                )

        return self._patience.out(write, _settling)

    def update(
        self,
        name: str,
        *,
        tags: Mapping[str, str] | None = None,
        enabled: bool | None = None,
        not_before: datetime | None = None,
        expires_on: datetime | None = None,
    ) -> StoredSecret:
        """Changes properties of the newest version; `tags` are replaced as a whole. The answer has no value."""
        given: dict[str, Any] = {
            "tags": None if tags is None else dict(tags),
            "enabled": enabled,
            "not_before": not_before,
            "expires_on": expires_on,
        }
        changes = {key: each for key, each in given.items() if each is not None}

        def write() -> StoredSecret:
            with translating(f"Changing the secret {name} in {self._uri} failed"):
                return self._described(self._client.update_secret_properties(name, **changes), None)

        return self._patience.out(write, _settling)

    def delete(self, name: str) -> None:
        """Deletes the secret; it stays recoverable for the days of the vault's soft delete."""
        with translating(f"Deleting the secret {name} in {self._uri} failed"):
            self._client.begin_delete_secret(name).wait()

    def purge(self, name: str) -> None:
        """Removes a deleted secret for good."""
        with translating(f"Purging the deleted secret {name} in {self._uri} failed"):
            self._client.purge_deleted_secret(name)

    def _stored(self, secret: KeyVaultSecret) -> StoredSecret:
        return self._described(secret.properties, Secret(secret.value or ""))

    def _described(self, properties: SecretProperties, value: Secret | None) -> StoredSecret:
        name = str(properties.name)
        return StoredSecret(
            name=name,
            uri=self.uri(name),
            value=value,
            tags=dict(properties.tags or {}),
            enabled=bool(properties.enabled),
            not_before=properties.not_before,
            expires_on=properties.expires_on,
            created=properties.created_on,
            version=properties.version or "",
        )


def _settling(refusal: AzureRefusal) -> float:
    """After a recovery or a deletion the name is in use for a while."""
    return BUSY if refusal.is_any("ObjectIsBeingDeleted", "ObjectIsBeingRecovered") else 0.0
