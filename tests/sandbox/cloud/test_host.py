from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from setup_kit.sandbox import process
from setup_kit.sandbox.process import SandboxError
from setup_kit.sandbox.state import State

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox

    NewSandbox = Callable[..., Sandbox]
    As = Callable[[Sandbox], Azure]


@pytest.fixture
def administrator(azure: Azure) -> As:
    """The clients of a sandbox's administrator."""
    return lambda sandbox: type(azure)(sandbox, sandbox["client_id"], sandbox["client_secret"])


def run_command(directory: Path, port_base: str = "None") -> list[str]:
    program = (
        "import asyncio, sys; from pathlib import Path; from setup_kit.sandbox import host;"
        f"asyncio.run(host.run(Path(sys.argv[1]), {port_base}, 0.0, lambda: None))"
    )
    return [sys.executable, "-c", program, str(directory)]


def test_a_restart_answers_at_the_same_addresses_with_everything_kept(
    new_sandbox: NewSandbox, administrator: As
) -> None:
    first = new_sandbox()
    client = administrator(first)
    client.resources.resource_groups.create_or_update("group", {"location": "westeurope"})
    server = client.server("group", "contoso")
    uri = client.vault("group", "contoso", rbac=False)
    client.secrets(uri).set_secret("conn", "value")
    assert process.stop(first.directory)

    again = new_sandbox(first.directory)
    assert {**again.document, "pid": 0} == {**first.document, "pid": 0}
    assert client.sql.servers.get("group", "contoso").as_dict() == server.as_dict()
    assert client.secrets(uri).get_secret("conn").value == "value"


def test_the_directory_is_for_its_owner_only(sandbox: Sandbox) -> None:
    assert sandbox.directory.stat().st_mode & 0o777 == 0o700
    files = [path for path in sandbox.directory.rglob("*") if path.is_file()]
    assert files
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in files} == {path.name: "0o600" for path in files}


def test_no_key_of_the_authority_is_kept(sandbox: Sandbox) -> None:
    files = {path.name for path in (sandbox.directory / "tls").iterdir()}
    assert files == {"ca.pem", "server.pem", "server.key"}
    assert "PRIVATE" not in Path(sandbox["ca_file"]).read_text() + Path(sandbox["sql_certificate"]).read_text()


def test_a_stopped_sandbox_says_so_and_its_ports_are_free(new_sandbox: NewSandbox) -> None:
    started = new_sandbox()
    assert process.is_running(started.directory)
    assert process.read_document(started.directory)["pid"] == started["pid"]
    assert process.stop(started.directory)
    assert not process.is_running(started.directory)
    assert process.read_document(started.directory)["pid"] is None
    assert not process.stop(started.directory)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port_of(started["authority"]))) != 0


def test_two_sandboxes_in_one_directory_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="already running"):
        process.start_command(run_command(sandbox.directory), sandbox.directory)


def test_a_directory_of_another_version_is_refused(new_sandbox: NewSandbox) -> None:
    started = new_sandbox()
    process.stop(started.directory)
    state = State(started.directory / "state.db")
    state.delete("sandbox", "format")
    state.close()
    with pytest.raises(SandboxError, match="made by another version of setup-kit; take another directory"):
        process.start_command(run_command(started.directory), started.directory)


def test_a_second_process_is_refused_by_the_lock_itself(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    # As when two are started in the same moment: both find nobody running.
    monkeypatch.setattr(process, "is_running", lambda directory: False)
    with pytest.raises(SandboxError, match=r"ended with 1\nTraceback[\s\S]*a sandbox is already running in /"):
        process.start_command(run_command(sandbox.directory), sandbox.directory)
    assert requests.get(f"{sandbox['authority']}/x", verify=sandbox["ca_file"], timeout=30).status_code == 404


def test_a_killed_sandbox_leaves_no_lock(new_sandbox: NewSandbox) -> None:
    started = new_sandbox()
    os.kill(started["pid"], signal.SIGKILL)
    assert process._released(started.directory, 30)
    again = new_sandbox(started.directory)
    assert again["authority"] == started["authority"]
    assert again["pid"] != started["pid"]


def test_a_kept_port_that_another_has_taken_is_named(new_sandbox: NewSandbox) -> None:
    started = new_sandbox()
    process.stop(started.directory)
    port = port_of(started["graph"])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(SandboxError, match=f"port {port}, where this sandbox answers for graph, is in use"):
            process.start_command(run_command(started.directory), started.directory)
    assert not process.is_running(started.directory)


def test_a_port_base_numbers_the_ports(tmp_path: Path) -> None:
    base = free_range(8)
    document = process.start_command(run_command(tmp_path, str(base)), tmp_path)
    try:
        parts = ("authority", "resource_manager", "graph", "discovery")
        ports = sorted([port_of(document[part]) for part in parts] + [port_of(document["organization"]["url"])])
        assert ports == list(range(base, base + 5))
    finally:
        process.stop(tmp_path)
    with pytest.raises(SandboxError, match=f"already has its ports .from {base} on."):
        process.start_command(run_command(tmp_path, str(base + 100)), tmp_path)


def test_a_start_that_fails_shows_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('so it is', file=sys.stderr); sys.exit(3)"]
    with pytest.raises(SandboxError, match=r"ended with 3\nso it is"):
        process.start_command(command, tmp_path)


def test_an_empty_directory_has_no_document(tmp_path: Path) -> None:
    assert not process.is_running(tmp_path)
    with pytest.raises(SandboxError, match=r"sandbox\.json is missing"):
        process.read_document(tmp_path)


def test_operations_take_their_share_of_the_clouds_time(new_sandbox: NewSandbox, administrator: As) -> None:
    slow = new_sandbox(latency=0.01)
    client = administrator(slow)
    client.resources.resource_groups.create_or_update("group", {"location": "westeurope"})
    started = time.monotonic()
    poller = client.sql.servers.begin_create_or_update(
        "group",
        "contoso",
        {
            "location": "westeurope",
            "properties": {"administratorLogin": "boss", "administratorLoginPassword": "Very-Secret-1"},
        },
    )
    with pytest.raises(ResourceNotFoundError):
        client.sql.servers.get("group", "contoso")
    again = client.arm(
        "PUT",
        "/resourceGroups/group/providers/Microsoft.Sql/servers/contoso",
        {"location": "westeurope"},
        version="2025-01-01",
    )
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ConflictingServerOperation")
    assert poller.status() == "InProgress"
    poller.result()
    assert 0.75 <= time.monotonic() - started < 5


def test_a_secret_that_is_being_deleted_blocks_its_name(new_sandbox: NewSandbox, administrator: As) -> None:
    client = administrator(new_sandbox(latency=0.01))
    client.resources.resource_groups.create_or_update("group", {"location": "westeurope"})
    secrets = client.secrets(client.vault("group", "contoso", rbac=False))
    secrets.set_secret("conn", "value")
    deletion = secrets.begin_delete_secret("conn")
    with pytest.raises(ResourceExistsError, match="is currently being deleted"):
        secrets.set_secret("conn", "again")
    deletion.wait()
    with pytest.raises(ResourceExistsError, match="deleted but recoverable"):
        secrets.set_secret("conn", "again")


def test_an_operation_goes_on_after_a_restart(new_sandbox: NewSandbox, administrator: As) -> None:
    slow = new_sandbox(latency=0.02)
    client = administrator(slow)
    client.resources.resource_groups.create_or_update("group", {"location": "westeurope"})
    body: Any = {
        "location": "westeurope",
        "properties": {"administratorLogin": "boss", "administratorLoginPassword": "Very-Secret-1"},
    }
    poller = client.sql.servers.begin_create_or_update("group", "contoso", body, polling=False)
    del poller
    process.stop(slow.directory)
    assert "Very-Secret-1" not in str(slow.state.list("operations"))
    new_sandbox(slow.directory, latency=0.02)
    ((operation, _),) = slow.state.list("operations")
    path = f"/providers/Microsoft.Sql/locations/westeurope/serverAzureAsyncOperation/{operation}"

    def status() -> str:
        return str(client.arm("GET", path, version="2025-01-01").json()["status"])

    ends = time.monotonic() + 10
    while status() == "InProgress" and time.monotonic() < ends:
        pass  # the answer itself takes its share of the cloud's time
    assert client.sql.servers.get("group", "contoso").name == "contoso"


def test_the_log_says_what_happened_and_holds_no_secret(new_sandbox: NewSandbox) -> None:
    started = new_sandbox()
    process.stop(started.directory)
    log = (started.directory / "sandbox.log").read_text()
    assert "ready in process" in log
    assert "stopping" in log
    assert "Traceback" not in log
    for _, application in started.state.list("applications"):
        assert application["secret"] not in log


def test_the_document_is_whole_and_names_no_other_secret(sandbox: Sandbox) -> None:
    document = json.loads((sandbox.directory / "sandbox.json").read_text())
    assert document == sandbox.document
    assert {key for key in document if "secret" in key} == {"client_secret"}
    service = sandbox.state.get("applications", "b861dbcc-a7ef-4219-a005-0e4de4ea7dcf")
    assert service is not None
    assert service["secret"] not in str(document)


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def free_range(length: int) -> int:
    """A port from which on so many are free."""
    for base in range(20000 + os.getpid() % 5000, 60000, length):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + length):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise AssertionError("no free ports")
