"""What happens when the connection breaks after a statement was sent and before its answer is there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlAddress
from setup_kit.sqlserver.sessions import SqlAdministrator, SqlSessions
from setup_kit.sqlserver.templates import Batch, render
from tests.sandbox.sqlserver.logical_server import (
    ADMINISTRATOR,
    ADMINISTRATOR_PASSWORD,
    DATABASE,
    PASSWORD,
    LogicalServer,
)


class Wire:
    """Passes bytes on between clients and the server; when armed it swallows the next answer and hangs up."""

    def __init__(self, server: SqlAddress) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._armed = threading.Event()
        self.swallowed = threading.Event()
        self.address = SqlAddress("127.0.0.1", self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow_the_next_answer(self) -> None:
        self.swallowed.clear()
        self._armed.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # which wakes who waits in accept()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection((self._server.host, self._server.port))
            threading.Thread(target=self._pass_on, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, True), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        try:
            while data := source.recv(65536):
                if answers and self._armed.is_set():
                    self._armed.clear()
                    self.swallowed.set()
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@pytest.fixture
def wire(server: LogicalServer) -> Iterator[Wire]:
    made = Wire(server.address)
    yield made
    made.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def sessions(server: LogicalServer, wire: Wire, said: list[str]) -> Iterator[SqlSessions]:
    made = SqlSessions(
        lambda: f"{wire.address.host},{wire.address.port}",
        SqlAdministrator(ADMINISTRATOR, lambda: Secret(ADMINISTRATOR_PASSWORD)),
        certificate=server.certificate,
        wait=lambda seconds: False,
        say=said.append,
    )
    yield made
    made.close()


def login_there(sessions: SqlSessions) -> bool:
    query = "SELECT name FROM sys.sql_logins WHERE name = ?"
    return bool(sessions.admin("master").rows(query, "dataexport", doing="look"))


def send(sessions: SqlSessions, wire: Wire, database: str, batch: Batch) -> None:
    """Sends a batch whose answer never arrives."""
    session = sessions.admin(database)
    wire.swallow_the_next_answer()
    session.run(batch, doing=batch.name)
    assert wire.swallowed.is_set()


def test_a_login_whose_creation_was_not_answered_counts_as_created(
    sessions: SqlSessions, wire: Wire, said: list[str]
) -> None:
    send(sessions, wire, "master", render("create_login", name="dataexport", password=PASSWORD))
    assert login_there(sessions)
    assert len(said) == 1
    assert PASSWORD.reveal() not in said[0]


def test_a_login_whose_drop_was_not_answered_counts_as_dropped(sessions: SqlSessions, wire: Wire) -> None:
    sessions.admin("master").run(render("create_login", name="dataexport", password=PASSWORD), doing="create it")
    send(sessions, wire, "master", render("drop_login", name="dataexport"))
    assert not login_there(sessions)


@pytest.mark.parametrize(
    "batch",
    [
        lambda: render("create_schema", schema="Crm"),
        lambda: render("create_contained_user", name="dataexport", password=PASSWORD, schema="dbo"),
        lambda: render("set_maxdop", maxdop=1),
    ],
    ids=["schema", "user", "option"],
)
def test_a_batch_that_was_not_answered_is_carried_through(
    sessions: SqlSessions, wire: Wire, batch: Callable[[], Batch]
) -> None:
    send(sessions, wire, DATABASE, batch())


def test_a_query_that_was_not_answered_is_asked_again(sessions: SqlSessions, wire: Wire, said: list[str]) -> None:
    session = sessions.admin(DATABASE)
    wire.swallow_the_next_answer()
    assert session.rows("SELECT DB_NAME()", doing="ask")[0][0] == DATABASE
    assert len(said) == 1
