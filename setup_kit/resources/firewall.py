"""The logical server's firewall rules."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.firewall_rules import AZURE_SERVICES, AZURE_SERVICES_ADDRESS, Rule
from setup_kit.engine.resource import Action, Change, Finding, Node, Removal, Resource, Severity, Status
from setup_kit.environment.models import Environment
from setup_kit.environment.regions import service_addresses
from setup_kit.errors import KitError, UsageError
from setup_kit.resources.sql_server import SqlServer

# Rules that admit this machine for the time of a run.
OPERATOR_PREFIX = "setup-kit-operator-"
SERVICE_PREFIX = "data-export-service-"
# Addresses of a /16: no office and no data center's outgoing addresses need more in one rule (our choice).
WIDE = 2**16


@dataclass(frozen=True)
class Wanted:
    rule: Rule
    why: str


class FirewallRules(Resource[Mapping[str, Rule]]):
    """The state is all rules of the server by name. Rules that the environment file does not speak of stay."""

    kind = "firewall_rules"

    def __init__(
        self, environment: Environment, azure: AzureClients, server: SqlServer, *, needs: Iterable[Node] = ()
    ) -> None:
        super().__init__(environment.sql.address, within=server, needs=needs)
        self._firewall = environment.sql.firewall
        self._group = environment.resource_group
        self._azure = azure
        self._server = server
        self._wanted = wanted_rules(environment)
        # The one rule that a removal takes, whoever made it; else those that are the kit's.
        self.taking: str | None = None

    def read(self) -> Mapping[str, Rule]:
        return {rule.name: rule for rule in self._azure.firewall_rules.list(self._group, self.name)}

    def diff(self, observed: Mapping[str, Rule] | None) -> list[Change]:
        there = {name.lower(): rule for name, rule in (observed or {}).items()}
        changes = []
        for name, wanted in self._wanted.items():
            rule = there.get(name.lower())
            if rule is None:
                changes.append(
                    Change(self.address, Action.CREATE, target=name, after=wanted.rule.range, why=wanted.why)
                )
            elif (rule.start, rule.end) != (wanted.rule.start, wanted.rule.end):
                changes.append(Change(self.address, Action.UPDATE, name, rule.range, wanted.rule.range, wanted.why))
        if not self._firewall.allow_azure_services and AZURE_SERVICES.lower() in there:
            why = "the environment file says allow_azure_services: false; every Azure service is admitted until then"
            before = there[AZURE_SERVICES.lower()].range
            changes.append(Change(self.address, Action.DELETE, AZURE_SERVICES, before, why=why, destructive=True))
        return changes

    def apply(self, change: Change) -> Mapping[str, Rule]:
        rules = {name: rule for name, rule in (self.observed or {}).items() if name.lower() != change.target.lower()}
        if change.action is Action.DELETE:
            self._azure.firewall_rules.delete(self._group, self.name, change.target)
        else:
            wanted = self._wanted[change.target].rule
            rules[change.target] = self._azure.firewall_rules.put(self._group, self.name, wanted)
        return rules

    def removal(self, observed: Mapping[str, Rule]) -> Removal:
        """Rules have no tags. On a server that was there before, only those go whose names the kit alone gives."""
        if self.taking is not None:
            return Removal(
                tuple(self._deletion(rule) for name, rule in observed.items() if name.lower() == self.taking.lower())
            )
        wanted = {name.lower(): wanted.rule for name, wanted in self._wanted.items()}
        named = [
            rule
            for name, rule in observed.items()
            if (same := wanted.get(name.lower())) and (rule.start, rule.end) == (same.start, same.end)
        ]
        going = [rule for rule in named if self._server.own or self._of_the_kit(rule)]
        others = sorted(rule.name for rule in observed.values() if rule not in going)
        changes = tuple(self._deletion(rule) for rule in sorted(going, key=lambda rule: rule.name))
        return Removal(changes, f"not known to be made by setup-kit: {', '.join(others)}" if others else "")

    def _deletion(self, rule: Rule) -> Change:
        return Change(self.address, Action.DELETE, rule.name, rule.range, destructive=True)

    def _of_the_kit(self, rule: Rule) -> bool:
        return rule.name.lower().startswith(SERVICE_PREFIX) and not self._server.of_another

    def delete(self, observed: Mapping[str, Rule]) -> None:
        """Takes the rules away that the environment file names."""
        there = {name.lower(): name for name in observed}
        for name in self._wanted:
            if name.lower() in there:
                self._azure.firewall_rules.delete(self._group, self.name, there[name.lower()])

    def names(self, rule: str) -> bool:
        """Whether the environment file asks for the rule of this name."""
        return rule.lower() in {name.lower() for name in self._wanted}

    def refuse_unknown(self, rule: str) -> None:
        """Raises KitError where the server, as it was read, has no rule of this name and the file asks for none."""
        there = {name.lower(): name for name in self.observed or {}}
        if rule.lower() in there or self.names(rule):
            return
        near = difflib.get_close_matches(rule.lower(), there, n=1)
        raise KitError(
            f"the server {self.name} has no firewall rule {rule!r}",
            why="" if there else "it has none at all, or is not there",
            remedy=(f"did you mean {there[near[0]]}? " if near else "")
            + "see which there are: setup-kit firewall list",
        )

    def evidence(self, observed: Mapping[str, Rule]) -> str:
        return "; ".join(f"{rule.name} {rule.range}" for rule in observed.values()) or "no rule"

    def beyond(self, observed: Mapping[str, Rule]) -> str:
        # Azure's own rule is a difference where the file does not want it.
        unnamed = [name for name in observed if not self.names(name) and name.lower() != AZURE_SERVICES.lower()]
        of_runs = [name for name in unnamed if name.lower().startswith(OPERATOR_PREFIX)]
        others = [name for name in unnamed if name not in of_runs]
        said = [f"not in the file: {', '.join(others)}"] if others else []
        if of_runs:
            said.append(f"of a run that goes on, or was killed (the next apply removes it then): {', '.join(of_runs)}")
        return "; ".join(said)

    def audit(self, observed: Mapping[str, Rule]) -> list[Finding]:
        """Every rule that the environment file does not speak of, and wide ranges, the file's too.

        A rule may be there for a use that the kit knows nothing of: that is a warning. It is a failure where nobody
        named a rule that opens the server to more than a network, or to Azure although the file says no.
        """
        findings = []

        def find(check: str, rule: Rule, message: str, remedy: str, status: Status, grade: Severity) -> None:
            count = _addresses(rule)
            evidence = f"{rule.name}: {rule.range}, {count:,} address{'' if count == 1 else 'es'}"
            findings.append(Finding(check, status, self.address, message, remedy, evidence, grade))

        wanted = {name.lower(): wanted.rule for name, wanted in self._wanted.items()}
        for name, rule in observed.items():
            delete = f"setup-kit firewall remove {shlex.quote(name)}"
            named = wanted.get(name.lower())
            if _addresses(rule) > WIDE:
                message = f"the rule {name} admits {_addresses(rule):,} addresses of the Internet, {rule.range}"
                remedy = delete if named is None else _narrow(named)
                status = Status.FAILED if named is None else Status.WARNING
                find("firewall.open", rule, message, remedy, status, Severity.HIGH)
            if named is not None:
                continue
            if name.lower().startswith(OPERATOR_PREFIX):
                message = f"the rule {name} admits an operator at {rule.range}; its run goes on, or was killed"
                find("firewall.operator", rule, message, delete, Status.WARNING, Severity.LOW)
            elif name.lower() != AZURE_SERVICES.lower():  # that one is a difference, not a finding of the audit
                message = f"the rule {name} admits {_whom(name, rule)}; the environment file does not name it"
                forbidden = _azure(rule) and not self._firewall.allow_azure_services
                status = Status.FAILED if forbidden else Status.WARNING
                find("firewall.superfluous", rule, message, delete, status, _grade(rule))
        return findings


def _addresses(rule: Rule) -> int:
    return int(IPv4Address(rule.end)) - int(IPv4Address(rule.start)) + 1


def _azure(rule: Rule) -> bool:
    return (rule.start, rule.end) == (AZURE_SERVICES_ADDRESS, AZURE_SERVICES_ADDRESS)


def _grade(rule: Rule) -> Severity:
    return Severity.HIGH if _azure(rule) or _addresses(rule) > WIDE else Severity.MEDIUM


def _narrow(named: Rule) -> str:
    if _addresses(named) > WIDE:
        return f"narrow the range of {named.name} in sql.firewall.rules, then run: setup-kit apply"
    return f"setup-kit apply, which narrows it to {named.range}"


def _whom(name: str, rule: Rule) -> str:
    if _azure(rule):
        return f"every Azure service, other customers' included ({rule.range})"
    if name.lower().startswith(SERVICE_PREFIX):
        return f"the service in another region ({rule.range})"
    return rule.range


def wanted_rules(environment: Environment) -> dict[str, Wanted]:
    """The rules that the environment file asks for, by name, each with its reason.

    Raises UsageError for a service region without an address.
    """
    firewall = environment.sql.firewall
    wanted: dict[str, Wanted] = {}
    if firewall.allow_azure_services:
        rule = Rule(AZURE_SERVICES, AZURE_SERVICES_ADDRESS, AZURE_SERVICES_ADDRESS)
        wanted[rule.name] = Wanted(rule, "admits Azure's services")
    if firewall.service_region is not None:
        try:
            addresses = service_addresses(firewall.service_region)
        except KeyError:
            raise UsageError(
                f"The Data Export Service has no known address in the region {firewall.service_region!r}",
                remedy="leave 'sql.firewall.service_region' out and give its addresses under 'sql.firewall.rules'",
            ) from None
        for region, address in addresses.items():
            rule = Rule(SERVICE_PREFIX + region.lower().replace(" ", "-"), address, address)
            wanted[rule.name] = Wanted(rule, f"the Data Export Service in {region} connects from {address}")
    for given in firewall.rules:
        wanted[given.name] = Wanted(Rule(given.name, given.start, given.end), "asked for by name")
    return wanted
