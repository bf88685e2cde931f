"""Who else may read the secret, beside whoever runs the kit and the export service."""

from __future__ import annotations

import shlex

from setup_kit.azure.role_assignments import ROLE_NAMES
from setup_kit.engine.resource import Check, Finding, Status
from setup_kit.environment.models import Authorization, Environment
from setup_kit.identity import Identity
from setup_kit.resources.operator_vault_access import OperatorVaultAccess
from setup_kit.resources.service_principal import ServicePrincipal
from setup_kit.resources.vault import Vault, VaultState
from setup_kit.resources.vault_access import READING_ROLES, ServiceVaultAccess


class VaultReaders(Check):
    """A warning for each: administrators of the vault are among them by right, and the kit cannot tell who is one."""

    kind = "vault_readers"

    def __init__(
        self,
        environment: Environment,
        identity: Identity,
        vault: Vault,
        operator: OperatorVaultAccess,
        service: ServiceVaultAccess,
        principal: ServicePrincipal,
    ) -> None:
        super().__init__(environment.key_vault.name, needs=(vault, operator, service, principal))
        self._identity = identity
        self._vault = vault
        self._operator = operator
        self._principal = principal
        self._rbac = environment.key_vault.authorization is Authorization.RBAC
        self._secret = environment.key_vault.secret
        self._group = environment.resource_group

    def run(self) -> list[Finding]:
        vault = self._vault.observed
        if vault is None:
            return [Finding(self.kind, Status.SKIPPED, self.address, "the key vault is not there")]
        findings = self._by_role(vault) if self._rbac else self._by_policy(vault)
        if findings:
            return findings
        message = f"nobody else is given the secret {self._secret}"
        evidence = f"{len(vault.assignments)} role assignments" if self._rbac else f"{len(vault.policies)} policies"
        return [Finding(self.kind, Status.PASSED, self.address, message, evidence=f"{evidence} looked at")]

    def _known(self) -> set[str]:
        caller = self._identity.caller()
        known = {caller.object_id.lower(), *(group.lower() for group in caller.groups)}
        if self._operator.observed is not None:
            # Those of groups that the caller is in, though the token does not list them.
            known |= {each.principal_id for each in self._operator.observed.assignments}
        if self._principal.observed is not None:
            known.add(self._principal.observed.object_id.lower())
        return known

    def _by_role(self, vault: VaultState) -> list[Finding]:
        known, scope = self._known(), f"{vault.id}/secrets/{self._secret}"
        findings = []
        for each in vault.assignments:
            if each.principal_id in known or each.role not in READING_ROLES or not each.reaches(scope):
                continue
            role, where = ROLE_NAMES[each.role], each.scope or "/"
            message = f"{each.principal_id} may read the secret: it holds the role {role}"
            remedy = shlex.join(["az", "role", "assignment", "delete", "--ids", each.id])
            findings.append(self._finding(message, remedy, f"{role} at {where}"))
        return findings

    def _by_policy(self, vault: VaultState) -> list[Finding]:
        known = self._known()
        findings = []
        for holder, permissions in sorted(vault.policies.items()):
            if holder.lower() in known or not permissions & {"get", "all"}:
                continue
            message = f"{holder} may read the secret: an access policy gives it the secret permission get"
            words = ["az", "keyvault", "delete-policy", "-g", self._group, "-n", self.name, "--object-id", holder]
            findings.append(self._finding(message, shlex.join(words), f"secrets: {', '.join(sorted(permissions))}"))
        return findings

    def _finding(self, message: str, remedy: str, evidence: str) -> Finding:
        return Finding("vault_readers.other", Status.WARNING, self.address, message, remedy, evidence)
