"""What an environment comes to, as its owner sees it from outside: for comparing one run with another."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.sandbox.job.harness import Kit
from tests.sandbox.job.owner import Owner

# What differs between any two environments: ids that the cloud gives out, moments, ports.
VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}"
    r"|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)?|127\.0\.0\.1[:,]\d+",
    re.IGNORECASE,
)


def end_state(kit: Kit, name: str) -> dict[str, Any]:
    """Everything that `apply` makes, read by plain calls, without what differs between any two environments."""
    environment = kit.edit(name)
    owner = Owner(kit, environment)
    secret = environment["key_vault"]["secret"]
    scope = f"{owner.vault}/secrets/{secret}"
    group = owner.manage("GET", f"{owner.group}/providers/Microsoft.Sql/servers")["value"]
    tags = {**owner.secret()["tags"]}
    profile = {key: value for key, value in owner.profile().items() if key not in ("Id", "Version")}
    state = {
        "servers": [[server["name"], server["properties"]["version"], server["tags"]] for server in group],
        "databases": [
            [found["name"], found["sku"]["name"], found["properties"]["maxSizeBytes"]]
            for found in owner.manage("GET", f"{owner.server}/databases")["value"]
            if found["name"] != "master"
        ],
        "rules": sorted(
            (rule["name"], rule["properties"]["startIpAddress"], rule["properties"]["endIpAddress"])
            for rule in owner.manage("GET", f"{owner.server}/firewallRules")["value"]
        ),
        "vault": owner.manage("GET", owner.vault)["properties"],
        "roles": sorted(
            (found["properties"]["scope"].removeprefix(owner.vault), found["properties"]["roleDefinitionId"][-36:-28])
            for found in owner.manage("GET", f"{scope}/providers/Microsoft.Authorization/roleAssignments")["value"]
        ),
        "secret versions": len(owner.secret_versions()),
        "secret tags": tags,
        "logins": [row[0] for row in owner.sql("SELECT name FROM sys.sql_logins ORDER BY name", "master")],
        "users": [
            tuple(row)
            for row in owner.sql(
                "SELECT name, type, default_schema_name FROM sys.database_principals WHERE type = 'S' ORDER BY name"
            )
        ],
        "grants": sorted(
            tuple(row) for row in owner.sql("SELECT class, permission_name, state FROM sys.database_permissions")
        ),
        "options": [
            tuple(row)
            for row in owner.sql(
                "SELECT CAST(value AS int) FROM sys.database_scoped_configurations WHERE name = N'MAXDOP'"
            )
        ],
        "profile": profile,
        "tables": [row[0] for row in owner.sql("SELECT name FROM sys.tables ORDER BY name")],
    }
    text = json.dumps(state, sort_keys=True, default=str)
    text = VARYING.sub("*", text.replace(environment["profile"]["prefix"] + "_", "prefix_"))
    for made in (environment["sql"]["server"], environment["key_vault"]["name"], environment["resource_group"]):
        text = text.replace(made, "made")
    for made in (environment["profile"]["name"], environment["sql"]["database"]["name"]):
        text = text.replace(json.dumps(made)[1:-1], "named")
    document: dict[str, Any] = json.loads(
        text.replace(f'"{environment["profile"]["prefix"]}"', '"prefix"').replace(f'"{name}"', '"name"')
    )
    return document


def remains(kit: Kit, name: str) -> dict[str, Any]:
    """What is left of an environment that was taken down, seen from outside."""
    environment = kit.edit(name)
    owner = Owner(kit, environment)
    url = owner.box["resource_manager"]
    audience = owner.box["resource_manager_audience"]
    listed = owner.call("GET", f"{url}{owner.group}/resources", audience, **{"api-version": "2021-04-01"})
    found = listed.json()["value"] if listed.ok else []
    there = [f"{each['type']} {each['name']}" for each in found if not each["name"].endswith("/master")]
    vaults = owner.manage(
        "GET", f"/subscriptions/{environment['subscription']}/providers/Microsoft.KeyVault/deletedVaults"
    )
    profiles = owner.service("GET", "profiles", organizationId=owner.box["organization"]["id"]).json()
    mine = [found for found in profiles if found["Name"] == environment["profile"]["name"] and found["State"] != "3"]
    state = {
        "group": listed.ok,
        "resources": sorted(there),
        "deleted vaults": [
            found["name"] for found in vaults["value"] if found["name"] == environment["key_vault"]["name"]
        ],
        "profiles": [found["Name"] for found in mine],
    }
    if any(each.startswith("Microsoft.Sql/servers ") for each in there):
        rules = owner.manage("GET", f"{owner.server}/firewallRules")["value"]
        state["rules"] = sorted(rule["name"] for rule in rules)
        user = environment["sql"]["export_user"]["name"]
        with owner.admitted():
            logins = owner.sql("SELECT name FROM sys.sql_logins", "master")
            state["logins"] = [row[0] for row in logins if row[0] == user]
            if any(each.startswith("Microsoft.Sql/servers/databases ") for each in there):
                users = owner.sql("SELECT name FROM sys.database_principals")
                state["users"] = [row[0] for row in users if row[0] == user]
                state["tables"] = [row[0] for row in owner.sql("SELECT name FROM sys.tables ORDER BY name")]
    text = json.dumps(state).replace(environment["profile"]["prefix"] + "_", "prefix_")
    for made in (
        environment["sql"]["server"],
        environment["key_vault"]["name"],
        environment["sql"]["database"]["name"],
    ):
        text = text.replace(made, "made")
    document: dict[str, Any] = json.loads(text)
    return document
