"""JSON over HTTPS: requests with a token, repeated where that is right, and answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    RetryPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from setup_kit import __version__
from setup_kit.clouds import Cloud
from setup_kit.export_service.errors import UnreachableError, without_secrets
from setup_kit.secret import Secret

log = logging.getLogger(__name__)

CONNECT_SECONDS = 15
READ_SECONDS = 120  # validation connects to the destination before it answers


@dataclass(frozen=True)
class Answer:
    """`headers` have lower-case names; `content` is the body; `url` has no query."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str

    @property
    def text(self) -> str:
        """The body; what is not UTF-8, as all that is asked here is, has a mark in its place."""
        return self.content.decode("utf-8-sig", errors="replace")

    def json(self) -> Any:
        """The body; None when it is empty. Raises UnreachableError when it is no JSON (a gateway's page, mostly)."""
        if not self.text.strip():
            return None
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise UnreachableError(
                f"{self.url} did not answer in JSON",
                why="something else answers at this address, or a proxy on the way",
                original=f"HTTP {self.status}: {without_secrets(self.text)[:200]}",
            ) from error


class _Retries(RetryPolicy[Any, Any]):
    """A POST is repeated only where the server says that it did not take it: 429 and 503 with a time to wait."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        if response.http_request.method == "POST":
            answer = response.http_response
            return answer.status_code in (429, 503) and self.get_retry_after(response) is not None
        return bool(super().is_retry(settings, response))


class Wire:
    """Requests to HTTPS hosts of one cloud, with one token. Safe to use from several threads."""

    def __init__(self, cloud: Cloud, credential: TokenCredential | None = None, scope: str = "") -> None:
        """`scope` is what the token is asked for ("<audience>/.default"); without a credential none is sent."""
        policies: list[Any] = [
            RequestIdPolicy(),
            HeadersPolicy({"Accept": "application/json"}),
            UserAgentPolicy(base_user_agent=f"setup-kit/{__version__}"),
            _Retries(retry_total=6, retry_connect=2, retry_read=2, retry_status=5, retry_backoff_factor=0.5),
        ]
        if credential is not None:
            policies.append(BearerTokenCredentialPolicy(credential, scope))
        self._client: PipelineClient[Any, Any] = PipelineClient(
            "",
            policies=policies,
            transport=RequestsTransport(
                connection_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                connection_verify=str(cloud.ca_file) if cloud.ca_file else True,
            ),
        )

    def send(
        self,
        method: str,
        url: str,
        query: Mapping[str, str | Secret] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status. Raises UnreachableError when there is none; what the credential raises.

        A query's secret goes on the wire only: neither the log nor an error has it.
        """
        host = urlsplit(url).netloc
        # azure-core puts them into the URL as they are.
        parameters = {name: quote(_plain(value), safe="") for name, value in (query or {}).items()}
        request = HttpRequest(method, url, params=parameters, headers=dict(headers or {}), json=body)
        try:
            response = self._client.send_request(request)
        except AzureError as error:
            failed: AzureError = error
        else:
            return self._answer(method, url, response)
        secrets = [value for value in (query or {}).values() if isinstance(value, Secret)]
        unreachable = UnreachableError(
            f"{host} does not answer",
            remedy="check the address, the network and its proxy, and that the certificate is trusted",
            original=_struck(failed.message, secrets),
        )
        # What the SDK raised names the whole URL.
        raise unreachable from (None if secrets else failed)

    def _answer(self, method: str, url: str, response: HttpResponse) -> Answer:
        log.debug("%s %s %d", method, url, response.status_code)
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            content=response.content,
            url=url,
        )

    def close(self) -> None:
        self._client.close()


def _plain(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _struck(text: str, secrets: Iterable[Secret]) -> str:
    """The text without these secrets, written as they are or as in a URL."""
    for secret in secrets:
        for written in (secret.reveal(), quote(secret.reveal(), safe="")):
            text = text.replace(written, str(secret))
    return without_secrets(text)
