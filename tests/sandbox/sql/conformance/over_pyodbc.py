"""pyodbc, with Microsoft ODBC Driver 18 and with FreeTDS."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pyodbc  # type: ignore[import-not-found]  # a compiled module without types

from tests.sandbox.sql.conformance import freetds
from tests.sandbox.sql.conformance.client import Client, Need, Options, Place, ServerError
from tests.sandbox.sql.conftest import driver

PYODBC_WIKI = "https://github.com/mkleehammer/pyodbc/wiki"
_FREETDS_NEWS = "https://github.com/FreeTDS/freetds/blob/master/NEWS.md"
_PACKET_SIZE, _LOGIN_TIMEOUT, _ACCESS_TOKEN = 112, 103, 1256
_DATETIMEOFFSET = -155

#: `[SQLSTATE] [vendor][driver][SQL Server]text (number) (function); …`
_RECORD = re.compile(r"\[SQL Server\](.*?) \((\d+)\)(?: \(\w+\)|(?=; \[)|\Z)", re.DOTALL)

_ODBC_TYPES = {
    "bit": pyodbc.SQL_BIT, "tinyint": pyodbc.SQL_TINYINT, "smallint": pyodbc.SQL_SMALLINT, "int": pyodbc.SQL_INTEGER,
    "bigint": pyodbc.SQL_BIGINT,
    "decimal": pyodbc.SQL_DECIMAL, "numeric": pyodbc.SQL_NUMERIC,
    "money": pyodbc.SQL_DECIMAL, "smallmoney": pyodbc.SQL_DECIMAL, "float": pyodbc.SQL_DOUBLE, "real": pyodbc.SQL_REAL,
    "char": pyodbc.SQL_CHAR,
    "varchar": pyodbc.SQL_VARCHAR, "nchar": pyodbc.SQL_WCHAR, "nvarchar": pyodbc.SQL_WVARCHAR,
    "binary": pyodbc.SQL_BINARY, "varbinary": pyodbc.SQL_VARBINARY,
}  # fmt: skip


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Environment variables for as long as a driver connects."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def access_token(token: str) -> bytes:
    """ACCESSTOKEN of msodbcsql.h: the length in bytes, then UTF-16."""
    raw = token.encode("utf-16-le")
    return struct.pack("<I", len(raw)) + raw


def braced(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"


def offset_moment(raw: bytes) -> dt.datetime:
    """SQL_SS_TIMESTAMPOFFSET_STRUCT of msodbcsql.h."""
    year, month, day, hour, minute, second, nanoseconds, hours, minutes = struct.unpack("<6hI2h", raw)
    zone = dt.timezone(dt.timedelta(hours=hours, minutes=minutes))
    return dt.datetime(year, month, day, hour, minute, second, nanoseconds // 1000, zone)


#: TLS records hold 16 KiB, and the driver puts a packet into one.
LARGE_PACKETS = {
    f"connecting: packets of {size} bytes": "Driver 18 with TLS takes packets of less than 16 KiB ('Packet size too "
    "large for SSL Encrypt/Decrypt operations')"
    for size in (16384, 32767)
}


def parameter(value: object) -> object:
    """What pyodbc binds too coarsely goes as text: a time's fraction, a moment's offset (its wiki, Data-Types)."""
    if isinstance(value, dt.time):
        return value.isoformat()
    if isinstance(value, dt.datetime) and value.tzinfo:
        return value.isoformat(" ")
    return value


class Pyodbc(Client):
    def execute(self, cursor: Any, text: str, values: Sequence[object]) -> None:
        super().execute(cursor, text, [parameter(value) for value in values])

    def errors(self, error: BaseException) -> list[ServerError]:
        text = str(error.args[1]) if len(error.args) > 1 else str(error)
        return [ServerError(text, int(number)) for text, number in _RECORD.findall(text) if int(number)]

    def messages(self, connection: Any, cursor: Any) -> list[ServerError]:
        found = []
        for kind, text in cursor.messages:
            number = int(re.findall(r"\((-?\d+)\)", kind)[0])
            found.append(ServerError(text.rpartition("[SQL Server]")[2], number))
        return found

    def fast_executemany(self, cursor: Any, text: str, rows: Sequence[Sequence[object]]) -> None:
        cursor.fast_executemany = True
        cursor.executemany(text, [tuple(row) for row in rows])

    def call(self, cursor: Any, procedure: str, values: Sequence[object]) -> None:
        marks = ", ".join("?" for _ in values)
        cursor.execute(f"{{CALL {procedure} ({marks})}}" if values else f"{{CALL {procedure}}}", tuple(values))

    def call_with_table(
        self, cursor: Any, procedure: str, table_type: str, columns: Sequence[tuple[str, str]], rows: Sequence[Any]
    ) -> None:
        cursor.execute(f"{{CALL {procedure} (?)}}", (rows,))

    def execute_typed(self, cursor: Any, text: str, value: object, sql_type: str) -> None:
        if value is None:
            name, _, facets = sql_type.partition("(")
            if name in _ODBC_TYPES:
                sizes = [0 if part == "max" else int(part) for part in facets.rstrip(")").split(",") if part]
                if name.endswith("money"):
                    sizes = [19 if name == "money" else 10, 4]
                cursor.setinputsizes([(_ODBC_TYPES[name], *(sizes or [0]), *([0] if len(sizes) < 2 else []))])
        self.execute(cursor, text, [value])


class Microsoft(Pyodbc):
    name = "pyodbc with Microsoft ODBC Driver 18"
    faults: ClassVar[Mapping[str, str]] = LARGE_PACKETS | {
        "catalog: cursor row id columns": "pyodbc 5.5 gives Driver 18 a wrong name for the table (SQLSpecialColumns)",
    }
    limits: ClassVar[Mapping[Need, str]] = {
        Need.DETAILS: f"ODBC gives SQLSTATE, number and text; pyodbc reads no other field ({PYODBC_WIKI}/Exceptions)",
        Need.OUTPUTS: f"pyodbc binds parameters for input only ({PYODBC_WIKI}/Calling-Stored-Procedures)",
        Need.RETURN_CODES: f"pyodbc binds parameters for input only ({PYODBC_WIKI}/Calling-Stored-Procedures)",
        Need.BULK: "the driver's bcp functions are no part of ODBC and pyodbc does not reach them",
        Need.POOL: "unixODBC pools only where odbcinst.ini says so",
    }

    def connect(self, place: Place, options: Options) -> Any:
        parts = [
            f"Driver={driver()}",
            f"Server=tcp:localhost,{place.port}",
            f"Database={braced(options.database)}",
        ]
        if options.strict:
            parts += ["Encrypt=strict", f"ServerCertificate={place.certificate}"]
        else:
            parts += ["Encrypt=yes"]
        attributes: dict[int, Any] = {}
        if options.token:
            attributes[_ACCESS_TOKEN] = access_token(options.token)
        else:
            parts += [f"UID={braced(options.user)}", f"PWD={braced(options.password)}"]
        if options.packet_size:
            attributes[_PACKET_SIZE] = options.packet_size
        with environment(SSL_CERT_FILE=str(place.authority)):
            connection = pyodbc.connect(
                ";".join(parts), autocommit=options.autocommit, timeout=20, attrs_before=attributes
            )
        connection.add_output_converter(_DATETIMEOFFSET, offset_moment)
        return connection


class FreeTds(Pyodbc):
    name = "pyodbc with FreeTDS"
    limits: ClassVar[Mapping[Need, str]] = {
        Need.FAST_EXECUTEMANY: "pyodbc crashes without SQLDescribeParam, which FreeTDS has from 1.5 on "
        f"({_FREETDS_NEWS}; {PYODBC_WIKI}/Features-beyond-the-DB-API#fast_executemany)",
        Need.STRICT: f"FreeTDS speaks TDS 8.0 from 1.5 on ({_FREETDS_NEWS}); Debian 12 has 1.3.17",
        Need.ACCESS_TOKEN: "FreeTDS has no FEDAUTH (its source does not name it)",
        Need.DETAILS: f"ODBC gives SQLSTATE, number and text; pyodbc reads no other field ({PYODBC_WIKI}/Exceptions)",
        Need.OUTPUTS: f"pyodbc binds parameters for input only ({PYODBC_WIKI}/Calling-Stored-Procedures)",
        Need.RETURN_CODES: f"pyodbc binds parameters for input only ({PYODBC_WIKI}/Calling-Stored-Procedures)",
        Need.TABLES_AS_PARAMETERS: "its table-valued parameters lack data at execution, by which pyodbc sends them "
        f"({_FREETDS_NEWS})",
        Need.BULK: "FreeTDS's bcp functions are no part of ODBC and pyodbc does not reach them",
        Need.POOL: "unixODBC pools only where odbcinst.ini says so",
    }
    faults: ClassVar[Mapping[str, str]] = {
        f"values: {value}, by parameter": "FreeTDS 1.3.17 writes 1 January of the year 1 as day -1 (FF FF FF)"
        for value in ("date, first", "datetime2(7), first")
    }

    def connect(self, place: Place, options: Options) -> Any:
        configuration = place.authority.with_name(f"freetds-{place.port}-{options.packet_size or 4096}.conf")
        configuration.write_text(
            "[sandbox]\n"
            f"host = localhost\nport = {place.port}\ntds version = 7.4\nencryption = require\n"
            f"ca file = {place.authority}\ncheck certificate hostname = yes\nclient charset = UTF-8\n"
            f"text size = 2147483647\ninitial block size = {options.packet_size or 4096}\n",
            encoding="utf-8",
        )
        text = (
            f"Driver={freetds.driver()};Servername=sandbox;Database={braced(options.database)};"
            f"UID={options.user};PWD={options.password}"
        )
        with environment(FREETDSCONF=str(configuration)):
            connection = pyodbc.connect(text, autocommit=options.autocommit, timeout=20)
        connection.add_output_converter(_DATETIMEOFFSET, offset_moment)
        return connection
