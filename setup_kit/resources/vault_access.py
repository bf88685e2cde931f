"""Who may use the vault's secrets: the export service here, whoever runs the kit in `operator_vault_access`.

Both say it by access policy or by role, whichever the vault goes by; neither takes away what others have.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.role_assignments import (
    KEY_VAULT_ADMINISTRATOR,
    ROLE_NAMES,
    SECRETS_OFFICER,
    SECRETS_USER,
    Assignment,
)
from setup_kit.azure.secrets import KeptOut
from setup_kit.azure.vault_secrets import VaultSecrets
from setup_kit.engine.resource import Action, Change, Finding, Node, NotReadable, Removal, Resource, Status
from setup_kit.environment.models import Authorization, Environment
from setup_kit.errors import KitError
from setup_kit.resources.service_principal import ServicePrincipal
from setup_kit.resources.vault import Vault, VaultState
from setup_kit.resources.waiting import patience

SERVICE_PERMISSIONS = frozenset({"get"})

WRITING_ROLES = frozenset({SECRETS_OFFICER, KEY_VAULT_ADMINISTRATOR})
READING_ROLES = WRITING_ROLES | {SECRETS_USER}


@dataclass(frozen=True)
class Access:
    """What one principal has: secret permissions by access policy, or roles by assignment.

    With `kept_out` none would help: the vault's network rules keep the principal's machine out.
    """

    permissions: frozenset[str] = frozenset()
    assignments: tuple[Assignment, ...] = ()
    kept_out: KeptOut | None = None


class VaultAccess(Resource[Access]):
    kind = "vault_access"

    def __init__(
        self, name: str, environment: Environment, azure: AzureClients, vault: Vault, *, needs: Iterable[Node] = ()
    ) -> None:
        super().__init__(name, within=vault, needs=needs)
        self._environment = environment
        self._azure = azure
        self._vault = vault
        self._rbac = environment.key_vault.authorization is Authorization.RBAC
        self._secret = environment.key_vault.secret

    def _vault_state(self) -> VaultState:
        """Raises NotReadable while there is no vault that answers."""
        state = self._vault.observed
        if state is None or state.soft_deleted:
            raise NotReadable(f"the key vault {self._vault.name} is deleted and has to be recovered first")
        return state

    def _secrets(self) -> VaultSecrets:
        vault = self._vault_state()
        return self._azure.vault_secrets(vault.id, vault.uri, restricted=not vault.network.open)

    def _secret_scope(self) -> str:
        return f"{self._vault_state().id}/secrets/{self._secret}"

    def _roles(self, access: Access | None, sufficient: frozenset[str]) -> list[Assignment]:
        """Those of the assignments that suffice for the secret."""
        if access is None or not access.assignments:
            return []
        scope = self._secret_scope()
        return [each for each in access.assignments if each.role in sufficient and each.reaches(scope)]

    def _add_policy(self, principal: str, permissions: frozenset[str]) -> Access:
        given = self._azure.key_vaults.add_policy(
            self._environment.resource_group,
            self._vault.name,
            tenant_id=str(self._environment.tenant),
            object_id=principal,
            secrets=permissions,
        )
        return Access(permissions=given)

    def _remove_policy(self, principal: str, permissions: frozenset[str]) -> None:
        self._azure.key_vaults.remove_policy(
            self._environment.resource_group,
            self._vault.name,
            tenant_id=str(self._environment.tenant),
            object_id=principal,
            secrets=permissions,
        )


def seen(assignments: Iterable[Assignment], permissions: frozenset[str] = frozenset()) -> str:
    roles = [f"{ROLE_NAMES[each.role]} at {each.scope or '/'}" for each in assignments]
    return "; ".join([*roles, *([f"secrets: {', '.join(sorted(permissions))}"] if permissions else [])])


class ServiceVaultAccess(VaultAccess):
    """The export service may get the secret, and nothing else."""

    outlives = True  # a deleted vault that is recovered has its access policies again

    def __init__(
        self,
        environment: Environment,
        azure: AzureClients,
        vault: Vault,
        secret: Resource[Any],
        principal: ServicePrincipal,
        *,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__("service", environment, azure, vault, needs=(secret, principal, *needs))
        self.rests_on = secret
        self._principal = principal

    def read(self) -> Access | None:
        vault = self._vault_state()
        principal = self._principal.observed
        if principal is None:
            return None
        if self._rbac:
            given = (each for each in vault.assignments if each.principal_id == principal.object_id)
            return Access(assignments=tuple(given))
        return Access(permissions=vault.policies.get(principal.object_id, frozenset()))

    def diff(self, observed: Access | None) -> list[Change]:
        if self._rbac:
            if self._roles(observed, READING_ROLES):
                return []
            target, after = f"role {ROLE_NAMES[SECRETS_USER]}", f"on the secret {self._secret}"
        else:
            if observed is not None and observed.permissions >= SERVICE_PERMISSIONS:
                return []
            target, after = "secret permission get", f"access policy of the key vault {self._vault.name}"
        why = "the Data Export Service reads the connection string with it"
        return [Change(self.address, Action.CREATE, target=target, after=after, why=why)]

    def apply(self, change: Change) -> Access:
        principal = self._object_id()
        if not self._rbac:
            return self._add_policy(principal, SERVICE_PERMISSIONS)
        assignment = self._azure.role_assignments.create(
            self._secret_scope(),
            SECRETS_USER,
            principal,
            "ServicePrincipal",
            patience(self, "waiting for the service principal to be known"),
        )
        kept = self.observed.assignments if self.observed else ()
        return Access(assignments=(*kept, assignment))

    def _object_id(self) -> str:
        principal = self._principal.observed
        if principal is None:
            raise KitError(
                "The Data Export Service has no service principal in the tenant, so nothing can be given to it",
                remedy="run: setup-kit apply, which adds it",
            )
        return principal.object_id

    def evidence(self, observed: Access) -> str:
        return seen(self._roles(observed, READING_ROLES), observed.permissions)

    def audit(self, observed: Access) -> list[Finding]:
        """More than the one permission that the service needs: reading more is a warning, changing is a failure."""
        if not self._rbac:
            more = sorted(observed.permissions - SERVICE_PERMISSIONS)
            if not more:
                return []
            policy = ["az", "keyvault", "set-policy", "--name", self._vault.name]
            remedy = shlex.join([*policy, "--object-id", self._object_id(), "--secret-permissions", "get"])
            status = Status.WARNING if set(more) <= {"list"} else Status.FAILED
            message = f"the Data Export Service also has the secret permissions {', '.join(more)}"
            evidence = f"seen: {', '.join(sorted(observed.permissions))}; wanted: get"
            return [Finding("vault_access.superfluous", status, self.address, message, remedy, evidence)]
        scope = self._secret_scope().lower()
        wanted = f"{ROLE_NAMES[SECRETS_USER]} on the secret {self._secret}"
        findings = []
        for each in self._roles(observed, READING_ROLES):
            if each.role == SECRETS_USER and each.scope.lower() == scope:
                continue
            message = f"the Data Export Service also holds the role {ROLE_NAMES[each.role]} at {each.scope or '/'}"
            status = Status.WARNING if each.role == SECRETS_USER else Status.FAILED
            remedy = shlex.join(["az", "role", "assignment", "delete", "--ids", each.id])
            evidence = f"seen: {seen([each])}; wanted: {wanted}"
            findings.append(Finding("vault_access.superfluous", status, self.address, message, remedy, evidence))
        return findings

    def removal(self, observed: Access) -> Removal:
        if self._rbac:
            scope = self._secret_scope().lower()
            there = any(each.role == SECRETS_USER and each.scope.lower() == scope for each in observed.assignments)
        else:
            there = bool(observed.permissions & SERVICE_PERMISSIONS)
            if there and self._vault.of_another:
                return Removal(kept="another environment's vault: the service may read its secret with it")
        return Removal((self.deletion("the service cannot read the secret any more"),) if there else ())

    def delete(self, observed: Access) -> None:
        if not self._rbac:
            self._remove_policy(self._object_id(), SERVICE_PERMISSIONS)
            return
        scope = self._secret_scope().lower()
        for each in observed.assignments:
            if each.role == SECRETS_USER and each.scope.lower() == scope:
                self._azure.role_assignments.delete(each)
