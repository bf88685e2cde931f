"""Microsoft.KeyVault/vaults/secrets: secrets written through Resource Manager, whose values it never gives back."""

from __future__ import annotations

from setup_kit.sandbox.key_vault.store import SecretError, Secrets
from setup_kit.sandbox.resource_manager.arm import Answer, ArmError, Call, Route, not_found, tags_of
from setup_kit.sandbox.resource_manager.listeners import Listeners
from setup_kit.sandbox.resource_manager.vaults import VAULT, Vaults
from setup_kit.sandbox.state import Document, State

TYPE = "Microsoft.KeyVault/vaults/secrets"


class VaultSecrets:
    def __init__(self, state: State, vaults: Vaults, listeners: Listeners) -> None:
        self._state = state
        self._vaults = vaults
        self._listeners = listeners

    def routes(self) -> list[Route]:
        one = VAULT + "/secrets/{secret}"
        return [
            Route("GET", VAULT + "/secrets", TYPE + "/read", "arm.get", self._list),
            Route("GET", one, TYPE + "/read", "arm.get", self._get),
            Route("PUT", one, TYPE + "/write", "secret.set", self._put),
            Route("PATCH", one, TYPE + "/write", "secret.set", self._patch),
        ]

    def _secrets(self, call: Call) -> tuple[Document, Secrets]:
        vault = self._vaults.find(call)
        return vault, Secrets(self._state, vault["name"])

    def _body(self, vault: Document, name: str, version: Document) -> Document:
        uri = f"{self._listeners.vault_address(vault['name'])}secrets/{name}"
        attributes = {key: version[key] for key in ("enabled", "nbf", "exp", "created", "updated")}
        properties: Document = {
            "attributes": {key: value for key, value in attributes.items() if value is not None},
            "secretUri": uri,
            "secretUriWithVersion": f"{uri}/{version['id']}",
        }
        if version["content_type"] is not None:
            properties["contentType"] = version["content_type"]
        return {
            "id": f"{self._vaults.body(vault)['id']}/secrets/{name}",
            "name": name,
            "type": TYPE,
            "location": vault["location"],
            "tags": version["tags"],
            "properties": properties,
        }

    async def _list(self, call: Call) -> Answer:
        vault, secrets = self._secrets(call)
        return Answer(200, {"value": [self._body(vault, *each) for each in secrets.all()]})

    async def _get(self, call: Call) -> Answer:
        vault, secrets = self._secrets(call)
        try:
            return Answer(200, self._body(vault, *secrets.find(call.name("secret"))))
        except SecretError:
            raise not_found(call.group, TYPE, f"{vault['name']}/{call.name('secret')}") from None

    async def _put(self, call: Call) -> Answer:
        vault, secrets = self._secrets(call)
        properties = call.properties
        new = not any(name.lower() == call.name("secret").lower() for name, _ in secrets.all())
        try:
            written = secrets.set(
                call.name("secret"),
                properties.get("value"),
                properties.get("contentType"),
                tags_of(call.body),
                properties.get("attributes") or {},
            )
        except SecretError as refused:
            raise ArmError(refused.status, refused.code, str(refused)) from refused
        return Answer(201 if new else 200, self._body(vault, *written))

    async def _patch(self, call: Call) -> Answer:
        vault, secrets = self._secrets(call)
        properties = call.properties
        tags = tags_of(call.body) if "tags" in call.body else None
        name, content_type = call.name("secret"), properties.get("contentType")
        attributes = properties.get("attributes") or {}
        try:
            if properties.get("value") is not None:
                _, kept = secrets.find(name)
                written = secrets.set(
                    name,
                    properties["value"],
                    content_type if content_type is not None else kept["content_type"],
                    tags if tags is not None else kept["tags"],
                    attributes,
                )
            else:
                written = secrets.update(name, "", content_type, tags, attributes)
        except SecretError as refused:
            raise ArmError(refused.status, refused.code, str(refused)) from refused
        return Answer(200, self._body(vault, *written))
