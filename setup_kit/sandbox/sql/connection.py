"""One client's connection, phase by phase: PRELOGIN, TLS, LOGIN7, then requests until it closes."""

from __future__ import annotations

import contextlib
import logging
import time
from enum import Enum, auto
from typing import TYPE_CHECKING

from setup_kit.sandbox.sql import authentication, errors, firewall, handshake
from setup_kit.sandbox.sql.attention import Attention
from setup_kit.sandbox.sql.errors import Cancelled, ProtocolError, SqlError
from setup_kit.sandbox.sql.execution.session import Client, Session
from setup_kit.sandbox.sql.faults import error_of
from setup_kit.sandbox.sql.tds import packets, parameters, tokens
from setup_kit.sandbox.sql.tds.login import Login7
from setup_kit.sandbox.sql.tds.packets import Message, PacketType, Status, TransactionRequest
from setup_kit.sandbox.sql.tds.reply import Reply
from setup_kit.sandbox.sql.tds.stream import BulkMessage, Stream

if TYPE_CHECKING:
    from setup_kit.sandbox.sql.server import LogicalServer

logger = logging.getLogger(__name__)

_LOGIN_SECONDS = 60
_NOBODY = "?"
_BROKEN_OFF = 596  # a session that is killed: what the log says of a connection that a fault breaks off
_ACTIONS: dict[int, str] = {TransactionRequest.BEGIN: "BEGIN", TransactionRequest.COMMIT: "COMMIT",
            TransactionRequest.ROLLBACK: "ROLLBACK", TransactionRequest.SAVE: "SAVE"}  # fmt: skip


class _Outcome(Enum):
    """How a request ended: with its answer, with one that ends the session, or before it was done."""

    DONE = auto()
    OVER = auto()
    CANCELLED = auto()


class Connection:
    """Serves one client, on a thread that is its own: one that waits, for a lock or its client, is in nobody's way.

    Whatever goes wrong here ends this connection alone.
    """

    def __init__(self, server: LogicalServer, stream: Stream, spid: int) -> None:
        self._server = server
        self._stream = stream
        self._attention = Attention(stream)
        self._spid = spid
        self._login = _NOBODY
        self._database = ""
        self.session: Session | None = None
        stream.spid = spid

    def run(self) -> None:
        with contextlib.closing(self._stream):
            try:
                self._stream.deadline = time.monotonic() + _LOGIN_SECONDS
                if self._log_in():
                    self._stream.logged_in()
                    while self._answer(self._stream.read()):
                        pass
            except OSError as error:  # the client has gone, took too long, or does not speak TLS
                logger.debug("connection %s ended: %s", self._spid, error)
            except ProtocolError as error:
                logger.warning("connection %s broke the protocol: %s", self._spid, error)
            except Exception:
                logger.exception("connection %s failed", self._spid)
            finally:
                if self.session is not None:
                    self.session.close()

    def abort(self) -> None:
        """Break the connection off, from any thread: what runs is cancelled, and `run` returns soon."""
        self._attention.end()

    # Logging in

    def _log_in(self) -> bool:
        login = handshake.read_login(
            self._stream, self._server.tls, self._server.version, self._server.sign_in_authority
        )
        started = time.perf_counter()
        self._attention.wait(self._server.seconds("sql.login"))
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
            self._attention.wait(fault.seconds)
        try:
            if fault is not None and fault.kind == "sql-error":
                raise error_of(fault, self._server.name, self._database, self._spid)
            self._authenticate(login)
        except SqlError as error:
            logger.info("a login was refused: error %d, state %d", error.number, error.logged_state or error.state)
            self._record("LOGIN", error.number, (time.perf_counter() - started) * 1000, met)
            reply.error(error)
            reply.done(failed=True)
            self._stream.write(PacketType.REPLY, reply.finish())
            return False
        self._record("LOGIN", 0, (time.perf_counter() - started) * 1000, met)
        if fault is not None and fault.kind == "reset-after":
            self._stream.reset()
            return False
        handshake.welcome(reply, login, self._server.version, self._database, self._stream.packet_size)
        self._stream.write(PacketType.REPLY, reply.finish())
        self._stream.packet_size = handshake.packet_size(login)
        return True

    def _authenticate(self, login: Login7) -> None:
        """The firewall first, then who it is."""
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
        self.session = Session(server, database, identity, client, self._attention, self._record)

    def _record(self, label: str, number: int, milliseconds: float, fault: str) -> None:
        database = self.session.database.name if self.session is not None else self._database
        path = f"/{self._server.name}/{database}"
        self._server.log.add("sql", label, path, number, milliseconds, self._login, fault)

    # Requests

    def _answer(self, message: Message) -> bool:
        """Carry out one request and send its answer; False when the connection is to be closed."""
        session = self.session
        assert session is not None  # noqa: S101 - the client has logged in
        if message.type == PacketType.ATTENTION:  # it crossed the end of our answer
            self._stream.write(PacketType.REPLY, tokens.done(tokens.DONE, tokens.DONE_ATTENTION))
            return True
        if message.status & Status.IGNORE:
            self._give_up(session)
            return True
        self._attention.wait(self._server.seconds("sql.batch"))
        reply = Reply(self._send, self._server.name, piece=8 * (self._stream.packet_size - packets.HEADER.size))
        if message.type == PacketType.BULK_LOAD:
            return self._load(session, message, reply)
        return self._finish(session, self._perform(session, message, reply), reply)

    def _send(self, data: bytes) -> None:
        self._stream.write(PacketType.REPLY, data, final=False)

    def _finish(self, session: Session, outcome: _Outcome, reply: Reply) -> bool:
        """Send the rest of the answer to a request whose message has come whole."""
        if outcome is _Outcome.CANCELLED:
            # All that a client may send now is an attention; or it has gone, which the next read tells.
            if self._stream.read().type != PacketType.ATTENTION:
                raise ProtocolError("a request came before the answer to the last one")
            self._stream.write(PacketType.REPLY, reply.break_off())
            return True
        if session.broken:
            self._stream.reset()
            return False
        self._stream.write(PacketType.REPLY, reply.finish())
        return outcome is _Outcome.DONE

    def _load(self, session: Session, message: Message, reply: Reply) -> bool:
        """A bulk load, whose message is read while it is carried out."""
        rest = BulkMessage(self._stream, message)
        outcome = self._perform(session, message, reply, rest)
        rest.skip()
        if rest.attention:
            self._stream.write(PacketType.REPLY, reply.break_off())
        elif rest.ignored:
            self._give_up(session)
        else:
            return self._finish(session, outcome, reply)
        return outcome is not _Outcome.OVER

    def _give_up(self, session: Session) -> None:
        """Answer a request that its client gave up half sent.

        A single DONE that tells of an error, and no acknowledgement of an attention: MS-TDS 2.2.1.7. *Assumed*: a reset
        of the connection that the first packet asked for is ignored with the rest.
        """
        status = tokens.DONE_ERROR | (tokens.DONE_IN_TRANSACTION if session.transactions.depth else 0)
        self._stream.write(PacketType.REPLY, tokens.done(tokens.DONE, status))

    def _perform(self, session: Session, message: Message, reply: Reply, rest: BulkMessage | None = None) -> _Outcome:
        """No error but the end of the session goes beyond the reply."""
        self._attention.listening, self._attention.load = rest is None, rest
        try:
            if message.status & (Status.RESET_CONNECTION | Status.RESET_CONNECTION_KEEP_TRANSACTION):
                session.reply = reply
                session.reset(keep_transaction=bool(message.status & Status.RESET_CONNECTION_KEEP_TRANSACTION))
                reply.add(tokens.environment_bytes(18, b"", b""))
            if rest is not None:
                session.run_bulk(rest.read, reply)
            else:
                self._dispatch(session, message, reply)
        except Cancelled:
            return _Outcome.CANCELLED
        except SqlError as error:
            return _Outcome.OVER if error.ends_session else _Outcome.DONE
        except (ProtocolError, OSError):
            raise
        except Exception:
            logger.exception("request failed on connection %s", self._spid)
            reply.error(errors.error(596))
            reply.done(failed=True)
            return _Outcome.OVER
        finally:
            self._attention.listening, self._attention.load = False, None
        return _Outcome.DONE

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
