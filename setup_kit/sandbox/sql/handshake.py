"""From a client's first byte to its LOGIN7, and the answer to one that is let in: MS-TDS 3.3.5.1 to 3.3.5.5."""

from __future__ import annotations

import ssl
from dataclasses import replace

from setup_kit.sandbox.sql import errors, unsupported
from setup_kit.sandbox.sql.errors import ProtocolError
from setup_kit.sandbox.sql.tds import tokens
from setup_kit.sandbox.sql.tds.login import (
    Encryption,
    Feature,
    Login7,
    PreLogin,
    decode_fed_auth_token,
    encode_prelogin,
)
from setup_kit.sandbox.sql.tds.packets import Message, PacketType
from setup_kit.sandbox.sql.tds.reply import Reply
from setup_kit.sandbox.sql.tds.stream import Stream
from setup_kit.sandbox.sql.tds.type_info import COLLATION

#: What tokens for SQL are asked for.
RESOURCE = "https://database.windows.net/"

_DEFAULT_PACKET = 4096
_SMALLEST_PACKET, _LARGEST_PACKET = 512, 32767


def read_login(stream: Stream, tls: ssl.SSLContext, version: tuple[int, int, int], sign_in_authority: str) -> Login7:
    """TLS, either at once (TDS 8.0) or after PRELOGIN (7.4), then LOGIN7 with its token, wherever that comes from."""
    strict = stream.starts_with_tls()
    if strict:
        stream.start_tls(tls, inside_packets=False)
    asked = PreLogin.decode(_expect(stream, PacketType.PRELOGIN).data)
    # A client that did not ask for encryption is told that it is required, and leaves if it cannot.
    encryption = Encryption.ON if asked.encryption == Encryption.ON else Encryption.REQUIRED
    answer = encode_prelogin(version, encryption, fed_auth_required=asked.fed_auth_required)
    stream.write(PacketType.REPLY, answer)
    if not strict:
        stream.start_tls(tls, inside_packets=True)
    login = Login7.decode(_expect(stream, PacketType.LOGIN7).data)
    if login.asks_authority:
        stream.write(PacketType.REPLY, tokens.fed_auth_info(sign_in_authority, RESOURCE))
        message = _expect(stream, PacketType.FED_AUTH_TOKEN)
        token, nonce = decode_fed_auth_token(message.data)
        login = replace(login, token=token, nonce=nonce)
    return login


def _expect(stream: Stream, kind: PacketType) -> Message:
    message = stream.read()
    if message.type != kind:
        raise ProtocolError(f"{kind.name} was expected")
    return message


def check(login: Login7) -> None:
    """Refuse what a login asks for and does not get here."""
    if login.is_too_old:
        raise errors.ending_session(unsupported.refused("TDS before 7.3"))
    if login.changes_password:
        raise errors.ending_session(unsupported.refused("change of the password at login"))


def packet_size(login: Login7) -> int:
    return min(max(login.packet_size or _DEFAULT_PACKET, _SMALLEST_PACKET), _LARGEST_PACKET)


def welcome(reply: Reply, login: Login7, version: tuple[int, int, int], database: str, packet_size_before: int) -> None:
    """The answer to a login that succeeded."""
    reply.add(tokens.environment_text(1, database, "master"))
    reply.message(5701, 2, 0, f"Changed database context to '{database}'.")
    reply.add(tokens.environment_bytes(7, COLLATION, b""))
    reply.add(tokens.environment_text(2, "us_english", ""))
    reply.message(5703, 1, 0, "Changed language setting to us_english.")
    tds_version = min(login.tds_version, tokens.TDS_VERSION) if login.tds_version < 0x80000000 else login.tds_version
    reply.add(tokens.login_acknowledged(tds_version, "Microsoft SQL Server", version))
    reply.add(tokens.environment_text(4, str(packet_size(login)), str(packet_size_before)))
    acknowledged = [
        (feature, data) for feature, asked in login.features.items()
        if (data := _acknowledgement(feature, asked, login)) is not None
    ]  # fmt: skip
    if acknowledged:
        reply.add(tokens.features_acknowledged(acknowledged))
    reply.done()


def _acknowledgement(feature: int, asked: bytes, login: Login7) -> bytes | None:
    """What Azure SQL Database answers to a feature; None for one that is not carried out here.

    Those are left out: session recovery, column encryption, global transactions, and what is newer.
    """
    match feature:
        case Feature.FED_AUTH:
            return login.nonce
        case Feature.AZURE_SQL_SUPPORT:
            return b"\x00"  # no failover partner
        case Feature.UTF8_SUPPORT:
            return b"\x01"
        case Feature.DATA_CLASSIFICATION:
            return bytes((min(asked[0] if asked else 1, 2), 1))  # version; on, though no column is classified
        case Feature.AZURE_SQL_DNS_CACHING:
            return b"\x01"
    return None
