"""Azure RBAC: who holds which role where."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from setup_kit.azure.errors import AzureRefusal, translating
from setup_kit.azure.patience import Patience, Report

if TYPE_CHECKING:
    from azure.mgmt.authorization.v2022_04_01 import AuthorizationManagementClient
    from azure.mgmt.authorization.v2022_04_01.models import RoleAssignment

# Source: "Azure built-in roles for Key Vault data plane operations".
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
KEY_VAULT_ADMINISTRATOR = "00482a5a-887f-4fb3-b363-3b7fe8e74483"

ROLE_NAMES = {
    SECRETS_USER: "Key Vault Secrets User",
    SECRETS_OFFICER: "Key Vault Secrets Officer",
    KEY_VAULT_ADMINISTRATOR: "Key Vault Administrator",
}

# Names of the assignments that the kit makes follow from what they give, so that a repeated one is the same one.
_NAMESPACE = uuid.UUID("5a3c6f3e-6c0c-4a39-9f0f-6d0f6a2f4f57")


@dataclass(frozen=True)
class Assignment:
    """`role` is the id of the role's definition, `scope` what it reaches with all that is inside."""

    id: str
    scope: str
    role: str
    principal_id: str

    def reaches(self, resource: str) -> bool:
        scope, wanted = self.scope.lower().strip("/"), resource.lower().strip("/")
        return not scope or wanted == scope or wanted.startswith(scope + "/")


class RoleAssignments:
    def __init__(self, client: AuthorizationManagementClient, subscription: str, patience: Patience) -> None:
        self._patience = patience
        self._assignments = client.role_assignments
        self._subscription = subscription

    def at(self, scope: str) -> tuple[Assignment, ...]:
        """Everybody's at, above or below `scope`."""
        return self._list(scope, None)

    def reaching(self, scope: str, principal_id: str) -> tuple[Assignment, ...]:
        """What the principal holds at, above or below `scope`, through its groups too."""
        return self._list(scope, f"assignedTo('{principal_id}')")

    def _list(self, scope: str, condition: str | None) -> tuple[Assignment, ...]:
        with translating(f"Reading the role assignments at {scope} failed"):
            return tuple(_assignment(each) for each in self._assignments.list_for_scope(scope, filter=condition))

    def create(self, scope: str, role: str, principal_id: str, principal_type: str, report: Report) -> Assignment:
        """Gives a role. A principal that was just made, and an assignment that is there already, are no errors."""
        from azure.mgmt.authorization.v2022_04_01 import models

        name = str(uuid.uuid5(_NAMESPACE, f"{scope.lower()} {role} {principal_id}"))
        body = models.RoleAssignmentCreateParameters(
            role_definition_id=(
                f"/subscriptions/{self._subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
            ),
            principal_id=principal_id,
            principal_type=principal_type,
        )

        def create() -> Assignment:
            with translating(f"Giving the role {ROLE_NAMES.get(role, role)} to {principal_id} failed"):
                return _assignment(self._assignments.create(scope, name, body))

        try:
            return self._patience.out(create, lambda refusal: refusal.ridden_out, report)
        except AzureRefusal as refusal:
            if not refusal.is_any("RoleAssignmentExists"):
                raise
        return Assignment(id="", scope=scope, role=role, principal_id=principal_id.lower())

    def delete(self, assignment: Assignment) -> None:
        with translating(f"Taking the role {ROLE_NAMES.get(assignment.role, assignment.role)} away failed"):
            self._assignments.delete_by_id(assignment.id)


def _assignment(assignment: RoleAssignment) -> Assignment:
    return Assignment(
        id=assignment.id or "",
        scope=assignment.scope or "",
        role=(assignment.role_definition_id or "").rpartition("/")[2].lower(),
        principal_id=(assignment.principal_id or "").lower(),
    )
