"""A TCP relay between the service and the database that breaks connections when told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class BreakingProxy:
    """Relays to `target`; the first `breaks` connections that send more than `after` bytes are cut off there."""

    def __init__(self, target: tuple[str, int], *, breaks: int, after: int) -> None:
        self._target = target
        self._breaks = breaks
        self._after = after
        self._lock = threading.Lock()
        self.broken = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # On Linux, closing alone does not wake a thread that waits in accept or recv.
        for each in (self._listener, *self._sockets):
            _end(each)
        for thread in self._threads:
            thread.join(5)

    def _run(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            self._run(self._relay, client, server, True)
            self._run(self._relay, server, client, False)

    def _relay(self, source: socket.socket, sink: socket.socket, upwards: bool) -> None:
        sent = 0
        try:
            while data := source.recv(65536):
                sent += len(data)
                if upwards and sent > self._after and self._may_break():
                    break
                sink.sendall(data)
        except OSError:
            pass
        finally:
            _end(source)
            _end(sink)

    def _may_break(self) -> bool:
        with self._lock:
            if self.broken >= self._breaks:
                return False
            self.broken += 1
            return True


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it may have ended already
        each.shutdown(socket.SHUT_RDWR)
    each.close()
