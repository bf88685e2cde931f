"""Who calls: checks their tokens, and asks the organization whether they are a System Administrator of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import jwt
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from setup_kit.service import http
from setup_kit.service.errors import ServiceError, forbidden
from setup_kit.service.settings import Settings

ALGORITHMS = ["RS256"]
KEYS_SECONDS = 3600  # how long keys are believed; a new key id asks again before
KEYS_PAUSE = 5  # at least this long between two questions for keys
ADMINISTRATOR_SECONDS = 30  # how long an organization's answer about a caller is believed
LEEWAY = 60


@dataclass(frozen=True)
class Caller:
    """`application_id` is set where the token speaks for an application itself, not for somebody who uses it."""

    object_id: str
    application_id: str | None
    name: str


class UnauthorizedError(ServiceError):
    """401, answered with the challenge."""

    def __init__(self, message: str) -> None:
        super().__init__(HTTPStatus.UNAUTHORIZED, message)


class Tokens:
    """Checks signature, issuer, audience and time of bearer tokens with the authority's published keys."""

    def __init__(self, settings: Settings) -> None:
        self._client = http.client(settings.authority, settings.ca_file)
        # A tenant has two issuers: tokens of version 1 and of version 2 name different ones.
        tenant = f"{settings.authority.rstrip('/')}/{settings.tenant_id}"
        self._documents = [f"{tenant}{version}/.well-known/openid-configuration" for version in ("/v2.0", "")]
        audience = settings.audience.rstrip("/")
        self._audiences = [audience, audience + "/", settings.client_id]
        self._tenant = settings.tenant_id.lower()
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._issuers: list[str] = []
        self._read_at = -KEYS_SECONDS * 2.0

    def close(self) -> None:
        self._client.close()

    def check(self, authorization: str | None) -> Caller:
        """The caller of a request with that `Authorization` header; raises UnauthorizedError."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthorizedError("The request carries no bearer token.")
        try:
            key_id = str(jwt.get_unverified_header(token.strip()).get("kid", ""))
            key = self._key(key_id)
            claims = jwt.decode(
                token.strip(),
                key,
                algorithms=ALGORITHMS,
                audience=self._audiences,
                issuer=self._issuers,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "oid", "tid"]},
            )
        except jwt.ExpiredSignatureError:
            raise UnauthorizedError("The token has expired.") from None
        except jwt.InvalidAudienceError:
            raise UnauthorizedError(f"The token is not for the audience {self._audiences[1]}.") from None
        except jwt.PyJWTError:
            raise UnauthorizedError("The token is not valid.") from None
        if str(claims["tid"]).lower() != self._tenant:
            raise UnauthorizedError("The token is from another tenant.")
        return _caller(claims)

    def _key(self, key_id: str) -> jwt.PyJWK:
        with self._lock:
            age = time.monotonic() - self._read_at
            if age > KEYS_SECONDS or (key_id not in self._keys and age > KEYS_PAUSE):
                self._read()
            if key_id not in self._keys:
                raise UnauthorizedError("The token is not signed with a key of this authority.")
            return self._keys[key_id]

    def _read(self) -> None:
        issuers: list[str] = []
        keys: dict[str, jwt.PyJWK] = {}
        for document in self._documents:
            configuration = self._get(document)
            if configuration is None:
                continue
            issuers.append(configuration["issuer"])
            found = self._get(configuration["jwks_uri"]) or {"keys": []}
            keys |= {key["kid"]: jwt.PyJWK(key) for key in found["keys"] if key.get("kty") == "RSA"}
        if not keys:
            raise ServiceError(HTTPStatus.SERVICE_UNAVAILABLE, "The authority publishes no keys to check tokens with.")
        self._issuers, self._keys, self._read_at = issuers, keys, time.monotonic()

    def _get(self, url: str) -> Any:
        try:
            response = self._client.send_request(HttpRequest("GET", url))
        except AzureError as error:
            raise ServiceError(
                HTTPStatus.SERVICE_UNAVAILABLE, f"The authority does not answer: {error.message}"
            ) from error
        return response.json() if response.status_code == HTTPStatus.OK else None


def _caller(claims: Mapping[str, Any]) -> Caller:
    # A token for an application itself has no scopes; `idtyp` is an optional claim, believed where it is there.
    application = claims.get("idtyp") == "app" if "idtyp" in claims else "scp" not in claims
    application_id = str(claims.get("appid") or claims.get("azp") or "")
    return Caller(
        object_id=str(claims["oid"]),
        application_id=application_id if application and application_id else None,
        name=str(
            claims.get("upn") or claims.get("preferred_username") or claims.get("app_displayname") or claims["oid"]
        ),
    )


class Administrators:
    """Remembers for a short while which callers an organization said are its System Administrators."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._admitted: dict[tuple[str, str], float] = {}

    def admit(self, organization: str, caller: Caller, ask: Callable[[], bool]) -> None:
        """Raises 403 unless `ask` says yes. Only a yes is remembered."""
        entry = (organization, caller.object_id)
        with self._lock:
            if time.monotonic() - self._admitted.get(entry, -ADMINISTRATOR_SECONDS * 2.0) < ADMINISTRATOR_SECONDS:
                return
        if not ask():
            raise forbidden(
                f"The caller '{caller.name}' failed authorization: no enabled user with the role System Administrator"
                f" of organization {organization}."
            )
        with self._lock:
            self._admitted[entry] = time.monotonic()
