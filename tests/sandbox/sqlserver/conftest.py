"""A logical server for each test, and the kit's sessions and resources on it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from setup_kit.sandbox.certificates import Certificates, prepare
from setup_kit.secret import Secret
from setup_kit.sqlserver.sessions import EntraAdministrator, SqlAdministrator, SqlSessions
from tests.sandbox.sqlserver.logical_server import (
    ADMINISTRATOR,
    ADMINISTRATOR_PASSWORD,
    PASSWORD,
    Kit,
    LogicalServer,
    environment,
)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return prepare(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(tmp_path: Path, certificates: Certificates, unused_port: int) -> Iterator[LogicalServer]:
    running = LogicalServer(tmp_path, certificates, unused_port)
    yield running
    running.close()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def new_sessions(server: LogicalServer) -> Iterator[Callable[[], SqlSessions]]:
    """Sessions of the SQL administrator, all closed at the end, also those that a resource has opened again since."""
    made: list[SqlSessions] = []

    def make() -> SqlSessions:
        made.append(
            SqlSessions(
                lambda: f"{server.address.host},{server.address.port}",
                SqlAdministrator(ADMINISTRATOR, lambda: Secret(ADMINISTRATOR_PASSWORD)),
                certificate=server.certificate,
            )
        )
        return made[-1]

    yield make
    for sessions in made:
        sessions.close()


@pytest.fixture
def sessions(new_sessions: Callable[[], SqlSessions]) -> SqlSessions:
    return new_sessions()


@pytest.fixture
def entra_sessions(server: LogicalServer) -> Iterator[Callable[[str], SqlSessions]]:
    """Sessions of a member of the server's Entra administrators, with the token given."""
    made: list[SqlSessions] = []

    def make(token: str) -> SqlSessions:
        made.append(
            SqlSessions(
                lambda: f"{server.address.host},{server.address.port}",
                EntraAdministrator("SQL Administrators", lambda: Secret(token)),
                certificate=server.certificate,
            )
        )
        return made[-1]

    yield make
    for sessions in made:
        sessions.close()


@pytest.fixture
def kit(server: LogicalServer, new_sessions: Callable[[], SqlSessions]) -> Callable[..., Kit]:
    def make(password: Secret = PASSWORD, **wanted: Any) -> Kit:
        return Kit(server, environment(**wanted), new_sessions, password)

    return make
