"""Every check of the suite, with every driver set-up that has what the check needs."""

from __future__ import annotations

import pytest

from tests.sandbox.sql.conformance.catalogue import CHECKS
from tests.sandbox.sql.conformance.clients import CLIENTS
from tests.sandbox.sql.conformance.runner import Runner

PAIRS = [
    pytest.param(name, check.name, id=f"{name}, {check.name}")
    for name, client in CLIENTS.items()
    for check in CHECKS.values()
    if check.left_out(client) is None
]


@pytest.mark.parametrize(("client", "check"), PAIRS)
def test_driver(client: str, check: str, runners: dict[str, Runner]) -> None:
    runners[client].run(check)


@pytest.mark.parametrize("client", CLIENTS)
def test_each_set_up_runs_at_least_300_checks(client: str) -> None:
    assert sum(check.left_out(CLIENTS[client]) is None for check in CHECKS.values()) >= 300
