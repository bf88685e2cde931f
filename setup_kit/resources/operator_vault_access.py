"""What whoever runs the kit may do with the vault's secrets."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.patience import NAME, PERMISSION
from setup_kit.azure.role_assignments import ROLE_NAMES, SECRETS_OFFICER
from setup_kit.azure.secrets import NO_PERMISSION
from setup_kit.engine.resource import Action, Change, Node, Removal
from setup_kit.environment.models import Environment
from setup_kit.identity import Identity
from setup_kit.resources.vault import Vault
from setup_kit.resources.vault_access import WRITING_ROLES, Access, VaultAccess, seen
from setup_kit.resources.waiting import patience

OPERATOR_PERMISSIONS = frozenset({"get", "set"})


class OperatorVaultAccess(VaultAccess):
    """Whoever runs the kit may read and write the secret; being owner of the vault alone does not allow it."""

    def __init__(
        self,
        environment: Environment,
        azure: AzureClients,
        vault: Vault,
        identity: Identity,
        *,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__("operator", environment, azure, vault, needs=needs)
        self._identity = identity

    @property
    def granted(self) -> bool:
        """Whether the access was there when it was last read; it may not hold everywhere yet."""
        return self.observed is not None and not self.diff(self.observed)

    @property
    def by_role(self) -> bool:
        """Whether the vault goes by role assignments, not by access policies."""
        return self._rbac

    def giving(self, permission: str) -> str:
        """The command that gives one more secret permission by access policy; it sets all that the caller has."""
        held = self.observed.permissions if self.observed is not None else frozenset()
        permissions = sorted(OPERATOR_PERMISSIONS | held | {permission})
        policy = ["az", "keyvault", "set-policy", "--name", self._vault.name]
        return shlex.join(
            [*policy, "--object-id", self._identity.caller().object_id, "--secret-permissions", *permissions]
        )

    def read(self) -> Access:
        vault = self._vault_state()
        if vault.ready and not vault.network.open:
            kept_out = self._secrets().find_way(self._secret)
            if kept_out is not None:
                return Access(kept_out=kept_out)
        caller = self._identity.caller()
        holders = {caller.object_id.lower(), *(group.lower() for group in caller.groups)}
        if self._rbac:
            access = Access(assignments=tuple(each for each in vault.assignments if each.principal_id in holders))
            if self._roles(access, WRITING_ROLES):
                return access
            # A token does not list all groups, and none of those that are members of groups.
            return Access(assignments=self._azure.role_assignments.reaching(vault.id, caller.object_id))
        return Access(permissions=frozenset().union(*(vault.policies.get(each, frozenset()) for each in holders)))

    def evidence(self, observed: Access) -> str:
        if observed.kept_out is not None:
            return f"none is needed: {observed.kept_out.why}, and the secret is written through Resource Manager"
        return seen(self._roles(observed, WRITING_ROLES), observed.permissions)

    def diff(self, observed: Access | None) -> list[Change]:
        if observed is not None and observed.kept_out is not None:
            return []
        if self._rbac:
            if self._roles(observed, WRITING_ROLES):
                return []
            why = "whoever runs setup-kit writes the secret and proves it; owning the vault does not allow that"
            return [
                Change(
                    self.address,
                    Action.CREATE,
                    target=f"role {ROLE_NAMES[SECRETS_OFFICER]}",
                    after=f"on the key vault {self._vault.name}",
                    why=why,
                )
            ]
        missing = OPERATOR_PERMISSIONS - (observed.permissions if observed else frozenset())
        if not missing:
            return []
        why = "whoever runs setup-kit writes the secret and proves it"
        return [
            Change(
                self.address,
                Action.CREATE,
                target=f"secret permission {', '.join(sorted(missing))}",
                after=f"access policy of the key vault {self._vault.name}",
                why=why,
            )
        ]

    def apply(self, change: Change) -> Access:
        caller = self._identity.caller()
        if self._rbac:
            assignment = self._azure.role_assignments.create(
                self._vault_state().id,
                SECRETS_OFFICER,
                caller.object_id,
                caller.kind,
                patience(self, "waiting for the principal to be known"),
            )
            kept = self.observed.assignments if self.observed else ()
            access = Access(assignments=(*kept, assignment))
        else:
            access = self._add_policy(caller.object_id, OPERATOR_PERMISSIONS)
        self._wait_until_it_holds()
        return access

    def _wait_until_it_holds(self) -> None:
        secrets = self._secrets()

        def bound(refusal: AzureRefusal) -> float:
            if refusal.unreached:
                return NAME
            return PERMISSION if refusal.is_any(*NO_PERMISSION) else 0.0

        report = patience(self, "waiting for the permission to hold")
        self._azure.patience.out(lambda: secrets.get(self._secret), bound, report)

    def removal(self, observed: Access) -> Removal:
        return Removal(kept="whoever runs setup-kit may have had it before")

    def delete(self, observed: Access) -> None:
        """Takes away what the kit gives, which the operator may have had before too."""
        caller = self._identity.caller()
        if not self._rbac:
            self._remove_policy(caller.object_id, OPERATOR_PERMISSIONS)
            return
        vault = self._vault_state().id.lower()
        for each in observed.assignments:
            if each.role == SECRETS_OFFICER and each.scope.lower() == vault:
                self._azure.role_assignments.delete(each)
