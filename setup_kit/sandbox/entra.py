"""Microsoft Entra: signs tokens for applications, and checks them for the other parts."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from setup_kit.sandbox.state import State
from setup_kit.sandbox.tenant import Principal, Tenant

LIFETIME = 3600
ALGORITHM = "RS256"


@dataclass(frozen=True)
class Caller:
    """Who a verified token speaks for."""

    object_id: str
    app_id: str
    tenant_id: str
    name: str
    groups: frozenset[str] = frozenset()


class TokenRefused(Exception):  # noqa: N818 (the other parts know it by this name)
    """A token that is not good here; `code` is Azure's word for why, never with a part of the token."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Tokens:
    """Signs and checks access tokens with one RSA key, which is made once and kept in the state."""

    def __init__(self, state: State, tenant: Tenant, authority: str) -> None:
        self._tenant = tenant
        self.issuer = f"{authority}/{tenant.id}/v2.0"
        self._key_id, self._key = _signing_key(state)
        self._public = self._key.public_key()

    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set that others check signatures with."""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._public, as_dict=True)
        return {"keys": [{**key, "kid": self._key_id, "use": "sig", "alg": ALGORITHM, "issuer": self.issuer}]}

    def issue(self, principal: Principal, audience: str, lifetime: int = LIFETIME) -> str:
        """An application's access token for `audience`, good for `lifetime` seconds from now (negative: past)."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": self.issuer,
            "iat": now + min(lifetime, 0) - 300,
            "nbf": now + min(lifetime, 0) - 300,
            "exp": now + lifetime,
            "appid": principal.app_id,
            "azp": principal.app_id,
            "app_displayname": principal.name,
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": self._tenant.id,
            "uti": uuid.uuid4().hex,
            "ver": "2.0",
        }
        groups = sorted(self._tenant.groups_of(principal.object_id))
        if groups:
            claims["groups"] = groups
        return jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self._key_id})

    def check(self, token: str, audience: str) -> Caller:
        """The caller that `token` speaks for at `audience` (with or without a slash at its end).

        Raises TokenRefused when signature, issuer, audience or time are not right.
        """
        bare = audience.rstrip("/")
        return self._caller(token, [bare, bare + "/"])

    def audience(self, token: str) -> str:
        """What a good token is for."""
        return str(jwt.decode(token, options={"verify_signature": False})["aud"])

    def identify(self, token: str) -> Caller | None:
        """Who signed in with `token`, whatever it is for; None when it is not a good token. For logs only."""
        try:
            return self._caller(token, None)
        except TokenRefused:
            return None

    def _caller(self, token: str, audiences: list[str] | None) -> Caller:
        try:
            claims = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                issuer=self.issuer,
                audience=audiences,
                options={"require": ["exp", "iss", "aud", "oid", "tid"], "verify_aud": audiences is not None},
            )
        except jwt.ExpiredSignatureError:
            now = datetime.now(UTC).strftime("%m/%d/%Y %I:%M:%S %p")
            raise TokenRefused(
                "ExpiredAuthenticationToken", f"The access token has expired. Current UTC time is '{now}'."
            ) from None
        except jwt.InvalidAudienceError:
            allowed = ",".join(f"'{each}'" for each in audiences or ())
            raise TokenRefused(
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource."
                f" It should exactly match with one of the allowed audiences {allowed}.",
            ) from None
        except jwt.PyJWTError:
            raise TokenRefused("InvalidAuthenticationToken", "The access token is invalid.") from None
        return Caller(
            object_id=str(claims["oid"]),
            app_id=str(claims.get("appid", "")),
            tenant_id=str(claims["tid"]),
            name=str(claims.get("app_displayname", "")),
            groups=frozenset(claims.get("groups", ())),
        )


def _signing_key(state: State) -> tuple[str, rsa.RSAPrivateKey]:
    kept = state.get("keys", "entra")
    if kept is None:
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        kept = {"id": uuid.uuid4().hex, "pem": pem.decode()}
        state.put("keys", "entra", kept)
    key = serialization.load_pem_private_key(kept["pem"].encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the kept signing key is no RSA key")
    return kept["id"], key
