"""Microsoft.KeyVault/vaults: vaults, their access policies, deleted vaults."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from setup_kit.sandbox import access
from setup_kit.sandbox.key_vault.store import DAY, Secrets
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.resource_manager.arm import (
    GROUP,
    Answer,
    ArmError,
    Call,
    Route,
    not_found,
    same_location,
    tags_of,
)
from setup_kit.sandbox.resource_manager.groups import check_location, check_registered
from setup_kit.sandbox.resource_manager.listeners import Listeners
from setup_kit.sandbox.resource_manager.operations import Operations
from setup_kit.sandbox.resource_manager.sql_servers import TAKEN
from setup_kit.sandbox.resource_manager.vault_properties import (
    POLICY_CHANGES,
    access_policies,
    holder,
    vault_properties,
)
from setup_kit.sandbox.state import Document, State

VAULTS = "vaults"  # key: name in lower case; name, group, location, tags, properties, state
DELETED = "deleted-vaults"  # the same, with deleted and purged (seconds since 1970)

VAULT = GROUP + "/providers/Microsoft.KeyVault/vaults/{vault}"
TYPE = "Microsoft.KeyVault/vaults"
NAME = re.compile(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]")


class Vaults:
    def __init__(
        self, state: State, latency: Latency, operations: Operations, listeners: Listeners, subscription: str
    ) -> None:
        self._state = state
        self._latency = latency
        self._operations = operations
        self._listeners = listeners
        self._subscription = subscription
        operations.effect("vault.ready", self._ready)
        operations.effect("vault.purge", self._purged)

    def routes(self) -> list[Route]:
        subscription = "/subscriptions/{subscription}/providers/Microsoft.KeyVault"
        deleted = subscription + "/locations/{location}/deletedVaults/{vault}"
        read, write = TYPE + "/read", TYPE + "/write"
        policies = VAULT + "/accessPolicies/{kind}"
        return [
            Route(
                "GET",
                subscription + "/locations/{location}/operationResults/{operation}",
                "",
                "arm.get",
                self._operations.result,
            ),
            Route(
                "POST",
                subscription + "/checkNameAvailability",
                "Microsoft.KeyVault/checkNameAvailability/read",
                "arm.get",
                self._available,
            ),
            Route("GET", subscription + "/vaults", read, "arm.get", self._list),
            Route("GET", GROUP + "/providers/Microsoft.KeyVault/vaults", read, "arm.get", self._list),
            Route("GET", VAULT, read, "arm.get", self._get),
            Route("PUT", VAULT, write, "vault.update", self._put),
            Route("PATCH", VAULT, write, "vault.update", self._patch),
            Route("DELETE", VAULT, TYPE + "/delete", "vault.delete", self._delete),
            Route("PUT", policies, TYPE + "/accessPolicies/write", "vault.update", self._put_policies),
            Route(
                "GET",
                subscription + "/deletedVaults",
                "Microsoft.KeyVault/deletedVaults/read",
                "arm.get",
                self._list_deleted,
            ),
            Route("GET", deleted, "Microsoft.KeyVault/locations/deletedVaults/read", "arm.get", self._get_deleted),
            Route(
                "POST",
                deleted + "/purge",
                "Microsoft.KeyVault/locations/deletedVaults/purge/action",
                "arm.accept",
                self._purge,
            ),
        ]

    def find(self, call: Call) -> Document:
        """The vault that a call is about. Raises ArmError when it is not there."""
        vault = self._state.get(VAULTS, call.name("vault").lower())
        if vault is None or vault["group"].lower() != call.group.lower():
            raise not_found(call.group, TYPE, call.name("vault"))
        return vault

    def in_group(self, group: str) -> list[Document]:
        """The bodies of a resource group's vaults, for the list of resources."""
        vaults = (vault for _, vault in self._state.list(VAULTS))
        return [self.body(vault) for vault in vaults if vault["group"].lower() == group.lower()]

    async def remove_group(self, group: str) -> None:
        for _, vault in self._state.list(VAULTS):
            if vault["group"].lower() == group.lower():
                await self._soft_delete(vault)

    def body(self, vault: Document) -> Document:
        group = f"/subscriptions/{self._subscription}/resourceGroups/{vault['group']}"
        return {
            "id": f"{group}/providers/{TYPE}/{vault['name']}",
            "name": vault["name"],
            "type": TYPE,
            "location": vault["location"],
            "tags": vault["tags"],
            "properties": {
                **vault["properties"],
                "vaultUri": self._listeners.vault_address(vault["name"]),
                "provisioningState": vault["state"],
            },
        }

    async def _available(self, call: Call) -> Answer:
        name = str(call.body.get("name", ""))
        if not NAME.fullmatch(name):
            return Answer(200, {"nameAvailable": False, "reason": "AccountNameInvalid", "message": _invalid_name(name)})
        known = any(self._state.get(kind, name.lower()) for kind in (VAULTS, DELETED))
        if known or self._taken(name):
            return Answer(200, {"nameAvailable": False, "reason": "AlreadyExists", "message": _in_use(name)})
        return Answer(200, {"nameAvailable": True})

    def _taken(self, name: str) -> bool:
        return self._state.get(TAKEN, f"vault/{name.lower()}") is not None

    async def _list(self, call: Call) -> Answer:
        group = call.names.get("group", "").lower()
        vaults = (vault for _, vault in self._state.list(VAULTS))
        return Answer(
            200, {"value": [self.body(vault) for vault in vaults if not group or vault["group"].lower() == group]}
        )

    async def _get(self, call: Call) -> Answer:
        return Answer(200, self.body(self.find(call)))

    async def _put(self, call: Call) -> Answer:
        name = call.name("vault")
        check_registered(self._state, "Microsoft.KeyVault", self._subscription)
        if not NAME.fullmatch(name):
            raise ArmError(400, "VaultNameNotValid", _invalid_name(name))
        location = check_location(call.body.get("location"), "ResourceType")
        kept = self._state.get(VAULTS, name.lower())
        if self._taken(name) or (kept is not None and kept["group"].lower() != call.group.lower()):
            raise ArmError(409, "VaultAlreadyExists", _in_use(name))
        if kept is not None and not same_location(kept["location"], location):
            raise ArmError(
                400,
                "InvalidResourceLocation",
                f"The resource '{name}' already exists in location '{kept['location']}' in resource group"
                f" '{kept['group']}'. A resource with the same name cannot be created in location '{location}'. Please"
                " select a new resource name.",
                gateway=True,
            )
        if call.properties.get("createMode") == "recover" and kept is None:
            return await self._recover(call, name)
        if self._state.get(DELETED, name.lower()) is not None:
            raise ArmError(
                409,
                "ConflictError",
                "A vault with the same name already exists in deleted state. You need to either recover or purge"
                " existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more"
                " information on soft delete.",
            )
        properties = vault_properties(call.properties, kept["properties"] if kept else None, call.api_version)
        vault: Document = {
            "name": kept["name"] if kept else name,
            "group": call.group,
            "location": location,
            "tags": tags_of(call.body),
            "properties": properties,
            "state": kept["state"] if kept else "RegisteringDns",
        }
        self._state.put(VAULTS, name.lower(), vault)
        if kept is None:
            await self._register(vault)
        return Answer(200, self.body(vault))

    async def _register(self, vault: Document) -> None:
        """Have the vault answer once its name is known; until then it is `RegisteringDns`."""
        await self._operations.start(
            "RegisterVault",
            "vault.ready",
            {"vault": vault["name"].lower()},
            target=f"vault/{vault['name']}".lower(),
            seconds=self._latency.seconds("vault.create"),
        )

    async def _ready(self, arguments: Document) -> None:
        vault = self._state.get(VAULTS, arguments["vault"])
        if vault is not None:
            await self._listeners.open_vault(arguments["vault"])
            self._state.put(VAULTS, arguments["vault"], {**vault, "state": "Succeeded"})

    async def _recover(self, call: Call, name: str) -> Answer:
        deleted = self._state.get(DELETED, name.lower())
        if deleted is None or deleted["group"].lower() != call.group.lower():
            raise _deleted_not_found(name)
        kept = {key: value for key, value in deleted.items() if key not in ("deleted", "purged")}
        vault: Document = {**kept, "state": "RegisteringDns"}
        self._state.put(VAULTS, name.lower(), vault)
        self._state.delete(DELETED, name.lower())
        await self._register(vault)
        return Answer(200, self.body(vault))

    async def _patch(self, call: Call) -> Answer:
        vault = self.find(call)
        vault["properties"] = vault_properties(
            {**vault["properties"], **call.properties}, vault["properties"], call.api_version
        )
        if "tags" in call.body:
            vault["tags"] = tags_of(call.body)
        self._state.put(VAULTS, vault["name"].lower(), vault)
        return Answer(200, self.body(vault))

    async def _delete(self, call: Call) -> Answer:
        await self._soft_delete(self.find(call))
        return Answer(200)

    async def _soft_delete(self, vault: Document) -> None:
        now = time.time()
        days = vault["properties"]["softDeleteRetentionInDays"]
        name = vault["name"].lower()
        self._state.put(DELETED, name, {**vault, "deleted": now, "purged": now + days * DAY})
        self._state.delete(VAULTS, name)
        access.forget(self._state, self.body(vault)["id"])
        await self._listeners.close_vault(name)

    async def _put_policies(self, call: Call) -> Answer:
        vault = self.find(call)
        change = POLICY_CHANGES.get(call.name("kind").lower())
        if change is None:
            raise ArmError(400, "BadRequest", f"The access policy operation kind '{call.name('kind')}' is not valid.")
        given = access_policies(call.properties.get("accessPolicies"))
        policies = vault["properties"]["accessPolicies"]
        for policy in given:
            same = next((each for each in policies if holder(each) == holder(policy)), None)
            others = [each for each in policies if each is not same]
            permissions = change(same["permissions"] if same else {}, policy["permissions"])
            policies = [*others, {**policy, "permissions": permissions}] if any(permissions.values()) else others
        vault["properties"]["accessPolicies"] = policies
        self._state.put(VAULTS, vault["name"].lower(), vault)
        body = self.body(vault)
        return Answer(
            200,
            {
                "id": f"{body['id']}/accessPolicies/",
                "type": TYPE + "/accessPolicies",
                "location": vault["location"],
                "properties": {"accessPolicies": policies},
            },
        )

    def _deleted_body(self, vault: Document) -> Document:
        place = f"/subscriptions/{self._subscription}/providers/Microsoft.KeyVault/locations/{vault['location']}"
        return {
            "id": f"{place}/deletedVaults/{vault['name']}",
            "name": vault["name"],
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": {
                "vaultId": self.body(vault)["id"],
                "location": vault["location"],
                "tags": vault["tags"],
                "deletionDate": _moment(vault["deleted"]),
                "scheduledPurgeDate": _moment(vault["purged"]),
                **({"purgeProtectionEnabled": True} if vault["properties"].get("enablePurgeProtection") else {}),
            },
        }

    def _find_deleted(self, call: Call) -> Document:
        vault = self._state.get(DELETED, call.name("vault").lower())
        if vault is None or not same_location(vault["location"], call.name("location")):
            raise _deleted_not_found(call.name("vault"))
        return vault

    async def _list_deleted(self, call: Call) -> Answer:
        return Answer(200, {"value": [self._deleted_body(vault) for _, vault in self._state.list(DELETED)]})

    async def _get_deleted(self, call: Call) -> Answer:
        return Answer(200, self._deleted_body(self._find_deleted(call)))

    async def _purge(self, call: Call) -> Answer:
        vault = self._find_deleted(call)
        if vault["properties"].get("enablePurgeProtection"):
            raise ArmError(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.")
        operation = await self._operations.start(
            "PurgeVault",
            "vault.purge",
            {"vault": vault["name"].lower()},
            target=f"vault/{vault['name']}".lower(),
            seconds=self._latency.seconds("vault.purge"),
        )
        place = f"{self._operations.base}/providers/Microsoft.KeyVault/locations/{vault['location']}"
        location = f"{place}/operationResults/{operation}?api-version={call.api_version}"
        return Answer(202, None, {"Location": location, **self._latency.retry_after(15)})

    async def _purged(self, arguments: Document) -> None:
        Secrets(self._state, arguments["vault"]).clear()
        self._state.delete(DELETED, arguments["vault"])


def _deleted_not_found(name: str) -> ArmError:
    return ArmError(404, "DeletedVaultNotFound", f"The specified deleted vault '{name}' does not exist.")


def _invalid_name(name: str) -> str:
    return (
        f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name"
        " must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link"
        " for more information: https://go.microsoft.com/fwlink/?linkid=2147742"
    )


def _in_use(name: str) -> str:
    return (
        f"The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is"
        " already taken. If you are sure that the vault name was not taken then it is possible that a vault with the"
        " same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a"
        " recoverable state then the vault will need to be purged before reusing the name. For more information about"
        " VaultAlreadyExists, soft delete and purging a vault follow this link"
        " https://go.microsoft.com/fwlink/?linkid=2147740."
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
