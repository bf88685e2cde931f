"""What is told of every known error: the functions that meet it fill in all that its entry wants, from real texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from setup_kit import known_errors
from setup_kit.azure.errors import refusal
from setup_kit.clouds import CLOUDS
from setup_kit.errors import KitError
from setup_kit.export_service import client, organization
from setup_kit.export_service.wire import Answer
from setup_kit.identity import sign_in_error
from setup_kit.known_errors import KnownError, Meaning
from setup_kit.sqlserver.connection import SqlError
from setup_kit.sqlserver.errors import kit_error

TENANT = "11111111-1111-1111-1111-111111111111"
GROUP = "https://management.azure.com/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg"
SERVER = f"{GROUP}/providers/Microsoft.Sql/servers/contoso?t=1&s=signed"
SECRET = "https://kv-contoso.vault.azure.net/secrets/export?api-version=7.6"
NOT_ALLOWED = (
    "The client 'app' with object id '33333333-3333-3333-3333-333333333333' does not have authorization to perform"
    " action 'Microsoft.Sql/servers/write' over scope '/subscriptions/2/resourceGroups/rg' or the scope is invalid."
)
POLICY = (
    'Resource \'contoso\' was disallowed by policy. Policy identifiers: \'[{"policyAssignment":{"name":"Allowed'
    ' locations","id":"/subscriptions/2/providers/Microsoft.Authorization/policyAssignments/1"}}]\'.'
)
NO_ROLE = (
    "Caller is not authorized to perform action on resource.\r\nCaller: appid=1;oid=3;iss=https://sts.windows.net/1/"
    "\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nVault: kv-contoso;location=westeurope"
)


@dataclass(frozen=True)
class Sample:
    """What was asked, and what a service said."""

    text: str
    url: str = ""
    method: str = "PUT"


AZURE = (
    Sample(NOT_ALLOWED, f"{SERVER[: -len('?t=1&s=signed')]}/providers/Microsoft.Authorization/roleAssignments/4"),
    Sample(NOT_ALLOWED, SERVER),
    Sample(NO_ROLE, SECRET, "GET"),
    Sample(
        "Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7",
        SECRET,
    ),
    Sample(
        'Operation "purge" is not allowed because purge protection is enabled for this vault.', f"{GROUP}/vaults/kv"
    ),
    Sample("AKV10032: Invalid issuer. Expected one of https://sts.windows.net/1/, found https://sts.windows.net/2/."),
    Sample(POLICY, SERVER),
    Sample("The subscription is not registered to use namespace 'Microsoft.Sql'.", SERVER),
    Sample(
        "The scope cannot perform write operation because following scope(s) are locked: '/subscriptions/2'.", SERVER
    ),
    Sample("Operation could not be completed as it results in exceeding approved Total Regional Cores quota.", SERVER),
    Sample("No.", SERVER),
    Sample("No.", SECRET),
)
SQL = (
    Sample("The INSERT permission was denied on the object 'crm_account', database 'crm', schema 'dbo'."),
    Sample("CREATE TABLE permission denied in database 'crm'."),
    Sample("Invalid object name 'dbo.crm_account'."),
    Sample("Login failed for user 'x'. Reason: Azure Active Directory only authentication is enabled."),
    Sample("Login failed for user '<token-identified principal>'."),
    Sample("Login failed for user 'NT AUTHORITY\\ANONYMOUS LOGON'."),
    Sample("Cannot open server 's' requested by the login. Client with IP address '203.0.113.7' is not allowed."),
    Sample("SSL Provider: [error:0A000086:SSL routines::certificate verify failed]"),
    Sample("Login timeout expired"),
    Sample("No."),
)
ENTRA = (
    Sample("Application with identifier '44444444-4444-4444-4444-444444444444' was not found in the directory 'c'."),
    Sample("No."),
)
DATAVERSE = (Sample("Principal user (Id=1, type=8) is missing prvReadAccount privilege on OTC=1."), Sample("No."))


def asked(code: str, status: int, sample: Sample) -> KitError:
    body = {"error": {"code": code, "message": sample.text}} if code else {"Message": sample.text}
    response: Any = SimpleNamespace(
        status_code=status,
        reason="Because",
        request=SimpleNamespace(method=sample.method, url=sample.url),
        text=lambda encoding=None: json.dumps(body),
        json=lambda: body,
    )
    return refusal(HttpResponseError(response=response), "It failed")


def answer(status: int, body: Any) -> Answer:
    return Answer(status, {}, json.dumps(body).encode(), "https://host/path")


def of_service(code: str, sample: Sample) -> KitError:
    if code.isdecimal() or code == known_errors.OTHER:
        return client._refused("POST", "profiles", answer(status(code), {"Message": sample.text}))
    details = [{"Code": code, "Target": "x", "Message": sample.text}]
    return client._refused("POST", "profiles", answer(400, {"Message": sample.text, "Details": details}))


def of_organization(code: str, sample: Sample) -> KitError:
    word = code if code.startswith("0x") else ""
    body = {"error": {"code": word, "message": sample.text}}
    return organization._refused(
        "https://contoso.crm4.dynamics.com", "read", answer(400 if word else status(code), body)
    )


def status(code: str) -> int:
    return 418 if code == known_errors.OTHER else int(code)


TELLERS: dict[str, tuple[Callable[[str, Sample], KitError], Iterable[Sample]]] = {
    "aadsts": (
        lambda code, sample: sign_in_error(
            ClientAuthenticationError(f"AADSTS{'1' if code == '*' else code}: {sample.text}"), CLOUDS["public"], TENANT
        ),
        ENTRA,
    ),
    "azure": (lambda code, sample: asked("Invented" if code == "*" else code, 400, sample), AZURE),
    "http": (lambda code, sample: asked("", status(code), sample), AZURE),
    "sql": (lambda code, sample: kit_error(SqlError(99999 if code == "*" else int(code), "", sample.text), "x"), SQL),
    "odbc": (lambda code, sample: kit_error(SqlError(0, code, sample.text), "x"), SQL),
    "organization": (of_organization, DATAVERSE),
    "service": (of_service, [Sample("No.")]),
}
CASES = [
    pytest.param(section, error, code, id=f"{section}-{number}-{code}")
    for section, known in known_errors.sections().items()
    if section in TELLERS
    for number, error in enumerate(known.errors)
    for code in error.codes
    if (section, code) != ("odbc", "*")  # of an unknown state SQL Server's section speaks
]


def whole(told: KitError, error: KnownError) -> bool:
    """Whether this entry was told, with nothing of it left for the reader to fill in."""
    head = Meaning(error).filled(error.what).partition("<")[0]
    said = f"{told.why} {told.remedy} {told.link}"
    return told.why.startswith(head) and not any(f"<{name}>" in said for name in error.placeholders)


@pytest.mark.parametrize(("section", "error", "code"), CASES)
def test_every_known_error_is_told_whole_by_whoever_meets_it(section: str, error: KnownError, code: str) -> None:
    tell, samples = TELLERS[section]
    told = [tell(code, sample) for sample in samples]
    fitting = [each for each in told if whole(each, error) and (not error.link or each.link)]
    assert fitting, [f"{each.why} {each.remedy}" for each in told]
    for sample, each in zip(samples, told, strict=True):
        assert sample.text in each.original


@pytest.mark.parametrize("section", TELLERS)
def test_an_unknown_error_passes_through_with_its_code_and_its_whole_text(section: str) -> None:
    tell, _ = TELLERS[section]
    text = (
        "Nobody has seen this {yet}: it says <all> that there is to say, in one sentence and in another.\nAnd a line."
    )
    told = tell("*", Sample(text, SERVER))
    assert text in told.original
    assert told.why
    assert told.remedy
    code = {"aadsts": "AADSTS1", "azure": "Invented", "sql": "99999", "organization": "418", "service": "418"}
    assert code.get(section, "") in told.original
