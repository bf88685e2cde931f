"""The byte stream of one connection: TDS packets, and TLS inside or around them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct

from setup_kit.sandbox.sql.errors import Cancelled, ProtocolError
from setup_kit.sandbox.sql.tds.packets import HEADER, Message, PacketType, Status

#: Longer messages are refused: memory stays bounded whatever a client sends. MS-TDS 2.2.6.4 bounds LOGIN7 itself.
LARGEST_LOGIN = 128 * 1024 - 1
LARGEST_REQUEST = 64 * 1024 * 1024
LARGEST_PACKET = 32768
_CLOSING_SECONDS = 5

#: Bytes of a bulk load that are handed on at a time.
BULK_PIECE = 256 * 1024


class Stream:
    """Reads and writes whole messages.

    TDS 7.4 carries the TLS handshake inside PRELOGIN packets and everything after it as plain TLS records
    (MS-TDS 3.2.5.1); TDS 8.0 starts with TLS. Both run through `ssl.MemoryBIO` here.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._clear = bytearray()
        self._write_lock = asyncio.Lock()
        self.packet_size = 4096
        self.largest_message = LARGEST_LOGIN
        self.spid = 0

    async def starts_with_tls(self) -> bool:
        """Whether the client opens with a TLS handshake (TDS 8.0) and not with a PRELOGIN packet."""
        first = await self._reader.readexactly(1)
        self._clear += first
        if first[0] == PacketType.TLS_RECORD:
            self._incoming.write(bytes(self._clear))
            self._clear.clear()
            return True
        return False

    async def start_tls(self, context: ssl.SSLContext, *, inside_packets: bool) -> None:
        """Do the server's side of the handshake; raises ssl.SSLError when the client refuses the certificate.

        Inside packets that is TLS 1.2 at most, as with SQL Server: "TLS 1.3 is supported with TDS 8.0". The context is
        read here and now, so that changing it leaves other connections alone.
        """
        context.maximum_version = ssl.TLSVersion.TLSv1_2 if inside_packets else ssl.TLSVersion.MAXIMUM_SUPPORTED
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                finished = True
            except ssl.SSLWantReadError:
                finished = False
            flight = self._outgoing.read()
            if flight:
                await self._send_raw(self._packets(PacketType.PRELOGIN, flight) if inside_packets else flight)
            if finished:
                break
            if inside_packets:
                message = await self.read()
                if message.type != PacketType.PRELOGIN:
                    raise ProtocolError("a TLS handshake was expected")
                self._incoming.write(message.data)
            else:
                await self._fill_incoming()
        self._tls = tls

    async def _fill_incoming(self) -> None:
        data = await self._reader.read(65536)
        if not data:
            raise asyncio.IncompleteReadError(b"", None)
        self._incoming.write(data)

    async def _take(self, count: int) -> bytes:
        clear = self._clear
        if self._tls is None:
            if len(clear) < count:
                clear += await self._reader.readexactly(count - len(clear))
        else:
            while len(clear) < count:
                try:
                    data = self._tls.read(65536)
                except ssl.SSLWantReadError:
                    await self._fill_incoming()
                    continue
                if not data:
                    raise asyncio.IncompleteReadError(b"", count)
                clear += data
        taken = bytes(clear[:count])
        del clear[:count]
        return taken

    async def read(self) -> Message:
        """The next whole message; IncompleteReadError when the client has gone.

        One that the client gave up half sent comes without its data and with status IGNORE, for it wants an answer.
        """
        parts: list[bytes] = []
        size = 0
        first_kind = first_status = 0
        while True:
            kind, status, data = await self._packet()
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

    async def read_on(self, least: int) -> tuple[bytes, int]:
        """More of a bulk load that `read` gave in part: at least so many bytes or up to its end; the last status.

        An attention ends it with the status IGNORE alone.
        """
        parts: list[bytes] = []
        size = status = 0
        while size < least and not status & Status.END_OF_MESSAGE:
            kind, status, data = await self._packet()
            if kind == PacketType.ATTENTION:
                return b"", Status.IGNORE
            if kind != PacketType.BULK_LOAD:
                raise ProtocolError(f"packet of type {kind} in a bulk load")
            parts.append(data)
            size += len(data)
        return b"".join(parts), status

    async def _packet(self) -> tuple[int, int, bytes]:
        kind, status, length, _, _, _ = HEADER.unpack(await self._take(HEADER.size))
        if length < HEADER.size or length > LARGEST_PACKET:
            raise ProtocolError(f"packet of {length} bytes")
        return kind, status, await self._take(length - HEADER.size)

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

    async def write(self, kind: int, data: bytes, *, final: bool = True) -> None:
        """Send `data` as packets of one message; with `final=False` more of the message follows."""
        await self._send(self._packets(kind, data, final=final))

    async def _send(self, data: bytes) -> None:
        async with self._write_lock:
            if self._tls is None:
                await self._send_raw(data)
                return
            view = memoryview(data)
            while view:
                view = view[self._tls.write(view) :]
            await self._send_raw(self._outgoing.read())

    async def _send_raw(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def abort(self) -> None:
        """Break off without a word; whoever reads or writes here gets an error."""
        self._writer.transport.abort()

    def reset(self) -> None:
        """As `abort`, and the client's side learns of it by RST."""
        found = self._writer.get_extra_info("socket")
        if found is not None:  # no lingering is what makes the kernel send RST and not FIN
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    async def close(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSING_SECONDS):
                await self._writer.wait_closed()
        except TimeoutError:  # the client takes no more
            self.abort()
        except (OSError, ssl.SSLError):  # the client closed first: there is nobody left to tell
            return


class BulkMessage:
    """The message of a bulk load, read ahead a little while the session works on what it has.

    `attention` and `ignored` tell how the client gave it up.
    """

    def __init__(self, stream: Stream, first: Message, loop: asyncio.AbstractEventLoop) -> None:
        self._stream = stream
        self._loop = loop
        self._first = first.data
        self.attention = self.ignored = False
        self.whole = asyncio.Event()  # the client has sent all that it is going to
        self._ahead = None if first.complete else self._loop.create_task(self._read_ahead())
        if first.complete:
            self.whole.set()

    async def _read_ahead(self) -> bytes | None:
        """The next piece; None when the client has given up."""
        status = int(Status.END_OF_MESSAGE)
        try:
            data, status = await self._stream.read_on(BULK_PIECE)
        finally:
            self.attention = status == Status.IGNORE
            self.ignored = bool(status & Status.IGNORE)
            if status & (Status.END_OF_MESSAGE | Status.IGNORE):
                self.whole.set()
        return None if self.ignored else data

    def read(self) -> bytes:
        """The next piece, for the session's thread; nothing at the end. Raises Cancelled, ConnectionError."""
        if self._first:
            first, self._first = self._first, b""
            return first
        return asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()

    async def _next(self) -> bytes:
        if self._ahead is None:
            return b""
        try:
            data = await self._ahead
        except asyncio.IncompleteReadError as error:
            raise ConnectionError("the client has gone") from error
        self._ahead = None if self.whole.is_set() else self._loop.create_task(self._read_ahead())
        if data is None:
            raise Cancelled
        return data

    async def skip(self) -> None:
        """Read the rest for nothing: the client sends all of it before it looks at the answer."""
        with contextlib.suppress(Cancelled):
            while self._ahead is not None:
                await self._next()

    async def close(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)
