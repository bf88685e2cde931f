"""The organization as an aiohttp application: lets callers in, finds who answers, and writes answers and errors.

SQLite work is done in a few threads, so that a page of thousands of rows does not hold up the rest of the sandbox.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

from aiohttp import web

from setup_kit.sandbox.dataverse import errors, options, seed, tokens, users
from setup_kit.sandbox.dataverse.database import Database
from setup_kit.sandbox.dataverse.errors import WebApiError
from setup_kit.sandbox.dataverse.organization import Organization
from setup_kit.sandbox.dataverse.service import Answer, Request, Service
from setup_kit.sandbox.entra import Caller, TokenRefused

VERSIONS = ("v9.0", "v9.1", "v9.2")
THREADS = 4
DATABASE = web.AppKey("dataverse_database", Database)
log = logging.getLogger(__name__)


def application(organization: Organization, state_path: Path, check_token: Callable[[str], Caller]) -> web.Application:
    """The Web API of `organization`, whose rows live in the SQLite file `state_path` and are made at first start.

    `check_token` verifies a bearer token for this organization's address, or raises TokenRefused. A caller must be one
    of the organization's users; it is asked afresh on each request, as are version, state and change tracking.
    """
    database = open_database(organization, state_path)
    handler = _Handler(organization, database, check_token)
    app = web.Application(client_max_size=16 * 2**20)
    app[DATABASE] = database
    app.cleanup_ctx.append(handler.lifetime)
    app.router.add_route("*", "/api/data/{version}/{path:.*}", handler.handle)
    return app


def open_database(organization: Organization, state_path: Path) -> Database:
    """The organization's database, filled when it is new, with users for all who are given."""
    database = Database(state_path)
    with database.write() as connection:
        if database.is_empty:
            database.create_tables(connection, organization.version)
            seed.fill(database, connection, organization)
        users.admit(database, connection, organization)
    return database


class _Handler:
    def __init__(self, organization: Organization, database: Database, check_token: Callable[[str], Caller]) -> None:
        self._organization = organization
        self._database = database
        self._check_token = check_token
        self._service = Service(organization, database)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="dataverse")

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        yield
        self._threads.shutdown()
        self._database.close()

    async def handle(self, request: web.Request) -> web.Response:
        refusal, caller = self._caller(request)
        if caller is None:
            return refusal
        text = await request.text()
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._threads, self._answer, request, caller, text)
        headers = {"OData-Version": "4.0", "x-ms-service-request-id": str(uuid.uuid4()), **answer.headers}
        if not answer.body:
            return web.Response(status=answer.status, headers=headers)
        kind = "text/plain" if answer.plain else "application/json; odata.metadata=minimal"
        return web.Response(status=answer.status, text=answer.body, headers=headers | {"Content-Type": kind})

    def _caller(self, request: web.Request) -> tuple[web.Response, Caller | None]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self._challenge(""), None
        try:
            return web.Response(), self._check_token(token.strip())
        except TokenRefused as refused:
            log.info("token refused: %s", refused.code)
            return self._challenge("error=invalid_token, error_description=Error during token validation!, "), None

    def _challenge(self, error: str) -> web.Response:
        """401 as Dataverse sends it: its parameters have no quotes."""
        authority = f"{self._organization.authority}/{self._organization.tenant_id}/oauth2/authorize"
        challenge = f"Bearer {error}authorization_uri={authority}, resource_id={self._organization.url}/"
        return web.Response(
            status=401,
            text="HTTP Error 401 - Unauthorized: Access is denied",
            headers={"WWW-Authenticate": challenge, "OData-Version": "4.0"},
        )

    def _answer(self, request: web.Request, caller: Caller, text: str) -> Answer:
        """In a thread."""
        try:
            version = request.match_info["version"]
            if version not in VERSIONS:
                raise errors.unknown_segment(version)
            path = tokens.segments(request.match_info["path"])
            asked = Request(
                request.method,
                f"{self._organization.url}/api/data/{version}",
                path,
                options.read(request.query.items()),
                options.preferences(request.headers.getall("Prefer", [])),
                _json(text),
                {name.lower(): value for name, value in request.headers.items()},
                dict(request.query),
            )
            return self._service.answer(asked, caller)
        except WebApiError as error:
            body = json.dumps({"error": {"code": error.code, "message": str(error)}}, ensure_ascii=False)
            return Answer(error.status, body)


def _json(text: str) -> object:
    """The request's body, with every digit of its numbers; None when there is none. Raises WebApiError."""
    if not text.strip():
        return None
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        raise errors.bad_body("The body is not valid JSON.") from None
