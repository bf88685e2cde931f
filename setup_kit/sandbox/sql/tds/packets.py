"""Messages that a client sends, taken apart: MS-TDS 2.2.5 and 2.2.6."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from setup_kit.sandbox.sql.errors import ProtocolError, unsupported

HEADER = struct.Struct(">BBHHBB")  # type, status, length, SPID, packet id, window


class PacketType(IntEnum):
    SQL_BATCH = 0x01
    RPC = 0x03
    REPLY = 0x04
    ATTENTION = 0x06
    BULK_LOAD = 0x07
    TRANSACTION_MANAGER = 0x0E
    LOGIN7 = 0x10
    PRELOGIN = 0x12
    TLS_RECORD = 0x16  # no TDS packet: first byte of a TLS handshake, so the client speaks TDS 8.0


class Status(IntEnum):
    END_OF_MESSAGE = 0x01
    IGNORE = 0x02
    RESET_CONNECTION = 0x08
    RESET_CONNECTION_KEEP_TRANSACTION = 0x10


class Encryption(IntEnum):
    OFF = 0x00
    ON = 0x01
    NOT_SUPPORTED = 0x02
    REQUIRED = 0x03


@dataclass(frozen=True, slots=True)
class Message:
    """`complete`: all of it; of a bulk load only the first packet is read at once."""

    type: int
    status: int
    data: bytes
    complete: bool = True


@dataclass(frozen=True, slots=True)
class PreLogin:
    """Options of a PRELOGIN message (2.2.6.5) that matter here."""

    encryption: int
    fed_auth_required: bool

    VERSION, ENCRYPTION, INSTANCE, THREAD, MARS, TRACE, FED_AUTH_REQUIRED = range(7)

    @classmethod
    def decode(cls, data: bytes) -> PreLogin:
        options: dict[int, bytes] = {}
        at = 0
        while True:
            if at >= len(data):
                raise ProtocolError("PRELOGIN without terminator")
            if data[at] == 0xFF:
                break
            if at + 5 > len(data):
                raise ProtocolError("PRELOGIN option cut off")
            token, offset, length = struct.unpack_from(">BHH", data, at)
            options[token] = data[offset : offset + length]
            at += 5
        encryption = options.get(cls.ENCRYPTION, b"")
        fed_auth = options.get(cls.FED_AUTH_REQUIRED, b"")
        return cls(encryption[0] if encryption else Encryption.NOT_SUPPORTED, fed_auth[:1] == b"\x01")


def encode_prelogin(version: tuple[int, int, int], encryption: int, *, fed_auth_required: bool) -> bytes:
    options = [
        (PreLogin.VERSION, struct.pack(">BBHH", *version, 0)),
        (PreLogin.ENCRYPTION, bytes([encryption])),
        (PreLogin.INSTANCE, b"\x00"),
        (PreLogin.THREAD, b""),
        (PreLogin.MARS, b"\x00"),
    ]
    if fed_auth_required:
        options.append((PreLogin.FED_AUTH_REQUIRED, b"\x01"))
    offset = 5 * len(options) + 1
    head, body = b"", b""
    for token, value in options:
        head += struct.pack(">BHH", token, offset + len(body), len(value))
        body += value
    return head + b"\xff" + body


class Feature(IntEnum):
    """Feature extensions of LOGIN7 (2.2.6.4)."""

    SESSION_RECOVERY = 0x01
    FED_AUTH = 0x02
    COLUMN_ENCRYPTION = 0x04
    GLOBAL_TRANSACTIONS = 0x05
    AZURE_SQL_SUPPORT = 0x08
    DATA_CLASSIFICATION = 0x09
    UTF8_SUPPORT = 0x0A
    TERMINATOR = 0xFF


SECURITY_TOKEN_LIBRARY = 0x01


@dataclass(frozen=True, slots=True)
class Login7:
    """A LOGIN7 message (2.2.6.4). `token` is the access token of library SECURITYTOKEN, or None."""

    tds_version: int
    packet_size: int
    client_host: str
    user: str
    password: str = field(repr=False)
    application: str
    server: str
    database: str
    read_only: bool
    token: str | None = field(repr=False)
    nonce: bytes = field(repr=False)
    features: frozenset[int]
    integrated: bool

    @classmethod
    def decode(cls, data: bytes) -> Login7:
        if len(data) < 94:
            raise ProtocolError("LOGIN7 is too short")
        _, version, packet_size = struct.unpack_from("<III", data, 0)
        flags2, type_flags, flags3 = data[25], data[26], data[27]

        def text(index: int) -> str:
            offset, length = struct.unpack_from("<HH", data, 36 + 4 * index)
            return _slice(data, offset, 2 * length).decode("utf-16-le", "surrogatepass")

        password_offset, password_length = struct.unpack_from("<HH", data, 36 + 8)
        password = _slice(data, password_offset, 2 * password_length)
        token: str | None = None
        nonce = b""
        features: set[int] = set()
        if flags3 & 0x10:  # fExtension: a pointer to a pointer to the feature list
            extension_offset, _ = struct.unpack_from("<HH", data, 36 + 20)
            (at,) = struct.unpack_from("<I", _slice(data, extension_offset, 4))
            while True:
                feature = _slice(data, at, 1)[0]
                if feature == Feature.TERMINATOR:
                    break
                (length,) = struct.unpack_from("<I", _slice(data, at + 1, 4))
                value = _slice(data, at + 5, length)
                features.add(feature)
                if feature == Feature.FED_AUTH:
                    token, nonce = _security_token(value)
                at += 5 + length
        return cls(
            tds_version=version,
            packet_size=packet_size,
            client_host=text(0),
            user=text(1),
            password=_unscramble(password).decode("utf-16-le", "surrogatepass"),
            application=text(3),
            server=text(4),
            database=text(8),
            read_only=bool(type_flags & 0x20),
            token=token,
            nonce=nonce,
            features=frozenset(features),
            integrated=bool(flags2 & 0x80),
        )


def _slice(data: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(data):
        raise ProtocolError("a field lies outside its message")
    return data[offset : offset + length]


def _unscramble(password: bytes) -> bytes:
    """Undo the obfuscation of 2.2.6.4: each byte XORed with 0xA5, nibbles swapped."""
    return bytes(((b ^ 0xA5) >> 4) | (((b ^ 0xA5) & 0x0F) << 4) for b in password)


def _security_token(value: bytes) -> tuple[str | None, bytes]:
    if not value:
        raise ProtocolError("empty FEDAUTH feature")
    if value[0] >> 1 != SECURITY_TOKEN_LIBRARY:
        return None, b""
    (length,) = struct.unpack_from("<I", _slice(value, 1, 4))
    return _slice(value, 5, length).decode("utf-16-le"), value[5 + length :][:32]


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
        raise unsupported("unpaired surrogate") from error


class TransactionRequest(IntEnum):
    BEGIN = 5
    COMMIT = 7
    ROLLBACK = 8
    SAVE = 9


@dataclass(frozen=True, slots=True)
class TransactionManagerRequest:
    """A transaction manager request (2.2.6.9). `begins` says that a new transaction follows at once."""

    request: int
    name: str
    begins: bool

    @classmethod
    def decode(cls, data: bytes) -> TransactionManagerRequest:
        at = skip_all_headers(data)
        if at + 2 > len(data):
            raise ProtocolError("transaction manager request is too short")
        (request,) = struct.unpack_from("<H", data, at)
        body = data[at + 2 :]
        if request == TransactionRequest.BEGIN:
            return cls(request, _counted_name(body[1:]), begins=False)
        if request in (TransactionRequest.COMMIT, TransactionRequest.ROLLBACK):
            name_length = body[0] if body else 0
            flags = body[1 + name_length : 2 + name_length]
            return cls(request, _counted_name(body), begins=bool(flags and flags[0] & 0x01))
        return cls(request, _counted_name(body), begins=False)


def _counted_name(data: bytes) -> str:
    if not data:
        return ""
    return data[1 : 1 + data[0]].decode("utf-16-le")
