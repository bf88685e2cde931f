"""A vault's properties and access policies: what Key Vault takes, and what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from setup_kit.sandbox.resource_manager.arm import ArmError
from setup_kit.sandbox.state import Document

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# From this API version on a vault uses Azure RBAC unless the request says otherwise.
RBAC_BY_DEFAULT = "2026-02-01"
KEPT = ("enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment", "networkAcls")


def vault_properties(given: dict[str, Any], kept: Document | None, api_version: str) -> Document:
    """A vault's properties after a request. Raises ArmError for what Key Vault does not take."""
    tenant = str(given.get("tenantId") or "")
    if not GUID.fullmatch(tenant):
        raise _bad("The parameter tenantId is not specified or is not a GUID.")
    sku = given.get("sku") or {}
    if str(sku.get("name", "")).lower() not in ("standard", "premium"):
        raise _bad("The parameter sku is not specified or has an invalid name: standard and premium are known.")
    rbac = given.get("enableRbacAuthorization")
    if rbac is None:
        # An update that does not say leaves the vault as it is.
        rbac = kept["enableRbacAuthorization"] if kept else api_version[:10] >= RBAC_BY_DEFAULT
    if given.get("accessPolicies") is None and not rbac and kept is None:
        raise _bad("The parameter accessPolicies is not specified.")
    if given.get("accessPolicies") is None:
        policies = kept["accessPolicies"] if kept else []
    else:
        policies = access_policies(given["accessPolicies"])
    days = given.get("softDeleteRetentionInDays")
    before = kept["softDeleteRetentionInDays"] if kept else None
    if days is not None and (not isinstance(days, int) or not 7 <= days <= 90):
        raise _bad("The property 'softDeleteRetentionInDays' must be from 7 to 90.")
    if before is not None and days not in (None, before):
        raise _bad("The property 'softDeleteRetentionInDays' has been set already and it can't be modified.")
    if given.get("enableSoftDelete") is False:
        raise _bad("The property 'enableSoftDelete' can be set to false for no vault any more.")
    protected = given.get("enablePurgeProtection")
    if protected is False and kept is not None and kept.get("enablePurgeProtection"):
        raise _bad(
            'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is'
            " an irreversible action."
        )
    properties: Document = {
        "sku": {"family": "A", "name": str(sku["name"]).lower()},
        "tenantId": tenant.lower(),
        "accessPolicies": policies,
        "enabledForDeployment": False,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": days or before or 90,
        "enableRbacAuthorization": bool(rbac),
        "publicNetworkAccess": given.get("publicNetworkAccess") or "Enabled",
    }
    if protected or (kept or {}).get("enablePurgeProtection"):
        properties["enablePurgeProtection"] = True
    for name in KEPT:
        if given.get(name) is not None:
            properties[name] = given[name]
    return properties


def access_policies(given: object) -> list[Document]:
    """Access policies as they are kept. Raises ArmError when one of them is not whole."""
    if not isinstance(given, list):
        raise _bad("The parameter accessPolicies is not a list.")
    policies = []
    for each in given:
        if not isinstance(each, dict) or not GUID.fullmatch(str(each.get("objectId") or "")):
            raise _bad("An access policy has no valid objectId.")
        if not GUID.fullmatch(str(each.get("tenantId") or "")):
            raise _bad("An access policy has no valid tenantId.")
        permissions = each.get("permissions") or {}
        policies.append({**each, "permissions": {key: list(value or ()) for key, value in permissions.items()}})
    return policies


def holder(policy: Document) -> tuple[str, str, str]:
    """Whom an access policy is for."""
    return (
        policy["tenantId"].lower(),
        policy["objectId"].lower(),
        str(policy.get("applicationId") or "").lower(),
    )


Permissions = dict[str, list[str]]


def _added(kept: Permissions, given: Permissions) -> Permissions:
    return {key: list(dict.fromkeys([*kept.get(key, ()), *given.get(key, ())])) for key in {**kept, **given}}


def _replaced(kept: Permissions, given: Permissions) -> Permissions:
    return given


def _removed(kept: Permissions, given: Permissions) -> Permissions:
    gone = {key: {each.lower() for each in values} for key, values in given.items()}
    return {key: [each for each in values if each.lower() not in gone.get(key, ())] for key, values in kept.items()}


POLICY_CHANGES: dict[str, Callable[[Permissions, Permissions], Permissions]] = {
    "add": _added,
    "replace": _replaced,
    "remove": _removed,
}


def _bad(message: str) -> ArmError:
    return ArmError(400, "BadRequest", message)
