"""Packets and messages, and the requests of a client that are no calls: MS-TDS 2.2.3 and 2.2.6."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from setup_kit.sandbox.sql import unsupported
from setup_kit.sandbox.sql.errors import ProtocolError
from setup_kit.sandbox.sql.tds.reader import Reader, utf16

HEADER = struct.Struct(">BBHHBB")  # type, status, length, SPID, packet id, window


class PacketType(IntEnum):
    SQL_BATCH = 0x01
    RPC = 0x03
    REPLY = 0x04
    ATTENTION = 0x06
    BULK_LOAD = 0x07
    FED_AUTH_TOKEN = 0x08
    TRANSACTION_MANAGER = 0x0E
    LOGIN7 = 0x10
    PRELOGIN = 0x12
    TLS_RECORD = 0x16  # no TDS packet: first byte of a TLS handshake, so the client speaks TDS 8.0


class Status(IntEnum):
    END_OF_MESSAGE = 0x01
    IGNORE = 0x02
    RESET_CONNECTION = 0x08
    RESET_CONNECTION_KEEP_TRANSACTION = 0x10


@dataclass(frozen=True, slots=True)
class Message:
    """`complete`: all of it; of a bulk load only the first packet is read at once."""

    type: int
    status: int
    data: bytes
    complete: bool = True


def skip_all_headers(data: bytes) -> int:
    """Length of the ALL_HEADERS block (2.2.5.3) at the start of a batch, RPC or transaction request."""
    if len(data) < 4:
        raise ProtocolError("message without ALL_HEADERS")
    (total,) = struct.unpack_from("<I", data, 0)
    if not 4 <= total <= len(data):
        raise ProtocolError("ALL_HEADERS longer than its message")
    return int(total)


def decode_batch(data: bytes) -> str:
    """Text of a SQL batch (2.2.6.7); refuses half a surrogate pair, which the store cannot keep."""
    try:
        return data[skip_all_headers(data) :].decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise unsupported.refused("unpaired surrogate") from error


class TransactionRequest(IntEnum):
    BEGIN = 5
    COMMIT = 7
    ROLLBACK = 8
    SAVE = 9


@dataclass(frozen=True, slots=True)
class TransactionManagerRequest:
    """A transaction manager request (2.2.6.9). `begins` says that a new transaction follows at once;
    `isolation` is the level of the one that begins, empty where it stays as it is."""

    request: int
    name: str
    begins: bool
    isolation: str

    @classmethod
    def decode(cls, data: bytes) -> TransactionManagerRequest:
        reader = Reader(data, skip_all_headers(data))
        request = reader.u16()
        if request == TransactionRequest.BEGIN:
            isolation = _isolation(reader)
            return cls(request, _name(reader), begins=False, isolation=isolation)
        name = _name(reader)
        ends = request in (TransactionRequest.COMMIT, TransactionRequest.ROLLBACK)
        begins = ends and not reader.done and bool(reader.u8() & 0x01)
        return cls(request, name, begins=begins, isolation=_isolation(reader) if begins else "")


#: By the numbers of 2.2.6.9; 0 leaves the level as it is.
_ISOLATION = ("", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "SNAPSHOT")


def _isolation(reader: Reader) -> str:
    number = reader.u8()
    if number >= len(_ISOLATION):
        raise ProtocolError(f"isolation level {number}")
    return _ISOLATION[number]


def _name(reader: Reader) -> str:
    """A transaction's name; its length is in bytes."""
    return "" if reader.done else utf16(reader.take(reader.u8()))
