"""The sandbox and a destination in it, as the tests of its parts have them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.conftest import Sandbox, sandbox
from tests.sandbox.export_service.kit import Kit
from tests.sandbox.service.conftest import azure, ground

__all__ = ["azure", "ground", "kit", "sandbox"]


@pytest.fixture(scope="session")
def kit(sandbox: Sandbox) -> Iterator[Kit]:
    made = Kit(sandbox)
    yield made
    made.close()
