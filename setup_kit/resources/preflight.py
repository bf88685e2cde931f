"""Finds everything that would stop a run, all at once, before anything is changed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.engine.examination import failed
from setup_kit.engine.resource import Check, Finding, Node, Severity, Status
from setup_kit.environment.models import Environment
from setup_kit.environment.regions import regions_near, service_addresses
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.export_service.organization import CurrentOrganization, OrganizationClient
from setup_kit.resources.machine_checks import examine_machine
from setup_kit.sqlserver.sessions import SqlSessions

OLDEST_VERSION = (8, 2)  # December 2016 update

WORKERS = 8


class Preflight(Check):
    """Asks the organization, the service, Resource Manager and a machine's SQL Server side by side.

    Never raises for what they answer. Without `sessions` a machine is looked at from outside alone.
    """

    kind = "preflight"
    first = True
    beside = True

    def __init__(
        self,
        environment: Environment,
        azure: AzureClients,
        organization: OrganizationClient,
        export_client: ExportServiceClient,
        *,
        sessions: SqlSessions | None = None,
        needs: Iterable[Node] = (),
    ) -> None:
        super().__init__(environment.profile.name, needs=needs)
        self._environment = environment
        self._azure = azure
        self._organization = organization
        self._client = export_client
        self._sessions = sessions

    def run(self) -> list[Finding]:
        probes: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
            ("preflight.organization", self.organization),
            ("preflight.service", self.service),
            ("preflight.entities", self.entities),
            ("preflight.relationships", self.relationships),
            ("preflight.server", self.server),
            ("preflight.vault", self.vault),
        )
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="preflight") as pool:
            findings = [found for each in pool.map(lambda probe: self._probe(*probe), probes) for found in each]
        # One that cannot be reached is met by several probes, and said once.
        return list(dict.fromkeys(findings))

    def organization(self) -> list[Finding]:
        """Version, administration mode, id, tenant."""
        check = "preflight.organization"
        wanted = self._environment
        current = self._organization.current()
        label = f"organization {current.name or self._organization.url}"
        version = ".".join(map(str, current.version))
        evidence = (
            f"{self._organization.url} says: id {current.id}, tenant {current.tenant_id or 'not told'},"
            f" version {version or 'not told'}, state {current.state or 'not told'}"
        )
        findings = []
        if current.version < OLDEST_VERSION:
            message = f"the {label} is version {version or 'unknown'}; 8.2 (December 2016 update) or later is needed"
            findings.append(self._failed(check, message, "update the organization", evidence))
        # *assumed*: an organization in administration mode says Disabled here.
        if current.state and current.state not in ("Enabled", "0"):
            remedy = "end the administration mode in the Power Platform admin center"
            message = f"the {label} is in administration mode or disabled"
            findings.append(self._failed(check, message, remedy, evidence))
        if current.id != str(wanted.dynamics.organization_id):
            findings.append(
                self._failed(
                    check,
                    f"the {label} at {self._organization.url} has the id {current.id},"
                    f" but the environment file says {wanted.dynamics.organization_id}",
                    "correct dynamics.organization_id or dynamics.organization_url",
                    evidence,
                )
            )
        if current.tenant_id and current.tenant_id != str(wanted.tenant):
            findings.append(
                self._failed(
                    check,
                    f"the {label} is in tenant {current.tenant_id}, but the environment file says {wanted.tenant}:"
                    " organization and key vault must be in the same one",
                    "correct 'tenant', and use a subscription of the organization's tenant",
                    evidence,
                )
            )
        findings = findings or [self._passed(check, f"the {label} is version {version} and open", evidence)]
        return findings + self._service_region(current, label)

    def _service_region(self, current: CurrentOrganization, label: str) -> list[Finding]:
        """A warning where the region that the file names is none of the organization's: a service of one's own may be
        anywhere."""
        region = self._environment.sql.firewall.service_region
        near = regions_near(self._organization.url, current.geography)
        if region is None or not near or set(service_addresses(region)) & set(near):
            return []
        admitted = self._environment.sql.firewall.allow_azure_services
        return [
            Finding(
                "preflight.service_region",
                Status.WARNING,
                self.address,
                f"sql.firewall.service_region is {region}, but the service calls for the {label} from"
                f" {' or '.join(near)}: "
                + ("only allow_azure_services admits it there" if admitted else "the server will not admit it"),
                f"set sql.firewall.service_region to {' or '.join(near)}, unless the service is one of your own and"
                f" calls from {region}",
                f"{self._organization.url}, which says of its geography: {current.geography or 'nothing'}",
                Severity.LOW if admitted else Severity.HIGH,
            )
        ]

    def service(self) -> list[Finding]:
        """Whether it answers, and takes the caller for a System Administrator."""
        check = "preflight.service"
        found = self._client.metadata.discover()
        if found.error:
            message = f"the Data Export Service says of the organization: {found.error}"
            remedy = "mend it in the organization, or ask whoever runs the service"
            return [self._failed(check, message, remedy, f"{self._client.discovery} lists it with this error")]
        connector = self._client.connector
        message = f"the Data Export Service answers at {self._client.discovery} and {connector}"
        return [self._passed(check, message, f"it knows the organization as {found.name or found.id}")]

    def entities(self) -> list[Finding]:
        """Each entity of the profile; only those that the service does not offer are looked up in the organization."""
        check = "preflight.entities"
        offered = self._offered(lambda: {entity.logical_name for entity in self._client.metadata.entities()})
        findings = []
        lists = "the service does not answer" if offered is None else f"the service offers {len(offered)} entities"
        for name in self._environment.profile.entities:
            if offered is not None and name in offered:
                continue
            table = self._organization.table(name)
            if table is None:
                remedy = "correct profile.entities" + _meant(name, offered)
                evidence = f"{self._organization.url} has no definition of it; {lists}, not this one"
                findings.append(self._failed(check, f"the organization has no entity {name}", remedy, evidence))
            elif not table.tracks_changes:
                remedy = (
                    f"setup-kit org enable-tracking {name}, or switch on Track changes in the table's properties"
                    if table.can_track_changes
                    else "take it out of profile.entities: it cannot be switched on for this entity"
                )
                can = "true" if table.can_track_changes else "false"
                evidence = f"its ChangeTrackingEnabled is false, its CanChangeTrackingBeEnabled {can}"
                message = f"change tracking is off for the entity {name}"
                findings.append(self._failed(check, message, remedy, evidence))
            elif offered is not None:
                message = f"the Data Export Service does not export the entity {name}"
                evidence = f"{lists}, not this one, although its changes are tracked"
                findings.append(self._failed(check, message, "take it out of profile.entities", evidence))
        count = len(self._environment.profile.entities)
        named = ", ".join(self._environment.profile.entities)
        exist = f"all {count} entities exist and are change-tracked"
        if count == 1:
            exist = "the one entity exists and is change-tracked"
        return findings or [self._passed(check, exist, named)]

    def relationships(self) -> list[Finding]:
        check = "preflight.relationships"
        wanted = self._environment.profile.relationships
        if not wanted:
            return []
        offered = self._offered(lambda: {each.schema_name for each in self._client.metadata.relationships()})
        if offered is None:
            return []
        findings = [
            self._failed(
                check,
                f"the Data Export Service has no N:N relationship {name} to export",
                "correct profile.relationships; both of its entities must be change-tracked" + _meant(name, offered),
                f"the service offers {len(offered)} relationships, not this one",
            )
            for name in wanted
            if name not in offered
        ]
        all_ = "the one relationship" if len(wanted) == 1 else f"all {len(wanted)} relationships"
        return findings or [self._passed(check, f"{all_} can be exported", ", ".join(wanted))]

    def server(self) -> list[Finding]:
        """The name is free or ours, and a SQL login can exist there; or the machine is as it must be."""
        machine = self._environment.sql.machine
        if machine is not None:
            return examine_machine(self.address, self._environment, machine, self._azure.cloud, self._sessions)
        check = "preflight.server"
        name = self._environment.sql.address
        servers = self._azure.sql_servers
        found = servers.get(self._environment.resource_group, name)
        if found is None:
            obstacle = servers.unavailable(name)
            if obstacle is None:
                return [self._passed(check, f"the server name {name} is free", "Resource Manager names no obstacle")]
            return [
                self._failed(
                    check,
                    f"the server name {name} is taken, and not by a server of resource group"
                    f" {self._environment.resource_group}: {obstacle}",
                    "set another sql.server; names are shared by all of Azure",
                    "Microsoft.Sql/checkNameAvailability says that it is not available",
                )
            ]
        if found.entra_only:
            return [
                self._failed(
                    check,
                    f"the server {name} admits Microsoft Entra logins only, so the export service cannot log in:"
                    " its connection string needs a SQL login or a contained user",
                    f"az sql server ad-only-auth disable --resource-group {self._environment.resource_group}"
                    f" --name {name}; or set another sql.server",
                    "its azureADOnlyAuthentication is true",
                )
            ]
        evidence = "not for Microsoft Entra sign-ins only"
        return [self._passed(check, f"the server {name} is there and admits SQL logins", evidence)]

    def vault(self) -> list[Finding]:
        """The name is free, ours, or that of a deleted vault of ours."""
        check = "preflight.vault"
        name = self._environment.key_vault.name
        group = self._environment.resource_group
        vaults = self._azure.key_vaults
        if vaults.get(group, name) is not None:
            return [self._passed(check, f"the vault {name} is there", f"in the resource group {group}")]
        deleted = vaults.deleted(name)
        if deleted is not None and deleted.group.lower() == group.lower():
            message = f"a deleted vault {name} of resource group {group} is there: apply recovers it, with its secrets"
            remedy = f"nothing, when it is to be recovered; else: az keyvault purge --name {name}"
            evidence = f"deletedVaults lists {deleted.id}"
            return [Finding(check, Status.WARNING, self.address, message, remedy, evidence)]
        if deleted is not None:
            until = f" until {deleted.purge_date}" if deleted.purge_date else ""
            purge = f"purge it if nobody needs it (az keyvault purge --name {name}), or "
            return [
                self._failed(
                    check,
                    f"the vault name {name} is held{until} by a deleted vault of resource group {deleted.group}",
                    ("" if deleted.purge_protection else purge) + "set another key_vault.name",
                    f"deletedVaults lists {deleted.id}",
                )
            ]
        obstacle = vaults.unavailable(name)
        if obstacle is None:
            return [self._passed(check, f"the vault name {name} is free", "Resource Manager names no obstacle")]
        remedy = "set another key_vault.name; names are shared by all of Azure, deleted vaults included"
        evidence = "Microsoft.KeyVault/checkNameAvailability says that it is not available"
        return [self._failed(check, f"the vault name {name} is taken: {obstacle}", remedy, evidence)]

    def _probe(self, check: str, probe: Callable[[], list[Finding]]) -> list[Finding]:
        try:
            return probe()
        except AzureRefusal as refusal:
            if refusal.is_any("MissingSubscriptionRegistration"):
                # A run registers the provider; then the name is asked for.
                message = f"not known yet: {refusal.why}"
                return [Finding(check, Status.SKIPPED, self.address, message, refusal.remedy, refusal.original)]
            return [failed(check, self.address, refusal)]
        except KitError as error:
            return [failed(check, self.address, error)]

    def _offered(self, ask: Callable[[], set[str]]) -> set[str] | None:
        """What the service offers; None where it does not answer, which the probe of the service reports."""
        try:
            return ask()
        except KitError:
            return None

    def _passed(self, check: str, message: str, evidence: str = "") -> Finding:
        return Finding(check, Status.PASSED, self.address, message, evidence=evidence)

    def _failed(self, check: str, message: str, remedy: str, evidence: str) -> Finding:
        return Finding(check, Status.FAILED, self.address, message, remedy, evidence)


def _meant(name: str, known: set[str] | None) -> str:
    close = difflib.get_close_matches(name, sorted(known or ()), n=1)
    return f" (was {close[0]} meant?)" if close else ""
