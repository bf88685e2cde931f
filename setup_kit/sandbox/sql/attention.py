"""Whether a request is to end before it is done: its client sends an attention, or has gone, or the server ends it."""

from __future__ import annotations

import threading

from setup_kit.sandbox.sql.tds.stream import BulkMessage, Stream


class Attention:
    """The thread that carries a request out looks here now and then; `end` may be called from any.

    Set `listening` while a request runs whose message has come whole: all that a client may send then is an attention.
    It stays to be read. While a bulk load runs set `load`: there it comes in or behind the rest of the message.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._ended = threading.Event()
        self.listening = False
        self.load: BulkMessage | None = None

    def is_set(self) -> bool:
        return self.wait(0)

    def wait(self, seconds: float) -> bool:
        """Take so long, unless there is reason to end before that; whether there is."""
        if self.listening:
            return self._stream.has_more(seconds) or self._ended.is_set()
        return self._ended.wait(seconds) or (self.load is not None and self.load.given_up())

    def end(self) -> None:
        """Break the connection off."""
        self._ended.set()
        self._stream.abort()
