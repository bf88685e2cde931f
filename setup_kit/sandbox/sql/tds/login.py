"""What a client sends before its first request: PRELOGIN, LOGIN7, and the federated authentication token."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from setup_kit.sandbox.sql.errors import ProtocolError
from setup_kit.sandbox.sql.tds.reader import Reader, utf16


class Encryption(IntEnum):
    OFF = 0x00
    ON = 0x01
    NOT_SUPPORTED = 0x02
    REQUIRED = 0x03


@dataclass(frozen=True, slots=True)
class PreLogin:
    """Options of a PRELOGIN message (2.2.6.5) that matter here."""

    encryption: int
    fed_auth_required: bool

    VERSION, ENCRYPTION, INSTANCE, THREAD, MARS, TRACE, FED_AUTH_REQUIRED = range(7)
    TERMINATOR = 0xFF

    @classmethod
    def decode(cls, data: bytes) -> PreLogin:
        options: dict[int, bytes] = {}
        reader = Reader(data)
        while (token := reader.u8()) != cls.TERMINATOR:
            offset, length = struct.unpack(">HH", reader.take(4))
            if token in options:
                raise ProtocolError("a PRELOGIN option comes twice")
            options[token] = _slice(data, offset, length)
        encryption = options.get(cls.ENCRYPTION, b"")
        fed_auth = options.get(cls.FED_AUTH_REQUIRED, b"")
        return cls(encryption[0] if encryption else Encryption.NOT_SUPPORTED, fed_auth[:1] == b"\x01")


def encode_prelogin(version: tuple[int, int, int], encryption: int, *, fed_auth_required: bool) -> bytes:
    """The server's answer. MARS is declined whether asked for or not."""
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
    return head + bytes((PreLogin.TERMINATOR,)) + body


class Feature(IntEnum):
    """Feature extensions of LOGIN7 (2.2.6.4)."""

    SESSION_RECOVERY = 0x01
    FED_AUTH = 0x02
    COLUMN_ENCRYPTION = 0x04
    GLOBAL_TRANSACTIONS = 0x05
    AZURE_SQL_SUPPORT = 0x08
    DATA_CLASSIFICATION = 0x09
    UTF8_SUPPORT = 0x0A
    AZURE_SQL_DNS_CACHING = 0x0B
    TERMINATOR = 0xFF


class FedAuthLibrary(IntEnum):
    SECURITY_TOKEN = 0x01  # the token is in LOGIN7
    ADAL = 0x02  # the client gets its token from the authority that the server names, and sends it then


_OLDEST_VERSION = 0x730A0003  # TDS 7.3: dates and times of their own, rows that leave out NULL
_STRICT_VERSION = 0x08000000  # TDS 8.0, whose number is the smaller one; most clients say 7.4 there too


@dataclass(frozen=True, slots=True)
class Login7:
    """A LOGIN7 message (2.2.6.4). `token` is the access token that came with it; `asks_authority` says that one will
    follow once the client knows where to get it."""

    tds_version: int
    packet_size: int
    client_host: str
    user: str
    password: str = field(repr=False)
    application: str
    server: str
    database: str
    read_only: bool
    changes_password: bool
    integrated: bool
    token: str | None = field(repr=False)
    asks_authority: bool
    nonce: bytes = field(repr=False)
    features: dict[int, bytes] = field(repr=False)

    @property
    def is_too_old(self) -> bool:
        return self.tds_version < _OLDEST_VERSION and self.tds_version != _STRICT_VERSION

    @classmethod
    def decode(cls, data: bytes) -> Login7:
        if len(data) < 94:
            raise ProtocolError("LOGIN7 is too short")
        length, version, packet_size = struct.unpack_from("<III", data, 0)
        if length > len(data):
            raise ProtocolError("LOGIN7 is cut off")
        flags2, type_flags, flags3 = data[25], data[26], data[27]

        def text(index: int) -> str:
            offset, count = struct.unpack_from("<HH", data, 36 + 4 * index)
            return utf16(_slice(data, offset, 2 * count))

        password_offset, password_length = struct.unpack_from("<HH", data, 36 + 8)
        features = _features(data) if flags3 & 0x10 else {}
        token, asks_authority, nonce = _fed_auth(features.get(Feature.FED_AUTH))
        return cls(
            tds_version=version,
            packet_size=packet_size,
            client_host=text(0),
            user=text(1),
            password=utf16(_unscramble(_slice(data, password_offset, 2 * password_length))),
            application=text(3),
            server=text(4),
            database=text(8),
            read_only=bool(type_flags & 0x20),
            changes_password=bool(flags3 & 0x01),
            integrated=bool(flags2 & 0x80),
            token=token,
            asks_authority=asks_authority,
            nonce=nonce,
            features=features,
        )


def _features(data: bytes) -> dict[int, bytes]:
    """The feature extensions, by way of a pointer to a pointer to them."""
    pointer, _ = struct.unpack_from("<HH", data, 36 + 20)
    reader = Reader(data, int.from_bytes(_slice(data, pointer, 4), "little"))
    features: dict[int, bytes] = {}
    while (feature := reader.u8()) != Feature.TERMINATOR:
        if feature in features:
            raise ProtocolError("a feature extension comes twice")
        features[feature] = reader.take(reader.u32())
    return features


def _fed_auth(value: bytes | None) -> tuple[str | None, bool, bytes]:
    """The token, whether it is still to come, and the nonce that the answer repeats."""
    if value is None:
        return None, False, b""
    reader = Reader(value)
    library = reader.u8() >> 1
    if library == FedAuthLibrary.ADAL:
        reader.u8()  # the workflow: password, integrated or interactive, which is between client and authority
        return None, True, b""
    if library != FedAuthLibrary.SECURITY_TOKEN:
        raise ProtocolError(f"federated authentication by library {library}")
    token = utf16(reader.take(reader.u32()))
    return token, False, value[reader.at :][:32]


def decode_fed_auth_token(data: bytes) -> tuple[str, bytes]:
    """A federated authentication token message (2.2.6.3): the token and the nonce."""
    reader = Reader(data)
    reader.u32()
    token = utf16(reader.take(reader.u32()))
    return token, data[reader.at :][:32]


def _slice(data: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(data):
        raise ProtocolError("a field lies outside its message")
    return data[offset : offset + length]


def _unscramble(password: bytes) -> bytes:
    """Undo the obfuscation of 2.2.6.4: each byte XORed with 0xA5, nibbles swapped."""
    return bytes(((b ^ 0xA5) >> 4) | (((b ^ 0xA5) & 0x0F) << 4) for b in password)
