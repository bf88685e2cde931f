"""A statement that takes too long is given up, and its connection goes on."""

from __future__ import annotations

import contextlib
import threading
import time

from tests.sandbox.sql.conformance.checks.results import NUMBERS
from tests.sandbox.sql.conformance.client import Need
from tests.sandbox.sql.conformance.registry import check
from tests.sandbox.sql.conformance.session import Session

#: A hundred million rows to count: seconds for any server, and longer here.
LONG = f"SELECT COUNT(*) FROM ({NUMBERS}) AS a CROSS JOIN ({NUMBERS}) AS b WHERE a.n + b.n < 0"


@check(Need.TIMEOUT)
def a_time_limit(sql: Session) -> None:
    with sql.another(autocommit=True) as other:
        sql.client.limit(other.connection, 1)
        began = time.monotonic()
        try:
            other.value(LONG)
        except Exception as error:  # noqa: BLE001 - each driver has its own classes
            assert "time" in str(error).lower()
        else:
            raise AssertionError("no limit was kept")
        assert time.monotonic() - began < 10
        sql.client.limit(other.connection, 0)
        assert other.value("SELECT 1") == 1


@check(Need.TIMEOUT)
def a_time_limit_within_a_transaction_leaves_it(sql: Session) -> None:
    with sql.another(autocommit=True) as other:
        other.run("CREATE TABLE dbo.limited (v int)")
        try:
            other.run("BEGIN TRANSACTION; INSERT INTO dbo.limited VALUES (1)")
            sql.client.limit(other.connection, 1)
            with contextlib.suppress(Exception):
                other.value(LONG)
            sql.client.limit(other.connection, 0)
            assert other.row("SELECT @@TRANCOUNT, (SELECT COUNT(*) FROM dbo.limited)") == (1, 1)
            other.run("ROLLBACK")
        finally:
            other.run("DROP TABLE dbo.limited")


@check(Need.CANCEL)
def cancel_from_another_thread(sql: Session) -> None:
    with sql.another(autocommit=True) as other, contextlib.closing(other.cursor()) as cursor:
        timer = threading.Timer(0.5, cursor.cancel)
        timer.start()
        began = time.monotonic()
        with contextlib.suppress(Exception):  # some drivers raise, some give no result
            sql.client.execute(cursor, LONG, ())
            assert not cursor.description
        timer.join()
        assert time.monotonic() - began < 10
        assert other.value("SELECT 1") == 1


@check()
def rows_that_nobody_reads(sql: Session) -> None:
    with sql.another(autocommit=True) as other:
        for _ in range(5):
            with other.executed(f"SELECT a.n, REPLICATE('x', 200) AS v FROM ({NUMBERS}) AS a ORDER BY a.n") as cursor:
                assert cursor.fetchone()[0] == 0
        assert other.value("SELECT 1") == 1
