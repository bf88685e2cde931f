"""The main job through the installed command, over every wire."""

from __future__ import annotations

import json
import os
import re
import subprocess

import mssql_python

from tests.sandbox.job.harness import COMMAND, Kit
from tests.sandbox.job.owner import Owner


def test_a_plan_shows_what_apply_then_does_and_makes_none_of_it(kit: Kit) -> None:
    kit.init("planned", profile__prefix="planned", profile__entities=["team"], profile__relationships=[])
    before = len(kit.writes())
    planned = kit.run("plan", "-e", "planned", "--output", "json", "--detailed-exitcode")
    assert planned.code == 3
    assert len(kit.writes()) == before

    applied = kit.apply("planned").succeeded().json
    assert applied["summary"]["created"] == planned.json["summary"]["created"] > 20
    # Terms that another environment of the organization has accepted meanwhile are no difference of the plan.
    assert sorted(change["resource"] for change in applied["changes"]) == sorted(
        change["resource"] for change in planned.json["changes"]
    )


def test_a_second_plan_is_empty_and_a_second_apply_sends_no_write(kit: Kit, dev: str) -> None:
    before = len(kit.writes())
    again = kit.apply(dev).succeeded()
    assert {key: again.json["summary"][key] for key in ("created", "updated", "deleted")} == {
        "created": 0,
        "updated": 0,
        "deleted": 0,
    }
    assert again.json["changes"] == []
    assert kit.writes()[before:] == []
    assert kit.run("plan", "-e", dev, "--detailed-exitcode").code == 0


def test_a_run_with_nothing_to_do_asks_for_the_profile_once_and_for_no_token_twice(kit: Kit, dev: str) -> None:
    before = len(kit.requests())
    kit.apply(dev).succeeded()
    sent = [line for line in kit.requests()[before:] if line["caller"] == kit.document["client_id"]]
    assert len([line for line in sent if "/exporter/profiles" in line["path"]]) == 1
    tokens = [line for line in kit.requests()[before:] if line["path"].endswith("/oauth2/v2.0/token")]
    # For Resource Manager, Graph, the vault, the organization and the service; SQL is read as the export user.
    assert len(tokens) == 5


def test_exactly_the_thirteen_grants_are_issued_to_an_own_user_and_read_back(kit: Kit, dev: str) -> None:
    owner = Owner(kit, kit.edit(dev))
    rows = owner.sql(
        "SELECT p.class_desc, p.permission_name FROM sys.database_permissions AS p "
        "JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id WHERE u.name = N'dataexport'"
    )
    database = {name for place, name in rows if place == "DATABASE"}
    schema = {name for place, name in rows if place == "SCHEMA"}
    assert database == {
        "CONNECT",
        "CREATE TABLE",
        "CREATE TYPE",
        "CREATE VIEW",
        "CREATE PROCEDURE",
        "ALTER ANY USER",
        "VIEW DATABASE STATE",
    }
    assert schema == {"ALTER", "REFERENCES", "INSERT", "DELETE", "UPDATE", "SELECT", "EXECUTE"}


def test_the_rows_of_the_organization_are_in_the_destination(kit: Kit, dev: str) -> None:
    owner = Owner(kit, kit.edit(dev))
    for entity, entity_set in (("account", "accounts"), ("contact", "contacts")):
        url = f"{owner.box['organization']['url']}/api/data/v9.2/{entity_set}"
        source = owner.call("GET", url, owner.box["organization"]["url"], **{"$count": "true", "$top": "1"}).json()[
            "@odata.count"
        ]
        destination = owner.sql(f"SELECT COUNT_BIG(*) FROM [dbo].[dev_{entity}]")[0][0]  # noqa: S608
        assert source == destination >= 30


def test_the_journal_has_each_change_before_and_after(kit: Kit, dev: str) -> None:
    events = kit.journal(dev)
    assert [events[0]["event"], events[-1]["event"], events[-1]["text"]] == ["run_started", "run_ended", "succeeded"]
    started = [json.dumps(event["change"]) for event in events if event["event"] == "change_started"]
    done = [json.dumps(event["change"]) for event in events if event["event"] == "change_done"]
    assert sorted(started) == sorted(done)
    assert len(done) > 25


def test_the_operators_temporary_rule_is_added_when_it_is_needed_and_removed_at_the_end(kit: Kit) -> None:
    environment = kit.init(
        "office",
        sql__firewall__rules=[],
        profile__prefix="office",
        profile__entities=["team"],
        profile__relationships=[],
    )
    kit.apply("office").succeeded()
    events = [
        event["event"] for event in kit.journal("office") if event.get("resource", "").startswith("operator_rule/")
    ]
    assert events == ["started", "opened", "closed"]
    owner = Owner(kit, environment)
    names = {rule["name"] for rule in owner.manage("GET", f"{owner.server}/firewallRules")["value"]}
    assert names == {"AllowAllWindowsAzureIps", "data-export-service-west-europe"}

    # From an address that the firewall does not admit, a plan says what it could not read; it opens nothing unasked.
    plan = kit.run("plan", "-e", "office", "--output", "json").succeeded().json
    assert plan["changes"] == []
    assert all("127.0.0.1" in item["reason"] for item in plan["deferred"])
    assert plan["deferred"]
    assert kit.run("plan", "-e", "office", "--open-firewall", "--detailed-exitcode").code == 0
    assert kit.apply("office").succeeded().json["changes"] == []


def test_a_contained_user_and_a_schema_of_its_own_work_as_well(kit: Kit) -> None:
    kit.init(
        "contained",
        sql__export_user__authentication="contained",
        sql__export_user__schema="export",
        profile__schema="export",
        profile__prefix="",
        profile__entities=["team"],
        profile__relationships=[],
    )
    applied = kit.apply("contained").succeeded().json
    resources = {change["resource"].split("/")[0] for change in applied["changes"]}
    assert "login" not in resources
    assert {"schema", "user", "grants"} <= resources
    kit.run("verify", "-e", "contained").succeeded()
    assert kit.run("plan", "-e", "contained", "--detailed-exitcode").code == 0


def test_a_sql_login_may_administer_the_server_and_look_in_by_another_driver_as_the_help_says(kit: Kit) -> None:
    chosen = ("--administrator-login", "kitadmin", "--prefix", "bysql", "--entity", "team")
    kit.run("init", "bysql", "--cloud", "sandbox", *chosen).succeeded()
    environment = kit.edit("bysql")
    nothing = {"SETUP_KIT_SQL_ADMIN_PASSWORD": ""}
    before = len(kit.writes())
    looked = kit.run("doctor", "-e", "bysql", "--output", "json", variables=nothing).failed(1).json
    failed = [finding["check"] for finding in looked["findings"] if finding["status"] == "failed"]
    assert failed == ["sql_administrator"]
    planned = kit.run("plan", "-e", "bysql", variables=nothing).succeeded()
    assert "the password of the SQL administrator kitadmin is not known, and apply does not begin" in planned.out
    refused = kit.run("apply", "-e", "bysql", "--yes", variables=nothing).failed(2)
    assert "the password of the SQL administrator kitadmin is not known" in refused.err
    assert "SETUP_KIT_SQL_ADMIN_PASSWORD" in refused.err
    assert kit.writes()[before:] == []
    variables = {"SETUP_KIT_SQL_ADMIN_PASSWORD": "Correct-horse7battery"}
    assert kit.run("doctor", "-e", "bysql", variables=variables).code == 0
    kit.run("apply", "-e", "bysql", "--yes", variables=variables).succeeded()
    # Reading needs no administrator: the export user's own log-in proves itself.
    assert "password" not in kit.run("plan", "-e", "bysql", "--detailed-exitcode").succeeded().out
    kit.run("apply", "-e", "bysql", "--yes").succeeded()
    (form,) = re.findall(r"Server=127.0.0.1,PORT;.*", kit.run("sandbox", "sql", "--help").succeeded().out)
    (server,) = kit.run("server", "show", "-e", "bysql", "--output", "json").succeeded().json["resources"]
    filled = {
        "127.0.0.1,PORT": server["state"]["fqdn"],
        "NAME": environment["sql"]["database"]["name"],
        "FILE": kit.run("sandbox", "status", "--output", "json").succeeded().json["sql_certificate"],
    }
    for word, value in filled.items():
        form = form.replace(word, value)
    connection = mssql_python.connect(f"{form};UID=kitadmin;PWD={variables['SETUP_KIT_SQL_ADMIN_PASSWORD']}")
    counted = connection.cursor().execute("SELECT COUNT(*) FROM bysql_team").fetchone()
    assert counted is not None
    assert counted[0] > 0
    connection.close()


def test_a_reader_that_goes_away_stops_no_run_and_leaves_no_temporary_rule(kit: Kit) -> None:
    environment = kit.init(
        "piped", sql__firewall__rules=[], profile__prefix="piped", profile__entities=["team"], profile__relationships=[]
    )
    read, write = os.pipe()
    process = subprocess.Popen(
        [COMMAND, "apply", "-e", "piped", "--yes"],
        cwd=kit.folder,
        env=kit.variables,
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=write,
    )
    os.close(write)
    os.read(read, 1)
    os.close(read)
    process.wait(60)
    owner = Owner(kit, environment)
    names = {rule["name"] for rule in owner.manage("GET", f"{owner.server}/firewallRules")["value"]}
    assert not [name for name in names if name.startswith("setup-kit-operator")]
    assert kit.journal("piped")[-1]["event"] == "run_ended"
