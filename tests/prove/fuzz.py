"""Bad input to the SQL endpoint: broken packets, messages and T-SQL, over real sockets and to the decoders themselves.

Each case is made from the seed and its number alone. Over sockets, it must be answered with an error or a result, or
the connection closed; another session must go on meanwhile; and in the end the process must hold no more memory, file
handles and threads than it should, with no traceback and no secret in its log.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types

from setup_kit.sandbox.sql.errors import ProtocolError, SqlError
from setup_kit.sandbox.sql.language import parser
from setup_kit.sandbox.sql.tds import login, packets
from setup_kit.sandbox.sql.tds.bulk import BulkLoad
from setup_kit.sandbox.sql.tds.packets import PacketType
from setup_kit.sandbox.sql.tds.parameters import Calls
from tests.prove import garbage
from tests.prove.garbage_sql import HARD, sql
from tests.prove.wire import ALL_HEADERS, PRELOGIN, Closed, Reply, Wire, login7
from tests.sandbox.sql.apart import DATABASE, Apart
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD

#: How many cases of each kind; the hard ones come on top.
OPENINGS, LOGINS, REQUESTS, FRAMINGS, DECODED, PARSED = 4_000, 2_000, 40_000, 2_000, 122_000, 30_000
CLIENTS = 4
PATIENCE = 1.0  # seconds for a statement, which then is called off
MOST_MEMORY = 250 << 20  # above that of the process before
SECRETS = (PASSWORD, "Wrong-Secret-1", "Secret-Pass-99")
#: What no answer says. (A syntax error repeats the text that a client sent, secrets of that text too, as SQL Server's.)
FORBIDDEN = ("Traceback", "site-packages", ".py", "sqlite", "SQLite", "sqlglot", *SECRETS[:2])


@dataclass
class Outcome:
    cases: int = 0
    connections: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        self.cases += other.cases
        self.connections += other.connections
        self.faults += other.faults


def fuzzed(share: float, seed: int) -> bool:
    begun = time.perf_counter()
    total = Outcome()
    total.add(decode(seed, max(1, round(DECODED * share)), DECODERS))
    total.add(decode(seed, max(1, round(PARSED * share)), {"parser": parse}))
    with tempfile.TemporaryDirectory(prefix="setup-kit-prove-") as folder:
        total.add(attack(Path(folder), share, seed))
    for text in total.faults[:40]:
        print(text[:600], flush=True)
    print(
        f"fuzz: {total.cases - len(total.faults):,} of {total.cases:,} answered rightly or closed, "
        f"{total.connections:,} connections, {time.perf_counter() - begun:.0f} s",
        flush=True,
    )
    return not total.faults


# Decoders by themselves


def _calls(data: bytes) -> None:
    calls = Calls(data)
    for _ in calls:
        while calls.repeats(100):
            pass


def _bulk(data: bytes) -> None:
    pieces = [data[at : at + 40] for at in range(0, len(data), 40)]
    for _ in BulkLoad(lambda: pieces.pop(0) if pieces else b"").rows():
        pass


DECODERS: dict[str, Callable[[random.Random], None]] = {
    "PRELOGIN": lambda chance: _discard(login.PreLogin.decode(garbage.mutated(PRELOGIN, chance))),
    "LOGIN7": lambda chance: _discard(login.Login7.decode(garbage.mutated(login7("sa", "x", "m"), chance))),
    "RPC": lambda chance: _calls(ALL_HEADERS + garbage.mutated(chance.choice(garbage.CALLS), chance, garbage.CALLS)),
    "transaction": lambda chance: _discard(
        packets.TransactionManagerRequest.decode(garbage.mutated(chance.choice(garbage.TRANSACTIONS), chance))
    ),
    "bulk load": lambda chance: _bulk(garbage.mutated(garbage.BULK, chance)),
    "batch": lambda chance: _discard(packets.decode_batch(garbage.mutated(ALL_HEADERS + b"S\x00E\x00" * 9, chance))),
}


def _discard(_: object) -> None:
    return None


def parse(chance: random.Random) -> None:
    parser.parse_batch(sql(chance))


def decode(seed: int, count: int, decoders: dict[str, Callable[[random.Random], None]]) -> Outcome:
    """Only errors that are told to a client, or that end its connection, may come out."""
    outcome = Outcome()
    names = list(decoders)
    for number in range(count):
        name = names[number % len(names)]
        outcome.cases += 1
        try:
            decoders[name](random.Random(f"{seed} {name} {number}"))
        except (ProtocolError, SqlError):
            continue
        except Exception:  # noqa: BLE001 - whatever it is, it is a fault
            outcome.faults.append(f"{name} {number}: {traceback.format_exc(limit=-2)}")
    return outcome


# Over sockets


def attack(folder: Path, share: float, seed: int) -> Outcome:
    """Every kind over sockets, several clients at once, beside a session that does its work."""
    apart = Apart(folder)
    watch = Watch(apart)
    try:
        total = Outcome()
        kinds: list[tuple[Callable[[Clients, random.Random, int], None], int]] = [
            (open_badly, OPENINGS), (log_in_badly, LOGINS), (frame_badly, FRAMINGS), (ask_badly, REQUESTS),
        ]  # fmt: skip
        with ThreadPoolExecutor(CLIENTS) as pool:
            for kind, count in kinds:
                numbers = range(max(1, round(count * share)))
                parts = [numbers[start::CLIENTS] for start in range(CLIENTS)]
                for outcome in pool.map(lambda part, kind=kind: run(apart, watch, kind, seed, part), parts):
                    total.add(outcome)
                total.faults += watch.ask()
        total.add(run(apart, watch, ask_hard, seed, range(len(HARD))))
        total.faults += watch.at_the_end()
        return total
    finally:
        apart.kill()


class Clients:
    """The connection that one thread of the attack is using."""

    def __init__(self, apart: Apart) -> None:
        self.apart = apart
        self.outcome = Outcome()
        self._wire: Wire | None = None

    def connect(self, *, tls: bool = True) -> Wire:
        self.outcome.connections += 1
        return Wire(self.apart.port, tls=tls)

    def session(self) -> Wire:
        """One that has logged in, kept as long as the server keeps it."""
        if self._wire is None:
            self._wire = self.connect()
            self._wire.log_in(ADMINISTRATOR, PASSWORD, DATABASE)
            self._wire.request(PacketType.SQL_BATCH, ALL_HEADERS + TABLES.encode("utf-16-le"), patience=20)
        return self._wire

    def drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


TABLES = """
IF OBJECT_ID(N'dbo.t') IS NULL CREATE TABLE dbo.t (a int NULL, b nvarchar(max) NULL);
IF OBJECT_ID(N'dbo.u') IS NULL CREATE TABLE dbo.u (a int NULL, b nvarchar(max) NULL);
SET LOCK_TIMEOUT 200
"""


def run(
    apart: Apart, watch: Watch, kind: Callable[[Clients, random.Random, int], None], seed: int, numbers: range
) -> Outcome:
    clients = Clients(apart)
    for done, number in enumerate(numbers):
        clients.outcome.cases += 1
        try:
            kind(clients, random.Random(f"{seed} {kind.__name__} {number}"), number)
        except Closed:
            clients.drop()
        except Exception:  # noqa: BLE001 - whatever it is, it is a fault
            clients.drop()
            clients.outcome.faults.append(f"{kind.__name__} {number}: {traceback.format_exc(limit=-2)}")
        if done % 500 == 499:
            clients.outcome.faults += watch.ask()
    clients.drop()
    return clients.outcome


def open_badly(clients: Clients, chance: random.Random, number: int) -> None:
    with contextlib.closing(clients.connect(tls=False)) as wire:
        wire.send_raw(garbage.opening(chance))
        if chance.random() < 0.8:
            wire.finish()
            check(wire.rest(20))


def log_in_badly(clients: Clients, chance: random.Random, number: int) -> None:
    with contextlib.closing(clients.connect()) as wire:
        wire.send_raw(garbage.login(chance))
        if chance.random() < 0.8:
            wire.finish()
            check(wire.rest(20))


def frame_badly(clients: Clients, chance: random.Random, number: int) -> None:
    with contextlib.closing(clients.connect()) as wire:
        wire.log_in(ADMINISTRATOR, PASSWORD, DATABASE)
        wire.send_raw(garbage.framing(chance))
        wire.finish()
        check(wire.rest(20))


def ask_badly(clients: Clients, chance: random.Random, number: int) -> None:
    kind, data, status = garbage.request(chance)
    wire = clients.session()
    if chance.random() < 0.02:  # a flood of attentions, before and behind the request
        for _ in range(chance.randrange(20)):
            wire.send(PacketType.ATTENTION, b"")
    wire.send(kind, data, status)
    if chance.random() < 0.02:
        clients.drop()  # gone without waiting
        return
    if kind == PacketType.ATTENTION or status & 0x02:
        with contextlib.suppress(Closed):
            check(wire.answer(PATIENCE))
        clients.drop()
        return
    check(wire.answer(PATIENCE))
    if chance.random() < 0.02:
        clients.drop()


def ask_hard(clients: Clients, chance: random.Random, number: int) -> None:
    reply = clients.session().request(
        PacketType.SQL_BATCH, ALL_HEADERS + HARD[number].encode("utf-16-le", "surrogatepass"), patience=4
    )
    check(reply)


def check(reply: Reply) -> None:
    """No answer tells of what is inside."""
    for text in FORBIDDEN:
        if text.encode("utf-16-le") in reply.data:
            at = reply.data.index(text.encode("utf-16-le"))
            shown = reply.data[max(at - 200, 0) : at + 400].decode("utf-16-le", "replace")
            raise AssertionError(f"an answer says {text!r}: {shown!r}")


# What must hold meanwhile and afterwards


class Watch:
    """Another session of the same endpoint, and the process's own figures."""

    def __init__(self, apart: Apart) -> None:
        self._apart = apart
        self._asking = threading.Lock()
        with contextlib.closing(apart.connect("master")) as connection:
            connection.execute("CREATE DATABASE watched")
        self._session = apart.connect("watched", autocommit=False)
        self._session.execute("CREATE TABLE dbo.watched (a int NOT NULL)")
        self._session.execute("INSERT INTO dbo.watched VALUES (1), (2), (3)")
        for held in [Wire(apart.port) for _ in range(CLIENTS)]:
            held.close()
        self._handles, self._threads, self._memory = self._figures()

    def ask(self) -> list[str]:
        """What is not as it must be for a session with an open transaction."""
        try:
            with self._asking:
                row = tuple(self._session.execute("SELECT COUNT(*), SUM(a), @@TRANCOUNT FROM dbo.watched").fetchone())
        except pyodbc.Error as error:
            return [f"another session was harmed: {error}"]
        return [] if row == (3, 6, 1) else [f"another session was answered {row}"]

    def at_the_end(self) -> list[str]:
        found = self.ask()
        deadline = time.monotonic() + 20
        while (figures := self._figures())[0] > self._handles and time.monotonic() < deadline:
            time.sleep(0.1)
        handles, threads, memory = figures
        if handles > self._handles:
            found.append(f"{handles} file handles instead of {self._handles}")
        if threads > self._threads + 2 * CLIENTS:
            found.append(f"{threads} threads instead of {self._threads}")
        if memory > self._memory + MOST_MEMORY:
            found.append(f"{memory >> 20} MiB instead of {self._memory >> 20}")
        log = (self._apart.folder / "log.txt").read_text(errors="replace")
        requests = (self._apart.folder / "requests.txt").read_text(errors="replace")
        for place in _faults_in(log):
            found.append(place)
        found += [f"a secret in the log: {secret}" for secret in SECRETS if secret in log or secret in requests]
        if not self._apart.process.is_alive():
            found.append("the endpoint has ended")
        print(
            f"the endpoint's process: {memory >> 20} MiB, {handles} handles, {threads} threads; before: "
            f"{self._memory >> 20} MiB, {self._handles} handles, {self._threads} threads",
            flush=True,
        )
        return found

    def _figures(self) -> tuple[int, int, int]:
        place = Path(f"/proc/{self._apart.pid}")
        pages = int((place / "statm").read_text().split()[1])
        return (
            len(list((place / "fd").iterdir())),
            len(list((place / "task").iterdir())),
            pages * os.sysconf("SC_PAGESIZE"),
        )


def _faults_in(log: str) -> Iterator[str]:
    """Errors that the endpoint did not foresee."""
    lines = log.splitlines()
    seen: set[str] = set()
    for number, line in enumerate(lines):
        if line.startswith("ERROR:"):
            end = next(
                (
                    n
                    for n in range(number + 1, len(lines))
                    if lines[n].startswith(("ERROR:", "DEBUG:", "WARNING:", "INFO:"))
                ),
                len(lines),
            )
            text = "\n".join(lines[number:end])
            if (key := "\n".join(text.splitlines()[-4:])) not in seen:
                seen.add(key)
                yield f"in the log: {text[:200]} … {text[-400:]}"
