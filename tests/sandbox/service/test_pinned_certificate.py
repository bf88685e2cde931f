from pathlib import Path

import pytest

from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlError, connect
from tests.sandbox.service.conftest import DATABASE, PASSWORD, USER, Ground


def test_a_server_with_another_certificate_than_the_pinned_one_is_not_spoken_to(ground: Ground) -> None:
    other = Path(ground.azure.sandbox["ca_file"])
    with pytest.raises(SqlError, match="certificate") as caught:
        connect(ground.address, DATABASE, user=USER, password=Secret(PASSWORD), certificate=other, timeout=5)
    assert caught.value.state == "08001"
    assert PASSWORD not in str(caught.value)


def test_a_server_that_no_root_vouches_for_is_not_spoken_to(ground: Ground) -> None:
    with pytest.raises(SqlError, match="certificate"):
        connect(ground.address, DATABASE, user=USER, password=Secret(PASSWORD), timeout=5)
