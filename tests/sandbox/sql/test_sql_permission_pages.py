"""Which rows of the permission table were compared with the page they name, and how many are assumed."""

from __future__ import annotations

import pytest

from tests.sandbox.sql.permission_table import PAGES_READ, ROWS, SERVER_ROWS

ALL = (*ROWS, *SERVER_ROWS)
ASSUMED = sum(row.assumed for row in ALL)


@pytest.mark.parametrize("page", sorted(PAGES_READ), ids=str)
def test_a_page_that_was_read_is_named_by_a_row(page: str) -> None:
    assert page in {row.page for row in ALL} | {row.also for row in ALL}


@pytest.mark.parametrize("assumed", [ASSUMED], ids=[f"{ASSUMED} of {len(ALL)} rows are assumed"])
def test_no_more_rows_are_assumed_than_are_owned_up_to(assumed: int) -> None:
    assert assumed <= 10
