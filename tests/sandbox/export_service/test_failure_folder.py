"""The failure log's folder, read by its signed address; the signature is seen nowhere but on the wire."""

from __future__ import annotations

import logging
import socket
import traceback
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from setup_kit.errors import KitError
from setup_kit.export_service import failure_folder
from setup_kit.export_service.errors import UnreachableError
from setup_kit.export_service.failure_folder import FailureFile, FailureFolder
from setup_kit.secret import Secret
from tests.sandbox.export_service.stand_in import Asked, Reply, StandIn

SIGNATURE = "a+b/c=d e"
CONTAINER = "/failurelogs/p1"
LOG = "failurelog/2026/11/28/09/failures.txt"
ENTRY = "Entity: lead, RecordId: N/A, NotificationTime: , ChangeType: New, FailureReason: "


def folder(stand_in: StandIn, address: str = "") -> FailureFolder:
    query = f"sv=2022-11-02&sr=c&sp=rl&sig={quote(SIGNATURE, safe='')}"
    return FailureFolder(stand_in.cloud(), Secret(f"{address or stand_in.address}{CONTAINER}?{query}"))


def listing(*files: tuple[str, int], marker: str = "") -> Reply:
    blobs = "".join(
        f"<Blob><Name>{name}</Name><Properties><Content-Length>{size}</Content-Length></Properties></Blob>"
        for name, size in files
    )
    return Reply(
        body=f'\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>{blobs}</Blobs>'
        f"<NextMarker>{marker}</NextMarker></EnumerationResults>",
        headers={"Content-Type": "application/xml"},
    )


def test_files_are_listed_over_all_pages_with_the_signature_as_it_was_given(stand_in: StandIn) -> None:
    stand_in.replies[f"GET {CONTAINER}"] = [listing((LOG, 3), marker="m&amp;1"), listing(("data/2026/lead.jsonl", 5))]
    files = folder(stand_in).files()
    assert files == [FailureFile("data/2026/lead.jsonl", 5), FailureFile(LOG, 3)]
    assert [(file.is_log, file.hour) for file in files] == [
        (False, None),
        (True, datetime(2026, 11, 28, 9, tzinfo=UTC)),
    ]
    first, second = stand_in.of(CONTAINER)
    assert first.query == {"restype": "container", "comp": "list", "sv": "2022-11-02", "sr": "c", "sp": "rl"} | {
        "sig": SIGNATURE
    }
    assert second.query["marker"] == "m&1"
    assert "authorization" not in first.headers


def test_a_file_is_read_in_parts_and_one_that_is_gone_is_empty(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = f"{ENTRY}ungültig\n{ENTRY}again\n".encode()
    # The first part ends in the middle of a letter.
    size = data.index("ü".encode()) + 1
    monkeypatch.setattr(failure_folder, "PART_BYTES", size)

    def part(asked: Asked) -> Reply:
        first, last = asked.headers["x-ms-range"].removeprefix("bytes=").split("-")
        return Reply(206, data[int(first) : int(last) + 1])

    stand_in.replies[f"GET {CONTAINER}/{LOG}"] = part
    log = folder(stand_in)
    assert [failure.reason for failure in log.failures(FailureFile(LOG, len(data)))] == ["ungültig", "again"]
    assert len(stand_in.of(f"{CONTAINER}/{LOG}")) == -(-len(data) // size)
    assert log.failures(FailureFile("failurelog/gone", 10)) == []
    assert log.failures(FailureFile(LOG, 0)) == []


def test_an_address_that_is_no_longer_good_is_told_with_a_way_out(stand_in: StandIn) -> None:
    body = "<Error><Code>AuthenticationFailed</Code><Message>Signature not valid</Message></Error>"
    stand_in.replies[f"GET {CONTAINER}"] = Reply(403, body)
    with pytest.raises(KitError, match="refused to list its files") as refused:
        folder(stand_in).files()
    assert "run the command again" in refused.value.remedy
    assert "HTTP 403 AuthenticationFailed" in refused.value.original


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "{}",
        "<a><Blobs><Blob><Name>x</Name><Properties><Content-Length>x</Content-Length></Properties></Blob></Blobs></a>",
    ],
)
def test_an_answer_that_is_no_list_is_refused(stand_in: StandIn, body: str) -> None:
    stand_in.replies[f"GET {CONTAINER}"] = Reply(body=body)
    with pytest.raises(KitError, match="no list of files"):
        folder(stand_in).files()


def test_neither_an_error_nor_the_log_shows_the_signature(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"https://127.0.0.1:{nobody.getsockname()[1]}"
        with caplog.at_level(logging.DEBUG, "setup_kit"), pytest.raises(UnreachableError) as error:
            folder(stand_in, address).files()
    stand_in.replies[f"GET {CONTAINER}"] = Reply(403, f"<Error>sig={SIGNATURE}</Error>")
    with caplog.at_level(logging.DEBUG, "setup_kit"), pytest.raises(KitError) as refused:
        folder(stand_in).files()
    shown = "".join(traceback.format_exception(error.value)) + "".join(traceback.format_exception(refused.value))
    shown += error.value.original + refused.value.original + caplog.text
    assert "/failurelogs/p1" in caplog.text
    for secret in ("a+b/c", quote(SIGNATURE, safe=""), "a%2Bb"):
        assert secret not in shown
