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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from setup_kit import github_token
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

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **options: Any
    ) -> AccessToken:
        """Azure's `TokenCredential`. The tenant is the environment file's unless a resource names its own."""
        tenant = tenant_id or self._tenant
        key = (scopes, tenant, bool(options.get("enable_cae")))
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            kept = self._tokens.get(key)
            if kept is not None and claims is None and kept.expires_on - time.time() > MARGIN_SECONDS:
                return kept
            token = self._fetch(scopes, claims, tenant, options)
            self._tokens[key] = token
            return token

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


@dataclass(frozen=True)
class _Refusal:
    """What one of Entra's error codes means, and what to do. `{tenant}` is filled in."""

    codes: tuple[int, ...]
    why: str
    remedy: str


# Source: "Microsoft Entra authentication and authorization error codes".
_REFUSALS = (
    _Refusal(
        (7000215,),
        "the client secret is wrong",
        "set AZURE_CLIENT_SECRET to the secret's value (not its id) of the application AZURE_CLIENT_ID",
    ),
    _Refusal(
        (7000222,),
        "the client secret has expired",
        "make a new one (az ad app credential reset --id <AZURE_CLIENT_ID>) and set AZURE_CLIENT_SECRET",
    ),
    _Refusal(
        (700016, 7000229),
        "the tenant does not know the application",
        "check AZURE_CLIENT_ID, and 'tenant' in the environment file ({tenant})",
    ),
    _Refusal((90002, 900023), "there is no such tenant", "check 'tenant' in the environment file ({tenant})"),
    _Refusal(
        (500011,),
        "the service that the token is for has no service principal in the tenant",
        "check 'tenant' in the environment file ({tenant}); an administrator may have to add the service to it",
    ),
    _Refusal(
        (65001, 650057),
        "nobody has consented that the application calls this service",
        "have an administrator grant consent (az ad app permission admin-consent --id <AZURE_CLIENT_ID>)",
    ),
    _Refusal(
        (50076, 50079, 50078, 50158),
        "multi-factor sign-in is asked for",
        "sign in again: az login --tenant {tenant}; in a pipeline use a service principal",
    ),
    _Refusal((50126,), "the user name or the password is wrong", "check AZURE_USERNAME and AZURE_PASSWORD"),
    _Refusal(
        (53003, 53000, 53001),
        "a conditional access policy does not let this sign-in through",
        "sign in from where the policy allows it, or ask its administrator",
    ),
    _Refusal(
        (70043, 700082, 50173, 70008, 700084),
        "the kept sign-in has expired",
        "sign in again: az login --tenant {tenant}",
    ),
    _Refusal(
        (700027, 700024),
        "the certificate or the assertion of the application is not accepted",
        "check AZURE_CLIENT_CERTIFICATE_PATH, that its public part is registered, and this machine's clock",
    ),
)

# How OpenSSL says it, and what helps.
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
TRUST = "set REQUESTS_CA_BUNDLE to a file with the authority that signed it: a company's proxy may put its own there"

_CODE = re.compile(r"AADSTS(\d+)")


def sign_in_error(error: Exception, cloud: Cloud, tenant: str) -> KitError:
    """What a person should read when no token is given out. `original` is Entra's or the library's own text."""
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError
    from azure.identity import CredentialUnavailableError

    what = f"Signing in to tenant {tenant} at {cloud.authority} failed"
    original = str(error)
    # azure-identity wraps whatever went wrong on the way.
    if isinstance(error.__cause__ or error, ServiceRequestError | ServiceResponseError):
        if UNTRUSTED in original:
            return KitError(what, why="its certificate is not trusted here", remedy=TRUST, original=original)
        return KitError(
            what,
            why="the authority does not answer",
            remedy=f"check the network, a proxy, and that {cloud.authority} is the right authority",
            original=original,
        )
    if "get authority configuration" in original:
        return KitError(
            what,
            why="the authority does not know the tenant, or is none",
            remedy="check 'tenant' and 'cloud' in the environment file",
            original=original,
        )
    found = _CODE.search(original)
    if found:
        code = int(found[1])
        for refusal in _REFUSALS:
            if code in refusal.codes:
                return KitError(what, why=refusal.why, remedy=refusal.remedy.format(tenant=tenant), original=original)
        return KitError(
            what,
            why=f"Microsoft Entra refused with AADSTS{code}",
            remedy=f"look it up at https://login.microsoftonline.com/error?code={code}",
            original=original,
        )
    if isinstance(error, CredentialUnavailableError) or "DefaultAzureCredential" in original:
        return KitError(
            what,
            why="no credential was found on this machine",
            remedy=f"run: az login --tenant {tenant}; or set AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
            original=original,
        )
    return KitError(what, remedy="check the credential that the environment variables describe", original=original)
