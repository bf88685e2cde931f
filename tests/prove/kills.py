"""SIGKILL to the SQL endpoint at random moments of a concurrent write load: what was committed is there, wholly; what
was not is not, not in part.

Each writer carries out a fixed chain of transactions; its n-th leaves everything that belongs to the writer in a state
that follows from n alone. So after a kill the writer's rows, definitions and indexes must all say the same n: the last
that was acknowledged, or the next one, when its commit was under way.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types

from setup_kit.sandbox.sql.storage import catalog
from setup_kit.sandbox.sql.storage.store import connect
from tests.sandbox.sql.apart import SERVER, Apart

KILLS = 200
WRITERS = 4
LONGEST = 0.6  # seconds from a process's first commit, or one time in ten from its start, to its end
KEPT = 5  # rows and tables of this many transactions stay; each removes those of an earlier one

TABLES = """
CREATE TABLE dbo.progress (who int NOT NULL PRIMARY KEY, n int NOT NULL);
CREATE TABLE dbo.orders (who int NOT NULL, n int NOT NULL, note nvarchar(100) NOT NULL, PRIMARY KEY (who, n));
CREATE TABLE dbo.lines (id int IDENTITY(1, 1) NOT NULL, who int NOT NULL, n int NOT NULL, line int NOT NULL,
    amount decimal(18, 4) NOT NULL, CONSTRAINT once UNIQUE (who, n, line));
CREATE INDEX by_amount ON dbo.lines (amount);
CREATE TABLE dbo.numbers (k int NOT NULL PRIMARY KEY);
CREATE TABLE dbo.pages (who int NOT NULL, n int NOT NULL, k int NOT NULL, filler nvarchar(3000) NOT NULL);
"""
PAGES = 200  # so many rows of 3,000 characters make a commit that takes a while


@dataclass
class Writer:
    """`acknowledged` is the last transaction whose commit was answered, `begun` the last that was sent at all."""

    who: int
    random: random.Random
    acknowledged: int = 0
    begun: int = 0
    faults: list[str] = field(default_factory=list)

    def work(self, apart: Apart, under_way: threading.Event) -> None:
        """Transaction after transaction until the endpoint is gone."""
        try:
            connection = apart.connect(autocommit=False)
        except (pyodbc.Error, EOFError, OSError):
            return
        try:
            while True:
                if self.random.random() < 0.2:
                    self._carry_out(connection.cursor(), -1)
                    connection.rollback()
                self.begun = self.acknowledged + 1
                self._carry_out(connection.cursor(), self.begun)
                connection.commit()
                self.acknowledged = self.begun
                under_way.set()
        except pyodbc.Error as error:
            if error.args[0] not in ("08S01", "08001", "08003", "01000", "HY000"):
                self.faults.append(f"writer {self.who}: {error}")

    def _carry_out(self, cursor: pyodbc.Cursor, n: int) -> None:
        """Several statements over several tables, definitions among them. -1 is one that is going to be undone."""
        who = self.who
        cursor.execute("INSERT INTO dbo.orders VALUES (?, ?, ?)", who, n, note(n))
        for line in range(lines(n)):
            cursor.execute("INSERT INTO dbo.lines (who, n, line, amount) VALUES (?, ?, ?, ?)", who, n, line, n)
        cursor.execute("DELETE FROM dbo.lines WHERE who = ? AND n = ?", who, n - KEPT)
        cursor.execute("DELETE FROM dbo.orders WHERE who = ? AND n = ?", who, n - KEPT)
        cursor.execute("DELETE FROM dbo.pages WHERE who = ? AND n < ?", who, n)
        if n % 2:
            sql = "INSERT INTO dbo.pages SELECT ?, ?, k, REPLICATE(N'x', 3000) FROM dbo.numbers"
            cursor.execute(sql, who, n)
        if defines(n):
            name = f"made_{who}_{n % (2 * KEPT)}"
            cursor.execute(f"CREATE TABLE dbo.{name} (n int NOT NULL PRIMARY KEY, a nvarchar(10) NULL)")
            cursor.execute(f"CREATE INDEX by_a ON dbo.{name} (a)")
            cursor.execute(f"INSERT INTO dbo.{name} VALUES (?, N'x')", n)  # noqa: S608
        if defines(n - KEPT):
            cursor.execute(f"DROP TABLE dbo.made_{who}_{(n - KEPT) % (2 * KEPT)}")
        cursor.execute("UPDATE dbo.progress SET n = ? WHERE who = ?", n, who)

    def check(self, connection: pyodbc.Connection) -> list[str]:
        """What is not as it must be after a restart; then on from where the store is."""
        n = int(connection.execute("SELECT n FROM dbo.progress WHERE who = ?", self.who).fetchone()[0])
        found = []
        if n not in (self.acknowledged, self.begun):
            found.append(f"at {n}; {self.acknowledged} was acknowledged and {self.begun} begun")
        kept = range(max(n - KEPT + 1, 1), n + 1)
        for what, sql, expected in (
            ("orders", "SELECT n, note FROM dbo.orders WHERE who = ? ORDER BY n", [(k, note(k)) for k in kept]),
            (
                "lines",
                "SELECT n, line, CAST(amount AS int) FROM dbo.lines WHERE who = ? ORDER BY n, line",
                [(k, line, k) for k in kept for line in range(lines(k))],
            ),
            (
                "pages",
                "SELECT n, COUNT(*), MIN(LEN(filler)) FROM dbo.pages WHERE who = ? GROUP BY n",
                [(n, PAGES, 3000)] if n % 2 else [],
            ),
            (
                "tables",
                "SELECT name FROM sys.tables WHERE name LIKE CONCAT('made[_]', ?, '[_]%') ORDER BY name",
                sorted((f"made_{self.who}_{k % (2 * KEPT)}",) for k in kept if defines(k)),
            ),
        ):
            rows = [tuple(row) for row in connection.execute(sql, self.who).fetchall()]
            if rows != expected:
                found.append(f"{what} at {n}: {rows} instead of {expected}")
        for k in kept:
            if defines(k):
                sql = f"SELECT n, a FROM dbo.made_{self.who}_{k % (2 * KEPT)}"  # noqa: S608
                rows = [tuple(row) for row in connection.execute(sql).fetchall()]
                if rows != [(k, "x")]:
                    found.append(f"a made table at {n}: {rows}")
        self.acknowledged = self.begun = n
        return [f"writer {self.who}: {text}" for text in found]


def note(n: int) -> str:
    return f"order {n} " + "x" * (n % 90)


def lines(n: int) -> int:
    return 1 + n % 3


def defines(n: int) -> bool:
    """Whether the n-th transaction creates a table, with an index and a row."""
    return n > 0 and n % 3 == 0


def killed_under_load(share: float, seed: int) -> bool:
    chosen = random.Random(seed)
    kills = max(1, round(KILLS * share))
    begun = time.perf_counter()
    writers = [Writer(who, random.Random(seed + who)) for who in range(1, WRITERS + 1)]
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="setup-kit-prove-") as name:
        folder = Path(name)
        _prepare(folder)
        for number in range(1, kills + 1):
            after = _kill(folder, writers, chosen.uniform(0, LONGEST), from_start=chosen.random() < 0.1)
            found = [*_check(folder, writers), *agreement(folder / "data" / SERVER)]
            faults += [f"kill {number} after {after:.3f} s: {text}" for text in found]
    faults += [text for writer in writers for text in writer.faults]
    for text in faults:
        print(text, flush=True)
    transactions = sum(writer.acknowledged for writer in writers)
    print(
        f"kills: {kills} of the SQL endpoint under {WRITERS} writers, {transactions} transactions committed, "
        f"{len(faults)} faults, {time.perf_counter() - begun:.0f} s",
        flush=True,
    )
    return not faults


def _prepare(folder: Path) -> None:
    apart = Apart(folder)
    connection = apart.connect()
    connection.execute(TABLES)
    for who in range(1, WRITERS + 1):
        connection.execute("INSERT INTO dbo.progress VALUES (?, 0)", who)
    connection.cursor().executemany("INSERT INTO dbo.numbers VALUES (?)", [(k,) for k in range(PAGES)])
    connection.close()
    apart.stop()


def _kill(folder: Path, writers: list[Writer], seconds: float, *, from_start: bool) -> float:
    """One life of the process. How long it was let live once the load was under way."""
    apart = Apart(folder)
    under_way = threading.Event()
    threads = [threading.Thread(target=writer.work, args=(apart, under_way)) for writer in writers]
    for thread in threads:
        thread.start()
    if not from_start:
        under_way.wait(20)
    threading.Event().wait(seconds)
    apart.process.kill()
    apart.process.join(20)
    for thread in threads:
        thread.join(30)
    apart.kill()
    return seconds


def _check(folder: Path, writers: list[Writer]) -> list[str]:
    apart = Apart(folder)
    connection = apart.connect()
    found = [text for writer in writers for text in writer.check(connection)]
    connection.close()
    if (status := apart.stop()) != 0:
        found.append(f"the endpoint ended with {status}")
    return found


def agreement(folder: Path) -> list[str]:
    """Where files are damaged, or a database's catalog and its SQLite tables and indexes are not the same."""
    found = []
    for path in sorted(folder.glob("*.sqlite")):
        with contextlib.closing(connect(path)) as connection:
            damage = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            if damage != ["ok"]:
                found.append(f"{path.name}: {damage}")
            if not path.name.startswith("database-"):
                continue
            objects = [o for o in catalog.load(connection).objects.values() if o.kind == "U"]
            for kind, expected in (
                ("table", {o.physical for o in objects}),
                ("index", {key.physical for o in objects for key in o.keys}),
            ):
                rows = connection.execute("SELECT name FROM sqlite_master WHERE type = ?", (kind,)).fetchall()
                own = {row[0] for row in rows if row[0][0] in "tk" and row[0][1:].isdigit()}
                if own != expected:
                    found.append(f"{path.name}: the catalog has the {kind} {expected - own}, the file {own - expected}")
    return found
