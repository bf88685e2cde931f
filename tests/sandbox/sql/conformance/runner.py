"""Runs checks with one driver: here, or in a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import traceback
from abc import ABC, abstractmethod
from dataclasses import replace
from multiprocessing.connection import Connection

from tests.sandbox.sql.conformance.catalogue import CHECKS
from tests.sandbox.sql.conformance.client import Client, Options, World
from tests.sandbox.sql.conformance.clients import CLIENTS
from tests.sandbox.sql.conformance.session import Session

#: Seconds for one check in a process of its own, its start included.
LIMIT = 120

_processes = multiprocessing.get_context("spawn")


class Runner(ABC):
    @abstractmethod
    def run(self, check: str) -> None:
        """Raises AssertionError, or whatever the driver raises, when the check fails."""

    @abstractmethod
    def close(self) -> None: ...


class Here(Runner):
    """Shares one connection between the checks; what one has not committed is rolled back, and NOCOUNT is off again."""

    def __init__(self, client: Client, world: World) -> None:
        database = f"{''.join(letter for letter in client.name if letter.isalnum())}{os.getpid()}"
        master = Options("master", world.administrator, world.password, autocommit=True)
        with contextlib.closing(Session(client, world, world.main, master)) as session:
            session.run(f"CREATE DATABASE {database}")
        self.session = Session(client, world, world.main, replace(master, database=database, autocommit=False))

    def run(self, check: str) -> None:
        try:
            CHECKS[check].body(self.session)
        except BaseException:
            with contextlib.suppress(Exception):  # the connection may be the very thing that broke
                self.session.close()
            self.session._connection = None
            raise
        self.session.run("SET NOCOUNT OFF")
        self.session.rollback()

    def close(self) -> None:
        self.session.close()


def _serve(name: str, world: World, pipe: Connection) -> None:
    runner = Here(CLIENTS[name](), world)
    while True:
        try:
            check = pipe.recv()
        except EOFError:
            runner.close()
            return
        try:
            runner.run(check)
        except Exception as error:  # noqa: BLE001 - told to the process that asked
            lines = traceback.TracebackException.from_exception(error, capture_locals=True)
            pipe.send("".join(lines.format()))
        else:
            pipe.send(None)


class Apart(Runner):
    """Asks a process that has the driver to itself; starts another when a check has ended it."""

    def __init__(self, client: type[Client], world: World) -> None:
        self.client, self.world = client, world
        self.process: multiprocessing.process.BaseProcess | None = None

    def _start(self) -> None:
        self.pipe, theirs = _processes.Pipe()
        self.process = _processes.Process(target=_serve, args=(self.client.name, self.world, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def run(self, check: str) -> None:
        if self.process is None:
            self._start()
        assert self.process is not None
        try:
            self.pipe.send(check)
            if not self.pipe.poll(LIMIT):
                self.process.kill()
                raise AssertionError(f"no answer in {LIMIT} s")
            failure = self.pipe.recv()
        except (EOFError, ConnectionError):
            self.process.join(LIMIT)
            raise AssertionError(f"the driver's process ended with {self.process.exitcode}") from None
        finally:
            if not self.process.is_alive():
                self.close()
        assert failure is None, failure

    def close(self) -> None:
        if self.process is not None:
            self.pipe.close()
            self.process.join(10)
            if self.process.is_alive():
                self.process.kill()
                self.process.join(10)
            self.process = None


def runner(client: type[Client], world: World) -> Runner:
    return Apart(client, world) if client.apart else Here(client(), world)
