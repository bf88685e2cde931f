"""The servers of a run, in a process of their own: some calls of pyodbc keep the interpreter's lock while they wait."""

from __future__ import annotations

import contextlib
import multiprocessing
import ssl
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import trustme

from tests.sandbox.sql.conformance.client import Place, World
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, TENANT, Host, Person, Policy

_OPERATOR = "1a2b3c4d-0000-4000-8000-000000000001"
_TOKEN = "header.claims.signature"

_processes = multiprocessing.get_context("spawn")


def _serve(folder: Path, pipe: Connection) -> None:
    authority = trustme.CA()
    with contextlib.ExitStack() as stack:

        def server(
            label: str, signer: trustme.CA = authority, name: str = "localhost", tls: ssl.TLSVersion | None = None
        ) -> Place:
            own = folder / label
            own.mkdir()
            trusted = own / "authority.pem"
            authority.cert_pem.write_to_path(str(trusted))
            host = Host(own / "data", signer, own, name=name, tls=tls)
            stack.callback(host.close)
            host.people[_TOKEN] = Person(_OPERATOR, "app", TENANT, "operator@example.com")
            started = host.serve(Policy("conformance", administrator=_OPERATOR))
            return Place(started.port, trusted, host.certificate)

        pipe.send(
            World(
                main=server("main"),
                only_tls_1_2=server("tls12", tls=ssl.TLSVersion.TLSv1_2),
                only_tls_1_3=server("tls13", tls=ssl.TLSVersion.TLSv1_3),
                other_authority=server("authority", trustme.CA()),
                other_name=server("name", name="elsewhere.example"),
                administrator=ADMINISTRATOR,
                password=PASSWORD,
                token=_TOKEN,
                bad_token="header.claims.forged",
            )
        )
        with contextlib.suppress(EOFError):  # the other end has closed: the run is over
            pipe.recv()


@contextlib.contextmanager
def started(folder: Path) -> Iterator[World]:
    ours, theirs = _processes.Pipe()
    process = _processes.Process(target=_serve, args=(folder, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.close()
        process.join(20)
        if process.is_alive():
            process.kill()
            process.join(20)
