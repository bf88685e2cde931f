"""Every request to Resource Manager: who calls, may they, which route, and the form of the answer."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Sequence

from aiohttp import web

from setup_kit.sandbox import access
from setup_kit.sandbox.entra import Caller, TokenRefused, Tokens
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.resource_manager import gate
from setup_kit.sandbox.resource_manager.arm import Answer, ArmError, Call, Route, bad_content
from setup_kit.sandbox.resource_manager.groups import find_group
from setup_kit.sandbox.state import Document, State
from setup_kit.sandbox.tenant import RESOURCE_MANAGER_AUDIENCE
from setup_kit.sandbox.web import bearer, request_ids

logger = logging.getLogger(__name__)

API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview|-alpha|-beta|-privatepreview)?")


class Router:
    """Turns a request into a Call for the one Route that it fits, and its Answer or ArmError into a response."""

    def __init__(
        self, state: State, tokens: Tokens, latency: Latency, subscription: str, sign_in: str, routes: Sequence[Route]
    ) -> None:
        self._state = state
        self._tokens = tokens
        self._latency = latency
        self._subscription = subscription
        self._sign_in = sign_in  # the authority and tenant that a caller without a token is sent to
        self._routes = routes

    async def handle(self, request: web.Request) -> web.Response:
        try:
            answer = await self._answer(request)
        except ArmError as error:
            headers = {**request_ids(), **error.headers}
            if error.gateway:
                headers["x-ms-failure-cause"] = "gateway"
            return web.json_response(error.body(), status=error.status, headers=headers)
        headers = {**request_ids(), **answer.headers}
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.json_response(answer.body, status=answer.status, headers=headers)

    async def _answer(self, request: web.Request) -> Answer:
        caller = self._caller(request)
        version = request.query.get("api-version", "")
        if not version:
            raise ArmError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
                gateway=True,
            )
        if not API_VERSION.fullmatch(version):
            raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.", gateway=True)
        # Undecoded, so that a name with a quoted slash in it stays one segment.
        path = request.rel_url.raw_path.rstrip("/")
        route, names = self._route(request.method, path)
        subscription = names.get("subscription")
        if subscription is not None and subscription.lower() != self._subscription:
            raise ArmError(
                404,
                "SubscriptionNotFound",
                f"The subscription '{subscription}' could not be found.",
                gateway=True,
            )
        self._authorize(caller, route, path)
        await asyncio.sleep(self._latency.seconds(route.operation))
        if route.under_group:
            find_group(self._state, names["group"])
        body = await _body(request)
        gate.check(self._state, self._subscription, request.method, route.action, path, body)
        return await route.handler(Call(request.method, path, names, request.query, version, body, caller))

    def _caller(self, request: web.Request) -> Caller:
        token = bearer(request)
        if token is None:
            raise self._unauthorized(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                "The authentication failed because of missing 'Authorization' header.",
            )
        try:
            return self._tokens.check(token, RESOURCE_MANAGER_AUDIENCE)
        except TokenRefused as refused:
            raise self._unauthorized(refused.code, str(refused), str(refused)) from refused

    def _unauthorized(self, code: str, message: str, description: str) -> ArmError:
        challenge = (
            f'Bearer authorization_uri="{self._sign_in}", error="invalid_token", error_description="{description}"'
        )
        return ArmError(401, code, message, gateway=True, headers={"WWW-Authenticate": challenge})

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        known = False
        for route in self._routes:
            names = route.match(path)
            if names is not None:
                if route.method == method:
                    return route, names
                known = True
        what = "this method of" if known else "the path"
        raise ArmError(501, "NotImplementedInSandbox", f"The sandbox does not know {what} {method} {path}.")

    def _authorize(self, caller: Caller, route: Route, path: str) -> None:
        if not route.action or access.allowed(self._state, {caller.object_id, *caller.groups}, path, route.action):
            return
        raise ArmError(
            403,
            "AuthorizationFailed",
            f"The client '{caller.app_id}' with object id '{caller.object_id}' does not have authorization to perform"
            f" action '{route.action}' over scope '{path}' or the scope is invalid. If access was recently granted,"
            " please refresh your credentials.",
            gateway=True,
        )


async def _body(request: web.Request) -> Document:
    data = await request.read()
    if not data:
        return {}
    try:
        body = json.loads(data)
    except ValueError:
        # The text itself stays out: it may hold a password.
        raise bad_content("it is not JSON") from None
    if not isinstance(body, dict):
        raise bad_content("it is not an object")
    return body
