"""Who may do what with a vault's secrets: by its access policies, or by roles, as the vault is set."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from setup_kit.sandbox import access, settling
from setup_kit.sandbox.entra import Caller
from setup_kit.sandbox.founding import SERVICE_ADDRESS
from setup_kit.sandbox.key_vault.store import SecretError
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.tenant import SERVICE_APP_ID

ACTIONS = "Microsoft.KeyVault/vaults/secrets/"
CLIENT = "127.0.0.1"


@dataclass(frozen=True)
class Right:
    """One thing to do: what an access policy calls it, and the data action of Azure RBAC."""

    permission: str
    action: str


GET = Right("get", ACTIONS + "getSecret/action")
SEE = Right("get", ACTIONS + "readMetadata/action")
LIST = Right("list", ACTIONS + "readMetadata/action")
SET = Right("set", ACTIONS + "setSecret/action")
UPDATE = Right("set", ACTIONS + "update/action")
DELETE = Right("delete", ACTIONS + "delete")
RECOVER = Right("recover", ACTIONS + "recover/action")
PURGE = Right("purge", ACTIONS + "purge/action")


def check(state: State, vault: Document, subscription: str, caller: Caller, right: Right, secret: str) -> None:
    """Raises SecretError (403) unless the caller may. `secret` is "" for what concerns the whole vault."""
    properties = vault["properties"]
    who = f"appid={caller.app_id};oid={caller.object_id};iss=https://sts.windows.net/{caller.tenant_id}/"
    where = f"{vault['name']};location={vault['location']}"
    # The service listens on this machine as everything does: its principal stands for where it would call from.
    service = caller.app_id == SERVICE_APP_ID
    _check_network(properties, SERVICE_ADDRESS if service else CLIENT, who, where, trusted=service)
    principals = {caller.object_id, *caller.groups}
    if not properties["enableRbacAuthorization"]:
        granting = [each for each in properties["accessPolicies"] if _grants(each, principals, caller.tenant_id, right)]
        keys = [settling.access_policy(vault["name"], each["objectId"]) for each in granting]
        if not any(settling.holds(state, key) for key in keys):
            raise SecretError(
                403,
                "Forbidden",
                f"The user, group or application '{who}' does not have secrets {right.permission} permission on key"
                f" vault '{where}'. For help resolving this issue, please see"
                " https://go.microsoft.com/fwlink/?linkid=2125287",
                "AccessDenied",
            )
        return
    scope = (
        f"/subscriptions/{subscription}/resourcegroups/{vault['group']}/providers/microsoft.keyvault/vaults/"
        f"{vault['name']}".lower()
    )
    resource = f"{scope}/secrets/{secret}" if secret else scope
    if not access.allowed(state, principals, resource, right.action, data=True):
        raise SecretError(
            403,
            "Forbidden",
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role"
            " definitions were changed recently, please observe propagation time.\r\n"
            f"Caller: {who}\r\nAction: '{right.action}'\r\nResource: '{resource}'\r\nAssignment: (not found)\r\n"
            f"DenyAssignmentId: null\r\nDecisionReason: null \r\nVault: {where}\r\n",
            "ForbiddenByRbac",
        )


def _grants(policy: Document, principals: set[str], tenant: str, right: Right) -> bool:
    if policy["objectId"].lower() not in principals or policy["tenantId"].lower() != tenant:
        return False
    permissions = {str(each).lower() for each in policy["permissions"].get("secrets") or ()}
    return bool(permissions & {right.permission, "all"})


def _check_network(properties: Document, client: str, who: str, where: str, *, trusted: bool) -> None:
    """Raises SecretError (403) unless the vault's firewall lets in who calls from the address `client`.

    `trusted`: one of Azure's own services, which the rules let in unless their `bypass` says otherwise.
    """
    rules = properties.get("networkAcls") or {}
    if trusted and rules.get("bypass", "AzureServices") == "AzureServices":
        return
    if properties.get("publicNetworkAccess") == "Disabled":
        raise SecretError(
            403,
            "Forbidden",
            "Public network access is disabled and request is not from a trusted service nor via an approved private"
            f" link.\r\nCaller: {who}\r\nVault: {where}",
            "ForbiddenByConnection",
        )
    if rules.get("defaultAction", "Allow") == "Allow":
        return
    address = ipaddress.ip_address(client)
    ranges = (ipaddress.ip_network(str(each.get("value")), strict=False) for each in rules.get("ipRules") or ())
    if not any(address in each for each in ranges):
        raise SecretError(
            403,
            "Forbidden",
            f"Client address is not authorized and caller is not a trusted service.\r\nClient address: {client}\r\n"
            f"Caller: {who}\r\nVault: {where}",
            "ForbiddenByFirewall",
        )
