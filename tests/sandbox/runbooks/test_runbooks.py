"""Every runbook of the kit, run against the sandbox; each uses what the one before has left."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pexpect
import pytest

from setup_kit.runbooks.folder import available
from tests.sandbox.job.harness import COMMAND
from tests.sandbox.job.owner import Owner
from tests.sandbox.runbooks.conftest import Runbooks

Start = Callable[[], Runbooks]

LIFE = (
    "onboard-an-environment",
    "onboard-through-a-pipeline",
    "add-or-remove-entities",
    "rotate-credentials",
    "investigate-failures",
    "recover-a-changed-organization",
    "take-an-environment-down",
)
APART = ("set-up-by-hand", "host-the-service", "move-to-another-region")


def test_every_runbook_is_run_here() -> None:
    assert {path.stem for path in available()} == {*LIFE, *APART}


@pytest.mark.timeout(600)
def test_the_life_of_an_environment_from_onboarding_to_its_end(runbooks: Start) -> None:
    kit = runbooks()
    inputs: dict[str, dict[str, Any]] = {name: {"environment": "dev"} for name in LIFE}
    inputs["onboard-an-environment"] = {"name": "dev", "cloud": "sandbox", "prefix": "dev", "entities": "account team"}
    inputs["add-or-remove-entities"]["drop"] = "account"
    inputs["rotate-credentials"]["grace"] = 0
    inputs["take-an-environment-down"]["data"] = "drop"
    for name in LIFE:
        if name == "add-or-remove-entities":
            remove_and_add_again(kit, "account")
        ran = kit.runbook(name, **inputs[name]).succeeded().json
        check_record(ran, f"runbook {name}")
    assert "contact" in kit.edit("dev")["profile"]["entities"]
    owner = Owner(kit, kit.edit("dev"))
    with owner.admitted():
        assert owner.sql("SELECT COUNT(*) FROM sys.tables WHERE name LIKE N'dev[_]%'")[0][0] == 0


def remove_and_add_again(kit: Runbooks, entity: str) -> None:
    """Leaves the environment file with one more entity than the profile has, whose table is still there."""
    kit.edit("dev", profile__entities=["team"])
    kit.apply("dev").succeeded()
    kit.edit("dev", profile__entities=["team", entity, "contact"])


def check_record(ran: dict[str, Any], name: str) -> None:
    """Each step ran, or was skipped for a condition that it declares."""
    assert ran["outcome"] == "succeeded", name
    done = [entry for entry in ran["entries"] if entry["status"] == "done"]
    skipped = [entry for entry in ran["entries"] if entry["status"] == "skipped"]
    assert len(done) + len(skipped) == len(ran["entries"])
    assert all(entry["why"].startswith("only when ") for entry in skipped)
    assert {entry["step"] for entry in done} >= {entry["step"] for entry in skipped}, name


@pytest.mark.timeout(600)
def test_everything_is_set_up_by_hand_and_the_kit_finds_nothing_but_names_to_change(runbooks: Start) -> None:
    kit = runbooks()
    box = kit.document
    organization = {"organization_url": box["organization"]["url"], "organization_id": box["organization"]["id"]}
    here = {"cloud": "sandbox", "tenant": box["tenant_id"], **organization}
    variables = {"SETUP_KIT_INPUT_ADMINISTRATOR_PASSWORD": "Correct-horse-7-battery"}
    made = kit.runbook(
        "set-up-by-hand",
        variables=variables,
        **here,
        subscription=box["subscription_id"],
        server="by-hand",
        vault="kv-by-hand",
        office="127.0.0.1",
        service_address="40.68.252.224",
        discovery=box["discovery"],
        entities="account team",
    ).succeeded()
    check_record(made.json, "set-up-by-hand")
    assert made.json["entries"][-1]["output"].split("\n")[0].startswith("account: ")
    leaks = [variables["SETUP_KIT_INPUT_ADMINISTRATOR_PASSWORD"], box["client_secret"], "Password=", "eyJ"]
    texts = [path.read_text(encoding="utf-8") for path in (kit.folder / ".setup-kit" / "runs").rglob("record.*")]
    assert len(texts) == 2
    for text in [*texts, made.text]:
        assert not [leak for leak in leaks if leak in text.replace("Password=$EXPORT_PASSWORD", "")]

    check_record(kit.runbook("host-the-service", **here, port=free_port()).succeeded().json, "host-the-service")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.timeout(600)
def test_an_environment_moves_and_two_of_the_runbooks_are_typed(runbooks: Start) -> None:
    kit = runbooks()
    onboard(kit)
    moved = kit.runbook(
        "move-to-another-region",
        environment="typed",
        name="north",
        location="northeurope",
        vault="kv-north",
        server="sql-north",
    ).succeeded()
    check_record(moved.json, "move-to-another-region")
    take_down(kit)


def onboard(kit: Runbooks) -> None:
    """As a person at a terminal would, a slip of the finger included."""
    screen = typing(kit, "runbook", "run", "onboard-an-environment")
    answer(screen, "Name of the new environment", "two words")
    screen.expect("does not match")
    answer(screen, "Name of the new environment", "typed")
    answer(screen, "The cloud that it is made in", "sandbox")
    answer(screen, "Prefix of the tables", "typed")
    answer(screen, "Logical names of the entities", "team")
    for number in range(1, 7):
        screen.expect(f"Step {number} of 6")
        answer(screen, r"Run it\?", "yes" if number % 2 else "")
    screen.expect("The record of this run")
    finish(screen)


def take_down(kit: Runbooks) -> None:
    """First he thinks better of it, then he goes on."""
    screen = typing(kit, "runbook", "run", "take-an-environment-down", "-e", "typed")
    answer(screen, "The exported rows", "keep")
    for number in (1, 2):
        screen.expect(f"Step {number} of 4")
        answer(screen, r"Run it\?", "")
    screen.expect("The profile is deactivated and deleted")
    answer(screen, "cannot be undone", "")
    answer(screen, "cannot be undone", "quit")
    screen.expect("stopped before step 3")
    screen.expect("--from 3")
    finish(screen, code=1)

    screen = typing(kit, "runbook", "run", "take-an-environment-down", "-e", "typed", "--from", "3")
    screen.expect("Step 3 of 4")
    answer(screen, "cannot be undone", "yes")
    screen.expect("Step 4 of 4")
    answer(screen, r"Run it\?", "")
    screen.expect("Nothing to remove")
    finish(screen)
    records = sorted((kit.folder / ".setup-kit" / "runs").glob("*-take-an-environment-down/record.json"))
    assert len(records) == 1
    record = json.loads(records[0].read_text(encoding="utf-8"))
    assert record["outcome"] == "succeeded"
    assert [entry["confirmed"] for entry in record["entries"] if entry["step"] == 3 and entry["status"] == "done"] == [
        "at the terminal"
    ]


def typing(kit: Runbooks, *words: str) -> pexpect.spawn[str]:
    variables = kit.variables | {"TERM": "dumb", "COLUMNS": "200", "NO_COLOR": "1"}
    return pexpect.spawn(
        COMMAND, list(words), cwd=str(kit.folder), env=variables, encoding="utf-8", timeout=90, dimensions=(50, 200)
    )


def answer(screen: pexpect.spawn[str], question: str, text: str) -> None:
    screen.expect(question)
    screen.sendline(text)


def finish(screen: pexpect.spawn[str], code: int = 0) -> None:
    screen.expect(pexpect.EOF)
    screen.close()
    assert screen.exitstatus == code, screen.before
