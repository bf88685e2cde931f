"""The key vault that keeps the connection string."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from setup_kit.azure import key_vaults
from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.role_assignments import Assignment
from setup_kit.azure.secrets import NO_PERMISSION
from setup_kit.azure.vault_network import OPEN, Network
from setup_kit.engine.resource import (
    Action,
    Change,
    Finding,
    Node,
    NotReadable,
    Removal,
    Resource,
    Severity,
    Value,
)
from setup_kit.environment.models import Authorization, Environment
from setup_kit.errors import KitError
from setup_kit.resources import tags
from setup_kit.resources.location import audit_location
from setup_kit.resources.ownership import audit_owner, check_made_by_kit, check_owner, not_own, of_another
from setup_kit.resources.resource_group import ResourceGroup
from setup_kit.resources.vault_network import audit_network
from setup_kit.resources.waiting import elapsed

REGISTRATION = "registration"
PURGE = "purge"
MODELS = {True: "Azure RBAC", False: "access policies"}


@dataclass(frozen=True)
class VaultState:
    """`policies`: object id → secret permissions; `assignments`: the roles that reach it or its secrets.

    `ready`: its name is registered in DNS. With `soft_deleted` it is a deleted one that can be recovered.
    """

    id: str
    uri: str
    rbac: bool
    tenant_id: str
    location: str
    soft_deleted: bool = False
    ready: bool = True
    network: Network = OPEN
    policies: Mapping[str, frozenset[str]] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


class Vault(Resource[VaultState]):
    """Read even while the resource group is not there, so that a name which is taken shows in the plan."""

    kind = "key_vault"

    def __init__(
        self,
        environment: Environment,
        azure: AzureClients,
        group: ResourceGroup,
        *,
        owner: str,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__(environment.key_vault.name, needs=(group, *needs))
        self.reads_after = group.needs  # the group's state is not looked at, nor any registration
        self._environment = environment
        self._azure = azure
        self._owner = owner
        self._secret = environment.key_vault.secret
        self.purge = False  # whether a removal deletes it for good
        self._rbac = environment.key_vault.authorization is Authorization.RBAC

    @property
    def group(self) -> str:
        return self._environment.resource_group

    def read(self) -> VaultState | None:
        vault = self._azure.key_vaults.get(self.group, self.name)
        if vault is not None:
            return self._state(vault)
        deleted = self._deleted()
        if deleted is None:
            self._check_free()
            return None
        return self._lying(deleted)

    def _lying(self, deleted: key_vaults.DeletedVault) -> VaultState:
        return VaultState(
            id=deleted.id,
            uri="",
            rbac=self._rbac,
            tenant_id=str(self._environment.tenant),
            location=deleted.location,
            soft_deleted=True,
            tags=deleted.tags,
        )

    def _deleted(self) -> key_vaults.DeletedVault | None:
        """The deleted vault of this name, when it was in this environment's resource group."""
        try:
            deleted = self._azure.key_vaults.deleted(self.name)
        except AzureRefusal as refusal:
            raise _unregistered(refusal) from refusal
        if deleted is not None and deleted.group.lower() != self.group.lower():
            free = f"its name is free on {deleted.purge_date}" if deleted.purge_date else "its name stays taken"
            purge = (
                "it cannot be purged before (purge protection)"
                if deleted.purge_protection
                else f"purge it for good: az keyvault purge --name {self.name} --location {deleted.location}"
            )
            raise KitError(
                f"No key vault can be called {self.name}: a deleted one of the resource group {deleted.group} holds"
                " the name",
                why=f"deleted vaults are kept for a while; {free}",
                remedy=f"set another 'key_vault.name'; or, if nobody needs its secrets, {purge}",
            )
        return deleted

    def _check_free(self) -> None:
        try:
            problem = self._azure.key_vaults.unavailable(self.name)
        except AzureRefusal as refusal:
            raise _unregistered(refusal) from refusal
        if problem is not None:
            raise KitError(
                f"No key vault can be called {self.name}",
                why="it is not in this environment's resource group, and elsewhere the name is taken, maybe by a"
                " deleted vault of another subscription",
                remedy="set another 'key_vault.name', or 'resource_group' to the one it is in",
                original=problem,
            )

    def diff(self, observed: VaultState | None) -> list[Change]:
        if observed is None or observed.soft_deleted:
            creation = [self._creation(observed)]
            if observed is not None:
                check_owner(self, observed.tags, self._owner, creation)
            return creation
        self._check_usable(observed)
        changes = tags.change(self.address, observed.tags, self._environment.tags)
        check_owner(self, observed.tags, self._owner, changes)
        if not observed.ready:
            why = "a run that was interrupted made the vault; its name is still being registered"
            changes.append(Change(self.address, Action.UPDATE, REGISTRATION, "under way", "done", why))
        return changes

    def _creation(self, deleted: VaultState | None) -> Change:
        if deleted is not None:
            return Change(
                self.address,
                Action.CREATE,
                before="deleted",
                after="recovered",
                why="this environment's vault was deleted and still holds its name; it is recovered with its secrets",
            )
        detail: dict[str, Value] = {
            "location": self._environment.location,
            "authorization": MODELS[self._rbac],
            "tags": tags.of_new(self._environment, self._owner),
        }
        return Change(self.address, Action.CREATE, detail=detail)

    def _check_usable(self, observed: VaultState) -> None:
        """An existing vault is never flipped to the other model: all its other users would lose their access."""
        if observed.rbac != self._rbac:
            there, said = MODELS[observed.rbac], MODELS[self._rbac]
            model = Authorization.RBAC if observed.rbac else Authorization.ACCESS_POLICY
            raise KitError(
                f"The key vault {self.name} authorizes by {there}, the environment file says {said}",
                why="the kit does not flip an existing vault: everybody else would lose access to it",
                remedy=f"set 'key_vault.authorization' to {model.value}; or, once nobody else needs it:"
                f" az keyvault update --name {self.name} --enable-rbac-authorization {str(self._rbac).lower()}",
            )
        if observed.tenant_id != str(self._environment.tenant):
            raise KitError(
                f"The key vault {self.name} belongs to the tenant {observed.tenant_id}",
                why=f"the service wants vault and organization in one tenant, which is {self._environment.tenant}",
                remedy="name a vault of the organization's tenant in 'key_vault.name', and its subscription",
            )

    def severity(self, change: Change) -> Severity:
        return Severity.LOW if change.target == tags.TARGET else Severity.HIGH

    def evidence(self, observed: VaultState) -> str:
        return f"{observed.uri}, in {observed.location}, by {MODELS[observed.rbac]}"

    def apply(self, change: Change) -> VaultState | None:
        vaults = self._azure.key_vaults
        if change.target == PURGE:
            vaults.purge(self.name, elapsed(self, "purging"))
            return None
        if change.action is Action.CREATE or self.observed is None:
            return self._recover(self.observed) if self.observed is not None else self._create()
        if change.target == tags.TARGET:
            wanted = tags.merged(self.observed.tags, self._environment.tags)
            return replace(self.observed, tags=vaults.set_tags(self.group, self.name, wanted).tags)
        vaults.settled(self.group, self.name, elapsed(self, "registering"))
        return replace(self.observed, ready=True)

    def _create(self) -> VaultState:
        return self._state(
            self._azure.key_vaults.create(
                self.group,
                self.name,
                location=self._environment.location,
                tenant_id=str(self._environment.tenant),
                rbac=self._rbac,
                tags=tags.of_new(self._environment, self._owner),
                elapsed=elapsed(self, "creating"),
            )
        )

    def _recover(self, deleted: VaultState) -> VaultState:
        vault = self._azure.key_vaults.recover(
            self.group,
            self.name,
            location=deleted.location,
            tenant_id=str(self._environment.tenant),
            elapsed=elapsed(self, "recovering"),
        )
        recovered = self._state(vault)
        self._check_usable(recovered)
        if tags.differing(recovered.tags, self._environment.tags):
            wanted = tags.merged(recovered.tags, self._environment.tags)
            recovered = replace(recovered, tags=self._azure.key_vaults.set_tags(self.group, self.name, wanted).tags)
        return recovered

    def _state(self, vault: key_vaults.Vault) -> VaultState:
        return VaultState(
            id=vault.id,
            uri=vault.uri,
            rbac=vault.rbac,
            tenant_id=vault.tenant_id,
            location=vault.location,
            ready=vault.ready,
            network=vault.network,
            policies=vault.policies,
            assignments=self._azure.role_assignments.at(vault.id) if vault.rbac and self._rbac else (),
            tags=vault.tags,
        )

    def audit(self, observed: VaultState) -> list[Finding]:
        findings = audit_location(self, observed.location, self._environment.location)
        findings += audit_owner(self, observed.tags, self._owner)
        return [*findings, *audit_network(self, observed.network, self._environment.sql.firewall.service_region)]

    @property
    def own(self) -> bool:
        return self.observed is not None and not not_own(self.observed.tags, self._owner)

    @property
    def of_another(self) -> bool:
        return self.observed is not None and of_another(self.observed.tags, self._owner)

    def find(self) -> VaultState | None:
        vault = self._azure.key_vaults.get(self.group, self.name)
        if vault is not None:
            return self._state(vault)
        deleted = self._azure.key_vaults.deleted(self.name)
        return self._lying(deleted) if deleted is not None and deleted.group.lower() == self.group.lower() else None

    def lives(self, observed: VaultState) -> bool:
        return not observed.soft_deleted

    def removal(self, observed: VaultState) -> Removal:
        kept = not_own(observed.tags, self._owner)
        if kept:
            return Removal(kept=kept)
        purge = self.deletion("for good, with every secret in it", PURGE)
        if observed.soft_deleted:
            return Removal((purge,)) if self.purge else Removal(kept="is deleted, and can be recovered")
        foreign = sorted(self._secrets_there(observed) - {self._secret})
        if foreign:
            return Removal(kept=f"there are other secrets in it: {', '.join(foreign)}")
        deletion = self.deletion("with its secret; both can be recovered, which apply does")
        return Removal((deletion, purge) if self.purge else (deletion,))

    def _secrets_there(self, observed: VaultState) -> set[str]:
        """Their names; none where they may not be listed; a deleted vault can be recovered with all of them."""
        try:
            secrets = self._azure.vault_secrets(observed.id, observed.uri, restricted=not observed.network.open)
            return secrets.names() if observed.ready else set()
        except AzureRefusal as refusal:
            if not (refusal.unreached or refusal.is_any(*NO_PERMISSION)):
                raise
            return set()

    def delete(self, observed: VaultState) -> None:
        """Deletes the vault, which stays recoverable."""
        check_made_by_kit(self, observed.tags)
        self._azure.key_vaults.delete(self.group, self.name)


def _unregistered(refusal: AzureRefusal) -> Exception:
    """A provider that is not registered answers nothing yet; registering it opens the way."""
    if refusal.is_any("MissingSubscriptionRegistration"):
        return NotReadable(refusal.why, refusal.remedy)
    return refusal
