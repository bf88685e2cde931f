"""The organization through the installed command."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from setup_kit.report.schemas import SCHEMAS
from tests.sandbox.job.harness import Kit

NAME = "organized"


@pytest.fixture(scope="session", autouse=True)
def organized(kit: Kit) -> None:
    """Of what it names nothing is made: only the organization is asked."""
    kit.init(NAME, profile__entities=["account"])


def read(kit: Kit, *words: str) -> Any:
    found = kit.run("org", *words, "-e", NAME, "--output", "json").succeeded().json
    Draft202012Validator(SCHEMAS[words[0]]).validate(found)
    return found


def test_entities_say_whether_they_can_be_exported(kit: Kit) -> None:
    every = {each["entity"]: each for each in read(kit, "entities", "--all")["entities"]}
    assert every["account"] == {
        "entity": "account",
        "display_name": "Account",
        "change_tracking": "on",
        "offered": True,
        "in_file": True,
    }
    assert (every["phonecall"]["change_tracking"], every["phonecall"]["offered"]) == ("off", False)
    assert every["roletemplate"]["change_tracking"] == "not possible"
    assert {each["entity"] for each in read(kit, "entities", "*e*")["entities"]} & {"phonecall", "roletemplate"} == {
        "phonecall"
    }


def test_change_tracking_is_planned_confirmed_switched_on_and_then_unchanged(kit: Kit) -> None:
    asked = kit.run("org", "enable-tracking", "competitor", "-e", NAME)
    assert asked.code == 2
    assert "tracked: off → on" in asked.out
    enable = ("org", "enable-tracking", "competitor", "task", "-e", NAME, "--yes", "--output", "json")
    made = kit.run(*enable).succeeded().json
    assert [change["resource"] for change in made["changes"]] == ["change_tracking/competitor"]
    assert kit.run(*enable).succeeded().json["changes"] == []

    refused = kit.run("org", "enable-tracking", "competitr", "roletemplate", "-e", NAME, "--yes")
    assert refused.code == 1
    assert "was competitor meant?" in refused.text
    assert "cannot be switched on for the entity roletemplate" in refused.text
