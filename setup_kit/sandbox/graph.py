"""Microsoft Graph, as far as a set-up asks it: service principals, groups, the organization."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from setup_kit.sandbox.entra import Caller, TokenRefused, Tokens
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.tenant import APPLICATION_ADMINISTRATOR, GRAPH_AUDIENCE, READERS, Principal, Tenant
from setup_kit.sandbox.web import bearer

CONTEXT = "https://graph.microsoft.com/v1.0/$metadata"
FILTER = re.compile(r"\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*")


class Refused(Exception):  # noqa: N818 (what Graph answers, not a fault of ours)
    """A request that Graph turns down."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


Answer = tuple[int, dict[str, Any]]
Handler = Callable[[web.Request], Answer | Awaitable[Answer]]


def application(tenant: Tenant, tokens: Tokens, latency: Latency) -> web.Application:
    api = _Graph(tenant, tokens, latency)
    app = web.Application()
    routes = app.router
    routes.add_get("/v1.0/servicePrincipals", api.answering(api.list_principals))
    routes.add_post("/v1.0/servicePrincipals", api.answering(api.create_principal))
    routes.add_get(r"/v1.0/servicePrincipals(appId='{app_id:[^'/]*}')", api.answering(api.principal_by_app))
    routes.add_get("/v1.0/servicePrincipals/{id}", api.answering(api.principal))
    routes.add_delete("/v1.0/servicePrincipals/{id}", api.answering(api.delete_principal))
    routes.add_get("/v1.0/groups", api.answering(api.list_groups))
    routes.add_get("/v1.0/groups/{id}", api.answering(api.group))
    routes.add_get("/v1.0/organization", api.answering(api.organization))
    routes.add_route("*", "/{rest:.*}", api.answering(_unknown))
    return app


def _unknown(request: web.Request) -> Answer:
    raise Refused(501, "NotImplementedInSandbox", f"The sandbox's Graph does not know {request.method} {request.path}.")


class _Graph:
    def __init__(self, tenant: Tenant, tokens: Tokens, latency: Latency) -> None:
        self._tenant = tenant
        self._tokens = tokens
        self._latency = latency

    def answering(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A route's handler: checks the token and the caller's directory roles, then asks `handler`."""

        async def answer(request: web.Request) -> web.Response:
            write = request.method not in ("GET", "HEAD")
            await asyncio.sleep(self._latency.seconds("graph.write" if write else "graph.get"))
            try:
                self._check(self._caller(request), write)
                result = handler(request)
                status, body = await result if isinstance(result, Awaitable) else result
            except Refused as refused:
                status, body = refused.status, _error(request, refused)
            if status == 204:
                return web.Response(status=204)
            return web.json_response(body, status=status)

        return answer

    def _caller(self, request: web.Request) -> Caller:
        token = bearer(request)
        if token is None:
            raise Refused(401, "InvalidAuthenticationToken", "Access token is empty.")
        try:
            return self._tokens.check(token, GRAPH_AUDIENCE)
        except TokenRefused as refused:
            message = "Access token validation failure."
            if refused.code == "ExpiredAuthenticationToken":
                message = "Lifetime validation failed, the token is expired."
            elif refused.code == "InvalidAuthenticationTokenAudience":
                message = "Access token validation failure. Invalid audience."
            raise Refused(401, "InvalidAuthenticationToken", message) from refused

    def _check(self, caller: Caller, write: bool) -> None:
        principal = self._tenant.principal(caller.object_id)
        roles = set(principal.roles) if principal else set()
        if not roles & ({APPLICATION_ADMINISTRATOR} if write else {APPLICATION_ADMINISTRATOR, READERS}):
            raise Refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

    def list_principals(self, request: web.Request) -> Answer:
        field, value = parse_filter(request.query.get("$filter", ""))
        fields: dict[str, Callable[[Principal], str]] = {
            "appid": lambda each: each.app_id,
            "displayname": lambda each: each.name,
            "id": lambda each: each.object_id,
        }
        found = [each for each in self._tenant.principals() if not field or _same(_field(fields, field)(each), value)]
        return 200, {
            "@odata.context": f"{CONTEXT}#servicePrincipals",
            "value": [self._principal_body(each) for each in found],
        }

    def principal_by_app(self, request: web.Request) -> Answer:
        app_id = request.match_info["app_id"]
        found = self._tenant.principal_of(app_id)
        if found is None:
            raise _missing(app_id)
        return 200, {"@odata.context": f"{CONTEXT}#servicePrincipals/$entity", **self._principal_body(found)}

    def principal(self, request: web.Request) -> Answer:
        found = self._tenant.principal(request.match_info["id"])
        if found is None:
            raise _missing(request.match_info["id"])
        return 200, {"@odata.context": f"{CONTEXT}#servicePrincipals/$entity", **self._principal_body(found)}

    def delete_principal(self, request: web.Request) -> Answer:
        found = self._tenant.principal(request.match_info["id"])
        if found is None:
            raise _missing(request.match_info["id"])
        self._tenant.remove_principal(found.app_id)
        return 204, {}

    async def create_principal(self, request: web.Request) -> Answer:
        try:
            app_id = str((await request.json())["appId"]).lower()
        except (ValueError, KeyError, TypeError):
            raise Refused(400, "Request_BadRequest", "A value is required for property 'appId' of resource.") from None
        known = self._tenant.application(app_id)
        if known is None:
            raise Refused(
                400,
                "Request_BadRequest",
                f"The appId '{app_id}' of the service principal does not reference a valid application object.",
            )
        if self._tenant.principal_of(app_id) is not None:
            raise Refused(
                409,
                "Request_MultipleObjectsWithSameKeyValue",
                f"The service principal cannot be created, updated, or restored because the service principal name"
                f" {app_id} is already in use.",
            )
        made = self._tenant.add_principal(app_id, known["display_name"])
        return 201, {"@odata.context": f"{CONTEXT}#servicePrincipals/$entity", **self._principal_body(made)}

    def list_groups(self, request: web.Request) -> Answer:
        field, value = parse_filter(request.query.get("$filter", ""))
        if field and field != "displayname":
            raise _unfiltered(field)
        found = [
            _group_body(object_id, body)
            for object_id, body in self._tenant.groups()
            if not field or _same(body["display_name"], value)
        ]
        return 200, {"@odata.context": f"{CONTEXT}#groups", "value": found}

    def group(self, request: web.Request) -> Answer:
        object_id = request.match_info["id"]
        body = self._tenant.group(object_id)
        if body is None:
            raise _missing(object_id)
        return 200, {"@odata.context": f"{CONTEXT}#groups/$entity", **_group_body(object_id, body)}

    def organization(self, request: web.Request) -> Answer:
        entry = {"id": self._tenant.id, "displayName": "Contoso", "tenantType": "AAD", "verifiedDomains": []}
        return 200, {"@odata.context": f"{CONTEXT}#organization", "value": [entry]}

    def _principal_body(self, principal: Principal) -> dict[str, Any]:
        application = self._tenant.application(principal.app_id) or {"audiences": []}
        return {
            "id": principal.object_id,
            "deletedDateTime": None,
            "accountEnabled": True,
            "appId": principal.app_id,
            "appDisplayName": principal.name,
            "displayName": principal.name,
            "servicePrincipalNames": [*application["audiences"], principal.app_id],
            "servicePrincipalType": "Application",
        }


def _group_body(object_id: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": object_id,
        "displayName": body["display_name"],
        "securityEnabled": True,
        "mailEnabled": False,
        "groupTypes": [],
    }


def parse_filter(text: str) -> tuple[str, str]:
    """The field (lower case) and value of `<field> eq '<value>'`; two empty texts for none. Raises Refused."""
    if not text:
        return "", ""
    match = FILTER.fullmatch(text)
    if match is None:
        raise Refused(400, "Request_UnsupportedQuery", f"The sandbox's Graph does not know the filter {text}.")
    return match[1].lower(), match[2].replace("''", "'")


def _field(fields: dict[str, Callable[[Principal], str]], name: str) -> Callable[[Principal], str]:
    if name not in fields:
        raise _unfiltered(name)
    return fields[name]


def _unfiltered(field: str) -> Refused:
    return Refused(400, "Request_UnsupportedQuery", f"The sandbox's Graph does not filter by {field}.")


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _missing(identifier: str) -> Refused:
    return Refused(
        404,
        "Request_ResourceNotFound",
        f"Resource '{identifier}' does not exist or one of its queried reference-property objects are not present.",
    )


def _error(request: web.Request, refused: Refused) -> dict[str, Any]:
    return {
        "error": {
            "code": refused.code,
            "message": str(refused),
            "innerError": {
                "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
                "request-id": str(uuid.uuid4()),
                "client-request-id": request.headers.get("client-request-id", str(uuid.uuid4())),
            },
        }
    }
