"""Taking an environment down through the installed command: what the kit made goes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.job.end_state import end_state, remains
from tests.sandbox.job.harness import Kit
from tests.sandbox.job.killing import JOURNAL, Boundary, destroy, destroy_trial
from tests.sandbox.job.owner import Owner


def provisioned(kit: Kit, name: str, **changes: Any) -> Owner:
    document = kit.init(name, profile__prefix=name, profile__entities=["team"], profile__relationships=[], **changes)
    kit.apply(name).succeeded()
    return Owner(kit, document)


def gone(finished: Any) -> set[str]:
    return {change["resource"].split("/")[0] for change in finished.json["changes"]}


def stays(finished: Any) -> dict[str, str]:
    return {item["resource"].split("/")[0]: item["why"] for item in finished.json["kept"]}


def test_destroy_leaves_the_data_and_apply_brings_the_rest_back(kit: Kit) -> None:
    owner = provisioned(kit, "down")
    password = owner.secret()["value"]
    down = destroy(kit, "down").succeeded()
    assert gone(down) == {
        "activation",
        "profile",
        "vault_access",
        "user",
        "login",
        "firewall_rules",
        "key_vault",
    }
    assert stays(down)["database"].startswith("holds data")

    left = remains(kit, "down")
    assert left["resources"] == ["Microsoft.Sql/servers made", "Microsoft.Sql/servers/databases made/made"]
    assert left["deleted vaults"] == ["made"]
    assert left["profiles"] == left["rules"] == left["logins"] == left["users"] == []
    assert "prefix_team" in left["tables"]

    again = destroy(kit, "down").succeeded()
    assert again.json["changes"] == []
    assert remains(kit, "down") == left

    # The service makes its tables anew only where none are in the way.
    assert gone(destroy(kit, "down", "--drop-objects").succeeded()) == {"exported_objects"}
    assert remains(kit, "down")["tables"] == []
    kit.apply("down").succeeded()
    assert owner.secret()["value"] == password
    kit.run("verify", "-e", "down").succeeded()


def test_with_data_and_purge_the_cloud_is_as_before(kit: Kit) -> None:
    document = kit.init("all", profile__prefix="all", profile__entities=["team"], profile__relationships=[])
    before = remains(kit, "all")
    kit.apply("all").succeeded()
    options = ("--include-data", "--purge", document["key_vault"]["name"])
    down = destroy(kit, "all", *options).succeeded()
    assert {item["resource"].split("/")[0] for item in down.json["along"]} >= {"database", "secret"}
    assert remains(kit, "all") == before
    assert destroy(kit, "all", *options).succeeded().json["changes"] == []


def test_what_apply_says_of_tables_that_destroy_left_makes_way_for_it(kit: Kit) -> None:
    kit.init("return", profile__prefix="Ret", profile__entities=["team", "account"], profile__relationships=[])
    kit.apply("return").succeeded()
    destroy(kit, "return").succeeded()
    refused = kit.apply("return").failed(1).json
    remedies = {finding["remedy"] for finding in refused["findings"] if finding["check"].endswith("table_exists")}
    (remedy,) = remedies
    assert "setup-kit profile drop-objects -e return team account;" in remedy
    kit.run(*remedy.split("setup-kit ")[1].split(";")[0].split(), "--yes").succeeded()
    kit.apply("return").succeeded()


def test_a_schema_of_its_own_stays_while_something_is_in_it(kit: Kit) -> None:
    own = {"sql__export_user__schema": "exp", "profile__schema": "exp"}
    owner = provisioned(kit, "inschema", **own)
    owner.sql("CREATE TABLE [exp].[orders] ([Id] int NOT NULL)")
    down = destroy(kit, "inschema").succeeded()
    assert stays(down)["schema"] == "holds what was exported: only --drop-objects or --include-data takes it away"
    assert {"user", "login", "key_vault"} <= gone(down)

    more = destroy(kit, "inschema", "--drop-objects").succeeded()
    assert gone(more) == {"exported_objects"}
    assert stays(more)["schema"] == "there is more in it than what the service made: table orders"
    assert remains(kit, "inschema")["tables"] == ["orders"]
    with owner.admitted():
        owner.sql("DROP TABLE [exp].[orders]")
    assert gone(destroy(kit, "inschema", "--drop-objects").succeeded()) == {"schema"}

    kit.apply("inschema").succeeded()
    assert {"exported_objects", "schema"} <= gone(destroy(kit, "inschema", "--drop-objects").succeeded())


def test_only_the_services_objects_are_dropped(kit: Kit) -> None:
    owner = provisioned(kit, "objects")
    owner.sql("CREATE TABLE [dbo].[objects_report] ([Id] uniqueidentifier NOT NULL)")
    owner.sql("CREATE TABLE [dbo].[orders] ([Id] int NOT NULL, [SinkCreatedOn] datetime, [SinkModifiedOn] datetime)")
    owner.sql("CREATE TYPE [dbo].[objects_teamType] AS TABLE ([Id] uniqueidentifier NOT NULL)")
    owner.sql("CREATE PROCEDURE [dbo].[objects_spMergeteam] AS SELECT 1 AS one")
    owner.sql("CREATE PROCEDURE [dbo].[objects_mine] AS SELECT 1 AS one")
    changes = destroy(kit, "objects", "--drop-objects").succeeded().json["changes"]
    dropped = {change["target"] for change in changes if change["resource"].startswith("exported_objects/")}
    assert {"table dbo.objects_team", "type dbo.objects_teamType", "procedure dbo.objects_spMergeteam"} <= dropped
    assert sorted(remains(kit, "objects")["tables"]) == ["orders", "prefix_report"]
    with owner.admitted():
        assert owner.sql("SELECT name FROM sys.procedures")[0][0] == "objects_mine"


def test_what_an_entity_left_is_dropped_once_it_is_exported_no_more_and_it_can_be_exported_anew(kit: Kit) -> None:
    kit.init("leaves", profile__prefix="leaves", profile__entities=["team", "account"], profile__relationships=[])
    kit.apply("leaves").succeeded()
    again = ("profile", "drop-objects", "-e", "leaves", "team", "--yes", "--output", "json")
    refused = kit.run(*again).failed(2)
    assert "exports team" in refused.text

    kit.edit("leaves", profile__entities=["account"])
    kit.apply("leaves").succeeded()
    changes = kit.run(*again).succeeded().json["changes"]
    assert {change["target"].split(".")[1] for change in changes} == {"leaves_team"}
    assert all("team" in change["target"] and change["destructive"] for change in changes)
    assert kit.run(*again).succeeded().json["changes"] == []
    unknown = kit.run("profile", "drop-objects", "-e", "leaves", "team", "acount", "--yes").failed(1)
    assert "there is no entity acount" in unknown.err
    assert "did you mean account? see which there are: setup-kit org entities -e leaves" in unknown.err

    kit.edit("leaves", profile__entities=["team", "account"])
    kit.apply("leaves").succeeded()


def test_what_was_there_before_stays(kit: Kit) -> None:
    # The environment "elder" makes server and vault; without the tags of the kit they are anybody's.
    elder = kit.init("elder", profile__prefix="elder", profile__entities=["team"], profile__relationships=[])
    kit.apply("elder").succeeded()
    owner = Owner(kit, elder)
    for path in (owner.server, owner.vault):
        owner.manage("PATCH", path, {"tags": {"team": "finance"}})
    owner.update_secret(tags={elder["dynamics"]["organization_id"]: elder["tenant"]})

    down = destroy(kit, "elder", "--include-data").succeeded()
    kept = stays(down)
    assert kept["sql_server"] == kept["key_vault"] == kept["secret"] == "not made by setup-kit"
    assert kept["resource_group"].startswith("there is more in it")
    assert kept["vault_access"].startswith("whoever runs setup-kit")
    # The login has the password that the secret holds, so nobody else can use it; the database has the kit's tag.
    assert {"profile", "login", "database", "firewall_rules"} <= gone(down)

    left = remains(kit, "elder")
    assert left["resources"] == ["Microsoft.KeyVault/vaults made", "Microsoft.Sql/servers made"]
    assert left["rules"] == ["AllowAllWindowsAzureIps", "workstation"]
    assert owner.secret()["value"]


def test_what_another_environment_made_stays(kit: Kit) -> None:
    owner = provisioned(kit, "landlord")
    mine = kit.edit("landlord")
    shared = {
        "resource_group": mine["resource_group"],
        "sql__server": mine["sql"]["server"],
        "key_vault__name": mine["key_vault"]["name"],
        "key_vault__secret": "lodger-connection",
        "sql__export_user__name": "lodger",
        "sql__database__name": "lodger",
    }
    kit.init("lodger", profile__prefix="lodger", profile__entities=["team"], profile__relationships=[], **shared)
    kit.apply("lodger").succeeded()
    rules = owner.manage("GET", f"{owner.server}/firewallRules")["value"]

    down = destroy(kit, "lodger", "--include-data").succeeded()
    assert stays(down)["sql_server"] == stays(down)["key_vault"] == "made for the environment 'landlord'"
    assert {"profile", "login", "database", "secret"} <= gone(down)
    assert owner.manage("GET", f"{owner.server}/firewallRules")["value"] == rules
    assert kit.run("plan", "-e", "landlord", "--detailed-exitcode").code == 0
    kit.run("verify", "-e", "landlord").succeeded()


def test_a_copy_of_another_environments_file_takes_nothing_of_it_away(kit: Kit) -> None:
    owner = provisioned(kit, "original")
    kit.path("duplicate").write_text(kit.path("original").read_text(encoding="utf-8"), encoding="utf-8")
    before = end_state(kit, "original")
    down = destroy(kit, "duplicate", "--drop-objects", "--include-data").succeeded()
    assert down.json["changes"] == []
    reason = f"secret/{owner.environment['key_vault']['secret']} was made for the environment 'original'"
    kept = stays(down)
    for kind in ("profile", "activation", "user", "login", "grants", "exported_objects", "vault_access"):
        assert kept[kind] == reason, kind
    assert end_state(kit, "original") == before
    kit.run("verify", "-e", "original").succeeded()
    assert {"profile", "login", "user"} <= gone(destroy(kit, "original").succeeded())


def test_a_wrong_name_changes_nothing(kit: Kit, dev: str) -> None:
    before = len(kit.writes())
    refused = kit.run("destroy", "-e", dev, "--confirm", "prod")
    assert refused.code == 2
    assert "--confirm says 'prod'" in refused.err
    unasked = kit.run("destroy", "-e", dev)
    assert unasked.code == 2
    assert "login/dataexport" in unasked.out
    assert f"pass --confirm {dev}" in unasked.err
    other = destroy(kit, dev, "--purge", "somebody-elses")
    assert other.code == 2
    assert "somebody-elses" in other.out
    assert kit.writes()[before:] == []


@pytest.mark.parametrize(("line", "options"), [(4, ("--drop-objects",)), (8, ("--include-data",))])
def test_a_killed_destroy_run_again_ends_like_an_undisturbed_one(kit: Kit, line: int, options: tuple[str, ...]) -> None:
    undisturbed = f"calm{line}"
    provisioned(kit, undisturbed)
    destroy(kit, undisturbed, *options).succeeded()
    assert destroy_trial(kit, f"slain{line}", Boundary(JOURNAL, line), options, remains(kit, undisturbed)) == ""
