"""Secrets of one vault through Resource Manager, whatever the vault's network rules: written, and never read back.

It takes no permission for the vault's secrets, but the one to read and write them as resources, which owners and
contributors have.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from setup_kit.azure.errors import AzureRefusal, translating
from setup_kit.azure.patience import Patience, busy
from setup_kit.azure.secrets import StoredSecret
from setup_kit.secret import Secret

if TYPE_CHECKING:
    from azure.mgmt.keyvault import KeyVaultManagementClient, models


class ManagedSecrets:
    def __init__(self, client: KeyVaultManagementClient, group: str, vault: str, patience: Patience) -> None:
        self._patience = patience
        self._secrets = client.secrets
        self._group = group
        self._vault = vault

    def get(self, name: str) -> StoredSecret | None:
        """The newest version without its value, a disabled one too; None when there is none, a deleted one included."""
        try:
            with translating(self._failed("Reading", name)):
                return _stored(self._secrets.get(self._group, self._vault, name))
        except AzureRefusal as refusal:
            if refusal.not_found:
                return None
            raise

    def names(self) -> set[str]:
        with translating(f"Listing the secrets of {self._vault} through Resource Manager failed"):
            return {str(each.name) for each in self._secrets.list(self._group, self._vault)}

    def set(self, name: str, value: Secret, tags: Mapping[str, str], content_type: str) -> StoredSecret:
        """Writes a new version, enabled and without an end. The answer has no value."""
        from azure.mgmt.keyvault import models

        properties = models.SecretProperties(
            value=value.reveal(), content_type=content_type, attributes=models.SecretAttributes(enabled=True)
        )
        body = models.SecretCreateOrUpdateParameters(properties=properties, tags=dict(tags))

        def write() -> StoredSecret:
            with translating(self._failed("Writing", name)):
                return _stored(self._secrets.create_or_update(self._group, self._vault, name, body))

        return self._patience.out(write, busy)

    def update(
        self,
        name: str,
        *,
        tags: Mapping[str, str] | None = None,
        enabled: bool | None = None,
        not_before: datetime | None = None,
        expires_on: datetime | None = None,
    ) -> StoredSecret:
        """Changes properties of the newest version; `tags` are replaced as a whole."""
        from azure.mgmt.keyvault import models

        given: dict[str, Any] = {"enabled": enabled, "not_before": not_before, "expires": expires_on}
        wanted = {key: each for key, each in given.items() if each is not None}
        properties = models.SecretPatchProperties(attributes=models.SecretAttributes(**wanted)) if wanted else None
        body = models.SecretPatchParameters(tags=None if tags is None else dict(tags), properties=properties)

        def write() -> StoredSecret:
            with translating(self._failed("Changing", name)):
                return _stored(self._secrets.update(self._group, self._vault, name, body))

        return self._patience.out(write, busy)

    def _failed(self, doing: str, name: str) -> str:
        return f"{doing} the secret {name} of {self._vault} through Resource Manager failed"


def _stored(secret: models.Secret) -> StoredSecret:
    properties = secret.properties
    attributes = properties.attributes
    return StoredSecret(
        name=str(secret.name),
        uri=(properties.secret_uri or "").rstrip("/"),
        value=None,
        tags=dict(secret.tags or {}),
        enabled=attributes is None or attributes.enabled is not False,
        not_before=attributes.not_before if attributes else None,
        expires_on=attributes.expires if attributes else None,
        created=attributes.created if attributes else None,
        version=(properties.secret_uri_with_version or "").rpartition("/")[2],
    )
