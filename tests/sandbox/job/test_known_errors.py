"""What people are told of errors that the services raise: what, why, what to do, a page, and the own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema

from setup_kit.report.schemas import SCHEMAS

if TYPE_CHECKING:
    from tests.sandbox.job.harness import Finished, Kit

DOCS = "https://learn.microsoft.com/"


def told(finished: Finished) -> dict[str, Any]:
    """The error that a command ended with, as its document has it."""
    document = finished.json
    if "error" in document:
        jsonschema.validate(document, SCHEMAS["error"])
        error: dict[str, Any] = document["error"]
        return error
    found: dict[str, Any] = document["failures"][0]
    return found


def test_a_wrong_client_secret_is_told_with_what_to_do_a_page_and_entras_own_words(kit: Kit) -> None:
    kit.init("wrongsecret")
    wrong = {"AZURE_CLIENT_SECRET": "not-the-secret-1234"}
    ended = kit.run("plan", "-e", "wrongsecret", variables=wrong).failed(1)
    assert ended.err == ""
    shown = ended.text
    lines = [line.strip() for line in shown.splitlines()]
    assert any(line.startswith("the client secret is wrong: ") for line in lines)
    assert any(line.startswith("→ set AZURE_CLIENT_SECRET") for line in lines)
    assert f"{DOCS}entra/identity-platform/reference-error-codes" in lines
    assert "AADSTS7000215" in shown
    assert "not-the-secret-1234" not in shown

    error = told(kit.run("plan", "-e", "wrongsecret", "--output", "json", variables=wrong).failed(1))
    assert error["link"] == f"{DOCS}entra/identity-platform/reference-error-codes"
    assert "AADSTS7000215" in error["original"]
