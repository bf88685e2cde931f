"""What a request over HTTPS goes through when it meets a fault."""

from __future__ import annotations

import asyncio
import socket
import struct
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from setup_kit.sandbox import settling
from setup_kit.sandbox.entra import Tokens
from setup_kit.sandbox.faults import Fault, Faults
from setup_kit.sandbox.resource_manager.operations import OUTCOME, Outcome
from setup_kit.sandbox.resource_manager.vaults import VAULTS
from setup_kit.sandbox.state import State
from setup_kit.sandbox.tenant import Tenant
from setup_kit.sandbox.web import FAULT, bearer

NO_ANSWER = 444  # nginx's number for a connection that was closed without an answer
PIECES = 20  # of an answer that drips

_CODES: Mapping[int, str] = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "RequestTimeout",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}
# Of Dataverse: its service protection limit ("Service protection API limits"), and its unexpected error.
_TOO_MANY, _UNEXPECTED = "0x80072322", "0x80040216"


class Faulty:
    """The middleware of one part: most requests pass through, those that meet a fault suffer it."""

    def __init__(self, part: str, faults: Faults, state: State, tenant: Tenant, tokens: Tokens) -> None:
        self._part = part
        self._faults = faults
        self._state = state
        self._tenant = tenant
        self._tokens = tokens

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        token = bearer(request)
        caller = self._tokens.identify(token) if token else None
        fault = self._faults.meet(self._part, request.method, request.path, caller.app_id if caller else "")
        if fault is None:
            return await handler(request)
        request[FAULT] = fault.id
        match fault.kind:
            case "status":
                return self._refusal(fault)
            case "reset-before":
                await request.read()
                return _reset(request)
            case "reset-after":
                await handler(request)
                return _reset(request)
            case "drip":
                return await _drip(request, await handler(request), fault.seconds)
            case "truncate":
                return await _truncate(request, await handler(request))
            case "expired-token":
                return await handler(self._expired(request))
            case "failed-operation":
                return await _failing(request, handler, fault)
            case "late":
                await self._delay(request, fault.seconds)
                return await handler(request)
        raise AssertionError(fault.kind)  # the rules take no other

    def _refusal(self, fault: Fault) -> web.Response:
        code = fault.code or _CODES.get(fault.status, "Error")
        body = error_body(self._part, fault.status, code, "The sandbox answers so because of a fault that was added.")
        return web.json_response(body, status=fault.status, headers=dict(fault.headers))

    def _expired(self, request: web.Request) -> web.Request:
        """The request as it would be with the caller's token of an hour ago: the part itself says what is wrong."""
        token = bearer(request)
        caller = self._tokens.identify(token) if token else None
        principal = self._tenant.principal_of(caller.app_id) if caller else None
        if token is None or principal is None:
            return request
        old = self._tokens.issue(principal, self._tokens.audience(token), lifetime=-3600)
        headers = request.headers.copy()
        headers["Authorization"] = f"Bearer {old}"
        return request.clone(headers=headers)

    async def _delay(self, request: web.Request, seconds: float) -> None:
        """Before it is made, so that it never holds in between. A vault's policies that are there already go on."""
        data = await request.read()
        if request.method != "PUT":
            return
        policies = settling.policies_in(data)
        name = request.path.rstrip("/").removesuffix("/accessPolicies/add").rpartition("/")[2].lower()
        vault = self._state.get(VAULTS, name) or {"properties": {"accessPolicies": []}}
        known = {str(policy["objectId"]).lower() for policy in vault["properties"]["accessPolicies"]}
        for key in settling.keys(request.path, [each for each in policies if each.lower() not in known]):
            settling.delay(self._state, key, seconds)


def error_body(part: str, status: int, code: str, message: str) -> dict[str, Any]:
    """An error in the shape that a part gives its own."""
    if part == "entra":
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": "temporarily_unavailable",
            "error_description": f"AADSTS90033: A transient error has occurred. {message}\r\nTimestamp: {now}",
            "error_codes": [90033],
            "timestamp": now,
        }
    if part == "export-service":
        return {"CorrelationId": str(uuid.uuid4()), "Message": f"{code}: {message}", "Details": []}
    if part == "dataverse" and not code.startswith("0x"):
        code = _TOO_MANY if status == 429 else _UNEXPECTED
    error: dict[str, Any] = {"code": code, "message": message}
    if part == "graph":
        error["innerError"] = {"request-id": str(uuid.uuid4())}
    return {"error": error}


def _reset(request: web.Request) -> web.Response:
    """End the connection with RST; the answer that aiohttp wants goes nowhere."""
    transport = request.transport
    if transport is not None:
        found = transport.get_extra_info("socket")
        if found is not None:  # no lingering is what makes the kernel send RST and not FIN
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=NO_ANSWER)


async def _begin(request: web.Request, answer: web.StreamResponse) -> tuple[web.StreamResponse, bytes]:
    """The head of an answer, sent; and its body, which is still to be sent."""
    body = answer.body if isinstance(answer, web.Response) else None
    data = bytes(body) if isinstance(body, (bytes, bytearray)) else b""
    begun = web.StreamResponse(status=answer.status, headers=answer.headers.copy())
    if data:
        begun.content_length = len(data)
    await begun.prepare(request)
    return begun, data


async def _drip(request: web.Request, answer: web.StreamResponse, seconds: float) -> web.StreamResponse:
    if not getattr(answer, "body", None):
        await asyncio.sleep(seconds)
        return answer
    begun, data = await _begin(request, answer)
    size = -(-len(data) // PIECES)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    for piece in pieces:
        await asyncio.sleep(seconds / len(pieces))
        await begun.write(piece)
    return begun


async def _truncate(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """Half of the body under a head that promises the whole. What has no body to cut loses its head as well."""
    if not getattr(answer, "body", None):
        return _reset(request)
    begun, data = await _begin(request, answer)
    await begun.write(data[: len(data) // 2])
    if request.transport is not None:
        request.transport.close()
    return begun


async def _failing(request: web.Request, handler: Handler, fault: Fault) -> web.StreamResponse:
    """Whatever operation the request begins is going to fail; one that begins none is not touched."""
    outcome = Outcome(fault.code or "InternalServerError", "The sandbox failed this operation: a fault was added.")
    token = OUTCOME.set(outcome)
    try:
        return await handler(request)
    finally:
        OUTCOME.reset(token)
        if not outcome.taken:
            del request[FAULT]
