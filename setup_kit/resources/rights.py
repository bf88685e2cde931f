"""The actions of Azure RBAC that each kind of resource takes, and the built-in roles that have them.

Sources: "Azure permissions for Databases", "… for Security", "… for Management and governance", and "Azure built-in
roles" for what the roles hold. What only helps and is done without where it is refused is not among them: asking
whether a name is free, and listing deleted vaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from setup_kit.azure.permissions import Permission, allows
from setup_kit.engine.resource import Action, Change
from setup_kit.environment.models import Authorization, Environment
from setup_kit.resources.providers import namespaces
from setup_kit.resources.sql_server import ADMINISTRATOR

_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_SERVERS = "Microsoft.Sql/servers"
_VAULTS = "Microsoft.KeyVault/vaults"
_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
GIVES_ROLES = f"{_ASSIGNMENTS}/write"


class Level(StrEnum):
    """Where a right is looked for: at the innermost of these that is there."""

    SUBSCRIPTION = "subscription"
    GROUP = "group"
    SERVER = "server"
    VAULT = "vault"


@dataclass(frozen=True)
class Need:
    """`data`: an action of the data plane. `resource` is the address of what needs it."""

    action: str
    level: Level
    resource: str
    data: bool = False


def needed(kind: str, address: str, changes: Sequence[Change] | None, environment: Environment) -> list[Need]:
    """What reading a resource takes, and making these changes; None: its state is not known, and it may be all."""
    if kind == "provider_registration":
        wanted = namespaces(environment) if changes is None else tuple(each.target for each in changes)
        return [Need(f"{namespace}/register/action", Level.SUBSCRIPTION, address) for namespace in wanted]
    if kind == "vault_access":
        return _vault_access(address, changes, environment)
    if kind not in _LISTED:
        return []
    level, name = _LISTED[kind]
    actions = [f"{name}/read"]
    if changes is None or any(change.action is not Action.DELETE for change in changes):
        actions.append(f"{name}/write")
    if any(change.action is Action.DELETE for change in changes or ()):
        actions.append(f"{name}/delete")
    if any(change.target == ADMINISTRATOR for change in changes or ()):
        actions.append(f"{_SERVERS}/administrators/write")
    return [Need(action, level, address) for action in actions]


def operator_rule(environment: Environment) -> list[Need]:
    """The temporary firewall rule, which a run opens and removes where the server does not admit this machine."""
    if environment.sql.server is None:
        return []
    address = f"operator_rule/{environment.sql.server}"
    return [Need(f"{_SERVERS}/firewallRules/{verb}", Level.SERVER, address) for verb in ("write", "delete")]


def secret(environment: Environment, *, kept_out: bool = False) -> list[Need]:
    """What the operator does with the secret itself. By access policy it is the vault that allows it.

    `kept_out`: the vault's network rules keep this machine out, so that it is done through Resource Manager.
    """
    if kept_out:
        address = f"secret/{environment.key_vault.secret}"
        return [Need(f"{_VAULTS}/secrets/{verb}", Level.VAULT, address) for verb in ("read", "write")]
    if environment.key_vault.authorization is not Authorization.RBAC:
        return []
    address = f"secret/{environment.key_vault.secret}"
    verbs = ("getSecret/action", "setSecret/action")
    return [Need(f"{_VAULTS}/secrets/{verb}", Level.VAULT, address, data=True) for verb in verbs]


# Kind → where its rights are looked for, and its name in Azure's actions.
_LISTED = {
    "resource_group": (Level.GROUP, _GROUPS),
    "sql_server": (Level.SERVER, _SERVERS),
    "database": (Level.SERVER, f"{_SERVERS}/databases"),
    "firewall_rules": (Level.SERVER, f"{_SERVERS}/firewallRules"),
    "key_vault": (Level.VAULT, _VAULTS),
}


def _vault_access(address: str, changes: Sequence[Change] | None, environment: Environment) -> list[Need]:
    works = changes is None or bool(changes)
    if environment.key_vault.authorization is Authorization.RBAC:
        actions = [f"{_ASSIGNMENTS}/read", *([GIVES_ROLES] if works else [])]
    else:
        actions = [f"{_VAULTS}/accessPolicies/write"] if works else []
    return [Need(action, Level.VAULT, address) for action in actions]


# Built-in roles, the smallest first.
ROLES: tuple[tuple[str, Permission], ...] = (
    ("Key Vault Secrets Officer", Permission(data_actions=("Microsoft.KeyVault/vaults/secrets/*",))),
    ("Reader", Permission(("*/read",))),
    (
        "SQL DB Contributor",
        Permission(
            ("Microsoft.Sql/locations/*/read", "Microsoft.Sql/servers/databases/*", "Microsoft.Sql/servers/read")
        ),
    ),
    ("SQL Server Contributor", Permission(("Microsoft.Sql/locations/*/read", "Microsoft.Sql/servers/*"))),
    (
        "Key Vault Contributor",
        Permission(("Microsoft.KeyVault/*",), ("Microsoft.KeyVault/locations/deletedVaults/purge/action",)),
    ),
    ("Role Based Access Control Administrator", Permission((GIVES_ROLES, f"{_ASSIGNMENTS}/delete", "*/read"))),
    ("Contributor", Permission(("*",), ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"))),
    ("Owner", Permission(("*",))),
)


def smallest_role(action: str, *, data: bool = False) -> str:
    """The built-in role that has an action and little else."""
    return next(name for name, permission in ROLES if allows([permission], action, data=data))


def missing(needs: Iterable[Need], permissions: Sequence[Permission]) -> list[Need]:
    """Those that none of the permissions allows."""
    return [need for need in needs if not allows(permissions, need.action, data=need.data)]
