"""A SQL endpoint on real sockets, and Microsoft's driver to talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import ssl
import struct
import threading
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import mssql_python_odbc  # type: ignore[import-untyped]
import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytest
import trustme

from setup_kit.sandbox.sql import RequestLog, SqlEndpoint

T = TypeVar("T")
ADMINISTRATOR, PASSWORD = "sqladmin", "Correct-Horse-9"
EXPORT_PASSWORD = "Export-Pass-123"
AZURE_ADDRESS = "40.68.252.224"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


def driver() -> str:
    root = Path(mssql_python_odbc.__file__).parent
    return str(next(root.glob("libs/linux/debian_ubuntu/*/lib/libmsodbcsql-18*")))


@dataclass(frozen=True)
class Rule:
    name: str
    start: str
    end: str


@dataclass(frozen=True)
class Person:
    object_id: str
    app_id: str
    tenant_id: str
    name: str
    groups: frozenset[str] = frozenset()


class Refused(Exception):  # noqa: N818 - as the sandbox calls it
    code = "InvalidAuthenticationToken"


@dataclass
class Policy:
    """What Resource Manager would hold of the server; tests change it."""

    name: str
    rules: list[Rule] = field(default_factory=lambda: [Rule("me", "127.0.0.1", "127.0.0.1")])
    administrator: str | None = None
    only_entra: bool = False
    paused: set[str] = field(default_factory=set)

    def firewall_rules(self) -> Sequence[Rule]:
        return list(self.rules)

    def set_firewall_rule(self, name: str, start: str, end: str) -> None:
        self.delete_firewall_rule(name)
        self.rules.append(Rule(name, start, end))

    def delete_firewall_rule(self, name: str) -> None:
        self.rules = [rule for rule in self.rules if rule.name != name]

    def check_administrator(self, login: str, password: str) -> bool:
        return (login, password) == (ADMINISTRATOR, PASSWORD)

    def entra_administrator(self) -> str | None:
        return self.administrator

    def entra_only(self) -> bool:
        return self.only_entra

    def online(self, database: str) -> bool:
        return database not in self.paused


class Log:
    """Keeps the lines of the request log in memory."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str, int, str]] = []

    def add(
        self, part: str, method: str, path: str, status: int, milliseconds: float, caller: str, fault: str = ""
    ) -> None:
        assert milliseconds >= 0
        self.lines.append((part, method, path, status, caller))


class NoLatency:
    def seconds(self, operation: str) -> float:
        return 0.0


class Host:
    """An event loop on a thread of its own, with an endpoint on it."""

    def __init__(
        self, directory: Path, authority: trustme.CA, folder: Path, log: RequestLog | None = None, *,
        name: str = "localhost", tls: ssl.TLSVersion | None = None,
    ) -> None:  # fmt: skip
        """`name` is the certificate's, besides 127.0.0.1 for the usual one; `tls` the only version spoken."""
        self.directory = directory
        self.folder = folder
        self.people: dict[str, Person] = {}
        self.log = Log()
        addresses = ("127.0.0.1",) if name == "localhost" else ()
        certificate = authority.issue_cert(*addresses, name, common_name=name)
        self.certificate = folder / "sql.pem"
        certificate.cert_chain_pems[0].write_to_path(str(self.certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        if tls:
            context.minimum_version = context.maximum_version = tls
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.endpoint = SqlEndpoint(directory, context, self._check, log or self.log, NoLatency(), AZURE_ADDRESS)

    def _check(self, token: str) -> Person:
        if token not in self.people:
            raise Refused("the token is not good here")
        return self.people[token]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def serve(self, policy: Policy) -> Server:
        self.run(self.endpoint.start_server(policy, 0))
        return Server(self, policy, self.endpoint.port(policy.name))

    def close(self) -> None:
        self.run(self.endpoint.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@dataclass
class Server:
    """One logical server, as a client sees it."""

    host: Host
    policy: Policy
    port: int
    names: Iterator[int] = field(default_factory=itertools.count)

    def connection_string(self, database: str, user: str = "", password: str = "", extra: str = "") -> str:
        credentials = f"UID={{{user}}};PWD={{{password.replace('}', '}}')}}};" if user else ""
        return (
            f"Driver={driver()};Server=tcp:127.0.0.1,{self.port};Encrypt=strict;"
            f"ServerCertificate={self.host.certificate};Database={{{database.replace('}', '}}')}}};{credentials}{extra}"
        )

    def connect(
        self, database: str = "master", user: str = ADMINISTRATOR, password: str = PASSWORD, *, extra: str = "",
        autocommit: bool = True, token: str = "", seconds: int = 20,
    ) -> pyodbc.Connection:  # fmt: skip
        """A connection; with `token` one that signs in by access token (attribute 1256)."""
        attributes: dict[int, bytes] = {}
        if token:
            user = password = ""
            raw = token.encode("utf-16-le")
            attributes[1256] = struct.pack("<I", len(raw)) + raw
        text = self.connection_string(database, user, password, extra)
        return pyodbc.connect(text, autocommit=autocommit, timeout=seconds, attrs_before=attributes)

    def database(self, name: str = "") -> str:
        """A new database; its name."""
        name = name or f"data{next(self.names)}"
        self.host.endpoint.create_database(self.policy.name, name)
        return name

    def user(self, database: str, name: str = "exporter", password: str = EXPORT_PASSWORD) -> tuple[str, str]:
        """A contained user with no permission but CONNECT; name and password."""
        with closing(self.connect(database)) as connection:
            connection.execute(f"CREATE USER [{name.replace(']', ']]')}] WITH PASSWORD = N'{password}'")
        return name, password


closing = contextlib.closing


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Host]:
    host = Host(tmp_path_factory.mktemp("data"), authority, tmp_path_factory.mktemp("tls"))
    yield host
    host.close()


@pytest.fixture(scope="module")
def server(host: Host) -> Server:
    """A server with an administrator, open to 127.0.0.1, shared by the tests of a module."""
    return host.serve(Policy("shared"))


@pytest.fixture
def database(server: Server) -> str:
    return server.database()


@pytest.fixture
def connection(server: Server, database: str) -> Iterator[pyodbc.Connection]:
    """The administrator's connection to a new database."""
    with closing(server.connect(database)) as connection:
        yield connection


def number(error: pyodbc.Error) -> int:
    """SQL Server's number of an error that pyodbc raised."""
    text = str(error.args[1])
    return int(text[text.rindex("(", 0, text.rindex("(")) + 1 :].partition(")")[0])
