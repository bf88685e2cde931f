"""The cloud takes its time: operations are polled, told of, and waited out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from setup_kit.engine.resource import Progress
from setup_kit.environment.models import Environment
from tests.sandbox.azure.conftest import Kit, clients_of, document_of, identity_of
from tests.sandbox.conftest import Sandbox


@pytest.fixture
def slow_kit(new_sandbox: Callable[..., Sandbox]) -> Iterator[Kit]:
    """On a sandbox that takes a hundredth of the cloud's time: a server 0.75 s, a vault 0.2 s."""
    slow = new_sandbox(latency=0.01)
    azure = clients_of(slow, identity_of(slow))
    yield Kit(slow, Environment.model_validate(document_of(slow)), azure)
    azure.close()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_a_vault_is_there_only_once_its_name_is_registered(slow_kit: Kit) -> None:
    slow_kit.settle(slow_kit.group, slow_kit.vault)
    assert slow_kit.vault.observed is not None
    assert slow_kit.vault.observed.ready
    asked = [entry for entry in slow_kit.requests() if entry["path"].endswith(f"/vaults/{slow_kit.vault.name}")]
    assert [entry["method"] for entry in asked].count("GET") >= 2
    # Its data plane answers, which it does not before.
    slow_kit.settle(slow_kit.operator_access)
    assert slow_kit.drift(slow_kit.vault, slow_kit.operator_access) == []


def test_a_run_that_follows_a_killed_one_waits_for_its_server_and_uses_it(slow_kit: Kit) -> None:
    slow_kit.settle(slow_kit.group)
    [creation] = slow_kit.drift(slow_kit.server)
    told: list[Progress] = []
    slow_kit.server.report = told.append
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(slow_kit.server.apply, creation)
        until(lambda: any(entry["status"] == 202 and entry["method"] == "PUT" for entry in slow_kit.requests()))
        again = Kit(slow_kit.sandbox, slow_kit.environment, slow_kit.azure)
        again.settle(again.group, again.server)
        assert killed.result(30) == again.server.observed
    statuses = [
        entry["status"]
        for entry in slow_kit.requests()
        if entry["method"] == "PUT" and entry["path"].endswith(f"/servers/{slow_kit.server.name}")
    ]
    assert 409 in statuses, "the second run came while the first one's server was in the making"
    assert again.drift(again.server) == []
    assert {(progress.item, progress.unit) for progress in told} == {("creating", "seconds")}
