"""Key vaults, their access policies, and the deleted ones whose names are still taken."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from setup_kit.azure.errors import AzureRefusal, translating
from setup_kit.azure.patience import NAME, Patience, busy
from setup_kit.azure.pipeline import REPEATABLE
from setup_kit.azure.polling import Elapsed, finish, quiet
from setup_kit.azure.vault_network import OPEN, Network, network_of
from setup_kit.azure.words import group_of, plain

if TYPE_CHECKING:
    from azure.mgmt.keyvault import KeyVaultManagementClient, models

logger = logging.getLogger(__name__)

# Seconds between two looks at a vault that is being registered: its answers carry no Retry-After.
_FIRST_LOOK = 0.1
_LONGEST_LOOK = 2.0


@dataclass(frozen=True)
class Vault:
    """`policies`: object id → the secret permissions that its access policies give, in lower case."""

    id: str
    name: str
    uri: str
    location: str
    tenant_id: str
    rbac: bool
    state: str = ""
    network: Network = OPEN
    purge_protection: bool = False
    policies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        return group_of(self.id)

    @property
    def ready(self) -> bool:
        """Whether its name is registered in DNS, so that its data plane answers."""
        return self.state != "RegisteringDns"


@dataclass(frozen=True)
class DeletedVault:
    """`id` is the one it had. `purge_date` is the day on which its name becomes free by itself."""

    name: str
    id: str
    location: str
    purge_date: str
    purge_protection: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The resource group it was in, and would be recovered into."""
        return group_of(self.id)


class KeyVaults:
    def __init__(self, client: KeyVaultManagementClient, patience: Patience) -> None:
        self._patience = patience
        self._vaults = client.vaults

    def get(self, group: str, name: str) -> Vault | None:
        try:
            with translating(f"Reading the key vault {name} failed"):
                return _vault(self._vaults.get(group, name))
        except AzureRefusal as refusal:
            if refusal.not_found and refusal.is_any("ResourceNotFound", "ResourceGroupNotFound", "VaultNotFound"):
                return None
            raise

    def listed(self) -> tuple[Vault, ...]:
        """All of the subscription that the caller may see."""
        with translating("Listing the key vaults failed"):
            return tuple(_vault(each) for each in self._vaults.list_by_subscription())

    def deleted(self, name: str) -> DeletedVault | None:
        """The deleted vault of this name in the subscription, whichever its location.

        None also for who may not ask: it takes a role in the subscription, not in a resource group alone.
        """
        try:
            with translating("Reading the deleted key vaults failed"):
                found = [vault for vault in self._vaults.list_deleted() if (vault.name or "").lower() == name.lower()]
        except AzureRefusal as refusal:
            if not refusal.is_any("AuthorizationFailed"):
                raise
            logger.info("not known whether there is a deleted key vault %s: %s", name, refusal.original)
            return None
        return _deleted(found[0]) if found else None

    def unavailable(self, name: str) -> str | None:
        """Azure's own sentence why no vault of this name can be made; None when one can, and for who may not ask."""
        from azure.mgmt.keyvault import models

        request = models.VaultCheckNameAvailabilityParameters(name=name)
        try:
            with translating(f"Asking whether the vault name {name} is free failed"):
                answer = self._vaults.check_name_availability(request, **REPEATABLE)
        except AzureRefusal as refusal:
            if not refusal.is_any("AuthorizationFailed"):
                raise
            logger.info("not known whether the vault name %s is free: %s", name, refusal.original)
            return None
        if answer.name_available:
            return None
        return answer.message or f"the name is not available ({plain(answer.reason)})"

    def create(
        self,
        group: str,
        name: str,
        *,
        location: str,
        tenant_id: str,
        rbac: bool,
        tags: Mapping[str, str],
        elapsed: Elapsed = quiet,
    ) -> Vault:
        """Makes the vault and waits until its name is registered in DNS.

        The authorization model is always said: what a vault gets that was made without depends on the API's version.
        """
        from azure.mgmt.keyvault import models

        properties = models.VaultProperties(
            tenant_id=tenant_id,
            sku=models.Sku(family="A", name="standard"),
            access_policies=[],
            enable_rbac_authorization=rbac,
            enable_soft_delete=True,
        )
        body = models.VaultCreateOrUpdateParameters(location=location, tags=dict(tags), properties=properties)
        return self._put(f"Creating the key vault {name} failed", group, name, body, elapsed)

    def recover(self, group: str, name: str, *, location: str, tenant_id: str, elapsed: Elapsed = quiet) -> Vault:
        """Brings a deleted vault back as it was, with its secrets, policies and tags."""
        from azure.mgmt.keyvault import models

        properties = models.VaultProperties(
            tenant_id=tenant_id, sku=models.Sku(family="A", name="standard"), create_mode="recover"
        )
        body = models.VaultCreateOrUpdateParameters(location=location, properties=properties)
        return self._put(f"Recovering the deleted key vault {name} failed", group, name, body, elapsed)

    def _put(
        self, what: str, group: str, name: str, body: models.VaultCreateOrUpdateParameters, elapsed: Elapsed
    ) -> Vault:
        def put() -> Vault:
            with translating(what):
                return _vault(self._vaults.begin_create_or_update(group, name, body, polling=False).result())

        vault = self._patience.out(put, busy)
        return vault if vault.ready else self.settled(group, name, elapsed)

    def settled(self, group: str, name: str, elapsed: Elapsed = quiet) -> Vault:
        """The vault once its name is registered. Raises AzureRefusal when that takes too long or the vault goes."""
        begun = time.monotonic()
        pause = _FIRST_LOOK
        while True:
            vault = self.get(group, name)
            waited = time.monotonic() - begun
            if vault is not None and vault.ready:
                return vault
            if vault is None or waited > NAME:
                state = "is not there" if vault is None else f"is still being registered after {waited:.0f} seconds"
                raise AzureRefusal(f"The key vault {name} {state}", remedy="run the same command again in some minutes")
            elapsed(waited)
            if self._patience.wait(pause):
                raise AzureRefusal(f"The run was ended while the key vault {name} was being registered")
            pause = min(pause * 2, _LONGEST_LOOK)

    def set_tags(self, group: str, name: str, tags: Mapping[str, str]) -> Vault:
        """Replaces the tags. Nothing else is sent: an update must not flip the authorization model."""
        from azure.mgmt.keyvault import models

        body = models.VaultPatchParameters(tags=dict(tags))

        def update() -> Vault:
            with translating(f"Changing the key vault {name} failed"):
                return _vault(self._vaults.update(group, name, body))

        return self._patience.out(update, busy)

    def add_policy(
        self, group: str, name: str, *, tenant_id: str, object_id: str, secrets: Iterable[str]
    ) -> frozenset[str]:
        """Gives secret permissions beside those there are; returns those the principal has afterwards."""
        return self._policy("add", group, name, tenant_id, object_id, secrets)

    def remove_policy(
        self, group: str, name: str, *, tenant_id: str, object_id: str, secrets: Iterable[str]
    ) -> frozenset[str]:
        """Takes these secret permissions away; returns those the principal still has."""
        return self._policy("remove", group, name, tenant_id, object_id, secrets)

    def _policy(
        self, operation: str, group: str, name: str, tenant_id: str, object_id: str, secrets: Iterable[str]
    ) -> frozenset[str]:
        from azure.mgmt.keyvault import models

        entry = models.AccessPolicyEntry(
            tenant_id=tenant_id, object_id=object_id, permissions=models.Permissions(secrets=sorted(secrets))
        )
        properties = models.VaultAccessPolicyProperties(access_policies=[entry])
        body = models.VaultAccessPolicyParameters(properties=properties)

        def write() -> frozenset[str]:
            with translating(f"Writing the access policy of {object_id} in the key vault {name} failed"):
                answer = self._vaults.update_access_policy(group, name, operation, body)
            return _policies(answer.properties.access_policies).get(object_id.lower(), frozenset())

        return self._patience.out(write, busy)

    def delete(self, group: str, name: str) -> None:
        """Removes the vault; it stays recoverable, and its name taken, for the days of its soft delete."""
        with translating(f"Deleting the key vault {name} failed"):
            self._vaults.delete(group, name)

    def purge(self, name: str, elapsed: Elapsed = quiet) -> None:
        """Removes a deleted vault for good, its secrets with it; its name is free then. None there is no error."""
        deleted = self.deleted(name)
        if deleted is None:
            return
        with translating(f"Purging the deleted key vault {name} failed"):
            finish(self._vaults.begin_purge_deleted(name, deleted.location), elapsed)


def _policies(entries: Iterable[models.AccessPolicyEntry] | None) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for entry in entries or ():
        # A policy with an application id counts only for sign-ins through that application.
        if entry.application_id:
            continue
        permissions = frozenset(plain(each).lower() for each in entry.permissions.secrets or ())
        key = entry.object_id.lower()
        found[key] = found.get(key, frozenset()) | permissions
    return found


def _vault(vault: models.Vault) -> Vault:
    properties = vault.properties
    return Vault(
        id=str(vault.id),
        name=str(vault.name),
        uri=properties.vault_uri or "",
        location=vault.location or "",
        tenant_id=str(properties.tenant_id).lower(),
        rbac=bool(properties.enable_rbac_authorization),
        state=plain(properties.provisioning_state),
        network=network_of(properties),
        purge_protection=bool(properties.enable_purge_protection),
        policies=_policies(properties.access_policies),
        tags=dict(vault.tags or {}),
    )


def _deleted(vault: models.DeletedVault) -> DeletedVault:
    properties = vault.properties
    return DeletedVault(
        name=vault.name or "",
        id=(properties.vault_id if properties else None) or "",
        location=(properties.location if properties else None) or "",
        purge_date=f"{properties.scheduled_purge_date:%Y-%m-%d}"
        if properties and properties.scheduled_purge_date
        else "",
        purge_protection=bool(properties.purge_protection_enabled) if properties else False,
        tags=dict((properties.tags if properties else None) or {}),
    )
