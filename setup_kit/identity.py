"""Who signs in: credentials for the environment file's tenant, and a token for each audience."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setup_kit import github_token, known_errors
from setup_kit.ahead import begin
from setup_kit.clouds import Cloud
from setup_kit.errors import KitError
from setup_kit.secret import Secret

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

logger = logging.getLogger(__name__)

# A token this close to its end is fetched anew: the call it is for must not outlive it.
MARGIN_SECONDS = 300


@dataclass(frozen=True)
class Caller:
    """Who a token speaks for, from its claims. `groups` is empty where the token does not list them."""

    object_id: str
    name: str
    tenant_id: str
    groups: frozenset[str] = frozenset()
    application_id: str = ""
    kind: str = "User"  # or "ServicePrincipal", as role assignments call it


class Identity:
    """Signs in to one tenant of one cloud. Safe to use from many threads; a token is fetched once for an audience."""

    def __init__(self, cloud: Cloud, tenant: str, variables: Mapping[str, str] | None = None) -> None:
        """`variables`: AZURE_CLIENT_ID and its like; the process's own when left out."""
        self._cloud = cloud
        self._credential = _Shared(cloud, str(tenant), os.environ if variables is None else variables)

    @property
    def credential(self) -> TokenCredential:
        """For Azure's SDKs. Raises KitError, and nothing else, when a token is refused."""
        return self._credential

    def token(self, audience: str) -> Secret:
        """An access token for `audience`, written exactly as tokens carry it, a slash at its end included.

        Raises KitError when signing in is refused or the authority does not answer.
        """
        return Secret(self._credential.get_token(scope_of(audience)).token)

    def prepare(self, audience: str, **options: Any) -> None:
        """Begins to fetch a token that will be asked for, with the same options; whoever does gets it, or the error."""
        self._credential.prepare(scope_of(audience), **options)

    def caller(self) -> Caller:
        """Whom the tokens speak for. Raises KitError as `token` does."""
        audience = self._cloud.resource_manager_audience
        claims = _claims(self.token(audience))
        return Caller(
            object_id=str(claims["oid"]),
            name=str(next((claims[key] for key in _NAMES if claims.get(key)), claims["oid"])),
            tenant_id=str(claims["tid"]),
            groups=frozenset(str(group) for group in claims.get("groups", ())),
            application_id=str(claims.get("appid") or claims.get("azp") or ""),
            # Only a person's token lists the permissions that were delegated to the application.
            kind="User" if claims.get("scp") else "ServicePrincipal",
        )


def scope_of(audience: str) -> str:
    """The scope that asks for everything granted at `audience`.

    An audience that ends with a slash keeps it, so that the scope has two: Entra cuts exactly "/.default" off
    ("Scopes and permissions in the Microsoft identity platform").
    """
    return f"{audience}/.default"


# The claims that name a person or an application, best first.
_NAMES = ("upn", "preferred_username", "unique_name", "app_displayname", "name", "appid", "azp")


def _claims(token: Secret) -> dict[str, Any]:
    """The claims of a token. Not verified: what they are used for is checked by whom the token is sent to."""
    parts = token.reveal().split(".")
    try:
        payload = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(payload))
        claims["oid"], claims["tid"]
    except (IndexError, ValueError, KeyError, TypeError):
        raise KitError(
            "The access token does not say whom it speaks for",
            why="it is no JSON Web Token with the claims 'oid' and 'tid'",
            remedy="sign in as a user or a service principal of a Microsoft Entra tenant",
        ) from None
    return dict(claims)


class _Shared:
    """One credential for all clients: tokens are kept, and two threads never ask for the same one at once.

    Some credentials (the Azure CLI's) keep nothing themselves and start a process for each token.
    """

    def __init__(self, cloud: Cloud, tenant: str, variables: Mapping[str, str]) -> None:
        self._cloud = cloud
        self._tenant = tenant
        self._variables = variables
        self._lock = threading.Lock()
        self._inner: TokenCredential | None = None
        self._locks: dict[tuple[Any, ...], threading.Lock] = {}
        self._tokens: dict[tuple[Any, ...], AccessToken] = {}
        self._begun: dict[tuple[Any, ...], Future[AccessToken]] = {}

    def prepare(self, scope: str, **options: Any) -> None:
        key = self._key((scope,), self._tenant, options)
        with self._lock:
            if key not in self._tokens and key not in self._begun:
                self._begun[key] = begin(lambda: self._fetch((scope,), None, self._tenant, options))

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **options: Any
    ) -> AccessToken:
        """Azure's `TokenCredential`. The tenant is the environment file's unless a resource names its own."""
        tenant = tenant_id or self._tenant
        key = self._key(scopes, tenant, options)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            begun = self._begun.pop(key, None)
            kept = begun.result() if begun is not None else self._tokens.get(key)
            if kept is None or claims is not None or kept.expires_on - time.time() <= MARGIN_SECONDS:
                kept = self._fetch(scopes, claims, tenant, options)
            self._tokens[key] = kept
            return kept

    def _key(self, scopes: tuple[str, ...], tenant: str, options: Mapping[str, Any]) -> tuple[Any, ...]:
        return (scopes, tenant, bool(options.get("enable_cae")))

    def _fetch(self, scopes: tuple[str, ...], claims: str | None, tenant: str, options: dict[str, Any]) -> AccessToken:
        from azure.core.exceptions import AzureError

        try:
            return self._credential().get_token(*scopes, claims=claims, tenant_id=tenant, **options)
        except (AzureError, ValueError) as error:
            raise sign_in_error(error, self._cloud, tenant) from error

    def _credential(self) -> TokenCredential:
        with self._lock:
            if self._inner is None:
                self._inner = _credential(self._cloud, self._tenant, self._variables)
            return self._inner


def _credential(cloud: Cloud, tenant: str, variables: Mapping[str, str]) -> TokenCredential:
    """What AZURE_CLIENT_ID and its companions describe; else whatever Azure's default chain finds (`az login`)."""
    from azure import identity

    options: dict[str, Any] = {
        "authority": cloud.authority,
        "disable_instance_discovery": cloud.private_authority,
        "retry_connect": 2,  # a host that does not answer soon never will
    }
    if cloud.ca_file is not None:
        options["connection_verify"] = str(cloud.ca_file)
    client = variables.get("AZURE_CLIENT_ID")
    if client and variables.get("AZURE_CLIENT_SECRET"):
        return identity.ClientSecretCredential(tenant, client, variables["AZURE_CLIENT_SECRET"], **options)
    if client and variables.get("AZURE_CLIENT_CERTIFICATE_PATH"):
        return identity.CertificateCredential(
            tenant,
            client,
            variables["AZURE_CLIENT_CERTIFICATE_PATH"],
            password=variables.get("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
            **options,
        )
    if client and variables.get("AZURE_FEDERATED_TOKEN_FILE"):
        return identity.WorkloadIdentityCredential(
            tenant_id=tenant,
            client_id=client,
            token_file_path=variables["AZURE_FEDERATED_TOKEN_FILE"],
            **options,
        )
    if client and github_token.offered(variables):
        # Asked anew for each exchange: it ends after minutes, and a run may take longer.
        return identity.ClientAssertionCredential(tenant, client, lambda: github_token.job_token(variables), **options)
    if client and variables.get("AZURE_USERNAME") and variables.get("AZURE_PASSWORD"):
        logger.warning(
            "signing in with AZURE_USERNAME and AZURE_PASSWORD is deprecated and refused wherever"
            " multi-factor sign-in is on; use `az login` or a service principal"
        )
        return identity.UsernamePasswordCredential(
            client, variables["AZURE_USERNAME"], variables["AZURE_PASSWORD"], tenant_id=tenant, **options
        )
    # The chain's members know tenants of their own; each request names the file's, which they must allow.
    options["additionally_allowed_tenants"] = [tenant]
    return identity.DefaultAzureCredential(**options)


# How OpenSSL says that a certificate is not trusted.
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"

_CODE = re.compile(r"AADSTS(\d+)")


def sign_in_error(error: Exception, cloud: Cloud, tenant: str) -> KitError:
    """What a person should read when no token is given out. `original` is Entra's or the library's own text."""
    what = f"Signing in to tenant {tenant} at {cloud.authority} failed"
    original = str(error)
    reason = _not_answered(error)
    found = None if reason else _CODE.search(original)
    section, code = ("aadsts", found[1]) if found else ("connection", reason or known_errors.OTHER)
    meaning = known_errors.meaning(section, code, text=original, authority=cloud.authority, tenant=tenant)
    return KitError(what, **meaning.words, original=original)


def _not_answered(error: Exception) -> str:
    """The name that known_errors.yaml has for why Entra was not even asked; empty where it was."""
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError
    from azure.identity import CredentialUnavailableError

    # azure-identity wraps whatever went wrong on the way.
    if isinstance(error.__cause__ or error, ServiceRequestError | ServiceResponseError):
        return "untrusted" if UNTRUSTED in str(error) else "no_authority"
    if "get authority configuration" in str(error):
        return "no_tenant"
    if _CODE.search(str(error)) is None and (
        isinstance(error, CredentialUnavailableError) or "DefaultAzureCredential" in str(error)
    ):
        return "no_credential"
    return ""
