"""Whether the subscription is one in which things can be made: its state, its tenant, its spending limit."""

from __future__ import annotations

from collections.abc import Iterable

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.subscription import Standing
from setup_kit.engine.resource import Check, Finding, Node, Severity, Status
from setup_kit.environment.models import Environment

# "Azure subscription states": a subscription that is past due takes all operations, a warned one only GET and DELETE.
_OPEN = ("enabled", "pastdue")


class SubscriptionOpen(Check):
    kind = "subscription"

    def __init__(self, environment: Environment, azure: AzureClients, *, needs: Iterable[Node] = ()) -> None:
        super().__init__(str(environment.subscription), needs=needs)
        self._tenant = str(environment.tenant)
        self._azure = azure

    def run(self) -> list[Finding]:
        return judged(self._azure.subscriptions.standing(), self._tenant, self.address)


def judged(seen: Standing, tenant: str, address: str) -> list[Finding]:
    """The findings about a subscription of which the environment file says that it is in `tenant`."""
    evidence = (
        f"{seen.name or 'no name'}: state {seen.state or 'not told'}, tenant {seen.tenant_id or 'not told'},"
        f" spending limit {seen.spending_limit or 'not told'}, offer {seen.offer or 'not told'}"
    )
    return [
        _state(seen, address, evidence),
        *_tenant(seen, tenant, address, evidence),
        *_limit(seen, address, evidence),
    ]


def _state(seen: Standing, address: str, evidence: str) -> Finding:
    check = "subscription.state"
    state = seen.state.lower()
    if state == "enabled":
        return Finding(check, Status.PASSED, address, "the subscription is enabled", evidence=evidence)
    if state == "pastdue":
        message = "the subscription has an unpaid bill: it still takes changes, and will be disabled when it stays so"
        remedy = "have its billing administrator pay: Azure portal, Cost Management + Billing, Invoices"
        return Finding(check, Status.WARNING, address, message, remedy, evidence)
    message = f"the subscription is {seen.state or 'in an unknown state'}: nothing can be made or changed in it"
    remedy = (
        "have its account administrator reactivate it (Azure portal, Subscriptions), or set another 'subscription':"
        " az account list --output table"
    )
    return Finding(check, Status.FAILED, address, message, remedy, evidence)


def _tenant(seen: Standing, tenant: str, address: str, evidence: str) -> list[Finding]:
    check = "subscription.tenant"
    if not seen.tenant_id or seen.tenant_id == tenant.lower():
        return [
            Finding(check, Status.PASSED, address, "the subscription is in the tenant of the file", evidence=evidence)
        ]
    message = f"the subscription is in tenant {seen.tenant_id}, but the environment file says {tenant}"
    remedy = "correct 'subscription' or 'tenant': vault, organization and service principal must be in one tenant"
    return [Finding(check, Status.FAILED, address, message, remedy, evidence)]


def _limit(seen: Standing, address: str, evidence: str) -> list[Finding]:
    check = "subscription.spending_limit"
    if seen.spending_limit.lower() != "on":
        return [Finding(check, Status.PASSED, address, "no spending limit is on", evidence=evidence)]
    message = "a spending limit is on: when the credit is used up, the subscription is disabled and the export stops"
    remedy = "see what the database costs (sql.database.sku), or have the account administrator remove the limit"
    return [Finding(check, Status.WARNING, address, message, remedy, evidence, Severity.LOW)]
