"""One client's connection, phase by phase: PRELOGIN, TLS, LOGIN7, then requests until it closes."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import authentication, errors, firewall, handshake
from setup_kit.sandbox.sql.errors import Cancelled, ProtocolError, SqlError
from setup_kit.sandbox.sql.execution.session import Client, Session
from setup_kit.sandbox.sql.faults import error_of
from setup_kit.sandbox.sql.session_thread import SessionThread
from setup_kit.sandbox.sql.tds import packets, parameters, tokens
from setup_kit.sandbox.sql.tds.login import Login7
from setup_kit.sandbox.sql.tds.packets import Message, PacketType, Status, TransactionRequest
from setup_kit.sandbox.sql.tds.reply import Reply
from setup_kit.sandbox.sql.tds.stream import LARGEST_REQUEST, BulkMessage, Stream

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.server import LogicalServer

logger = logging.getLogger(__name__)

_LOGIN_SECONDS = 60
_NOBODY = "?"
_BROKEN_OFF = 596  # a session that is killed: what the log says of a connection that a fault breaks off
_ACTIONS: dict[int, str] = {TransactionRequest.BEGIN: "BEGIN", TransactionRequest.COMMIT: "COMMIT",
            TransactionRequest.ROLLBACK: "ROLLBACK", TransactionRequest.SAVE: "SAVE"}  # fmt: skip


class Connection:
    """Serves one client. Whatever goes wrong here ends this connection alone."""

    def __init__(self, server: LogicalServer, stream: Stream, spid: int) -> None:
        self._server = server
        self._stream = stream
        # A thread of its own, begun with the first work: one that waits, for a lock or its client, is in nobody's way.
        self._thread = SessionThread(f"sql-{spid}")
        self._spid = spid
        self._login = _NOBODY
        self._database = ""
        self.session: Session | None = None
        self._reading: asyncio.Task[Message]
        stream.spid = spid

    async def run(self) -> None:
        try:
            async with asyncio.timeout(_LOGIN_SECONDS):
                ready = await self._log_in()
            if ready:
                await self._serve()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, TimeoutError) as error:
            logger.debug("connection %s ended: %s", self._spid, error)
        except ProtocolError as error:
            logger.warning("connection %s broke the protocol: %s", self._spid, error)
        finally:
            await self._close()

    def abort(self) -> None:
        """Break the connection off: what runs is cancelled, and `run` returns soon."""
        if self.session is not None:
            self.session.cancel()
        self._stream.abort()

    async def _close(self) -> None:
        if self.session is not None:
            self.session.cancel()
        if self._login != _NOBODY:  # on the same thread: after the login, if that is still under way
            await self._thread.run(self._close_session)
        self._thread.end()
        await self._stream.close()

    def _close_session(self) -> None:
        if self.session is not None:
            self.session.close()

    # Logging in

    async def _log_in(self) -> bool:
        login = await handshake.read_login(
            self._stream, self._server.tls, self._server.version, self._server.sign_in_authority
        )
        started = time.perf_counter()
        await self._server.wait("sql.login")
        self._login = login.user or authentication.TOKEN_PRINCIPAL
        self._database = login.database or "master"
        reply = Reply(lambda _: None, self._server.name)
        fault = self._server.faults.meet("sql", "LOGIN", f"/{self._server.name}/{self._database}", self._login)
        met = fault.id if fault is not None else ""
        if fault is not None and fault.kind == "reset-before":
            self._record("LOGIN", _BROKEN_OFF, (time.perf_counter() - started) * 1000, met)
            self._stream.reset()
            return False
        if fault is not None and fault.kind == "drip":
            await asyncio.sleep(fault.seconds)
        try:
            if fault is not None and fault.kind == "sql-error":
                raise error_of(fault, self._server.name, self._database, self._spid)
            await self._thread.run(lambda: self._authenticate(login))
        except SqlError as error:
            logger.info("a login was refused: error %d, state %d", error.number, error.logged_state or error.state)
            self._record("LOGIN", error.number, (time.perf_counter() - started) * 1000, met)
            reply.error(error)
            reply.done(failed=True)
            await self._stream.write(PacketType.REPLY, reply.finish())
            return False
        self._record("LOGIN", 0, (time.perf_counter() - started) * 1000, met)
        if fault is not None and fault.kind == "reset-after":
            self._stream.reset()
            return False
        handshake.welcome(reply, login, self._server.version, self._database, self._stream.packet_size)
        await self._stream.write(PacketType.REPLY, reply.finish())
        self._stream.packet_size = handshake.packet_size(login)
        self._stream.largest_message = LARGEST_REQUEST
        return True

    def _authenticate(self, login: Login7) -> None:
        """Runs on a thread: the firewall first, then who it is."""
        handshake.check(login)
        server = self._server
        if len(server.sessions()) >= server.most_sessions:
            raise errors.error(10928, 2, "session", server.most_sessions)
        from_azure = login.application == firewall.SERVICE_APPLICATION
        address = server.azure_address if from_azure else "127.0.0.1"
        if not server.virtual_machine:
            rules = server.policy.firewall_rules()
            firewall.check(rules, server.store, login.database, address, from_azure=from_azure)
        database, identity = authentication.authenticate(server.store, server.policy, server.check_token, login)
        if server.is_taken(database):
            raise errors.cannot_open_database(database.name, identity.login_name)
        self._login, self._database = identity.login_name, database.name
        client = Client(self._spid, login.application, login.client_host)
        self.session = Session(server, database, identity, client, self._record)

    def _record(self, label: str, number: int, milliseconds: float, fault: str) -> None:
        database = self.session.database.name if self.session is not None else self._database
        path = f"/{self._server.name}/{database}"
        self._server.log.add("sql", label, path, number, milliseconds, self._login, fault)

    # Requests

    async def _serve(self) -> None:
        """Read requests one after another; while one runs, listen for an attention."""
        self._listen()
        try:
            while await self._answer(await self._next_message()):
                pass
        finally:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _listen(self) -> None:
        self._reading = asyncio.create_task(self._stream.read())

    async def _next_message(self) -> Message:
        message = await self._reading
        if message.complete:
            self._listen()
        return message

    async def _answer(self, message: Message) -> bool:
        """Carry out one request and send its answer; False when the connection is to be closed."""
        session = self.session
        assert session is not None  # noqa: S101 - the client has logged in
        if message.type == PacketType.ATTENTION:  # it crossed the end of our answer
            await self._stream.write(PacketType.REPLY, tokens.done(tokens.DONE, tokens.DONE_ATTENTION))
            return True
        if message.status & Status.IGNORE:
            await self._give_up(session)
            return True
        await self._server.wait("sql.batch")
        loop = asyncio.get_running_loop()

        def send(data: bytes) -> None:
            asyncio.run_coroutine_threadsafe(self._stream.write(PacketType.REPLY, data, final=False), loop).result()

        reply = Reply(send, self._server.name, piece=8 * (self._stream.packet_size - packets.HEADER.size))
        if message.type == PacketType.BULK_LOAD:
            return await self._load(session, message, reply)
        job = self._thread.run(lambda: self._perform(session, message, reply, None))
        return await self._finish(session, job, reply)

    async def _finish(self, session: Session, job: asyncio.Future[bool], reply: Reply) -> bool:
        """Wait for a request whose message has come whole, and send the rest of its answer."""
        await _either(job, self._reading)
        if job.done():
            keep = job.result()
            if session.broken:
                self._stream.reset()
                return False
            await self._stream.write(PacketType.REPLY, reply.finish())
            return keep
        # All that a client may send now is an attention; or it has gone, which the next read tells.
        session.cancel()
        keep = await job
        if (await self._next_message()).type != PacketType.ATTENTION:
            raise ProtocolError("a request came before the answer to the last one")
        session.cancelled.clear()
        await self._stream.write(PacketType.REPLY, reply.break_off())
        return keep

    async def _load(self, session: Session, message: Message, reply: Reply) -> bool:
        """A bulk load, whose message is read while it is carried out."""
        loop = asyncio.get_running_loop()
        rest = BulkMessage(self._stream, message, loop)
        try:
            job = self._thread.run(lambda: self._perform(session, message, reply, rest.read))
            whole = loop.create_task(rest.whole.wait())
            await asyncio.wait([job, whole], return_when=asyncio.FIRST_COMPLETED)  # type: ignore[type-var]
            whole.cancel()
            if rest.ignored:
                session.cancel()
            elif not job.done():  # it waits for a lock, or works on what it has: listen for an attention
                if not message.complete:
                    self._listen()
                return await self._finish(session, job, reply)
            keep = await job
            await rest.skip()
        finally:
            await rest.close()
        if not message.complete:
            self._listen()
        if rest.ignored:
            session.cancelled.clear()
        if rest.attention:
            await self._stream.write(PacketType.REPLY, reply.break_off())
        elif rest.ignored:
            await self._give_up(session)
        elif session.broken:
            self._stream.reset()
            return False
        else:
            await self._stream.write(PacketType.REPLY, reply.finish())
        return keep

    async def _give_up(self, session: Session) -> None:
        """Answer a request that its client gave up half sent.

        A single DONE that tells of an error, and no acknowledgement of an attention: MS-TDS 2.2.1.7. *Assumed*: a reset
        of the connection that the first packet asked for is ignored with the rest.
        """
        status = tokens.DONE_ERROR | (tokens.DONE_IN_TRANSACTION if session.transactions.depth else 0)
        await self._stream.write(PacketType.REPLY, tokens.done(tokens.DONE, status))

    def _perform(self, session: Session, message: Message, reply: Reply, source: Callable[[], bytes] | None) -> bool:
        """Runs on a thread. No error but the end of the session goes beyond the reply."""
        try:
            if message.status & (Status.RESET_CONNECTION | Status.RESET_CONNECTION_KEEP_TRANSACTION):
                session.reply = reply
                session.reset(keep_transaction=bool(message.status & Status.RESET_CONNECTION_KEEP_TRANSACTION))
                reply.add(tokens.environment_bytes(18, b"", b""))
            if source is not None:
                session.run_bulk(source, reply)
            else:
                self._dispatch(session, message, reply)
        except Cancelled:
            return True
        except SqlError as error:
            return not error.ends_session
        except ProtocolError:
            raise
        except ConnectionError:  # the client went away while its rows were being sent
            return False
        except Exception:
            logger.exception("request failed on connection %s", self._spid)
            reply.error(errors.error(596))
            reply.done(failed=True)
            return False
        return True

    def _dispatch(self, session: Session, message: Message, reply: Reply) -> None:
        if message.type in (PacketType.SQL_BATCH, PacketType.RPC):
            batch = message.type == PacketType.SQL_BATCH
            try:
                request = packets.decode_batch(message.data) if batch else parameters.Calls(message.data)
            except SqlError as error:
                reply.error(error)
                reply.done(failed=True)
                return
            if isinstance(request, str):
                session.run_batch(request, reply)
            else:
                session.run_calls(request, reply)
        elif message.type == PacketType.TRANSACTION_MANAGER:
            asked = packets.TransactionManagerRequest.decode(message.data)
            action = _ACTIONS.get(asked.request)
            if action is None:
                raise ProtocolError(f"transaction manager request {asked.request}")
            name = asked.name if action == "SAVE" else ""
            session.run_transaction(action, name, reply, begins=asked.begins, isolation=asked.isolation)
        else:
            raise ProtocolError(f"message of type {message.type}")


async def _either(one: asyncio.Future[bool], other: asyncio.Future[Message]) -> None:
    """Wait for the first of two, with a fraction of what `asyncio.wait` takes: each request waits here."""
    first = asyncio.get_running_loop().create_future()

    def ended(_: object) -> None:
        if not first.done():
            first.set_result(None)

    one.add_done_callback(ended)
    other.add_done_callback(ended)
    try:
        await first
    finally:
        one.remove_done_callback(ended)
        other.remove_done_callback(ended)
