"""What Azure's services refuse, said so that the reader knows what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from setup_kit import known_errors
from setup_kit.errors import KitError
from setup_kit.identity import UNTRUSTED

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError, HttpResponseError


class AzureRefusal(KitError):  # noqa: N818 - an answer that callers act upon
    """A call that was refused or not answered.

    `code` is the service's word ("VaultAlreadyExists"), `reason` its inner one where it has two ("ForbiddenByRbac"),
    both empty when the service was not reached. `status` is HTTP's; a failed operation has 200. `broken_off`: the
    connection ended in the middle of the answer, so that what was asked for may have been done.
    """

    def __init__(
        self,
        what: str,
        *,
        code: str = "",
        reason: str = "",
        status: int | None = None,
        message: str = "",
        why: str = "",
        remedy: str = "",
        link: str = "",
        original: str = "",
        broken_off: bool = False,
    ) -> None:
        super().__init__(what, why=why, remedy=remedy, link=link, original=original)
        self.broken_off = broken_off
        self.code = code
        self.reason = reason
        self.status = status
        self.message = message

    def is_any(self, *codes: str) -> bool:
        """Whether the service's word, outer or inner, is one of these; upper and lower case are the same."""
        mine = {self.code.lower(), self.reason.lower()} - {""}
        return bool(mine & {code.lower() for code in codes})

    @property
    def not_found(self) -> bool:
        return self.status == 404

    @property
    def in_progress(self) -> bool:
        """Another operation is at work on the same thing: the same call will do in a while."""
        code = self.code.lower()
        return code in _BUSY or (self.status == 409 and code.endswith("inprogress"))

    @property
    def unreached(self) -> bool:
        return self.status is None


_BUSY = frozenset(
    {
        "anotheroperationinprogress",
        "conflictingserveroperation",
        "45505",
        "40823",
        "retryableerror",
        "objectisbeingdeleted",
    }
)

_NAMESPACE = re.compile(r"namespace '([^']+)'")
_ACTION = re.compile(r"action '([^']+)'")


def _register(message: str) -> str:
    found = _NAMESPACE.search(message)
    return f"run: az provider register --namespace {found[1] if found else '<namespace>'} --wait"


def _permit(message: str) -> str:
    found = _ACTION.search(message)
    action = f" a role that allows {found[1]}" if found else " a role that allows it"
    return f"ask an owner of the subscription for{action}; a role that was just given takes some minutes to hold"


@dataclass(frozen=True)
class _Suggestion:
    """What to say about some of the services' words. `remedy` may be made from the service's message."""

    codes: tuple[str, ...]
    why: str
    remedy: str | Callable[[str], str]


_SUGGESTIONS = (
    _Suggestion(
        ("MissingSubscriptionRegistration",),
        "the subscription is not registered for this resource provider",
        _register,
    ),
    _Suggestion(
        ("AuthorizationFailed", "LinkedAuthorizationFailed", "Forbidden"), "whoever is signed in may not do it", _permit
    ),
    _Suggestion(
        ("RequestDisallowedByPolicy",),
        "a policy of the subscription forbids it",
        "read the policy's name below, and change the environment file or ask the policy's owner for an exemption",
    ),
    _Suggestion(
        ("InvalidAuthenticationToken", "ExpiredAuthenticationToken", "AuthenticationFailed", "Unauthorized"),
        "the service does not accept the token",
        "check that 'tenant' and 'cloud' in the environment file are those of the subscription, and this clock",
    ),
    _Suggestion(
        ("InvalidAuthenticationTokenTenant",),
        "the subscription belongs to another tenant",
        "check 'tenant' and 'subscription' in the environment file",
    ),
    _Suggestion(
        ("SubscriptionNotFound", "InvalidSubscriptionId"),
        "there is no such subscription, or whoever is signed in has no role in it",
        "check 'subscription' in the environment file; list yours: az account list --output table",
    ),
    _Suggestion(
        ("ResourceGroupNotFound",),
        "the resource group is not there",
        "run: setup-kit apply",
    ),
    _Suggestion(
        ("ScopeLocked",),
        "a lock on the resource or its group forbids changes",
        "list the locks: az lock list; remove the one that is in the way, and put it back afterwards",
    ),
    _Suggestion(
        ("LocationNotAvailableForResourceGroup", "InvalidResourceLocation", "LocationNotAvailableForResourceType"),
        "the location does not exist or does not carry this kind of resource",
        "set 'location' to one that does: az account list-locations --output table",
    ),
    _Suggestion(
        ("RegionDoesNotAllowProvisioning", "ProvisioningDisabled"),
        "the region takes no new servers of this subscription at the moment",
        "set another 'location', or ask Azure's support for capacity in this one",
    ),
    _Suggestion(
        ("NameAlreadyExists", "ServerNameAlreadyExists"),
        "somebody else has a logical server of this name; names are shared by all of Azure",
        "set another 'sql.server'",
    ),
    _Suggestion(
        ("VaultAlreadyExists", "ConflictError"),
        "the vault's name is taken, maybe by a deleted vault; names are shared by all of Azure",
        "set another 'key_vault.name', or purge the deleted vault if it is yours: az keyvault list-deleted",
    ),
    _Suggestion(
        ("PasswordNotComplex", "PasswordTooShort", "PasswordTooLong"),
        "the administrator's password does not fulfil Azure's rules",
        "give one of 8 to 128 characters, with three of: small letters, capitals, digits, others; not the login's name",
    ),
    _Suggestion(
        ("40636", "InvalidDatabaseName"),
        "Azure reserves this database name",
        "set another 'sql.database.name'",
    ),
    _Suggestion(
        ("InvalidServerAdministratorLogin", "InvalidAdministratorLogin", "LoginNameReserved"),
        "Azure does not accept this name for an administrator",
        "set another 'sql.administrator.sql_login'",
    ),
    _Suggestion(
        ("SubscriptionRequestsThrottled", "TooManyRequests"),
        "too many requests were sent for this subscription",
        "wait some minutes and run the same command again",
    ),
    _Suggestion(
        ("ForbiddenByFirewall", "ForbiddenByConnection"),
        "the vault's firewall does not admit this machine",
        "admit your address: az keyvault network-rule add --name <vault> --ip-address <address>",
    ),
    _Suggestion(
        ("ForbiddenByRbac", "AccessDenied", "ForbiddenByPolicy"),
        "whoever is signed in has no permission for the vault's secrets, or it does not hold yet",
        "run: setup-kit apply, which gives the operator this permission",
    ),
    _Suggestion(
        ("SecretDisabled",),
        "the secret is disabled",
        "enable it: az keyvault secret set-attributes --enabled true",
    ),
    _Suggestion(
        ("ObjectIsDeletedButRecoverable",),
        "a deleted secret of this name waits to be purged or recovered",
        "recover it: az keyvault secret recover --vault-name <vault> --name <secret>",
    ),
    _Suggestion(
        ("PrincipalNotFound",),
        "Resource Manager does not know the principal yet",
        "run the same command again in some minutes",
    ),
    _Suggestion(
        ("Authorization_RequestDenied",),
        "whoever is signed in may not do it in the tenant's directory",
        "ask for the directory role Cloud Application Administrator, or have somebody who holds it do it",
    ),
)

_BY_CODE = {code.lower(): suggestion for suggestion in _SUGGESTIONS for code in suggestion.codes}


@contextmanager
def translating(what: str) -> Iterator[None]:
    """Turns what Azure's SDKs raise into AzureRefusal. `what`: one sentence that says what could not be done."""
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        raise refusal(error, what) from error


def refusal(error: AzureError, what: str) -> AzureRefusal:
    from azure.core.exceptions import (
        HttpResponseError,
        IncompleteReadError,
        ServiceRequestError,
        ServiceResponseError,
    )

    original = str(error)
    if isinstance(error, IncompleteReadError):
        broken = known_errors.meaning("connection", "broken_off")
        return AzureRefusal(what, **broken.words, original=original, broken_off=True)
    if isinstance(error, HttpResponseError) and (error.response is not None or error.error is not None):
        return _refused(error, what)
    reason = known_errors.OTHER
    if UNTRUSTED in original:
        reason = "untrusted"
    elif isinstance(error, ServiceRequestError | ServiceResponseError):
        reason = "unreached"
    return AzureRefusal(what, **known_errors.meaning("connection", reason).words, original=original)


def _refused(error: HttpResponseError, what: str) -> AzureRefusal:
    code, reason, message = _words(error)
    status = error.status_code
    suggestion = _BY_CODE.get(reason.lower()) or _BY_CODE.get(code.lower())
    why = suggestion.why if suggestion else ""
    remedy: str | Callable[[str], str] = suggestion.remedy if suggestion else ""
    if suggestion is None and status is not None and status >= 500:
        why, remedy = "the service has a problem of its own", "run the same command again in some minutes"
    if suggestion is None and status == 200:
        why, remedy = "the operation was taken and then failed", "run the same command again in some minutes"
    return AzureRefusal(
        what,
        code=code,
        reason=reason,
        status=status,
        message=message,
        why=why,
        remedy=remedy(message) if callable(remedy) else remedy,
        original=_original(code, reason, message) or str(error),
    )


def _words(error: HttpResponseError) -> tuple[str, str, str]:
    """The code, the inner code and the message of an error body, or what the SDK made of one."""
    body = _body(error)
    if body is not None:
        inner = body.get("innererror") or body.get("innerError")
        reason = str(inner.get("code") or "") if isinstance(inner, dict) else ""
        message = body.get("message") or body.get("Message") or ""
        return str(body.get("code") or body.get("Code") or ""), reason, str(message)
    if error.error is not None:
        return error.error.code or "", "", error.error.message or ""
    return "", "", ""


def _body(error: HttpResponseError) -> dict[str, object] | None:
    """`error` of a body; old versions of the SQL API have code and message at the top, gateways a bare `Message`."""
    try:
        document = error.response.json()  # type: ignore[union-attr]
    except (ValueError, AttributeError, TypeError):
        return None
    if not isinstance(document, dict):
        return None
    inner = document.get("error")
    if isinstance(inner, dict):
        return inner
    return document if {"code", "message", "Message"} & set(document) else None


def _original(code: str, reason: str, message: str) -> str:
    words = " ".join(f"({word})" for word in (code, reason) if word)
    return f"{words} {message}".strip()
