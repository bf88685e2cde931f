"""Calls that no SDK in the lock has, over the same pipeline as the SDKs' own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from setup_kit.azure import pipeline
from setup_kit.azure.errors import translating

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import RequestsTransport


class Rest:
    """JSON to and from one service at `base_url`, with tokens for `scope`."""

    def __init__(self, base_url: str, credential: TokenCredential, scope: str, transport: RequestsTransport) -> None:
        from azure.core import PipelineClient

        self._client: PipelineClient[Any, Any] = PipelineClient(
            base_url=base_url, policies=pipeline.policies(credential, scope), transport=transport
        )

    def send(self, method: str, path: str, what: str, body: object = None, *, asks: bool = False) -> dict[str, Any]:
        """The answer's body, empty where it has none. Raises AzureRefusal; `what` says what could not be done.

        `asks`: it changes nothing, so that a POST too may be repeated.
        """
        from azure.core.exceptions import HttpResponseError
        from azure.core.rest import HttpRequest

        options = dict(pipeline.REPEATABLE) if asks else {}
        with translating(what):
            request = HttpRequest(method, self._client.format_url(path), json=body)
            response = self._client.send_request(request, **options)
            if response.status_code >= 400:
                raise HttpResponseError(response=response)
            return dict(response.json()) if response.content else {}

    def all(self, path: str, what: str) -> Iterator[dict[str, Any]]:
        """The `value` of each page of a list."""
        following: str | None = path
        while following:
            page = self.send("GET", following, what)
            yield from page.get("value") or ()
            following = page.get("nextLink")
