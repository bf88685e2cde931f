"""SQL Server on a virtual machine as the destination: the whole way, over every wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from setup_kit.environment.loading import load
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlAddress, connect
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import destroy
from tests.sandbox.job.owner import Owner


class Machine:
    """The sandbox's machine as its administrator sees it."""

    def __init__(self, kit: Kit) -> None:
        self.box = kit.document["sql_machine"]
        self._certificate = Path(kit.document["sql_certificate"])

    def sql(self, text: str, database: str = "master", user: str = "", password: Secret | None = None) -> list[Any]:
        connection = connect(
            SqlAddress(self.box["host"], self.box["port"]),
            database,
            user=user or self.box["administrator"],
            password=password or Secret(self.box["password"]),
            certificate=self._certificate,
        )
        try:
            cursor = connection.execute(text)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()

    def names(self, view: str) -> set[str]:
        return {name for (name,) in self.sql(f"SELECT name FROM {view}")}  # noqa: S608 - a view of the test's own


@pytest.fixture
def machine(kit: Kit) -> Machine:
    return Machine(kit)


def init(kit: Kit, name: str, **changes: Any) -> dict[str, Any]:
    """The file of an environment on the sandbox's machine, with one entity and a user of its own."""
    kit.run("init", name, "--cloud", "sandbox", "--machine").succeeded()
    return kit.edit(
        name,
        sql__export_user={"name": f"{name}user"} | changes.pop("sql__export_user", {}),
        profile__prefix=name,
        profile__entities=["team"],
        profile__relationships=[],
        **changes,
    )


def kinds(finished: Any, key: str = "changes") -> set[str]:
    return {change["resource"].split("/")[0] for change in finished.json[key]}


def test_the_whole_way_leads_to_a_machine_and_back(kit: Kit, machine: Machine) -> None:
    document = init(kit, "vmway")
    database = document["sql"]["database"]["name"]
    planned = kit.run("plan", "-e", "vmway", "--output", "json", "--detailed-exitcode").failed(3)
    assert kinds(planned) >= {"database", "login", "user", "grants", "secret", "key_vault", "profile"}
    assert not kinds(planned) & {"sql_server", "firewall_rules"}

    applied = kit.apply("vmway").succeeded()
    assert kinds(applied) >= kinds(planned) - {"privacy_terms"}
    source = Owner(kit, document)
    (rows,) = machine.sql("SELECT COUNT(*) FROM dbo.vmway_team", database)[0]
    assert rows > 0
    held = machine.sql(
        "SELECT p.class_desc, p.permission_name FROM sys.database_permissions AS p JOIN sys.database_principals AS u"
        " ON u.principal_id = p.grantee_principal_id WHERE u.name = N'vmwayuser' AND p.permission_name <> 'CONNECT'",
        database,
    )
    assert len(held) == 13

    before = len(kit.writes())
    assert kit.run("plan", "-e", "vmway", "--detailed-exitcode").code == 0
    assert kit.apply("vmway").succeeded().json["changes"] == []
    assert kit.writes()[before:] == []
    kit.run("verify", "-e", "vmway", "--output", "json").succeeded()
    report = kit.run("status", "-e", "vmway", "--output", "json").succeeded()
    assert "sql_machine" in report.out

    secret = source.secret()["value"]
    assert f"Server=tcp:{machine.box['host']},{machine.box['port']};" in secret
    kit.run("rotate", "-e", "vmway", "--yes", "--grace", "0").succeeded()
    assert source.secret()["value"] != secret
    assert "vmwayuser_2" in machine.names("sys.sql_logins")
    assert "vmwayuser" not in machine.names("sys.sql_logins")
    kit.run("verify", "-e", "vmway").succeeded()

    kept = destroy(kit, "vmway").succeeded()
    assert database in machine.names("sys.databases")
    assert {item["resource"].split("/")[0]: item["why"] for item in kept.json["kept"]}["database"].startswith("holds")
    assert "vmwayuser_2" not in machine.names("sys.sql_logins")
    # What it made is known as its own by the database itself, with no vault to ask any more.
    gone = destroy(kit, "vmway", "--include-data").succeeded()
    assert kinds(gone) == {"database", "resource_group"}
    assert database not in machine.names("sys.databases")


def test_a_database_that_was_there_is_taken_and_never_dropped(kit: Kit, machine: Machine) -> None:
    document = init(kit, "vmtaken")
    database = document["sql"]["database"]["name"]
    machine.sql(f"CREATE DATABASE [{database}]")
    applied = kit.apply("vmtaken").succeeded()
    assert "database" not in kinds(applied)
    down = destroy(kit, "vmtaken", "--include-data").succeeded()
    why = {item["resource"].split("/")[0]: item["why"] for item in down.json["kept"]}
    assert why["database"] == "not made by setup-kit"
    assert database in machine.names("sys.databases")


def test_a_contained_user_needs_no_login_of_the_machine(kit: Kit, machine: Machine) -> None:
    document = init(kit, "vmown", sql__export_user={"authentication": "contained"})
    database = document["sql"]["database"]["name"]
    machine.sql(f"CREATE DATABASE [{database}]")
    planned = kit.run("plan", "-e", "vmown", "--output", "json").succeeded().json
    (change,) = [change for change in planned["changes"] if change["resource"].startswith("database/")]
    assert (change["target"], change["after"]) == ("containment", "partial")
    kit.apply("vmown").succeeded()
    kit.run("verify", "-e", "vmown").succeeded()
    kit.run("rotate", "-e", "vmown", "--yes", "--grace", "0").succeeded()
    assert not {"vmownuser", "vmownuser_2"} & machine.names("sys.sql_logins")
    destroy(kit, "vmown").succeeded()


def test_steps_work_one_by_one_and_those_of_a_logical_server_say_that_there_is_none(kit: Kit, machine: Machine) -> None:
    document = init(kit, "vmsteps")
    kit.run("database", "create", "-e", "vmsteps", "--yes").succeeded()
    kit.run("database", "options", "-e", "vmsteps", "--yes").succeeded()
    kit.run("user", "create", "-e", "vmsteps", "--yes").succeeded()
    shown = kit.run("database", "show", "-e", "vmsteps", "--output", "json").succeeded().json["resources"][0]
    assert shown["state"]["owner"] == "vmsteps"
    before = len(kit.writes())
    for words in (
        ["server", "create", "--yes"],
        ["server", "show"],
        ["server", "delete", "--include-data", "--yes"],
        ["firewall", "list"],
        ["firewall", "add", "office", "203.0.113.8", "--yes"],
        ["firewall", "remove", "office", "--yes"],
        ["server", "delete", "--yes"],
        ["firewall", "allow-service", "--yes"],
        ["firewall", "allow-azure", "--yes"],
    ):
        refused = kit.run(*words, "-e", "vmsteps").failed(2)
        assert "no logical server" in refused.text
        assert f"{machine.box['host']},{machine.box['port']}" in refused.text
    assert kit.writes()[before:] == []
    kit.run("database", "delete", "-e", "vmsteps", "--include-data", "--yes").succeeded()
    assert document["sql"]["database"]["name"] not in machine.names("sys.databases")


def test_doctor_looks_at_the_machine_and_signs_in(kit: Kit, machine: Machine) -> None:
    init(kit, "vmdoctor")
    where = f"{machine.box['host']},{machine.box['port']}"

    def found(**variables: str) -> list[dict[str, Any]]:
        told = kit.run("doctor", "-e", "vmdoctor", "--output", "json", variables=variables).json["findings"]
        return [each for each in told if each["check"] == "preflight.machine"]

    seen, signed_in = found()
    assert {seen["status"], signed_in["status"]} == {"passed"}
    assert f"SQL Server 2022 (16.0.1000) answers at {where}, encrypted" in seen["message"]
    assert signed_in["evidence"] == "a member of sysadmin"
    _, unknown = found(SETUP_KIT_SQL_ADMIN_PASSWORD="")
    assert unknown["status"] == "skipped"
    _, refused = found(SETUP_KIT_SQL_ADMIN_PASSWORD="Wrong-Horse-9")
    assert refused["status"] == "failed"
    assert "Windows Authentication mode" in refused["remedy"]

    machine.sql("CREATE LOGIN vmweak WITH PASSWORD = 'Correct-Horse-9'")
    kit.edit("vmdoctor", sql__administrator={"sql_login": "vmweak"})
    _, lacking = found(SETUP_KIT_SQL_ADMIN_PASSWORD="Correct-Horse-9")
    assert lacking["status"] == "failed"
    assert "lacks CREATE ANY DATABASE and ALTER ANY LOGIN" in lacking["message"]

    kit.edit("vmdoctor", sql__machine={"host": "127.0.0.1", "port": 1})
    (away,) = found()
    assert "is not reached from here" in away["message"]
    assert "network security group" in away["remedy"]


def test_what_is_on_a_machine_is_imported_as_it_is(kit: Kit, machine: Machine) -> None:
    init(kit, "vmlost")
    kit.apply("vmlost").succeeded()
    before = load("vmlost", kit.folder).environment
    kit.path("vmlost").unlink()
    where = f"{machine.box['host']},{machine.box['port']}"
    words = ("import", "vmlost", "--cloud", "sandbox", "--profile", "Contoso vmlost", "--machine", where)
    assert "go together" in kit.run(*words).failed(2).text
    imported = kit.run(*words, "--administrator-login", machine.box["administrator"], "--output", "json").succeeded()
    assert imported.json["notes"] == []
    assert load("vmlost", kit.folder).environment == before
    assert kit.run("plan", "-e", "vmlost", "--detailed-exitcode").code == 0


def test_nobody_is_told_the_password_of_the_machine_but_by_env(kit: Kit, machine: Machine) -> None:
    assert machine.box["password"] not in kit.run("sandbox", "status", "--output", "json").succeeded().text
    assert machine.box["password"] not in kit.run("sandbox", "status").succeeded().text
    assert machine.box["password"] in kit.run("sandbox", "env").succeeded().out
