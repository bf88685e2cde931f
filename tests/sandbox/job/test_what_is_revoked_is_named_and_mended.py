"""Each thing the export rests on, taken away: `verify` and the service name it, `apply` mends it and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.job.harness import Kit
from tests.sandbox.job.owner import Owner

DATABASE_GRANTS = (
    "CREATE TABLE",
    "CREATE TYPE",
    "CREATE VIEW",
    "CREATE PROCEDURE",
    "ALTER ANY USER",
    "VIEW DATABASE STATE",
)
SCHEMA_GRANTS = ("ALTER", "REFERENCES", "INSERT", "DELETE", "UPDATE", "SELECT", "EXECUTE")


@dataclass(frozen=True)
class Case:
    """`revoke` takes it away; `named` is what verify and the service must say; `mended` are the changes of apply."""

    revoke: Callable[[Owner], object]
    named: tuple[str, ...]
    service_says: str
    mended: tuple[tuple[str, str], ...]


GRANTS = (*DATABASE_GRANTS, *(f"{permission} on schema dbo" for permission in SCHEMA_GRANTS))


def statement(verb: str, grant: str) -> str:
    """GRANT or REVOKE, as the kit's name of a grant says it in T-SQL."""
    permission, _, schema = grant.partition(" on schema ")
    on = f" ON SCHEMA::[{schema}]" if schema else ""
    return f"{verb} {permission}{on} {'TO' if verb == 'GRANT' else 'FROM'} [dataexport]"


def revoke_role(owner: Owner) -> None:
    scope = f"{owner.vault}/secrets/{owner.environment['key_vault']['secret']}"
    found = owner.manage("GET", f"{scope}/providers/Microsoft.Authorization/roleAssignments")["value"]
    for assignment in found:
        if assignment["properties"]["scope"].lower() == scope.lower():
            owner.manage("DELETE", assignment["id"])


def remove_tag(owner: Owner) -> None:
    owner.update_secret(
        tags={key: value for key, value in owner.secret()["tags"].items() if key != owner.box["organization"]["id"]}
    )


def delete_rules(owner: Owner) -> None:
    rules = owner.manage("GET", f"{owner.server}/firewallRules")["value"]
    for rule in rules:
        owner.manage("DELETE", rule["id"])


CASES = {
    "all thirteen grants": Case(
        lambda owner: owner.sql("; ".join(statement("REVOKE", grant) for grant in GRANTS)),
        GRANTS,
        GRANTS[0],
        tuple(("grants/dataexport", grant) for grant in GRANTS),
    ),
    "the service's permission on the secret": Case(
        revoke_role,
        ("Key Vault Secrets User",),
        "ForbiddenByRbac",
        (("vault_access/service", "role Key Vault Secrets User"),),
    ),
    "the secret's tag": Case(
        remove_tag, ("{organization}",), "{organization}", (("secret/data-export-connection", "tag {organization}"),)
    ),
    "the firewall rules": Case(
        delete_rules,
        ("AllowAllWindowsAzureIps", "data-export-service-west-europe"),
        "40615",
        (
            ("firewall_rules/{server}", "AllowAllWindowsAzureIps"),
            ("firewall_rules/{server}", "data-export-service-west-europe"),
            ("firewall_rules/{server}", "workstation"),
        ),
    ),
}


def test_the_service_needs_each_of_the_thirteen_grants_and_names_the_one_it_lacks(kit: Kit, dev: str) -> None:
    owner = Owner(kit, kit.edit(dev))
    for grant in GRANTS:
        owner.sql(statement("REVOKE", grant))
        refused = owner.validate()
        assert refused.status_code >= 400
        assert grant.partition(" on schema ")[0] in refused.text
        owner.sql(statement("GRANT", grant))
    assert owner.validate().ok


def test_the_lack_of_view_database_state_is_explained_by_name_and_the_next_command_given(kit: Kit, dev: str) -> None:
    owner = Owner(kit, kit.edit(dev))
    owner.sql(statement("REVOKE", "VIEW DATABASE STATE"))
    told = kit.run("profile", "validate", "-e", dev).failed(4).text
    assert "VIEW DATABASE STATE" in told
    assert f"setup-kit apply -e {dev}" in told
    changes = kit.apply(dev).succeeded().json["changes"]
    assert [change["target"] for change in changes] == ["VIEW DATABASE STATE"]


@pytest.mark.parametrize("name", CASES)
def test_it_is_named_by_verify_and_by_the_service_and_mended_by_apply(kit: Kit, dev: str, name: str) -> None:
    environment = kit.edit(dev)
    owner, case = Owner(kit, environment), CASES[name]
    words = {"organization": environment["dynamics"]["organization_id"], "server": environment["sql"]["server"]}
    case.revoke(owner)

    verified = kit.run("verify", "-e", dev, "--output", "json")
    assert verified.code == 4, verified.text
    failed = [finding for finding in verified.json["findings"] if finding["status"] == "failed"]
    for name_of_it in case.named:
        assert any(name_of_it.format(**words) in finding["message"] for finding in failed), failed

    refused = owner.validate()
    assert refused.status_code >= 400
    assert case.service_says.format(**words) in refused.text

    applied = kit.apply(dev).succeeded().json
    changes = [(change["resource"], change["target"]) for change in applied["changes"]]
    assert changes == [(resource.format(**words), target.format(**words)) for resource, target in case.mended]

    kit.run("verify", "-e", dev).succeeded()
    assert owner.validate().ok


def test_the_service_permission_by_access_policy_is_named_and_mended(kit: Kit) -> None:
    environment: dict[str, Any] = kit.init(
        "policy",
        key_vault__authorization="access_policy",
        profile__prefix="pol",
        profile__entities=["team"],
        profile__relationships=[],
    )
    kit.apply("policy").succeeded()
    owner = Owner(kit, environment)
    service = owner.call(
        "GET",
        f"{owner.box['graph']}/v1.0/servicePrincipals(appId='b861dbcc-a7ef-4219-a005-0e4de4ea7dcf')",
        owner.box["graph_audience"],
    ).json()["id"]
    policies = owner.manage("GET", owner.vault)["properties"]["accessPolicies"]
    own = [policy for policy in policies if policy["objectId"] == service]
    assert [policy["permissions"]["secrets"] for policy in own] == [["get"]]
    owner.manage("PUT", f"{owner.vault}/accessPolicies/remove", {"properties": {"accessPolicies": own}})

    verified = kit.run("verify", "-e", "policy", "--output", "json")
    assert verified.code == 4
    assert any("secret permission get" in finding["message"] for finding in verified.json["findings"])
    assert "AccessDenied" in owner.validate().text

    changes = kit.apply("policy").succeeded().json["changes"]
    assert [(change["resource"], change["target"]) for change in changes] == [
        ("vault_access/service", "secret permission get")
    ]
    kit.run("verify", "-e", "policy").succeeded()

    refused = kit.run("secret", "versions", "-e", "policy").failed(1)
    assert "needs the secret permission list" in refused.err
    remedy = " ".join(refused.err.split())
    assert f"az keyvault set-policy --name {environment['key_vault']['name']} --object-id" in remedy
    assert "--secret-permissions get list set" in remedy
    assert "which gives the operator this permission" not in refused.err
