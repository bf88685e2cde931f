"""Signing in, and what is said when it is refused."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.errors import KitError
from setup_kit.identity import Identity
from tests.sandbox.azure.conftest import clients_of, cloud_of, identity_of
from tests.sandbox.conftest import Sandbox


def test_the_caller_is_read_from_the_token(sandbox: Sandbox) -> None:
    caller = identity_of(sandbox).caller()
    assert (caller.object_id, caller.tenant_id) == (sandbox["object_id"], sandbox["tenant_id"])
    assert caller.kind == "ServicePrincipal"
    assert sandbox["sql_administrators"]["object_id"] in caller.groups
    assert "administrator" in caller.name


def token_requests(sandbox: Sandbox) -> int:
    lines = Path(sandbox.directory, "requests.jsonl").read_text(encoding="utf-8").splitlines()
    entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return len([entry for entry in entries if entry["path"].endswith("/token")])


def test_a_token_is_fetched_once_for_an_audience(sandbox: Sandbox) -> None:
    identity = identity_of(sandbox)
    before = token_requests(sandbox)
    first = identity.token(sandbox["sql_audience"])
    assert identity.token(sandbox["sql_audience"]) == first
    assert token_requests(sandbox) == before + 1
    assert identity.token(sandbox["vault_audience"]) != first


def test_a_token_that_was_begun_is_fetched_once(sandbox: Sandbox) -> None:
    identity = identity_of(sandbox)
    before = token_requests(sandbox)
    identity.prepare(sandbox["sql_audience"])
    identity.prepare(sandbox["sql_audience"])
    assert identity.token(sandbox["sql_audience"]) == identity.token(sandbox["sql_audience"])
    assert token_requests(sandbox) == before + 1


def test_a_sign_in_that_was_begun_and_refused_is_told_to_whoever_asks_and_then_tried_again(sandbox: Sandbox) -> None:
    identity = identity_of(sandbox, client_secret="wrong")
    before = token_requests(sandbox)
    identity.prepare(sandbox["sql_audience"])
    for sent in (1, 2):
        with pytest.raises(KitError) as refused:
            identity.token(sandbox["sql_audience"])
        assert refused.value.why.startswith("the client secret is wrong")
        assert token_requests(sandbox) == before + sent


def test_tokens_do_not_show_when_printed(sandbox: Sandbox) -> None:
    assert str(identity_of(sandbox).token(sandbox["sql_audience"])) == "***"


def test_a_wrong_client_secret_is_explained_and_not_repeated(sandbox: Sandbox) -> None:
    identity = identity_of(sandbox, client_secret="not-the-secret-1234")
    with pytest.raises(KitError) as refused:
        identity.caller()
    assert refused.value.why.startswith("the client secret is wrong")
    assert "AZURE_CLIENT_SECRET" in refused.value.remedy
    assert "AADSTS7000215" in refused.value.original
    assert "not-the-secret-1234" not in "".join(map(str, refused.value.__dict__.values()))


def test_a_refused_sign_in_reaches_the_caller_of_any_client(sandbox: Sandbox) -> None:
    clients = clients_of(sandbox, identity_of(sandbox, client_secret="wrong"))
    with pytest.raises(KitError) as refused:
        clients.resource_groups.get("any")
    assert refused.value.why.startswith("the client secret is wrong")
    clients.close()


def test_an_unknown_application_is_explained(sandbox: Sandbox) -> None:
    identity = identity_of(sandbox, "12345678-0000-0000-0000-000000000000", "secret")
    with pytest.raises(KitError) as refused:
        identity.caller()
    assert "AZURE_CLIENT_ID" in refused.value.remedy


def test_an_unknown_tenant_is_explained(sandbox: Sandbox) -> None:
    variables = {"AZURE_CLIENT_ID": sandbox["client_id"], "AZURE_CLIENT_SECRET": sandbox["client_secret"]}
    identity = Identity(cloud_of(sandbox), "12345678-0000-0000-0000-000000000000", variables)
    with pytest.raises(KitError) as refused:
        identity.caller()
    assert "'tenant'" in refused.value.remedy


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_an_authority_that_does_not_answer_is_named(sandbox: Sandbox) -> None:
    address = f"https://127.0.0.1:{free_port()}"
    cloud = replace(cloud_of(sandbox), authority=address)
    variables = {"AZURE_CLIENT_ID": sandbox["client_id"], "AZURE_CLIENT_SECRET": "x"}
    with pytest.raises(KitError) as refused:
        Identity(cloud, sandbox["tenant_id"], variables).caller()
    assert address in refused.value.what
    assert refused.value.why.startswith("the authority does not answer")


def test_a_resource_manager_that_does_not_answer_is_explained(sandbox: Sandbox) -> None:
    cloud = replace(cloud_of(sandbox), resource_manager=f"https://127.0.0.1:{free_port()}")
    clients = AzureClients(identity_of(sandbox), cloud, sandbox["subscription_id"])
    with pytest.raises(AzureRefusal) as refused:
        clients.resource_groups.get("any")
    assert refused.value.unreached
    assert "check the network" in refused.value.remedy
    clients.close()


def test_a_certificate_that_is_not_trusted_is_refused(sandbox: Sandbox) -> None:
    cloud = replace(cloud_of(sandbox), ca_file=None)
    clients = AzureClients(identity_of(sandbox), cloud, sandbox["subscription_id"])
    with pytest.raises(AzureRefusal) as refused:
        clients.resource_groups.get("any")
    assert "certificate is not trusted" in refused.value.why
    clients.close()


def test_another_subscription_is_explained(sandbox: Sandbox) -> None:
    clients = AzureClients(identity_of(sandbox), cloud_of(sandbox), "12345678-0000-0000-0000-000000000000")
    with pytest.raises(AzureRefusal) as refused:
        clients.resource_groups.get("any")
    assert "'subscription'" in refused.value.remedy
    clients.close()
