"""Several environments side by side, through the console script."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from jsonschema import Draft202012Validator

from setup_kit.report.schemas import SCHEMAS
from setup_kit.sandbox.latency import Pace, set_pace
from tests.sandbox.job.harness import COMMAND, TIMEOUT, Finished, Kit
from tests.sandbox.job.owner import Owner
from tests.sandbox.job.preloaded import PreloadedKit

PLAIN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A folder of its own, since --all means all that are in it, beside a sandbox."""
    made = PreloadedKit(tmp_path_factory.mktemp("fleet"))
    yield made
    made.close()


def prepare(kit: Kit, *names: str, **changes: Any) -> None:
    for name in names:
        own = {"profile__prefix": name[-14:].replace("-", ""), "profile__entities": ["team"]}
        kit.init(name, **own, profile__relationships=[], **changes)


def checked(done: Finished) -> dict[str, Any]:
    """The document of several environments, by environment."""
    document = done.json
    Draft202012Validator(SCHEMAS["environments"]).validate(document)
    assert document["exit_code"] == done.code
    return {each["environment"]: each for each in document["environments"]}


def terminal(kit: Kit, *words: str) -> pexpect.spawn[str]:
    return pexpect.spawn(
        COMMAND,
        list(words),
        cwd=str(kit.folder),
        env=kit.variables | {"TERM": "xterm-256color", "COLUMNS": "80"},
        dimensions=(50, 80),
        encoding="utf-8",
        timeout=TIMEOUT,
    )


def test_one_that_fails_stops_no_other_and_each_has_its_own_journal(fleet: Kit) -> None:
    prepare(fleet, "side-a", "side-b", "side-bad")
    fleet.edit("side-bad", profile__entities=["nosuchentity"])
    done = fleet.run("apply", "-e", "side-*", "--yes", "--output", "json").failed(1)
    ended = checked(done)
    assert {name: each["exit_code"] for name, each in ended.items()} == {"side-a": 0, "side-b": 0, "side-bad": 1}
    assert ended["side-a"]["counts"]["changed"] == len(ended["side-a"]["document"]["changes"]) > 20
    assert "nosuchentity" in json.dumps(ended["side-bad"]["document"])
    assert ended["side-a"]["next"] == "setup-kit verify -e side-a"
    for name in ("side-a", "side-b"):
        lines = fleet.journal(name)
        assert len({line["run"] for line in lines}) == 1
        assert not any(f"side-{other}" in json.dumps(lines) for other in {"side-a": "b", "side-b": "a"}[name])
        assert lines[-1]["event"] == "run_ended"
    # A second run finds nothing to do in those, and what it looks like is what it looks like for one alone.
    plans = fleet.run("plan", "-e", "side-a", "-e", "side-b", "--detailed-exitcode", "--output", "json").succeeded()
    alone = fleet.run("plan", "-e", "side-a", "--output", "json").succeeded()
    assert checked(plans)["side-a"]["document"] == alone.json
    fleet.run("verify", "-e", "side-a", "-e", "side-b").succeeded()


def test_piped_each_step_is_a_line_with_its_environment_and_the_table_is_the_end(fleet: Kit) -> None:
    prepare(fleet, "line-a", "line-b")
    done = fleet.run("apply", "-e", "line-?", "--yes").succeeded()
    for name in ("line-a", "line-b"):
        assert re.search(rf"^{name}: ✓ create resource_group/rg-{name}", done.err, re.MULTILINE)
        assert re.search(rf"^{name}: done  \d:\d\d$", done.err, re.MULTILINE)
        assert re.search(rf"^{name} +done +\d+ +\d+ +0 +\d:\d\d +verify", done.out, re.MULTILINE)
    assert done.out.splitlines()[-1] == "→ setup-kit verify -e 'line-?'"


def test_looking_commands_tell_of_every_environment(fleet: Kit) -> None:
    prepare(fleet, "look-a", "look-b")
    fleet.apply("look-a").succeeded()
    both = ("-e", "look-b", "-e", "look-a")
    ended = checked(fleet.run("plan", *both, "--detailed-exitcode", "--output", "json").failed(3))
    assert list(ended) == ["look-b", "look-a"]
    assert [each["exit_code"] for each in ended.values()] == [3, 0]
    assert ended["look-b"]["next"] == "setup-kit apply -e look-b"
    checked(fleet.run("plan", *both, "--output", "json").succeeded())
    ended = checked(fleet.run("status", *both, "--output", "json").succeeded())
    assert [each["result"] for each in ended.values()] == ["differs", "as wanted"]
    ended = checked(fleet.run("verify", *both, "--output", "json").failed(4))
    assert [each["result"] for each in ended.values()] == ["failed", "passed"]
    checked(fleet.run("doctor", *both, "--output", "json").succeeded())
    told = fleet.run("plan", *both).succeeded()
    assert "Plan for look-b" in told.out
    assert re.search(r"^look-b +\+\d+ ~\d+ ", told.out, re.MULTILINE)
    assert re.search(r"^look-a +no changes ", told.out, re.MULTILINE)


def test_of_many_a_table_is_shown_and_what_went_wrong_and_all_of_it_when_asked(fleet: Kit) -> None:
    names = [f"many-{letter}" for letter in "abcd"]
    prepare(fleet, *names)
    fleet.edit("many-d", profile__entities=["nosuchentity"])
    told = fleet.run("plan", "-e", "many-*").failed(1)
    assert "Plan for" not in told.out
    assert told.out.count("nosuchentity") >= 1
    assert told.out.splitlines()[-2:] == [
        "→ setup-kit apply -e many-a -e many-b -e many-c",
        "→ setup-kit doctor -e many-d",
    ]
    assert fleet.run("plan", "-e", "many-*", "-v").out.count("Plan for") >= 3


def test_what_cannot_be_used_is_refused_before_anything_is_sent(fleet: Kit) -> None:
    prepare(fleet, "twin-a", "twin-b")
    secret = {key: fleet.edit("twin-a")["key_vault"][key] for key in ("name", "secret")}
    fleet.edit("twin-b", key_vault__name=secret["name"])
    before = len(fleet.requests())
    refused = fleet.run("apply", "-e", "twin-*", "--yes").failed(2)
    assert f"twin-a and twin-b: secret {secret['secret']} in vault {secret['name']}" in refused.err
    fleet.edit("twin-b", location=3)
    fleet.run("apply", "-e", "twin-*", "--yes").failed(2)
    assert len(fleet.requests()) == before


def test_those_on_one_server_are_made_one_after_the_other(fleet: Kit) -> None:
    prepare(fleet, "onserver-a", "onserver-b")
    one = fleet.edit("onserver-a")
    fleet.edit(
        "onserver-b",
        sql__server=one["sql"]["server"],
        sql__export_user__name="second",
        key_vault__name=one["key_vault"]["name"],
        key_vault__secret="second",
        resource_group=one["resource_group"],
    )
    fleet.run("apply", "-e", "onserver-?", "--yes").succeeded()
    ended = [
        [line["time"] for line in fleet.journal(name) if line["event"] in ("run_started", "run_ended")]
        for name in ("onserver-a", "onserver-b")
    ]
    assert ended[0][1] <= ended[1][0]
    fleet.run("verify", "-e", "onserver-?").succeeded()


def test_all_leaves_out_what_is_only_extended(tmp_path: Path, fleet: Kit) -> None:
    prepare(fleet, "whole")
    alone = tmp_path / "environments"
    alone.mkdir()
    base = fleet.path("whole").read_text(encoding="utf-8").partition("\nprofile:")[0]
    (alone / "base.yaml").write_text(base, encoding="utf-8")
    profile = "extends: base.yaml\nprofile: {name: all, prefix: all, entities: [team]}\n"
    (alone / "all-of-it.yaml").write_text(profile, encoding="utf-8")
    other = Kit.__new__(Kit)
    other.folder, other.sandbox_folder, other.document = tmp_path, fleet.sandbox_folder, fleet.document
    assert list(checked(other.run("plan", "--all", "--output", "json").succeeded())) == ["all-of-it"]


def test_several_are_rotated_at_once_and_asked_about_once(fleet: Kit) -> None:
    prepare(fleet, "turn-a", "turn-b")
    fleet.run("apply", "-e", "turn-*", "--yes").succeeded()
    assert "nobody is there to confirm" in fleet.run("rotate", "-e", "turn-*", "--grace", "0").failed(2).err
    ended = checked(fleet.run("rotate", "-e", "turn-*", "--dry-run", "--output", "json").succeeded())
    assert all(each["document"]["changes"] for each in ended.values())
    ended = checked(fleet.run("rotate", "-e", "turn-*", "--every", "30d", "--yes", "--output", "json").succeeded())
    assert [each["result"] for each in ended.values()] == ["not due", "not due"]
    typed = terminal(fleet, "rotate", "-e", "turn-*", "--grace", "0")
    typed.expect("Make these changes to 2 environments")
    typed.sendline("y")
    typed.expect(pexpect.EOF)
    typed.close()
    assert typed.exitstatus == 0, typed.before
    ended = checked(fleet.run("rotate", "-e", "turn-*", "--finish", "--yes", "--output", "json").succeeded())
    assert {each["document"]["user"] for each in ended.values()} == {"dataexport_2"}


def test_in_a_terminal_it_is_asked_once_and_no_line_is_wider_than_eighty_columns(fleet: Kit) -> None:
    prepare(fleet, "typed-a", "typed-b")
    refused = terminal(fleet, "apply", "-e", "typed-*")
    refused.expect("Make these changes to 2 environments")
    refused.sendline("n")
    refused.expect(pexpect.EOF)
    refused.close()
    assert refused.exitstatus == 1
    assert "Nothing was changed" in str(refused.before)
    typed = terminal(fleet, "apply", "-e", "typed-*")
    typed.expect("Make these changes to 2 environments")
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", PLAIN.sub("", str(typed.before)))]
    typed.sendline("y")
    typed.expect(pexpect.EOF)
    lines += [line.rstrip() for line in re.split(r"[\r\n]+", PLAIN.sub("", str(typed.before)))]
    typed.close()
    assert typed.exitstatus == 0
    assert [line for line in lines if len(line) > 80 and not line.startswith("→")] == []
    assert any(re.match(r"typed-a +done +\d+", line) for line in lines)


def test_what_was_not_shown_is_not_done(fleet: Kit) -> None:
    """What somebody agreed to is made; where more has come to be needed by then, that environment is left alone."""
    prepare(fleet, "moved-a", "moved-b")
    fleet.run("apply", "-e", "moved-*", "--yes").succeeded()
    for name in ("moved-a", "moved-b"):
        fleet.edit(name, sql__database__maxdop=2)
    asked = terminal(fleet, "apply", "-e", "moved-*")
    asked.expect("Make these changes to 2 environments")
    owner = Owner(fleet, fleet.edit("moved-a"))
    owner.manage("DELETE", f"{owner.server}/firewallRules/data-export-service-west-europe")
    asked.sendline("y")
    asked.expect(pexpect.EOF)
    asked.close()
    assert asked.exitstatus == 1
    assert "moved-a has moved since its plan was shown" in PLAIN.sub("", str(asked.before))
    assert checked(fleet.run("plan", "-e", "moved-b", "-e", "moved-a", "--output", "json"))["moved-b"]["result"] == (
        "no changes"
    )


def test_ctrl_c_ends_all_cleans_up_and_says_what_is_left_of_each(fleet: Kit) -> None:
    names = ("stop-a", "stop-b", "stop-c")
    # No rule admits this machine: each run opens one for itself.
    prepare(fleet, *names, sql__firewall__rules=[])
    set_pace(fleet.sandbox_folder, Pace("cloud", 0.05))
    try:
        running = terminal(fleet, "apply", "-e", "stop-*", "--parallel", "2", "--yes")
        journal = fleet.folder / ".setup-kit" / "stop-a" / "journal.jsonl"
        while not (journal.exists() and '"opened"' in journal.read_text(encoding="utf-8")):
            running.expect([pexpect.TIMEOUT], timeout=0.1)
        running.kill(signal.SIGINT)
        running.expect("Stopping when what is in flight has ended")
        running.expect(pexpect.EOF)
        running.close()
    finally:
        set_pace(fleet.sandbox_folder, Pace("none"))
    said = PLAIN.sub("", str(running.before))
    assert running.exitstatus == 130, said
    assert re.search(r"stop-a +interrupted", said)
    assert "Not reached: " in said
    assert re.search(r"stop-c +not begun", said)
    assert "→ setup-kit apply -e 'stop-*'" in said
    assert "setup-kit plan" not in said
    assert str(running.before).rfind("\x1b[?25h") > str(running.before).rfind("\x1b[?25l")
    assert not (fleet.folder / ".setup-kit" / "stop-c").exists()
    for name in names[:2]:
        owner = Owner(fleet, fleet.edit(name))
        rules = owner.manage("GET", f"{owner.server}/firewallRules")["value"]
        assert not [rule["name"] for rule in rules if "operator" in rule["name"]]
    fleet.run("apply", "-e", "stop-*", "--yes").succeeded()
