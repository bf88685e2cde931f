"""A plan in a file: for its owner alone, without a secret, and good only while nothing has moved."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from setup_kit.engine.planner import Known, Plan, Planned
from setup_kit.environment.loading import Loaded, load
from setup_kit.errors import ExitCode, KitError, UsageError
from setup_kit.report.saved_plan import SavedPlan, check_replaceable, read_plan, save_plan


@pytest.fixture
def path(full_plan: Plan, loaded: Loaded, tmp_path: Path) -> Path:
    path = tmp_path / "prod.plan"
    save_plan(path, full_plan, loaded, given="readme", targets=["thing/*"], open_firewall=False)
    return path


@pytest.fixture
def saved(path: Path) -> SavedPlan:
    return read_plan(path)


def without(plan: Plan, name: str) -> Plan:
    """The plan when this resource has come to be as wanted."""
    (node,) = [node for node in plan.planned if node.name == name]
    return replace(plan, planned={**plan.planned, node: Planned(plan.planned[node].resource, Known.READ)})


def test_the_file_is_its_owners_alone_and_holds_no_secret(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert "hunter" not in path.read_text(encoding="utf-8")
    assert [each.name for each in path.parent.iterdir()].count(path.name) == 1


def test_a_file_that_others_could_read_is_replaced_by_one_that_they_cannot(
    path: Path, full_plan: Plan, loaded: Loaded
) -> None:
    path.chmod(0o644)
    save_plan(path, full_plan, loaded, given="readme", targets=[], open_firewall=True)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_plan_holds_while_nothing_has_moved(saved: SavedPlan, loaded: Loaded, full_plan: Plan) -> None:
    saved.check_made_of(loaded)
    saved.check_still(full_plan)
    assert (saved.given, saved.targets, saved.open_firewall) == ("readme", ["thing/*"], False)


def test_what_moved_is_named(saved: SavedPlan, full_plan: Plan) -> None:
    with pytest.raises(KitError) as refused:
        saved.check_still(without(full_plan, "differing"))
    assert refused.value.exit_code is ExitCode.FAILED
    lines = refused.value.why.splitlines()[1:]
    assert "- update thing/differing value: *** → ***" in lines
    assert "- update thing/differing enabled: false → true" in lines
    assert "- delete thing/differing rule: 192.0.2.1 → null" in lines
    assert len(lines) == 4
    assert "setup-kit plan -e readme --out" in refused.value.remedy


def test_what_is_new_is_named_and_what_can_be_read_only_later_counts(saved: SavedPlan, full_plan: Plan) -> None:
    before = replace(saved, plan={**saved.plan, "changes": saved.plan["changes"][1:]})
    with pytest.raises(KitError) as refused:
        before.check_still(without(full_plan, "hidden"))
    gone, new = refused.value.why.splitlines()[1:]
    assert gone == "- decided during apply: thing/hidden"
    assert new.startswith('+ create thing/missing {"entities": ["account"]')


def test_a_changed_environment_file_is_told_from_a_new_comment_in_it(saved: SavedPlan, loaded: Loaded) -> None:
    text = loaded.path.read_text(encoding="utf-8")
    loaded.path.write_text("# a comment\n" + text, encoding="utf-8")
    saved.check_made_of(load(loaded.path.name, loaded.path.parent))
    loaded.path.write_text(text.replace("maxdop: 1", "maxdop: 2"), encoding="utf-8")
    with pytest.raises(KitError, match="does not hold any more") as refused:
        saved.check_made_of(load(loaded.path.name, loaded.path.parent))
    assert "readme.yaml says something else" in refused.value.why


def test_a_plan_of_another_version_is_refused(saved: SavedPlan, loaded: Loaded) -> None:
    with pytest.raises(KitError) as refused:
        replace(saved, version="0.0.1").check_made_of(loaded)
    assert "made by setup-kit 0.0.1" in refused.value.why


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"plan": 7}', "\x00\xff"])
def test_any_other_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "other").write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match="is not a saved plan"):
        read_plan(tmp_path / "other")


def test_a_file_that_somebody_cut_is_refused(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    for key in document:
        cut = {name: value for name, value in document.items() if name != key}
        path.write_text(json.dumps(cut), encoding="utf-8")
        with pytest.raises(UsageError, match="is not a saved plan"):
            read_plan(path)


def test_what_is_wrong_with_a_file_that_is_no_plan_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "bad.plan").write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(UsageError, match="is not a saved plan") as refused:
        read_plan(tmp_path / "bad.plan")
    assert refused.value.why == "it does not say what a saved plan says"
    assert refused.value.original == ""
    with pytest.raises(UsageError, match="there is no file"):
        read_plan(tmp_path / "nope.plan")


def test_only_a_saved_plan_is_replaced_by_one_whatever_its_format(path: Path, tmp_path: Path) -> None:
    check_replaceable(tmp_path / "new.plan")
    check_replaceable(path)
    path.write_text(path.read_text(encoding="utf-8").replace('"format": 1', '"format": 0'), encoding="utf-8")
    check_replaceable(path)
    for text in ("version: 1\n", "", '{"a": 1}'):
        (tmp_path / "other.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match="is there and is no saved plan") as refused:
            check_replaceable(tmp_path / "other.yaml")
        assert "--out" in refused.value.remedy
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for place in (tmp_path / "nowhere", Path("/dev/null")):
        with pytest.raises(UsageError, match="is there and is no saved plan"):
            check_replaceable(place)


def test_a_place_that_cannot_be_written_is_said(full_plan: Plan, loaded: Loaded, tmp_path: Path) -> None:
    with pytest.raises(KitError, match="cannot be written"):
        save_plan(tmp_path / "no" / "plan", full_plan, loaded, given="readme", targets=[], open_firewall=False)
