"""The endpoint: logical servers, each listening on a port of its own."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

if sys.platform != "win32":
    import resource

from setup_kit.sandbox.sql.authentication import Caller, ServerPolicy
from setup_kit.sandbox.sql.compiler.functions_system import PRODUCT_VERSION, VIRTUAL_MACHINE_VERSION
from setup_kit.sandbox.sql.compiler.server_facts import OpenSession
from setup_kit.sandbox.sql.connection import Connection
from setup_kit.sandbox.sql.execution.session import Session
from setup_kit.sandbox.sql.faults import Faults, NoFaults
from setup_kit.sandbox.sql.storage.catalog import fold
from setup_kit.sandbox.sql.storage.store import Database, ServerStore
from setup_kit.sandbox.sql.tds.stream import Stream

logger = logging.getLogger(__name__)

_FIRST_SPID = 51
#: Sessions of a logical server, as far as file handles allow: each takes a few, and the process needs some itself.
_MOST_SESSIONS = 1000
_HANDLES_OF_A_SESSION, _OTHER_HANDLES = 6, 400
#: Seconds that sessions which are ended may take to end.
_ENDING = 10.0
#: Seconds until the next client is accepted after one could not be.
_PAUSE = 0.5
#: Clients of a logical server that have not logged in yet.
_MOST_WAITING = 256


class RequestLog(Protocol):
    """Where every login and statement is noted (`setup_kit.sandbox.requests.RequestLog`)."""

    def add(
        self, part: str, method: str, path: str, status: int, milliseconds: float, caller: str, fault: str = ""
    ) -> None: ...


class Latency(Protocol):
    """How long an operation is made to take (`setup_kit.sandbox.latency.Latency`)."""

    def seconds(self, operation: str) -> float: ...


class LogicalServer:
    """One logical server: its databases, who may come in, and the sessions that are open."""

    def __init__(
        self,
        policy: ServerPolicy,
        store: ServerStore,
        tls: ssl.SSLContext,
        check_token: Callable[[str], Caller],
        log: RequestLog,
        latency: Latency,
        azure_address: str,
        sign_in_authority: str,
        spids: Iterator[int],
        most_sessions: int,
        faults: Faults,
    ) -> None:
        self.policy = policy
        self.name = policy.name
        self.store = store
        self.tls = tls
        self.check_token = check_token
        self.log = log
        self.version = VIRTUAL_MACHINE_VERSION if getattr(policy, "virtual_machine", False) else PRODUCT_VERSION
        self.virtual_machine = bool(getattr(policy, "virtual_machine", False))
        # On a machine a setting of the server; in Azure SQL Database there is nothing to set.
        self.contained_authentication = bool(getattr(policy, "contained_authentication", True))
        self._alone: set[int] = set()  # databases that admit one session
        self.azure_address = azure_address
        self.sign_in_authority = sign_in_authority
        self._latency = latency
        self._spids = spids
        self.most_sessions = most_sessions
        self.faults = faults
        self._connections: dict[threading.Thread, Connection] = {}
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None

    async def start(self, port: int) -> None:
        """Listen on 127.0.0.1; OSError when the port is taken."""
        self._listener = socket.create_server(("127.0.0.1", port), backlog=_MOST_WAITING)
        self._listener.setblocking(False)
        self._accepting = asyncio.create_task(self._accept(self._listener))

    @property
    def port(self) -> int:
        assert self._listener is not None  # noqa: S101 - only a server that has started is asked
        return int(self._listener.getsockname()[1])

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listener)
                client.setblocking(True)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._serve(Stream(client))
            except (OSError, RuntimeError) as error:  # no more file handles or threads are to be had, or it has left
                logger.warning("server %s could not accept a client: %s", self.name, error)
                await asyncio.sleep(_PAUSE)

    def _serve(self, stream: Stream) -> None:
        connection = Connection(self, stream, next(self._spids))

        def run() -> None:
            try:
                connection.run()
            finally:
                del self._connections[thread]

        thread = threading.Thread(target=run, name=f"sql-{stream.spid}", daemon=True)
        self._connections[thread] = connection
        self._make_room()
        try:
            thread.start()
        except RuntimeError:
            del self._connections[thread]
            stream.close()
            raise

    def _make_room(self) -> None:
        """Of too many clients that have not logged in yet, the one that has taken longest goes."""
        waiting = [connection for connection in list(self._connections.values()) if connection.session is None]
        if len(waiting) > _MOST_WAITING:
            waiting[0].abort()

    def seconds(self, operation: str) -> float:
        """How long the cloud would take."""
        return self._latency.seconds(operation)

    def sessions(self) -> list[Session]:
        """Those that are open now."""
        sessions = [connection.session for connection in list(self._connections.values())]
        return [session for session in sessions if session is not None]

    def is_logged_in(self, sid: bytes) -> bool:
        return any(session.login_sid == sid for session in self.sessions())

    def is_taken(self, database: Database) -> bool:
        """Whether the database admits one session alone (SET SINGLE_USER) and has one."""
        return database.id in self._alone and any(found.database.id == database.id for found in self.sessions())

    def take_alone(self, database: Database, session: OpenSession, *, alone: bool) -> None:
        """SET SINGLE_USER, which ends all other sessions of the database, or MULTI_USER; callable from any thread."""
        if not alone:
            self._alone.discard(database.id)
            return
        self._alone.add(database.id)
        until = time.monotonic() + _ENDING
        for thread in self._end_sessions(database.name, but=session):
            thread.join(max(until - time.monotonic(), 0))

    def _end_sessions(self, database: str, but: OpenSession | None = None) -> list[threading.Thread]:
        """The threads of those that end now."""
        ending = []
        for thread, connection in list(self._connections.items()):
            session = connection.session
            if session is None or session is but or fold(session.database.name) != fold(database):
                continue
            connection.abort()
            ending.append(thread)
        return ending

    def drop_database(self, name: str) -> None:
        """Close the database's sessions and remove it; callable from any thread."""
        self._end_sessions(name)
        found = self.store.database(name)
        if found is not None:
            self._alone.discard(found.id)
        self.store.drop_database(name)

    async def stop(self) -> None:
        """Returns when the last session has ended."""
        if self._accepting is not None and self._listener is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
            self._listener.close()
        await asyncio.get_running_loop().run_in_executor(None, self._end_all)
        self.store.close()

    def _end_all(self) -> None:
        ending = list(self._connections.items())
        for _, connection in ending:
            connection.abort()
        for thread, _ in ending:
            thread.join()


class SqlEndpoint:
    """Logical servers over TDS, with their data under `directory`.

    `tls` becomes the endpoint's own: TLS 1.2 for TDS 7.4, which carries the handshake inside its packets, 1.2 or 1.3
    for TDS 8.0, whose protocol name `tds/8.0` it offers: clients with `Encrypt=strict` ask for it. `check_token`
    verifies an access token for SQL's audience; what it raises for one that it refuses has an attribute `code`.
    `sign_in_authority` is where clients are sent that come without a token and want one. `faults` says which logins
    and statements are to fail; none when it is not given.
    """

    def __init__(
        self,
        directory: Path,
        tls: ssl.SSLContext,
        check_token: Callable[[str], Caller],
        log: RequestLog,
        latency: Latency,
        azure_address: str,
        sign_in_authority: str = "https://login.windows.net/common",
        faults: Faults | None = None,
    ) -> None:
        self._directory = directory
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.set_alpn_protocols(["tds/8.0"])
        self._tls = tls
        self._check_token = check_token
        self._log = log
        self._latency = latency
        self._azure_address = azure_address
        self._sign_in_authority = sign_in_authority
        self._faults = faults or NoFaults()
        self._most_sessions = _possible_sessions()
        self._spids = itertools.count(_FIRST_SPID)
        self._servers: dict[str, LogicalServer] = {}

    async def start_server(self, policy: ServerPolicy, port: int) -> None:
        """Serve a logical server on 127.0.0.1:`port`; OSError when it is taken. Earlier data is found again."""
        loop = asyncio.get_running_loop()
        store = await loop.run_in_executor(None, ServerStore, self._directory, policy.name)
        server = LogicalServer(
            policy, store, self._tls, self._check_token, self._log, self._latency, self._azure_address,
            self._sign_in_authority, self._spids, self._most_sessions, self._faults,
        )  # fmt: skip
        try:
            await server.start(port)
        except OSError:
            store.close()
            raise
        self._servers[policy.name] = server

    def port(self, name: str) -> int:
        """The port a server listens on, where it was started with 0; KeyError when it does not run."""
        return self._servers[name].port

    async def stop_server(self, name: str) -> None:
        """Stop listening and close every session; the data stays. Nothing when the server does not run."""
        server = self._servers.pop(name, None)
        if server is not None:
            await server.stop()

    def create_database(self, server: str, name: str) -> None:
        """Nothing when it is there; KeyError when the server does not run."""
        self._servers[server].store.create_database(name)

    def drop_database(self, server: str, name: str) -> None:
        """Close its sessions and remove its data; nothing when there is none."""
        self._servers[server].drop_database(name)

    async def close(self) -> None:
        """Stop every server; returns when the last session has ended."""
        for name in list(self._servers):
            await self.stop_server(name)


def _possible_sessions() -> int:
    """How many sessions the process's file handles suffice for; it takes as many as it may have."""
    if sys.platform == "win32":
        return _MOST_SESSIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < hard:
        wanted = _MOST_SESSIONS * _HANDLES_OF_A_SESSION + _OTHER_HANDLES
        soft = max(soft, wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return _MOST_SESSIONS
    return max(min((soft - _OTHER_HANDLES) // _HANDLES_OF_A_SESSION, _MOST_SESSIONS), 10)
