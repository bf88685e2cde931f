"""The HTTP side of a vault: challenge, secrets, deleted secrets."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from setup_kit.sandbox.entra import Caller, TokenRefused, Tokens
from setup_kit.sandbox.key_vault import rights
from setup_kit.sandbox.key_vault.rights import Right
from setup_kit.sandbox.key_vault.store import SecretError, Secrets
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.resource_manager.vaults import VAULTS
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.tenant import VAULT_AUDIENCE
from setup_kit.sandbox.web import bearer

PAGE = 25
Answer = tuple[int, Document | None]
Handler = Callable[[web.Request, Document], Answer]


def application(
    state: State, tokens: Tokens, latency: Latency, subscription: str, authority: str, address: str, vault: str
) -> web.Application:
    """One vault's data plane; `address` is its URI, with a slash at its end."""
    api = _Vault(state, tokens, latency, subscription, authority, address, vault)
    app = web.Application(client_max_size=1024**2)
    routes: list[tuple[str, str, Right, str, Handler]] = [
        ("GET", "/secrets", rights.LIST, "secret.get", api.list_all),
        ("GET", "/secrets/{name}/versions", rights.LIST, "secret.get", api.versions),
        ("PUT", "/secrets/{name}", rights.SET, "secret.set", api.set),
        ("GET", "/secrets/{name}{slash:/?}", rights.GET, "secret.get", api.get),
        ("GET", "/secrets/{name}/{version}", rights.GET, "secret.get", api.get),
        ("PATCH", "/secrets/{name}{slash:/?}", rights.UPDATE, "secret.set", api.update),
        ("PATCH", "/secrets/{name}/{version}", rights.UPDATE, "secret.set", api.update),
        ("DELETE", "/secrets/{name}", rights.DELETE, "secret.delete", api.delete),
        ("GET", "/deletedsecrets", rights.LIST, "secret.get", api.list_deleted),
        ("GET", "/deletedsecrets/{name}", rights.SEE, "secret.get", api.deleted),
        ("POST", "/deletedsecrets/{name}/recover", rights.RECOVER, "secret.set", api.recover),
        ("DELETE", "/deletedsecrets/{name}", rights.PURGE, "secret.delete", api.purge),
    ]
    for method, path, right, operation, handler in routes:
        app.router.add_route(method, path, api.answering(right, operation, handler))
    app.router.add_route("*", "/{rest:.*}", api.answering(rights.LIST, "secret.get", _unknown))
    return app


def _unknown(request: web.Request, body: Document) -> Answer:
    raise SecretError(
        501, "NotImplementedInSandbox", f"The sandbox's Key Vault does not know {request.method} {request.path}."
    )


class _Vault:
    def __init__(
        self,
        state: State,
        tokens: Tokens,
        latency: Latency,
        subscription: str,
        authority: str,
        address: str,
        vault: str,
    ) -> None:
        self._state = state
        self._tokens = tokens
        self._latency = latency
        self._subscription = subscription
        self._authority = authority
        self._address = address
        self._vault = vault
        self._secrets = Secrets(state, vault)

    def answering(self, right: Right, operation: str, handler: Handler) -> Callable[[web.Request], Any]:
        """A route's handler: the token, the right, then what `handler` answers."""

        async def answer(request: web.Request) -> web.Response:
            data = await request.read()
            await asyncio.sleep(self._latency.seconds(operation))
            vault = self._state.get(VAULTS, self._vault) or {}
            headers = {
                "x-ms-keyvault-region": str(vault.get("location", "")),
                "x-ms-keyvault-service-version": "1.9.2784.1",
                "x-ms-keyvault-network-info": "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;",
            }
            try:
                if not vault:
                    raise SecretError(404, "VaultNotFound", f"The vault {self._vault} is not there.")
                caller = self._caller(request, vault)
                rights.check(self._state, vault, self._subscription, caller, right, request.match_info.get("name", ""))
                status, result = handler(request, _json(data))
            except _Unauthorized as refused:
                headers["WWW-Authenticate"] = refused.challenge
                return web.json_response(_error("Unauthorized", str(refused)), status=401, headers=headers)
            except SecretError as refused:
                error = _error(refused.code, str(refused), refused.inner)
                return web.json_response(error, status=refused.status, headers=headers)
            if result is None:
                return web.Response(status=status, headers=headers)
            return web.json_response(result, status=status, headers=headers)

        return answer

    def _caller(self, request: web.Request, vault: Document) -> Caller:
        tenant = vault["properties"]["tenantId"]
        challenge = f'Bearer authorization="{self._authority}/{tenant}", resource="{VAULT_AUDIENCE}"'
        token = bearer(request)
        if token is None:
            raise _Unauthorized("AKV10000: Request is missing a Bearer or PoP token.", challenge)
        try:
            caller = self._tokens.check(token, VAULT_AUDIENCE)
        except TokenRefused as refused:
            # The numbers of these two are assumed; what is recorded is 10000 and 10032.
            number = "AKV10022: Invalid audience." if "Audience" in refused.code else "AKV10023:"
            raise _Unauthorized(f"{number} {refused}", challenge) from refused
        if caller.tenant_id != tenant.lower():
            raise _Unauthorized(
                f"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/{tenant}/, found"
                f" https://sts.windows.net/{caller.tenant_id}/.",
                challenge,
            )
        return caller

    def set(self, request: web.Request, body: Document) -> Answer:
        name, version = self._secrets.set(
            request.match_info["name"],
            body.get("value"),
            body.get("contentType"),
            _object(body, "tags"),
            _object(body, "attributes"),
        )
        return 200, {"value": version["value"], **self._item(name, version)}

    def get(self, request: web.Request, body: Document) -> Answer:
        name, version = self._secrets.find(request.match_info["name"], request.match_info.get("version", ""))
        # Only `enabled` keeps a value back: `exp` and `nbf` are information for the reader, says Key Vault's own page.
        if not version["enabled"]:
            raise SecretError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
        return 200, {"value": version["value"], **self._item(name, version)}

    def update(self, request: web.Request, body: Document) -> Answer:
        name, version = self._secrets.update(
            request.match_info["name"],
            request.match_info.get("version", ""),
            body.get("contentType"),
            _object(body, "tags") if body.get("tags") is not None else None,
            _object(body, "attributes"),
        )
        return 200, self._item(name, version)

    def list_all(self, request: web.Request, body: Document) -> Answer:
        return 200, self._page(request, [self._item(*each, versioned=False) for each in self._secrets.all()])

    def versions(self, request: web.Request, body: Document) -> Answer:
        name, versions = self._secrets.versions(request.match_info["name"])
        return 200, self._page(request, [self._item(name, each) for each in versions])

    def delete(self, request: web.Request, body: Document) -> Answer:
        vault = self._state.get(VAULTS, self._vault) or {}
        deleted = self._secrets.delete(
            request.match_info["name"],
            int(vault["properties"]["softDeleteRetentionInDays"]),
            self._latency.seconds("secret.settle"),
        )
        return 200, self._deleted_item(deleted)

    def list_deleted(self, request: web.Request, body: Document) -> Answer:
        items = [self._deleted_item(each, versioned=False) for each in self._secrets.all_deleted()]
        return 200, self._page(request, items)

    def deleted(self, request: web.Request, body: Document) -> Answer:
        return 200, self._deleted_item(self._secrets.deleted(request.match_info["name"]))

    def recover(self, request: web.Request, body: Document) -> Answer:
        return 200, self._item(*self._secrets.recover(request.match_info["name"]))

    def purge(self, request: web.Request, body: Document) -> Answer:
        vault = self._state.get(VAULTS, self._vault) or {}
        if vault["properties"].get("enablePurgeProtection"):
            raise SecretError(
                403,
                "Forbidden",
                'Operation "purge" is not allowed because purge protection is enabled for this vault.',
                "ForbiddenByPolicy",
            )
        self._secrets.purge(request.match_info["name"])
        return 204, None

    def _item(self, name: str, version: Document, *, versioned: bool = True) -> Document:
        identifier = f"{self._address}secrets/{name}"
        attributes = {key: version[key] for key in ("enabled", "nbf", "exp", "created", "updated")}
        item: Document = {
            "id": f"{identifier}/{version['id']}" if versioned else identifier,
            "attributes": {
                **{key: value for key, value in attributes.items() if value is not None},
                "recoveryLevel": "Recoverable+Purgeable",
                "recoverableDays": 90,
            },
        }
        if version["tags"]:
            item["tags"] = version["tags"]
        if version["content_type"] is not None:
            item["contentType"] = version["content_type"]
        return item

    def _deleted_item(self, deleted: Document, *, versioned: bool = True) -> Document:
        return {
            "recoveryId": f"{self._address}deletedsecrets/{deleted['name']}",
            "deletedDate": deleted["deleted"],
            "scheduledPurgeDate": deleted["purged"],
            **self._item(deleted["name"], deleted["versions"][-1], versioned=versioned),
        }

    def _page(self, request: web.Request, items: list[Document]) -> Document:
        """Up to `maxresults` items, and the address of the next ones."""
        try:
            size = int(request.query.get("maxresults", PAGE))
            start = int(base64.urlsafe_b64decode(request.query.get("$skiptoken", "") or b"MA=="))
        except ValueError:
            raise SecretError(400, "BadParameter", "maxresults or $skiptoken is not valid.") from None
        if not 1 <= size <= PAGE:
            raise SecretError(400, "BadParameter", f"maxresults is from 1 to {PAGE}.")
        page: Document = {"value": items[start : start + size], "nextLink": None}
        if start + size < len(items):
            token = base64.urlsafe_b64encode(str(start + size).encode()).decode()
            version = request.query.get("api-version", "")
            path = f"{self._address.rstrip('/')}{request.path}"
            page["nextLink"] = f"{path}?api-version={version}&$skiptoken={token}&maxresults={size}"
        return page


class _Unauthorized(Exception):  # noqa: N818 (the answer's own name)
    def __init__(self, message: str, challenge: str) -> None:
        super().__init__(message)
        self.challenge = challenge


def _json(data: bytes) -> Document:
    try:
        body = json.loads(data or b"{}")
    except ValueError:
        raise SecretError(400, "BadParameter", "The request body is not JSON.") from None
    if not isinstance(body, dict):
        raise SecretError(400, "BadParameter", "The request body is not an object.")
    return body


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise SecretError(400, "BadParameter", f"Property {name} has invalid value")
    return value


def _error(code: str, message: str, inner: str = "") -> Document:
    error: Document = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": inner}
    return {"error": error}
