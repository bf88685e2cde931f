"""What an audit is to find: more than was asked for, about to end, pinned, late; each with evidence and a command."""

from __future__ import annotations

import re
import shlex
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import markupsafe
import pytest

from setup_kit.cli.root import cli
from setup_kit.sandbox.tenant import Tenant
from setup_kit.secret import Secret
from setup_kit.service.store import Store
from setup_kit.sqlserver.connection import parse_ado_net
from tests.sandbox.job.harness import Finished, Kit
from tests.sandbox.job.owner import Owner

NAME = "audited"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
STRANGER = "aaaaaaaa-0000-0000-0000-00000000000a"
OTHER_ORGANIZATION = "bbbbbbbb-0000-0000-0000-00000000000b"
SERVICE = "b861dbcc-a7ef-4219-a005-0e4de4ea7dcf"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Audit:
    """One look at an environment in which everything that an audit is to find was done at once."""

    finished: Finished
    html: str
    owner: Owner
    stranger: str
    pinned: str

    def finding(self, check: str, containing: str = "") -> dict[str, str]:
        found = [
            finding
            for finding in self.finished.json["findings"]
            if finding["check"] == check and containing in finding["message"]
        ]
        assert len(found) == 1, (found, self.finished.text)
        return dict(found[0])


def escape(text: str) -> str:
    """As Jinja escapes it."""
    return str(markupsafe.escape(text))


def rule(owner: Owner, name: str, start: str, end: str) -> None:
    body = {"properties": {"startIpAddress": start, "endIpAddress": end}}
    owner.manage("PUT", f"{owner.server}/firewallRules/{name}", body)


def assign(owner: Owner, role: str, principal: str) -> None:
    scope = f"{owner.vault}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    definition = f"/subscriptions/{owner.environment['subscription']}/providers/Microsoft.Authorization"
    properties = {"roleDefinitionId": f"{definition}/roleDefinitions/{role}", "principalId": principal}
    owner.manage("PUT", scope, {"properties": {**properties, "principalType": "ServicePrincipal"}})


def service_principal(owner: Owner) -> str:
    url = f"{owner.box['graph']}/v1.0/servicePrincipals(appId='{SERVICE}')"
    return str(owner.call("GET", url, owner.box["graph_audience"]).json()["id"])


def add_stranger(kit: Kit) -> str:
    """Another application of the tenant; its object id."""
    state = kit.state()
    tenant, application = Tenant(state, kit.document["tenant_id"]), str(uuid.uuid4())
    tenant.add_application(application, "Stranger")
    principal = tenant.add_principal(application, "Stranger")
    state.close()
    return str(principal.object_id)


def pin(owner: Owner) -> str:
    """Has the profile name the secret's version; returns its address."""
    profile, version = owner.profile(), str(owner.secret()["id"])
    answer = owner.service("PUT", f"profiles/{profile['Id']}", {**profile, "DestinationKeyVaultUri": version})
    assert answer.ok, answer.text
    return version


def fall_behind(kit: Kit, owner: Owner) -> None:
    """The service has not exported for years, and could not write three records of what it read."""
    store = Store(kit.sandbox_folder / "service" / "service.db")
    identifier = owner.profile()["Id"]
    for status in store.statuses(identifier).values():
        store.save_status(identifier, replace(status, last_export=datetime(2019, 1, 1, tzinfo=UTC), failure=3))
    store.close()


@pytest.fixture(scope="session")
def audit(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    environment = kit.init(NAME, profile__prefix="aud", profile__entities=["account"], profile__relationships=[])
    kit.apply(NAME).succeeded()
    owner = Owner(kit, environment)
    pinned = pin(owner)
    fall_behind(kit, owner)
    owner.sql("GRANT CONTROL ON SCHEMA::[dbo] TO [dataexport]")
    owner.sql("ALTER ROLE db_datareader ADD MEMBER [dataexport]")
    rule(owner, "their-rule", "198.51.100.1", "198.51.100.9")
    rule(owner, "half", "11.0.0.0", "127.255.255.255")
    rule(owner, "portal", "0.0.0.0", "0.0.0.0")  # noqa: S104
    owner.manage("PATCH", owner.server, {"properties": {"minimalTlsVersion": "1.0"}})
    soon = datetime.now(UTC) + 5 * DAY
    tags = owner.secret()["tags"]
    owner.update_secret(attributes={"exp": int(soon.timestamp())}, tags={**tags, OTHER_ORGANIZATION: STRANGER})
    stranger = add_stranger(kit)
    assign(owner, SECRETS_USER, stranger)
    assign(owner, SECRETS_OFFICER, service_principal(owner))
    kit.edit(NAME, sql__firewall__allow_azure_services=False, profile__retry={"count": 3, "interval_seconds": 9})

    file = tmp_path_factory.mktemp("report") / "audit.html"
    finished = kit.run("verify", "-e", NAME, "--html", str(file), "--output", "json")
    return Audit(finished, file.read_text(encoding="utf-8"), owner, stranger, pinned)


@dataclass(frozen=True)
class Case:
    """A finding: its check, a word of its message, how it counts, and words of its evidence and of its remedy."""

    check: str
    containing: str
    status: str
    severity: str
    evidence: str
    remedy: str


CASES = {
    "a grant beyond the thirteen": Case(
        "grants.superfluous", "CONTROL", "failed", "high", "CONTROL on schema dbo", "REVOKE CONTROL ON SCHEMA::[dbo]"
    ),
    "a role of the export user": Case(
        "grants.role", "db_datareader", "failed", "high", "role db_datareader", "ALTER ROLE [db_datareader] DROP MEMBER"
    ),
    "a rule that nobody named": Case(
        "firewall.superfluous",
        "their-rule",
        "warning",
        "medium",
        "9 addresses",
        f"setup-kit firewall remove -e {NAME} their-rule",
    ),
    "a rule that nobody named and that is wide open": Case(
        "firewall.open", "half", "failed", "high", "addresses", f"setup-kit firewall remove -e {NAME} half"
    ),
    "Azure's services although the file says no": Case(
        "firewall_rules.superfluous",
        "AllowAllWindowsAzureIps",
        "failed",
        "high",
        "wanted: absent",
        "setup-kit apply -e",
    ),
    "Azure's services by a rule of another name": Case(
        "firewall.superfluous", "portal", "failed", "high", "portal: 0.0", f"setup-kit firewall remove -e {NAME} portal"
    ),
    "an old TLS version": Case(
        "sql_server.minimal_tls", "TLS 1.0", "warning", "medium", "minimalTlsVersion: 1.0", "--minimal-tls-version 1.2"
    ),
    "a secret that ends soon": Case("secret.expiry", "expires", "warning", "medium", "in 4 days", "--expires"),
    "another organization's tag": Case(
        "secret.organization", OTHER_ORGANIZATION, "warning", "medium", OTHER_ORGANIZATION, "--tags"
    ),
    "a stranger who reads the secret": Case(
        "vault_readers.other", "Key Vault Secrets User", "warning", "medium", "at /subscriptions/", "az role assignment"
    ),
    "more for the service than reading": Case(
        "vault_access.superfluous", "Secrets Officer", "failed", "high", "wanted: Key Vault Secrets User", "az role"
    ),
    "a secret pinned to a version": Case(
        "profile.differs", "one version of the secret", "failed", "high", "seen: https://", "setup-kit apply -e"
    ),
    "a retry that differs": Case(
        "profile.differs", "retry.count", "failed", "low", "seen: 12; wanted: 3", "setup-kit apply -e"
    ),
    "another retry that differs": Case(
        "profile.differs", "retry.interval_seconds", "failed", "low", "seen: 5; wanted: 9", "setup-kit apply -e"
    ),
    "records that could not be written": Case(
        "initial_sync.failures", "account: 3 of", "warning", "medium", "3 failed", "setup-kit failures explain -e"
    ),
    "a change that waits for its export": Case(
        "freshness.stale", "account: a change of", "failed", "high", "last export 2019-01-01", "setup-kit status -e"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_audit_finds_it_with_severity_evidence_and_remedy(audit: Audit, name: str) -> None:
    case = CASES[name]
    finding = audit.finding(case.check, case.containing)
    assert (finding["status"], finding["severity"]) == (case.status, case.severity)
    assert case.evidence in finding["evidence"]
    assert case.remedy in finding["remedy"]
    assert escape(finding["evidence"]) in audit.html
    assert escape(finding["message"]) in audit.html


def test_the_evidence_names_who_and_where(audit: Audit) -> None:
    assert audit.stranger in audit.finding("vault_readers.other")["message"]
    assert audit.pinned in audit.finding("profile.differs", "one version")["evidence"]
    assert audit.finished.code == 4


def test_every_remedy_that_is_a_command_of_the_kit_is_one_that_exists(audit: Audit) -> None:
    remedies = {finding["remedy"] for finding in audit.finished.json["findings"] if finding["status"] != "passed"}
    commands = {found for remedy in remedies for found in re.findall(r"setup-kit [a-z]+ -e [a-z]+", remedy)}
    assert f"setup-kit apply -e {NAME}" in commands
    assert not [
        remedy for remedy in remedies if re.search(r"setup-kit [a-z]+(?! -e)\b", remedy) and " -e " not in remedy
    ]
    for command in commands:
        _, verb, *arguments = shlex.split(command)
        cli.commands[verb].make_context(verb, arguments)


def test_the_document_says_what_there_is(audit: Audit) -> None:
    there = audit.finished.json["provisioned"]
    assert (there["user"]["grants"], there["user"]["wanted"]) == (13, 13)
    assert {rule["name"]: rule["named"] for rule in there["firewall"]} == {
        "AllowAllWindowsAzureIps": False,
        "data-export-service-west-europe": True,
        "workstation": True,
        "their-rule": False,
        "half": False,
        "portal": False,
    }
    assert there["sql_server"]["minimal_tls"] == "1.0"
    assert audit.finished.json["passed"] is False


def test_no_secret_is_in_the_report(audit: Audit) -> None:
    password = parse_ado_net(Secret(audit.owner.secret()["value"])).password
    assert password is not None
    assert password.reveal() not in audit.html + audit.finished.text
    assert audit.owner.box["client_secret"] not in audit.html + audit.finished.text


def test_warnings_fail_a_verification_only_when_it_is_strict(kit: Kit, dev: str, tmp_path: Path) -> None:
    owner = Owner(kit, kit.edit(dev))
    rule(owner, "their-rule", "198.51.100.1", "198.51.100.9")
    try:
        lenient = kit.run("verify", "-e", dev, "--output", "json").succeeded().json
        strict = kit.run("verify", "-e", dev, "--strict", "--html", str(tmp_path / "strict.html"))
    finally:
        owner.manage("DELETE", f"{owner.server}/firewallRules/their-rule")
    assert lenient["summary"]["warning"] == 1
    assert lenient["passed"] is True
    assert strict.code == 4
    assert "medium: their-rule: 198.51.100.1" in strict.out
    assert "warnings count (--strict)" in (tmp_path / "strict.html").read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_and_a_span_that_is_none_are_refused_before_anything_is_sent(
    kit: Kit, dev: str
) -> None:
    before = len(kit.requests())
    nowhere = kit.run("verify", "-e", dev, "--html", "nowhere/report.html")
    assert (nowhere.code, "mkdir nowhere" in nowhere.err) == (2, True)
    assert kit.run("verify", "-e", dev, "--fresh", "soon").code == 2
    assert kit.requests()[before:] == []
