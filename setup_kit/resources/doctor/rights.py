"""Whether the caller may make each call that a run will make."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.permissions import Permission, allows
from setup_kit.engine.resource import Check, Finding, Node, Status
from setup_kit.environment.models import Environment
from setup_kit.identity import Identity
from setup_kit.resources import rights
from setup_kit.resources.doctor.outlook import Outlook
from setup_kit.resources.rights import GIVES_ROLES, Level, Need


class Rights(Check):
    """By what Resource Manager says of the caller's permissions at each scope. Groups of the caller are in them."""

    kind = "rights"

    def __init__(
        self,
        environment: Environment,
        identity: Identity,
        azure: AzureClients,
        outlook: Outlook,
        *,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__(str(environment.subscription), needs=needs)
        self._environment = environment
        self._identity = identity
        self._azure = azure
        self._outlook = outlook

    def run(self) -> list[Finding]:
        needs = self._needs()
        scopes = self._scopes()
        asked = list(dict.fromkeys(scopes[need.level] for need in needs))
        with ThreadPoolExecutor(len(Level), thread_name_prefix="rights") as pool:
            held = dict(zip(asked, pool.map(self._held, asked), strict=True))
        findings = []
        for need in needs:
            scope = scopes[need.level]
            if need.data and allows(held[scope], GIVES_ROLES) and not self._may_use_secrets():
                continue  # a run gives itself the role for it
            if rights.missing([need], held[scope]):
                findings.append(self._missing(need, scope, held[scope]))
        if findings:
            return findings
        actions = sorted({need.action for need in needs})
        message = f"whoever is signed in may do all {len(actions)} actions that a run will do in Azure"
        return [Finding(self.kind, Status.PASSED, self.address, message, evidence=", ".join(actions))]

    def _needs(self) -> list[Need]:
        found: dict[tuple[str, Level], Need] = {}
        every = [
            need
            for node, changes in self._outlook.resources()
            for need in rights.needed(node.kind, node.address, changes, self._environment)
        ]
        every += rights.operator_rule(self._environment)
        every += rights.secret(self._environment, kept_out=self._outlook.kept_out())
        for need in every:
            found.setdefault((need.action, need.level), need)
        return list(found.values())

    def _scopes(self) -> dict[Level, str]:
        """Each level's scope, or the one around it where that is not there yet."""
        subscriptions = self._azure.subscriptions
        group = (
            subscriptions.group_scope(self._environment.resource_group)
            if self._outlook.group_is_there()
            else subscriptions.scope
        )
        vault = self._outlook.vault()
        server = f"{group}/providers/Microsoft.Sql/servers/{self._environment.sql.server}"
        return {
            Level.SUBSCRIPTION: subscriptions.scope,
            Level.GROUP: group,
            Level.SERVER: group if self._outlook.server() is None else server,
            Level.VAULT: group if vault is None else vault.id,
        }

    def _held(self, scope: str) -> tuple[Permission, ...]:
        try:
            return self._azure.subscriptions.permissions(scope)
        except AzureRefusal as refusal:
            if refusal.is_any("AuthorizationFailed"):
                return ()  # who holds nothing there may not even ask
            raise

    def _may_use_secrets(self) -> bool:
        """Whether the operator has the role for the secret already, so that a run gives itself none."""
        changes = [each for each in self._outlook.resources() if each[0].address == "vault_access/operator"]
        return any(found is not None and not found for _, found in changes)

    def _missing(self, need: Need, scope: str, held: Sequence[Permission]) -> Finding:
        caller = self._identity.caller()
        role = rights.smallest_role(need.action, data=need.data)
        message = f"{caller.name} may not do {need.action}, which {need.resource} needs"
        words = ["az", "role", "assignment", "create", "--assignee-object-id", caller.object_id]
        words += ["--assignee-principal-type", caller.kind, "--role", role, "--scope", scope]
        remedy = f"have an owner run: {shlex.join(words)}; it takes some minutes to hold"
        evidence = f"{len(held)} roles reach {scope}, and none of them allows it; the smallest built-in one: {role}"
        return Finding("rights.missing", Status.FAILED, self.address, message, remedy, evidence)
