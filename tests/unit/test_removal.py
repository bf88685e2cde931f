"""Taking things away, on resources made for the purpose: an in-memory world stands for the cloud."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from setup_kit.engine.events import Event, Happening
from setup_kit.engine.executor import Result, Temporaries
from setup_kit.engine.removal import DATA, RemovalPlan, make_removal, remove
from setup_kit.engine.resource import Action, Change, Check, Finding, Node, NotReadable, Removal, Resource, Temporary


class World:
    """What is there, with its parts, and what was read and written."""

    def __init__(self, **there: list[str]) -> None:
        self.there: dict[str, list[str]] = there
        self.reads: list[str] = []
        self.writes: list[str] = []
        self.broken: set[str] = set()
        self.opened = False


class Thing(Resource[list[str]]):
    kind = "thing"

    def __init__(self, world: World, name: str, *, foreign: bool = False, **links: Any) -> None:
        super().__init__(name, **links)
        self.world = world
        self.foreign = foreign

    def read(self) -> list[str] | None:
        self.world.reads.append(self.name)
        if any(isinstance(need, Way) for need in self.needs) and not self.world.opened:
            raise NotReadable("the firewall does not admit 192.0.2.1")
        return self.world.there.get(self.name)

    def diff(self, observed: list[str] | None) -> list[Change]:
        raise AssertionError("a removal compares nothing")

    def removal(self, observed: list[str]) -> Removal:
        if self.foreign:
            return Removal(kept="not made by the kit")
        if not observed:
            return super().removal(observed)
        parts = [part for part in observed if not part.startswith("foreign")]
        changes = tuple(Change(self.address, Action.DELETE, part, destructive=True) for part in parts)
        return Removal(changes, "" if parts == observed else "there is more")

    def apply(self, change: Change) -> list[str]:
        self.world.writes.append(f"{self.name}: {change.target}")
        self.world.there[self.name] = [part for part in self.world.there[self.name] if part != change.target]
        return self.world.there[self.name]

    def delete(self, observed: list[str]) -> None:
        if self.name in self.world.broken:
            raise RuntimeError("no")
        self.world.writes.append(self.name)
        del self.world.there[self.name]


class Data(Thing):
    holds_data = True


class Access(Thing):
    outlives = True


class Bin(Thing):
    def lives(self, observed: list[str]) -> bool:
        return False


class Way(Temporary):
    kind = "way"

    def __init__(self, world: World, **links: Any) -> None:
        super().__init__("operator", **links)
        self.world = world

    def open(self) -> bool:
        self.world.opened = True
        self.world.writes.append("open")
        return True

    def close(self) -> bool:
        was_open, self.world.opened = self.world.opened, False
        if was_open:
            self.world.writes.append("close")
        return was_open


class Unasked(Check):
    kind = "preflight"
    first = True

    def run(self) -> list[Finding]:
        raise AssertionError("what making things needs, a removal does not")


def silent(event: Event) -> None:
    return None


def planned(nodes: list[Node], **options: Any) -> RemovalPlan:
    return make_removal(nodes, silent, threading.Event(), **options)


def taken_away(nodes: list[Node], listener: Callable[[Event], None] = silent, **options: Any) -> Result:
    plan = planned(nodes, **options)
    return remove(plan, listener, Temporaries(listener), threading.Event())


def test_dependents_go_first_and_a_second_removal_has_nothing_to_do() -> None:
    world = World(group=[], server=[], login=[])
    group = Thing(world, "group", needs=[Unasked("everything")])
    login = Thing(world, "login", needs=[Thing(world, "server", needs=[group])])

    plan = planned([login])
    assert [change.resource for change in plan.changes] == ["thing/login", "thing/server", "thing/group"]
    assert all(change.destructive and change.action is Action.DELETE for change in plan.changes)
    assert world.writes == []

    assert taken_away([login]).succeeded
    assert world.writes == ["login", "server", "group"]
    assert planned([login]).empty
    assert taken_away([login]).made == ()


def test_what_the_kit_did_not_make_and_what_holds_data_stays_and_says_why() -> None:
    world = World(group=[], server=[], database=[])
    group = Thing(world, "group", foreign=True)
    database = Data(world, "database", within=Data(world, "server", needs=[group]))

    plan = planned([database])
    assert {node.name: why for node, why in plan.kept.items()} == {
        "group": "not made by the kit",
        "server": DATA,
        "database": DATA,
    }
    taken_away([database], include_data=True)
    assert world.writes == ["server"]


def test_what_lives_in_what_goes_is_not_deleted_one_by_one_unless_it_must_be() -> None:
    world = World(vault=[], secret=[], version=[], access=[])
    vault = Thing(world, "vault")
    secret = Thing(world, "secret", within=vault)
    nodes: list[Node] = [Thing(world, "version", within=secret), Access(world, "access", within=vault, needs=[secret])]

    plan = planned(nodes)
    assert {node.name: outer.name for node, outer in plan.along.items()} == {"secret": "vault", "version": "vault"}
    remove(plan, silent, Temporaries(silent), threading.Event())
    assert world.writes == ["access", "vault"]


def test_no_way_is_opened_to_look_at_what_goes_with_what_it_is_in() -> None:
    world = World(server=[], login=[])
    server = Thing(world, "server")
    login = Thing(world, "login", within=server, needs=[Way(world, within=server)])
    temporaries = Temporaries(silent)
    plan = planned([login], opening=temporaries.open)
    remove(plan, silent, temporaries, threading.Event())
    assert world.writes == ["server"]
    assert world.reads == ["server"]


def test_what_is_deleted_but_recoverable_has_nothing_in_it() -> None:
    world = World(vault=[], secret=[])
    planned([Thing(world, "secret", within=Bin(world, "vault", foreign=True))])
    assert world.reads == ["vault"]


def test_parts_go_one_by_one_and_the_rest_of_it_stays() -> None:
    world = World(rules=["service", "foreign office", "workstation"])
    result = taken_away([Thing(world, "rules")])
    assert world.writes == ["rules: service", "rules: workstation"]
    assert world.there == {"rules": ["foreign office"]}
    assert [resource.name for resource in result.unchanged] == ["rules"]


def test_what_cannot_be_read_is_decided_behind_a_temporary_way_that_is_closed() -> None:
    world = World(server=[], login=[])
    server = Thing(world, "server", foreign=True)
    way = Way(world, within=server)
    nodes: list[Node] = [
        Thing(world, "login", within=server, needs=[way]),
        Thing(world, "gone", within=server, needs=[way]),
    ]
    plan = planned(nodes)
    assert {item.resource.name for item in plan.deferred} == {"login", "gone"}
    result = remove(plan, silent, Temporaries(silent), threading.Event())
    assert world.writes == ["open", "login", "close"]
    assert [change.resource for change in result.made] == ["thing/login"]


def test_a_failure_keeps_what_it_needs_and_nothing_else_and_the_next_run_finishes() -> None:
    world = World(server=[], secret=[], login=[], profile=[])
    secret = Thing(world, "secret")
    nodes: list[Node] = [Thing(world, "login", needs=[Thing(world, "server"), secret]), Thing(world, "profile")]
    world.broken = {"login"}

    result = taken_away(nodes)
    assert [node.name for node in result.failures] == ["login"]
    assert {node.name for node in result.blocked} == {"server", "secret"}
    assert world.writes == ["profile"]

    world.broken.clear()
    assert taken_away(nodes).succeeded
    assert world.there == {}


def test_a_stop_says_what_is_left() -> None:
    world = World(server=[], login=[])
    stopped = threading.Event()
    login = Thing(world, "login", needs=[Thing(world, "server")])
    plan = planned([login])

    def stopping(event: Event) -> None:
        if event.happening is Happening.CHANGE_DONE:
            stopped.set()

    result = remove(plan, stopping, Temporaries(silent), stopped)
    assert result.interrupted
    assert [node.name for node in result.left] == ["server"]
    assert world.there == {"server": []}


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30))
def test_each_goes_after_everything_that_needs_it(pairs: list[tuple[int, int]]) -> None:
    world = World(**{str(number): [] for number in range(12)})
    things: list[Thing] = []
    for high in range(12):
        needs = {low for low, other in pairs if other == high and low < high}
        things.append(Thing(world, str(high), needs=[things[low] for low in needs]))
    taken_away([*things])
    assert sorted(world.writes, key=int) == [str(number) for number in range(12)]
    for thing in things:
        assert all(world.writes.index(thing.name) < world.writes.index(need.name) for need in thing.needs)


def test_only_what_is_named_goes_and_what_is_in_it() -> None:
    world = World(group=[], server=[], rules=[], database=[], login=[], table=[])
    server = Thing(world, "server", needs=[Thing(world, "group")])
    login = Thing(world, "login", within=server, needs=[Way(world, within=server)])
    database = Data(world, "database", within=server)
    nodes: list[Node] = [Thing(world, "table", within=database, needs=[login]), Thing(world, "rules", within=server)]

    plan = planned(nodes, only=[server])
    assert [change.resource for change in plan.changes] == ["thing/server"]
    # What has to be reached through the firewall goes along as well, but is not looked for.
    assert {node.name for node in plan.along} == {"rules", "database"}
    assert set(plan.kept) == set()

    assert taken_away(nodes, only=[database], include_data=True).succeeded
    assert world.writes == ["database"]


def test_what_the_named_one_needs_stays_even_where_it_cannot_be_read() -> None:
    world = World(server=[], secret=[], login=[])
    server = Thing(world, "server")
    hidden = Thing(world, "secret", needs=[Way(world, within=server)])
    result = taken_away([Thing(world, "other", needs=[])], only=[Thing(world, "login", within=server, needs=[hidden])])
    assert [change.resource for change in result.made] == ["thing/login"]
    assert world.writes == ["login"]


def test_what_is_in_the_named_one_stays_with_it() -> None:
    world = World(server=[], rules=[])
    server = Thing(world, "server", foreign=True)
    plan = planned([Thing(world, "rules", within=server)], only=[server])
    assert plan.empty
    assert [node.name for node in plan.kept] == ["server"]
