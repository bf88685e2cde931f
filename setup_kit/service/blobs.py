"""The failure log as a container of Azure Blob Storage: list blobs, get a blob, nothing else.

Each profile's log is a container named after the profile's id, read with a shared access signature. Source: the
Blob service REST API; what is not here is refused by its names.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from aiohttp import web

from setup_kit.secret import Secret
from setup_kit.service import shared_access
from setup_kit.service.failure_log import Blob, FailureLog
from setup_kit.service.shared_access import SignatureRefused

ACCOUNT = "failurelogs"
VALID = timedelta(hours=24)
MOST = 5000  # blobs an answer
CONTAINER = f"/{ACCOUNT}/{{container}}"  # routes
BLOB = CONTAINER + "/{blob:.+}"


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    content_type: str = "application/xml"
    headers: Mapping[str, str] | None = None


class _BlobError(Exception):
    def __init__(self, status: int, code: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.detail = detail

    def answer(self, request_id: str) -> _Answer:
        message = f"{self.message}\nRequestId:{request_id}\nTime:{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        detail = f"<AuthenticationErrorDetail>{escape(self.detail)}</AuthenticationErrorDetail>" if self.detail else ""
        body = f"<Error><Code>{self.code}</Code><Message>{escape(message)}</Message>{detail}</Error>"
        return _Answer(self.status, _xml(body), headers={"x-ms-error-code": self.code})


class Containers:
    """The containers of one storage account, whose address is `{base}/failurelogs`. Its calls block."""

    def __init__(self, base: str, key: Secret, log: FailureLog, exists: Callable[[str], bool]) -> None:
        self._address = f"{base.rstrip('/')}/{ACCOUNT}"
        self._key = key
        self._log = log
        self._exists = exists

    def uri(self, profile_id: str) -> str:
        """The container's address with a signature that is good for 24 hours."""
        signature = shared_access.sign(self._key, ACCOUNT, profile_id, datetime.now(UTC) + VALID)
        return f"{self._address}/{profile_id}?{signature}"

    def answer(
        self, method: str, container: str, name: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> web.Response:
        request_id = str(uuid.uuid4())
        try:
            found = self._answer(method, container, name, query, headers)
        except _BlobError as error:
            found = error.answer(request_id)
        common = {"x-ms-request-id": request_id, "x-ms-version": shared_access.VERSION}
        return web.Response(
            status=found.status,
            body=found.body,
            headers={"Content-Type": found.content_type, **common, **(found.headers or {})},
        )

    def _answer(
        self, method: str, container: str, name: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> _Answer:
        try:
            shared_access.check(query, self._key, ACCOUNT, container, datetime.now(UTC))
        except SignatureRefused as refused:
            raise _unauthenticated(refused.detail) from None
        if method not in {"GET", "HEAD"}:
            message = "This request is not authorized to perform this operation using this permission."
            raise _BlobError(403, "AuthorizationPermissionMismatch", message)
        if not self._exists(container):
            raise _BlobError(404, "ContainerNotFound", "The specified container does not exist.")
        if name:
            return self._blob(container, name, query, headers)
        if query.get("restype") != "container" or query.get("comp") != "list":
            raise _BlobError(
                400, "UnsupportedQueryParameter", "Of a container only its list of blobs can be asked for here."
            )
        return self._list(container, query)

    def _list(self, container: str, query: Mapping[str, str]) -> _Answer:
        if "delimiter" in query:
            raise _BlobError(400, "UnsupportedQueryParameter", "The query parameter delimiter is not supported here.")
        prefix, marker = query.get("prefix", ""), query.get("marker", "")
        given = query.get("maxresults", str(MOST))
        if not re.fullmatch(r"[1-9]\d{0,8}", given):
            raise _BlobError(
                400, "OutOfRangeQueryParameterValue", "The value of the query parameter maxresults is out of range."
            )
        blobs = [blob for blob in self._log.blobs(container, prefix) if blob.name >= marker]
        most = min(int(given), MOST)
        following = escape(blobs[most].name) if len(blobs) > most else ""
        listed = "".join(_described(blob) for blob in blobs[:most])
        where = f"ServiceEndpoint={quoteattr(self._address + '/')} ContainerName={quoteattr(container)}"
        body = (
            f"<EnumerationResults {where}>"
            f"<Prefix>{escape(prefix)}</Prefix><Marker>{escape(marker)}</Marker><MaxResults>{most}</MaxResults>"
            f"<Blobs>{listed}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
        )
        return _Answer(200, _xml(body))

    def _blob(self, container: str, name: str, query: Mapping[str, str], headers: Mapping[str, str]) -> _Answer:
        if "comp" in query:
            raise _BlobError(400, "UnsupportedQueryParameter", "A blob can only be read here.")
        found = self._log.read(container, name)
        if found is None:
            raise _BlobError(404, "BlobNotFound", "The specified blob does not exist.")
        blob, data = found
        shown = {
            "Last-Modified": format_datetime(blob.modified, usegmt=True),
            "ETag": f'"{_etag(blob)}"',
            "Accept-Ranges": "bytes",
            "x-ms-blob-type": "AppendBlob",
        }
        kind = "text/plain; charset=utf-8"
        asked = headers.get("x-ms-range") or headers.get("Range")
        if asked is None:
            return _Answer(200, data, kind, shown)
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
        if part is None or int(part[1]) >= len(data):
            raise _BlobError(
                416, "InvalidRange", "The range specified is invalid for the current size of the resource."
            )
        first, last = int(part[1]), min(int(part[2] or len(data)), len(data) - 1)
        return _Answer(
            206, data[first : last + 1], kind, {**shown, "Content-Range": f"bytes {first}-{last}/{blob.size}"}
        )


def _unauthenticated(detail: str) -> _BlobError:
    failed = "Server failed to authenticate the request."
    if not detail:
        message = f"{failed} Please refer to the information in the www-authenticate header."
        return _BlobError(401, "NoAuthenticationInformation", message)
    message = f"{failed} Make sure the value of Authorization header is formed correctly including the signature."
    return _BlobError(403, "AuthenticationFailed", message, detail)


def _described(blob: Blob) -> str:
    return (
        f"<Blob><Name>{escape(blob.name)}</Name><Properties>"
        f"<Last-Modified>{format_datetime(blob.modified, usegmt=True)}</Last-Modified><Etag>{_etag(blob)}</Etag>"
        f"<Content-Length>{blob.size}</Content-Length><Content-Type>text/plain; charset=utf-8</Content-Type>"
        "<BlobType>AppendBlob</BlobType></Properties></Blob>"
    )


def _etag(blob: Blob) -> str:
    return f"0x{int(blob.modified.timestamp() * 1000):X}{blob.size:X}"


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>{body}'.encode()
