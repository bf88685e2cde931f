"""The servers of the conformance suite, and one runner of checks for each driver set-up and worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.sandbox.sql.conformance.checks", "tests.sandbox.sql.conformance.session")

from tests.sandbox.sql.conformance.client import World  # noqa: E402 - after the line above, which is for them
from tests.sandbox.sql.conformance.clients import CLIENTS  # noqa: E402
from tests.sandbox.sql.conformance.runner import Runner, runner  # noqa: E402
from tests.sandbox.sql.conformance.servers import started  # noqa: E402


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(tmp_path_factory.mktemp("conformance")) as world:
        yield world


class Runners(dict[str, Runner]):
    """Runners by the name of the set-up, made when first asked for."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def __missing__(self, name: str) -> Runner:
        self[name] = runner(CLIENTS[name], self.world)
        return self[name]


@pytest.fixture(scope="session")
def runners(world: World) -> Iterator[Runners]:
    runners = Runners(world)
    yield runners
    for each in runners.values():
        each.close()
