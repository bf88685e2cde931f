"""What stands between a client and its first request, and on each request's first packet, byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

import pytest

from setup_kit.sandbox.sql.tds.login import encode_prelogin
from setup_kit.sandbox.sql.tds.packets import PacketType, Status
from tests.prove.wire import ALL_HEADERS, PRELOGIN, Closed, Reply, Wire, login7
from tests.sandbox.sql.conftest import ADMINISTRATOR, PASSWORD, TENANT, Host, Person, Policy, Server

OBJECT_ID = "11111111-1111-1111-1111-111111111111"
LOGIN_ACKNOWLEDGED, FEATURES_ACKNOWLEDGED, FED_AUTH_INFO = 0xAD, 0xAE, 0xEE


def login(
    features: Mapping[int, bytes], user: str = ADMINISTRATOR, password: str = PASSWORD, *, version: int = 0x74000004,
    packet_size: int = 4096, flags3: int = 0,
) -> bytes:  # fmt: skip
    """LOGIN7 with feature extensions."""
    data = bytearray(login7(user, password, "master"))
    struct.pack_into("<II", data, 4, version, packet_size)
    data[27] = 0x10 | flags3
    struct.pack_into("<HH", data, 36 + 20, len(data), 4)
    data += struct.pack("<I", len(data) + 4)
    for feature, value in features.items():
        data += struct.pack("<BI", feature, len(value)) + value
    data += b"\xff"
    struct.pack_into("<I", data, 0, len(data))
    return bytes(data)


def enter(server: Server, message: bytes) -> tuple[Wire, Reply]:
    wire = Wire(server.port)
    wire.send(PacketType.PRELOGIN, PRELOGIN)
    wire.receive(20)
    wire.send(PacketType.LOGIN7, message)
    return wire, wire.receive(20)


def acknowledged(reply: Reply) -> dict[int, bytes]:
    """The features of a FEATUREEXTACK, which comes right before the last DONE."""
    at = reply.data.rindex(bytes((FEATURES_ACKNOWLEDGED,)), 0, len(reply.data) - 13)
    found, here = {}, at + 1
    while reply.data[here] != 0xFF:
        (size,) = struct.unpack_from("<I", reply.data, here + 1)
        found[reply.data[here]] = reply.data[here + 5 : here + 5 + size]
        here += 5 + size
    assert here + 1 == len(reply.data) - 13
    return found


def test_mars_is_declined(server: Server) -> None:
    asked = bytearray(encode_prelogin((18, 0, 0), 1, fed_auth_required=False))
    assert asked[20] == 0x04  # the fifth option is MARS
    asked[struct.unpack_from(">H", asked, 21)[0]] = 1
    wire = Wire(server.port)
    wire.send(PacketType.PRELOGIN, bytes(asked))
    answer = wire.receive(20).data
    wire.close()
    assert answer[struct.unpack_from(">H", answer, 21)[0]] == 0


def test_features_are_acknowledged_as_azure_does_and_what_is_not_carried_out_is_left_out(server: Server) -> None:
    asked = dict.fromkeys((0x04, 0x08, 0x0A, 0x0B, 0x0D), b"\x01") | {0x01: b"", 0x05: b"", 0x09: b"\x02"}
    wire, reply = enter(server, login(asked))
    wire.close()
    assert acknowledged(reply) == {0x08: b"\x00", 0x09: b"\x02\x01", 0x0A: b"\x01", 0x0B: b"\x01"}


class TestTokens:
    TOKEN = "header.claims.signature"

    @pytest.fixture
    def entra(self, host: Host) -> Iterator[Server]:
        host.people[self.TOKEN] = Person(OBJECT_ID, OBJECT_ID, TENANT, "deployer")
        server = host.serve(Policy("tokens", administrator=OBJECT_ID))
        yield server
        host.run(host.endpoint.stop_server("tokens"))

    def test_a_token_in_the_login_and_its_nonce_comes_back(self, entra: Server) -> None:
        token, nonce = self.TOKEN.encode("utf-16-le"), bytes(range(32))
        wire, reply = enter(entra, login({2: b"\x03" + struct.pack("<I", len(token)) + token + nonce}, "", ""))
        wire.close()
        assert LOGIN_ACKNOWLEDGED in reply.data
        assert acknowledged(reply) == {2: nonce}

    @pytest.mark.parametrize(("token", "enters"), [(TOKEN, True), ("forged", False)])
    def test_a_client_that_wants_one_is_told_where_to_get_it(self, entra: Server, token: str, enters: bool) -> None:
        wire, reply = enter(entra, login({2: b"\x05\x01"}, "", ""))
        assert reply.data[0] == FED_AUTH_INFO
        assert "https://login.windows.net/common".encode("utf-16-le") in reply.data
        assert "https://database.windows.net/".encode("utf-16-le") in reply.data
        raw = token.encode("utf-16-le")
        wire.send(PacketType.FED_AUTH_TOKEN, struct.pack("<II", len(raw) + 4, len(raw)) + raw)
        answer = wire.receive(20)
        wire.close()
        assert (struct.pack("<i", 18456) not in answer.data) is enters

    def test_a_library_that_does_not_exist_ends_the_connection(self, entra: Server) -> None:
        with pytest.raises(Closed):
            enter(entra, login({2: b"\xfe"}, "", ""))


@pytest.mark.parametrize(
    ("message", "what"),
    [(login({}, version=0x72090002), "TDS before 7.3"), (login({}, flags3=1), "change of the password at login")],
)
def test_what_a_login_does_not_get_is_refused_by_name(server: Server, message: bytes, what: str) -> None:
    wire, reply = enter(server, message)
    wire.close()
    assert f"'{what}' is not supported".encode("utf-16-le") in reply.data
    assert struct.pack("<i", 40514) in reply.data


@pytest.mark.parametrize(("asked", "used"), [(512, 512), (100, 512), (0, 4096), (32767, 32767), (65000, 32767)])
def test_packets_have_the_size_that_was_agreed_on(server: Server, asked: int, used: int) -> None:
    wire, _ = enter(server, login({}, packet_size=asked))
    text = "SELECT REPLICATE(CAST('x' AS varchar(max)), 200000)"
    wire.send(PacketType.SQL_BATCH, ALL_HEADERS + text.encode("utf-16-le"), packet=max(used, 512))
    wire.socket.settimeout(20)
    head = wire.socket.recv(8)
    wire.close()
    assert int.from_bytes(head[2:4], "big") == used


def test_a_login_without_end_is_not_kept_in_memory(server: Server) -> None:
    wire = Wire(server.port)
    wire.send(PacketType.PRELOGIN, PRELOGIN)
    wire.receive(20)
    with pytest.raises(Closed):
        wire.send(PacketType.LOGIN7, b"\x00" * 2_000_000)
        wire.receive(20)
    wire.close()


class TestReset:
    @pytest.fixture
    def wire(self, server: Server, database: str) -> Iterator[Wire]:
        wire = Wire(server.port)
        wire.log_in(ADMINISTRATOR, PASSWORD, database)
        yield wire
        wire.close()

    def batch(self, wire: Wire, text: str, status: int = 0) -> bytes:
        return wire.request(PacketType.SQL_BATCH, ALL_HEADERS + text.encode("utf-16-le"), status, patience=20).data

    RESET_DONE = struct.pack("<BHBBB", 0xE3, 3, 18, 0, 0)

    @pytest.mark.parametrize(
        ("status", "kept"), [(Status.RESET_CONNECTION, 0), (Status.RESET_CONNECTION_KEEP_TRANSACTION, 1)]
    )
    def test_a_reset_is_told_and_takes_the_transaction_along_unless_it_is_to_stay(
        self, wire: Wire, status: int, kept: int
    ) -> None:
        self.batch(wire, "SET XACT_ABORT ON; BEGIN TRAN; CREATE TABLE dbo.t (a int)")
        answer = self.batch(wire, "SELECT @@TRANCOUNT", status)
        assert answer.startswith(self.RESET_DONE)
        assert answer.endswith(struct.pack("<BBi", 0xD1, 4, kept) + answer[-13:])
        assert self.RESET_DONE not in self.batch(wire, "SELECT 1")

    def test_prepared_statements_are_gone(self, wire: Wire) -> None:
        def call(number: int, *values: bytes) -> bytes:
            body = ALL_HEADERS + struct.pack("<HHH", 0xFFFF, number, 0) + b"".join(values)
            return wire.request(PacketType.RPC, body, patience=20).data

        def text(value: str) -> bytes:
            raw = value.encode("utf-16-le")
            return b"\x00\x00\xe7\x40\x1f\x09\x04\xd0\x00\x34" + struct.pack("<H", len(raw)) + raw

        handle = b"\x00\x01\x26\x04\x00"
        call(11, handle, text(""), text("SELECT 42"))
        given = b"\x00\x00\x26\x04\x04" + struct.pack("<i", 1)
        assert struct.pack("<i", 42) in call(12, given)
        self.batch(wire, "SELECT 1", Status.RESET_CONNECTION)
        assert struct.pack("<i", 8179) in call(12, given)


def test_a_transaction_begins_with_the_isolation_level_that_is_asked_for(server: Server, database: str) -> None:
    wire = Wire(server.port)
    wire.log_in(ADMINISTRATOR, PASSWORD, database)
    wire.request(PacketType.TRANSACTION_MANAGER, ALL_HEADERS + struct.pack("<HBB", 5, 4, 0), patience=20)
    text = "SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID"
    answer = wire.request(PacketType.SQL_BATCH, ALL_HEADERS + text.encode("utf-16-le"), patience=20).data
    wire.close()
    assert struct.pack("<h", 4) + answer[-13:] == answer[-15:]
