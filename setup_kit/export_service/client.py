"""The Data Export Service: its two hosts, its token, and its answers turned into values and errors."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from functools import cached_property
from typing import Any

from setup_kit import known_errors
from setup_kit.ahead import begin
from setup_kit.clouds import HOSTED_DISCOVERY, Cloud
from setup_kit.errors import KitError
from setup_kit.export_service import challenge as challenges
from setup_kit.export_service.challenge import Challenge
from setup_kit.export_service.errors import RefusedError, UnreachableError, read_error, without_secrets
from setup_kit.export_service.metadata import Metadata
from setup_kit.export_service.profiles import Profiles
from setup_kit.export_service.wire import Answer, Wire
from setup_kit.identity import Identity, scope_of

HISTORY = (
    "Microsoft deprecated the hosted Data Export Service in November 2021 and shut it down in November 2022;"
    " nothing answers at its address any more"
)
WAY_OUT = (
    "host the Data Export Service that comes with this kit (setup_kit.service) and set export_service.discovery to its"
    " address, or rehearse in the sandbox: setup-kit sandbox up"
)


class ExportServiceClient:
    """Calls the service for one organization. Safe to use from several threads; connects at the first call.

    Errors are KitErrors: UnreachableError when a host does not answer, RefusedError when it answers with an error.
    """

    def __init__(
        self,
        identity: Identity,
        cloud: Cloud,
        *,
        organization_url: str,
        organization_id: str,
        discovery: str | None = None,
        application_id: str = "b861dbcc-a7ef-4219-a005-0e4de4ea7dcf",
    ) -> None:
        """`discovery` is the discovery host's address, the cloud's where None; `application_id` the service's own."""
        self._identity = identity
        self._cloud = cloud
        self._application_id = application_id
        self._lock = threading.Lock()
        self._connector_lock = threading.Lock()
        self._wire: Wire | None = None
        self._connector = ""
        self._begun: Future[str] | None = None
        self.discovery = (discovery or cloud.discovery).rstrip("/")
        self.organization_url = organization_url.rstrip("/")
        self.organization_id = organization_id.lower()
        self.metadata = Metadata(self)
        self.profiles = Profiles(self)

    @cached_property
    def challenge(self) -> Challenge:
        """Who gives tokens for the service, by the service's own word, checked. Sends no token."""
        url = self.discovery + challenges.PATH
        wire = Wire(self._cloud)
        try:
            answer = self._guarded(wire, "GET", url)
        finally:
            wire.close()
        header = answer.headers.get("www-authenticate", "")
        if answer.status != 401 or not header:
            raise self._no_service(f"HTTP {answer.status} instead of a challenge: {without_secrets(answer.text)[:200]}")
        found = challenges.read_challenge(header)
        challenges.check_challenge(found, self._cloud, self.discovery, self._application_id)
        return found

    def prepare(self) -> None:
        """Begins to sign in and to look for the connector; whoever asks for it gets it, or the error."""
        with self._connector_lock:
            if not self._connector and self._begun is None:
                self._begun = begin(self._find_connector)

    @property
    def connector(self) -> str:
        """The address of the connector host, which serves the organization's profiles."""
        with self._connector_lock:
            if not self._connector:
                begun, self._begun = self._begun, None
                self._connector = begun.result() if begun is not None else self._find_connector()
            return self._connector

    def _find_connector(self) -> str:
        found = self.metadata.connector().rstrip("/")
        if not found.startswith("https://"):
            raise KitError(
                f"the Data Export Service names a connector that is not an https address: {found or '(none)'}",
                why="a token must not travel unprotected",
                remedy="the one who runs the service must set its connector's address",
            )
        return found

    def call(
        self, method: str, host: str, path: str, query: Mapping[str, str] | None = None, body: object = None
    ) -> Any:
        """Sends a request with the caller's token and returns the JSON of the answer, None when it is empty.

        `path` begins after `/crm/exporter/`. Raises RefusedError for every status from 300 on.
        """
        return self.answer(method, host, path, query, body).json()

    def answer(
        self, method: str, host: str, path: str, query: Mapping[str, str] | None = None, body: object = None
    ) -> Answer:
        """As `call`, but the answer as it came, for an operation that may not answer in JSON."""
        url = f"{host}/crm/exporter/{path}"
        answer = self._guarded(self._signed_in(), method, url, query, body)
        if answer.status >= 300:
            raise _refused(method, path, answer)
        return answer

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()

    def _signed_in(self) -> Wire:
        with self._lock:
            if self._wire is None:
                self._wire = Wire(self._cloud, self._identity.credential, scope_of(self.challenge.audience))
            return self._wire

    def _guarded(
        self, wire: Wire, method: str, url: str, query: Mapping[str, str] | None = None, body: object = None
    ) -> Answer:
        try:
            return wire.send(method, url, query, body)
        except UnreachableError as error:
            if not url.startswith(self.discovery + "/"):
                raise
            raise self._no_service(error.original) from error

    def _no_service(self, original: str) -> UnreachableError:
        hosted = self.discovery == HOSTED_DISCOVERY
        return UnreachableError(
            f"no Data Export Service answers at {self.discovery}",
            why=HISTORY if hosted else "the host is not reached, or something else answers there",
            remedy=WAY_OUT if hosted else "check export_service.discovery in the environment file, and that it runs",
            original=original,
        )


def _refused(method: str, path: str, answer: Answer) -> RefusedError:
    body = read_error(answer.text)
    # Where the service names more than one kind of problem, no single remedy mends them.
    codes = {problem.code for problem in body.problems}
    code = codes.pop() if len(codes) == 1 else ""
    operation = f"{method} {path}"
    message = body.message or "its own words say why"
    known = known_errors.meaning(
        "service", code, answer.status, text=body.message, operation=operation, message=message, entities="ENTITY..."
    )
    return RefusedError(f"the Data Export Service refused {operation}", answer.status, body, **known.words)
