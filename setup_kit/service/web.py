"""The service's HTTP surface: routes, the token challenge, and errors as bodies."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from aiohttp import web

from setup_kit.service import blobs
from setup_kit.service.callers import Caller, UnauthorizedError
from setup_kit.service.errors import OutsideError, ServiceError, bad_request
from setup_kit.service.operations import Operations
from setup_kit.service.settings import Settings
from setup_kit.service.swagger import API_DESCRIPTION_PATH, api_description

ROOT = "/crm/exporter/"

# The service calls back into the process that may host it: its threads are its own, never the loop's default ones.
THREADS = 8

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)


def application(settings: Settings) -> web.Application:
    """The service as an aiohttp application; its replicator runs from start-up to clean-up."""
    surface = _Surface(settings)
    app = web.Application(middlewares=[surface.errors], client_max_size=4 * 1024 * 1024)
    app.cleanup_ctx.append(surface.lifetime)
    route, at = app.router.add_route, ROOT
    route("GET", at + "aad/challenge", surface.challenge)
    route("GET", API_DESCRIPTION_PATH, surface.api_description)
    route("GET", at + "metadata/organizations", surface.asked(Operations.organizations))
    route("GET", at + "metadata/discover", surface.asked(Operations.discover))
    route("GET", at + "metadata/connector", surface.asked(Operations.connector))
    route("GET", at + "metadata/entities", surface.asked(Operations.entities))
    route("GET", at + "metadata/relationships", surface.asked(Operations.relationships))
    route("GET", at + "metadata/hasorgacceptedprivacyterms", surface.asked(Operations.has_accepted_privacy_terms))
    route("POST", at + "metadata/acceptprivacyterms", surface.asked(Operations.accept_privacy_terms))
    route("GET", at + "profiles", surface.asked(Operations.profiles))
    route("POST", at + "profiles", surface.told(Operations.create))
    route("POST", at + "profiles/validate", surface.told(Operations.validate))
    one = at + "profiles/{id}"
    route("GET", one, surface.profile)
    route("PUT", one, surface.update)
    route("DELETE", one, surface.on_profile(Operations.delete, empty=204))
    route("POST", one + "/activate", surface.on_profile(partial(Operations.activate, metadata=True, data=True)))
    route(
        "POST", one + "/activatemetadata", surface.on_profile(partial(Operations.activate, metadata=True, data=False))
    )
    route("POST", one + "/activatedata", surface.on_profile(partial(Operations.activate, metadata=False, data=True)))
    route("POST", one + "/deactivate", surface.on_profile(Operations.deactivate))
    route("GET", one + "/test", surface.on_profile(Operations.test))
    route("GET", one + "/failures", surface.on_profile(Operations.failures))
    app.router.add_route("*", blobs.CONTAINER, surface.blob)
    app.router.add_route("*", blobs.BLOB, surface.blob)
    return app


class _Surface:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: ThreadPoolExecutor | None = None
        self._operations: Operations | None = None

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        pool = self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="service")
        loop = asyncio.get_running_loop()
        operations = self._operations = await loop.run_in_executor(pool, Operations, self._settings)
        await loop.run_in_executor(pool, operations.start)
        yield
        await loop.run_in_executor(pool, operations.stop)
        pool.shutdown()

    @web.middleware
    async def errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        correlation_id = str(uuid.uuid4())
        try:
            return await handler(request)
        except ServiceError as error:
            refused = error
        except OutsideError as error:
            refused = ServiceError(502, str(error))
        except web.HTTPException as error:
            if error.status < 400:
                raise
            refused = ServiceError(error.status, f"{request.method} {request.path}: {error.reason}.")
        except Exception:  # noqa: BLE001 (the last one before the wire)
            _log.exception("%s %s failed, correlation %s", request.method, request.path, correlation_id)
            refused = ServiceError(500, "An internal error occurred.")
        response = answer(refused.to_wire(correlation_id), refused.status)
        if refused.status == 401:
            response.headers["WWW-Authenticate"] = self._challenge()
        return response

    def _challenge(self) -> str:
        authority = f"{self._settings.authority.rstrip('/')}/{self._settings.tenant_id}"
        return f'Bearer authorization_uri="{authority}", resource_id="{self._settings.audience}"'

    async def challenge(self, request: web.Request) -> web.StreamResponse:
        """401 to everybody without a token; with a good one there is nothing to say (*assumed*)."""
        await self._caller(request)
        return answer(None)

    async def api_description(self, request: web.Request) -> web.StreamResponse:
        return answer(api_description(request.app, request.host))

    def asked(self, operation: Callable[[Operations, Caller, dict[str, str]], Any]) -> Handler:
        """An operation that its query tells everything."""

        async def handle(request: web.Request) -> web.StreamResponse:
            caller = await self._caller(request)
            return answer(await self._run(operation, caller, query(request)))

        return handle

    def told(self, operation: Callable[[Operations, Caller, Any], Any]) -> Handler:
        """An operation on a profile description."""

        async def handle(request: web.Request) -> web.StreamResponse:
            caller = await self._caller(request)
            return answer(await self._run(operation, caller, await body(request)))

        return handle

    def on_profile(self, operation: Callable[[Operations, Caller, str], Any], empty: int = 200) -> Handler:
        """An operation on a profile that exists."""

        async def handle(request: web.Request) -> web.StreamResponse:
            caller = await self._caller(request)
            return answer(await self._run(operation, caller, request.match_info["id"]), empty=empty)

        return handle

    async def profile(self, request: web.Request) -> web.StreamResponse:
        caller = await self._caller(request)
        return answer(await self._run(Operations.profile, caller, request.match_info["id"], query(request)))

    async def update(self, request: web.Request) -> web.StreamResponse:
        caller = await self._caller(request)
        described = await body(request)
        return answer(await self._run(Operations.update, caller, request.match_info["id"], described))

    async def blob(self, request: web.Request) -> web.StreamResponse:
        """The failure log. Its caller's right is in the address, and its errors are Azure Storage's."""
        path = request.match_info

        def call(operations: Operations) -> web.Response:
            return operations.containers.answer(
                request.method, path["container"], path.get("blob", ""), request.query, request.headers
            )

        return await self._run(call)

    async def _caller(self, request: web.Request) -> Caller:
        header = request.headers.get("Authorization")
        if header is None:
            raise UnauthorizedError("The request carries no bearer token.")
        return await self._run(lambda operations: operations.tokens.check(header))

    async def _run(self, call: Callable[..., T], *arguments: Any) -> T:
        if self._operations is None or self._pool is None:
            raise ServiceError(503, "The service is starting.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(call, self._operations, *arguments))


def query(request: web.Request) -> dict[str, str]:
    """The query with its names in lower case: clients write them in either."""
    return {name.lower(): value for name, value in request.query.items()}


async def body(request: web.Request) -> Any:
    try:
        return json.loads(await request.text())
    except ValueError:
        raise bad_request("The body is no JSON.") from None


def answer(document: Any, status: int = 200, empty: int = 200) -> web.Response:
    """JSON, or for None no body at all with the status `empty`."""
    if document is None:
        return web.Response(status=empty)
    return web.json_response(document, status=status)
