"""`profile watch` ends as it says: done, not done in time, nothing to watch, interrupted."""

from __future__ import annotations

import signal
import threading

import pytest

from setup_kit.errors import ExitCode
from tests.sandbox.job.harness import Kit

NAME = "watched"


@pytest.fixture(scope="session")
def watched(kit: Kit, dev: str) -> str:
    """A profile beside dev's that is active for metadata only, so that no row ever comes."""
    kit.beside(NAME, dev, name="Watched", prefix=NAME, entities=["team"])
    kit.run("profile", "create", "-e", NAME, "--yes").succeeded()
    idle = kit.run("profile", "watch", "-e", NAME)
    assert idle.code == ExitCode.FAILED
    assert "is not active" in idle.err
    kit.run("profile", "activate", "-e", NAME, "--metadata", "--yes").succeeded()
    kit.run("profile", "watch", "-e", NAME, "--metadata").succeeded()
    return NAME


def test_what_is_not_done_in_time_fails_the_watching_and_says_how_far_it_is(kit: Kit, watched: str) -> None:
    late = kit.run("profile", "watch", "-e", watched, "--for", "1s", "--output", "json")
    assert late.code == ExitCode.VERIFICATION_FAILED
    (finding,) = late.json["findings"]
    assert finding["check"] == "initial_sync.unfinished"
    assert "team NotStarted" in finding["message"]


def test_an_interrupt_ends_the_watching(kit: Kit, watched: str) -> None:
    before = len(looks(kit))
    watching = kit.start("profile", "watch", "-e", watched)
    pause = threading.Event()
    # The first looks are those that find the profile; then it waits.
    while len(looks(kit)) < before + 5:
        assert watching.poll() is None
        pause.wait(0.05)
    watching.send_signal(signal.SIGINT)
    assert watching.wait(60) == ExitCode.INTERRUPTED


def looks(kit: Kit) -> list[str]:
    return [each["path"] for each in kit.requests() if "/profiles/" in each["path"] and each["method"] == "GET"]
