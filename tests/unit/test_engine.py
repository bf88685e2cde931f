"""The engine, on resources made for the purpose: an in-memory world stands for the cloud."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.engine.drift import drift
from setup_kit.engine.events import Event, Happening
from setup_kit.engine.executor import Result, Temporaries, execute, reading
from setup_kit.engine.graph import ordered, walk
from setup_kit.engine.journal import Journal
from setup_kit.engine.planner import Known, Plan, make_plan
from setup_kit.engine.resource import (
    Action,
    Change,
    Check,
    Finding,
    Node,
    NotReadable,
    Resource,
    Status,
    Temporary,
    told,
)
from setup_kit.engine.verifier import verify_all
from setup_kit.errors import KitError
from setup_kit.report.documents import plan_document
from setup_kit.secret import Secret


class World:
    """What is there, what was read and written, and what the next read or write does."""

    def __init__(self) -> None:
        self.there: dict[str, str] = {}
        self.reads: list[str] = []
        self.writes: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.unreadable: set[str] = set()
        self.opened = False
        self.looked = threading.Event()
        self.read_early = threading.Event()


class Thing(Resource[str]):
    kind = "thing"

    def __init__(self, world: World, name: str, wanted: str = "made", **links: Any) -> None:
        super().__init__(name, **links)
        self.world = world
        self.wanted = wanted

    def read(self) -> str | None:
        self.world.reads.append(self.name)
        self.world.looked.set()
        if self.name in self.world.unreadable and not self.world.opened:
            raise NotReadable("the firewall does not admit 192.0.2.1")
        return self.world.there.get(self.name)

    def diff(self, observed: str | None) -> list[Change]:
        if observed == self.wanted:
            return []
        action = Action.CREATE if observed is None else Action.UPDATE
        return [Change(self.address, action, before=observed, after=self.wanted)]

    def apply(self, change: Change) -> str:
        if self.name in self.world.broken:
            raise self.world.broken[self.name]
        self.world.writes.append(self.name)
        self.world.there[self.name] = self.wanted
        return self.wanted

    def delete(self, observed: str) -> None:
        del self.world.there[self.name]


class Fragile(Thing):
    """A thing whose every change is destructive."""

    def diff(self, observed: str | None) -> list[Change]:
        return [replace(change, destructive=True) for change in super().diff(observed)]


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


class Proof(Check):
    kind = "proof"

    def __init__(self, world: World, status: Status = Status.PASSED, **links: Any) -> None:
        super().__init__("login", **links)
        self.world = world
        self.status = status

    def run(self) -> list[Finding]:
        self.world.writes.append("proof")
        return [Finding("proof", self.status, self.address, "logged in")]


def silent(event: Event) -> None:
    return None


def plan_and_apply(nodes: list[Node], listener: Callable[[Event], None] = silent) -> tuple[Plan, Result]:
    plan = make_plan(nodes, listener, threading.Event())
    return plan, execute(plan, listener, Temporaries(listener), threading.Event())


def test_a_second_run_changes_nothing_and_a_plan_changes_nothing() -> None:
    world = World()
    server = Thing(world, "server")
    nodes: list[Node] = [server, Thing(world, "database", within=server)]

    plan = make_plan(nodes, silent, threading.Event())
    assert [change.resource for change in plan.changes] == ["thing/server", "thing/database"]
    assert world.writes == []

    execute(plan, silent, Temporaries(silent), threading.Event())
    assert world.writes == ["server", "database"]

    second, result = plan_and_apply(nodes)
    assert second.empty
    assert result.made == ()
    assert [resource.name for resource in result.unchanged] == ["server", "database"]
    assert world.writes == ["server", "database"]


def test_what_lives_in_an_absent_thing_is_not_read() -> None:
    world = World()
    server = Thing(world, "server")
    plan_and_apply([Thing(world, "database", within=server)])
    assert world.reads == ["server"]
    assert world.there == {"server": "made", "database": "made"}


def test_a_failure_stops_what_depends_on_it_and_nothing_else_and_the_next_run_finishes() -> None:
    world = World()
    server, vault = Thing(world, "server"), Thing(world, "vault")
    database = Thing(world, "database", within=server)
    login = Thing(world, "login", needs=[database])
    secret = Thing(world, "secret", within=vault)
    world.broken["server"] = RuntimeError("the region is full")

    _, result = plan_and_apply([login, secret])
    assert [node.name for node in result.failures] == ["server"]
    assert {node.name: blocker.name for node, blocker in result.blocked.items()} == {
        "database": "server",
        "login": "server",
    }
    assert world.there == {"vault": "made", "secret": "made"}

    world.broken.clear()
    _, result = plan_and_apply([login, secret])
    assert result.succeeded
    assert {change.resource for change in result.made} == {"thing/server", "thing/database", "thing/login"}


def test_what_cannot_be_read_yet_is_decided_during_apply_behind_a_temporary_way_that_is_closed() -> None:
    world = World()
    world.there = {"server": "made", "grants": "made", "login": "other"}
    world.unreadable = {"grants", "login"}
    server = Thing(world, "server")
    way = Way(world, within=server)
    nodes: list[Node] = [Thing(world, "login", needs=[way]), Thing(world, "grants", needs=[way])]

    plan = make_plan(nodes, silent, threading.Event())
    assert {item.resource.name: item.known for item in plan.deferred} == {
        "login": Known.DEFERRED,
        "grants": Known.DEFERRED,
    }
    assert not plan.empty

    result = execute(plan, silent, Temporaries(silent), threading.Event())
    assert [change.resource for change in result.made] == ["thing/login"]
    assert world.writes == ["open", "login", "close"]


def test_a_destructive_change_that_shows_only_during_apply_is_made_only_when_that_was_allowed() -> None:
    world = World()
    world.there = {"server": "made", "user": "other"}
    world.unreadable = {"user"}
    way = Way(world, within=Thing(world, "server"))
    user = Fragile(world, "user", needs=[way])

    plan = make_plan([user], silent, threading.Event())
    result = execute(plan, silent, Temporaries(silent), threading.Event())
    assert "thing/user" in str(result.failures[user].why)  # type: ignore[attr-defined]
    assert world.writes == ["open", "close"]

    result = execute(plan, silent, Temporaries(silent), threading.Event(), destructive=True)
    assert result.succeeded
    assert world.there["user"] == "made"


def test_a_temporary_way_is_closed_when_the_run_fails() -> None:
    world = World()
    way = Way(world)
    world.broken["login"] = RuntimeError("no")
    _, result = plan_and_apply([Thing(world, "login", needs=[way])])
    assert world.writes == ["open", "close"]
    assert not result.succeeded


def test_a_way_that_cannot_be_closed_again_fails_a_plan_that_opened_it() -> None:
    class Stuck(Way):
        def close(self) -> bool:
            raise RuntimeError("the rule stays")

    world = World()
    with pytest.raises(RuntimeError, match="the rule stays"):
        reading([Thing(world, "login", needs=[Stuck(world)])], silent, threading.Event(), open_ways=True)


def test_a_temporary_way_stays_shut_when_there_is_nothing_to_do_behind_it() -> None:
    world = World()
    world.there = {"login": "made"}
    plan_and_apply([Thing(world, "login", needs=[Way(world)])])
    assert world.writes == []


def test_a_check_runs_when_something_it_needs_changed_and_when_something_beyond_it_waits() -> None:
    world = World()
    login = Thing(world, "login")
    proof = Proof(world, needs=[login])
    profile = Thing(world, "profile", needs=[proof])

    plan_and_apply([profile])
    assert world.writes == ["login", "proof", "profile"]
    world.writes.clear()
    plan_and_apply([profile])
    assert world.writes == []
    del world.there["profile"]
    plan_and_apply([profile])
    assert world.writes == ["proof", "profile"]


def test_a_failed_check_stops_what_depends_on_it_and_says_what_it_found() -> None:
    world = World()
    proof = Proof(world, Status.FAILED)
    _, result = plan_and_apply([Thing(world, "profile", needs=[proof])])
    assert world.there == {}
    assert "logged in" in str(next(iter(result.failures.values())))


class Preflight(Check):
    """Ends when what needs it has been read."""

    kind = "preflight"
    first = True
    beside = True

    def __init__(self, world: World, status: Status) -> None:
        super().__init__("all")
        self.world = world
        self.status = status

    def run(self) -> list[Finding]:
        assert self.world.looked.wait(10)
        return [Finding("preflight", self.status, self.address, "what it found")]


@pytest.mark.parametrize("status", [Status.PASSED, Status.FAILED])
def test_things_are_read_beside_a_check_that_says_so_and_blocked_where_it_fails(status: Status) -> None:
    world = World()
    check = Preflight(world, status)
    thing = Thing(world, "thing", needs=(check,))
    later = Thing(world, "later", needs=(thing,))
    plan = make_plan([later], silent, threading.Event())
    assert world.reads == ["thing", "later"]
    if status is Status.PASSED:
        assert list(plan.planned) == [thing, later]
    else:
        assert list(plan.failures) == [check]
        assert plan.planned == {}
        assert plan.blocked == {thing: check, later: check}


class Quick(Thing):
    """Is read, and compared, without a look at what else it needs."""

    def read(self) -> str | None:
        found = super().read()
        self.world.read_early.set()
        return found


class Slow(Thing):
    """Is read when the quick one has been."""

    def read(self) -> str | None:
        assert self.world.read_early.wait(10)
        if self.name in self.world.broken:
            raise self.world.broken[self.name]
        return super().read()


@pytest.mark.parametrize("error", [None, OSError("no answer")])
def test_a_plan_reads_a_thing_when_all_was_read_that_its_reading_looks_at(error: Exception | None) -> None:
    world = World()
    vault, roles = Thing(world, "vault"), Slow(world, "roles")
    secret = Quick(world, "secret", needs=(vault, roles))
    secret.reads_after = (vault,)
    profile = Thing(world, "profile", needs=(secret,))
    if error is not None:
        world.broken["roles"] = error
        plan = make_plan([profile], silent, threading.Event())
        assert plan.failures == {roles: error}
        assert list(plan.planned) == [vault]
        assert plan.blocked == {secret: roles, profile: roles}
    else:
        plan, _ = plan_and_apply([profile])
        assert list(plan.planned) == [vault, roles, secret, profile]
        assert world.reads[:2] == ["vault", "secret"]
        assert world.writes == ["vault", "roles", "secret", "profile"]


def test_independent_things_are_made_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=30)

    class Meeting(Thing):
        def apply(self, change: Change) -> str:
            meeting.wait()
            return super().apply(change)

    world = World()
    _, result = plan_and_apply([Meeting(world, "server"), Meeting(world, "vault")])
    assert result.succeeded


def test_a_stop_lets_what_is_in_flight_end_and_says_what_is_left() -> None:
    world = World()
    stopped = threading.Event()

    class Interrupted(Thing):
        def apply(self, change: Change) -> str:
            stopped.set()
            return super().apply(change)

    way = Way(world)
    server = Interrupted(world, "server", needs=[way])
    plan = make_plan([Thing(world, "database", within=server)], silent, stopped)
    result = execute(plan, silent, Temporaries(silent), stopped)
    assert world.writes == ["open", "server", "close"]
    assert [node.name for node in result.left] == ["database"]
    assert result.interrupted


class Halting(Thing):
    """A thing during whose reading the person presses Ctrl-C."""

    def __init__(self, world: World, name: str, stop: threading.Event, **links: Any) -> None:
        super().__init__(world, name, **links)
        self.stop = stop

    def read(self) -> str | None:
        self.stop.set()
        return super().read()


def test_an_interrupted_plan_says_what_it_did_not_look_at_and_blames_nothing_for_it() -> None:
    world, stop = World(), threading.Event()
    server = Halting(world, "server", stop)
    database = Thing(world, "database", needs=[server])
    plan = make_plan([Thing(world, "login", needs=[database])], silent, stop)
    assert plan.interrupted
    assert [node.name for node in plan.left] == ["database", "login"]
    assert (plan.blocked, plan.failures) == ({}, {})
    document = plan_document("dev", plan)
    assert document["interrupted"] is True
    assert document["left"] == ["thing/database", "thing/login"]
    assert {each.reason for each in drift(plan)[1:]} == {"not looked at, because the look was interrupted"}


def test_an_interrupted_verification_skips_what_it_did_not_look_at_and_no_check_has_failed() -> None:
    world, stop = World(), threading.Event()
    server = Halting(world, "server", stop)
    world.there["server"] = "made"
    proof = Proof(world, needs=[Thing(world, "database", needs=[server])])
    findings, interrupted = verify_all([proof], silent, stop)
    assert interrupted
    told = {finding.resource: (str(finding.status), finding.message) for finding in findings}
    skipped = ("skipped", "not looked at, because the look was interrupted")
    assert told == {
        "thing/server": ("passed", "as the environment file says"),
        "thing/database": skipped,
        "proof/login": skipped,
    }


def test_a_check_that_an_interrupt_kept_from_being_run_is_named() -> None:
    world, stop = World(), threading.Event()

    class Halted(Proof):
        def run(self) -> list[Finding]:
            stop.set()
            return super().run()

    first = Halted(world)
    later = Proof(world, needs=[first])
    later.name = "later"
    findings, interrupted = verify_all([later], silent, stop)
    assert interrupted
    assert [str(finding.status) for finding in findings] == ["passed", "skipped"]


@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=40))
def test_every_node_is_visited_once_and_after_its_needs(pairs: list[tuple[int, int]]) -> None:
    world = World()
    names = range(15)
    needs = {high: {low for low, other in pairs if other == high and low < high} for high in names}
    things: list[Thing] = []
    for name in names:
        things.append(Thing(world, str(name), needs=[things[low] for low in needs[name]]))
    visited: list[Node] = []
    outcomes = walk(ordered(things), visited.append, threading.Event())
    assert len(visited) == len(set(visited)) == 15
    assert all(outcome.done for outcome in outcomes.values())
    for thing in things:
        assert all(visited.index(need) < visited.index(thing) for need in thing.needs)


def test_the_journal_has_a_line_before_and_after_each_change_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "dev" / "journal.jsonl"
    change = Change(
        "secret/connection", Action.CREATE, after=Secret("hunter2!"), detail={"password": Secret("hunter2!")}
    )
    with Journal(path, "apply") as journal:
        journal(Event(Happening.CHANGE_STARTED, "secret/connection", change=change))
        journal(Event(Happening.CHANGE_DONE, "secret/connection", change=change, seconds=0.25))
    text = path.read_text()
    assert "hunter2" not in text
    first, second = (json.loads(line) for line in text.splitlines())
    assert (first["event"], second["event"]) == ("change_started", "change_done")
    assert first["change"]["after"] == "***"
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("shown", [str, repr, "{}".format, "{:>3}".format, lambda secret: f"{secret!r}"])
def test_a_secret_shows_as_stars(shown: Callable[[object], str]) -> None:
    assert shown(Secret("hunter2!")) == "***"


@pytest.mark.parametrize(
    "error",
    [KitError("it failed", remedy="mend it"), NotReadable("the vault does not answer yet"), RuntimeError("boom")],
)
def test_whatever_is_met_is_told_with_a_next_step(error: Exception) -> None:
    met = told(error)
    assert str(error) in met.what
    assert met.remedy


def test_what_is_not_reached_is_told_in_the_order_of_the_graph_whatever_ended_first() -> None:
    bad, slow = Thing(World(), "bad"), Thing(World(), "slow")
    later, sooner = Thing(World(), "later", needs=(bad, slow)), Thing(World(), "sooner", needs=(bad,))
    failed = threading.Event()

    def visit(node: Node) -> None:
        if node is bad:
            raise KitError("it is broken")
        assert failed.wait(10)

    threading.Timer(0.2, failed.set).start()
    outcomes = walk([slow, bad, later, sooner], visit, threading.Event())
    assert list(outcomes) == [slow, bad, later, sooner]
    assert [node for node, outcome in outcomes.items() if outcome.blocked_by is bad] == [later, sooner]
