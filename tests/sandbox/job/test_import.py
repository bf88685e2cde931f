"""`import`: the file of what is there already, through the installed command."""

from __future__ import annotations

import shutil

import pexpect
import pytest

from setup_kit.environment.loading import load
from setup_kit.environment.models import Environment
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net
from tests.sandbox.job.harness import COMMAND, TIMEOUT, Kit
from tests.sandbox.job.owner import Owner

NAME = "imported"


@pytest.fixture(scope="session")
def lost(kit: Kit, dev: str) -> Environment:
    """An environment that was applied, of which no file and no journal is left."""
    document = kit.init(
        NAME,
        tags={"cost-center": "4711"},
        sql__database__sku="S3",
        sql__database__max_size_gb=100,
        sql__database__maxdop=2,
        sql__database__read_committed_snapshot=False,
        sql__firewall__service_region="North Europe",
        sql__export_user__name="replicator",
        sql__export_user__authentication="contained",
        key_vault__authorization="access_policy",
        key_vault__secret="their-secret",
        profile__prefix="imp",
        profile__entities=["account", "contact"],
        profile__retry={"count": 3, "interval_seconds": 9},
        profile__delete_log=False,
    )
    kit.apply(NAME).succeeded()
    before = load(NAME, kit.folder).environment
    password = parse_ado_net(Secret(Owner(kit, document).secret()["value"])).password
    assert password is not None
    kit.path(NAME).unlink()
    shutil.rmtree(kit.folder / ".setup-kit" / NAME)
    imported = kit.run("import", NAME, "--cloud", "sandbox", "--profile", f"Contoso {NAME}", "--output", "json")
    assert imported.succeeded().json["notes"] == []
    assert password.reveal() not in kit.path(NAME).read_text(encoding="utf-8") + imported.text
    return before


def test_a_plan_of_what_was_imported_changes_nothing(kit: Kit, lost: Environment) -> None:
    assert kit.run("plan", "-e", NAME, "--detailed-exitcode").succeeded().out.startswith("No changes.")


def test_the_file_says_again_what_was_applied(kit: Kit, lost: Environment) -> None:
    assert load(NAME, kit.folder).environment == lost


def test_a_file_that_is_there_is_not_imported_over(kit: Kit, lost: Environment) -> None:
    before = kit.path(NAME).read_bytes()
    refused = kit.run("import", NAME, "--cloud", "sandbox")
    assert (refused.code, kit.path(NAME).read_bytes()) == (2, before)
    assert "is there already" in refused.err


def test_what_is_found_twice_is_named_or_chosen(kit: Kit, lost: Environment) -> None:
    refused = kit.run("import", "chosen", "--cloud", "sandbox")
    assert refused.code == 2
    assert "Contoso dev" in refused.err
    assert f"Contoso {NAME}" in refused.err
    assert "--profile NAME" in refused.err
    words = ["import", "chosen", "--cloud", "sandbox"]
    screen = pexpect.spawn(COMMAND, words, cwd=str(kit.folder), env=kit.variables, encoding="utf-8", timeout=TIMEOUT)
    screen.expect("Which one")
    screen.sendline(f"Contoso {NAME}")
    screen.expect("Wrote environments/chosen.yaml")
    screen.expect(pexpect.EOF)
    assert load("chosen", kit.folder).environment == lost
    kit.path("chosen").unlink()


def test_a_stale_rule_of_the_service_is_left_out_and_told_with_the_command_that_removes_it(
    kit: Kit, lost: Environment
) -> None:
    owner = Owner(kit, kit.edit(NAME))
    rule = f"{owner.server}/firewallRules/data-export-service-australia-east"
    owner.manage("PUT", rule, {"properties": {"startIpAddress": "13.73.202.160", "endIpAddress": "13.73.202.160"}})
    imported = kit.run("import", "stale", "--cloud", "sandbox", "--profile", f"Contoso {NAME}").succeeded()
    assert load("stale", kit.folder).environment == lost
    assert "because the service calls from North Europe for this organization" in imported.err
    command = "setup-kit firewall remove -e stale data-export-service-australia-east"
    assert command in imported.err
    kit.run(*command.split()[1:], "--yes").succeeded()
    kit.path("stale").unlink()


def test_what_is_not_there_is_said_with_what_is(kit: Kit, lost: Environment) -> None:
    refused = kit.run("import", "wrong", "--cloud", "sandbox", "--profile", "Contoso dev", "--vault", "kv-nowhere")
    assert refused.code == 2
    assert lost.key_vault.name in refused.err
    assert not kit.path("wrong").exists()
