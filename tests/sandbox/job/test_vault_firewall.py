"""A vault whose network rules keep the operator's machine out, and let the export service in."""

from __future__ import annotations

from typing import Any

import pytest

from setup_kit.sandbox.key_vault.store import SecretError, Secrets
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import ConnectionString, SqlError, parse_ado_net
from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.killing import JOURNAL, Boundary, kill_at
from tests.sandbox.job.owner import Owner
from tests.sandbox.job.rotating import MARK, sign_in

CLOSED: dict[str, Any] = {"networkAcls": {"defaultAction": "Deny", "bypass": "AzureServices", "ipRules": []}}
SECRET = "secret/data-export-connection"
NAMED = "setup-kit-user"


class Behind:
    """The owner of an environment whose vault is behind a firewall; what it holds is read from the sandbox's state."""

    def __init__(self, kit: Kit, name: str, **changes: Any) -> None:
        self.kit = kit
        self.name = name
        kit.init(name, profile__prefix=name, profile__entities=["team"], profile__relationships=[], **changes)
        self.owner = Owner(kit, kit.edit(name))
        self.made = kit.run("vault", "create", "-e", name, "--yes")
        self.made.succeeded()
        self.rules(**CLOSED)

    def rules(self, **properties: Any) -> None:
        self.owner.manage("PATCH", self.owner.vault, {"properties": properties})

    def versions(self) -> list[dict[str, Any]]:
        """Oldest first."""
        state = self.kit.state()
        try:
            return Secrets(state, self.owner.environment["key_vault"]["name"]).versions("data-export-connection")[1]
        finally:
            state.close()

    def written(self) -> bool:
        try:
            return bool(self.versions())
        except SecretError:
            return False

    def change(self, **attributes: Any) -> None:
        tags = attributes.pop("tags", None)
        state = self.kit.state()
        vault = self.owner.environment["key_vault"]["name"]
        Secrets(state, vault).update("data-export-connection", "", None, tags, attributes)
        state.close()

    @property
    def held(self) -> ConnectionString:
        return parse_ado_net(Secret(self.versions()[-1]["value"]))

    def plan(self) -> dict[str, Any]:
        return dict(self.kit.run("plan", "-e", self.name, "--output", "json").succeeded().json)

    def apply(self) -> list[tuple[str, str]]:
        """The changes made."""
        changes = self.kit.apply(self.name).succeeded().json["changes"]
        return [(change["resource"], change["target"]) for change in changes]

    def verify(self) -> dict[str, Any]:
        return dict(self.kit.run("verify", "-e", self.name, "--output", "json").json)


def found(document: dict[str, Any], check: str) -> dict[str, Any]:
    [finding] = [each for each in document["findings"] if each["check"] == check]
    return dict(finding)


def key_vault_writes(kit: Kit, since: int) -> list[str]:
    return [each["path"] for each in kit.writes()[since:] if each["part"] == "key-vault"]


@pytest.fixture(scope="session")
def walled(kit: Kit) -> Behind:
    """An environment that was applied from nothing but the vault. Leave it working."""
    behind = Behind(kit, "walled")
    before = len(kit.writes())
    kit.apply("walled").succeeded()
    assert key_vault_writes(kit, before) == []
    return behind


def test_behind_a_vaults_firewall_an_environment_comes_to_a_running_export(walled: Behind) -> None:
    sign_in(walled.owner, walled.held)
    assert walled.owner.profile()["State"] in (1, "Active")
    assert walled.owner.sql("SELECT COUNT(*) FROM dbo.walled_team")[0][0] > 0
    assert walled.owner.manage("GET", walled.owner.vault)["properties"]["networkAcls"] == CLOSED["networkAcls"]


def test_a_second_plan_behind_the_firewall_is_empty_and_says_what_it_did_not_see(walled: Behind) -> None:
    plan = walled.plan()
    assert (plan["changes"], plan["deferred"]) == ([], [])
    told = found(plan, "secret.value")
    assert (told["status"], told["resource"]) == ("skipped", SECRET)
    assert "(127.0.0.1)" in told["message"]
    assert told["remedy"].startswith("az keyvault network-rule add --name ")
    shown = walled.kit.run("plan", "-e", "walled").succeeded().out
    assert (shown.count("skipped"), shown.count("→ az keyvault network-rule add")) == (2, 1)
    before = walled.versions()
    assert walled.apply() == []
    assert walled.versions() == before


def test_verify_passes_nothing_that_it_could_not_see(walled: Behind) -> None:
    verified = walled.verify()
    assert verified["passed"] is True
    for check, resource in (
        ("secret.value", SECRET),
        ("login.password", "login/dataexport"),
        ("proof.secret", "proof/dataexport"),
    ):
        told = found(verified, check)
        assert (told["status"], told["resource"]) == ("skipped", resource)
        assert "network rules" in told["message"]
        assert "network-rule add" in told["remedy"]
    passed = {each["resource"] for each in verified["findings"] if each["status"] == "passed"}
    assert passed & {SECRET, "login/dataexport", "proof/dataexport"} == set()
    assert {"profile_validation/Walled", "grants/dataexport"} & passed


def test_doctor_looks_for_the_rights_that_writing_through_resource_manager_takes(walled: Behind) -> None:
    looked_for = found(walled.kit.run("doctor", "-e", "walled", "--output", "json").succeeded().json, "rights")
    assert looked_for["status"] == "passed"
    assert "Microsoft.KeyVault/vaults/secrets/write" in looked_for["evidence"]
    assert "getSecret" not in looked_for["evidence"]


def test_the_password_behind_the_firewall_is_in_no_file_and_no_output(walled: Behind) -> None:
    environment, rotate = ("-e", "walled", "--verbose"), ("rotate", "--yes", "--grace", "0")
    shown = [
        walled.kit.run(*words, *environment).succeeded().text
        for words in (rotate, ("secret", "show"), ("plan",), ("verify",), rotate)
    ]
    hidden = set()
    for version in walled.versions():
        password = parse_ado_net(Secret(version["value"])).password
        assert password is not None
        hidden |= {version["value"], password.reveal()}
    assert len(hidden) >= 4
    files = [*walled.kit.folder.joinpath(".setup-kit").rglob("*"), *walled.kit.sandbox_folder.glob("*.*l*")]
    read = [path.read_bytes() for path in files if path.is_file() and not path.name.startswith("state.db")]
    assert len(read) > 2
    searched = (*map(str.encode, shown), *read)
    assert not [secret[:3] for secret in hidden for data in searched if secret.encode() in data]


def test_a_missing_login_behind_the_firewall_is_made_with_a_new_version_that_the_plan_shows(walled: Behind) -> None:
    before, versions = walled.held, len(walled.versions())
    walled.owner.sql("DROP USER [dataexport]")
    walled.owner.sql("DROP LOGIN [dataexport]", "master")
    [renewed] = [each for each in walled.plan()["changes"] if each["resource"].startswith("secret_renewal/")]
    assert renewed["target"] == "version"
    assert "the login 'dataexport' is to be made" in renewed["why"]
    assert "cannot be read" in renewed["why"]
    done = walled.kit.apply("walled").succeeded().json
    assert [each["resource"].split("/")[0] for each in done["changes"]][:3] == ["secret_renewal", "login", "user"]
    # What this run wrote it knows, so that the log-in is proven.
    assert found(done, "proof.login")["status"] == "passed"
    assert before.password != walled.held.password
    sign_in(walled.owner, walled.held)
    assert (walled.plan()["changes"], len(walled.versions())) == ([], versions + 1)


def test_a_tag_and_a_switch_and_an_end_are_mended_beside_the_value(walled: Behind) -> None:
    before = walled.versions()
    walled.change(tags={NAMED: "dataexport", "theirs": "1"}, enabled=False, exp=1_600_000_000)
    changes = walled.apply()
    assert [target.split(" ")[0] for _, target in changes] == ["enabled", "expiry", "tag"]
    after = walled.versions()
    assert [each["value"] for each in after] == [each["value"] for each in before]
    assert (after[-1]["enabled"], after[-1]["exp"] > 1_900_000_000) == (True, True)
    assert after[-1]["tags"]["theirs"] == "1"
    assert walled.plan()["changes"] == []


def test_a_disabled_login_is_enabled_and_its_password_stays(walled: Behind) -> None:
    walled.owner.sql("ALTER LOGIN [dataexport] DISABLE", "master")
    assert walled.apply() == [("login/dataexport", "enabled")]
    sign_in(walled.owner, walled.held)


def test_a_new_version_with_the_same_password_is_refused_where_it_cannot_be_read(walled: Behind) -> None:
    refused = walled.kit.run("secret", "set", "-e", "walled", "--yes").failed(1)
    assert "setup-kit rotate" in refused.text
    assert "network-rule add" in refused.text


def rotated(behind: Behind, *options: str) -> Finished:
    return behind.kit.run("rotate", "-e", behind.name, "--yes", "--grace", "0", "--output", "json", *options)


def test_a_rotation_behind_the_firewall_is_proven_and_the_user_before_goes(walled: Behind) -> None:
    before = walled.held
    done = rotated(walled).succeeded().json
    assert (done["rotated"], done["user"]) == (True, "dataexport_2")
    # Before the switch, and after it with what this run wrote.
    assert [each["status"] for each in done["findings"] if each["check"] == "proof.login"] == ["passed", "passed"]
    assert any(each["check"] == "service_proof" and each["status"] == "passed" for each in done["findings"])
    newest = walled.versions()[-1]
    assert (newest["tags"][NAMED], MARK in newest["tags"]) == ("dataexport_2", False)
    sign_in(walled.owner, walled.held)
    with pytest.raises(SqlError):
        sign_in(walled.owner, before)
    # A run that comes after knows by the tag which user counts.
    assert walled.plan()["changes"] == []
    assert rotated(walled).succeeded().json["user"] == "dataexport"
    assert walled.plan()["changes"] == []


@pytest.mark.parametrize(
    ("place", "finishing"),
    [
        ("rotation_start/", "rotate"),
        ("rotation_start/", "apply"),
        ("login/", "rotate"),
        ("login/", "apply"),
        ("secret_version/", "rotate"),
    ],
)
def test_a_rotation_killed_behind_the_firewall_is_finished_without_the_value(
    walled: Behind, place: str, finishing: str
) -> None:
    behind = walled
    runs = [line for line in behind.kit.journal(behind.name) if line["command"] == "rotate"]
    if not runs:
        rotated(behind).succeeded()
        runs = [line for line in behind.kit.journal(behind.name) if line["command"] == "rotate"]
    lines = [line for line in runs if line["run"] == runs[0]["run"]]
    number = next(
        number
        for number, line in enumerate(lines, 1)
        if line["event"] == "change_done" and line.get("resource", "").startswith(place)
    )
    kill_at(behind.kit, behind.name, Boundary(JOURNAL, number), "rotate", "-e", behind.name, "--yes", "--grace", "0")
    assert behind.versions()[-1]["tags"][MARK] in ("preparing", "retiring")
    sign_in(behind.owner, behind.held)
    if finishing == "apply":
        behind.apply()
    else:
        rotated(behind, "--finish").succeeded()
    tags = behind.versions()[-1]["tags"]
    assert (MARK in tags, tags[NAMED]) == (False, behind.held.user)
    sign_in(behind.owner, behind.held)
    assert behind.plan()["changes"] == []
    logins = "SELECT name FROM sys.sql_logins WHERE name LIKE N'dataexport%'"
    assert [row[0] for row in behind.owner.sql(logins, "master")] == [behind.held.user]


def test_a_contained_user_behind_the_firewall_is_made_anew_with_a_new_version(kit: Kit) -> None:
    behind = Behind(kit, "walledin", sql__export_user__authentication="contained")
    behind.rules(publicNetworkAccess="Disabled")
    behind.apply()
    sign_in(behind.owner, behind.held)
    plan = behind.plan()
    assert plan["changes"] == []
    assert "private endpoint" in found(plan, "secret.value")["remedy"]
    assert found(behind.verify(), "user.password")["status"] == "skipped"
    behind.owner.sql("DROP USER [dataexport]")
    assert [resource.split("/")[0] for resource, _ in behind.apply()][:2] == ["secret_renewal", "user"]
    sign_in(behind.owner, behind.held)
    assert len(behind.versions()) == 2


def test_a_vault_that_was_opened_again_is_seen_whole(kit: Kit) -> None:
    behind = Behind(kit, "walledout")
    behind.apply()
    behind.rules(networkAcls={**CLOSED["networkAcls"], "ipRules": [{"value": "127.0.0.1/32"}]})
    # Reading the secret takes a permission again, which nobody needed before.
    assert [resource for resource, _ in behind.apply()] == ["vault_access/operator"]
    verified = behind.verify()
    assert found(verified, "proof.login")["status"] == "passed"
    assert verified["summary"]["skipped"] == 0
    assert len(behind.versions()) == 1


def test_a_vault_that_keeps_the_service_out_is_named_at_once(kit: Kit) -> None:
    behind = Behind(kit, "walledoff")
    behind.rules(networkAcls={"defaultAction": "Deny", "bypass": "None", "ipRules": []})
    refused = kit.apply("walledoff").failed(1)
    told = found(refused.json, "profile_validation.key_vault_firewall")
    assert "40.68.252.224" in told["message"]
    assert "network-rule add" in told["remedy"]


def test_what_cannot_be_deleted_through_the_firewall_is_said_before_anything_goes(kit: Kit) -> None:
    behind = Behind(kit, "walledup")
    behind.apply()
    kept = kit.run("secret", "delete", "-e", "walledup", "--yes").failed(1)
    assert "az keyvault secret delete --vault-name" in kept.text
    assert len(behind.versions()) == 1
    kit.run("destroy", "-e", "walledup", "--confirm", "walledup").succeeded()
    # The vault goes with it, by Resource Manager.
    assert kit.run("vault", "show", "-e", "walledup").failed(1).text


def test_an_apply_killed_after_the_secret_was_written_is_finished_though_nobody_reads_its_password(kit: Kit) -> None:
    behind = Behind(kit, "walledkill")
    process = kit.start("apply", "-e", "walledkill", "--yes")
    while not behind.written():
        assert process.poll() is None
    process.kill()
    process.wait()
    behind.apply()
    sign_in(behind.owner, behind.held)
    assert behind.plan()["changes"] == []
