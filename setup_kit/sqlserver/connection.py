"""Connects to SQL Server with Microsoft's ODBC driver, always encrypted and verified, and reads the errors it gives.

Imports no other part of the kit than `secret` and what is known of errors: the export service connects with it too.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from setup_kit import known_errors
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection_string import (
    ConnectionString,
    ConnectionStringError,
    SqlAddress,
    ado_net_value,
    odbc_string,
    odbc_value,
    parse_ado_net,
    to_ado_net,
)
from setup_kit.sqlserver.driver import DriverMissingError, find_driver, load_pyodbc

__all__ = [
    "CANNOT_OPEN_DATABASE",
    "FIREWALL",
    "LOGIN_FAILED",
    "Connection",
    "ConnectionString",
    "ConnectionStringError",
    "Cursor",
    "DriverMissingError",
    "SqlAddress",
    "SqlError",
    "ado_net_value",
    "connect",
    "find_driver",
    "load_pyodbc",
    "odbc_value",
    "parse_ado_net",
    "sql_errors",
    "to_ado_net",
]

FIREWALL = 40615
LOGIN_FAILED = 18456
CANNOT_OPEN_DATABASE = 4060

# ODBC's word for a connection that was not made; the number beside it is the socket's (Linux: EPIPE, ECONNABORTED,
# ECONNRESET, ETIMEDOUT; macOS: 53, 54, 60), which SQL Server has other errors of.
_NOT_CONNECTED = "08001"
_BROKEN_SOCKET = frozenset({32, 103, 104, 110, 53, 54, 60})

_ACCESS_TOKEN = 1256  # SQL_COPT_SS_ACCESS_TOKEN

# One diagnostic record as pyodbc joins them: "[state] [who][who]text (number) (function); [state] …".
_RECORD = re.compile(
    r"\[(?P<state>[0-9A-Z]{5})\] (?P<who>(?:\[[^\]]*\])*)\s*(?P<text>.*?) \((?P<number>-?\d+)\)"
    r"(?: \(SQL\w+\))?(?=; \[[0-9A-Z]{5}\] |$|\Z)",
    re.DOTALL,
)
# Records that only accompany the one that tells: "The statement has been terminated", changes of database and language.
_ACCOMPANYING = frozenset({0, 3621, 5701, 5703})
_CLIENT_ADDRESS = re.compile(r"[Cc]lient with IP address '([^']+)'")


class Cursor(Protocol):
    """What is used of pyodbc's cursor; rows are sequences that also have the columns as attributes."""

    description: Any
    rowcount: int
    fast_executemany: bool

    def execute(self, sql: str, *parameters: Any) -> Cursor: ...
    def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> None: ...
    def setinputsizes(self, sizes: Sequence[Any] | None) -> None: ...
    def fetchone(self) -> Any: ...
    def fetchval(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def nextset(self) -> bool: ...
    def close(self) -> None: ...


class Connection(Protocol):
    """What is used of pyodbc's connection. `timeout`: seconds for a statement, 0 for none. Errors are pyodbc's."""

    timeout: int
    autocommit: bool

    def cursor(self) -> Cursor: ...
    def execute(self, sql: str, *parameters: Any) -> Cursor: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


class SqlError(Exception):
    """What SQL Server or its driver refused: `number` (SQL Server's, or the driver's own, often 0), SQLSTATE, the text.

    `messages` holds every (number, text) the server sent with it, in its order.
    """

    def __init__(
        self, number: int, state: str, message: str, messages: Iterable[tuple[int, str]] | None = None
    ) -> None:
        super().__init__(f"{message} ({number})" if number else message)
        self.number = number
        self.state = state
        self.message = message
        self.messages = tuple(messages) if messages is not None else ((number, message),)

    @classmethod
    def of(cls, error: Exception, hide: Iterable[Secret] = ()) -> SqlError:
        """Reads pyodbc's error. `hide`: secrets of the statement, which an error about its syntax might quote."""
        state = str(error.args[0]) if error.args else ""
        text = str(error.args[1]) if len(error.args) > 1 else str(error)
        for secret in hide:
            if secret.reveal():
                text = text.replace(secret.reveal(), "***")
        records = [
            (int(found["number"]), found["state"], found["text"].strip(), "[SQL Server]" in found["who"])
            for found in _RECORD.finditer(text)
        ]
        if not records:
            return cls(0, state, text)
        telling = [record for record in records if record[3] and record[0] not in _ACCOMPANYING] or records
        number, state, message, _ = telling[0]
        return cls(number, state, message, [(record[0], record[2]) for record in records])

    @property
    def transient(self) -> bool:
        """Whether the same call may well succeed a little later.

        18456 and 4060 may too, but only right after the login or the database was made: who made it must know.
        """
        return (
            any(known_errors.transient("sql", number) for number, _ in self.messages)
            or known_errors.transient("odbc", self.state)
            or (self.state == _NOT_CONNECTED and self.number in _BROKEN_SOCKET)
        )

    @property
    def client_address(self) -> str | None:
        """The address that the server's firewall saw and refused (40615), which a rule must admit."""
        if self.number != FIREWALL:
            return None
        found = _CLIENT_ADDRESS.search(self.message)
        return found[1] if found else None


@contextmanager
def sql_errors(*hide: Secret) -> Iterator[None]:
    """Turns pyodbc's errors of the statements inside into SqlError; `hide`: secrets that the statements hold."""
    odbc = load_pyodbc()
    try:
        yield
    except odbc.Error as error:
        raise SqlError.of(error, hide) from None


def connect(
    address: SqlAddress,
    database: str,
    *,
    user: str | None = None,
    password: Secret | None = None,
    access_token: Secret | None = None,
    certificate: Path | None = None,
    application: str = "setup-kit",
    timeout: int = 30,
    autocommit: bool = True,
) -> Connection:
    """Logs in with user and password, or with a Microsoft Entra access token for the audience `https://database.windows.net/`.

    `certificate`: a PEM file with the very certificate of the server, for sandboxes; else the system's roots decide.
    `timeout`: seconds for the log-in. Raises SqlError when refused, DriverMissingError where there is no driver.
    """
    if (access_token is None) == (user is None or password is None):
        raise ValueError("log in with either a user and a password, or an access token")
    odbc = load_pyodbc()
    pairs = [
        ("Driver", find_driver(pinned_certificate=certificate is not None)),
        ("Server", str(address)),
        ("Database", database),
        # The driver heeds ServerCertificate with strict encryption only (TDS 8.0), and then asks no root and no name.
        ("Encrypt", "strict" if certificate else "yes"),
        ("TrustServerCertificate", "no"),
        ("APP", application),
    ]
    before: dict[int, bytes] = {}
    if certificate is not None:
        pairs.append(("ServerCertificate", str(certificate)))
    if access_token is not None:
        token = access_token.reveal().encode("utf-16-le")
        before[_ACCESS_TOKEN] = struct.pack("<I", len(token)) + token
    elif user is not None and password is not None:
        pairs += [("UID", user), ("PWD", password.reveal())]
    with sql_errors(*(secret for secret in (password, access_token) if secret is not None)):
        connection: Connection = odbc.connect(
            odbc_string(pairs), timeout=timeout, autocommit=autocommit, attrs_before=before
        )
    return connection
