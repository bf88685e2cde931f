from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.sandbox.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state.db")


def test_a_document_comes_back_as_it_was_put(state: State) -> None:
    state.put("things", "one", {"name": "Ünïcode 表", "list": [1, None, {"deep": True}]})
    assert state.get("things", "one") == {"name": "Ünïcode 表", "list": [1, None, {"deep": True}]}


def test_a_document_that_is_not_there_is_none(state: State) -> None:
    state.delete("things", "one")
    assert state.get("things", "one") is None


def test_kinds_are_kept_apart(state: State) -> None:
    state.put("a", "key", {"of": "a"})
    state.put("b", "key", {"of": "b"})
    assert state.list("a") == [("key", {"of": "a"})]


def test_a_prefix_takes_its_characters_literally(state: State) -> None:
    for key in ("a_1", "a%1", "ab1", "A_1"):
        state.put("things", key, {})
    assert [key for key, _ in state.list("things", "a_")] == ["a_1"]


def test_another_process_sees_a_change_at_once(state: State, tmp_path: Path) -> None:
    other = State(tmp_path / "state.db")
    state.put("things", "one", {"x": 1})
    assert other.get("things", "one") == {"x": 1}
    other.delete("things", "one")
    assert state.get("things", "one") is None


def test_the_files_are_for_their_owner_only(state: State, tmp_path: Path) -> None:
    state.put("things", "one", {})
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


def test_threads_do_not_lose_each_others_documents(state: State) -> None:
    def write(who: int) -> None:
        for number in range(20):
            state.put("things", f"{who}/{number}", {})

    threads = [threading.Thread(target=write, args=(who,)) for who in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(state.list("things")) == 100


@given(keys=st.sets(st.text(max_size=20), max_size=10), prefix=st.text(max_size=3))
def test_a_list_is_ordered_and_has_just_the_prefix(
    tmp_path_factory: pytest.TempPathFactory, keys: set[str], prefix: str
) -> None:
    keys = {key for key in keys if key.isprintable()}
    state = State(tmp_path_factory.mktemp("state") / "state.db")
    for key in keys:
        state.put("things", key, {"key": key})
    found = state.list("things", prefix)
    assert {key for key, _ in found} == {key for key in keys if key.startswith(prefix)}
    assert [key.encode() for key, _ in found] == sorted(key.encode() for key, _ in found)
    state.close()
