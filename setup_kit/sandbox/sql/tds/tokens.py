"""Tokens that the server sends: MS-TDS 2.2.7."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

from setup_kit.sandbox.sql.tds import type_info
from setup_kit.sandbox.sql.tds.encoding import encoder, fixed_encoder
from setup_kit.sandbox.sql.values.types import SqlType, Stored

TDS_VERSION = 0x74000004

DONE_FINAL, DONE_MORE, DONE_ERROR, DONE_IN_TRANSACTION = 0x00, 0x01, 0x02, 0x04
DONE_COUNT, DONE_ATTENTION, DONE_AMONG_CALLS = 0x10, 0x20, 0x80
DONE, DONE_PROCEDURE, DONE_IN_PROCEDURE = 0xFD, 0xFE, 0xFF

#: CurCmd of DONE: the client only looks at SELECT and the three that count rows.
COMMANDS = {"SELECT": 0xC1, "INSERT": 0xC3, "DELETE": 0xC4, "UPDATE": 0xC5, "MERGE": 0x117}


class Column(NamedTuple):
    """One column of a result."""

    name: str
    type: SqlType
    nullable: bool = True
    identity: bool = False


def b_varchar(text: str) -> bytes:
    data = text.encode("utf-16-le", "surrogatepass")
    return bytes([len(data) // 2]) + data


def us_varchar(text: str) -> bytes:
    data = text.encode("utf-16-le", "surrogatepass")
    return struct.pack("<H", len(data) // 2) + data


def column_metadata(columns: Sequence[Column]) -> bytes:
    """COLMETADATA."""
    out = bytearray(struct.pack("<BH", 0x81, len(columns)))
    for column in columns:
        flags = (0x0001 if column.nullable else 0) | (0x0010 if column.identity else 0x0008)
        out += (
            struct.pack("<IH", 0, flags)
            + type_info.encode(column.type, nullable=column.nullable)
            + b_varchar(column.name)
        )
    return bytes(out)


def row_encoder(columns: Sequence[Column]) -> Callable[[Sequence[Stored]], bytes]:
    """A function from a row of stored values to a ROW token, or an NBCROW when a value is NULL."""
    encoders = [
        fixed_encoder(column.type)
        if column.type.name in type_info.FIXED and not column.nullable
        else encoder(column.type)
        for column in columns
    ]
    bitmap_size = (len(columns) + 7) // 8

    def encode_row(values: Sequence[Stored]) -> bytes:
        if None not in values:
            return b"\xd1" + b"".join([encode(value) for encode, value in zip(encoders, values, strict=True)])
        bitmap = bytearray(bitmap_size)
        parts = []
        for index, value in enumerate(values):
            if value is None:
                bitmap[index >> 3] |= 1 << (index & 7)
            else:
                parts.append(encoders[index](value))
        return b"\xd2" + bytes(bitmap) + b"".join(parts)

    return encode_row


def message(number: int, state: int, severity: int, text: str, server: str, procedure: str, line: int) -> bytes:
    """ERROR for a severity above 10, else INFO."""
    body = struct.pack("<iBB", number, state, severity) + us_varchar(text) + b_varchar(server)
    body += b_varchar(procedure) + struct.pack("<I", line)
    return struct.pack("<BH", 0xAA if severity > 10 else 0xAB, len(body)) + body


def done(token: int, status: int, command: str = "", rows: int = 0) -> bytes:
    return struct.pack("<BHHQ", token, status, COMMANDS.get(command, 0), rows)


def return_status(value: int) -> bytes:
    return struct.pack("<Bi", 0x79, value)


def return_value(ordinal: int, name: str, kind: SqlType, value: Stored) -> bytes:
    """RETURNVALUE of an output parameter."""
    head = struct.pack("<BH", 0xAC, ordinal) + b_varchar(name) + b"\x01" + struct.pack("<IH", 0, 0x0001)
    return head + type_info.encode(kind) + encoder(kind)(value)


def login_acknowledged(tds_version: int, program: str, version: tuple[int, int, int]) -> bytes:
    body = b"\x01" + struct.pack(">I", tds_version) + b_varchar(program) + struct.pack(">BBH", *version)
    return struct.pack("<BH", 0xAD, len(body)) + body


def fed_auth_info(authority: str, resource: str) -> bytes:
    """FEDAUTHINFO: where a client gets its token, and what for (2.2.7.12)."""
    texts = [(1, authority.encode("utf-16-le")), (2, resource.encode("utf-16-le"))]
    offset = 4 + 9 * len(texts)
    head, body = struct.pack("<I", len(texts)), b""
    for number, text in texts:
        head += struct.pack("<BII", number, len(text), offset + len(body))
        body += text
    return struct.pack("<BI", 0xEE, len(head + body)) + head + body


def features_acknowledged(features: Sequence[tuple[int, bytes]]) -> bytes:
    """FEATUREEXTACK."""
    body = b"".join(struct.pack("<BI", feature, len(data)) + data for feature, data in features)
    return b"\xae" + body + b"\xff"


def environment_text(kind: int, new: str, old: str) -> bytes:
    """ENVCHANGE with texts: 1 database, 2 language, 4 packet size."""
    body = bytes([kind]) + b_varchar(new) + b_varchar(old)
    return struct.pack("<BH", 0xE3, len(body)) + body


def environment_bytes(kind: int, new: bytes, old: bytes) -> bytes:
    """ENVCHANGE with bytes: 7 collation, 8 begin, 9 commit, 10 roll back, 18 reset."""
    body = bytes([kind, len(new)]) + new + bytes([len(old)]) + old
    return struct.pack("<BH", 0xE3, len(body)) + body
