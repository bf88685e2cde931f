"""The SQL endpoint's speed against that of the store that it keeps its rows in, and its memory while rows stream out.

The endpoint is a process of its own; clients and the store by itself run in this one.
"""

# ruff: noqa: S608 - statements in text

from __future__ import annotations

import contextlib
import datetime as dt
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import psutil

from setup_kit.sandbox.sql.storage.store import connect
from setup_kit.sandbox.sql.values import types as t
from tests.bench.figures import Figure
from tests.sandbox.sql.apart import DATABASE, SERVER, Apart
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD

ROWS = 100_000
POINTS = 5_000
STREAMED = 1_000_000
ROUNDS = 3

COLUMNS = (
    "a int NOT NULL PRIMARY KEY, b bigint, c smallint, d tinyint, e bit, f decimal(18, 4), g decimal(38, 10), "
    "h decimal(19, 4), i float, j real, k nvarchar(50), l varchar(50), m nvarchar(max), n nchar(10), o varbinary(50), "
    "p date, q time(7), r datetime2(7), s uniqueidentifier, t nvarchar(100)"
)
Row = tuple[object, ...]


def row(n: int) -> Row:
    """Twenty columns as a program has them; every fourth row has a NULL."""
    values: list[object] = [
        n, n * 10**9, n % 30_000, n % 256, n % 2 == 0, Decimal(n) / 4, Decimal(n) / 8, Decimal(n) / 2, n / 3, n / 2,
        f"name {n}", f"code {n}", f"some longer text {n}", "abcdefghij", b"%d" % n,
        dt.date(2024, 1, 1) + dt.timedelta(days=n % 3000), dt.time(12, n % 60, 30),
        dt.datetime(2024, 1, 1, n % 24, n % 60, 30), uuid.UUID(int=n), f"and another, {n} in all",
    ]  # fmt: skip
    if n % 4 == 0:
        values[1 + n % 19] = None
    return tuple(values)


def stored(row: Row) -> list[object]:
    """A row in the form in which the store keeps it."""
    found: list[object] = list(row)
    for at, convert in _CONVERTERS:
        value = found[at]
        if value is not None:
            found[at] = convert(value)
    return found


_CONVERTERS: tuple[tuple[int, Callable[..., object]], ...] = (
    (4, int), (5, t.encode_decimal), (6, t.encode_decimal), (7, t.encode_decimal),
    (15, lambda day: (day.toordinal() - 1) * t.TICKS_PER_DAY),
    (16, lambda clock: (clock.hour * 3600 + clock.minute * 60 + clock.second) * t.TICKS_PER_SECOND),
    (17, t.ticks_of), (18, t.encode_guid),
)  # fmt: skip


def speed_and_memory() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="setup-kit-bench-") as name:
        folder = Path(name)
        apart = Apart(folder)
        try:
            figures = [*_writing(apart), _points(apart)]
        finally:
            apart.stop()
        anew = Apart(folder)  # which holds nothing yet of what the other has done
        try:
            return [*figures, _streaming(anew)]
        finally:
            anew.kill()


def _writing(apart: Apart) -> list[Figure]:
    """The median of the ratios of rounds run in turn."""
    rows = [row(n) for n in range(ROWS)]
    ways: dict[str, Callable[[Apart, Sequence[Row]], float]] = {
        "fast_executemany": _fast_executemany, "bulk load": _bulk_load,
    }  # fmt: skip
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    bare: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            with contextlib.closing(apart.connect()) as connection:
                connection.execute(f"DROP TABLE IF EXISTS dbo.t; CREATE TABLE dbo.t ({COLUMNS})")
            alone, only_inserting = _store_alone(apart, rows)
            seconds = way(apart, rows)
            ratios[name].append(alone / seconds)
            bare[name].append(only_inserting / seconds)
    return [
        Figure(
            f"100,000 rows by {name}", statistics.median(ratios[name]), 0.25, "x",
            f"of the store's own pace with the same rows from Python ({statistics.median(bare[name]):.2f} of its pace "
            "with rows that are in its form already)", at_least=True,
        )
        for name in ways
    ]  # fmt: skip


def _store_alone(apart: Apart, rows: Sequence[Row]) -> tuple[float, float]:
    """Seconds to insert the rows into a table like the endpoint's own; with bringing them into form, and without."""
    path = max((apart.folder / "data" / SERVER).glob("database-*.sqlite"))
    with contextlib.closing(connect(path)) as connection:
        made = "SELECT m.sql FROM sqlite_master AS m JOIN objects AS o ON m.tbl_name = 't' || o.id WHERE o.name = 't'"
        texts = [found[0] for found in connection.execute(made) if found[0]]
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(connect(Path(folder) / "alone.sqlite")) as alone:
        for text in texts:
            alone.execute(text)
        table = texts[0].split()[2]
        insert = f"INSERT INTO {table} VALUES ({', '.join('?' * 20)})"
        times = []
        formed = [stored(found) for found in rows]
        for source in (lambda: map(stored, rows), lambda: formed):
            alone.execute(f"DELETE FROM {table}")
            begun = time.perf_counter()
            alone.execute("BEGIN IMMEDIATE")
            alone.executemany(insert, source())
            alone.execute("COMMIT")
            times.append(time.perf_counter() - begun)
    return times[0], times[1]


def _fast_executemany(apart: Apart, rows: Sequence[Row]) -> float:
    with contextlib.closing(apart.connect(autocommit=False)) as connection:
        cursor = connection.cursor()
        cursor.fast_executemany = True
        begun = time.perf_counter()
        cursor.executemany(f"INSERT INTO dbo.t VALUES ({', '.join('?' * 20)})", rows)
        connection.commit()
        seconds = time.perf_counter() - begun
    _check_count(apart)
    return seconds


BULK = """
import sys, time
import mssql_python
from tests.bench.sql import ROWS, row
rows = [row(n) for n in range(ROWS)]
connection = mssql_python.connect(sys.stdin.readline())
cursor = connection.cursor()
begun = time.perf_counter()
cursor.bulkcopy("dbo.t", rows, batch_size=ROWS)
print(time.perf_counter() - begun)
"""


def _bulk_load(apart: Apart, rows: Sequence[Row]) -> float:
    text = (
        f"Server=127.0.0.1,{apart.port};Database={DATABASE};UID={ADMINISTRATOR};PWD={PASSWORD};Encrypt=strict;"
        f"ServerCertificate={apart.certificate}"
    )
    client = subprocess.run(
        [sys.executable, "-c", BULK], input=text, capture_output=True, text=True, check=True, timeout=300
    )  # fmt: skip
    _check_count(apart)
    return float(client.stdout)


def _check_count(apart: Apart) -> None:
    with contextlib.closing(apart.connect()) as connection:
        found = connection.execute("SELECT COUNT(*) FROM dbo.t").fetchone()[0]
    if found != ROWS:
        raise AssertionError(f"{found} rows have come")


def _points(apart: Apart) -> Figure:
    with contextlib.closing(apart.connect()) as connection:
        cursor = connection.cursor()

        def select(count: int) -> float:
            begun = time.perf_counter()
            for n in range(count):
                if cursor.execute("SELECT k, f FROM dbo.t WHERE a = ?", n * 7 % ROWS).fetchone() is None:
                    raise AssertionError("a row is missing")
            return count / (time.perf_counter() - begun)

        select(POINTS // 5)
        pace = max(select(POINTS) for _ in range(ROUNDS))
    return Figure(
        "point SELECTs by key", pace, 2000, "/s", "on one connection of pyodbc, the best of three rounds", at_least=True
    )


def _streaming(apart: Apart) -> Figure:
    """The process's highest memory, looked at as rows come, above what it holds when idle."""
    process = psutil.Process(apart.pid)
    with contextlib.closing(apart.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1").fetchall()
        highest = idle = process.memory_info().rss
        cursor.execute("SELECT x.k, x.t, y.a FROM dbo.t AS x CROSS JOIN (SELECT TOP 10 a FROM dbo.t) AS y")
        count = 0
        while rows := cursor.fetchmany(10_000):
            count += len(rows)
            highest = max(highest, process.memory_info().rss)
    if count != STREAMED:
        raise AssertionError(f"{count} rows have come")
    return Figure("memory while a million rows stream", (highest - idle) / 2**20, 150, "MiB", "above the idle endpoint")
