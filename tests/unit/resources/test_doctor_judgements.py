"""What doctor makes of a subscription's own words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from setup_kit.azure.subscription import Standing
from setup_kit.engine.resource import Finding, Severity, Status
from setup_kit.resources.doctor.cores import cores_of
from setup_kit.resources.doctor.subscription import judged

TENANT = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
WELL = Standing("Contoso", "Enabled", TENANT, "Off", "PayAsYouGo_2014-09-01")


def found(seen: Standing) -> dict[str, Finding]:
    return {finding.check: finding for finding in judged(seen, TENANT, "subscription/x")}


def test_an_enabled_subscription_of_the_tenant_passes_with_evidence() -> None:
    findings = found(WELL).values()
    assert {each.status for each in findings} == {Status.PASSED}
    assert all("PayAsYouGo" in each.evidence for each in findings)


@pytest.mark.parametrize("state", ["Warned", "Disabled", "Deleted", "SomethingNew", ""])
def test_a_state_in_which_nothing_can_be_made_fails(state: str) -> None:
    finding = found(replace(WELL, state=state))["subscription.state"]
    assert finding.status is Status.FAILED and finding.remedy


def test_an_unpaid_bill_warns() -> None:
    assert found(replace(WELL, state="PastDue"))["subscription.state"].status is Status.WARNING


def test_another_tenant_fails_and_one_that_is_not_told_does_not() -> None:
    finding = found(replace(WELL, tenant_id=OTHER))["subscription.tenant"]
    assert finding.status is Status.FAILED
    assert OTHER in finding.message and TENANT in finding.message
    assert found(replace(WELL, tenant_id=""))["subscription.tenant"].status is Status.PASSED


def test_a_spending_limit_is_a_small_warning() -> None:
    finding = found(replace(WELL, spending_limit="On"))["subscription.spending_limit"]
    assert (finding.status, finding.severity) == (Status.WARNING, Severity.LOW)


@pytest.mark.parametrize(
    ("sku", "cores"),
    [
        ("GP_Gen5_2", 2),
        ("GP_S_Gen5_40", 40),
        ("HS_Gen5_8", 8),
        ("P1", 1),
        ("P11", 14),
        ("S0", 1),
        ("Basic", 1),
        ("?", 0),
    ],
)
def test_skus_count_as_vcores(sku: str, cores: int) -> None:
    assert cores_of(sku) == cores
