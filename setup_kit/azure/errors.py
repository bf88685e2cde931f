"""What Azure's services refuse, said so that the reader knows what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
        return known_errors.transient("azure", self.code) or (
            self.status == 409 and self.code.lower().endswith("inprogress")
        )

    @property
    def ridden_out(self) -> float:
        """For how many seconds it may pass by itself, right after what it is about was made; 0 where it will not."""
        return max(known_errors.ridden_out("azure", word) for word in (self.code, self.reason))

    @property
    def unreached(self) -> bool:
        return self.status is None


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
    known = (
        known_errors.find("azure", reason, code, text=message, operation=_operation(error))
        or known_errors.find("http", status or "")
        or (known_errors.meaning("azure", code) if code else known_errors.meaning("http", status or "error"))
    )
    return AzureRefusal(
        what,
        **known.words,
        code=code,
        reason=reason,
        status=status,
        message=message,
        original=_original(code, reason, message) or str(error),
    )


def _operation(error: HttpResponseError) -> str:
    """What was asked: "PUT https://host/path", without the query, which may be signed."""
    request = getattr(error.response, "request", None)
    url = str(getattr(request, "url", "")).partition("?")[0]
    return f"{getattr(request, 'method', '')} {url}"


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
