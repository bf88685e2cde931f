"""The steps of the job, each by itself, through the installed command."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from setup_kit.report.schemas import SCHEMAS
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import parse_ado_net
from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.owner import Owner

NAME = "stepped"


@pytest.fixture(scope="session")
def stepped(kit: Kit) -> dict[str, Any]:
    """An environment up to its grants, made by step commands alone."""
    environment = kit.init(NAME)
    made = []
    for step in (
        "server create",
        "firewall add office 203.0.113.8 203.0.113.15",
        "database create",
        "vault create",
        "secret set",
        "vault grant",
        "database options",
        "user create",
        "user grants",
    ):
        result = kit.run(*step.split(), "-e", NAME, "--yes", "--output", "json").succeeded()
        made.append((step.split()[:2], {kind(change) for change in document("result", result)["changes"]}))
    assert [kinds for _, kinds in made] == [
        {"provider", "resource_group", "sql_server"} & made[0][1] | {"resource_group", "sql_server"},
        {"firewall_rules"},
        {"database"},
        {"key_vault"},
        {"vault_access", "secret"},
        {"vault_access"} | {"service_principal"} & made[5][1],
        {"database_options"},
        {"login", "user"},
        {"grants"},
    ]
    return environment


def kind(change: dict[str, Any]) -> str:
    return str(change["resource"]).split("/")[0]


def document(schema: str, finished: Finished) -> Any:
    found = finished.json
    Draft202012Validator(SCHEMAS[schema]).validate(found)
    return found


def state(kit: Kit, *command: str) -> Any:
    """What `show` says of the first resource."""
    found = document("states", kit.run(*command, "-e", NAME, "--output", "json").succeeded())
    assert found["resources"][0]["standing"] in ("as the file says", "differs")
    return found["resources"][0]["state"]


def test_steps_make_what_they_are_named_after_and_the_proof_of_it_holds(kit: Kit, stepped: dict[str, Any]) -> None:
    checked = document("findings", kit.run("user", "check", "-e", NAME, "--output", "json").succeeded())
    found = {(finding["check"], finding["status"]) for finding in checked["findings"]}
    assert {("proof.login", "passed"), ("grants", "passed"), ("user", "passed")} <= found
    assert checked["summary"]["passed"] > 13
    assert checked["summary"]["failed"] == 0
    again = kit.run("user", "grants", "-e", NAME, "--yes", "--output", "json").succeeded()
    assert again.json["changes"] == []


def test_a_contained_user_is_made_proven_and_dropped_by_its_commands(kit: Kit) -> None:
    name = "selfcontained"
    kit.init(name, sql__export_user__authentication="contained")
    made = kit.run("user", "create", "-e", name, "--yes", "--output", "json").succeeded().json
    assert {"user"} == {kind(change) for change in made["changes"]} & {"user", "login"}
    kit.run("user", "grants", "-e", name, "--yes").succeeded()
    checked = document("findings", kit.run("user", "check", "-e", name, "--output", "json").succeeded())
    found = {(finding["check"], finding["status"]) for finding in checked["findings"]}
    assert {("proof.login", "passed"), ("grants", "passed"), ("user", "passed")} <= found
    dropped = kit.run("user", "drop", "-e", name, "--yes", "--output", "json").succeeded().json
    assert [kind(change) for change in dropped["changes"]] == ["user"]
    unproven = kit.run("user", "check", "-e", name).failed(4)
    assert "login/" not in unproven.text


def test_show_says_what_is_there(kit: Kit, stepped: dict[str, Any]) -> None:
    server = state(kit, "server", "show")
    assert (server["name"], server["minimal_tls"]) == (stepped["sql"]["server"], "1.2")
    assert server["entra"]["name"] == stepped["sql"]["administrator"]["entra_group"]["name"]
    database = kit.run("database", "show", "-e", NAME).succeeded().out
    assert f"database/{stepped['sql']['database']['name']}  as the file says" in database
    assert "  sku: " in database
    vault = document("states", kit.run("vault", "show", "-e", NAME, "--output", "json").succeeded())
    assert [each["resource"] for each in vault["resources"]] == [
        f"key_vault/{stepped['key_vault']['name']}",
        "vault_access/operator",
        "vault_access/service",
    ]


def test_a_rule_that_the_file_does_not_name_is_made_listed_and_told(kit: Kit, stepped: dict[str, Any]) -> None:
    told = kit.run("firewall", "add", "-e", NAME, "--yes", "home", "198.51.100.7").succeeded()
    lines = yaml.safe_load(told.err[told.err.index("sql:\n") :])
    home = {"name": "home", "start": "198.51.100.7", "end": "198.51.100.7"}
    assert home in lines["sql"]["firewall"]["rules"]
    assert "+ home: 198.51.100.7  # asked for by name" in told.out
    assert "verify" in told.err
    rules = state(kit, "firewall", "list")
    assert rules["home"] == home
    assert rules["office"]["end"] == "203.0.113.15"
    listed = kit.run("firewall", "list", "-e", NAME).succeeded().out
    assert "not in the file: home" in listed

    wide = kit.run("firewall", "add", "-e", NAME, "--yes", "all", "0.0.0.0", "255.255.255.255")  # noqa: S104
    assert wide.code == 2
    assert "every address of the Internet" in wide.err
    again = kit.run("firewall", "allow-service", "-e", NAME, "--yes", "--region", "UK South").succeeded()
    assert yaml.safe_load(again.err[again.err.index("sql:\n") :])["sql"]["firewall"] == {"service_region": "UK South"}
    assert "data-export-service-uk-south" in state(kit, "firewall", "list")
    silent = kit.run("firewall", "allow-azure", "-e", NAME, "--yes").succeeded()
    assert "sql:" not in silent.err


def test_a_new_version_of_the_secret_keeps_the_password_and_nobody_shows_it(kit: Kit, stepped: dict[str, Any]) -> None:
    owner = Owner(kit, stepped)
    before, count = owner.secret(), len(owner.secret_versions())
    planned = kit.run("secret", "set", "-e", NAME)
    assert planned.code == 2
    assert "version: the newest → a new one" in planned.out
    made = kit.run("secret", "set", "-e", NAME, "--yes", "--output", "json").succeeded().json
    assert [change["target"] for change in made["changes"]] == ["version"]
    after = owner.secret()
    assert after["value"] == before["value"]
    assert after["id"] != before["id"]
    assert after["tags"] == before["tags"]

    listed = document("versions", kit.run("secret", "versions", "-e", NAME, "--output", "json").succeeded())
    assert len(listed["versions"]) == count + 1
    assert listed["versions"][0]["version"] == after["id"].rsplit("/", 1)[1]

    shown = state(kit, "secret", "show")
    assert (shown["value"], shown["password"], shown["user"]) == ("***", "***", "dataexport")
    password = parse_ado_net(Secret(after["value"])).password
    assert password is not None
    for command in (("secret", "show"), ("secret", "versions")):
        said = kit.run(*command, "-e", NAME, "-v").succeeded().text
        assert password.reveal() not in said
    kit.run("secret", "check", "-e", NAME).succeeded()


def test_what_is_not_there_is_said_with_an_exit_code(kit: Kit) -> None:
    kit.init("nothing")
    for command in ("server show", "firewall list", "secret show"):
        absent = kit.run(*command.split(), "-e", "nothing", "--output", "json")
        assert absent.code == 1
        assert document("states", absent)["resources"][0]["state"] is None
    unproven = kit.run("user", "check", "-e", "nothing", "--output", "json")
    assert unproven.code == 4
    assert document("findings", unproven)["summary"]["passed"] == 0


def test_a_grant_that_is_missing_fails_the_check_of_the_user(kit: Kit, stepped: dict[str, Any]) -> None:
    owner = Owner(kit, stepped)
    owner.sql("REVOKE SELECT ON SCHEMA::[dbo] FROM [dataexport]")
    missing = document("findings", kit.run("user", "check", "-e", NAME, "--output", "json"))
    failed = {finding["check"] for finding in missing["findings"] if finding["status"] == "failed"}
    assert failed == {"grants.missing", "proof.grant"}
    assert kit.run("user", "grants", "-e", NAME, "--yes").succeeded()
    kit.run("user", "check", "-e", NAME).succeeded()


@pytest.fixture
def unmade(kit: Kit) -> tuple[str, Owner]:
    """An environment of its own up to the service's access, and its owner."""
    name = "unmade"
    environment = kit.init(name)
    kit.run("user", "grants", "-e", name, "--yes").succeeded()
    kit.run("vault", "grant", "-e", name, "--yes").succeeded()
    return name, Owner(kit, environment)


def test_each_part_is_taken_away_by_itself_and_comes_back(kit: Kit, unmade: tuple[str, Owner]) -> None:
    name, owner = unmade

    def removed(*command: str) -> list[tuple[str, str]]:
        done = kit.run(*command, "-e", name, "--yes", "--output", "json").succeeded()
        changes = document("removal", done)["changes"]
        assert all(change["action"] == "delete" for change in changes)
        return [(kind(change), change["target"]) for change in changes]

    def made(*command: str) -> set[str]:
        done = kit.run(*command, "-e", name, "--yes", "--output", "json").succeeded()
        return {kind(change) for change in document("result", done)["changes"]}

    kit.run("firewall", "add", "-e", name, "--yes", "home", "198.51.100.7").succeeded()
    assert removed("firewall", "remove", "HOME") == [("firewall_rules", "home")]
    unknown = kit.run("firewall", "remove", "-e", name, "--yes", "workstatoin").failed(1)
    assert "has no firewall rule 'workstatoin'" in unknown.err
    assert f"did you mean workstation? see which there are: setup-kit firewall list -e {name}" in unknown.err
    assert "did you mean" not in kit.run("firewall", "remove", "-e", name, "--yes", "home").failed(1).err
    told = kit.run("firewall", "remove", "-e", name, "--yes", "AllowAllWindowsAzureIps").succeeded()
    assert "still asks for the rule AllowAllWindowsAzureIps" in told.err
    assert removed("firewall", "remove", "AllowAllWindowsAzureIps") == []
    made("firewall", "allow-azure")

    assert removed("user", "drop") == [("user", ""), ("login", "")]
    assert owner.sql("SELECT name FROM sys.database_principals WHERE name = 'dataexport'") == []
    assert removed("user", "drop") == []
    assert made("user", "grants") == {"login", "user", "grants"}

    assert removed("vault", "revoke") == [("vault_access", "")]
    kit.run("secret", "check", "-e", name).failed(4)
    assert made("vault", "grant") == {"vault_access"}

    value, secret = owner.secret()["value"], owner.environment["key_vault"]["secret"]
    kit.run("secret", "purge", "-e", name, "--yes", secret).failed(1)
    kit.run("secret", "recover", "-e", name, "--yes").failed(1)
    assert removed("secret", "delete") == [("secret", "")]
    assert removed("secret", "delete") == []
    assert made("secret", "recover") == {"secret"}
    assert owner.secret()["value"] == value
    removed("secret", "delete")
    kit.run("secret", "purge", "-e", name, "--yes", "other").failed(2)
    assert removed("secret", "purge", secret) == [("secret", "purge")]
    assert made("secret", "set") == {"secret"}
    assert owner.secret()["value"] != value

    kit.run("database", "delete", "-e", name, "--yes").failed(2)
    assert removed("database", "delete", "--include-data") == [("database", "")]
    server = kit.run("server", "delete", "-e", name, "--include-data", "--yes").succeeded().out
    assert f"firewall_rules/{owner.environment['sql']['server']}  goes with sql_server/" in server
    kit.run("server", "show", "-e", name).failed(1)


def test_a_soft_deleted_vault_is_recovered_by_default_and_purged_only_by_name(kit: Kit) -> None:
    name = "binned"
    environment = kit.init(name)
    owner, vault = Owner(kit, environment), environment["key_vault"]["name"]
    assert "was never made" in kit.run("vault", "recover", "-e", name, "--yes").failed(1).err
    kit.run("vault", "create", "-e", name, "--yes").succeeded()
    assert "is not deleted" in kit.run("vault", "purge", "-e", name, "--yes", vault).failed(1).err
    owner.manage("DELETE", owner.vault)
    kit.run("vault", "recover", "-e", name, "--yes").succeeded()
    assert "it is there" in kit.run("vault", "recover", "-e", name, "--yes").failed(1).err
    owner.manage("DELETE", owner.vault)
    kit.run("vault", "purge", "-e", name, "--yes", "other").failed(2)
    kit.run("vault", "purge", "-e", name, "--yes", vault).succeeded()
    kit.run("vault", "show", "-e", name).failed(1)


def test_what_the_kit_did_not_make_is_not_taken_away_and_that_is_a_failure(kit: Kit) -> None:
    name = "anothers"
    environment = kit.init(name)
    owner = Owner(kit, environment)
    kit.run("server", "create", "-e", name, "--yes").succeeded()
    owner.manage("PATCH", owner.server, {"tags": {"team": "finance"}})
    unasked = kit.run("server", "delete", "-e", name, "--include-data").failed(1)
    assert "stays: not made by setup-kit" in unasked.out
    assert kit.run("server", "show", "-e", name).succeeded()
