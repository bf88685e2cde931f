"""One sandbox for the main job in each worker, and one environment in it that is wholly provisioned."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.job.harness import Kit
from tests.sandbox.job.preloaded import PreloadedKit


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A folder beside a running sandbox, shared by a worker's tests: take environment names of your own."""
    made = PreloadedKit(tmp_path_factory.mktemp("job"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def dev(kit: Kit) -> str:
    """The name of an environment that was applied with success. Leave it as you found it."""
    kit.init("dev", profile__prefix="dev", profile__entities=["account", "contact"], profile__relationships=[])
    kit.apply("dev").succeeded()
    return "dev"
