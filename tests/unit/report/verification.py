"""A verification to show: what was found, and what there is."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from setup_kit.engine.resource import Finding, Severity, Status
from setup_kit.report.documents import for_environment, verification_document

# Breaks out of a page, an attribute, a style, a template or a line, where it can.
HOSTILE = (
    "\"'><script>console.error(1)</script><img src=https://evil.test/x onerror=alert(1)>{{7*7}}</title></style>\u202e\0"
)

FACTS: dict[str, Any] = {
    "organization": {
        "there": True,
        "name": "contoso.crm4.dynamics.com",
        "id": "44444444-4444-4444-4444-444444444444",
        "tenant": "11111111-1111-1111-1111-111111111111",
    },
    "service": {
        "there": True,
        "name": "Data Export Service for Microsoft Dynamics 365",
        "application": "b861dbcc-a7ef-4219-a005-0e4de4ea7dcf",
        "object_id": "bdde8d24-992b-4543-87f5-41331b5dc2d8",
    },
    "profile": {
        "there": True,
        "name": "contoso",
        "state": "active",
        "entities": ["account", "contact"],
        "relationships": [],
        "prefix": "crm",
    },
    "key_vault": {
        "there": True,
        "name": "kv-contoso-export",
        "uri": "https://kv-contoso-export.vault.azure.net/",
        "authorization": "rbac",
    },
    "secret": {
        "there": True,
        "name": "data-export-connection",
        "enabled": True,
        "expires_on": None,
        "access": "Key Vault Secrets User at /subscriptions/2/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv",
    },
    "sql_server": {
        "machine": False,
        "there": True,
        "name": "contoso-export",
        "address": "contoso-export.database.windows.net",
        "minimal_tls": "1.2",
    },
    "firewall": [
        {"name": f"rule-{number}", "range": f"203.0.113.{number}", "named": number < 5} for number in range(9)
    ],
    "database": {"there": True, "name": "contoso", "evidence": "P1, at most 250 GB"},
    "user": {
        "there": True,
        "name": "dataexport",
        "schema": "dbo",
        "authentication": "login",
        "grants": 13,
        "wanted": 13,
    },
}

FINDINGS = (
    Finding("grants", Status.PASSED, "grants/dataexport", "as the environment file says", evidence="13 of 13 grants"),
    Finding(
        "grants.superfluous",
        Status.FAILED,
        "grants/dataexport",
        "the user 'dataexport' holds CONTROL on schema dbo, which it does not need",
        "sqlcmd -S tcp:contoso-export.database.windows.net,1433 -d contoso -G"
        " -Q 'REVOKE CONTROL ON SCHEMA::[dbo] FROM [dataexport] CASCADE'",
        "seen: CONTROL on schema dbo; wanted: the 13 grants alone",
    ),
    Finding(
        "firewall.superfluous",
        Status.WARNING,
        "firewall_rules/contoso-export",
        "the rule their-rule admits 198.51.100.1; the environment file does not name it",
        "setup-kit firewall remove -e prod their-rule",
        "their-rule: 198.51.100.1, 1 addresses",
    ),
    Finding(
        "database_options.differs",
        Status.FAILED,
        "database_options/contoso",
        "maxdop is 8, wanted is 1",
        "setup-kit apply",
        "seen: 8; wanted: 1",
        Severity.LOW,
    ),
    Finding("freshness", Status.SKIPPED, "freshness/contoso", "the profile exports no data now"),
)


def verification(
    findings: Iterable[Finding] = FINDINGS,
    environment: str = "prod",
    *,
    strict: bool = False,
    interrupted: bool = False,
) -> dict[str, Any]:
    """The JSON document of `verify`."""
    found = for_environment(findings, environment)
    at = datetime(2026, 11, 28, 16, 54, 3, tzinfo=UTC)
    facts = copy.deepcopy(FACTS)
    return verification_document(environment, found, facts, strict=strict, interrupted=interrupted, at=at)


def hostile() -> dict[str, Any]:
    """One in which every text that an environment file or a cloud may decide is hostile."""
    findings = [
        Finding(f"grants.{HOSTILE}", status, f"grants/{HOSTILE}", HOSTILE, HOSTILE, HOSTILE)
        for status in (Status.FAILED, Status.WARNING, Status.PASSED)
    ]
    document = verification(findings, HOSTILE)
    document["provisioned"] = _all_hostile(document["provisioned"])
    return document


def _all_hostile(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _all_hostile(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_all_hostile(each) for each in value]
    return HOSTILE if isinstance(value, str) else value
