"""A Resource Manager that is busy: throttled calls and operations in progress are ridden out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from setup_kit.azure.clients import AzureClients
from setup_kit.azure.errors import AzureRefusal
from setup_kit.sandbox.certificates import prepare
from tests.sandbox.azure.conftest import cloud_of, identity_of
from tests.sandbox.conftest import Sandbox

TENANT = "11111111-1111-1111-1111-111111111111"
VAULT = {
    "tenantId": TENANT,
    "sku": {"family": "A", "name": "standard"},
    "vaultUri": "https://kv.vault.azure.net/",
    "provisioningState": "Succeeded",
    "enableRbacAuthorization": True,
}
GROUP = {"id": "/subscriptions/s/resourceGroups/rg", "name": "rg", "location": "westeurope", "tags": {}}


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # after so many bytes of its body the connection ends; with 0 nothing is answered at all


def refused(status: int, code: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"code": code, "message": code}}, named)


@dataclass
class Manager:
    """Answers in turn what it is told to, whatever it is asked."""

    clients: AzureClients
    answers: list[Answer]
    asked: list[str]


@pytest.fixture
def manager(sandbox: Sandbox, tmp_path: Path) -> Iterator[Manager]:
    answers: list[Answer] = []
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append(self.command)
            answer = answers.pop(0)
            data = json.dumps(answer.body).encode()
            if answer.cut is not None:
                self.close_connection = True
            if answer.cut == 0:
                return
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: answer.cut])

        do_GET: Callable[[], None]  # noqa: N815 - the names that http.server looks for
        do_GET = do_PUT = do_POST = do_DELETE = answer  # type: ignore[assignment] # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in http.server
            return None

    tls = prepare(tmp_path / "tls")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = tls.context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    # Tokens come from the sandbox; only Resource Manager is this one.
    identity = identity_of(sandbox)
    address = f"https://127.0.0.1:{server.server_address[1]}"
    cloud = replace(cloud_of(sandbox), resource_manager=address, ca_file=tls.authority)
    clients = AzureClients(identity, cloud, sandbox["subscription_id"], wait=lambda seconds: False)
    yield Manager(clients, answers, asked)
    clients.close()
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_throttled_call_is_repeated_after_the_time_it_names(manager: Manager) -> None:
    throttled = refused(429, "SubscriptionRequestsThrottled", Retry_After="0.01")
    manager.answers += [throttled, throttled, Answer(200, GROUP)]
    group = manager.clients.resource_groups.get("rg")
    assert group is not None
    assert manager.asked == ["GET", "GET", "GET"]


def test_a_gateway_that_times_out_is_asked_again(manager: Manager) -> None:
    manager.answers += [refused(504, "GatewayTimeout", Retry_After="0.01"), Answer(200, GROUP)]
    assert manager.clients.resource_groups.get("rg") is not None


def test_another_operation_in_progress_is_waited_out(manager: Manager) -> None:
    busy = refused(409, "AnotherOperationInProgress")
    manager.answers += [busy, busy, Answer(200, GROUP)]
    assert manager.clients.resource_groups.put("rg", "westeurope", {}).name == "rg"
    assert manager.asked == ["PUT", "PUT", "PUT"]


def test_a_question_whose_answer_is_lost_is_asked_again_though_it_is_a_post(manager: Manager) -> None:
    manager.answers += [Answer(200, {}, cut=0), Answer(200, {"nameAvailable": True})]
    assert manager.clients.key_vaults.unavailable("kv-contoso") is None
    assert manager.asked == ["POST", "POST"]


def test_a_write_whose_answer_breaks_off_is_sent_again(manager: Manager) -> None:
    made = {"id": "/v", "name": "kv", "location": "westeurope", "properties": VAULT}
    manager.answers += [Answer(200, made, cut=20), Answer(200, made)]
    vault = manager.clients.key_vaults.create("rg", "kv", location="westeurope", tenant_id=TENANT, rbac=True, tags={})
    assert vault.name == "kv"
    assert manager.asked == ["PUT", "PUT"]


def test_reading_never_registers_a_resource_provider(manager: Manager) -> None:
    message = "The subscription is not registered to use namespace 'Microsoft.Sql'."
    manager.answers.append(Answer(409, {"error": {"code": "MissingSubscriptionRegistration", "message": message}}))
    with pytest.raises(AzureRefusal) as caught:
        manager.clients.sql_servers.get("rg", "server")
    assert caught.value.code == "MissingSubscriptionRegistration"
    assert manager.asked == ["GET"]


def test_what_was_deleted_by_somebody_else_is_no_error(manager: Manager) -> None:
    manager.answers.append(refused(404, "ResourceNotFound"))
    manager.clients.firewall_rules.delete("rg", "server", "rule")
    assert manager.asked == ["DELETE"]
