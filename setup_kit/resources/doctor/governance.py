"""What the subscription's policies would deny of what a run makes, and what locks forbid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.sql_servers import MINIMAL_TLS
from setup_kit.azure.subscription import Denial, Lock
from setup_kit.engine.resource import Change, Check, Finding, Node, Status
from setup_kit.environment.models import Authorization, Environment
from setup_kit.resources.doctor.outlook import Outlook

# What Azure Policy finds its names for properties by; any version that knows them will do.
_SQL, _VAULT, _GROUP = "2023-08-01", "2023-07-01", "2022-09-01"


class Policies(Check):
    """Asks Azure Policy itself about each resource that is to be made, since its rules may be any."""

    kind = "policies"

    def __init__(
        self, environment: Environment, azure: AzureClients, outlook: Outlook, *, needs: Iterable[Node] = ()
    ) -> None:
        super().__init__(str(environment.subscription), needs=needs)
        self._environment = environment
        self._azure = azure
        self._outlook = outlook

    def run(self) -> list[Finding]:
        contents = planned_contents(self._environment, self._outlook.creations())
        if not contents:
            message = "nothing is to be made that a policy could deny"
            return [Finding(self.kind, Status.PASSED, self.address, message, evidence="all resources are there")]
        subscriptions = self._azure.subscriptions
        group = subscriptions.group_scope(self._environment.resource_group)
        scope = group if self._outlook.group_is_there() else subscriptions.scope
        try:
            with ThreadPoolExecutor(len(contents), thread_name_prefix="policies") as pool:
                answers = list(pool.map(lambda each: subscriptions.denials(scope, *each), contents))
        except AzureRefusal as refusal:
            if not refusal.is_any("AuthorizationFailed", "MissingSubscriptionRegistration"):
                raise
            message = f"not known, because policies cannot be asked: {refusal.why}"
            return [Finding(self.kind, Status.SKIPPED, self.address, message, refusal.remedy, refusal.original)]
        findings = [
            self._denied(content, denial)
            for (content, _), denials in zip(contents, answers, strict=True)
            for denial in denials
        ]
        asked = ", ".join(str(content["type"]) for content, _ in contents)
        message = "no policy denies what is to be made"
        return findings or [Finding(self.kind, Status.PASSED, self.address, message, evidence=f"asked about {asked}")]

    def _denied(self, content: Mapping[str, Any], denial: Denial) -> Finding:
        message = f"the policy {denial.name} denies the {content['type']} {content['name']}"
        if denial.expressions:
            message += f": {'; '.join(denial.expressions)}"
        remedy = (
            f"change that in the environment file, or ask the policy's owner for an exemption:"
            f" az policy exemption create --name setup-kit --policy-assignment {denial.assignment}"
            " --exemption-category Waiver"
        )
        return Finding("policies.denied", Status.FAILED, self.address, message, remedy, denial.assignment)


def planned_contents(environment: Environment, creations: Mapping[str, Change]) -> list[tuple[dict[str, Any], str]]:
    """What a run would send for each resource that it makes, with the version of the API."""
    sql, group = environment.sql, sql_administrator(environment)
    kinds: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
        ("resource_group", "Microsoft.Resources/subscriptions/resourceGroups", environment.resource_group, _GROUP, {}),
        (
            "sql_server",
            "Microsoft.Sql/servers",
            sql.address,
            _SQL,
            {
                "properties": {
                    "version": "12.0",
                    "minimalTlsVersion": MINIMAL_TLS,
                    "publicNetworkAccess": "Enabled",
                    **group,
                }
            },
        ),
        (
            "database",
            "Microsoft.Sql/servers/databases",
            sql.database.name,
            _SQL,
            {"sku": {"name": sql.database.sku}, "properties": {}},
        ),
        (
            "key_vault",
            "Microsoft.KeyVault/vaults",
            environment.key_vault.name,
            _VAULT,
            {
                "properties": {
                    "tenantId": str(environment.tenant),
                    "sku": {"family": "A", "name": "standard"},
                    "enableRbacAuthorization": environment.key_vault.authorization is Authorization.RBAC,
                    "enableSoftDelete": True,
                }
            },
        ),
    )
    return [
        (
            {
                "type": kind,
                "name": name,
                "location": environment.location,
                "tags": creations[resource].detail.get("tags") or {},
                **more,
            },
            version,
        )
        for resource, kind, name, version, more in kinds
        if resource in creations
    ]


def sql_administrator(environment: Environment) -> dict[str, Any]:
    group = environment.sql.administrator.entra_group
    if group is None:
        return {"administratorLogin": environment.sql.administrator.sql_login}
    return {
        "administrators": {
            "administratorType": "ActiveDirectory",
            "login": group.name,
            "sid": str(group.object_id),
            "tenantId": str(environment.tenant),
            "azureADOnlyAuthentication": False,
        }
    }


class Locks(Check):
    """Above the environment's resources, at them or inside them."""

    kind = "locks"

    def __init__(self, environment: Environment, azure: AzureClients, *, needs: Iterable[Node] = ()) -> None:
        super().__init__(environment.resource_group, needs=needs)
        self._azure = azure
        self._mine = tuple(
            f"/providers/{kind}/{name}".lower()
            for kind, name in (
                ("Microsoft.Sql/servers", environment.sql.server),
                ("Microsoft.KeyVault/vaults", environment.key_vault.name),
            )
        )

    def run(self) -> list[Finding]:
        subscriptions = self._azure.subscriptions
        group = subscriptions.group_scope(self.name)
        scope = subscriptions.scope
        try:
            locks = subscriptions.locks(scope)
        except AzureRefusal as refusal:
            if not refusal.is_any("AuthorizationFailed"):
                raise
            scope = group
            try:
                locks = subscriptions.locks(group)
            except AzureRefusal as second:
                if not second.is_any("AuthorizationFailed", "ResourceGroupNotFound"):
                    raise
                message = f"not known, because locks cannot be read: {second.why}"
                return [Finding(self.kind, Status.SKIPPED, self.address, message, second.remedy, second.original)]
        concerned = [lock for lock in locks if self._concerns(lock, group)]
        if not concerned:
            message = "no lock is in the way"
            evidence = f"{len(locks)} locks at {scope} and in it, none of them here"
            return [Finding(self.kind, Status.PASSED, self.address, message, evidence=evidence)]
        return [self._locked(lock) for lock in concerned]

    def _concerns(self, lock: Lock, group: str) -> bool:
        scope, mine = lock.scope.lower().rstrip("/"), group.lower()
        if mine == scope or mine.startswith(scope + "/"):
            return True
        inside = scope.removeprefix(mine) if scope.startswith(mine + "/") else ""
        return any(inside == each or inside.startswith(each + "/") for each in self._mine)

    def _locked(self, lock: Lock) -> Finding:
        evidence = f"{lock.level} at {lock.scope}" + (f", noted: {lock.notes}" if lock.notes else "")
        remedy = f"have it taken away while the kit works: az lock delete --name {lock.name}" + _at(lock)
        if lock.level.lower() == "readonly":
            message = f"the lock {lock.name} lets nothing be made or changed"
            return Finding("locks.read_only", Status.FAILED, self.address, message, remedy, evidence)
        message = (
            f"the lock {lock.name} lets nothing be deleted: not the temporary firewall rule of a run, nor what destroy"
            " takes down"
        )
        return Finding("locks.no_deletion", Status.WARNING, self.address, message, remedy, evidence)


def _at(lock: Lock) -> str:
    parts = lock.scope.strip("/").split("/")
    if len(parts) <= 2:
        return ""
    group = f" --resource-group {parts[3]}"
    if len(parts) <= 4:
        return group
    return f"{group} --resource-type {'/'.join([parts[5], *parts[6::2]])} --resource-name {parts[-1]}"
