"""A logical server with a firewall and an administrator, the kit's sessions on it, and the resources wired together."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from setup_kit.engine.events import Event
from setup_kit.engine.executor import Result, Temporaries, execute
from setup_kit.engine.planner import Plan, make_plan
from setup_kit.engine.resource import Change, Node, Resource, Temporary
from setup_kit.environment.models import Environment
from setup_kit.resources.database_options import DatabaseOptions
from setup_kit.resources.grants import Grants
from setup_kit.resources.login import ExportLogin
from setup_kit.resources.proof import LoginProof
from setup_kit.resources.schema import ExportSchema
from setup_kit.resources.secret_state import SecretState
from setup_kit.resources.user import ExportUser
from setup_kit.sandbox.certificates import Certificates
from setup_kit.sandbox.entra import Caller, TokenRefused
from setup_kit.sandbox.latency import Latency
from setup_kit.sandbox.requests import RequestLog
from setup_kit.sandbox.sql import SqlEndpoint
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlAddress, to_ado_net
from setup_kit.sqlserver.sessions import SqlSessions

T = TypeVar("T")

SERVER = "sql-contoso"
DATABASE = "crm-export"
ADMINISTRATOR = "kitadmin"
ADMINISTRATOR_PASSWORD = "Adm1nistrator!of-the-server"
PASSWORD = Secret("Sup3r-Secret-Of-The-Vault")
GROUP = "8f0c1c37-6d6f-4d9b-9d7e-0d3c5b0a7e11"
TOKEN = "token-of-a-member"


@dataclass(frozen=True)
class Admitted:
    """A firewall rule."""

    name: str
    start: str
    end: str


LOCAL = Admitted("here", "127.0.0.1", "127.0.0.1")


@dataclass
class Policy:
    """What Resource Manager would say of the server."""

    name: str = SERVER
    rules: list[Admitted] = field(default_factory=lambda: [LOCAL])
    offline: bool = False

    def firewall_rules(self) -> Sequence[Admitted]:
        return tuple(self.rules)

    def set_firewall_rule(self, name: str, start: str, end: str) -> None:
        self.delete_firewall_rule(name)
        self.rules.append(Admitted(name, start, end))

    def delete_firewall_rule(self, name: str) -> None:
        self.rules = [rule for rule in self.rules if rule.name != name]

    def check_administrator(self, login: str, password: str) -> bool:
        return login.lower() == ADMINISTRATOR and password == ADMINISTRATOR_PASSWORD

    def entra_administrator(self) -> str | None:
        return GROUP

    def entra_only(self) -> bool:
        return False

    def online(self, database: str) -> bool:
        return not self.offline


def check_token(token: str) -> Caller:
    if token != TOKEN:
        raise TokenRefused("InvalidAuthenticationToken", "the token is not a good one")
    return Caller("4a0c8a35-0c39-4f43-9d59-7b3f3b0ae6a5", "app", "tenant", "operator", frozenset({GROUP}))


class LogicalServer:
    """A SQL endpoint in a loop of its own."""

    def __init__(self, directory: Path, certificates: Certificates, port: int) -> None:
        self.policy = Policy()
        self.certificate = certificates.server
        self.address = SqlAddress("127.0.0.1", port)
        self.requests = directory / "requests.jsonl"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sql-endpoint")
        self._thread.start()
        context: ssl.SSLContext = certificates.context()
        self._endpoint = SqlEndpoint(
            directory / "sql", context, check_token, RequestLog(self.requests), Latency(), "40.68.252.224"
        )
        self.start()
        self._endpoint.create_database(SERVER, DATABASE)

    def start(self) -> None:
        self._run(self._endpoint.start_server(self.policy, self.address.port))

    def stop(self) -> None:
        self._run(self._endpoint.stop_server(SERVER))

    def close(self) -> None:
        self._run(self._endpoint.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


class Given(Resource[Any]):
    """Something that is there already and stays as it is."""

    kind = "given"

    def __init__(self, name: str, state: object) -> None:
        super().__init__(name)
        self.state = state

    def read(self) -> Any:
        return self.state

    def diff(self, observed: Any) -> list[Change]:
        return []

    def apply(self, change: Change) -> Any:
        raise NotImplementedError

    def delete(self, observed: Any) -> None:
        raise NotImplementedError


class Rule(Temporary):
    """Admits this machine to the server."""

    kind = "operator_rule"

    def __init__(self, server: LogicalServer) -> None:
        super().__init__("here")
        self._server = server

    def open(self) -> bool:
        if LOCAL in self._server.policy.rules:
            return False
        self._server.policy.rules.append(LOCAL)
        return True

    def close(self) -> bool:
        return False


def environment(
    *, user: str = "dataexport", schema: str = "dbo", contained: bool = False, maxdop: int = 1, snapshot: bool = True
) -> Environment:
    zero = "00000000-0000-0000-0000-000000000001"
    return Environment.model_validate(
        {
            "tenant": zero,
            "subscription": zero,
            "location": "westeurope",
            "resource_group": "rg",
            "sql": {
                "server": SERVER,
                "administrator": {"sql_login": ADMINISTRATOR},
                "database": {"name": DATABASE, "maxdop": maxdop, "read_committed_snapshot": snapshot},
                "export_user": {
                    "name": user,
                    "schema": schema,
                    "authentication": "contained" if contained else "login",
                },
            },
            "key_vault": {"name": "kv-contoso"},
            "dynamics": {"organization_url": "https://contoso.crm4.dynamics.com", "organization_id": zero},
            "profile": {"name": "p", "schema": schema, "entities": ["account"]},
        }
    )


class Kit:
    """The SQL side of one environment: its resources, and one run of the kit after another."""

    def __init__(
        self,
        server: LogicalServer,
        wanted: Environment,
        new_sessions: Callable[[], SqlSessions],
        password: Secret = PASSWORD,
    ) -> None:
        self.server = server
        self.environment = wanted
        self.password = password
        self._new_sessions = new_sessions

    def nodes(self, sessions: SqlSessions) -> list[Node]:
        wanted, user = self.environment, self.environment.sql.export_user
        value = to_ado_net(self.server.address, wanted.sql.database.name, user.name, self.password)
        server = Given("server", self.server.address)
        database = Given("database", wanted.sql.database.name)
        secret = Given("secret", SecretState("https://kv/secrets/s", value, password=self.password))
        rule = Rule(self.server)
        login = schema = None
        if user.authentication == "login":
            login = ExportLogin(wanted, sessions, server, secret, rule)
        if user.schema_name != "dbo":
            schema = ExportSchema(wanted, sessions, database, secret, rule)
        options = DatabaseOptions(wanted, sessions, database, secret, rule)
        export_user = ExportUser(wanted, sessions, database, login, secret, rule)
        grants = Grants(wanted, sessions, export_user, schema, secret, rule)
        return [options, grants, LoginProof(wanted, sessions, secret, (grants, options, rule))]

    def plan(self) -> Plan:
        sessions = self._new_sessions()
        try:
            return make_plan(self.nodes(sessions), _ignore, threading.Event())
        finally:
            sessions.close()

    def apply(self) -> Result:
        sessions = self._new_sessions()
        try:
            plan = make_plan(self.nodes(sessions), _ignore, threading.Event())
            assert not plan.failures, plan.failures
            return execute(plan, _ignore, Temporaries(_ignore), threading.Event(), destructive=True)
        finally:
            sessions.close()


def _ignore(event: Event) -> None:
    return None
