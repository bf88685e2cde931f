from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.export_service.kit import Kit
from tests.sandbox.export_service.stand_in import StandIn

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    server = StandIn(tmp_path)
    yield server
    server.close()


@pytest.fixture(scope="session")
def kit(sandbox: Sandbox) -> Iterator[Kit]:
    made = Kit(sandbox)
    yield made
    made.close()
