"""Azure RBAC: which roles there are, who holds which of them where, and what they allow."""

from __future__ import annotations

import fnmatch
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from setup_kit.sandbox import settling
from setup_kit.sandbox.state import Document, State

ASSIGNMENTS = "role-assignments"  # key: the assignment's id in lower case


@dataclass(frozen=True)
class Role:
    """A built-in role; patterns as Azure writes them, `*` for any part."""

    id: str
    name: str
    description: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()


OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"

# From Azure's list of built-in roles, the ones that a set-up of this kind meets.
ROLES: dict[str, Role] = {
    role.id: role
    for role in (
        Role(
            OWNER,
            "Owner",
            "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
            actions=("*",),
        ),
        Role(
            "b24988ac-6180-42a0-ab88-20f7382dd24c",
            "Contributor",
            "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC.",
            actions=("*",),
            not_actions=("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"),
        ),
        Role(
            "acdd72a7-3385-48ef-bd42-f606fba81ae7",
            "Reader",
            "View all resources, but does not allow you to make any changes.",
            actions=("*/read",),
        ),
        Role(
            "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
            "Role Based Access Control Administrator",
            "Manage access to Azure resources by assigning roles using Azure RBAC. This role does not allow you to"
            " manage access using other ways, such as Azure Policy.",
            actions=(
                "Microsoft.Authorization/roleAssignments/write",
                "Microsoft.Authorization/roleAssignments/delete",
                "*/read",
                "Microsoft.Support/*",
            ),
        ),
        Role(
            "9b7fa17d-e63e-47b0-bb0a-15c516ac86ec",
            "SQL DB Contributor",
            "Lets you manage SQL databases, but not access to them. Also, you can't manage their security-related"
            " policies or their parent SQL servers.",
            actions=(
                "Microsoft.Authorization/*/read",
                "Microsoft.Resources/deployments/*",
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                "Microsoft.Sql/locations/*/read",
                "Microsoft.Sql/servers/databases/*",
                "Microsoft.Sql/servers/read",
                "Microsoft.Support/*",
            ),
            not_actions=(
                "Microsoft.Sql/servers/databases/auditingSettings/*",
                "Microsoft.Sql/servers/databases/securityAlertPolicies/*",
            ),
        ),
        Role(
            "6d8ee4ec-f05a-4a1d-8b00-a9b17e38b437",
            "SQL Server Contributor",
            "Lets you manage SQL servers and databases, but not access to them, and not their security-related"
            " policies.",
            actions=(
                "Microsoft.Authorization/*/read",
                "Microsoft.Resources/deployments/*",
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                "Microsoft.Sql/locations/*/read",
                "Microsoft.Sql/servers/*",
                "Microsoft.Support/*",
            ),
            not_actions=(
                "Microsoft.Sql/servers/azureADOnlyAuthentications/delete",
                "Microsoft.Sql/servers/azureADOnlyAuthentications/write",
                "Microsoft.Sql/servers/databases/auditingSettings/*",
                "Microsoft.Sql/servers/databases/securityAlertPolicies/*",
                "Microsoft.Sql/servers/securityAlertPolicies/*",
            ),
        ),
        Role(
            "f25e0fa2-a7c8-4377-a976-54943a77a395",
            "Key Vault Contributor",
            "Manage key vaults, but does not allow you to assign roles in Azure RBAC, and does not allow you to access"
            " secrets, keys, or certificates.",
            actions=(
                "Microsoft.Authorization/*/read",
                "Microsoft.KeyVault/*",
                "Microsoft.Resources/deployments/*",
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                "Microsoft.Support/*",
            ),
            not_actions=(
                "Microsoft.KeyVault/locations/deletedVaults/purge/action",
                "Microsoft.KeyVault/hsmPools/*",
                "Microsoft.KeyVault/managedHsms/*",
            ),
        ),
        Role(
            SECRETS_USER,
            "Key Vault Secrets User",
            "Read secret contents. Only works for key vaults that use the 'Azure role-based access control' model.",
            data_actions=(
                "Microsoft.KeyVault/vaults/secrets/getSecret/action",
                "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            ),
        ),
        Role(
            SECRETS_OFFICER,
            "Key Vault Secrets Officer",
            "Perform any action on the secrets of a key vault, except manage permissions.",
            actions=("Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/vaults/*/read"),
            data_actions=("Microsoft.KeyVault/vaults/secrets/*",),
        ),
        Role(
            "00482a5a-887f-4fb3-b363-3b7fe8e74483",
            "Key Vault Administrator",
            "Perform all data plane operations on a key vault and all objects in it.",
            actions=("Microsoft.KeyVault/checkNameAvailability/read", "Microsoft.KeyVault/vaults/*/read"),
            data_actions=("Microsoft.KeyVault/vaults/*",),
        ),
    )
}


def assign(state: State, scope: str, role: str, principal: str, principal_type: str, name: str | None = None) -> str:
    """Give `principal` (an object id) a role at a scope, and return the assignment's id."""
    name = name or str(uuid.uuid4())
    scope = scope.rstrip("/")
    identifier = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    body: Document = {
        "id": identifier,
        "name": name,
        "scope": scope or "/",
        "role": role,
        "principal": principal,
        "principal_type": principal_type,
        "created": datetime.now(UTC).isoformat(),
    }
    state.put(ASSIGNMENTS, identifier.lower(), body)
    return identifier


def assignments(state: State) -> list[Document]:
    return [body for _, body in state.list(ASSIGNMENTS)]


def forget(state: State, resource: str) -> None:
    """Drop what was assigned at a resource or inside it: assignments go with it, and a recovery brings none back."""
    for key, body in state.list(ASSIGNMENTS):
        if covers(resource, body["scope"]):
            state.delete(ASSIGNMENTS, key)


def covers(scope: str, resource: str) -> bool:
    """Whether a right at `scope` reaches `resource`: the same, or something inside it; case does not matter."""
    outer, inner = scope.lower().strip("/"), resource.lower().strip("/")
    return not outer or inner == outer or inner.startswith(outer + "/")


def roles(state: State, who: Iterable[str], resource: str) -> list[Role]:
    """The roles that any of the object ids `who` (a caller and its groups) holds at the resource id or above it."""
    principals = set(who)
    return [
        ROLES[body["role"]]
        for body in assignments(state)
        if body["principal"] in principals
        and covers(body["scope"], resource)
        and body["role"] in ROLES
        and settling.holds(state, settling.role_assignment(body["id"]))
    ]


def allowed(state: State, who: Iterable[str], resource: str, action: str, *, data: bool = False) -> bool:
    """Whether any of the object ids `who` (a caller and its groups) may do `action` on the resource id."""
    for role in roles(state, who, resource):
        granted = role.data_actions if data else role.actions
        if _matches(granted, action) and not (not data and _matches(role.not_actions, action)):
            return True
    return False


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
