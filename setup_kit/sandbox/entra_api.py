"""The HTTPS side of Entra: OpenID configuration, keys, instance discovery, and tokens for client credentials."""

from __future__ import annotations

import asyncio
import base64
import binascii
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web

from setup_kit.sandbox.entra import LIFETIME, Tokens
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.state import State
from setup_kit.sandbox.tenant import (
    APPLICATIONS,
    GRAPH_AUDIENCE,
    RESOURCE_MANAGER_AUDIENCE,
    SQL_AUDIENCE,
    VAULT_AUDIENCE,
    Tenant,
)

# Microsoft's own resources are known in every tenant.
FIRST_PARTY = (RESOURCE_MANAGER_AUDIENCE, GRAPH_AUDIENCE, VAULT_AUDIENCE, SQL_AUDIENCE)


class Refused(Exception):  # noqa: N818 (what Entra answers, not a fault of ours)
    """A token request that is turned down with an AADSTS number and the OAuth word for it."""

    def __init__(self, number: int, error: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.number = number
        self.error = error
        self.status = status


def application(
    state: State, tenant: Tenant, tokens: Tokens, authority: str, organization: str, latency: Latency
) -> web.Application:
    """Entra for one tenant; `organization` is the URL that Dataverse's tokens are for."""
    api = _Entra(state, tenant, tokens, authority, organization, latency)
    app = web.Application()
    for path in ("/{tenant}/v2.0/.well-known/openid-configuration", "/{tenant}/.well-known/openid-configuration"):
        app.router.add_get(path, api.configuration)
    app.router.add_get("/{tenant}/discovery/v2.0/keys", api.keys)
    app.router.add_get("/common/discovery/instance", api.instance)
    app.router.add_post("/{tenant}/oauth2/v2.0/token", api.token)
    return app


class _Entra:
    def __init__(
        self, state: State, tenant: Tenant, tokens: Tokens, authority: str, organization: str, latency: Latency
    ) -> None:
        self._state = state
        self._tenant = tenant
        self._tokens = tokens
        self._authority = authority
        self._organization = organization
        self._latency = latency

    async def configuration(self, request: web.Request) -> web.Response:
        try:
            self._check_tenant(request.match_info["tenant"])
        except Refused as refused:
            return _error(refused)
        base = f"{self._authority}/{self._tenant.id}"
        return web.json_response(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_modes_supported": ["query", "fragment", "form_post"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_types_supported": ["token"],
                "scopes_supported": ["openid"],
                "issuer": self._tokens.issuer,
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "claims_supported": ["sub", "iss", "aud", "exp", "iat", "ver", "tid", "oid", "appid", "azp", "groups"],
            }
        )

    async def keys(self, request: web.Request) -> web.Response:
        return web.json_response(self._tokens.key_set())

    async def instance(self, request: web.Request) -> web.Response:
        discovery = f"{self._authority}/{self._tenant.id}/v2.0/.well-known/openid-configuration"
        return web.json_response({"tenant_discovery_endpoint": discovery, "api-version": "1.1", "metadata": []})

    async def token(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self._latency.seconds("token"))
        form = {key: str(value) for key, value in (await request.post()).items()}
        try:
            client, secret = _credentials(request, form)
            self._check_tenant(request.match_info["tenant"])
            return web.json_response(self._grant(form, client, secret), headers={"Cache-Control": "no-store"})
        except Refused as refused:
            return _error(refused)

    def _check_tenant(self, named: str) -> None:
        if named.lower() != self._tenant.id:
            raise Refused(
                90002,
                "invalid_request",
                f"Tenant '{named}' not found. Check to make sure you have the correct tenant ID and are signing into"
                " the correct cloud. Check with your subscription administrator, this may happen if there are no active"
                " subscriptions for the tenant.",
            )

    def _grant(self, form: dict[str, str], client: str, secret: str) -> dict[str, Any]:
        grant = form.get("grant_type", "")
        if not grant:
            raise Refused(
                900144, "invalid_request", "The request body must contain the following parameter: 'grant_type'."
            )
        if grant != "client_credentials":
            raise Refused(
                70003,
                "unsupported_grant_type",
                f"The app requested an unsupported grant type '{grant}'. The sandbox knows client_credentials only.",
            )
        if not client:
            raise Refused(
                900144, "invalid_request", "The request body must contain the following parameter: 'client_id'."
            )
        principal = self._tenant.principal_of(client)
        if principal is None or self._tenant.application(client) is None:
            raise Refused(
                700016,
                "unauthorized_client",
                f"Application with identifier '{client}' was not found in the directory 'Contoso'. This can happen if"
                " the application has not been installed by the administrator of the tenant or consented to by any"
                " user in the tenant. You may have sent your authentication request to the wrong tenant.",
            )
        if not self._tenant.has_secret(client, secret):
            raise Refused(
                7000215,
                "invalid_client",
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret"
                f" value, not the client secret ID, for a secret added to app '{client}'.",
                status=401,
            )
        audience = self._audience(form.get("scope", ""), client)
        return {
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": self._tokens.issue(principal, audience),
        }

    def _audience(self, scope: str, client: str) -> str:
        """The audience that a scope `<resource>/.default` asks for, written as the caller wrote it."""
        if not scope.endswith("/.default"):
            raise Refused(
                1002012,
                "invalid_scope",
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value"
                " with /.default suffixed to the resource identifier (application ID URI).",
            )
        resource = scope.removesuffix("/.default")
        known = {each.rstrip("/") for each in (*FIRST_PARTY, self._organization)}
        # An application's own resource is there for as long as its principal is in the tenant.
        for app_id, body in self._state.list(APPLICATIONS):
            if self._tenant.principal_of(app_id) is not None:
                known.update(each.rstrip("/") for each in (*body["audiences"], f"api://{app_id}", app_id))
        if resource.rstrip("/") not in known:
            raise Refused(
                500011,
                "invalid_resource",
                f"The resource principal named {resource} was not found in the tenant named Contoso. This can happen if"
                " the application has not been installed by the administrator of the tenant or consented to by any"
                " user in the tenant. You might have sent your authentication request to the wrong tenant.",
            )
        return resource


def _credentials(request: web.Request, form: dict[str, str]) -> tuple[str, str]:
    """The client's id and secret, from the form or from HTTP basic authentication (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refused(7000216, "invalid_client", "The client credentials could not be read.", status=401) from None
    return unquote_plus(client), unquote_plus(secret)


def _error(refused: Refused) -> web.Response:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    return web.json_response(
        {
            "error": refused.error,
            "error_description": f"AADSTS{refused.number}: {refused}\r\nTrace ID: {trace}\r\n"
            f"Correlation ID: {correlation}\r\nTimestamp: {now}",
            "error_codes": [refused.number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={refused.number}",
        },
        status=refused.status,
    )
