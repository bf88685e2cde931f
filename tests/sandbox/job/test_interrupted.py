"""Ctrl-C while a command only looks: it ends with 130 and says that it has not seen all."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from setup_kit.sandbox import faults
from setup_kit.sandbox.faults import Fault
from tests.sandbox.job.harness import COMMAND, Finished, Kit

NAME = "stopped-look"


@pytest.fixture(scope="session", autouse=True)
def environment(kit: Kit) -> None:
    kit.init(NAME)


SIGN_IN = Fault("drip", part="entra", method="POST", seconds=1)
SQL = Fault("drip", part="sql", seconds=1)


def interrupted(kit: Kit, *arguments: str, waiting: Fault = SIGN_IN) -> Finished:
    """How a command ends that is interrupted while it waits for the sandbox."""
    made = faults.add(kit.sandbox_folder, waiting)
    try:
        started = subprocess.Popen(
            [COMMAND, *arguments],
            cwd=kit.folder,
            env=kit.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        kit.await_request(started, fault=made.id)
        started.send_signal(signal.SIGINT)
    finally:
        faults.clear(kit.sandbox_folder)
    out, err = started.communicate(timeout=60)
    return Finished(started.returncode, out, err).failed(130)


@pytest.mark.parametrize("command", ["plan", "status", "verify"])
def test_an_interrupted_look_says_so_in_words_and_in_its_document(kit: Kit, command: str) -> None:
    said = interrupted(kit, command, "-e", NAME).text
    assert "Interrupted." in said
    assert "No changes" not in said
    assert "failed\n" not in said
    assert "unexpected" not in said
    document = json.loads(interrupted(kit, command, "-e", NAME, "--output", "json").out)
    assert document["interrupted"] is True


def test_an_interrupted_verification_blames_no_check_for_what_it_did_not_look_at(kit: Kit) -> None:
    findings = json.loads(interrupted(kit, "verify", "-e", NAME, "--output", "json").out)["findings"]
    skipped = [each["message"] for each in findings if each["status"] == "skipped"]
    assert skipped
    assert set(skipped) == {"not looked at, because the look was interrupted"}


def test_an_interrupted_import_writes_nothing(kit: Kit, dev: str) -> None:
    for waiting in (SIGN_IN, SQL):
        words = ("import", "stopped-import", "--cloud", "sandbox", "--profile", f"Contoso {dev}")
        assert "Interrupted." in interrupted(kit, *words, waiting=waiting).err
        assert not kit.path("stopped-import").exists()
