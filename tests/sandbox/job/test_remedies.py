"""The next steps that a failing command tells can be typed as they stand."""

from __future__ import annotations

import re

from tests.sandbox.job.harness import Kit

COMMANDS = re.compile(r"setup-kit (?:apply|status|verify|profile [a-z-]+|org [a-z-]+)\b(?: -e (\S+))?")


def test_an_error_that_ends_a_command_names_the_environment_in_its_remedy(kit: Kit) -> None:
    kit.init("remedied")
    refused = kit.run("profile", "drop-objects", "-e", "remedied", "a!", "--yes").failed(2)
    assert "setup-kit org entities -e remedied\n" in refused.err
    refused = kit.run("profile", "drop-objects", "-e", "remedied", "a!", "--yes", "--output", "json").failed(2)
    assert refused.json["error"]["remedy"].endswith("setup-kit org entities -e remedied")
    unplanned = kit.run("profile", "activate", "-e", "remedied", "--yes").failed(1)
    assert set(COMMANDS.findall(unplanned.text)) == {"remedied"}


def test_what_stops_a_run_is_told_with_the_environment_however_it_was_named(kit: Kit) -> None:
    kit.init("remedied-run", profile__entities=["phonecall"], profile__relationships=[])
    stopped = kit.run("apply", "-e", "environments/remedied-run.yaml", "--yes").failed(1)
    assert "setup-kit org enable-tracking -e remedied-run phonecall" in stopped.text
    told = kit.apply("remedied-run").failed(1)
    assert "setup-kit org enable-tracking -e remedied-run phonecall" in told.out


def test_of_several_environments_each_is_named_in_its_own_remedy(kit: Kit) -> None:
    for name in ("remedied-one", "remedied-two"):
        kit.init(name, profile__prefix=name[-3:], profile__entities=["phonecall"], profile__relationships=[])
    told = kit.run("apply", "-e", "remedied-one", "-e", "remedied-two", "--yes", "--output", "json")
    both = {each["environment"]: each for each in told.json["environments"]}
    for name in ("remedied-one", "remedied-two"):
        assert f"setup-kit org enable-tracking -e {name} phonecall" in str(both[name]["document"]["findings"])
