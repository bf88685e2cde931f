"""Resource providers, regions and quotas: whether what is to be made can be had there at all."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.providers import REGISTERED
from setup_kit.azure.sql_locations import CORES, SERVERS, Region, Usage
from setup_kit.engine.resource import Check, Finding, Node, Status
from setup_kit.environment.models import Environment
from setup_kit.resources.doctor.cores import cores_of
from setup_kit.resources.doctor.outlook import Outlook
from setup_kit.resources.providers import namespaces

# The type of each that lies in a region, by what makes it.
_TYPES = {"Microsoft.KeyVault": ("vaults", "key_vault"), "Microsoft.Sql": ("servers", "sql_server")}
_MORE = "ask Azure's support for more: Azure portal, Help + support, 'Service and subscription limits (quotas)'"


class Providers(Check):
    """Their registration, and the regions in which they make things."""

    kind = "providers"

    def __init__(
        self, environment: Environment, azure: AzureClients, outlook: Outlook, *, needs: Iterable[Node] = ()
    ) -> None:
        super().__init__(str(environment.subscription), needs=needs)
        self._location = environment.location
        self._namespaces = namespaces(environment)
        self._azure = azure
        self._outlook = outlook

    def run(self) -> list[Finding]:
        return [finding for namespace in self._namespaces for finding in self._provider(namespace)]

    def _provider(self, namespace: str) -> list[Finding]:
        found = self._azure.providers.get(namespace)
        check = "providers.registration"
        evidence = f"registrationState {found.state or 'not told'}"
        if found.state == REGISTERED:
            message = f"the resource provider {namespace} is registered"
            findings = [Finding(check, Status.PASSED, self.address, message, evidence=evidence)]
        else:
            message = f"the resource provider {namespace} is not registered: apply registers it"
            remedy = f"or have somebody who may do it run: az provider register --namespace {namespace} --wait"
            findings = [Finding(check, Status.WARNING, self.address, message, remedy, evidence)]
        kind, resource = _TYPES[namespace]
        regions = found.regions.get(kind, ())
        if regions and resource in self._outlook.creations():
            findings.append(self._region(f"{namespace}/{kind}", regions))
        return findings

    def _region(self, kind: str, regions: Iterable[str]) -> Finding:
        check = "providers.region"
        there = sorted({_short(region) for region in regions})
        if _short(self._location) in there:
            message = f"{kind} can be made in {self._location}"
            return Finding(check, Status.PASSED, self.address, message, evidence=f"one of {len(there)} regions")
        close = get_close_matches(_short(self._location), there, n=3)
        message = f"{kind} cannot be made in {self._location}"
        remedy = "set another 'location'" + (f"; was {' or '.join(close)} meant?" if close else "")
        return Finding(check, Status.FAILED, self.address, message, remedy, f"regions: {', '.join(there)}")


class SqlRegion(Check):
    """Whether the subscription gets servers and the database's SKU in the region, and whether its quotas have room."""

    kind = "sql_region"

    def __init__(
        self, environment: Environment, azure: AzureClients, outlook: Outlook, *, needs: Iterable[Node] = ()
    ) -> None:
        super().__init__(environment.location, needs=needs)
        self._sku = environment.sql.database.sku
        self._azure = azure
        self._outlook = outlook

    def run(self) -> list[Finding]:
        creations = self._outlook.creations()
        server = "sql_server" in creations
        database = "database" in creations or any(each.target == "sku" for each in self._outlook.changes("database"))
        if not server and not database:
            message = "neither a server nor a database is to be made"
            return [Finding(self.kind, Status.PASSED, self.address, message, evidence="nothing needs room")]
        there = self._outlook.server()
        location = self.name if there is None else there.location
        locations = self._azure.sql_locations
        try:
            region = locations.region(location)
            usages = locations.usages(location)
        except AzureRefusal as refusal:
            if not refusal.is_any("AuthorizationFailed", "MissingSubscriptionRegistration"):
                raise
            message = f"not known what {location} offers: {refusal.why}"
            return [Finding(self.kind, Status.SKIPPED, self.address, message, refusal.remedy, refusal.original)]
        return [
            *self._offered(region, location, server=server, database=database),
            *(self._room(usages, SERVERS, 1, "sql_region.servers") if server else ()),
            *(self._room(usages, CORES, cores_of(self._sku), "sql_region.vcores") if database else ()),
        ]

    def _offered(self, region: Region, location: str, *, server: bool, database: bool) -> list[Finding]:
        if server and not region.offer.open:
            message = f"the subscription gets no new servers in {location}"
            remedy = f"set another 'location', or {_MORE}"
            evidence = region.offer.reason or "its capabilities say Disabled"
            return [Finding("sql_region.closed", Status.FAILED, self.address, message, remedy, evidence)]
        message = f"servers can be had in {location}"
        passed = Finding("sql_region", Status.PASSED, self.address, message, evidence="its capabilities say Available")
        return [passed, self._objective(region, location)] if database else [passed]

    def _objective(self, region: Region, location: str) -> Finding:
        check = "sql_region.sku"
        offer = region.objectives.get(self._sku.lower())
        if offer is not None and offer.open:
            message = f"the database's SKU {self._sku} can be had in {location}"
            evidence = f"one of {sum(each.open for each in region.objectives.values())} service objectives there"
            return Finding(check, Status.PASSED, self.address, message, evidence=evidence)
        if offer is None:
            known = sorted(region.objectives)
            close = get_close_matches(self._sku.lower(), known, n=3)
            message = f"there is no SKU {self._sku} in {location}"
            evidence = f"near it: {', '.join(close)}" if close else f"{len(known)} service objectives, not this one"
        else:
            message = f"the subscription does not get the SKU {self._sku} in {location}"
            evidence = offer.reason or "its capabilities say Disabled"
        listing = f"az sql db list-editions --location {location} --output table"
        remedy = f"set another 'sql.database.sku' or 'location': {listing}"
        return Finding(check, Status.FAILED, self.address, message, remedy, evidence)

    def _room(self, usages: Iterable[Usage], name: str, wanted: int, check: str) -> list[Finding]:
        usage = next((each for each in usages if each.name.lower() == name.lower()), None)
        if usage is None:
            return []
        limit = "no limit" if usage.limit is None else f"{usage.limit:g} allowed"
        evidence = f"{usage.title}: {usage.used:g} used, {limit}, {wanted} more needed"
        if usage.limit is None or usage.used + wanted <= usage.limit:
            message = f"the quota {usage.name} has room"
            return [Finding(check, Status.PASSED, self.address, message, evidence=evidence)]
        message = f"the quota {usage.name} is used up: {usage.used:g} of {usage.limit:g}, {wanted} more needed"
        remedy = f"remove what nobody uses, set another 'location', or {_MORE}"
        return [Finding(check, Status.FAILED, self.address, message, remedy, evidence)]


def _short(region: str) -> str:
    return "".join(region.split()).lower()
