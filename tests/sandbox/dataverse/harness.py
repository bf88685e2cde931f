"""Callers of the organization, and a client of its Web API."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from decimal import Decimal
from email.message import Message
from typing import Any

from setup_kit.sandbox.dataverse import Database, Organization
from setup_kit.sandbox.entra import Caller, TokenRefused

TENANT = "5a9b2f0e-6a0f-4f6d-9d4e-0d3a5b1f2c11"
ADMINISTRATOR = "0b4f7a7c-8f0b-4d0e-b6ab-3e6f0a5d7711"
SERVICE = "b861dbcc-a7ef-4219-a005-0e4de4ea7dcf"
STRANGER = "99999999-0000-4000-8000-000000000001"
CALLERS = {
    "admin": Caller(ADMINISTRATOR, "c1c1c1c1-0000-4000-8000-000000000001", TENANT, "administrator"),
    "service": Caller("d2d2d2d2-0000-4000-8000-000000000002", SERVICE, TENANT, "service"),
    "stranger": Caller(STRANGER, STRANGER, TENANT, "stranger"),
}


def check_token(token: str) -> Caller:
    if token not in CALLERS:
        raise TokenRefused("InvalidAuthenticationToken", "The access token is invalid.")
    return CALLERS[token]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_float=Decimal)

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.text
        found: list[dict[str, Any]] = self.json["value"]
        return found

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.json["error"]["code"]

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])


@dataclass
class Client:
    """Calls the Web API as one of CALLERS; a path without a scheme is below the service root."""

    url: str
    database: Database
    token: str | None = "admin"
    version: str = "v9.2"

    def call(self, method: str, path: str, body: object = None, prefer: str | None = None, **headers: str) -> Reply:
        address = path if path.startswith("http") else f"{self.url}/api/data/{self.version}/{path}"
        data = None if body is None else json.dumps(body).encode()
        quoted = urllib.parse.quote(address, safe=":/?&=%$(),;'@!*")
        request = urllib.request.Request(quoted, data, method=method)  # noqa: S310
        if self.token is not None:
            request.add_header("Authorization", f"Bearer {self.token}")
        if prefer is not None:
            request.add_header("Prefer", prefer)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return Reply(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers, error.read().decode())

    def get(self, path: str, prefer: str | None = None, **headers: str) -> Reply:
        return self.call("GET", path, None, prefer, **headers)

    def create(self, entity_set: str, **values: object) -> str:
        """The id of a new record."""
        reply = self.call("POST", entity_set, values)
        assert reply.status == 204, reply.text
        return reply.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")

    def pages(self, path: str, prefer: str) -> list[dict[str, Any]]:
        """Every page from `path` on."""
        found = []
        following: str | None = path
        while following is not None:
            page = self.get(following, prefer)
            assert page.status == 200, page.text
            found.append(page.json)
            following = page.json.get("@odata.nextLink")
        return found


def organization(url: str) -> Organization:
    return Organization(
        "Contoso",
        url,
        "3f3c1f2a-5d5e-4b6e-8f6a-9f0c2d1e4b55",
        TENANT,
        frozenset({ADMINISTRATOR}),
        frozenset({SERVICE}),
        authority="https://127.0.0.1:1",
    )
