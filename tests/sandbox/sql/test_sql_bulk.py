"""Bulk load, with the clients that have one."""

from __future__ import annotations

import datetime as dt
import os
import struct
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types
import pytds  # type: ignore[import-untyped]
import pytest
import trustme
from pytds import tds_types
from pytds.tds_base import Column  # type: ignore[import-untyped]

from setup_kit.sandbox.sql.tds.packets import HEADER, PacketType, Status
from tests.prove.wire import ALL_HEADERS, Closed, Wire, acknowledges
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, Server, closing


def connect(
    server: Server, database: str, authority: Path, user: str = ADMINISTRATOR, password: str = PASSWORD, **more: Any
) -> Any:
    return pytds.connect(
        "localhost", database, user, password, port=server.port, cafile=str(authority), autocommit=True,
        disable_connect_retry=True, **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def authority_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def tds(server: Server, database: str, authority_file: Path) -> Iterator[Any]:
    with closing(connect(server, database, authority_file)) as connection:
        yield connection


def column(name: str, kind: Any, *, nullable: bool = True) -> Column:
    return Column(name=name, type=kind, flags=Column.fNullable if nullable else 0)


INT, TEXT = tds_types.IntType(), tds_types.NVarCharType(size=20)


def load(
    tds: Any, rows: Sequence[Sequence[object]], columns: Sequence[Column] = (column("a", INT), column("b", TEXT)),
    **options: Any,
) -> None:  # fmt: skip
    tds.cursor().copy_to(table_or_view="t", schema="dbo", columns=list(columns), data=rows, **options)


def refused(tds: Any, rows: Sequence[Sequence[object]], *columns: Column) -> int:
    with pytest.raises(pytds.DatabaseError) as caught:
        load(tds, rows, columns or (column("a", INT), column("b", TEXT)))
    return int(caught.value.number)


@pytest.mark.parametrize("packet_size", [512, 4096, 32767])
def test_rows_of_every_type_come_as_they_are(
    server: Server, database: str, connection: pyodbc.Connection, authority_file: Path, packet_size: int
) -> None:
    kinds: list[tuple[str, Any, Any]] = [
        ("bit", tds_types.BitType(), True),
        ("tinyint", tds_types.TinyIntType(), 255),
        ("smallint", tds_types.SmallIntType(), -32768),
        ("int", tds_types.IntType(), 2**31 - 1),
        ("bigint", tds_types.BigIntType(), -(2**63)),
        ("float", tds_types.FloatType(), 1.5e300),
        ("real", tds_types.RealType(), 0.25),
        ("decimal(38, 10)", tds_types.DecimalType(precision=38, scale=10), Decimal("-" + "9" * 28 + ".0123456789")),
        ("decimal(5, 2)", tds_types.DecimalType(precision=5, scale=2), Decimal("1.05")),
        ("nvarchar(20)", tds_types.NVarCharType(size=20), "Ünïcode 表 😀"),
        ("varchar(20)", tds_types.VarCharType(size=20), "naïve €"),
        ("nvarchar(max)", tds_types.NVarCharMaxType(), "é😀" * 300_000),
        ("varbinary(max)", tds_types.VarBinaryMaxType(), b"\x00\xff" * 300_000),
        ("varbinary(10)", tds_types.VarBinaryType(size=10), b"\x00\x01"),
        ("uniqueidentifier", tds_types.UniqueIdentifierType(), uuid.UUID("E797A8D5-430F-439D-B3E9-47522036DD57")),
        ("date", tds_types.DateType(), dt.date(9999, 12, 31)),
        ("time(7)", tds_types.TimeType(precision=7), dt.time(23, 59, 59, 999999)),
        ("datetime", tds_types.DateTimeType(), dt.datetime(1753, 1, 1, 0, 0, 0, 3000)),
        ("smalldatetime", tds_types.SmallDateTimeType(), dt.datetime(2024, 2, 29, 12, 30)),
        ("datetime2(7)", tds_types.DateTime2Type(precision=7), dt.datetime(1, 1, 1, 0, 0, 0, 123456)),
        ("datetimeoffset(7)", tds_types.DateTimeOffsetType(precision=7),
         dt.datetime(2024, 2, 29, 23, 59, 59, 123456, dt.timezone(dt.timedelta(hours=-7, minutes=-30)))),
    ]  # fmt: skip
    names = [f"c{number}" for number in range(len(kinds))]
    declared = ", ".join(f"{name} {kind} NULL" for name, (kind, _, _) in zip(names, kinds, strict=True))
    connection.execute(f"CREATE TABLE dbo.t (n int NOT NULL, {declared})")
    columns = [column("n", INT, nullable=False)]
    columns += [column(name, kind) for name, (_, kind, _) in zip(names, kinds, strict=True)]
    values = [value for _, _, value in kinds]
    nothing = [None] * len(values)
    with closing(connect(server, database, authority_file, blocksize=packet_size)) as tds:
        load(tds, [(0, *values), (1, *nothing), (2, *values)], columns)
        with tds.cursor() as cursor:
            cursor.execute("SELECT * FROM dbo.t ORDER BY n")
            rows = cursor.fetchall()
    assert [list(row[1:]) for row in rows] == [values, nothing, values]


def test_a_load_of_many_packets_is_one_transaction(tds: Any, connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a int NOT NULL PRIMARY KEY, b nvarchar(20))")
    rows = [(number, f"row {number}") for number in range(20_000)]
    load(tds, rows)
    assert tuple(connection.execute("SELECT count(*), max(b) FROM dbo.t").fetchone()) == (20_000, "row 9999")
    assert refused(tds, [(20_000, "new"), *rows]) == 2627
    assert connection.execute("SELECT count(*) FROM dbo.t").fetchone()[0] == 20_000


def test_within_a_transaction_a_load_can_be_rolled_back(tds: Any, connection: pyodbc.Connection) -> None:
    connection.execute("CREATE TABLE dbo.t (a int, b nvarchar(20))")
    tds.autocommit = False
    load(tds, [(1, "one")])
    tds.rollback()
    load(tds, [(2, "two")])
    tds.commit()
    assert [row[0] for row in connection.execute("SELECT a FROM dbo.t")] == [2]


class TestErrors:
    @pytest.mark.parametrize(
        ("table", "rows", "number"),
        [
            ("a int NOT NULL, b nvarchar(20)", [(None, "x")], 515),
            ("a int, b nvarchar(3)", [(1, "four")], 2628),
            ("a int, b nvarchar(20) UNIQUE", [(1, "x"), (2, "X")], 2627),
            ("a tinyint, b nvarchar(20)", [(256, "x")], 220),
            ("a varbinary(10), b date", [(1, "never")], 241),
            ("a int, b varbinary(10)", [(1, "x")], 4816),
            ("a int, c nvarchar(20)", [(1, "x")], 207),
        ],
    )
    def test_a_row_that_does_not_fit(
        self, tds: Any, connection: pyodbc.Connection, table: str, rows: list[tuple[object, ...]], number: int
    ) -> None:
        connection.execute(f"CREATE TABLE dbo.t ({table})")
        assert refused(tds, rows) == number
        assert connection.execute("SELECT count(*) FROM dbo.t").fetchone()[0] == 0
        with tds.cursor() as cursor:  # the connection goes on
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == [(1,)]

    def test_a_table_that_does_not_exist(self, tds: Any) -> None:
        assert refused(tds, [(1, "x")]) == 208

    def test_the_permission_to_insert_is_needed(
        self, server: Server, database: str, connection: pyodbc.Connection, authority_file: Path
    ) -> None:
        connection.execute("CREATE TABLE dbo.t (a int, b nvarchar(20))")
        with closing(connect(server, database, authority_file, *server.user(database))) as tds:
            assert refused(tds, [(1, "x")]) == 229
            connection.execute("GRANT INSERT ON dbo.t TO exporter")
            load(tds, [(1, "x")])
        assert connection.execute("SELECT count(*) FROM dbo.t").fetchone()[0] == 1

    def test_a_client_that_breaks_off_leaves_nothing_behind(
        self, server: Server, database: str, connection: pyodbc.Connection, authority_file: Path
    ) -> None:
        connection.execute("CREATE TABLE dbo.t (a int, b nvarchar(20))")

        def rows() -> Iterator[tuple[int, str]]:
            for number in range(50_000):
                yield number, "x"
            raise RuntimeError("the source broke")

        with closing(connect(server, database, authority_file)) as tds, pytest.raises(RuntimeError):
            load(tds, rows())  # type: ignore[arg-type]
        assert connection.execute("SELECT count(*) FROM dbo.t").fetchone()[0] == 0
        connection.execute("INSERT INTO dbo.t VALUES (1, 'x')")  # and holds no lock


class TestBareMessages:
    METADATA = b"\x81\x01\x00\x00\x00\x00\x00\x09\x00\x26\x04\x01a\x00"
    ROW = b"\xd1\x04" + struct.pack("<i", 7)
    DONE = b"\xfd" + b"\x00" * 12

    @pytest.fixture
    def wire(self, server: Server, database: str, connection: pyodbc.Connection) -> Iterator[Wire]:
        connection.execute("CREATE TABLE dbo.t (a int NOT NULL)")
        wire = Wire(server.port)
        wire.log_in(ADMINISTRATOR, PASSWORD, database)
        self.announce(wire)
        yield wire
        wire.close()

    def announce(self, wire: Wire) -> None:
        wire.request(PacketType.SQL_BATCH, ALL_HEADERS + "INSERT BULK dbo.t (a int)".encode("utf-16-le"), patience=20)

    def count(self, connection: pyodbc.Connection) -> int:
        return int(connection.execute("SELECT count(*) FROM dbo.t").fetchone()[0])

    def begin(self, wire: Wire) -> None:
        data = self.METADATA + self.ROW * 500
        wire.send_raw(HEADER.pack(PacketType.BULK_LOAD, 0, HEADER.size + len(data), 0, 1, 0) + data)

    @pytest.mark.parametrize("rest", [b"", DONE])
    def test_rows_in_the_smallest_of_packets(self, wire: Wire, connection: pyodbc.Connection, rest: bytes) -> None:
        wire.send(PacketType.BULK_LOAD, self.METADATA + self.ROW * 3 + rest, packet=9)
        assert wire.receive(20).data[-13:-12] == b"\xfd"
        assert self.count(connection) == 3

    def test_a_load_given_up_with_its_last_packet_inserts_nothing(
        self, wire: Wire, connection: pyodbc.Connection
    ) -> None:
        self.begin(wire)
        wire.send_raw(HEADER.pack(PacketType.BULK_LOAD, Status.END_OF_MESSAGE | Status.IGNORE, HEADER.size, 0, 2, 0))
        assert wire.receive(20).data == b"\xfd\x02" + b"\x00" * 11
        assert self.count(connection) == 0
        self.announce(wire)
        wire.send(PacketType.BULK_LOAD, self.METADATA + self.ROW + self.DONE)
        wire.receive(20)
        assert self.count(connection) == 1

    def test_so_does_one_that_an_attention_breaks_off(self, wire: Wire, connection: pyodbc.Connection) -> None:
        self.begin(wire)
        wire.send(PacketType.ATTENTION, b"")
        assert acknowledges(wire.receive(20).data)
        assert self.count(connection) == 0

    @pytest.mark.parametrize("packet", [9, 4096])
    def test_a_load_that_waits_for_a_lock_can_be_called_off(
        self, wire: Wire, server: Server, database: str, connection: pyodbc.Connection, packet: int
    ) -> None:
        with closing(server.connect(database, autocommit=False)) as other:
            other.execute("INSERT INTO dbo.t VALUES (1)")
            wire.send(PacketType.BULK_LOAD, self.METADATA + self.ROW * 3 + self.DONE, packet=packet)
            wire.send(PacketType.ATTENTION, b"")
            assert acknowledges(wire.receive(20).data)
            other.commit()
        self.announce(wire)
        wire.send(PacketType.BULK_LOAD, self.METADATA + self.ROW + self.DONE)
        wire.receive(20)
        assert self.count(connection) == 2

    @pytest.mark.parametrize(
        "data",
        [
            b"", b"\xd1", b"\x81\x00\x00", b"\x81\xff\xff", METADATA + b"\x99", METADATA + ROW[:3],
            METADATA + b"\xd1\x03abc", METADATA + b"\xd2", b"\x81\x01\x00" + b"\xff" * 20,
        ],
    )  # fmt: skip
    def test_what_is_no_load_ends_the_connection_and_inserts_nothing(
        self, wire: Wire, connection: pyodbc.Connection, data: bytes
    ) -> None:
        wire.send(PacketType.BULK_LOAD, data)
        with pytest.raises(Closed):
            wire.receive(20)
        assert self.count(connection) == 0

    def test_a_load_that_nothing_announced_ends_the_connection(self, wire: Wire) -> None:
        wire.request(PacketType.SQL_BATCH, ALL_HEADERS + "SELECT 1".encode("utf-16-le"), patience=20)
        wire.send(PacketType.BULK_LOAD, self.METADATA + self.ROW + self.DONE)
        with pytest.raises(Closed):
            wire.receive(20)


class TestOptions:
    def test_null_takes_the_default_unless_nulls_are_kept(self, tds: Any, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE TABLE dbo.t (a int, b nvarchar(20) DEFAULT 'none', c int DEFAULT 7)")
        load(tds, [(1, None)])
        load(tds, [(2, None)], keep_nulls=True, check_constraints=True, fire_triggers=True, tablock=True,
             rows_per_batch=10, order=["a ASC"])  # fmt: skip
        assert [tuple(row) for row in connection.execute("SELECT a, b, c FROM dbo.t ORDER BY a")] == [
            (1, "none", 7), (2, None, 7),
        ]  # fmt: skip

    def test_identity_values_are_made_unless_they_are_kept(self, tds: Any, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE TABLE dbo.t (n int IDENTITY(10, 5), a int, b nvarchar(20))")
        every = (column("n", INT), column("a", INT), column("b", TEXT))
        load(tds, [(1, "x")])
        load(tds, [(99, 2, "y")], every)
        with tds.cursor() as cursor:
            cursor.execute("INSERT BULK dbo.t (n int, a int, b nvarchar(20)) WITH (KEEP_IDENTITY)")
            cursor._session.submit_bulk(list(every), [(100, 3, "z")])
            cursor._session.process_simple_request()
        connection.execute("INSERT INTO dbo.t (a) VALUES (4)")
        assert [tuple(row) for row in connection.execute("SELECT n, a FROM dbo.t ORDER BY a")] == [
            (10, 1), (15, 2), (100, 3), (105, 4),
        ]  # fmt: skip

    def test_constraints_are_checked_when_that_is_asked_for(self, tds: Any, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE TABLE dbo.u (b nvarchar(20) PRIMARY KEY); INSERT INTO dbo.u VALUES ('x')")
        connection.execute(
            "CREATE TABLE dbo.t (a int CONSTRAINT small CHECK (a < 10), b nvarchar(20) REFERENCES dbo.u (b))"
        )
        for row in ((10, "x"), (1, "y")):
            with pytest.raises(pytds.DatabaseError) as caught:
                load(tds, [(1, "x"), row], check_constraints=True)
            assert caught.value.number == 547
        load(tds, [(1, "x"), (2, None)], check_constraints=True)
        load(tds, [(11, "y")])
        assert [row[0] for row in connection.execute("SELECT a FROM dbo.t ORDER BY a")] == [1, 2, 11]

    def test_it_takes_alter_to_pass_them_by(
        self, server: Server, database: str, connection: pyodbc.Connection, authority_file: Path
    ) -> None:
        connection.execute("CREATE TABLE dbo.t (a int CHECK (a < 10), b nvarchar(20))")
        with closing(connect(server, database, authority_file, *server.user(database))) as tds:
            connection.execute("GRANT INSERT ON dbo.t TO exporter")
            assert refused(tds, [(1, "x")]) == 1088
            load(tds, [(1, "x")], check_constraints=True)
            connection.execute("GRANT ALTER ON dbo.t TO exporter")
            load(tds, [(11, "x")])
        assert connection.execute("SELECT sum(a) FROM dbo.t").fetchone()[0] == 12

    def test_a_temporary_table_takes_rows_too(self, tds: Any) -> None:
        with tds.cursor() as cursor:
            cursor.execute("CREATE TABLE #t (n int IDENTITY, a int, b nvarchar(20))")
            cursor.copy_to(table_or_view="#t", columns=[column("a", INT), column("b", TEXT)], data=[(1, "x"), (2, "y")])
            cursor.execute("SELECT n, a, b FROM #t ORDER BY n")
            assert cursor.fetchall() == [(1, 1, "x"), (2, 2, "y")]

    def test_an_option_that_does_not_exist_is_refused_by_name(self, connection: pyodbc.Connection) -> None:
        connection.execute("CREATE TABLE dbo.t (a int)")
        with pytest.raises(pyodbc.Error, match="ALLOW_ENCRYPTED_VALUE_MODIFICATIONS"):
            connection.execute("INSERT BULK dbo.t (a int) WITH (ALLOW_ENCRYPTED_VALUE_MODIFICATIONS)")


_BULKCOPY = """
import sys, datetime as dt, decimal, uuid, json, mssql_python
connection = mssql_python.connect(sys.argv[1], autocommit=True)
moments = [dt.datetime(2024, 1, 1, 0, 0, n) for n in range(60)]
rows = [(n, f"row {n} é😀", decimal.Decimal(n) / 4, None if n % 3 else moments[n % 60], bool(n % 2))
        for n in range(5000)]
print(json.dumps(connection.cursor().bulkcopy("dbo.t", rows), default=str))
"""


def test_bulkcopy_of_mssql_python(
    server: Server, database: str, connection: pyodbc.Connection, authority_file: Path
) -> None:
    connection.execute(
        "CREATE TABLE dbo.t (a int NOT NULL PRIMARY KEY, b nvarchar(40) NOT NULL, c decimal(10, 2), d datetime2, e bit)"
    )
    text = (
        f"Server=tcp:localhost,{server.port};Database={database};UID={ADMINISTRATOR};PWD={PASSWORD};Encrypt=yes;"
        "TrustServerCertificate=yes"
    )
    done = subprocess.run(
        [sys.executable, "-c", _BULKCOPY, text], capture_output=True, text=True, timeout=120,
        env={**os.environ, "SSL_CERT_FILE": str(authority_file)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    row = connection.execute(
        "SELECT count(*), max(b), sum(c), count(d), max(d), sum(CAST(e AS int)) FROM dbo.t"
    ).fetchone()
    assert tuple(row) == (5000, "row 999 é😀", Decimal("3124375.00"), 1667, dt.datetime(2024, 1, 1, 0, 0, 57), 2500)
