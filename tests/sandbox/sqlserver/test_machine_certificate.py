"""What a SQL Server shows before anybody signs in, and which certificates are refused: over real TLS in TDS."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest
import trustme

from setup_kit.clouds import CLOUDS, Cloud
from setup_kit.environment.models import Machine
from setup_kit.errors import KitError
from setup_kit.resources.sql_machine import looked_at, version_of
from setup_kit.sandbox.sql import SqlEndpoint
from setup_kit.sandbox.sql_machine import SqlMachine
from setup_kit.sandbox.state import State
from tests.sandbox.sql.conftest import AZURE_ADDRESS, Log, NoLatency

Serve = Callable[[trustme.LeafCert], Machine]


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def cloud(authority: trustme.CA, tmp_path: Path) -> Cloud:
    """One that trusts the authority, and nobody else."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return Cloud(**{**vars(CLOUDS["public"]), "ca_file": tmp_path / "ca.pem"})


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a SQL Server on a machine that shows a certificate."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    endpoints: list[SqlEndpoint] = []
    state = State(tmp_path / "state.db")

    def serve(certificate: trustme.LeafCert) -> Machine:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        folder = tmp_path / f"sql-{len(endpoints)}"
        endpoints.append(SqlEndpoint(folder, context, _nobody, Log(), NoLatency(), AZURE_ADDRESS))
        policy = SqlMachine(state)
        asyncio.run_coroutine_threadsafe(endpoints[-1].start_server(policy, 0), loop).result(30)
        return Machine(host="127.0.0.1", port=endpoints[-1].port(policy.name))

    yield serve
    for endpoint in endpoints:
        asyncio.run_coroutine_threadsafe(endpoint.close(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
    state.close()


def _nobody(token: str) -> NoReturn:
    raise AssertionError(f"nobody signs in with a token: {token}")


def refusal(machine: Machine, cloud: Cloud) -> KitError:
    with pytest.raises(KitError) as caught:
        looked_at(machine, cloud)
    return caught.value


def test_a_certificate_for_the_host_from_a_trusted_authority_is_good(
    serve: Serve, authority: trustme.CA, cloud: Cloud
) -> None:
    seen = looked_at(serve(authority.issue_cert("127.0.0.1", "sql01.contoso.com")), cloud)
    assert version_of(seen) == "SQL Server 2022 (16.0.1000)"
    assert seen.tls == "TLSv1.2"
    assert seen.expires > datetime.datetime.now(datetime.UTC)


def test_a_certificate_for_another_host_is_refused_and_says_for_which(
    serve: Serve, authority: trustme.CA, cloud: Cloud
) -> None:
    error = refusal(serve(authority.issue_cert("sql02.contoso.com")), cloud)
    assert "it is for sql02.contoso.com" in error.why
    assert "names 127.0.0.1 as its subject or a subject alternative name" in error.remedy
    assert "SQL Server Configuration Manager" in error.remedy


def test_a_certificate_from_nobody_known_is_refused(serve: Serve, cloud: Cloud) -> None:
    error = refusal(serve(trustme.CA().issue_cert("127.0.0.1")), cloud)
    assert "unable to get local issuer certificate" in error.why
    assert "an authority that the export service trusts as well as this machine" in error.remedy


def test_a_certificate_that_has_ended_is_refused(serve: Serve, authority: trustme.CA, cloud: Cloud) -> None:
    ended = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    error = refusal(serve(authority.issue_cert("127.0.0.1", not_after=ended)), cloud)
    assert "expired" in error.why


@pytest.mark.timeout(30)
def test_an_answer_without_an_end_is_not_listened_to_for_ever(cloud: Cloud) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def go_on() -> None:
            connection, _ = listener.accept()
            packet = bytes([0x04, 0x00]) + (4096).to_bytes(2) + bytes(4092)
            with connection, contextlib.suppress(OSError):
                while True:
                    connection.sendall(packet)

        thread = threading.Thread(target=go_on)
        thread.start()
        error = refusal(Machine(host="127.0.0.1", port=listener.getsockname()[1]), cloud)
        thread.join(10)
        assert not thread.is_alive()
    assert "its answer has no end" in error.why


def test_what_is_no_sql_server_is_told_as_such(cloud: Cloud) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        error = refusal(Machine(host="127.0.0.1", port=port), cloud)
        thread.join(10)
    assert "no message of SQL Server" in error.why
    nothing = refusal(Machine(host="127.0.0.1", port=port), cloud)
    assert "is not reached from here" in nothing.why
    assert "network security group" in nothing.remedy
