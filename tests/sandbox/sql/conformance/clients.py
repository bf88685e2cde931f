"""The five driver set-ups by name."""

from __future__ import annotations

from tests.sandbox.sql.conformance.client import Client
from tests.sandbox.sql.conformance.over_mssql_python import OverDriver18, OverRust
from tests.sandbox.sql.conformance.over_pyodbc import FreeTds, Microsoft
from tests.sandbox.sql.conformance.over_pytds import PythonTds

CLIENTS: dict[str, type[Client]] = {
    client.name: client for client in (Microsoft, FreeTds, PythonTds, OverDriver18, OverRust)
}
