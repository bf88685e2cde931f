"""The byte stream of one connection: TDS packets, and TLS inside or around them."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import threading
import time

from setup_kit.sandbox.sql.errors import Cancelled, ProtocolError
from setup_kit.sandbox.sql.tds.packets import HEADER, Message, PacketType, Status

#: Longer messages are refused: memory stays bounded whatever a client sends. MS-TDS 2.2.6.4 bounds LOGIN7 itself.
LARGEST_LOGIN = 128 * 1024 - 1
LARGEST_REQUEST = 64 * 1024 * 1024
LARGEST_PACKET = 32768

_RECEIVED = 64 * 1024  # bytes taken from the socket or out of TLS at a time

#: Bytes of a bulk load that are handed on at a time.
BULK_PIECE = 256 * 1024

# Two connections that wrap at once would find each other's version in the context.
_WRAPPING = threading.Lock()

# Looks at one socket, whatever its number; without a file handle of its own.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Stream:
    """Reads and writes whole messages, for one thread, which waits as long as the client takes.

    TDS 7.4 carries the TLS handshake inside PRELOGIN packets and everything after it as plain TLS records
    (MS-TDS 3.2.5.1); TDS 8.0 starts with TLS. Both run through `ssl.MemoryBIO` here.

    ConnectionError where the client has gone, TimeoutError after `deadline` (of `time.monotonic`, None for none).
    """

    def __init__(self, client: socket.socket) -> None:
        self._socket = client
        self._selector = _Selector()
        self._selector.register(client, selectors.EVENT_READ)
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._clear = bytearray()
        self.packet_size = 4096
        self.largest_message = LARGEST_LOGIN
        self.deadline: float | None = None
        self.spid = 0

    def starts_with_tls(self) -> bool:
        """Whether the client opens with a TLS handshake (TDS 8.0) and not with a PRELOGIN packet."""
        self._clear += self._receive()
        return self._clear[0] == PacketType.TLS_RECORD

    def start_tls(self, context: ssl.SSLContext, *, inside_packets: bool) -> None:
        """Do the server's side of the handshake; raises ssl.SSLError when the client refuses the certificate.

        Inside packets that is TLS 1.2 at most, as with SQL Server: "TLS 1.3 is supported with TDS 8.0".
        """
        tls = _wrap(context, self._incoming, self._outgoing, inside_packets=inside_packets)
        if not inside_packets:
            self._clear_to_tls()
        while True:
            try:
                tls.do_handshake()
                finished = True
            except ssl.SSLWantReadError:
                finished = False
            flight = self._outgoing.read()
            if flight:
                self._socket.sendall(self._packets(PacketType.PRELOGIN, flight) if inside_packets else flight)
            if finished:
                break
            if inside_packets:
                message = self.read()
                if message.type != PacketType.PRELOGIN:
                    raise ProtocolError("a TLS handshake was expected")
                self._incoming.write(message.data)
            else:
                self._incoming.write(self._receive())
        self._clear_to_tls()
        self._tls = tls

    def _clear_to_tls(self) -> None:
        """What came behind the last packet in the clear are TLS records."""
        self._incoming.write(bytes(self._clear))
        self._clear.clear()

    def _receive(self) -> bytes:
        self._heed_deadline()
        data = self._socket.recv(_RECEIVED)
        if not data:
            raise ConnectionAbortedError("the client has gone")
        return data

    def _heed_deadline(self) -> None:
        if self.deadline is None:
            return
        rest = self.deadline - time.monotonic()
        if rest <= 0:
            raise TimeoutError("the client took too long")
        self._socket.settimeout(rest)

    def logged_in(self) -> None:
        """From now on the client may take its time, and ask more at once."""
        self.deadline = None
        self._socket.settimeout(None)
        self.largest_message = LARGEST_REQUEST

    def has_more(self, seconds: float = 0) -> bool:
        """Whether the client has sent something that was not read yet, or has gone; waits for it for so long."""
        return bool(self._clear or self._incoming.pending or self._selector.select(seconds))

    def _take(self, count: int) -> bytes:
        clear = self._clear
        while len(clear) < count:
            if self._tls is None:
                clear += self._receive()
                continue
            try:
                data = self._tls.read(_RECEIVED)
            except ssl.SSLWantReadError:
                self._incoming.write(self._receive())
                continue
            if not data:
                raise ConnectionAbortedError("the client has ended TLS")
            clear += data
        taken = bytes(clear[:count])
        del clear[:count]
        return taken

    def read(self) -> Message:
        """The next whole message.

        One that the client gave up half sent comes without its data and with status IGNORE, for it wants an answer.
        """
        parts: list[bytes] = []
        size = 0
        first_kind = first_status = 0
        while True:
            kind, status, data = self._packet()
            if kind == PacketType.ATTENTION:
                return Message(kind, status, b"")
            if not parts:
                first_kind, first_status = kind, status
            if kind != first_kind:
                raise ProtocolError(f"packet of type {kind} in a message of type {first_kind}")
            size += len(data)
            if size > self.largest_message:
                raise ProtocolError("request is too large")
            parts.append(data)
            if kind == PacketType.BULK_LOAD and not status & Status.END_OF_MESSAGE:
                return Message(kind, status, data, complete=False)
            if status & Status.END_OF_MESSAGE:
                if status & Status.IGNORE:  # the client changed its mind in the middle of a message
                    return Message(kind, Status.IGNORE, b"")
                return Message(kind, first_status & ~Status.IGNORE, parts[0] if len(parts) == 1 else b"".join(parts))

    def read_on(self, least: int) -> tuple[bytes, int]:
        """More of a bulk load that `read` gave in part: at least so many bytes or up to its end; the last status.

        An attention ends it with the status IGNORE alone.
        """
        parts: list[bytes] = []
        size = status = 0
        while size < least and not status & Status.END_OF_MESSAGE:
            kind, status, data = self._packet()
            if kind == PacketType.ATTENTION:
                return b"", Status.IGNORE
            if kind != PacketType.BULK_LOAD:
                raise ProtocolError(f"packet of type {kind} in a bulk load")
            parts.append(data)
            size += len(data)
        return b"".join(parts), status

    def _packet(self) -> tuple[int, int, bytes]:
        kind, status, length, _, _, _ = HEADER.unpack(self._take(HEADER.size))
        if length < HEADER.size or length > LARGEST_PACKET:
            raise ProtocolError(f"packet of {length} bytes")
        return kind, status, self._take(length - HEADER.size)

    def _packets(self, kind: int, data: bytes, *, final: bool = True) -> bytes:
        room = self.packet_size - HEADER.size
        out = bytearray()
        number = 1
        for at in range(0, max(len(data), 1), room):
            chunk = data[at : at + room]
            last = final and at + room >= len(data)
            out += HEADER.pack(kind, Status.END_OF_MESSAGE if last else 0, len(chunk) + 8, self.spid, number & 0xFF, 0)
            out += chunk
            number += 1
        return bytes(out)

    def write(self, kind: int, data: bytes, *, final: bool = True) -> None:
        """Send `data` as packets of one message; with `final=False` more of the message follows."""
        packets = self._packets(kind, data, final=final)
        if self._tls is not None:
            view = memoryview(packets)
            while view:
                view = view[self._tls.write(view) :]
            packets = self._outgoing.read()
        self._heed_deadline()
        self._socket.sendall(packets)

    def abort(self) -> None:
        """Break off without a word, from any thread: the one that reads or writes here gets an error."""
        with contextlib.suppress(OSError):  # it has gone
            self._socket.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Break off, and the client's side learns of it by RST: no lingering is what makes the kernel send that."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._selector.close()
        self._socket.close()


def _wrap(
    context: ssl.SSLContext, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *, inside_packets: bool
) -> ssl.SSLObject:
    """The context is read here and now, so that changing it leaves other connections alone."""
    with _WRAPPING:
        context.maximum_version = ssl.TLSVersion.TLSv1_2 if inside_packets else ssl.TLSVersion.MAXIMUM_SUPPORTED
        return context.wrap_bio(incoming, outgoing, server_side=True)


class BulkMessage:
    """The message of a bulk load, read as the session asks for more, or ahead of it while it waits.

    `whole`: the client has sent all that it is going to. `attention` and `ignored` tell how it gave it up.
    """

    def __init__(self, stream: Stream, first: Message) -> None:
        self._stream = stream
        self._ahead = first.data
        self.whole = first.complete
        self.attention = self.ignored = False

    def read(self) -> bytes:
        """The next piece; nothing at the end. Raises Cancelled where the client gives up."""
        if not self._ahead and not self.whole:
            self._read_on(BULK_PIECE)
        if self.ignored:
            raise Cancelled
        data, self._ahead = self._ahead, b""
        return data

    def _read_on(self, least: int) -> None:
        data, status = self._stream.read_on(least)
        self.attention = status == Status.IGNORE
        self.ignored = bool(status & Status.IGNORE)
        self.whole = bool(status & (Status.END_OF_MESSAGE | Status.IGNORE))
        self._ahead += data

    def given_up(self) -> bool:
        """Whether the client does not want it any more, as far as it can be told without waiting."""
        while not self.whole and len(self._ahead) < BULK_PIECE and self._stream.has_more():
            self._read_on(1)
        return self.ignored or (self.whole and self._stream.has_more())

    def skip(self) -> None:
        """Read the rest for nothing: the client sends all of it before it looks at the answer."""
        with contextlib.suppress(Cancelled):
            while not self.whole:
                self._ahead = b""
                self.read()
