"""The folder with a profile's failures: a container of Azure Blob Storage that whoever has its address may read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import ElementTree

from setup_kit.clouds import Cloud
from setup_kit.errors import KitError
from setup_kit.export_service.errors import without_secrets
from setup_kit.export_service.failures import Failure, read_failures
from setup_kit.export_service.wire import Answer, Wire
from setup_kit.secret import Secret

# Of failed changes, and of those that failed again when they were exported anew.
LOGS = ("failurelog/", "forcerefreshfailurelog/")
PART_BYTES = 4 * 1024 * 1024

_HOUR = re.compile(r"/(\d{4}/\d{2}/\d{2}/\d{2})/")
_CODE = re.compile(r"<Code>([^<]*)</Code>")


@dataclass(frozen=True)
class FailureFile:
    """`name` is its path in the folder, with slashes; `size` is in bytes."""

    name: str
    size: int

    @property
    def is_log(self) -> bool:
        return self.name.startswith(LOGS)

    @property
    def hour(self) -> datetime | None:
        """When the hour that it is of began (UTC); None where its name does not say."""
        found = _HOUR.search(self.name)
        try:
            return datetime.strptime(found[1], "%Y/%m/%d/%H").replace(tzinfo=UTC) if found else None
        except ValueError:
            return None


class FailureFolder:
    """Errors are KitErrors, and hold nothing of the signature: UnreachableError when the storage does not answer."""

    def __init__(self, cloud: Cloud, address: Secret) -> None:
        """`address` is what the service answers: the container's URL with a shared access signature."""
        parts = urlsplit(address.reveal())
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._access: dict[str, str | Secret] = {
            name: Secret(value) if name == "sig" else value
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        }
        self._wire = Wire(cloud)

    def files(self) -> list[FailureFile]:
        """All files, by name."""
        found: list[FailureFile] = []
        marker = ""
        while True:
            query = {"restype": "container", "comp": "list", **({"marker": marker} if marker else {})}
            answer = self._wire.send("GET", self.url, query | self._access)
            if answer.status != 200:
                raise _refused("list its files", answer)
            page, marker = _listed(answer)
            found += page
            if not marker:
                return sorted(found, key=lambda file: file.name)

    def read(self, file: FailureFile) -> Iterator[bytes]:
        """What the file holds, in parts. Nothing for one that is gone: files older than thirty days go."""
        at = 0
        while at < file.size:
            headers = {"x-ms-range": f"bytes={at}-{min(at + PART_BYTES, file.size) - 1}"}
            answer = self._wire.send("GET", f"{self.url}/{quote(file.name)}", self._access, headers=headers)
            if answer.status == 404:
                return
            if answer.status not in (200, 206):
                raise _refused(f"read {file.name}", answer)
            if not answer.content:
                return
            yield answer.content
            # A storage that does not know ranges answers with all.
            at += len(answer.content)

    def failures(self, file: FailureFile) -> list[Failure]:
        """The entries of one file of the log."""
        return list(read_failures(b"".join(self.read(file)).decode("utf-8-sig", errors="replace")))

    def close(self) -> None:
        self._wire.close()


def _listed(answer: Answer) -> tuple[list[FailureFile], str]:
    """The files of one answer, and the marker of the next one; empty when there is none."""
    try:
        root = ElementTree.fromstring(answer.content)  # noqa: S314 - expat bounds what entities grow to
        files = [
            FailureFile(blob.findtext("Name") or "", int(blob.findtext("Properties/Content-Length") or 0))
            for blob in root.iterfind("Blobs/Blob")
        ]
    except (ElementTree.ParseError, ValueError) as error:
        raise KitError(
            "the failure log's storage answered something that is no list of files",
            why="something else answers at this address, or a proxy on the way",
            remedy="check the network and its proxy",
            original=without_secrets(answer.text)[:200],
        ) from error
    return [file for file in files if file.name], root.findtext("NextMarker") or ""


def _refused(what: str, answer: Answer) -> KitError:
    code = _CODE.search(answer.text)
    expired = answer.status in (401, 403)
    return KitError(
        f"the failure log's storage refused to {what}",
        why="its address is signed for a day, and the signature is not accepted (any more)" if expired else "",
        remedy="run the command again, which asks the service for a new address" if expired else "",
        original=f"HTTP {answer.status} {code[1] if code else ''}: {without_secrets(answer.text)[:300]}",
    )
