"""What SQL Server shows before anybody signs in: its version and its certificate, which is verified.

MS-TDS 2.2.6.5: the PRELOGIN message; 3.2.5.1: the TLS handshake inside PRELOGIN packets.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from setup_kit.sqlserver.connection_string import SqlAddress

TIMEOUT = 15.0  # seconds for each step of the way

_PRELOGIN, _REPLY = 0x12, 0x04
_END_OF_MESSAGE = 0x01
_HEADER = struct.Struct(">BBHHBB")
_PACKET = 4096
# The longest answer is a chain of certificates, some kilobytes; what goes on and on is no SQL Server.
_LONGEST = 256 * 1024
_VERSION, _ENCRYPTION, _TERMINATOR = 0x00, 0x01, 0xFF
_ENCRYPT_ON, _NOT_SUPPORTED = 0x01, 0x02
# X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: the certificate is good, but another's.
_ANOTHERS = frozenset({62, 64})


class NotSqlServer(Exception):  # noqa: N818 - an answer
    """What listens there does not answer as SQL Server does."""


class NotEncrypted(Exception):  # noqa: N818 - an answer
    """The server encrypts nothing."""


class CertificateRefused(Exception):  # noqa: N818 - an answer
    """The server's certificate is not to be trusted for this host. `names`: those that it is for, where it tells."""

    def __init__(self, reason: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.names = names


@dataclass(frozen=True)
class Seen:
    """`version`: major, minor and build of SQL Server; `expires`: when the certificate does."""

    version: tuple[int, int, int]
    tls: str
    expires: datetime


def look(address: SqlAddress, *, ca_file: Path | None = None) -> Seen:
    """Asks the server for its version and has it prove that it is `address.host`, over TLS 1.2.

    `ca_file`: an authority that is trusted instead of the system's. Raises OSError where nothing answers, NotSqlServer,
    NotEncrypted, CertificateRefused.
    """
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2  # inside TDS packets there is no other
    try:
        return _ask(address, context)
    except ssl.SSLCertVerificationError as error:
        names = _names(address, context) if error.verify_code in _ANOTHERS else ()
        raise CertificateRefused(error.verify_message, names) from error
    except ssl.SSLError as error:
        raise NotEncrypted(f"the TLS handshake fails: {error.reason or error}") from error


def _ask(address: SqlAddress, context: ssl.SSLContext) -> Seen:
    with _greeted(address) as (stream, version):
        tls = _Handshake(stream, context, address.host)
        tls.run()
        certificate = tls.certificate
        expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
        return Seen(version, tls.version, expires)


def _names(address: SqlAddress, context: ssl.SSLContext) -> tuple[str, ...]:
    """Whom the certificate is for that is not for this host; empty where it cannot be had."""
    context.check_hostname = False  # the chain is verified all the same, and nothing is sent
    try:
        with _greeted(address) as (stream, _):
            tls = _Handshake(stream, context, address.host)
            tls.run()
            alternatives = [str(name) for _, name in tls.certificate.get("subjectAltName", ())]
            subject = [
                value for part in tls.certificate.get("subject", ()) for key, value in part if key == "commonName"
            ]
            return tuple(alternatives or subject)
    except (OSError, NotSqlServer):
        return ()


@contextmanager
def _greeted(address: SqlAddress) -> Iterator[tuple[_Packets, tuple[int, int, int]]]:
    """A connection that has said PRELOGIN, and the version that it was answered with."""
    with socket.create_connection((address.host, address.port), timeout=TIMEOUT) as connection:
        stream = _Packets(connection)
        stream.send(_prelogin())
        options = options_of(stream.message(_REPLY))
        version = options.get(_VERSION, b"")
        if len(version) < 4:
            raise NotSqlServer("it tells no version")
        if options.get(_ENCRYPTION, b"\x02")[:1] == bytes([_NOT_SUPPORTED]):
            raise NotEncrypted("it supports no encryption")
        yield stream, struct.unpack(">BBH", version[:4])


def _prelogin() -> bytes:
    values = ((_VERSION, bytes(6)), (_ENCRYPTION, bytes([_ENCRYPT_ON])))
    at = 5 * len(values) + 1
    table, data = b"", b""
    for token, value in values:
        table += struct.pack(">BHH", token, at + len(data), len(value))
        data += value
    return table + bytes([_TERMINATOR]) + data


def options_of(message: bytes) -> dict[int, bytes]:
    """The options of a PRELOGIN message; what points outside of it is left out."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 5 <= len(message) and message[at] != _TERMINATOR:
        token, start, length = struct.unpack_from(">BHH", message, at)
        if start + length <= len(message):
            found[token] = message[start : start + length]
        at += 5
    return found


class _Packets:
    """Messages of TDS on a socket. What goes over TLS later is not read here."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, data: bytes) -> None:
        parts = [data[at : at + _PACKET - _HEADER.size] for at in range(0, len(data), _PACKET - _HEADER.size)]
        for number, part in enumerate(parts, 1):
            status = _END_OF_MESSAGE if number == len(parts) else 0
            header = _HEADER.pack(_PRELOGIN, status, _HEADER.size + len(part), 0, number % 256, 0)
            self._connection.sendall(header + part)

    def message(self, *kinds: int) -> bytes:
        """All packets up to the one that ends the message. Raises NotSqlServer for anything else than TDS."""
        data = b""
        while True:
            kind, status, length, *_ = _HEADER.unpack(self._exactly(_HEADER.size))
            if kind not in kinds or length < _HEADER.size:
                raise NotSqlServer("what it answers is no message of SQL Server")
            if len(data) + length > _LONGEST:
                raise NotSqlServer("its answer has no end")
            data += self._exactly(length - _HEADER.size)
            if status & _END_OF_MESSAGE:
                return data

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._connection.recv(count - len(data))
            if not part:
                raise NotSqlServer("it ends the connection before it has answered")
            data += part
        return data


class _Handshake:
    """TLS whose records travel in PRELOGIN packets."""

    def __init__(self, stream: _Packets, context: ssl.SSLContext, host: str) -> None:
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def run(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._incoming.write(self._stream.message(_PRELOGIN, _REPLY))
            else:
                return self._flush()

    def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            self._stream.send(data)

    @property
    def certificate(self) -> dict[str, Any]:
        return dict(self._tls.getpeercert() or {})

    @property
    def version(self) -> str:
        return self._tls.version() or ""
