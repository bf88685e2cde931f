"""What every HTTPS part shares: serving on a port, and one line in the request log for each request."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
import uuid
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from setup_kit.sandbox.entra import Tokens
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.ports import HOST, PortTaken
from setup_kit.sandbox.requests import RequestLog

logger = logging.getLogger(__name__)

# How long requests in flight may take to end when a part stops.
GRACE = 3.0
# Where a request keeps the id of the fault that it met.
FAULT = "sandbox_fault"


def bearer(request: web.Request) -> str | None:
    """The token of an `Authorization: Bearer` header, None when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


class Site:
    """One application, served over TLS on one port of 127.0.0.1, with the log of requests around it."""

    def __init__(
        self,
        part: str,
        application: web.Application,
        log: RequestLog,
        tokens: Tokens,
        fault: Middleware | None = None,
    ) -> None:
        self._part = part
        self._log = log
        self._tokens = tokens
        if fault is not None:
            application.middlewares.insert(0, fault)
        application.middlewares.insert(0, self._logged)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=GRACE)

    async def start(self, port: int, tls: ssl.SSLContext) -> None:
        """Begin to answer. Raises PortTaken when another process has the port."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, port, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortTaken(
                f"port {port}, where this sandbox answers for {self._part}, is in use by another process: {error}"
            ) from error

    async def stop(self) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _logged(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.monotonic()
        status = 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as answer:
            status = answer.status
            raise
        except asyncio.CancelledError:
            status = 499  # nginx's number for a client that went away
            raise
        finally:
            token = bearer(request)
            caller = self._tokens.identify(token) if token else None
            milliseconds = (time.monotonic() - started) * 1000
            who, fault = caller.app_id if caller else "", request.get(FAULT, "")
            self._log.add(self._part, request.method, request.path, status, milliseconds, who, fault)


def slow(latency: Latency, usual: str, special: Mapping[str, str] = MappingProxyType({})) -> Middleware:
    """A middleware that takes the cloud's time: `special` names the operation of paths that end so."""

    @web.middleware
    async def wait(request: web.Request, handler: Handler) -> web.StreamResponse:
        operation = next((op for end, op in special.items() if request.path.lower().endswith(end)), usual)
        await asyncio.sleep(latency.seconds(operation))
        return await handler(request)

    return wait


def request_ids() -> dict[str, str]:
    """The headers by which Azure lets a request be found again."""
    return {"x-ms-request-id": str(uuid.uuid4()), "x-ms-correlation-request-id": str(uuid.uuid4())}
