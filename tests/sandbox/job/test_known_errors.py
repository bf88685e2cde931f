"""What people are told of errors that the services raise: what, why, what to do, a page, and the own words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from setup_kit.report.schemas import SCHEMAS

if TYPE_CHECKING:
    from tests.sandbox.job.harness import Finished, Kit

DOCS = "https://learn.microsoft.com/"
ADDED = "The sandbox answers so because of a fault that was added."


@dataclass(frozen=True)
class Case:
    """A fault of the sandbox, and what a plan that meets it says. {name} stands for the environment's."""

    fault: str
    why: str
    remedy: str
    link: str
    original: str


CASES = {
    "policy": Case(
        "status --status 403 --code RequestDisallowedByPolicy --path */resourcegroups/rg-{name}",
        "a policy of the subscription forbids it: ",
        "ask the policy's owner for an exemption",
        f"{DOCS}azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy",
        f"(RequestDisallowedByPolicy) {ADDED}",
    ),
    "disabled": Case(
        "status --status 409 --code ReadOnlyDisabledSubscription --path */resourcegroups/rg-{name}",
        "the subscription is disabled: ",
        "set another 'subscription'",
        f"{DOCS}azure/cost-management-billing/manage/subscription-disabled",
        f"(ReadOnlyDisabledSubscription) {ADDED}",
    ),
    "unknown code": Case(
        "status --status 400 --code SomethingNew --part resource-manager --path */resourcegroups/rg-{name}",
        "the service refused it (SomethingNew): its own words say why",
        "mend what they name",
        f"{DOCS}azure/azure-resource-manager/troubleshooting/common-deployment-errors",
        f"(SomethingNew) {ADDED}",
    ),
    "unknown conflict": Case(
        "status --status 409 --code SomethingNew --part resource-manager --path */resourcegroups/rg-{name}",
        "it does not go together with what is there, or with what is being done: ",
        "setup-kit status",
        f"{DOCS}azure/azure-resource-manager/troubleshooting/common-deployment-errors",
        f"(SomethingNew) {ADDED}",
    ),
    "directory": Case(
        "status --status 403 --code Authorization_RequestDenied --part graph",
        "whoever is signed in may not do it in the tenant's directory: ",
        "Cloud Application Administrator",
        f"{DOCS}entra/identity/role-based-access-control/permissions-reference",
        f"(Authorization_RequestDenied) {ADDED}",
    ),
    "grants": Case(
        "sql-error --number 40552 --method SELECT --path */{name}-export",
        "the server ended the session because of what it used: ",
        "set a bigger sql.database.sku",
        f"{DOCS}azure/azure-sql/database/troubleshoot-common-errors-issues",
        "(40552)",
    ),
    "unknown number": Case(
        "sql-error --number 54321 --method SELECT --path */{name}-export",
        "SQL Server refused it: its own words say why",
        "mend what they name",
        f"{DOCS}sql/relational-databases/errors-events/database-engine-events-and-errors",
        "Error 54321, which a fault of the sandbox raises; its text is not known here. (54321)",
    ),
    "login": Case(
        "sql-error --number 40532 --method LOGIN --path */{name}-export",
        "the server does not know itself by this name: ",
        "see sql.server in the environment file",
        f"{DOCS}azure/azure-sql/database/troubleshoot-common-errors-issues",
        "(40532)",
    ),
    "service": Case(
        "status --status 400 --code SomethingNew --part export-service --path */profiles",
        f"it does not take what was asked: SomethingNew: {ADDED}",
        "mend what the service names",
        "",
        f"HTTP 400: SomethingNew: {ADDED}",
    ),
}


@contextmanager
def fault(kit: Kit, words: str) -> Iterator[None]:
    folder = ["--dir", str(kit.sandbox_folder)]
    kit.run("sandbox", "fault", "add", *words.split(), *folder).succeeded()
    try:
        yield
    finally:
        kit.run("sandbox", "fault", "clear", *folder).succeeded()


def told(finished: Finished) -> list[dict[str, Any]]:
    """The failures that a command ended with, as its document has them."""
    document = finished.json
    Draft202012Validator(SCHEMAS["error" if "error" in document else "plan"]).validate(document)
    return [document["error"]] if "error" in document else list(document["failures"])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_error_of_a_service_is_told_with_what_to_do_a_page_and_its_own_words(kit: Kit, dev: str, case: Case) -> None:
    with fault(kit, case.fault.format(name=dev)):
        shown = kit.run("plan", "-e", dev).failed(1).text.splitlines()
        errors = told(kit.run("plan", "-e", dev, "--output", "json").failed(1))
    error = next((each for each in errors if each["why"].startswith(case.why)), None)
    assert error is not None, errors
    assert case.remedy in error["remedy"]
    assert error["link"] == case.link
    assert case.original in error["original"]
    for text in filter(None, (error["why"], f"→ {error['remedy']}", error["link"])):
        assert any(line.strip() == text for line in shown), text
    assert any(case.original in line for line in shown)


def test_a_deadlock_of_the_databases_own_is_ridden_out(kit: Kit, dev: str) -> None:
    with fault(kit, f"sql-error --number 1205 --method SELECT --path */{dev}-export --times 2"):
        kit.run("plan", "-e", dev).succeeded()
    assert [line["status"] for line in kit.requests() if line.get("fault") and line["part"] == "sql"][-2:] == [
        1205,
        1205,
    ]


def test_a_wrong_client_secret_is_told_with_entras_own_words_and_without_the_secret(kit: Kit) -> None:
    kit.init("deadsecret")
    wrong = {"AZURE_CLIENT_SECRET": "not-the-secret-1234"}
    ended = kit.run("plan", "-e", "deadsecret", variables=wrong).failed(1)
    assert ended.err == ""
    assert "not-the-secret-1234" not in ended.text
    lines = [line.strip() for line in ended.out.splitlines()]
    assert any(line.startswith("the client secret is wrong: ") for line in lines)
    assert any(line.startswith("→ set AZURE_CLIENT_SECRET") for line in lines)
    assert f"{DOCS}entra/identity-platform/reference-error-codes" in lines
    [error] = told(kit.run("plan", "-e", "deadsecret", "--output", "json", variables=wrong).failed(1))
    assert error["link"] == f"{DOCS}entra/identity-platform/reference-error-codes"
    assert "AADSTS7000215" in error["original"]
