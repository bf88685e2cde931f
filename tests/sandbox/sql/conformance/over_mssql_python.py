"""mssql-python, with each of its two native drivers.

`MSSQL_PYTHON_NATIVE_PROVIDER` chooses between Microsoft ODBC Driver 18 (`msodbcsql18`, of mssql-python-odbc) and one
written in Rust (`mssql-odbc`, of mssql-python-rs). The choice holds for the whole process, so each has one of its own.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tests.sandbox.sql.conformance.client import Client, Need, Options, Place, ServerError
from tests.sandbox.sql.conformance.over_pyodbc import LARGE_PACKETS, access_token, braced, environment

_SOURCE = "https://github.com/microsoft/mssql-python/blob/main/mssql_python"
_LIMITS = {
    Need.CANCEL: f"a cursor has no cancel ({_SOURCE}/cursor.py)",
    Need.LATER_COUNTS: f"nextset leaves rowcount as it was ({_SOURCE}/cursor.py)",
    Need.DETAILS: f"its exceptions have SQLSTATE's class and the text ({_SOURCE}/exceptions.py)",
    Need.OUTPUTS: f"callproc is not implemented and parameters are bound for input ({_SOURCE}/cursor.py)",
    Need.RETURN_CODES: f"callproc is not implemented ({_SOURCE}/cursor.py)",
    Need.CALLPROC: f"callproc is not implemented ({_SOURCE}/cursor.py)",
    Need.TABLES_AS_PARAMETERS: f"its parameters are scalar ({_SOURCE}/cursor.py, _map_sql_type)",
}


_FAULTS = {
    "bulk: datetimeoffset(6)": "it sends the local time where MS-TDS wants UTC (mssql-rs, mssql-py-core/src/types.rs, "
    "py_to_column_value)",
    "values: date, first, by parameter": "it takes no date before 1753 as a parameter (pybind/ddbc_bindings.cpp: "
    "'Date out of range for SQL Server (1753-9999)')",
}


class MssqlPython(Client):
    apart = True
    provider: ClassVar[str]

    def __init__(self) -> None:
        os.environ["MSSQL_PYTHON_NATIVE_PROVIDER"] = self.provider
        self.module: Any = importlib.import_module("mssql_python")

    def connect(self, place: Place, options: Options) -> Any:
        # 4060 and 18456 come back at once and are not tried again after ten seconds.
        parts = [f"Server=tcp:localhost,{place.port}", f"Database={braced(options.database)}", "ConnectRetryCount=0"]
        if options.strict is not False:
            parts += ["Encrypt=strict", f"ServerCertificate={place.certificate}"]
        else:
            parts += ["Encrypt=yes"]
        attributes: dict[int, Any] = {}
        if options.token:
            attributes[1256] = access_token(options.token)
        else:
            parts += [f"UID={braced(options.user)}", f"PWD={braced(options.password)}"]
        if options.packet_size:
            parts.append(f"PacketSize={options.packet_size}")
        self.module.pooling(enabled=options.pool)
        with environment(SSL_CERT_FILE=str(place.authority)):
            return self.module.connect(";".join(parts), autocommit=options.autocommit, attrs_before=attributes)

    def errors(self, error: BaseException) -> list[ServerError]:
        text = str(getattr(error, "ddbc_error", ""))
        return [ServerError(text.partition("[SQL Server]")[2])] if "[SQL Server]" in text else []

    def messages(self, connection: Any, cursor: Any) -> list[ServerError]:
        found = []
        for kind, text in cursor.messages:
            numbers = re.findall(r"\((-?\d+)\)", kind)
            found.append(ServerError(text.rpartition("[SQL Server]")[2], int(numbers[0]) if numbers else None))
        return found

    def fast_executemany(self, cursor: Any, text: str, rows: Sequence[Sequence[object]]) -> None:
        cursor.executemany(text, [tuple(row) for row in rows])

    def bulk(
        self, session: Any, table: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]
    ) -> None:
        with environment(SSL_CERT_FILE=str(session.place.authority)), session.cursor() as cursor:
            cursor.bulkcopy(table, [tuple(row) for row in rows], column_mappings=[name for name, _ in columns])


class OverDriver18(MssqlPython):
    name = "mssql-python with msodbcsql18"
    provider = "msodbcsql18"
    limits: ClassVar[Mapping[Need, str]] = _LIMITS
    faults: ClassVar[Mapping[str, str]] = _FAULTS | LARGE_PACKETS


class OverRust(MssqlPython):
    name = "mssql-python with mssql-odbc"
    provider = "mssql-odbc"
    limits: ClassVar[Mapping[Need, str]] = _LIMITS
    faults: ClassVar[Mapping[str, str]] = _FAULTS
