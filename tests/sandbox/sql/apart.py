"""A SQL endpoint in a process of its own, which can be killed and started again on the same folder within moments."""

from __future__ import annotations

import logging
import multiprocessing
import resource
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import trustme

from tests.forks import FORKS
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, Host, Policy, driver

SERVER, DATABASE = "apart", "kept"


class FileLog:
    """The request log as lines of a file: the process does not grow with it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._lock = threading.Lock()

    def add(
        self, part: str, method: str, path: str, status: int, milliseconds: float, caller: str, fault: str = ""
    ) -> None:
        with self._lock:
            self._file.write(f"{part} {method} {path} {status} {caller}\n")


def _serve(folder: Path, ready: Connection, handles: int) -> None:
    if handles:
        resource.setrlimit(resource.RLIMIT_NOFILE, (handles, handles))
    for name in ("data", "tls"):
        (folder / name).mkdir(exist_ok=True)
    logging.basicConfig(filename=folder / "log.txt", level=logging.DEBUG)
    host = Host(folder / "data", trustme.CA(), folder / "tls", FileLog(folder / "requests.txt"))
    server = host.serve(Policy(SERVER))
    server.database(DATABASE)
    ready.send(server.port)
    try:
        ready.recv()
    except EOFError:  # the other end has closed, which is how this one is told to stop
        host.close()


class Apart:
    """The endpoint over `folder`, with one database; what it logs goes to `log.txt` and `requests.txt` there."""

    def __init__(self, folder: Path, *, handles: int = 0) -> None:
        """`handles`: the file handles that the process may have, when not as many as this one."""
        self.folder = folder
        self._ours, theirs = multiprocessing.Pipe()
        self.process = FORKS.Process(target=_serve, args=(folder, theirs, handles), daemon=True)
        self.process.start()
        theirs.close()
        self._port = 0
        self._asking = threading.Lock()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    @property
    def port(self) -> int:
        """Where it listens, once it does; EOFError when it has been killed before."""
        with self._asking:
            if not self._port:
                self._port = self._ours.recv()
            return self._port

    @property
    def certificate(self) -> Path:
        return self.folder / "tls" / "sql.pem"

    def connection_string(self, database: str = DATABASE) -> str:
        return (
            f"Driver={driver()};Server=tcp:127.0.0.1,{self.port};Encrypt=strict;Database={database};"
            f"ServerCertificate={self.certificate};UID={ADMINISTRATOR};PWD={PASSWORD};ConnectRetryCount=0"
        )

    def connect(self, database: str = DATABASE, *, autocommit: bool = True) -> pyodbc.Connection:
        return pyodbc.connect(self.connection_string(database), autocommit=autocommit, timeout=20)

    def kill(self) -> None:
        self.process.kill()
        self.process.join(20)
        self._ours.close()

    def stop(self) -> int:
        """End it in good order; its exit status."""
        self._ours.close()
        self.process.join(30)
        assert self.process.exitcode is not None, "it did not end"
        return self.process.exitcode
