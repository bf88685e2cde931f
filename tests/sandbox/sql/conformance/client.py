"""What every driver offers the checks: a small interface over DB-API 2.0; what it cannot do, with the reason."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID


class Need(enum.Enum):
    """What a check asks of a driver beyond statements, parameters and rows."""

    LATER_COUNTS = "row counts of the statements after the first"
    STRICT = "TDS 8.0 (Encrypt=strict)"
    ACCESS_TOKEN = "sign-in by access token"
    DETAILS = "class, state and line of an error"
    MESSAGES = "PRINT and messages of class 0 to 10"
    FAST_EXECUTEMANY = "parameter arrays"
    OUTPUTS = "output parameters"
    RETURN_CODES = "return codes of procedures"
    CALLPROC = "callproc"
    TABLES_AS_PARAMETERS = "table-valued parameters"
    BULK = "bulk load"
    CATALOG = "catalog methods"
    CANCEL = "cancelling a statement that runs"
    TIMEOUT = "a time limit for statements"
    PACKET_SIZE = "the packet size"
    POOL = "connections reset by the protocol's own bit"


@dataclass(frozen=True)
class Place:
    """A server that listens, and what a client must trust."""

    port: int
    authority: Path
    certificate: Path


@dataclass(frozen=True)
class World:
    """The servers of a run: the usual one, and some that differ in how they speak TLS."""

    main: Place
    only_tls_1_2: Place
    only_tls_1_3: Place
    other_authority: Place
    other_name: Place
    administrator: str
    password: str
    token: str
    bad_token: str


@dataclass(frozen=True)
class Options:
    """How to connect; `strict` is TDS 8.0, otherwise TDS 7.4. Empty `user` with a token signs in by access token."""

    database: str
    user: str
    password: str
    autocommit: bool = False
    strict: bool | None = None
    packet_size: int | None = None
    token: str = ""
    pool: bool = False


@dataclass(frozen=True)
class ServerError:
    """An error or message of the server; what a driver does not tell is None."""

    text: str
    number: int | None = None
    severity: int | None = None
    state: int | None = None
    line: int | None = None

    def shows(self, other: ServerError) -> bool:
        """True when all that both know is equal."""
        ours = (self.text, self.number, self.severity, self.state, self.line)
        theirs = (other.text, other.number, other.severity, other.state, other.line)
        return all(a is None or b is None or a == b for a, b in zip(ours, theirs, strict=True))


@dataclass(frozen=True)
class Column:
    """A column of a result as a driver tells it."""

    name: str
    length: int | None
    precision: int | None
    scale: int | None
    nullable: bool


class Client(ABC):
    """A driver set-up."""

    name: ClassVar[str]
    #: What the driver cannot do, with the reason and where it is written.
    limits: ClassVar[Mapping[Need, str]]
    #: Checks that fail by a fault of the driver itself: the name of the check, and the fault with its source.
    faults: ClassVar[Mapping[str, str]] = {}
    #: True for a driver that needs a process of its own.
    apart: ClassVar[bool] = False

    @abstractmethod
    def connect(self, place: Place, options: Options) -> Any:
        """A DB-API connection over TLS whose certificate has been verified."""

    @abstractmethod
    def errors(self, error: BaseException) -> list[ServerError]:
        """The server's errors in what the driver has raised; empty when there are none."""

    def messages(self, connection: Any, cursor: Any) -> list[ServerError]:
        """What PRINT and low RAISERROR have said in the last statement."""
        raise NotImplementedError

    def execute(self, cursor: Any, text: str, values: Sequence[object]) -> None:
        """Runs `text`, whose parameters are question marks."""
        if values:
            cursor.execute(text, tuple(values))
        else:
            cursor.execute(text)

    def executemany(self, cursor: Any, text: str, rows: Sequence[Sequence[object]]) -> None:
        cursor.executemany(text, [tuple(row) for row in rows])

    def fast_executemany(self, cursor: Any, text: str, rows: Sequence[Sequence[object]]) -> None:
        """Parameter arrays: many rows in one message."""
        raise NotImplementedError

    def execute_typed(self, cursor: Any, text: str, value: object, sql_type: str) -> None:
        """Runs `text` with one parameter, which may be NULL, of the given type."""
        self.execute(cursor, text, [value])

    def limit(self, connection: Any, seconds: int) -> None:
        """Seconds that a statement may take from now on; 0 for any number."""
        connection.timeout = seconds

    def call(self, cursor: Any, procedure: str, values: Sequence[object]) -> None:
        """`cursor.callproc`, or ODBC's CALL escape."""
        raise NotImplementedError

    def call_for_outputs(
        self, connection: Any, procedure: str, values: Sequence[object], outputs: Sequence[tuple[object, str]]
    ) -> list[object]:
        """What the output parameters, given as value and type behind `values`, have become."""
        raise NotImplementedError

    def return_code(self, connection: Any, procedure: str, values: Sequence[object]) -> int:
        raise NotImplementedError

    def call_with_table(
        self, cursor: Any, procedure: str, table_type: str, columns: Sequence[tuple[str, str]], rows: Sequence[Any]
    ) -> None:
        """Calls a procedure whose only parameter is a table."""
        raise NotImplementedError

    def bulk(
        self, session: Any, table: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]]
    ) -> None:
        """Bulk load; `columns` are names and types. What `session` has not committed may be out of sight."""
        raise NotImplementedError

    def columns(self, cursor: Any) -> list[Column]:
        return [
            Column(name, size, precision, scale, bool(nullable))
            for name, _, _, size, precision, scale, nullable in cursor.description
        ]

    def normal(self, value: object) -> object:
        """One Python value for what drivers give differently."""
        if isinstance(value, UUID):
            return str(value).upper()
        if isinstance(value, (bytearray, memoryview)):
            return bytes(value)
        return value
