"""Which part listens where, the same after every restart."""

from __future__ import annotations

import random
import socket

from setup_kit.sandbox.state import State

HOST = "127.0.0.1"
PORTS = "ports"
# Below the range that kernels hand to outgoing connections, so that none of those sits on a kept port at a restart.
FREE = range(10000, 32000)


class PortTaken(Exception):  # noqa: N818 (what happened, not a kind of failure)
    """A port that this sandbox must answer on is in use by another process."""


class Ports:
    """Gives each name a port once and keeps it in the state; with a base, ports count up from there."""

    def __init__(self, state: State, base: int | None) -> None:
        self._state = state
        kept = state.get("sandbox", "port-base")
        if kept is None:
            state.put("sandbox", "port-base", {"base": base})
        elif base is not None and kept["base"] != base:
            was = "free ones" if kept["base"] is None else f"from {kept['base']} on"
            raise PortTaken(f"this sandbox already has its ports ({was}); they cannot be moved to {base}")
        else:
            base = kept["base"]
        self._base = base

    def of(self, name: str) -> int:
        """The port of a part such as `authority` or `vault/x`; a new one is free at this moment."""
        kept = self._state.get(PORTS, name)
        if kept is not None:
            return int(kept["port"])
        taken = {int(body["port"]) for _, body in self._state.list(PORTS)}
        port = self._free(taken)
        self._state.put(PORTS, name, {"port": port})
        return port

    def _free(self, taken: set[int]) -> int:
        candidates = random.sample(FREE, len(FREE)) if self._base is None else range(self._base, 65536)
        return next(port for port in candidates if port not in taken and is_free(port))


def is_free(port: int) -> bool:
    """Whether nothing listens on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
