"""Picking nodes by patterns of their addresses."""

from __future__ import annotations

import pytest

from setup_kit.engine.graph import ordered
from setup_kit.engine.resource import Change, Resource
from setup_kit.engine.selection import select
from setup_kit.errors import UsageError


class Thing(Resource[str]):
    kind = "thing"

    def read(self) -> str | None:
        return None

    def diff(self, observed: str | None) -> list[Change]:
        return []

    def apply(self, change: Change) -> str:
        return ""

    def delete(self, observed: str) -> None:
        return None


SERVER = Thing("server")
ODD = Thing("a [1]*", within=SERVER)
DATABASE = Thing("Database", within=SERVER)
GRANTS = Thing("grants", within=DATABASE)
NODES = (GRANTS, ODD)


def test_without_a_pattern_everything_is_picked() -> None:
    assert select(NODES, ()) == (SERVER, DATABASE, GRANTS, ODD)


@pytest.mark.parametrize("pattern", ["thing/database", "THING/DATA*", "*base"])
def test_a_pattern_picks_in_any_case_and_what_is_needed_comes_along(pattern: str) -> None:
    picked = select(NODES, [pattern])
    assert picked == (DATABASE,)
    assert ordered(picked) == [SERVER, DATABASE]


def test_several_patterns_add_up() -> None:
    assert select(NODES, ["thing/grants", "*/server"]) == (SERVER, GRANTS)


def test_an_address_is_found_although_it_reads_as_a_pattern() -> None:
    assert select(NODES, ["thing/a [1]*"]) == (ODD,)


def test_a_pattern_that_nothing_is_like_is_refused_with_the_addresses() -> None:
    with pytest.raises(UsageError) as refused:
        select(NODES, ["thing/server", "grants/*"])
    assert "'grants/*'" in refused.value.what
    assert refused.value.why.splitlines()[1:] == ["thing/server", "thing/Database", "thing/grants", "thing/a [1]*"]
