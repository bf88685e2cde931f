"""A client of bare TDS over real sockets, which can send what no driver would."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field

from setup_kit.sandbox.sql.tds.login import encode_prelogin
from setup_kit.sandbox.sql.tds.packets import HEADER, PacketType, Status

PRELOGIN = encode_prelogin((18, 0, 0), 1, fed_auth_required=False)
#: ALL_HEADERS with a transaction descriptor of 0 and one outstanding request.
ALL_HEADERS = struct.pack("<IIHQI", 22, 18, 2, 0, 1)
_PACKET = 4096
_ATTENTION_BIT = 0x20


class Closed(Exception):  # noqa: N818 - what a server may well do
    """The server has closed the connection."""


@dataclass
class Reply:
    """`finished`: its last packet came. `called_off`: only after an attention."""

    data: bytes = b""
    finished: bool = False
    called_off: bool = False
    errors: list[int] = field(default_factory=list)


def login7(user: str, password: str, database: str, application: str = "fuzz") -> bytes:
    """MS-TDS 2.2.6.4."""
    scrambled = bytes((((b << 4) & 0xF0) | (b >> 4)) ^ 0xA5 for b in password.encode("utf-16-le"))
    texts = ["host", user, password, application, "server", "", "library", "", database]
    head = struct.pack("<IIIIIBBBBiI", 0x74000004, _PACKET, 7, 1, 0, 0xE0, 0x03, 0, 0, 0, 0x409)
    offset, table, body = 94, b"", b""
    for number, text in enumerate(texts):
        raw = scrambled if number == 2 else text.encode("utf-16-le")
        table += struct.pack("<HH", offset + len(body), len(text))
        body += raw
    table += b"\x00" * 6 + struct.pack("<HHHHHH", *(offset + len(body), 0) * 3) + struct.pack("<I", 0)
    whole = head + table
    return struct.pack("<I", 4 + len(whole) + len(body)) + whole + body


class Wire:
    """One connection with `Encrypt=strict`: TLS from its first byte."""

    def __init__(self, port: int, *, tls: bool = True) -> None:
        raw = socket.create_connection(("127.0.0.1", port), timeout=20)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket: socket.socket = raw
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = (
                False,
                ssl.CERT_NONE,
            )  # whose server it is, is not the question
            context.set_alpn_protocols(["tds/8.0"])
            self.socket = context.wrap_socket(raw, server_hostname="127.0.0.1")

    def close(self) -> None:
        self.socket.close()

    def send_raw(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Closed from error

    def send(self, kind: int, data: bytes, status: int = 0, packet: int = _PACKET) -> None:
        """A whole message; `status` goes with its first packet."""
        self.send_raw(packets(kind, data, status, packet))

    def log_in(self, user: str, password: str, database: str) -> None:
        self.send(PacketType.PRELOGIN, PRELOGIN)
        self.receive(20)
        self.send(PacketType.LOGIN7, login7(user, password, database))
        reply = self.receive(20)
        if 0xAD not in reply.data:
            raise Closed

    def finish(self) -> None:
        """Nothing more comes from this side."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_WR)  # under TLS, which can still be read

    def rest(self, seconds: float) -> Reply:
        """All that the server sends until it closes; AssertionError when it does not."""
        reply = Reply()
        self.socket.settimeout(seconds)
        try:
            while data := self.socket.recv(65536):
                reply.data += data
        except TimeoutError:
            raise AssertionError("the connection stays open") from None
        except OSError:
            return reply
        return reply

    def receive(self, seconds: float, most: int = 1 << 62) -> Reply:
        """One message, or what has come of it within `seconds` and `most` bytes; Closed where the server closed."""
        until = time.monotonic() + seconds
        reply = Reply()
        while True:
            head = self._take(HEADER.size, until)
            if head is None:
                return reply
            kind, status, length, _, _, _ = HEADER.unpack(head)
            if kind not in (PacketType.REPLY, PacketType.PRELOGIN) or not HEADER.size <= length <= 32768:
                raise AssertionError(f"a packet that is none: {head.hex()}")
            body = self._take(length - HEADER.size, time.monotonic() + 20)
            if body is None:
                raise AssertionError("half a packet")
            reply.data += body
            if status & Status.END_OF_MESSAGE:
                reply.finished = True
                return reply
            if len(reply.data) > most:
                return reply

    def _take(self, count: int, until: float) -> bytes | None:
        """None when nothing has come until then."""
        taken = b""
        while len(taken) < count:
            self.socket.settimeout(max(until - time.monotonic(), 0.01) if not taken else 20)
            try:
                data = self.socket.recv(count - len(taken))
            except TimeoutError:
                return None
            except OSError as error:
                raise Closed from error
            if not data:
                raise Closed
            taken += data
        return taken

    def request(self, kind: int, data: bytes, status: int = 0, *, patience: float, most: int = 4 << 20) -> Reply:
        """Send a message and read its answer; one that takes long or does not end is called off."""
        self.send(kind, data, status)
        return self.answer(patience, most)

    def answer(self, patience: float, most: int = 4 << 20) -> Reply:
        reply = self.receive(patience, most)
        if not reply.finished:
            self.send(PacketType.ATTENTION, b"")
            while True:
                rest = self.receive(20)
                if not rest.finished:
                    raise AssertionError("no answer, and no acknowledgement of an attention")
                if acknowledges(rest.data):
                    return Reply(reply.data, finished=True, called_off=True)
        return reply


def acknowledges(data: bytes) -> bool:
    """Whether a message ends with a DONE that answers an attention."""
    return len(data) >= 13 and data[-13] == 0xFD and bool(data[-12] & _ATTENTION_BIT)


def packets(kind: int, data: bytes, status: int = 0, packet: int = _PACKET) -> bytes:
    room = packet - HEADER.size
    out = b""
    for number, at in enumerate(range(0, max(len(data), 1), room), 1):
        chunk = data[at : at + room]
        last = Status.END_OF_MESSAGE if at + room >= len(data) else 0
        first = status if at == 0 else 0
        out += HEADER.pack(kind, first | last, len(chunk) + HEADER.size, 0, number & 0xFF, 0) + chunk
    return out
